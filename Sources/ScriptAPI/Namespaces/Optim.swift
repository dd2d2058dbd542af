import Dynamics
import LuaBridge

/// `eoss.optim` and `eoss.field`: update rules, and the gradients that they take, each as its catalogue declares it. Defaults are PyTorch's
/// or the paper's; the learning rate is always the script's to say.
extension ScriptHost {
    func addOptimizers(to eoss: Namespace) {
        let optim = eoss.namespace("optim", "Update rules.")
        let result = [Parameter("optimizer", .object("optimizer"), "The rule.")]
        for rule in RuleCatalogue.all where !rule.name.hasSuffix("_flow") {
            optim.function(
                rule.name, rule.summary,
                options: rule.settings.map(Parameter.init) + (rule.takesField ? Self.fieldOptions : []), results: result
            ) { call in
                guard rule.takesField else {
                    return try Given(call, rule.settings, "eoss.optim.\(rule.name)").make(rule)
                }
                let field: FieldObject? = try call.get("field")
                return try Given(call, rule.settings, "eoss.optim.\(rule.name)").make(
                    rule, field, clip: call.get("clip"))
            }
        }
        // The papers' own names: gradient descent, or momentum where a beta is given, by such a field.
        for field in FieldCatalogue.all {
            optim.function(
                field.name, "Descent by the field of this name. \(field.summary)",
                options: [
                    Parameter(.learningRate),
                    Parameter("beta", .number(.between(0, 1)), default: 0, "The momentum β, below 1."),
                    Parameter(.coupledDecay),
                ] + field.settings.map(Parameter.init) + [Self.fieldOptions[1]], results: result
            ) { call in
                let name = "eoss.optim.\(field.name)"
                let object = FieldObject(field, try Given(call, field.settings, name))
                let momentum: Double = try call.get("beta")
                guard let rule = RuleCatalogue.declaration(of: momentum == 0 ? "sgd" : "momentum") else {
                    throw ArgumentError("\(name): there is no such rule")
                }
                return try Given(call, rule.settings, name).make(rule, object, clip: call.get("clip"))
            }
        }
        addCustomOptimizer(to: optim)
        addFields(to: eoss)
        addFlows(to: eoss)
    }

    private func addFields(to eoss: Namespace) {
        let namespace = eoss.namespace(
            "field",
            "Gradients that rules take in place of that of the batch: eoss.optim.adam{ lr = 0.001, field = eoss.field.sam{ rho = 0.05 } }."
        )
        for field in FieldCatalogue.all {
            namespace.function(
                field.name, field.summary, options: field.settings.map(Parameter.init),
                results: [Parameter("field", .object("field"), "The field.")]
            ) { call in FieldObject(field, try Given(call, field.settings, "eoss.field.\(field.name)")) }
        }
    }

    private static let fieldOptions: [Parameter] = [
        .optional(
            "field", .object("field"), "Which vector stands for the gradient of the batch, that of eoss.field.sam, say."
        ),
        .optional("clip", .number(.positive), "The gradient is scaled by min(1, clip/(‖g‖ + 1e-6))."),
    ]

    /// `field`: a gradient field with its settings.
    func fieldClass() -> ObjectClass<FieldObject> {
        let fields = ObjectClass<FieldObject>(
            "field", "What a rule takes in place of the gradient of the batch; a value.")
        fields.property("name", .string, "What it is called.") { $0.declaration.name }
        fields.property("settings", .map(of: .number), "Its settings, by name.") { $0.given.numbers }
        fields.description { field in
            let settings = field.declaration.settings.compactMap { setting in
                field.given.numbers[setting.name].map { "\(setting.name) = \($0)" }
            }
            return "\(field.declaration.name){ \(settings.joined(separator: ", ")) }"
        }
        return fields
    }
}

/// A gradient field with its settings.
final class FieldObject: LuaObject {
    let declaration: FieldDeclaration
    let given: Given

    init(_ declaration: FieldDeclaration, _ given: Given) { (self.declaration, self.given) = (declaration, given) }
}

/// The settings that a call gives: numbers, and what others are to follow.
struct Given {
    var numbers: [String: Double] = [:]
    var schedules: [(setting: String, value: SettingValue)] = []

    init(_ call: borrowing LuaCall, _ settings: [RuleSettingDeclaration], _ name: String) throws {
        for setting in settings {
            var given = try call.value(setting.name)
            if case .boolean(let flag) = given { given = .integer(flag ? 1 : 0) }
            if given.isNil { continue }
            let value = try SettingValue(given, "option '\(setting.name)' of \(name)")
            switch value {
            case .number(let number): numbers[setting.name] = number
            case .schedule(let schedule): numbers[setting.name] = schedule.value(at: 0)
            // What a function gives is known in a run.
            case .function: numbers[setting.name] = setting.standard ?? 1
            }
            if case .number = value { continue }
            schedules.append((setting.name, value))
        }
    }

    func make(_ rule: RuleDeclaration, _ field: FieldObject? = nil, clip: Double? = nil) throws -> OptimizerObject {
        guard field != nil || clip != nil else { return OptimizerObject(try rule.make(numbers), schedules: schedules) }
        var all = numbers.merging(field?.given.numbers ?? [:]) { $1 }
        if let clip { all["clip"] = clip }
        guard let whole = RuleCatalogue.declaration(of: rule.name + "+" + (field?.declaration.name ?? "clipped")) else {
            throw ArgumentError("eoss.optim.\(rule.name) takes no field")
        }
        return OptimizerObject(try whole.make(all), schedules: schedules + (field?.given.schedules ?? []))
    }
}

extension RuleDeclaration {
    /// Whether it is an update of a vector, whichever that is.
    fileprivate var takesField: Bool { RuleCatalogue.declaration(of: name + "+clipped") != nil && isElementwise }
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
            case .flag: .boolean.or(.number(.nonNegative))
            }
        if let standard = setting.standard {
            let value = Int(exactly: standard).map { DefaultValue.integer($0) } ?? .number(standard)
            self.init(setting.name, .scheduled(type), default: value, setting.summary)
        } else {
            self.init(setting.name, .scheduled(type), setting.summary)
        }
    }
}
