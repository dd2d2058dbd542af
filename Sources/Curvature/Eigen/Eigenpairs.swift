import Compute
import Graph

/// Eigenvalues with their eigenvectors, in the order asked for, and what is known of their errors.
public struct Eigenpairs: Sendable {
    /// Rayleigh quotients: never beyond the true eigenvalue of their rank, but for rounding.
    public internal(set) var values: [Double]
    /// Orthonormal, each with the sign that continues the warm start.
    public let vectors: [Vector]
    /// ‖Av − λv‖. An eigenvalue lies within this of the value.
    public let residuals: [Double]
    /// Matrix–vector products used.
    public let products: Int
    /// Whether every pair meets the tolerance; false where the products ran out, or rounding does not allow it.
    public let converged: Bool
    /// If there were an eigenvalue more than 20 % (from a warm start 30 %) beyond the first value: at most how likely it was
    /// that the random part of the start does not show it (a p-value). Beyond the last value for more values than the
    /// solver's block is wide; 10 % (15 %) above a threshold. Counts on nothing that the warm start knew.
    public let missProbability: Double
    /// Wall-clock time, seconds.
    public let seconds: Double
    /// What to hand to the next solve along a run as its warm start: as many vectors as values, that hold, beside the
    /// eigenvectors, the runners-up, so that an eigenvalue that overtakes is noticed.
    public let warmStart: [Vector]
    /// Which solver found them: ``EigenSolver/lanczos`` or ``EigenSolver/lobpcg``.
    public let solver: EigenSolver
    /// False where more eigenvalues lie above a threshold than were to be returned; true otherwise.
    public let isComplete: Bool
    /// False where it was cancelled (`Cancellation.keepsUnfinished`): what the products until then have found.
    public let isFinished: Bool
}

/// How eigenpairs are found.
public enum EigenSolver: String, CaseIterable, Sendable {
    /// Whichever costs less: see ``topEigenpairs(of:k:tolerance:warmStart:solver:preconditioner:stream:maxProducts:)``.
    case automatic
    /// Block Lanczos with thick restart and full reorthogonalisation: fewest products, and a basis in memory.
    case lanczos
    /// Locally optimal block preconditioned conjugate gradients: nine vectors for each eigenvector, whatever the
    /// number of products.
    case lobpcg
}

/// The k algebraically largest eigenvalues of a symmetric operator, largest first, with eigenvectors.
///
/// A pair (θ, v) counts as known when two things hold.
///
/// Its residual r = ‖Av − θv‖ is small: r ≤ `tolerance`·s from a cold start, s = max(|θ|, 0.01‖A‖). From a warm start
/// r ≤ 2·`tolerance`·s will do, because θ has an error of second order, r²/gap, where the gap to the next eigenvalue
/// allows to say so.
///
/// And nothing was overlooked, for a residual certifies an eigenvalue, not that it is the largest: every start has a
/// random component, and what the products have shown of it excludes an eigenvalue above 1.2 θ with 95 % from a cold
/// start. From a warm one, whose predecessors have looked already, it excludes one above 1.3 θ with 50 %: what one solve
/// misses, the next ones see.
/// The constants are measured, see `docs/decisions/eigenpairs.md`.
///
/// - Parameters:
///   - k: how many, 1 to the dimension.
///   - tolerance: the relative error of the eigenvalues aimed at. Below about 10⁻⁶ (f32) it cannot be met: the solver
///     stops where rounding stops it, and says with true residuals and ``Eigenpairs/converged`` that it did.
///   - warmStart: ``Eigenpairs/warmStart`` of a solve nearby, eigenvectors, or nothing; fewer than k are filled up with
///     random vectors, more are mixed in.
///   - solver: `.automatic` takes Lanczos, which needs the fewest products and the least work on vectors, unless its basis
///     does not fit into half of the memory limit (`MemoryAccount.shared`), and LOBPCG where there is a preconditioner.
///   - preconditioner: a product with a positive definite matrix, about (σI − A)⁻¹ for some σ above the eigenvalues
///     wanted, for LOBPCG. What it makes of an unseen eigenvector is not known, so residuals alone decide when to stop, and
///     ``Eigenpairs/missProbability`` is 1.
///   - stream: random numbers, at most `k·dimension` of them for the start and more where eigenvalues are multiple.
///   - maxProducts: where to give up; one block is always taken.
/// - Throws: ``CurvatureError`` for an impossible k or a product that is not finite; what the products throw;
///   `MemoryError` where the basis (`max(4k, 32)` vectors at most, `2k + 16` for k above 8) does not fit.
public func topEigenpairs(
    of matrix: some LinearOperator, k: Int = 1, tolerance: Double = 0.01, warmStart: [Vector] = [],
    solver: EigenSolver = .automatic, preconditioner: ((Vector) throws -> Vector)? = nil,
    stream: inout RandomStream, maxProducts: Int = 1000
) throws -> Eigenpairs {
    try EigenProblem(matrix, .largest(k), tolerance: tolerance, warmStart: warmStart, maxProducts: maxProducts)
        .solve(by: solver, preconditioner, &stream)
}

