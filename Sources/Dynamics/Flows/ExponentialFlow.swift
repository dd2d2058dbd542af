import Compute
import Curvature
import Foundation
import Objectives

/// Gradient flow, dθ/dt = −∇L, by the exponential Euler method in the space of the Hessian's top k eigenvectors and Euler's in the rest:
/// along u of curvature λ a step of the run, a tick of h = min(α/λ_{k+1}, dt), goes −(1 − e^{−hλ})/λ·(u·∇L), as the flow of a quadratic
/// does, exactly whatever hλ is; elsewhere −h∇L (Hochbruck & Ostermann 2010). Stiff directions do not shorten the tick. Of first order; the
/// run's time is that of the equation. It takes all samples.
public struct ExponentialFlow: UpdateRule {
    /// dt, the longest tick.
    public var learningRate: Double
    /// α.
    public let share: Double
    /// k.
    public let directions: Int
    /// What eigensolves start from; the length of the last tick.
    public var state = UpdateState()

    static let declarations = [
        RuleDeclaration(
            "exponential_flow",
            "dθ/dt = −∇L, exact in the space of the top k eigenvectors, by Euler in the rest, in ticks of min(alpha/λ_{k+1}, dt). [Hochbruck & Ostermann 2010]",
            settings: [
                RuleSettingDeclaration("dt", .positive, default: 999, "The longest tick."),
                RuleSettingDeclaration("alpha", .positive, default: 1, "α of a tick, α/λ at most."),
                RuleSettingDeclaration("k", .positive, default: 1, "How many eigenvectors are taken apart."),
            ]
        ) {
            try ExponentialFlow(longest: $0["dt"] ?? 999, share: $0["alpha"] ?? 1, directions: $0["k"] ?? 1)
        }
    ]

    /// - Throws: `UpdateRuleError` unless k is an integer from 1.
    public init(longest: Double = 999, share: Double = 1, directions: Double = 1) throws {
        guard let k = Int(exactly: directions), k >= 1 else {
            throw UpdateRuleError.badSetting(
                rule: "exponential_flow", setting: "k", value: directions, allowed: "an integer >= 1")
        }
        (learningRate, self.share, self.directions) = (longest, share, k)
    }

    public var name: String { "exponential_flow" }
    public var settings: [(name: String, value: Double)] {
        [("dt", learningRate), ("alpha", share), ("k", Double(directions))]
    }
    public var elapsed: Double? { state.numbers.first ?? 0 }

    public mutating func step(_ theta: inout Vector, _ batch: StepOracle) throws -> Double {
        guard batch.batch == nil else { throw UpdateRuleError.needsFullBatch(rule: name) }
        guard directions <= theta.count else {
            throw UpdateRuleError.badSetting(
                rule: name, setting: "k", value: Double(directions),
                allowed: "at most the \(theta.count) parameters there are")
        }
        var stream = batch.stream(.noise, index: 5)
        // One more, to see how long the tick may be. An error of u mixes what goes exactly with what does not.
        let pairs = try topEigenpairs(
            of: CurvatureOperator(of: batch.oracle, at: theta), k: min(directions + 1, theta.count), tolerance: 1e-5,
            warmStart: state.vectors, stream: &stream)
        if !pairs.isFinished { throw Cancelled() }
        let longest = min(learningRate, batch.timeLeft)
        let rest = pairs.values.count > directions ? pairs.values[directions] : 0
        let h = rest > 0 ? min(share / rest, longest) : longest
        let (loss, gradient) = try batch.gradient(at: theta)
        try theta.add(-h, gradient)
        for (value, u) in zip(pairs.values, pairs.vectors).prefix(directions) {
            // Euler's −h there is taken back.
            let reach = value == 0 ? h : -expm1(-h * value) / value
            try theta.add((h - reach) * u.dot(gradient), u)
        }
        state.vectors = pairs.warmStart
        state.numbers = [h]
        state.steps += 1
        return loss
    }

    public func edge(of quantity: EdgeQuantity, on batch: BatchExtent) -> StabilityEdge? { nil }
}
