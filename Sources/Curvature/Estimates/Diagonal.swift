import Compute
import Graph
import Objectives

/// The diagonal of an operator, with the error of each entry.
public struct DiagonalEstimate: Sendable {
    /// aᵢᵢ.
    public let values: Vector
    /// The standard error of each value; all 0 where the diagonal is exact, nan where it cannot be told (one sample).
    public let standardErrors: Vector
    /// Random vectors used.
    public let samples: Int
    /// Products, or quadratic forms, used.
    public let products: Int
    /// Wall-clock time, seconds.
    public let seconds: Double
    /// False where it was cancelled: fewer vectors than were asked for.
    public let isFinished: Bool

    public init(
        values: Vector, standardErrors: Vector, samples: Int, products: Int, seconds: Double, isFinished: Bool = true
    ) {
        self.values = values
        self.standardErrors = standardErrors
        self.samples = samples
        self.products = products
        self.seconds = seconds
        self.isFinished = isFinished
    }
}

/// The diagonal of A: the mean of v∘Av over random sign vectors v, unbiased, with variance Σ_{j≠i} aᵢⱼ² in entry i.
///
/// Sums are taken in f64. Drawing stops when ‖standard errors‖₂ ≤ `relativeError`·‖values‖₂. Where as many samples as A has
/// rows would be taken, the diagonal is computed exactly instead (``exactDiagonal(of:)``). Bekas, Kokiopoulou & Saad 2007.
///
/// - Throws: what the products throw; `MemoryError` where a chunk of vectors does not fit.
public func diagonal(
    of matrix: some LinearOperator, samples: MonteCarlo, stream: inout RandomStream
) throws -> DiagonalEstimate {
    if matrix.dimension <= samples.certainSamples { return try exactDiagonal(of: matrix) }
    let watch = Stopwatch()
    var sums = RunningMoments(count: matrix.dimension)
    while true {
        let block = try signs(min(samples.chunk, samples.maxSamples - sums.samples), matrix, &stream)
        let products = try unlessCancelled { try matrix.products(block) }
        if products == nil, sums.samples == 0 { throw Cancelled() }
        for (v, product) in zip(block, products ?? []) { sums.take(try elementwiseProduct(v, product)) }
        let (error, size) = sums.norms
        let precise =
            samples.relativeError > 0 && sums.samples >= samples.certainSamples
            && error <= samples.relativeError * size
        if precise || !size.isFinite || sums.samples >= samples.maxSamples || products == nil {
            return DiagonalEstimate(
                values: try Vector(sums.means, element: matrix.element),
                standardErrors: try Vector(sums.standardErrors, element: matrix.element), samples: sums.samples,
                products: sums.samples, seconds: watch.seconds, isFinished: products != nil)
        }
    }
}

/// The diagonal of A by the quadratic forms of all unit vectors: `dimension` of them, no sampling error.
///
/// - Throws: what the products throw.
public func exactDiagonal(of matrix: some LinearOperator) throws -> DiagonalEstimate {
    let watch = Stopwatch()
    var values: [Double] = []
    try forEachUnitBlock(of: matrix) { _, block in values += try matrix.quadratics(block) }
    return DiagonalEstimate(
        values: try Vector(values, element: matrix.element),
        standardErrors: try Vector(zeros: matrix.dimension, element: matrix.element), samples: matrix.dimension,
        products: matrix.dimension, seconds: watch.seconds)
}

/// Means and squared deviations of vectors, entry by entry, by Welford's recurrence in f64.
private struct RunningMoments {
    private(set) var samples = 0
    private(set) var means: [Double]
    private var squares: [Double]

    init(count: Int) {
        means = Array(repeating: 0, count: count)
        squares = means
    }

    mutating func take(_ v: Vector) {
        samples += 1
        let share = 1 / Double(samples)
        let values = v.values
        for i in values.indices {
            let before = values[i] - means[i]
            means[i] += before * share
            squares[i] += before * (values[i] - means[i])
        }
    }

    private var factor: Double { samples < 2 ? .nan : 1 / (Double(samples - 1) * Double(samples)) }

    var standardErrors: [Double] { squares.map { ($0 * factor).squareRoot() } }

    /// ‖standard errors‖₂ and ‖means‖₂.
    var norms: (error: Double, size: Double) {
        (
            (squares.reduce(0, +) * factor).squareRoot(), means.reduce(0) { $0 + $1 * $1 }.squareRoot()
        )
    }
}
