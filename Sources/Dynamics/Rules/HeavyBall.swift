import Compute
import Networks

/// Gradient descent with momentum: v ← βv + ∇L_B(θ) + ωθ, then
/// - Polyak: θ ← θ − ηv;
/// - Nesterov: θ ← θ − η(∇L_B(θ) + ωθ + βv), as PyTorch has it.
///
/// Edges of λ_max, full batch: (2 + 2β)/η − ω; Nesterov (2 + 2β)/(η(1 + 2β)) − ω. Polyak's batch sharpness: 2(1 − β)/η − ω for single
/// samples, 2(1 + β)/η − ω for the full batch, in between somewhere between them (arXiv 2604.14108); its momentum batch sharpness:
/// 2/η − ω.
public struct HeavyBall: UpdateRule {
    public enum Kind: String, Sendable {
        case polyak = "momentum"
        case nesterov
    }

    public var learningRate: Double
    public let kind: Kind
    /// β.
    public let factor: Double
    /// ω.
    public let weightDecay: Double
    private var velocity: Vector?
    private var update: ElementwiseUpdate?

    /// - Throws: `UpdateRuleError` unless 0 ≤ β < 1 and ω ≥ 0.
    public init(learningRate: Double, factor: Double = 0.9, weightDecay: Double = 0, kind: Kind = .polyak) throws {
        self.learningRate = learningRate
        self.kind = kind
        self.factor = try Setting.share(factor, "beta", of: kind.rawValue)
        self.weightDecay = try Setting.nonNegative(weightDecay, "weight_decay", of: kind.rawValue)
    }

    public var name: String { kind.rawValue }

    public var settings: [(name: String, value: Double)] {
        [("lr", learningRate), ("beta", factor)] + Setting.unless(0, "weight_decay", weightDecay)
    }

    public var momentum: Momentum? { Momentum(velocity: velocity, factor: factor) }

    public mutating func step(_ theta: inout Vector, _ batch: StepOracle) throws -> Double {
        let (loss, gradient) = try batch.gradient(at: theta)
        let update = try update.flatMap { $0.fits(theta) ? $0 : nil } ?? makeUpdate(like: theta)
        self.update = update
        // Taken out, so that its memory is not shared while it is written.
        var states = [try RuleState.take(&velocity, like: theta, of: name)]
        defer { velocity = states[0] }
        try update(&theta, &states, gradient: gradient, [learningRate, factor, weightDecay])
        return loss
    }

    private func makeUpdate(like theta: Vector) throws -> ElementwiseUpdate {
        let kind = kind
        return try ElementwiseUpdate(like: theta, states: 1, scalars: 3) { x in
            let (rate, factor, decay) = (x.scalars[0], x.scalars[1], x.scalars[2])
            let slope = try x.gradient + decay * x.theta
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
