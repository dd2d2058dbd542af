import Compute
import Objectives

/// The gradient of L_B + c·mean_k‖∇L_k‖² over m chunks k of the batch: ∇L_B + 2c·mean_k H_k∇L_k.
///
/// c = η/4 with one chunk is the implicit regulariser of gradient descent (Barrett & Dherin 2021), with m batches that of shuffled SGD
/// (Smith et al. 2021); Geiping et al. (2021) have ητ/8 with τ = 0.5 (`penalty_per_lr = 0.0625`) and a forward difference over
/// 0.01 (`difference = 0.01`): H_kg ≈ ‖g‖(∇L_k(θ + δg/‖g‖) − g)/δ.
public struct GradientPenalty: GradientField {
    /// c = `penalty` + `perRate`·η.
    public let penalty: Double
    public let perRate: Double
    /// m.
    public let chunks: Int
    /// δ; 0 for exact products.
    public let difference: Double

    static let declarations = [
        FieldDeclaration(
            "gradient_penalty",
            "The gradient of L + c·mean‖∇L_k‖² over chunks of the batch. [Barrett & Dherin 2021; Smith et al. 2021; Geiping et al. 2021]",
            settings: [
                RuleSettingDeclaration("penalty", .nonNegative, default: 0, "c, as far as it does not follow lr."),
                RuleSettingDeclaration(
                    "penalty_per_lr", .nonNegative, default: 0.25, "c/lr: a quarter for the implicit regulariser."),
                RuleSettingDeclaration("chunks", .positive, default: 1, "m, into how many parts the batch is cut."),
                RuleSettingDeclaration(
                    "difference", .nonNegative, default: 0, "The length of a forward difference; 0: exact products."),
            ]
        ) {
            try GradientPenalty(
                penalty: $0["penalty"] ?? 0, perRate: $0["penalty_per_lr"] ?? 0, chunks: $0["chunks"] ?? 1,
                difference: $0["difference"] ?? 0)
        }
    ]

    public init(penalty: Double = 0, perRate: Double = 0.25, chunks: Double = 1, difference: Double = 0) throws {
        guard let count = Int(exactly: chunks), count >= 1 else {
            throw UpdateRuleError.badSetting(
                rule: "gradient_penalty", setting: "chunks", value: chunks, allowed: "an integer >= 1")
        }
        (self.penalty, self.perRate, self.chunks, self.difference) = (penalty, perRate, count, difference)
    }

    public var name: String { "gradient_penalty" }
    public var settings: [(name: String, value: Double)] {
        [
            ("penalty", penalty), ("penalty_per_lr", perRate), ("chunks", Double(chunks)), ("difference", difference),
        ]
    }
    public var isPlain: Bool { penalty == 0 && perRate == 0 }

    public mutating func gradient(
        at theta: Vector, rate: Double, _ batch: StepOracle
    ) throws -> (loss: Double, gradient: Vector) {
        let parts = try batch.chunks(chunks, of: name)
        let share = 1 / Double(parts.count)
        let strength = 2 * (penalty + perRate * rate)
        var loss = 0.0
        var sum = try Vector(zeros: theta.count, element: theta.element)
        for part in parts {
            let own = try batch.gradient(at: theta, over: part, moving: true)
            loss += share * own.loss
            try sum.add(share, own.gradient)
            if difference == 0 {
                try sum.add(share * strength, batch.product(at: theta, with: own.gradient, over: part))
                continue
            }
            let norm = own.gradient.norm()
            guard norm > 0 else { continue }
            var there = theta
            try there.add(difference / norm, own.gradient)
            let change = try batch.gradient(at: there, over: part, moving: false).gradient - own.gradient
            try sum.add(share * strength * norm / difference, change)
        }
        return (loss, sum)
    }
}
