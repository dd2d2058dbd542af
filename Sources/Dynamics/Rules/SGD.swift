import Compute
import Networks
import Objectives

/// θ ← θ − η(∇L_B(θ) + ωθ): (stochastic) gradient descent, ω the coupled weight decay.
///
/// Edges: 2/η − ω for λ_max, batch sharpness (also as a ratio of means) and the gradient–noise interaction: the decay adds ω to every
/// eigenvalue, and these are of L without it. −ηω(2 − ηω) for the second-moment contraction. Derived in `docs/definitions.md`.
public struct SGD: ElementwiseRule {
    static let declarations = [
        RuleDeclaration(
            "sgd", "θ ← θ − lr·(∇L + ωθ) over the batch: gradient descent, stochastic or full.",
            settings: [.learningRate, .coupledDecay]
        ) { try SGD(learningRate: $0["lr"] ?? 0, weightDecay: $0["weight_decay"] ?? 0) }
    ]

    public var learningRate: Double
    /// ω.
    public let weightDecay: Double
    public var state = UpdateState()

    public init(learningRate: Double) {
        self.learningRate = learningRate
        weightDecay = 0
    }

    /// - Throws: `UpdateRuleError` for a negative weight decay.
    public init(learningRate: Double, weightDecay: Double) throws {
        self.learningRate = learningRate
        self.weightDecay = try RuleSetting.nonNegative(weightDecay, "weight_decay", of: "sgd")
    }

    public var name: String { "sgd" }

    public var settings: [(name: String, value: Double)] {
        [("lr", learningRate)] + RuleSetting.unless(0, "weight_decay", weightDecay)
    }

    public var update: ElementwiseUpdate { weightDecay == 0 ? .descent : Self.decayed }

    public func write(_ scalars: UnsafeMutableBufferPointer<Double>) {
        scalars[0] = learningRate
        if weightDecay != 0 { scalars[1] = 1 - learningRate * weightDecay }
    }

    private static let decayed = ElementwiseUpdate(scalars: ["rate", "kept"]) { x in
        [try x.scalars[1] * x.theta - x.scalars[0] * x.gradient]
    }

    public func edge(of quantity: EdgeQuantity, on batch: BatchExtent) -> StabilityEdge? {
        switch quantity {
        case .lambdaMax, .batchSharpness, .batchSharpnessRatio, .gni: StabilityEdge(2 / learningRate - weightDecay)
        case .secondMomentContraction:
            StabilityEdge(0 - learningRate * weightDecay * (2 - learningRate * weightDecay))
        default: nil
        }
    }
}
