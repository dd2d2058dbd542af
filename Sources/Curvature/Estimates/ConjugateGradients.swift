import Compute
import Graph
import Objectives

/// x with (A + δI)x ≈ b, and how well.
public struct LinearSolution: Sendable {
    public let x: Vector
    /// ‖b − (A + δI)x‖/‖b‖, from a product with this x; 0 for b = 0. Where the solve was cancelled, that of the recursion, which drifts
    /// from it by rounding.
    public let residual: Double
    /// Matrix–vector products used.
    public let products: Int
    /// Whether the residual meets the tolerance.
    public let converged: Bool
    /// Whether it does not because rounding keeps it from falling: more products would not help, f64 or more damping would.
    public let stagnated: Bool
    /// False where it was cancelled (`Cancellation.keepsUnfinished`): x is where the iterations stood.
    public let isFinished: Bool
    /// Wall-clock time, seconds.
    public let seconds: Double

    public init(
        x: Vector, residual: Double, products: Int, converged: Bool, stagnated: Bool, isFinished: Bool = true,
        seconds: Double
    ) {
        self.x = x
        self.residual = residual
        self.products = products
        self.converged = converged
        self.stagnated = stagnated
        self.isFinished = isFinished
        self.seconds = seconds
    }
}

/// Solves (A + δI)x = b by conjugate gradients, for a symmetric A such that A + δI is positive definite.
///
/// The residual that the recursion carries drifts from the true one by rounding. So it is computed anew when it says that
/// the tolerance is met; if the true one does not meet it, iterations go on from there, until that stops helping. After
/// n products the error in the norm of A + δI is at most 2((√κ − 1)/(√κ + 1))ⁿ of that at the start, κ the ratio of the
/// largest to the smallest eigenvalue (of the preconditioned matrix). Hestenes & Stiefel 1952.
///
/// - Parameters:
///   - damping: δ.
///   - tolerance: the residual to reach, relative to ‖b‖.
///   - start: where to begin; by default 0. One near the solution saves products.
///   - preconditioner: a diagonal matrix like A + δI: iterations run on P^{−½}(A + δI)P^{−½}, whose κ should be smaller. The
///     residual stays that of the original.
///   - maxProducts: where to give up.
/// - Throws: ``CurvatureError/negativeCurvature(_:damping:)`` when a direction shows that A + δI is not positive definite:
///   what conjugate gradients give then is no solution. ``CurvatureError`` for vectors of another space, values that are
///   not finite, and a tolerance that is not positive; what the products throw, but `Cancelled` where there is something to keep.
public func solve(
    _ matrix: some LinearOperator, _ b: Vector, damping: Double = 0, tolerance: Double = 1e-5, start: Vector? = nil,
    preconditioner: Preconditioner? = nil, maxProducts: Int = 1000
) throws -> LinearSolution {
    let watch = Stopwatch()
    try check(b, fits: matrix)
    if let start { try check(start, fits: matrix) }
    guard tolerance > 0 else { throw CurvatureError.badSetting("the tolerance must be positive, not \(tolerance)") }
    guard damping.isFinite else { throw CurvatureError.badSetting("the damping must be finite, not \(damping)") }
    guard maxProducts >= 1 else { throw CurvatureError.badSetting("max_products must be at least 1") }
    let size = b.norm()
    guard size.isFinite else { throw CurvatureError.notFinite(what: "the right-hand side") }
    if let start, !start.isFinite { throw CurvatureError.notFinite(what: "the start vector") }

    let inverse = try preconditioner?.factors(power: -1, dimension: matrix.dimension, element: matrix.element)
    var iteration = ConjugateGradients(
        x: try start ?? Vector(zeros: b.count, element: b.element), damping: damping, inverse: inverse)
    func solution(_ residual: Double, stagnated: Bool = false, isFinished: Bool = true) -> LinearSolution {
        LinearSolution(
            x: iteration.x, residual: size == 0 ? 0 : residual / size, products: iteration.products,
            converged: isFinished && residual <= tolerance * size, stagnated: stagnated, isFinished: isFinished,
            seconds: watch.seconds)
    }
    if size == 0 {
        iteration.x = try Vector(zeros: b.count, element: b.element)
        return solution(0)
    }
    var best = Double.infinity
    while true {
        guard let residual = try unlessCancelled({ try iteration.restart(matrix, b) }) else {
            // Before the first iteration there is nothing but the start.
            guard best.isFinite else { throw Cancelled() }
            return solution(iteration.recursiveResidual, isFinished: false)
        }
        if residual <= tolerance * size { return solution(residual) }
        // A restart has to gain something on the one before, or rounding has the last word.
        if residual > 0.5 * best { return solution(residual, stagnated: true) }
        best = residual
        let before = iteration.products
        // One product is kept for the true residual.
        while iteration.recursiveResidual > tolerance * size, iteration.products < maxProducts - 1 {
            guard try unlessCancelled({ try iteration.step(matrix) }) != nil else {
                return solution(iteration.recursiveResidual, isFinished: false)
            }
        }
        if iteration.products >= maxProducts - 1 {
            let isUnchanged = iteration.products == before
            let last = isUnchanged ? residual : try unlessCancelled { try iteration.restart(matrix, b) }
            return solution(last ?? iteration.recursiveResidual, isFinished: last != nil)
        }
    }
}

/// The state of the recursion.
private struct ConjugateGradients {
    var x: Vector
    let damping: Double
    /// P⁻¹.
    let inverse: DiagonalFactors?
    private(set) var products = 0
    private var residual: Vector
    private var direction: Vector
    /// ⟨r, P⁻¹r⟩.
    private var square = 0.0
    /// The largest dᵀ(A + δI)d/‖d‖² met: a curvature is 0 to rounding relative to it.
    private var largestCurvature = 0.0
    private(set) var recursiveResidual = Double.infinity

    init(x: Vector, damping: Double, inverse: DiagonalFactors?) {
        self.x = x
        self.damping = damping
        self.inverse = inverse
        residual = x
        direction = x
    }

    private mutating func damped(_ matrix: some LinearOperator, _ v: Vector) throws -> Vector {
        guard var product = try matrix.products([v]).first else {
            throw CurvatureError.wrongBlock(expected: 1, got: 0)
        }
        products += 1
        if damping != 0 { try product.add(damping, v) }
        guard product.isFinite else { throw CurvatureError.notFinite(what: "a product of the operator") }
        return product
    }

    /// Begins anew at x with the true residual.
    ///
    /// - Returns: its norm.
    mutating func restart(_ matrix: some LinearOperator, _ b: Vector) throws -> Double {
        let product = x.squaredNorm > 0 ? try damped(matrix, x) : nil
        residual = b
        if let product { try residual.add(-1, product) }
        direction = try inverse?.times(residual) ?? residual
        square = try residual.dot(direction)
        recursiveResidual = residual.norm()
        return recursiveResidual
    }

    mutating func step(_ matrix: some LinearOperator) throws {
        let product = try damped(matrix, direction)
        let length = direction.squaredNorm
        let curvature = try direction.dot(product) / length
        largestCurvature = max(largestCurvature, abs(curvature))
        guard curvature > Roundoff.curvature(x.element) * largestCurvature, length > 0 else {
            throw CurvatureError.negativeCurvature(curvature, damping: damping)
        }
        let step = square / (curvature * length)
        try x.add(step, direction)
        try residual.add(-step, product)
        let next = try inverse?.times(residual) ?? residual
        let new = try residual.dot(next)
        try direction.scale(new / square)
        try direction.add(1, next)
        square = new
        recursiveResidual = residual.norm()
    }
}
