import Compute
import Objectives

/// The gradient of L_B + λτ²·mean KL(softmax(z/τ) ‖ softmax(f/τ)), z outputs of the same samples that are constant in it: what flattens
/// minima at hardly any cost (Du et al. 2022, whose code counts epochs from 0 and is active in those after `start` and before `stop`).
/// The loss is L_B.
/// - `saf`: z is what the network gave for the sample `history` epochs ago, at the step that took it. Outputs of `history` + 1 epochs are
///   state; a sample that was in no batch of that epoch has no z.
/// - `mesa`: z is the output of an exponential average of the parameters and running statistics, the present ones included, in
///   evaluation.
public struct Distilled: GradientField {
    public enum Teacher: Sendable {
        case epochsAgo(Int)
        /// The decay of the average.
        case average(Double)
    }

    public let teacher: Teacher
    /// λ.
    public let weight: Double
    /// τ.
    public let temperature: Double
    /// It is active in epochs between these.
    public let start: Double
    public let stop: Double
    /// `saf`: the outputs of each slot of epochs, row by row, nan where there are none, and the epoch that each was last written in.
    /// `mesa`: averages of parameters and of running statistics.
    public var state = UpdateState()

    static let declarations = [
        FieldDeclaration(
            "saf", "Outputs are drawn to those of some epochs ago. [Du et al. 2022]",
            settings: [
                lambda(0.3),
                RuleSettingDeclaration("history", .positive, default: 3, "How many epochs ago, a whole number."),
            ] + common
        ) {
            guard let epochs = Int(exactly: $0["history"] ?? 3), epochs < 1000 else {
                throw UpdateRuleError.badSetting(
                    rule: "saf", setting: "history", value: $0["history"] ?? 3, allowed: "an integer from 1 to 999")
            }
            return Distilled(.epochsAgo(epochs), $0)
        },
        FieldDeclaration(
            "mesa", "Outputs are drawn to those of an average of the parameters. [Du et al. 2022]",
            settings: [
                lambda(0.8), RuleSettingDeclaration("decay", .share, default: 0.9998, "The average's decay, below 1."),
            ] + common
        ) { Distilled(.average($0["decay"] ?? 0.9998), $0) },
    ]

    /// An epoch that no run comes to.
    private static let never = 1e9

    private static func lambda(_ standard: Double) -> RuleSettingDeclaration {
        RuleSettingDeclaration("weight", .nonNegative, default: standard, "λ of λτ²·KL; 0: the gradient of the batch.")
    }

    private static let common = [
        RuleSettingDeclaration("tau", .positive, default: 5, "τ, the temperature of both softmax."),
        RuleSettingDeclaration(
            "start", .any, default: 5, "Active in epochs after this one, counted from 0; -1: from the first on."),
        RuleSettingDeclaration("stop", .positive, default: never, "Active in epochs before this one."),
    ]

    private init(_ teacher: Teacher, _ settings: [String: Double]) {
        self.teacher = teacher
        (weight, temperature) = (settings["weight"] ?? 0, settings["tau"] ?? 5)
        (start, stop) = (settings["start"] ?? 5, settings["stop"] ?? Self.never)
    }

    public var name: String { if case .average = teacher { "mesa" } else { "saf" } }

    public var settings: [(name: String, value: Double)] {
        let own: (String, Double) =
            switch teacher {
            case .epochsAgo(let count): ("history", Double(count))
            case .average(let decay): ("decay", decay)
            }
        return [("weight", weight), own, ("tau", temperature), ("start", start)]
            + RuleSetting.unless(Self.never, "stop", stop)
    }

    public var isPlain: Bool { weight == 0 }

    public mutating func gradient(
        at theta: Vector, rate: Double, _ batch: StepOracle
    ) throws -> (loss: Double, gradient: Vector) {
        let samples = batch.batch.map(Array.init) ?? Array(0..<batch.oracle.samples.count)
        let isActive = Double(batch.epoch) > start && Double(batch.epoch) < stop
        switch teacher {
        case .epochsAgo(let count):
            return try fromHistory(of: count, at: theta, samples, isActive: isActive, batch)
        case .average(let decay):
            return try fromAverage(decay, at: theta, samples, isActive: isActive, batch)
        }
    }

    private mutating func fromHistory(
        of count: Int, at theta: Vector, _ samples: [Int], isActive: Bool, _ batch: StepOracle
    ) throws -> (loss: Double, gradient: Vector) {
        let (classes, slots) = (batch.oracle.model.outputCount, count + 1)
        if state.vectors.isEmpty {
            let none = [Double](repeating: .nan, count: batch.oracle.samples.count * classes)
            state.vectors = try (0..<slots).map { _ in try Vector(none, element: theta.element) }
            state.numbers = [Double](repeating: -1, count: slots)
        }
        let (present, past) = (batch.epoch % slots, (batch.epoch + 1) % slots)
        let epochOfPast = Double(batch.epoch - count)
        // What a slot has of earlier epochs is too old.
        if state.numbers[present] != Double(batch.epoch) {
            state.numbers[present] = Double(batch.epoch)
            for i in 0..<state.vectors[present].count { state.vectors[present][i] = .nan }
        }
        var references = [Double](repeating: .nan, count: samples.count * classes)
        if isActive, state.numbers[past] == epochOfPast {
            for (row, sample) in samples.enumerated() {
                for k in 0..<classes {
                    references[row * classes + k] = state.vectors[past][sample * classes + k]
                }
            }
        }
        let (loss, gradient, outputs) = try batch.distilling(temperature: temperature).gradient(
            at: theta, over: samples, references: references, weight: isActive ? weight : 0)
        for (row, sample) in samples.enumerated() {
            for k in 0..<classes { state.vectors[present][sample * classes + k] = outputs[row * classes + k] }
        }
        state.steps += 1
        return (loss, gradient)
    }

    private mutating func fromAverage(
        _ decay: Double, at theta: Vector, _ samples: [Int], isActive: Bool, _ batch: StepOracle
    ) throws -> (loss: Double, gradient: Vector) {
        let running = try batch.oracle.running.values()
        if state.vectors.isEmpty {
            state.vectors = [theta, running]
        } else {
            for (index, value) in [theta, running].enumerated() where value.count > 0 {
                try state.vectors[index].scale(decay)
                try state.vectors[index].add(1 - decay, value)
            }
        }
        state.steps += 1
        guard isActive else { return try batch.gradient(at: theta) }
        let references = try batch.outputs(at: state.vectors[0], statistics: state.vectors[1], of: samples)
        let (loss, gradient, _) = try batch.distilling(temperature: temperature).gradient(
            at: theta, over: samples, references: references, weight: weight)
        return (loss, gradient)
    }
}
