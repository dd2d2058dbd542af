import Compute
import Networks
import Objectives

/// The gradient on targets with fresh noise at each step: each number of a target ±σ, or for a loss of classes each label with
/// probability q another one, uniformly (Damian, Ma & Lee 2021). The loss is that on these targets.
///
/// Descends L + λR with λ = ησ²/b for `half_mse`, 2ησ²/b for `mse`, R about a quarter of tr H.
public struct LabelNoise: GradientField {
    /// σ.
    public let amplitude: Double
    /// q.
    public let share: Double

    static let declarations = [
        FieldDeclaration(
            "label_noise", "The gradient on targets with fresh noise at each step. [Damian, Ma & Lee 2021]",
            settings: [
                RuleSettingDeclaration("sigma", .nonNegative, default: 0, "σ: each number of a target gets ±σ."),
                RuleSettingDeclaration(
                    "flip", .share, default: 0, "q: each label becomes another one with this probability."),
            ]
        ) { LabelNoise(amplitude: $0["sigma"] ?? 0, share: $0["flip"] ?? 0) }
    ]

    public init(amplitude: Double = 0, share: Double = 0) { (self.amplitude, self.share) = (amplitude, share) }

    public var name: String { "label_noise" }
    public var settings: [(name: String, value: Double)] { [("sigma", amplitude), ("flip", share)] }
    public var isPlain: Bool { amplitude == 0 && share == 0 }
    public var draws: Bool { true }

    public mutating func gradient(
        at theta: Vector, rate: Double, _ batch: StepOracle
    ) throws -> (loss: Double, gradient: Vector) {
        var stream = batch.stream(.noise, index: 1)
        let (amplitude, share) = (amplitude, share)
        return try batch.gradient(at: theta, moving: true) { editor in
            let places = editor.positions
            let classes = editor.targetWidth / max(1, places)
            if share > 0, classes < 2 {
                throw UpdateRuleError.badSetting(
                    rule: "label_noise", setting: "flip", value: share,
                    allowed: "0: a target is one number, not classes")
            }
            for sample in 0..<editor.count {
                if share > 0 {
                    // Drawn for every place, so that the numbers of a step do not depend on one another.
                    let draws = (0..<places).map { _ in (stream.uniform(), stream.below(classes - 1)) }
                    var labels = [Int](repeating: -1, count: places)
                    editor.editTarget(of: sample) { i, value in if value > 0.5 { labels[i / classes] = i % classes } }
                    editor.editTarget(of: sample) { i, value in
                        let place = i / classes
                        guard draws[place].0 < share, labels[place] >= 0 else { return }
                        let other = draws[place].1 < labels[place] ? draws[place].1 : draws[place].1 + 1
                        value = i % classes == other ? 1 : 0
                    }
                }
                if amplitude > 0 { editor.editTarget(of: sample) { $1 += amplitude * stream.sign() } }
            }
        }
    }
}
