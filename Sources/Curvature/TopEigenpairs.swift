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
    /// If there were an eigenvalue more than 20 % above the first value: at most how likely it was that the random part
    /// of the start does not show it (a p-value). Counts on nothing that the warm start knew.
    public let missProbability: Double
    /// Wall-clock time, seconds.
    public let seconds: Double
    /// What to hand to the next solve along a run as its warm start: k vectors that hold, beside the eigenvectors, the
    /// runners-up, so that an eigenvalue that overtakes is noticed.
    public let warmStart: [Vector]
}

/// The k algebraically largest eigenvalues of a symmetric operator, with eigenvectors.
///
/// Block Lanczos with thick restart and full reorthogonalisation (Wu and Simon 2000). The block is as large as k, so
/// eigenvalues of multiplicity up to k come with their multiplicity. A pair (θ, v) counts as known when two things hold.
///
/// Its residual r = ‖Av − θv‖ is small: r ≤ `tolerance`·s from a cold start, s = max(|θ|, 0.01‖A‖). From a warm start
/// r ≤ 3·`tolerance`·s will do, because θ has an error of second order, r²/gap, where the gap to the next eigenvalue
/// allows to say so.
///
/// And nothing was overlooked, for a residual certifies an eigenvalue, not that it is the largest: every start has a
/// random component, and what the products have shown of it excludes an eigenvalue above 1.2 θ with 95 % from a cold
/// start, with 50 % from a warm one, whose predecessors have looked already: what one solve misses, the next ones see.
/// The constants are measured, see `docs/decisions/eigenpairs.md`.
///
/// - Parameters:
///   - k: how many, 1 to the dimension.
///   - tolerance: the relative error of the eigenvalues aimed at. Below about 10⁻⁶ (f32) it cannot be met.
///   - warmStart: ``Eigenpairs/warmStart`` of a solve nearby, eigenvectors, or nothing; fewer than k are filled up with
///     random vectors, more are mixed in.
///   - stream: random numbers, `k·dimension` of them.
///   - maxProducts: where to give up; one block is always taken.
/// - Throws: ``CurvatureError`` for an impossible k or a product that is not finite; what the products throw;
///   `MemoryError` where the basis (`max(4k, 32)` vectors at most, and k products) does not fit.
public func topEigenpairs(
    of matrix: some LinearOperator, k: Int = 1, tolerance: Double = 0.01, warmStart: [Vector] = [],
    stream: inout RandomStream, maxProducts: Int = 1000
) throws -> Eigenpairs {
    let watch = Stopwatch()
    guard k >= 1, k <= matrix.dimension else {
        throw CurvatureError.impossibleCount(k: k, dimension: matrix.dimension)
    }
    guard tolerance > 0 else { throw CurvatureError.badSetting("the tolerance must be positive, not \(tolerance)") }

    let start = try EigenStart(matrix, k: k, warmStart: warmStart, stream: &stream)
    var basis = try KrylovBasis(start: start.block, dimension: matrix.dimension, element: matrix.element)
    let largestBasis = max(4 * k, 32)
    var miss = 1.0
    var restarted = false
    while true {
        try basis.extend(by: matrix)
        let ritz = DenseEigen(symmetric: basis.projected)
        let residuals = basis.residuals(of: ritz, count: ritz.values.count)
        miss = start.missProbability(basis, ritz) ?? miss
        // A restart ends what can be said of the start; by then it has had at least 32 products to show itself.
        let explored = restarted || miss <= start.allowedMiss
        let known = (0..<min(k, ritz.values.count)).allSatisfy {
            residuals[$0] <= tolerance * start.residualFactor * scale($0, ritz.values)
        }
        if ritz.values.count >= k {
            // Without a next block the basis spans an invariant subspace, and all it knows is exact.
            let exhausted = basis.next.isEmpty || basis.products + basis.next.count > maxProducts
            if known && explored || exhausted {
                return try eigenpairs(
                    basis, ritz, residuals, k, converged: known && explored, miss: miss, warmStart, watch)
            }
        } else if basis.next.isEmpty {
            try basis.refill(count: k - ritz.values.count, element: matrix.element, stream: &stream)
        }
        if basis.vectors.count + basis.next.count > largestBasis {
            restarted = true
            try basis.restart(keeping: ritz, count: min(ritz.values.count - 1, k + (largestBasis - k) / 3))
        }
    }
}

