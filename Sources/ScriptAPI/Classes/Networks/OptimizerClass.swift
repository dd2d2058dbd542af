import Dynamics
import Experiments
import LuaBridge

/// An update rule: a value of its own, or that of a run, whose settings can be assigned.
final class OptimizerObject: LuaObject {
    private var own: any UpdateRule
    let run: Run?

    /// What its settings are to follow in a run.
    private let schedules: [(setting: String, value: SettingValue)]

    init(_ rule: any UpdateRule, schedules: [(setting: String, value: SettingValue)] = []) {
        (own, run, self.schedules) = (rule, nil, schedules)
    }

    /// An object that rules refer to before there is one: ``make(_:)`` follows.
    init(schedules: [(setting: String, value: SettingValue)]) {
        (own, run, self.schedules) = (SGD(learningRate: 1), nil, schedules)
    }

    func make(_ rule: any UpdateRule) { own = rule }

    /// The rule that a run has, whichever that is.
    init(of run: Run) { (own, self.run, schedules) = (run.rule, run, []) }

    /// Lets a run follow what was given in place of numbers.
    func schedule(in run: Run) throws {
        for (setting, value) in schedules { try value.assign(to: setting, of: run) { _ in } }
    }

    var rule: any UpdateRule { run?.rule ?? own }

    /// - Throws: `ArgumentError` for a rule that is nobody's: it is a value.
    func assign(_ setting: String, _ value: SettingValue) throws {
        guard let run else {
            throw ArgumentError(
                "an optimizer is a value: its \(setting) is given when it is made; that of a run can be assigned, as in "
                    + "run.optimizer.\(setting) = 0.5")
        }
        try value.assign(to: setting, of: run) { try run.setSetting(setting, $0) }
    }
}

extension ScriptHost {
    /// `optimizer`: an update rule with its settings.
    func optimizerClass() -> ObjectClass<OptimizerObject> {
        let rules = ObjectClass<OptimizerObject>(
            "optimizer", "An update rule with its settings: a value, or that of a run, whose settings can be assigned.")
        rules.guarding { try $0.run?.custody?.check() }
        rules.property("name", .string, "What the rule is called.") { $0.rule.name }
        rules.property("settings", .map(of: .number), "All its settings, by name.") {
            Dictionary(uniqueKeysWithValues: $0.rule.settings.map { ($0.name, $0.value) })
        }
        var seen: Set<String> = []
        let declared =
            RuleCatalogue.all.map { ($0.name, $0.settings) }
            + FieldCatalogue.all.map { ("field \($0.name)", $0.settings + [FieldRule.clipping]) }
        for setting in declared.flatMap(\.1) where seen.insert(setting.name).inserted {
            let takers = declared.filter { $0.1.contains { $0.name == setting.name } }.map(\.0)
            rules.property(
                setting.name, .scheduled(.number),
                setting.name == "lr"
                    ? setting.summary : "Of \(takers.joined(separator: ", ")): \(setting.summary)",
                get: { optimizer -> Double? in
                    let rule = optimizer.rule
                    let known = RuleCatalogue.declaration(of: rule.name)?.settings.first { $0.name == setting.name }
                    return rule.settings.first { $0.name == setting.name }?.value ?? known?.standard
                },
                set: { (optimizer: OptimizerObject, value: LuaValue) in
                    try optimizer.assign(setting.name, SettingValue(value, setting.name))
                })
        }
        rules.description { $0.rule.summary }
        return rules
    }
}
