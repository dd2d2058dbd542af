import Compute
import Foundation
import Graph

/// What the samples of some inputs should give: real numbers, or classes.
public enum Answers: Sendable {
    /// `[n]` or `[n, shape...]`: one-hot rows or any real numbers.
    case targets(NDArray)
    /// `[n]`, or `[n, places]` for a label at each place of a sequence: whole numbers from 0; −1 for what the loss leaves out.
    case labels(NDArray)
}

extension Dataset {
    /// Samples from arrays: inputs `[n, shape...]` (or `[n]`, inputs of shape [1]) and their targets or labels.
    /// - Parameters:
    ///   - classes: the number of classes; `nil`: the largest label plus one.
    ///   - vocabulary: for inputs that are tokens: how many different ones there are, 0 ..< vocabulary.
    ///   - test: test samples of the same kind.
    /// - Throws: `DatasetError` when counts or shapes do not fit each other, a number is not finite, a label is not a class or a token
    ///   not in the vocabulary.
    public static func arrays(
        name: String = "arrays", inputs: NDArray, answers: Answers, classes: Int? = nil, vocabulary: Int? = nil,
        test: (inputs: NDArray, answers: Answers)? = nil
    ) throws -> Dataset {
        let inputShape = inputs.shape.count == 1 ? [1] : Array(inputs.shape.dropFirst())
        var classCount = classes ?? 0
        if classes == nil {
            for answers in [answers, test?.answers] {
                if case .labels(let labels)? = answers {
                    classCount = max(classCount, Int(try checkedLabels(labels, "labels").max() ?? 0) + 1)
                }
            }
        }
        let train = try split(name, "", inputs, answers, classCount, vocabulary)
        var testSplit: Split?
        if let test {
            let given = try split(name, "test_", test.inputs, test.answers, classCount, vocabulary)
            let shape = test.inputs.shape.count == 1 ? [1] : Array(test.inputs.shape.dropFirst())
            guard shape == inputShape else {
                throw DatasetError("test_inputs have samples of shape \(shape), inputs of shape \(inputShape)")
            }
            guard given.targetShape == train.targetShape, (given.labels == nil) == (train.labels == nil) else {
                throw DatasetError(
                    "the test samples have other targets than the training samples: both need labels, or targets of one "
                        + "shape")
            }
            testSplit = given
        }
        return Dataset(name: name, inputShape: inputShape, vocabulary: vocabulary, train: train, test: testSplit)
    }

    /// The samples as arrays, by the names of the parameters and options that take them: `inputs` `[n, shape...]` with `labels` or `targets`,
    /// and `test_inputs` with theirs where there are test samples. Labels and tokens are i32, pixels f32,
    /// other numbers f32 where that holds them all, else f64. What stands in memory already is not copied.
    /// - Throws: the memory account's error.
    public func arrays() throws -> [String: NDArray] {
        var arrays: [String: NDArray] = [:]
        for (prefix, split) in [("", train), ("test_", test)] {
            guard let split else { continue }
            arrays[prefix + "inputs"] = try split.inputArray(shape: inputShape, areTokens: vocabulary != nil)
            let answers = try split.answerArray()
            arrays[prefix + (split.labels == nil ? "targets" : "labels")] = answers
        }
        return arrays
    }

    /// - Parameter prefix: before the names of the options in errors.
    private static func split(
        _ name: String, _ prefix: String, _ inputs: NDArray, _ answers: Answers, _ classes: Int, _ vocabulary: Int?
    ) throws -> Split {
        guard let count = inputs.shape.first, inputs.count > 0 else {
            throw DatasetError("\(prefix)inputs of shape \(inputs.shape) hold no samples: [n, …] with n > 0 is needed")
        }
        try checkFinite(inputs, "\(prefix)inputs")
        if let vocabulary { try checkTokens(inputs, vocabulary, "\(prefix)inputs") }
        let inputViews = ElementViews(ArrayTable(array: inputs), for: "the \(prefix)inputs of \(name)")
        func checkCount(_ array: NDArray, _ option: String) throws {
            guard array.shape.first == count else {
                throw DatasetError(
                    "\(prefix)inputs hold \(count) samples, \(prefix)\(option) of shape \(array.shape) do not")
            }
        }
        switch answers {
        case .targets(let targets):
            try checkCount(targets, "targets")
            guard targets.count > 0 else {
                throw DatasetError("\(prefix)targets of shape \(targets.shape): [n] or [n, …] with numbers is needed")
            }
            try checkFinite(targets, "\(prefix)targets")
            return Split(
                inputs: inputViews,
                targets: ElementViews(ArrayTable(array: targets), for: "the \(prefix)targets of \(name)"),
                targetShape: targets.shape.count == 1 ? [1] : Array(targets.shape.dropFirst()))
        case .labels(let array):
            try checkCount(array, "labels")
            let labels = try checkedLabels(array, "\(prefix)labels")
            guard classes > 0 else {
                throw DatasetError("\(prefix)labels need at least one class: classes = \(classes)")
            }
            let places = labels.count / count
            if let place = labels.firstIndex(where: { $0 >= classes }) {
                throw DatasetError(
                    "\(prefix)labels: \(placeText(place, places)) has the label \(labels[place]), and the classes are 0 to \(classes - 1)"
                )
            }
            return Split(inputs: inputViews, labels: labels, places: places, classes: classes, name: name)
        }
    }

