import Compute
import Networks
import Objectives

/// Gradient descent with momentum: v ← βv + ∇L_B(θ) + ωθ, then
/// - Polyak: θ ← θ − ηv;
/// - Nesterov: θ ← θ − η(∇L_B(θ) + ωθ + βv), as PyTorch has it.
///
/// Edges of λ_max, full batch: (2 + 2β)/η − ω; Nesterov (2 + 2β)/(η(1 + 2β)) − ω. Polyak's batch sharpness: 2(1 − β)/η − ω for single
/// samples, 2(1 + β)/η − ω for the full batch, in between somewhere between them (arXiv 2604.14108); its momentum batch sharpness:
/// 2/η − ω.
public struct HeavyBall: ElementwiseRule {
    public enum Kind: String, Sendable {
        case polyak = "momentum"
        case nesterov
    }

    static let declarations = [
        declaration(.polyak, "v ← βv + ∇L, θ ← θ − lr·v: momentum as Polyak and PyTorch have it."),
        declaration(.nesterov, "v ← βv + ∇L, θ ← θ − lr·(∇L + βv): Nesterov's momentum as PyTorch has it."),
    ]

    private static func declaration(_ kind: Kind, _ summary: String) -> RuleDeclaration {
        let momentum = RuleSettingDeclaration("beta", .share, default: 0.9, "The momentum β, below 1.")
        return RuleDeclaration(kind.rawValue, summary, settings: [.learningRate, momentum, .coupledDecay]) {
            try HeavyBall(
                learningRate: $0["lr"] ?? 0, factor: $0["beta"] ?? 0, weightDecay: $0["weight_decay"] ?? 0, kind: kind)
        }
    }

    public var learningRate: Double
    public let kind: Kind
    /// β.
    public let factor: Double
    /// ω.
    public let weightDecay: Double
    /// v.
    public var state = UpdateState()

    /// - Throws: `UpdateRuleError` unless 0 ≤ β < 1 and ω ≥ 0.
    public init(learningRate: Double, factor: Double = 0.9, weightDecay: Double = 0, kind: Kind = .polyak) throws {
        self.learningRate = learningRate
        self.kind = kind
        self.factor = try RuleSetting.share(factor, "beta", of: kind.rawValue)
        self.weightDecay = try RuleSetting.nonNegative(weightDecay, "weight_decay", of: kind.rawValue)
    }

    public var name: String { kind.rawValue }

    public var settings: [(name: String, value: Double)] {
        [("lr", learningRate), ("beta", factor)] + RuleSetting.unless(0, "weight_decay", weightDecay)
    }

    public var momentum: Momentum? { Momentum(velocity: state.vectors.first, factor: factor) }

    /// Without momentum it is gradient descent, to the bit: then nothing is gathered, and a β that comes later begins with v = 0.
    private var isDescent: Bool { factor == 0 && weightDecay == 0 && state.vectors.isEmpty }

    public var update: ElementwiseUpdate {
        if isDescent { return .descent }
        switch (kind, weightDecay == 0) {
        case (.polyak, true): return Self.polyak
        case (.polyak, false): return Self.polyakWithDecay
        case (.nesterov, true): return Self.nesterov
        case (.nesterov, false): return Self.nesterovWithDecay
        }
    }

    public func write(_ scalars: UnsafeMutableBufferPointer<Double>) {
        scalars[0] = learningRate
        if isDescent { return }
        scalars[1] = factor
        if weightDecay != 0 { scalars[2] = weightDecay }
    }

    private static let polyak = update(.polyak, decays: false)
    private static let polyakWithDecay = update(.polyak, decays: true)
    private static let nesterov = update(.nesterov, decays: false)
    private static let nesterovWithDecay = update(.nesterov, decays: true)

    private static func update(_ kind: Kind, decays: Bool) -> ElementwiseUpdate {
        ElementwiseUpdate(states: ["velocity"], scalars: ["rate", "beta"] + (decays ? ["decay"] : [])) { x in
            let (rate, factor) = (x.scalars[0], x.scalars[1])
            let slope = decays ? try x.gradient + x.scalars[2] * x.theta : x.gradient
            let velocity = try factor * x.states[0] + slope
            let step = kind == .polyak ? velocity : try slope + factor * velocity
            return [try x.theta - rate * step, velocity]
        }
    }

    public func edge(of quantity: EdgeQuantity, on batch: BatchExtent) -> StabilityEdge? {
        switch (kind, quantity) {
        case (.polyak, .lambdaMax): StabilityEdge((2 + 2 * factor) / learningRate - weightDecay)
        case (.nesterov, .lambdaMax):
            StabilityEdge((2 + 2 * factor) / (learningRate * (1 + 2 * factor)) - weightDecay)
        case (.polyak, .batchSharpness): batchSharpnessEdge(on: batch)
        case (.polyak, .momentumBatchSharpness), (.polyak, .momentumBatchSharpnessRatio),
            (.polyak, .momentumBatchSharpnessMedian):
            StabilityEdge(2 / learningRate - weightDecay)
        default: nil
        }
    }

    /// Noise that forgets itself from step to step sees η/(1 − β) as the rate, an oscillation that goes on η/(1 + β).
    private func batchSharpnessEdge(on batch: BatchExtent) -> StabilityEdge {
        let noisy = 2 * (1 - factor) / learningRate - weightDecay
        let whole = 2 * (1 + factor) / learningRate - weightDecay
        switch batch {
        case .one: return StabilityEdge(noisy)
        case .some: return StabilityEdge(from: noisy, to: whole)
        case .all: return StabilityEdge(whole)
        }
    }
}
