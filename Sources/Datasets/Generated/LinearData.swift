import Compute
import Foundation

/// Orthonormal columns `[rows, columns]`, uniformly distributed (Haar): Gaussian columns, made orthonormal one after the other.
///
/// Gram–Schmidt in plain f64 of its own, one sum after the other: a seed names these numbers, so that a data set has the same bits
/// whatever becomes of the orthonormaliser of the solvers (which stands above this room, and drops what depends on others).
/// - Throws: `DatasetError` when there are more columns than rows; the memory account's error.
func orthonormalColumns(_ rows: Int, _ columns: Int, _ stream: inout RandomStream, for what: String) throws -> NDArray {
    guard columns <= rows else {
        throw DatasetError("\(what): \(columns) vectors in \(rows) dimensions cannot be orthonormal")
    }
    let vectors = try NDArray.doubles([columns, rows], for: what) { values in
        var meter = CancellationMeter()
        for column in 0..<columns {
            let vector = UnsafeMutableBufferPointer(rebasing: values[(column * rows)..<((column + 1) * rows)])
            try stream.fillNormal(asking: vector)
            // Twice is enough (Kahan & Parlett): after the second turn the vectors are orthogonal to rounding.
            for _ in 0..<2 {
                for earlier in 0..<column {
                    let other = values.baseAddress! + earlier * rows
                    var product = 0.0
                    for i in 0..<rows { product += other[i] * vector[i] }
                    for i in 0..<rows { vector[i] -= product * other[i] }
                    try meter.add(2 * rows)
                }
                let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
                for i in 0..<rows { vector[i] /= norm }
            }
        }
    }
    return try vectors.transposed(for: what)
}

extension Dataset {
    /// `n` orthonormal inputs in ℝᵈ, uniformly distributed, each its own target: the data of the single-neuron autoencoder (Ghosh
    /// et al. 2023). No test samples.
    /// - Throws: `DatasetError` when n > d, the memory account's error.
    public static func orthogonal(n: Int, dimension d: Int, seed: UInt64 = 0) throws -> Dataset {
        try checkPositive(n, "n")
        guard n <= d else {
            throw DatasetError("n = \(n) vectors in d = \(d) dimensions cannot be orthonormal: n ≤ d is needed")
        }
        var stream = GeneratedPart.inputs.stream(seed)
        let columns = try orthonormalColumns(d, n, &stream, for: "the inputs of orthogonal")
        let inputs = try columns.transposed(for: "the inputs of orthogonal")
        return Dataset(
            name: "orthogonal", inputShape: [d], train: Split(inputs: inputs, targets: inputs, name: "orthogonal"),
            notes: ["orthonormal inputs by seed \(seed), each its own target"])
    }

    /// The data of Cohen's deep linear network: X = √n·Q with orthonormal columns Q `[n, d]` (whitened inputs, XᵀX = nI) and
    /// Y = XAᵀ with A `[outputs, d]` standard normal, which is kept as `truth["A"]`. No test samples.
    ///
    /// Cohen et al. 2021, appendix "deep linear network": n = d = 50.
    /// - Parameter outputs: `nil`: d.
    /// - Throws: `DatasetError` when d > n, the memory account's error.
    public static func deepLinear(n: Int = 50, dimension d: Int = 50, outputs: Int? = nil, seed: UInt64 = 0) throws
        -> Dataset
    {
        let outputs = outputs ?? d
        try checkPositive(d, "d")
        try checkPositive(outputs, "outputs")
        guard d <= n else {
            throw DatasetError("d = \(d) with n = \(n) samples: inputs with XᵀX = nI need n ≥ d")
        }
        var inputStream = GeneratedPart.inputs.stream(seed)
        var truthStream = GeneratedPart.truth.stream(seed)
        let frame = try orthonormalColumns(n, d, &inputStream, for: "the inputs of deep_linear")
        let scale = Double(n).squareRoot()
        let inputs = try NDArray.doubles([n, d], for: "the inputs of deep_linear") { target in
            try frame.withDoubles { frame in
                for stretch in (0..<(n * d)).stretches {
                    try Cancellation.check()
                    for i in stretch { target[i] = scale * frame[i] }
                }
            }
        }
        let matrix = try NDArray.doubles([outputs, d], for: "the matrix of deep_linear") {
            try truthStream.fillNormal(asking: $0)
        }
        let targets = try inputs.timesTransposed(matrix, for: "the targets of deep_linear")
        return Dataset(
            name: "deep_linear", inputShape: [d], train: Split(inputs: inputs, targets: targets, name: "deep_linear"),
            notes: ["X = √n·Q, Y = XAᵀ by seed \(seed)"], truth: ["A": matrix])
    }
}

extension NDArray {
    /// An f64 matrix with its axes exchanged.
    func transposed(for what: String) throws -> NDArray {
        let (rows, columns) = (shape[0], shape[1])
        return try .doubles([columns, rows], for: what) { target in
            var meter = CancellationMeter()
            try withDoubles { source in
                for row in 0..<rows {
                    for column in 0..<columns { target[column * rows + row] = source[row * columns + column] }
                    try meter.add(columns)
                }
            }
        }
    }

    /// The product `[n, d] · [k, d]ᵀ` of f64 matrices.
    func timesTransposed(_ other: NDArray, for what: String) throws -> NDArray {
        let (n, d, k) = (shape[0], shape[1], other.shape[0])
        return try .doubles([n, k], for: what) { target in
            var meter = CancellationMeter()
            try withDoubles { left in
                try other.withDoubles { right in
                    for i in 0..<n {
                        for j in 0..<k {
                            var sum = 0.0
                            for l in 0..<d { sum += left[i * d + l] * right[j * d + l] }
                            target[i * k + j] = sum
                            try meter.add(d)
                        }
                    }
                }
            }
        }
    }
}
