import Compute

/// θ ← θ − η(∇L_B(θ) + ωθ): (stochastic) gradient descent, ω the coupled weight decay.
///
/// Edges: 2/η − ω for λ_max, since the decay adds ω to every eigenvalue; 2/η for batch sharpness (also as a ratio of means) and
/// the gradient–noise interaction.
public struct SGD: UpdateRule {
    public var learningRate: Double
    /// ω.
    public let weightDecay: Double

    public init(learningRate: Double) {
        self.learningRate = learningRate
        weightDecay = 0
    }

    /// - Throws: `UpdateRuleError` for a negative weight decay.
    public init(learningRate: Double, weightDecay: Double) throws {
        self.learningRate = learningRate
        self.weightDecay = try Setting.nonNegative(weightDecay, "weight_decay", of: "sgd")
    }

    public var name: String { "sgd" }

    public var settings: [(name: String, value: Double)] {
        [("lr", learningRate)] + Setting.unless(0, "weight_decay", weightDecay)
    }

    public mutating func step(_ theta: inout Vector, _ batch: StepOracle) throws -> Double {
        if weightDecay == 0 { return try batch.descend(&theta, rate: learningRate) }
        let (loss, gradient) = try batch.gradient(at: theta)
        try theta.scale(1 - learningRate * weightDecay)
        try theta.add(-learningRate, gradient)
        return loss
    }

    public func edge(of quantity: EdgeQuantity, isFullBatch: Bool) -> Double? {
        switch quantity {
        case .lambdaMax: 2 / learningRate - weightDecay
        case .batchSharpness, .batchSharpnessRatio, .gni: 2 / learningRate
        default: nil
        }
    }
}
