import Compute
import Curvature
import Networks

/// Rules that divide the gradient by the root of what they have seen of its square: θ ← θ − ηg/(√ν + ε), where with the current
/// gradient already in ν
/// - `rmsprop`: ν ← β₂ν + (1 − β₂)g², element by element, from 0 and without bias correction, as in PyTorch and, with ε = 0, in
///   central flows;
/// - `scalar_rmsprop`: the same with ‖g‖², one number for all parameters;
/// - `adagrad`: ν ← ν + g².
///
/// P = diag(√ν + ε), and the edge of λ_max(P^{−½}HP^{−½}) is 2/η. Where ν and ε are 0, and with them g, nothing moves.
public struct AdaptiveGradient: UpdateRule {
    public enum Kind: String, Sendable {
        case rmsprop
        case scalarRMSProp = "scalar_rmsprop"
        case adagrad
    }

    public var learningRate: Double
    public let kind: Kind
    /// β₂; of no meaning for `adagrad`.
    public let factor: Double
    /// ε.
    public let epsilon: Double
    private var squares: Vector?
    private var update: ElementwiseUpdate?
    private var square: Double?

    /// - Parameter epsilon: by default that of PyTorch: 1e-8, `adagrad` 1e-10.
    /// - Throws: `UpdateRuleError` unless 0 ≤ β₂ < 1 and ε ≥ 0.
    public init(learningRate: Double, kind: Kind, factor: Double = 0.99, epsilon: Double? = nil) throws {
        self.learningRate = learningRate
        self.kind = kind
        self.factor = try Setting.share(factor, "beta2", of: kind.rawValue)
        self.epsilon = try Setting.nonNegative(epsilon ?? (kind == .adagrad ? 1e-10 : 1e-8), "eps", of: kind.rawValue)
    }

    public var name: String { kind.rawValue }

    public var settings: [(name: String, value: Double)] {
        [("lr", learningRate)] + (kind == .adagrad ? [] : [("beta2", factor)]) + [("eps", epsilon)]
    }

    /// ν ← keep·ν + add·g².
    private var weights: (keep: Double, add: Double) { kind == .adagrad ? (1, 1) : (factor, 1 - factor) }

    public mutating func step(_ theta: inout Vector, _ batch: StepOracle) throws -> Double {
        let (loss, gradient) = try batch.gradient(at: theta)
        let (keep, add) = weights
        let (rate, epsilon) = (learningRate, epsilon)
        if kind == .scalarRMSProp {
            let now = keep * (square ?? 0) + add * gradient.squaredNorm
            let root = now.squareRoot() + epsilon
            if root != 0 { try theta.add(-rate / root, gradient) }
            square = now
            return loss
        }
        let update = try update.flatMap { $0.fits(theta) ? $0 : nil } ?? makeUpdate(like: theta)
        self.update = update
        var states = [try RuleState.take(&squares, like: theta, of: name)]
        defer { squares = states[0] }
        try update(&theta, &states, gradient: gradient, [rate, keep, add, epsilon])
        return loss
    }

    private func makeUpdate(like theta: Vector) throws -> ElementwiseUpdate {
        try ElementwiseUpdate(like: theta, states: 1, scalars: 4) { x in
            let (rate, keep, add, epsilon) = (x.scalars[0], x.scalars[1], x.scalars[2], x.scalars[3])
            let squares = try keep * x.states[0] + add * x.gradient * x.gradient
            let step = try x.gradient.quotient(by: squares.sqrt() + epsilon)
            return [try x.theta - rate * step, squares]
        }
    }

    public var hasPreconditioner: Bool { true }

    public func preconditioner(after gradient: Vector?) throws -> Preconditioner? {
        let (keep, add) = weights
        let epsilon = epsilon
        if kind == .scalarRMSProp {
            guard square != nil || gradient != nil else { throw UpdateRuleError.noGradientYet(rule: name) }
            let nu = square ?? 0
            let root = (gradient.map { keep * nu + add * $0.squaredNorm } ?? nu).squareRoot() + epsilon
            guard root > 0 else { throw UpdateRuleError.notPositive(rule: name, count: 1) }
            return .scalar(root)
        }
        return .diagonal(
            try RuleState.roots(
                of: squares, after: gradient, rule: name,
                enter: { nu, g in nu = keep * nu + add * g * g }, finish: { nu in nu = nu.squareRoot() + epsilon }))
    }

    public func edge(of quantity: EdgeQuantity, on batch: BatchExtent) -> StabilityEdge? {
        switch quantity {
        case .preconditionedLambdaMax: StabilityEdge(2 / learningRate)
        case .effectiveSharpness: StabilityEdge(2)
        default: nil
        }
    }
}
