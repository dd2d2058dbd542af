import Compute
import Curvature
import Foundation
import Networks
import Objectives

/// m ← β₁m + (1 − β₁)g, ν ← β₂ν + (1 − β₂)g², θ ← (1 − ηω)θ − η m̂/(√ν̂ + ε) with m̂ = m/(1 − β₁ᵗ), ν̂ = ν/(1 − β₂ᵗ): Adam
/// (Kingma & Ba 2015) for ω = 0, AdamW (Loshchilov & Hutter 2019) with decoupled weight decay ω. As in PyTorch.
///
/// P = (1 − β₁ᵗ) diag(√ν̂ + ε), and the edge of λ_max(P^{−½}HP^{−½}) is (2 + 2β₁)/((1 − β₁)η) (Cohen et al. 2022). On a quadratic
/// with curvature λ the step is θ ← (1 − ηω)θ − ηm, m ← β₁m + (1 − β₁)λθ, which has the eigenvalue −1 where
/// λ = (1 + β₁)(2 − ηω)/((1 − β₁)η): the edge with decay.
public struct Adam: ElementwiseRule {
    static let declarations = [
        RuleDeclaration(
            "adam", "Steps of m̂/(√ν̂ + ε), running means of ∇L and ∇L² without their bias. [Kingma & Ba 2015]",
            settings: moments
        ) { try make($0) },
        RuleDeclaration(
            "adamw", "Adam with decoupled weight decay: θ ← (1 − lr·ω)θ first. [Loshchilov & Hutter 2019]",
            settings: moments + [
                RuleSettingDeclaration("weight_decay", .nonNegative, default: 0.01, "ω, decoupled from the gradient.")
            ]
        ) { try make($0) },
    ]

    static let moments: [RuleSettingDeclaration] = [
        .learningRate, RuleSettingDeclaration("beta1", .share, default: 0.9, "The decay β₁ of the mean, below 1."),
        RuleSettingDeclaration("beta2", .share, default: 0.999, "The decay β₂ of the squares, below 1."),
        RuleSettingDeclaration("eps", .nonNegative, default: 1e-8, "ε, added to the root; 0 as in central flows."),
    ]

    static func make(_ settings: [String: Double]) throws -> Adam {
        try Adam(
            learningRate: settings["lr"] ?? 0, momentumFactor: settings["beta1"] ?? 0,
            squareFactor: settings["beta2"] ?? 0, epsilon: settings["eps"] ?? 0, weightDecay: settings["weight_decay"])
    }

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
    public var state = UpdateState()

    /// - Parameter weightDecay: nil for `adam`, else that of `adamw`.
    /// - Throws: `UpdateRuleError` unless 0 ≤ β₁, β₂ < 1, ε ≥ 0 and ω ≥ 0.
    public init(
        learningRate: Double, momentumFactor: Double = 0.9, squareFactor: Double = 0.999, epsilon: Double = 1e-8,
        weightDecay: Double? = nil
    ) throws {
        let name = weightDecay == nil ? "adam" : "adamw"
        self.learningRate = learningRate
        self.momentumFactor = try RuleSetting.share(momentumFactor, "beta1", of: name)
        self.squareFactor = try RuleSetting.share(squareFactor, "beta2", of: name)
        self.epsilon = try RuleSetting.nonNegative(epsilon, "eps", of: name)
        self.weightDecay = try weightDecay.map { try RuleSetting.nonNegative($0, "weight_decay", of: name) }
    }

    public var name: String { weightDecay == nil ? "adam" : "adamw" }

    public var settings: [(name: String, value: Double)] {
        [("lr", learningRate), ("beta1", momentumFactor), ("beta2", squareFactor), ("eps", epsilon)]
            + (weightDecay.map { [("weight_decay", $0)] } ?? [])
    }

    public var update: ElementwiseUpdate {
        let isGuarded = ElementwiseUpdate.isGuarded(epsilon)
        if weightDecay ?? 0 == 0 { return isGuarded ? Self.guarded : Self.plain }
        return isGuarded ? Self.guardedWithDecay : Self.withDecay
    }

    /// With c = 1/√(1 − β₂ᵗ): η m̂/(√ν̂ + ε) = (η/((1 − β₁ᵗ)c)) m/(√ν + ε/c).
    public func write(_ scalars: UnsafeMutableBufferPointer<Double>) {
        let t = Double(state.steps + 1)
        let correction = (1 - pow(squareFactor, t)).squareRoot()
        scalars[0] = learningRate / (1 - pow(momentumFactor, t)) * correction
        scalars[1] = epsilon * correction
        scalars[2] = 1 - momentumFactor
        scalars[3] = 1 - squareFactor
        if scalars.count > 4 { scalars[4] = 1 - learningRate * (weightDecay ?? 0) }
    }

    private static let plain = update(decays: false, isGuarded: false)
    private static let guarded = update(decays: false, isGuarded: true)
    private static let withDecay = update(decays: true, isGuarded: false)
    private static let guardedWithDecay = update(decays: true, isGuarded: true)

    private static func update(decays: Bool, isGuarded: Bool) -> ElementwiseUpdate {
        let scalars = ["rate", "eps", "entering mean", "entering square"] + (decays ? ["kept"] : [])
        return ElementwiseUpdate(states: ["mean", "squares"], scalars: scalars) { x in
            let (rate, epsilon) = (x.scalars[0], x.scalars[1])
            let mean = try x.states[0] + x.scalars[2] * (x.gradient - x.states[0])
            let squares = try x.states[1] + x.scalars[3] * (x.gradient * x.gradient - x.states[1])
            let step = try mean.quotient(by: squares.sqrt() + epsilon, isGuarded: isGuarded)
            let kept = decays ? try x.scalars[4] * x.theta : x.theta
            return [try kept - rate * step, mean, squares]
        }
    }

    /// ν.
    private var squares: Vector? { state.vectors.last }
    private var steps: Int { state.steps }

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
