import Dynamics
import LuaBridge

final class OptimizerObject: LuaObject {
    let rule: any UpdateRule
    init(_ rule: any UpdateRule) { self.rule = rule }
}

extension ScriptHost {
    /// `optimizer`: an update rule with its settings.
    func optimizerClass() -> ObjectClass<OptimizerObject> {
        let rules = ObjectClass<OptimizerObject>("optimizer", "An update rule with its settings; a value.")
        rules.property("name", .string, "What the rule is called.") { $0.rule.name }
        rules.property("lr", .number, "The learning rate.") { $0.rule.learningRate }
        rules.property("settings", .map(of: .number), "All its settings, by name.") {
            Dictionary(uniqueKeysWithValues: $0.rule.settings.map { ($0.name, $0.value) })
        }
        rules.description { $0.rule.summary }
        return rules
    }
}
