import Compute
import Curvature
import Foundation

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
        var m = try Elementwise.state(&mean, like: theta, of: name)
        defer { mean = m }
        var nu = try Elementwise.state(&squares, like: theta, of: name)
        defer { squares = nu }
        let t = Double(steps + 1)
        let (beta1, beta2, epsilon) = (momentumFactor, squareFactor, epsilon)
        let rate = learningRate / (1 - pow(beta1, t))
        let correction = (1 - pow(beta2, t)).squareRoot()
        let kept = 1 - learningRate * (weightDecay ?? 0)
        try Elementwise.update(&theta, &m, &nu, with: gradient) { theta, m, nu, g in
            m = beta1 * m + (1 - beta1) * g
            nu = beta2 * nu + (1 - beta2) * g * g
            let root = nu.squareRoot() / correction + epsilon
            theta = kept * theta - (root == 0 ? 0 : rate * m / root)
        }
        steps += 1
        return loss
    }

    public func preconditioner(after gradient: Vector?) throws -> Preconditioner? {
        let t = Double(steps + (gradient == nil ? 0 : 1))
        let (beta2, epsilon) = (squareFactor, epsilon)
        let scale = 1 - pow(momentumFactor, t)
        let correction = (1 - pow(beta2, t)).squareRoot()
        return .diagonal(
            try Elementwise.roots(
                of: squares, after: gradient, rule: name,
                enter: { nu, g in nu = beta2 * nu + (1 - beta2) * g * g },
                finish: { nu in nu = scale * (nu.squareRoot() / correction + epsilon) }))
    }

    public func edge(of quantity: EdgeQuantity, isFullBatch: Bool) -> Double? {
        let effective = (1 + momentumFactor) * (2 - learningRate * (weightDecay ?? 0)) / (1 - momentumFactor)
        switch quantity {
        case .preconditionedLambdaMax: return effective / learningRate
        case .effectiveSharpness: return effective
        default: return nil
        }
    }
}
