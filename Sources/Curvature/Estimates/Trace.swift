import Compute
import Graph
import Objectives

/// How the trace of an operator is estimated.
public enum TraceMethod: String, CaseIterable, Sendable {
    /// The mean of vᵀAv over random sign vectors: quadratic forms only, an error that falls as 1/√n. The best for
    /// matrices with a flat spectrum, and where a quadratic form is much cheaper than a product.
    case hutchinson
    /// The trace on a sketched range exactly, and the mean of quadratic forms for what is left: an error that falls as 1/n
    /// where few eigenvalues dominate. Meyer, Musco, Musco & Woodruff 2021.
    case hutchPlusPlus = "hutch++"
    /// As Hutch++, but every vector serves both purposes in turn. Epperly, Tropp & Webber 2024.
    case xtrace
}

/// tr A, with its standard error.
///
/// Where as many samples as A has rows would be taken, the trace is computed exactly instead, by `dimension` quadratic
/// forms: the standard error is 0 then.
///
/// - Parameters:
///   - method: see ``TraceMethod``.
///   - samples: when to stop; exactly n samples are `MonteCarlo(relativeError: 0, minSamples: n, maxSamples: n)`. For
///     Hutchinson these are quadratic forms, for the other methods products.
///   - stream: the random vectors; `dimension` words a vector of signs.
/// - Throws: what the products throw; ``CurvatureError`` for Hutch++ and XTrace with less than 4 products allowed; `MemoryError`
///   where the vectors kept by Hutch++ (two thirds of the products) and XTrace (as many as products) do not fit.
public func trace(
    of matrix: some LinearOperator, method: TraceMethod = .hutchinson, samples: MonteCarlo, stream: inout RandomStream
) throws -> Estimate {
    // What is sampled before anything is known of the error is work that the exact trace does not use.
    let pilot = method == .hutchinson || samples.relativeError == 0 ? 1 : 2
    if matrix.dimension <= pilot * samples.certainSamples { return try exactTrace(of: matrix) }
    guard method == .hutchinson || samples.maxSamples >= 4 else {
        throw CurvatureError.badSetting(
            "\(method.rawValue) takes 4 products at least, and max_samples is \(samples.maxSamples): "
                + "raise it, or take hutchinson")
    }
    switch method {
    case .hutchinson: return try hutchinson(matrix, samples, &stream)
    case .hutchPlusPlus: return try hutchPlusPlus(matrix, samples, &stream)
    case .xtrace: return try xtrace(matrix, samples, &stream)
    }
}

/// tr A by the quadratic forms of all unit vectors: `dimension` of them.
///
/// - Throws: what the products throw.
public func exactTrace(of matrix: some LinearOperator) throws -> Estimate {
    let watch = Stopwatch()
    var sum = 0.0
    try forEachUnitBlock(of: matrix) { _, block in sum += try matrix.quadratics(block).reduce(0, +) }
    return Estimate(
        value: sum, standardError: 0, samples: matrix.dimension, products: matrix.dimension, seconds: watch.seconds)
}

/// Hutchinson's estimator. Its variance is 2(‖A‖²_F − Σᵢ aᵢᵢ²) a sample: exact for diagonal matrices. Signs rather than
/// normal numbers because their variance is the least possible. Hutchinson 1990.
private func hutchinson(
    _ matrix: some LinearOperator, _ samples: MonteCarlo, _ stream: inout RandomStream
) throws -> Estimate {
    try quadraticMean(matrix, samples) { try matrix.quadratics(signs($0, matrix, &stream)) }
}

/// The mean of drawn quadratic forms whose expectation is the trace; or the exact trace, as soon as it costs no more than the
/// quadratic forms that are still needed.
func quadraticMean(
    _ matrix: some LinearOperator, _ samples: MonteCarlo, _ draw: (Int) throws -> [Double]
) throws -> Estimate {
    try meanOfDraws(matrix, samples, exact: { try exactTrace(of: matrix) }, draw)
}

/// The mean of numbers that take a product each; or what `exact` gives by as many products as the matrix has columns, as soon as that
/// costs no more than the draws that are still needed.
func meanOfDraws(
    _ matrix: some LinearOperator, _ samples: MonteCarlo, exact whole: @escaping () throws -> Estimate,
    _ draw: (Int) throws -> [Double]
) throws -> Estimate {
    var taken = 0
    let exact = MonteCarlo.Exact(cost: matrix.dimension) {
        let value = try whole()
        taken += matrix.dimension
        return value
    }
    var estimate = try samples.estimate(exact: exact) { count in
        let values = try draw(count)
        taken += count
        return values
    } _: {
        MonteCarlo.Summary(mean: $0)
    }
    estimate.products = taken
    return estimate
}

/// Random sign vectors.
func signs(_ count: Int, _ matrix: some LinearOperator, _ stream: inout RandomStream) throws -> [Vector] {
    try (0..<count).map { _ in
        try Vector.rademacher(count: matrix.dimension, element: matrix.element, stream: &stream)
    }
}
