import Dynamics
import Experiments
import LuaBridge

/// An update rule: a value of its own, or that of a run, whose settings can be assigned.
final class OptimizerObject: LuaObject {
    private let own: any UpdateRule
    private let run: Run?

    init(_ rule: any UpdateRule) { (own, run) = (rule, nil) }

    /// The rule that a run has, whichever that is.
    init(of run: Run) { (own, self.run) = (run.rule, run) }

    var rule: any UpdateRule { run?.rule ?? own }

    /// - Throws: `ArgumentError` for a rule that is nobody's: it is a value.
    func assign(_ setting: String, _ value: Double) throws {
        guard let run else {
            throw ArgumentError(
                "an optimizer is a value: its \(setting) is given when it is made; that of a run can be assigned, as in "
                    + "run.optimizer.\(setting) = \(value)")
        }
        try run.setSetting(setting, value)
    }
}

extension ScriptHost {
    /// `optimizer`: an update rule with its settings.
    func optimizerClass() -> ObjectClass<OptimizerObject> {
        let rules = ObjectClass<OptimizerObject>(
            "optimizer", "An update rule with its settings: a value, or that of a run, whose settings can be assigned.")
        rules.property("name", .string, "What the rule is called.") { $0.rule.name }
        rules.property("settings", .map(of: .number), "All its settings, by name.") {
            Dictionary(uniqueKeysWithValues: $0.rule.settings.map { ($0.name, $0.value) })
        }
        var seen: Set<String> = []
        for setting in RuleCatalogue.all.flatMap(\.settings) where seen.insert(setting.name).inserted {
            let takers = RuleCatalogue.all.filter { $0.settings.contains { $0.name == setting.name } }.map(\.name)
            rules.property(
                setting.name, .number,
                takers.count == RuleCatalogue.all.count
                    ? setting.summary : "Of \(takers.joined(separator: ", ")): \(setting.summary)",
                get: { optimizer -> Double? in
                    let rule = optimizer.rule
                    let known = RuleCatalogue.declaration(of: rule.name)?.settings.first { $0.name == setting.name }
                    return rule.settings.first { $0.name == setting.name }?.value ?? known?.standard
                }, set: { (optimizer: OptimizerObject, value: Double) in try optimizer.assign(setting.name, value) })
        }
        rules.description { $0.rule.summary }
        return rules
    }
}