/// What residuals and distances of eigenvalue i are compared with: its size, or a hundredth of the norm of A where it is
/// smaller than that, because relative accuracy of an eigenvalue near 0 means nothing.
private func scale(_ i: Int, _ values: [Double]) -> Double {
    max(abs(values[i]), 0.01 * values.reduce(0) { max($0, abs($1)) })
}

/// The start of a solve, and how much it must be shown to be worth.
private struct EigenStart {
    /// k vectors.
    let block: [Vector]
    /// The random part of each start vector of length 1.
    private let randomShares: [Double]
    private let dimension: Int

    /// Length of the random part beside a warm start of length 1.
    private static let randomPart = 1.0

    private var isWarm: Bool { randomShares.allSatisfy { $0 < 1 } }
    /// How likely an eigenvalue above the margin may have stayed unseen.
    var allowedMiss: Double { isWarm ? 0.5 : 0.05 }
    /// How large a residual may be, in tolerances.
    var residualFactor: Double { isWarm ? 3 : 1 }

    init(_ matrix: some LinearOperator, k: Int, warmStart: [Vector], stream: inout RandomStream) throws {
        for w in warmStart where w.count != matrix.dimension {
            throw CurvatureError.wrongDimension(expected: matrix.dimension, got: w.count)
        }
        var block = try (0..<k).map { _ in
            var random = try Vector.randomNormal(count: matrix.dimension, element: matrix.element, stream: &stream)
            let length = random.norm()
            if length > 0 { try random.scale(1 / length) }
            return random
        }
        var warm = [Vector?](repeating: nil, count: k)
        for (i, given) in warmStart.enumerated() {
            var w = try given.converted(to: matrix.element)
            // A vector without a direction is no warm start: that place stays random.
            let length = w.norm()
            guard length > 0, length.isFinite else { continue }
            try w.scale(1 / length)
            if var mix = warm[i % k] {
                try mix.add(1, w)
                warm[i % k] = mix
            } else {
                warm[i % k] = w
            }
        }
        var shares = [Double](repeating: 1, count: k)
        for j in 0..<k {
            guard let w = warm[j] else { continue }
            let length = w.norm()
            guard length > 0 else { continue }
            try block[j].scale(Self.randomPart)
            try block[j].add(1 / length, w)
            shares[j] = Self.randomPart / (1 + Self.randomPart * Self.randomPart).squareRoot()
        }
        self.block = block
        self.randomShares = shares
        self.dimension = matrix.dimension
    }

    /// ``Eigenpairs/missProbability``; nil after a restart.
    ///
    /// An eigenvector u of the eigenvalue in question has at most the inner products with the start vectors that the
    /// basis allows. The inner product of u with a random unit vector is normal with variance 1/p, and to stay within ±t
    /// it has probability at most t√(2p/π), wherever the warm part has moved its centre. The start vectors are
    /// independent.
    func missProbability(_ basis: KrylovBasis, _ ritz: DenseEigen) -> Double? {
        guard let top = ritz.values.first else { return nil }
        return basis.largestMissed(at: top + 0.2 * scale(0, ritz.values), ritz).map { largest in
            zip(largest, randomShares).reduce(1) { probability, column in
                probability * min(1, column.0 / column.1 * (2 * Double(dimension) / .pi).squareRoot())
            }
        }
    }
}

/// How many Ritz vectors beyond the first k go into ``Eigenpairs/warmStart``.
private let runnersUp = 5

private func eigenpairs(
    _ basis: KrylovBasis, _ ritz: DenseEigen, _ residuals: [Double], _ k: Int, converged: Bool, miss: Double,
    _ previous: [Vector], _ watch: Stopwatch
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
        products: basis.products, converged: converged, missProbability: miss, seconds: watch.seconds,
        warmStart: warmStart)
}

/// Whether the vector points against the one of the warm start that is most parallel to it.
private func continuesReversed(_ vector: Vector, _ previous: [Vector]) throws -> Bool {
    let overlaps = try previous.map { try vector.dot($0.converted(to: vector.element)) }
    guard let most = overlaps.max(by: { abs($0) < abs($1) }) else { return false }
    return most < 0
}
