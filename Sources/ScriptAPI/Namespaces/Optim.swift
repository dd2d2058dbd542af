import Dynamics
import LuaBridge

/// `eoss.optim`: update rules, each as the catalogue declares it. Defaults are PyTorch's; the learning rate is always the script's to say.
extension ScriptHost {
    func addOptimizers(to eoss: Namespace) {
        let optim = eoss.namespace("optim", "Update rules.")
        for rule in RuleCatalogue.all {
            optim.function(
                rule.name, rule.summary, options: rule.settings.map(Parameter.init),
                results: [Parameter("optimizer", .object("optimizer"), "The rule.")]
            ) { call in
                var settings: [String: Double] = [:]
                for setting in rule.settings { settings[setting.name] = try call.get(setting.name, as: Double.self) }
                return OptimizerObject(try rule.make(settings))
            }
        }
    }
}

extension Parameter {
    /// A setting of a rule, as an option.
    init(_ setting: RuleSettingDeclaration) {
        let type: LuaType =
            switch setting.range {
            case .positive: .number(.positive)
            case .nonNegative: .number(.nonNegative)
            case .share: .number(.between(0, 1))
            case .any: .number(.finite)
            }
        if let standard = setting.standard {
            let value = Int(exactly: standard).map { DefaultValue.integer($0) } ?? .number(standard)
            self.init(setting.name, type, default: value, setting.summary)
        } else {
            self.init(setting.name, type, setting.summary)
        }
    }
}