    private static func placeText(_ flat: Int, _ places: Int) -> String {
        "sample \(flat / places + 1)" + (places == 1 ? "" : ", place \(flat % places + 1),")
    }

    /// The labels as integers: each is whole and at least −1.
    private static func checkedLabels(_ array: NDArray, _ option: String) throws -> [Int32] {
        guard array.shape.count == 1 || array.shape.count == 2, array.count > 0 else {
            throw DatasetError(
                "\(option) of shape \(array.shape): one whole number for each sample, [n], or for each place of each "
                    + "sample, [n, places], is needed")
        }
        let places = array.count / array.shape[0]
        var meter = CancellationMeter()
        return try (0..<array.count).map { i in
            try meter.add(1)
            guard let label = Int32(exactly: array[flat: i]), label >= -1, label < Int32.max else {
                throw DatasetError(
                    "\(option): \(placeText(i, places)) has the label \(array[flat: i]); classes are whole "
                        + "numbers from 0, and -1 leaves a sample out")
            }
            return label
        }
    }

    private static func checkTokens(_ array: NDArray, _ vocabulary: Int, _ option: String) throws {
        guard vocabulary > 0, vocabulary < Int32.max else {
            throw DatasetError("vocabulary = \(vocabulary): at least one token is needed")
        }
        guard !array.element.isFloating else {
            throw DatasetError("\(option) are \(array.element.rawValue): tokens have to be integers")
        }
        let isToken = { (place: Int) in (0..<Double(vocabulary)).contains(array[flat: place]) }
        guard let place = try firstPlace(in: 0..<array.count, where: { !isToken($0) }) else { return }
        throw DatasetError(
            "\(option): sample \(place / max(1, array.count / array.shape[0]) + 1) holds the token "
                + "\(Int(array[flat: place])); the tokens are 0 to \(vocabulary - 1)")
    }

    private static func checkFinite(_ array: NDArray, _ option: String) throws {
        guard let place = try array.firstNonFinite() else { return }
        let sample = place / max(1, array.count / max(1, array.shape.first ?? 1))
        throw DatasetError(
            "\(option): sample \(sample + 1) holds \(array[flat: place]); all numbers must be finite")
    }
}

extension NDArray {
    /// The first place, in row-major order, of a NaN or an infinity.
    func firstNonFinite() throws -> Int? {
        func first<Scalar: BinaryFloatingPoint>(_ values: UnsafeBufferPointer<Scalar>) throws -> Int? {
            try firstPlace(in: values.indices) { !values[$0].isFinite }
        }
        return try withUnsafeBytes { bytes in
            switch element {
            case .f32: try first(bytes.bindMemory(to: Float.self))
            case .f64: try first(bytes.bindMemory(to: Double.self))
            default: nil
            }
        }
    }
}

extension Split {
    fileprivate func inputArray(shape: [Int], areTokens: Bool) throws -> NDArray {
        try inputViews.array([count] + shape, as: areTokens ? .i32 : inputViews.ownElement)
    }

    /// The labels, `[n]` or `[n, places]`, or the targets `[n, shape...]`.
    fileprivate func answerArray() throws -> NDArray {
        guard labels != nil else { return try targetViews.array([count] + targetShape, as: targetViews.ownElement) }
        return try targetViews.array(labelsPerSample == 1 ? [count] : [count, labelsPerSample], as: .i32)
    }
}

extension ElementViews {
    /// f64 for numbers that f32 may not hold, f32 for pixels.
    fileprivate var ownElement: ElementType {
        (table as? ArrayTable)?.array.element.isExactAsF32 == false ? .f64 : .f32
    }

    /// A view as an array of this shape, which has as many elements.
    fileprivate func array(_ shape: [Int], as element: ElementType) throws -> NDArray {
        let kind: ArrayElement =
            switch element {
            case .f32: .f32
            case .i32: .i32
            default: .f64
            }
        return NDArray(shape: shape, element: kind, count: shape.reduce(1, *), storage: try view(element))
    }
}

extension ArrayElement {
    /// Whether f32 holds each number of this kind: f32 itself and integers of up to 24 bits.
    fileprivate var isExactAsF32: Bool {
        switch self {
        case .f32, .i8, .i16, .u8, .u16, .bool: true
        case .f64, .i32, .i64, .u32, .u64: false
        }
    }
}
