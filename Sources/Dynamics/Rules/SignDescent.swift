import Compute
import Networks
import Objectives

/// Steps of equal length in each coordinate:
/// - `sign`: θ ← θ − η·sign(g);
/// - `lion` (Chen et al. 2023): θ ← (1 − ηω)θ − η·sign(β₁m + (1 − β₁)g), m ← β₂m + (1 − β₂)g, ω decoupled.
public struct SignDescent: ElementwiseRule {
    public var learningRate: Double
    /// β₁ and β₂; nil for `sign`.
    public let factors: (first: Double, second: Double)?
    /// ω.
    public let weightDecay: Double
    public var state = UpdateState()

    static let declarations = [
        RuleDeclaration("sign", "θ ← θ − lr·sign(∇L): sign descent. [Bernstein et al. 2018]", settings: [.learningRate])
        {
            SignDescent(learningRate: $0["lr"] ?? 0)
        },
        RuleDeclaration(
            "lion", "θ ← (1 − lr·ω)θ − lr·sign(β₁m + (1 − β₁)∇L), m ← β₂m + (1 − β₂)∇L. [Chen et al. 2023]",
            settings: [
                .learningRate, RuleSettingDeclaration("beta1", .share, default: 0.9, "β₁ of the step, below 1."),
                RuleSettingDeclaration("beta2", .share, default: 0.99, "β₂ of the memory, below 1."),
                RuleSettingDeclaration("weight_decay", .nonNegative, default: 0, "ω, decoupled from the gradient."),
            ]
        ) {
            SignDescent(
                learningRate: $0["lr"] ?? 0, factors: ($0["beta1"] ?? 0, $0["beta2"] ?? 0),
                weightDecay: $0["weight_decay"] ?? 0)
        },
    ]

    public init(learningRate: Double, factors: (first: Double, second: Double)? = nil, weightDecay: Double = 0) {
        (self.learningRate, self.factors, self.weightDecay) = (learningRate, factors, weightDecay)
    }

    public var name: String { factors == nil ? "sign" : "lion" }

    public var settings: [(name: String, value: Double)] {
        guard let factors else { return [("lr", learningRate)] }
        return [("lr", learningRate), ("beta1", factors.first), ("beta2", factors.second)]
            + RuleSetting.unless(0, "weight_decay", weightDecay)
    }

    public var update: ElementwiseUpdate { factors == nil ? Self.plain : Self.lion }

    public func write(_ scalars: UnsafeMutableBufferPointer<Double>) {
        scalars[0] = learningRate
        guard let factors else { return }
        (scalars[1], scalars[2]) = (factors.first, 1 - factors.first)
        (scalars[3], scalars[4]) = (factors.second, 1 - factors.second)
        scalars[5] = 1 - learningRate * weightDecay
    }

    private static let plain = ElementwiseUpdate(scalars: ["rate"]) { x in
        [try x.theta - x.scalars[0] * x.gradient.sign()]
    }

    private static let lion = ElementwiseUpdate(
        states: ["mean"], scalars: ["rate", "beta1", "entering step", "beta2", "entering mean", "kept"]
    ) { x in
        let direction = try x.scalars[1] * x.states[0] + x.scalars[2] * x.gradient
        let mean = try x.scalars[3] * x.states[0] + x.scalars[4] * x.gradient
        return [try x.scalars[5] * x.theta - x.scalars[0] * direction.sign(), mean]
    }

    /// Without memory it is descent in the norm max |dᵢ|, at the rate η/‖g‖₁.
    public func edge(of quantity: EdgeQuantity, on batch: BatchExtent) -> StabilityEdge? {
        guard quantity == .linfSharpness, batch == .all, factors == nil else { return nil }
        return StabilityEdge(2 / learningRate)
    }
}
