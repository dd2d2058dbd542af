import Compute
import Objectives

/// The stochastic differential equation that SGD follows approximately, dθ = −∇L dt + √η(C/b)^{½}dW, by Euler–Maruyama:
/// θ ← θ − h∇L + √(ηh)(C/b)^{½}ξ, where η/h inner steps make one step (Andreyev & Beneventano 2024). It takes all samples.
public struct StochasticEquation: UpdateRule {
    /// η.
    public var learningRate: Double
    /// h.
    public let innerStep: Double
    /// b.
    public let batch: Double
    public var state = UpdateState()

    static let declarations = [
        RuleDeclaration(
            "sde",
            "dθ = −∇L dt + √lr(C/b)^½ dW by Euler–Maruyama: lr/h inner steps make one step. [Andreyev & Beneventano 2024]",
            settings: [
                .learningRate, RuleSettingDeclaration("h", .positive, "The inner step; lr/h is an integer."),
                RuleSettingDeclaration("noise_batch", .positive, "b, the batch size whose noise it has."),
            ]
        ) {
            try StochasticEquation(learningRate: $0["lr"] ?? 0, innerStep: $0["h"] ?? 0, batch: $0["noise_batch"] ?? 1)
        }
    ]

    /// - Throws: `UpdateRuleError` for an inner step that is larger than η, or no integer part of it.
    public init(learningRate: Double, innerStep: Double, batch: Double) throws {
        (self.learningRate, self.innerStep, self.batch) = (learningRate, innerStep, batch)
        _ = try count()
    }

    public var name: String { "sde" }
    public var settings: [(name: String, value: Double)] {
        [("lr", learningRate), ("h", innerStep), ("noise_batch", batch)]
    }

    private func count() throws -> Int {
        let ratio = learningRate / innerStep
        guard ratio >= 1 - 1e-9 else {
            throw UpdateRuleError.badSetting(
                rule: name, setting: "h", value: innerStep, allowed: "at most lr, \(learningRate)")
        }
        guard abs(ratio - ratio.rounded()) < 1e-6 * ratio, let count = Int(exactly: ratio.rounded()) else {
            throw UpdateRuleError.badSetting(
                rule: name, setting: "h", value: innerStep, allowed: "an integer part of lr: lr/h is \(ratio)")
        }
        return count
    }

    public mutating func step(_ theta: inout Vector, _ batch: StepOracle) throws -> Double {
        guard batch.batch == nil else { throw UpdateRuleError.needsFullBatch(rule: name) }
        let n = batch.oracle.samples.count
        guard self.batch <= Double(n) else {
            throw UpdateRuleError.badSetting(
                rule: name, setting: "noise_batch", value: self.batch, allowed: "at most the \(n) samples there are")
        }
        let inner = try count()
        // One after the other of the step's one stream.
        var stream = batch.stream(.noise, index: 4)
        let loss = try batch.oracle.loss(at: theta)
        // √(ηh)(C/b)^½ξ is the gradient of Σ vᵢℓᵢ with v = √(ηh)(I − 11ᵀ/n)ξ/√(nb); weights are 1/n before.
        let scale = (learningRate * innerStep * Double(n) / self.batch).squareRoot()
        for _ in 0..<inner {
            let draws = NoisyGradient.centred(n, &stream)
            let move = try batch.gradient(at: theta, moving: true) { editor in
                for i in 0..<editor.count { editor.scale(i, by: innerStep + scale * draws[i]) }
            }
            try theta.add(-1, move.gradient)
        }
        state.steps += 1
        return loss
    }

    public func edge(of quantity: EdgeQuantity, on batch: BatchExtent) -> StabilityEdge? { nil }
}
