import Experiments
import LuaBridge

/// When a quantity is measured, as scripts say it to `track`.
extension Cadence {
    static let parameters: [Parameter] = [
        .optional(
            "every", .integer(.positive).or(.record(growingParameters)), unit: "steps",
            "At which steps: its multiples, or steps with growing spacings. Every step by default; with 'at' alone none."
        ),
        .optional("at", .list(of: .integer(.nonNegative)), unit: "steps", "At these steps, and at those of 'every'."),
        .optional(
            "when", .function(("run", .object("run")), returns: .boolean),
            "Asked at each of these steps: measures there if it returns true. Of quantities of a step before that step."
        ),
        .optional(
            "budget", .number(.between(0, 1)),
            "The share of the run's work, in the cost model's operations, that all its quantities together may take. "
                + "Those with a budget share it: cheap ones are measured at each step of 'every', dear ones when they can be "
                + "paid for. Steps of 'at' are measured whatever they cost."),
    ]

    private static let growingParameters = [
        Parameter("first", .integer(.positive), default: 10, unit: "steps", "The first spacing."),
        Parameter("growth", .number(.atLeast(1)), default: 1.05, "By what factor spacings grow."),
        .optional("max", .integer(.positive), unit: "steps", "The largest spacing."),
    ]

    /// What a call of `track` gives.
    init(_ call: borrowing LuaCall, of run: Run, names: [String], host: ScriptHost) throws {
        let condition: Condition?
        if try call.has("when") {
            let callback = try call.capture("when", in: run)
            condition = { [unowned host] run in
                let result = try host.answer(of: callback, named: "when", for: run)
                guard case .boolean(let flag) = result else {
                    throw ArgumentError(
                        "'when' of \(names.joined(separator: ", ")) returned \(result.typeName), true or false is needed"
                    )
                }
                return flag
            }
        } else {
            condition = nil
        }
        let spacing = try Cadence.spacing(call.value("every"))
        let steps: [Int]? = try call.get("at", as: [Int]?.self)
        if let steps { try Self.check(steps, in: run, alone: spacing == nil) }
        try self.init(spacing, at: steps ?? [], when: condition, budget: call.get("budget"))
    }

    /// Steps at which nothing would ever be measured are a mistake.
    private static func check(_ steps: [Int], in run: Run, alone: Bool) throws {
        guard let last = steps.max() else {
            throw ArgumentError("'at' is empty: name at least one step, or leave it out")
        }
        if alone, last < run.step {
            throw ArgumentError(
                "'at': nothing would be measured: the last of its steps is \(last), and run '\(run.name)' is at step "
                    + "\(run.step); run:measure measures now")
        }
    }

    private static func spacing(_ value: LuaValue) throws -> Spacing? {
        if let count = Int.read(value) { return .every(count) }
        guard case .table(let table) = value else { return nil }
        func integer(_ name: String) -> Int? { Int.read(table[name]) }
        return .growing(
            try GrowingSteps(
                first: integer("first") ?? 10, growth: Double.read(table["growth"]) ?? 1.05,
                max: integer("max") ?? .max))
    }
}
