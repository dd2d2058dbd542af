import Compute
import Foundation

/// The streams that a generated data set is made of. Each kind of number has its own, so that a larger data set begins as a smaller
/// one, and test samples do not depend on how many training samples there are.
enum GeneratedPart: UInt64 {
    /// What is the same for all samples: the teacher, the means, the matrix.
    case truth = 0
    case inputs, noise, testInputs, testNoise

    func stream(_ seed: UInt64) -> RandomStream { RandomStream(seed: seed, purpose: .data, index: rawValue) }
}

/// An option that counts something.
func checkPositive(_ value: Int, _ option: String) throws {
    guard value > 0 else { throw DatasetError("\(option) = \(value): at least 1 is needed") }
}

extension NDArray {
    /// An f64 array whose elements `fill` writes.
    static func doubles(
        _ shape: [Int], for what: String, _ fill: (UnsafeMutableBufferPointer<Double>) throws -> Void
    ) throws -> NDArray {
        try NDArray(shape: shape, element: .f64, for: what) { try fill($0.bindMemory(to: Double.self)) }
    }

    /// The elements of an f64 array.
    func withDoubles<Result>(_ body: (UnsafeBufferPointer<Double>) throws -> Result) rethrows -> Result {
        try withUnsafeBytes { try body($0.bindMemory(to: Double.self)) }
    }
}

extension RandomStream {
    /// As `fillNormal`, asking now and then whether it is cancelled.
    mutating func fillNormal(asking buffer: UnsafeMutableBufferPointer<Double>, std: Double = 1) throws(Cancelled) {
        for stretch in buffer.indices.stretches {
            try Cancellation.check()
            fillNormal(UnsafeMutableBufferPointer(rebasing: buffer[stretch]), std: std)
        }
    }
}

extension Split {
    /// Generated inputs with real targets `[n, shape...]`.
    init(inputs: NDArray, targets: NDArray, name: String) {
        self.init(
            inputs: ElementViews(ArrayTable(array: inputs), for: "the inputs of \(name)"),
            targets: ElementViews(ArrayTable(array: targets), for: "the targets of \(name)"),
            targetShape: Array(targets.shape.dropFirst()))
    }

    /// Generated inputs with labels.
    init(inputs: NDArray, labels: [Int32], places: Int = 1, classes: Int, name: String) {
        self.init(
            inputs: ElementViews(ArrayTable(array: inputs), for: "the inputs of \(name)"), labels: labels,
            places: places,
            classes: classes, name: name)
    }
}

extension Dataset {
    /// The Chebyshev polynomial T_degree at `n` points equispaced in [−1, 1]; inputs have the shape [1]. No test samples.
    /// - Throws: `DatasetError` for a negative degree or fewer than two points.
    public static func chebyshev(degree: Int, n: Int) throws -> Dataset {
        guard degree >= 0 else { throw DatasetError("degree = \(degree): a polynomial has a degree of 0 or more") }
        guard n >= 2 else { throw DatasetError("n = \(n): at least two points are needed") }
        func column(_ value: (Double) -> Double, for what: String) throws -> NDArray {
            try .doubles([n, 1], for: what) { values in
                for stretch in (0..<n).stretches {
                    try Cancellation.check()
                    for i in stretch { values[i] = value(2 * Double(i) / Double(n - 1) - 1) }
                }
            }
        }
        let inputs = try column({ $0 }, for: "the points of chebyshev")
        // On [−1, 1] T_d(x) = cos(d arccos x), stable for every degree; the recurrence costs n·d.
        let targets = try column({ cos(Double(degree) * acos($0)) }, for: "the values of chebyshev")
        return Dataset(
            name: "chebyshev", inputShape: [1], train: Split(inputs: inputs, targets: targets, name: "chebyshev"),
            notes: ["T of degree \(degree) on [−1, 1]"])
    }

    /// Sorting as next-token prediction: `length` random tokens followed by the same tokens sorted, of which a model sees all but the
    /// last and predicts, at each of the 2·length − 1 places, the next one. The labels of the first length − 1 places, where it would
    /// have to guess the unsorted tokens, are −1. Inputs are i32 tokens `[2·length − 1]`.
    ///
    /// The task of the central-flows code (Cohen et al. 2024, after Karpathy's minGPT); the defaults are those there.
    /// - Throws: `DatasetError` for sizes that make no task, the memory account's error.
    public static func sorting(
        n: Int = 1000, testCount: Int = 1000, vocabulary: Int = 4, length: Int = 8, seed: UInt64 = 0
    ) throws -> Dataset {
        try checkPositive(n, "n")
        try checkPositive(length, "length")
        guard testCount >= 0 else { throw DatasetError("test_n = \(testCount): 0 or more is needed") }
        guard vocabulary > 1, vocabulary < Int32.max else {
            throw DatasetError("vocabulary = \(vocabulary): at least two different tokens are needed")
        }
        guard length < 1 << 20 else {
            throw DatasetError("length = \(length): at most \(1 << 20 - 1) tokens can be sorted")
        }
        let places = 2 * length - 1
        func split(_ count: Int, _ part: GeneratedPart) throws -> Split {
            // The inputs are taken from the account first, so that a size beyond it is an error before the labels are made.
            var stream = part.stream(seed)
            var labels: [Int32] = []
            let inputs = try NDArray(shape: [count, places], element: .i32, for: "the inputs of sorting") { bytes in
                let tokens = bytes.bindMemory(to: Int32.self)
                labels.reserveCapacity(tokens.count)
                var meter = CancellationMeter()
                for sample in 0..<count {
                    // Words are drawn and sorted: some ten times the work of moving as many numbers.
                    try meter.add(10 * places)
                    let unsorted = (0..<length).map { _ in Int32(stream.below(vocabulary)) }
                    let sequence = unsorted + unsorted.sorted()
                    for place in 0..<places { tokens[sample * places + place] = sequence[place] }
                    labels += (0..<places).map { $0 < length - 1 ? -1 : sequence[$0 + 1] }
                }
            }
            return Split(inputs: inputs, labels: labels, places: places, classes: vocabulary, name: "sorting")
        }
        return Dataset(
            name: "sorting", inputShape: [places], vocabulary: vocabulary, train: try split(n, .inputs),
            test: testCount == 0 ? nil : try split(testCount, .testInputs),
            notes: ["\(length) tokens out of \(vocabulary) to be sorted, as next-token prediction by seed \(seed)"])
    }
}
