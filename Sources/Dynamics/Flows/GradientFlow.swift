import Compute
import Curvature
import Objectives

/// Gradient flow, dθ/dt = −∇L, by the classical Runge–Kutta method: a step of the run is a tick of h = min(α/λ_max, dt), λ_max being measured
/// at each tick (Cohen et al. 2021, α = 1). The run's time is that of the equation. It takes all samples.
public struct GradientFlow: UpdateRule {
    /// dt, the longest tick.
    public var learningRate: Double
    /// α.
    public let share: Double
    /// What eigensolves start from; the length of the last tick.
    public var state = UpdateState()

    static let declarations = [
        RuleDeclaration(
            "gradient_flow", "dθ/dt = −∇L by RK4, in ticks of min(alpha/λ_max, dt). [Cohen et al. 2021]",
            settings: [
                RuleSettingDeclaration("dt", .positive, default: 999, "The longest tick."),
                RuleSettingDeclaration("alpha", .positive, default: 1, "α of a tick, α/λ_max at most."),
            ]
        ) { GradientFlow(longest: $0["dt"] ?? 999, share: $0["alpha"] ?? 1) }
    ]

    public init(longest: Double = 999, share: Double = 1) { (learningRate, self.share) = (longest, share) }

    public var name: String { "gradient_flow" }
    public var settings: [(name: String, value: Double)] { [("dt", learningRate), ("alpha", share)] }
    public var elapsed: Double? { state.numbers.first ?? 0 }

    public mutating func step(_ theta: inout Vector, _ batch: StepOracle) throws -> Double {
        guard batch.batch == nil else { throw UpdateRuleError.needsFullBatch(rule: name) }
        var stream = batch.stream(.noise, index: 5)
        let pairs = try topEigenpairs(
            of: CurvatureOperator(of: batch.oracle, at: theta), k: 1, tolerance: 0.02, warmStart: state.vectors,
            stream: &stream)
        if !pairs.isFinished { throw Cancelled() }
        let longest = min(learningRate, batch.timeLeft)
        let h = pairs.values[0] > 0 ? min(share / pairs.values[0], longest) : longest
        func slope(_ point: Vector) throws -> Vector { try batch.gradient(at: point, moving: false).gradient }
        func ahead(_ by: Double, _ slope: Vector) throws -> Vector {
            var point = theta
            try point.add(-by, slope)
            return point
        }
        let (loss, first) = try batch.gradient(at: theta)
        let second = try slope(ahead(h / 2, first))
        let third = try slope(ahead(h / 2, second))
        let fourth = try slope(ahead(h, third))
        for (weight, slope) in [(1.0, first), (2, second), (2, third), (1, fourth)] {
            try theta.add(-h * weight / 6, slope)
        }
        state.vectors = pairs.warmStart
        state.numbers = [h]
        state.steps += 1
        return loss
    }

    public func edge(of quantity: EdgeQuantity, on batch: BatchExtent) -> StabilityEdge? { nil }
}