/// The k algebraically smallest eigenvalues of a symmetric operator, smallest first, with eigenvectors.
///
/// The largest ones of −A: parameters, errors and promises are those of
/// ``topEigenpairs(of:k:tolerance:warmStart:solver:preconditioner:stream:maxProducts:)``. A preconditioner is about
/// (A − σI)⁻¹ for some σ below the eigenvalues wanted: the inverse of A's diagonal, where A is positive definite.
public func bottomEigenpairs(
    of matrix: some LinearOperator, k: Int = 1, tolerance: Double = 0.01, warmStart: [Vector] = [],
    solver: EigenSolver = .automatic, preconditioner: ((Vector) throws -> Vector)? = nil,
    stream: inout RandomStream, maxProducts: Int = 1000
) throws -> Eigenpairs {
    var pairs = try topEigenpairs(
        of: NegatedOperator(matrix: matrix), k: k, tolerance: tolerance, warmStart: warmStart, solver: solver,
        preconditioner: preconditioner, stream: &stream, maxProducts: maxProducts)
    pairs.values = pairs.values.map { 0 - $0 }
    return pairs
}

/// All eigenvalues of a symmetric operator above a threshold, largest first, with eigenvectors; there may be none.
///
/// One Krylov space that grows until everything in it that may lie above the threshold has converged, and until what
/// the products have shown of its random start excludes another eigenvalue more than 10 % above the threshold with
/// 95 % (from a warm start: more than 15 % above it with 50 %).
///
/// - Parameters:
///   - threshold: eigenvalues above it are returned. Whether one within `tolerance` of it lies above is up to rounding.
///   - tolerance: the relative error of the eigenvalues aimed at.
///   - warmStart: ``Eigenpairs/warmStart`` of a solve nearby, or nothing.
///   - stream: random numbers.
///   - maxProducts: where to give up: ``Eigenpairs/converged`` is then false.
///   - atMost: the most pairs to return. Where there are more, these are the largest, and
///     ``Eigenpairs/isComplete`` is false.
/// - Throws: ``CurvatureError`` for settings without meaning or a product that is not finite; what the products throw;
///   `MemoryError` where the basis (twice as many vectors as are found, at least 32) does not fit.
public func eigenpairs(
    of matrix: some LinearOperator, above threshold: Double, tolerance: Double = 0.01, warmStart: [Vector] = [],
    stream: inout RandomStream, maxProducts: Int = 1000, atMost: Int = 100
) throws -> Eigenpairs {
    guard threshold.isFinite else {
        throw CurvatureError.badSetting("the threshold must be a finite number, not \(threshold)")
    }
    guard atMost >= 1 else {
        throw CurvatureError.badSetting("at most \(atMost) eigenpairs asked: ask for 1 or more")
    }
    return try EigenProblem(
        matrix, .above(threshold, atMost: min(atMost, matrix.dimension)), tolerance: tolerance, warmStart: warmStart,
        maxProducts: maxProducts
    ).solve(by: .lanczos, nil, &stream)
}

/// The eigenvalue of largest magnitude of a symmetric operator, with its sign: its magnitude is the operator norm.
///
/// One Krylov space serves both ends of the spectrum. Parameters, errors and promises are those of
/// ``topEigenpairs(of:k:tolerance:warmStart:solver:preconditioner:stream:maxProducts:)``; an eigenvalue beyond 1.2 |θ| (1.3 |θ|) is
/// excluded at both ends.
public func largestMagnitude(
    of matrix: some LinearOperator, tolerance: Double = 0.01, warmStart: [Vector] = [],
    solver: EigenSolver = .automatic, stream: inout RandomStream, maxProducts: Int = 1000
) throws -> Eigenpairs {
    try EigenProblem(matrix, .magnitude, tolerance: tolerance, warmStart: warmStart, maxProducts: maxProducts)
        .solve(by: solver, nil, &stream)
}

/// −A.
private struct NegatedOperator: LinearOperator {
    let matrix: any LinearOperator
    var dimension: Int { matrix.dimension }
    var element: ElementType { matrix.element }

    func apply(_ v: Vector) throws -> Vector { try -matrix.apply(v) }

    func apply(block: [Vector]) throws -> [Vector] {
        var products = try matrix.apply(block: block)
        for i in products.indices { try products[i].scale(-1) }
        return products
    }
}
