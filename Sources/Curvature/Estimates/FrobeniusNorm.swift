import Compute
import Objectives

/// ‖A‖_F = √(Σ aᵢⱼ²), with its standard error.
///
/// ‖Az‖² has the expectation ‖A‖²_F for random signs z: Hutchinson's estimate of tr A². The norm is the root of the mean, and its error
/// that of the mean over twice the norm (the delta method); the root of n draws is too small by about error²/(2·norm), of order
/// 1/n. Where as many samples as A has rows would be taken, the norm is computed exactly instead: the standard error is 0 then.
///
/// - Parameters:
///   - samples: when to stop, by the error of the norm: each sample is a product.
///   - stream: the random vectors; `dimension` words a vector of signs.
/// - Throws: what the products throw.
public func frobeniusNorm(
    of matrix: some LinearOperator, samples: MonteCarlo, stream: inout RandomStream
) throws -> Estimate {
    // A square has twice the relative error of its root.
    let ofSquare = try MonteCarlo(
        relativeError: 2 * samples.relativeError, minSamples: samples.minSamples, maxSamples: samples.maxSamples,
        chunk: samples.chunk)
    if matrix.dimension <= ofSquare.certainSamples { return root(try exactSquare(of: matrix)) }
    return root(
        try meanOfDraws(matrix, ofSquare, exact: { try exactSquare(of: matrix) }) {
            try matrix.products(signs($0, matrix, &stream)).map(\.squaredNorm)
        })
}

/// ‖A‖²_F by the products with all unit vectors.
private func exactSquare(of matrix: some LinearOperator) throws -> Estimate {
    let watch = Stopwatch()
    var sum = 0.0
    try forEachUnitBlock(of: matrix) { _, block in
        sum += try matrix.products(block).reduce(0) { $0 + $1.squaredNorm }
    }
    return Estimate(
        value: sum, standardError: 0, samples: matrix.dimension, products: matrix.dimension, seconds: watch.seconds)
}

/// To first order the root of a mean is a mean too: that of draws as skewed.
private func root(_ square: Estimate) -> Estimate {
    var result = square
    result.value = square.value.squareRoot()
    DrawCourse.current?.follow(from: square.value) { $0.squareRoot() }
    if square.standardError != 0 { result.standardError = square.standardError / (2 * result.value) }
    return result
}
