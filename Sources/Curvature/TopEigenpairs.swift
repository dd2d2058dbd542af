import Compute
import Graph

/// Eigenvalues with their eigenvectors, algebraically largest first, and what is known of their errors.
public struct Eigenpairs: Sendable {
    /// Rayleigh quotients: never above the true eigenvalue of their rank, but for rounding.
    public let values: [Double]
    /// Orthonormal, each with the sign that continues the warm start.
    public let vectors: [Vector]
    /// ‖Av − λv‖. An eigenvalue lies within this of the value.
    public let residuals: [Double]
    /// Matrix–vector products used.
    public let products: Int
    /// Whether every pair meets the tolerance; false where the products ran out.
    public let converged: Bool
    /// Wall-clock time, seconds.
    public let seconds: Double
    /// What to hand to the next solve along a run as its warm start: k vectors that hold, beside the eigenvectors, the
    /// runners-up, so that an eigenvalue that overtakes is noticed.
    public let warmStart: [Vector]
}

/// The k algebraically largest eigenvalues of a symmetric operator, with eigenvectors.
///
/// Block Lanczos with thick restart and full reorthogonalisation (Wu and Simon 2000), the block as large as k, so that
/// eigenvalues of multiplicity up to k are found with their multiplicity. It starts from the warm start plus a random
/// component of 0.3 of its length, which makes it likely that no eigenvector is missed; a residual alone certifies an
/// eigenvalue, not that it is the largest.
///
/// A pair is converged when its residual is at most `tolerance`·max(|θ|, 0.01‖A‖).
///
/// - Parameters:
///   - k: how many, 1 to the dimension.
///   - tolerance: the relative error of the eigenvalues aimed at. Below about 10⁻⁶ (f32) it cannot be met.
///   - warmStart: ``Eigenpairs/warmStart`` of a solve nearby, eigenvectors, or nothing; fewer than k are filled up with
///     random vectors, more are mixed in.
///   - stream: random numbers, `k·dimension` of them.
///   - maxProducts: where to give up.
/// - Throws: ``CurvatureError`` for an impossible k or a product that is not finite; what the products throw;
///   `MemoryError` where the basis (about `max(4k, 32)` vectors at most) does not fit.
public func topEigenpairs(
    of matrix: some LinearOperator, k: Int = 1, tolerance: Double = 0.01, warmStart: [Vector] = [],
    stream: inout RandomStream, maxProducts: Int = 1000
) throws -> Eigenpairs {
    let watch = Stopwatch()
    guard k >= 1, k <= matrix.dimension else {
        throw CurvatureError.impossibleCount(k: k, dimension: matrix.dimension)
    }
    guard tolerance > 0 else { throw CurvatureError.badSetting("the tolerance must be positive, not \(tolerance)") }

    let start = try startBlock(matrix, k: k, warmStart: warmStart, stream: &stream)
    var basis = try KrylovBasis(start: start, dimension: matrix.dimension, element: matrix.element)
    let largestBasis = max(4 * k, 32)
    while true {
        try basis.extend(by: matrix)
        let ritz = DenseEigen(symmetric: basis.projected)
        let residuals = basis.residuals(of: ritz, count: ritz.values.count)
        let converged =
            ritz.values.count >= k
            && (0..<k).allSatisfy { isConverged($0, ritz.values, residuals, tolerance: tolerance) }
        // An empty next block means an invariant subspace: with k random directions in the start it holds the top k.
        if converged || basis.next.isEmpty || basis.products + basis.next.count > maxProducts {
            return try eigenpairs(basis, ritz, residuals, k, converged: converged, warmStart, watch)
        }
        if basis.vectors.count + basis.next.count > largestBasis {
            try basis.restart(keeping: ritz, count: min(ritz.values.count - 1, k + (largestBasis - k) / 3))
        }
    }
}

/// How much of a start vector is random, relative to the warm start in it.
private let randomPart = 0.3

/// How many Ritz vectors beyond the first k go into ``Eigenpairs/warmStart``.
private let runnersUp = 5

private func startBlock(
    _ matrix: some LinearOperator, k: Int, warmStart: [Vector], stream: inout RandomStream
) throws -> [Vector] {
    for w in warmStart where w.count != matrix.dimension {
        throw CurvatureError.wrongDimension(expected: matrix.dimension, got: w.count)
    }
    var block = try (0..<k).map { _ in
        var random = try Vector.randomNormal(count: matrix.dimension, element: matrix.element, stream: &stream)
        let length = random.norm()
        if length > 0 { try random.scale(1 / length) }
        return random
    }
    var isWarm = Array(repeating: false, count: k)
    for (i, w) in warmStart.enumerated() {
        // A vector without a direction is no warm start: that place stays random.
        let length = w.norm()
        guard length > 0, length.isFinite else { continue }
        let j = i % k
        if !isWarm[j] { try block[j].scale(randomPart) }
        isWarm[j] = true
        try block[j].add(1 / length, w.converted(to: matrix.element))
    }
    return block
}

/// Whether Ritz value i is known to the tolerance; see ``topEigenpairs(of:k:tolerance:warmStart:stream:maxProducts:)``.
private func isConverged(_ i: Int, _ values: [Double], _ residuals: [Double], tolerance: Double) -> Bool {
    let norm = values.reduce(0) { max($0, abs($1)) }
    return residuals[i] <= tolerance * max(abs(values[i]), 0.01 * norm)
}

private func eigenpairs(
    _ basis: KrylovBasis, _ ritz: DenseEigen, _ residuals: [Double], _ k: Int, converged: Bool, _ previous: [Vector],
    _ watch: Stopwatch
) throws -> Eigenpairs {
    let count = min(k, ritz.values.count)
    var coefficients = ritz.vectors.prefix(columns: min(count + runnersUp, ritz.values.count))
    let found = try VectorBlock.combinations(basis.vectors, coefficients.prefix(columns: count))
    var vectors: [Vector] = []
    for (j, var vector) in found.enumerated() {
        if try continuesReversed(vector, previous) {
            try vector.scale(-1)
            for i in 0..<coefficients.rows { coefficients[i, j] = -coefficients[i, j] }
        }
        vectors.append(vector)
    }
    // Eigenvectors and runners-up with equal weight: the runners-up are dealt out over the k vectors in turn.
    var mix = DenseMatrix(zeros: coefficients.columns, count)
    for i in 0..<coefficients.columns { mix[i, i % count] = 1 }
    let warmStart = try VectorBlock.combinations(basis.vectors, coefficients.times(mix))
    return Eigenpairs(
        values: Array(ritz.values.prefix(count)), vectors: vectors, residuals: Array(residuals.prefix(count)),
        products: basis.products, converged: converged, seconds: watch.seconds, warmStart: warmStart)
}

/// Whether the vector points against the one of the warm start that is most parallel to it.
private func continuesReversed(_ vector: Vector, _ previous: [Vector]) throws -> Bool {
    let overlaps = try previous.map { try vector.dot($0.converted(to: vector.element)) }
    guard let most = overlaps.max(by: { abs($0) < abs($1) }) else { return false }
    return most < 0
}

extension DenseMatrix {
    /// The matrix product.
    func times(_ other: DenseMatrix) -> DenseMatrix {
        var result = DenseMatrix(zeros: rows, other.columns)
        for j in 0..<other.columns {
            for l in 0..<columns {
                let factor = other[l, j]
                for i in 0..<rows { result[i, j] += self[i, l] * factor }
            }
        }
        return result
    }
}
