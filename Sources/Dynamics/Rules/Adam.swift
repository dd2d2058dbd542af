import Compute
import Curvature
import Foundation
import Networks

/// m ← β₁m + (1 − β₁)g, ν ← β₂ν + (1 − β₂)g², θ ← (1 − ηω)θ − η m̂/(√ν̂ + ε) with m̂ = m/(1 − β₁ᵗ), ν̂ = ν/(1 − β₂ᵗ): Adam
/// (Kingma & Ba 2015) for ω = 0, AdamW (Loshchilov & Hutter 2019) with decoupled weight decay ω. As in PyTorch.
///
/// P = (1 − β₁ᵗ) diag(√ν̂ + ε), and the edge of λ_max(P^{−½}HP^{−½}) is (2 + 2β₁)/((1 − β₁)η) (Cohen et al. 2022). On a quadratic
/// with curvature λ the step is θ ← (1 − ηω)θ − ηm, m ← β₁m + (1 − β₁)λθ, which has the eigenvalue −1 where
/// λ = (1 + β₁)(2 − ηω)/((1 − β₁)η): the edge with decay.
public struct Adam: UpdateRule {
    public var learningRate: Double
    /// β₁.
    public let momentumFactor: Double
    /// β₂.
    public let squareFactor: Double
    /// ε.
    public let epsilon: Double
    /// ω; nil for Adam.
    public let weightDecay: Double?
    /// m and ν.
    private var mean: Vector?
    private var squares: Vector?
    private var update: ElementwiseUpdate?
    /// t.
    private var steps = 0

    /// - Parameter weightDecay: nil for `adam`, else that of `adamw`.
    /// - Throws: `UpdateRuleError` unless 0 ≤ β₁, β₂ < 1, ε ≥ 0 and ω ≥ 0.
    public init(
        learningRate: Double, momentumFactor: Double = 0.9, squareFactor: Double = 0.999, epsilon: Double = 1e-8,
        weightDecay: Double? = nil
    ) throws {
        let name = weightDecay == nil ? "adam" : "adamw"
        self.learningRate = learningRate
        self.momentumFactor = try Setting.share(momentumFactor, "beta1", of: name)
        self.squareFactor = try Setting.share(squareFactor, "beta2", of: name)
        self.epsilon = try Setting.nonNegative(epsilon, "eps", of: name)
        self.weightDecay = try weightDecay.map { try Setting.nonNegative($0, "weight_decay", of: name) }
    }

    public var name: String { weightDecay == nil ? "adam" : "adamw" }

    public var settings: [(name: String, value: Double)] {
        [("lr", learningRate), ("beta1", momentumFactor), ("beta2", squareFactor), ("eps", epsilon)]
            + (weightDecay.map { [("weight_decay", $0)] } ?? [])
    }

    public mutating func step(_ theta: inout Vector, _ batch: StepOracle) throws -> Double {
        let (loss, gradient) = try batch.gradient(at: theta)
        let update = try update.flatMap { $0.fits(theta) ? $0 : nil } ?? makeUpdate(like: theta)
        self.update = update
        var states = [
            try RuleState.take(&mean, like: theta, of: name), try RuleState.take(&squares, like: theta, of: name),
        ]
        defer { (mean, squares) = (states[0], states[1]) }
        let t = Double(steps + 1)
        let rate = learningRate / (1 - pow(momentumFactor, t))
        let correction = 1 / (1 - pow(squareFactor, t)).squareRoot()
        let kept = 1 - learningRate * (weightDecay ?? 0)
        try update(
            &theta, &states, gradient: gradient,
            [
                rate, kept, correction, epsilon, momentumFactor, 1 - momentumFactor, squareFactor, 1 - squareFactor,
            ])
        steps += 1
        return loss
    }

    private func makeUpdate(like theta: Vector) throws -> ElementwiseUpdate {
        try ElementwiseUpdate(like: theta, states: 2, scalars: 8) { x in
            let (rate, kept, correction, epsilon) = (x.scalars[0], x.scalars[1], x.scalars[2], x.scalars[3])
            let mean = try x.scalars[4] * x.states[0] + x.scalars[5] * x.gradient
            let squares = try x.scalars[6] * x.states[1] + x.scalars[7] * x.gradient * x.gradient
            let step = try mean.quotient(by: correction * squares.sqrt() + epsilon)
            return [try kept * x.theta - rate * step, mean, squares]
        }
    }

    public var hasPreconditioner: Bool { true }

    public func preconditioner(after gradient: Vector?) throws -> Preconditioner? {
        let t = Double(steps + (gradient == nil ? 0 : 1))
        let (beta2, epsilon) = (squareFactor, epsilon)
        let scale = 1 - pow(momentumFactor, t)
        let correction = (1 - pow(beta2, t)).squareRoot()
        return .diagonal(
            try RuleState.roots(
                of: squares, after: gradient, rule: name,
                enter: { nu, g in nu = beta2 * nu + (1 - beta2) * g * g },
                finish: { nu in nu = scale * (nu.squareRoot() / correction + epsilon) }))
    }

    public func edge(of quantity: EdgeQuantity, on batch: BatchExtent) -> StabilityEdge? {
        let effective = (1 + momentumFactor) * (2 - learningRate * (weightDecay ?? 0)) / (1 - momentumFactor)
        switch quantity {
        case .preconditionedLambdaMax: return StabilityEdge(effective / learningRate)
        case .effectiveSharpness: return StabilityEdge(effective)
        default: return nil
        }
    }
}
