/// An update rule as it is offered: its name, what it does, the settings it takes and how it is made of them. From this one declaration
/// come the functions of `eoss.optim`, the check of settings that are assigned, and rules that are read from a checkpoint.
public struct RuleDeclaration: Sendable {
    /// What scripts call it: `adam`.
    public let name: String
    /// One sentence, with the source in square brackets.
    public let summary: String
    /// `lr` first.
    public let settings: [RuleSettingDeclaration]
    private let build: @Sendable ([String: Double]) throws -> any UpdateRule

    /// Whether it is an update, element by element, of whichever vector stands for the gradient.
    public var isElementwise: Bool {
        let least = Dictionary(settings.map { ($0.name, $0.standard ?? 1) }) { $1 }
        return (try? build(least)) is any ElementwiseRule
    }

    public init(
        _ name: String, _ summary: String, settings: [RuleSettingDeclaration],
        build: @escaping @Sendable ([String: Double]) throws -> any UpdateRule
    ) {
        self.name = name
        self.summary = summary
        self.settings = settings
        self.build = build
    }

    /// The rule with these settings; those not given have their defaults.
    /// - Throws: `UpdateRuleError` for a setting that it does not have or that cannot be, and where `lr` is missing.
    public func make(_ given: [String: Double]) throws -> any UpdateRule {
        for name in given.keys.sorted() where !settings.contains(where: { $0.name == name }) {
            throw UpdateRuleError.unknownSetting(rule: self.name, setting: name, known: settings.map(\.name))
        }
        var values: [String: Double] = [:]
        for setting in settings {
            guard let value = given[setting.name] ?? setting.standard else {
                throw UpdateRuleError.missingSetting(rule: name, setting: setting.name)
            }
            values[setting.name] = try setting.checked(value, of: name)
        }
        return try build(values)
    }
}

/// A setting of a rule, one number.
public struct RuleSettingDeclaration: Sendable {
    public enum Range: Sendable {
        case positive, nonNegative
        /// 0 ≤ x < 1.
        case share
        /// 0 or 1.
        case flag
        case any
    }

    public let name: String
    /// What holds where it is not given; nil for what must be.
    public let standard: Double?
    public let range: Range
    /// One sentence.
    public let summary: String

    public init(_ name: String, _ range: Range, default standard: Double? = nil, _ summary: String) {
        (self.name, self.range, self.standard, self.summary) = (name, range, standard, summary)
    }

    /// η.
    public static let learningRate = RuleSettingDeclaration("lr", .positive, "The learning rate η.")
    /// ω of ∇L + ωθ.
    public static let coupledDecay = RuleSettingDeclaration(
        "weight_decay", .nonNegative, default: 0, "ω of ∇L + ωθ, coupled: as if ½ω‖θ‖² were in the loss.")

    func checked(_ value: Double, of rule: String) throws -> Double {
        switch range {
        case .positive:
            guard value.isFinite, value > 0 else {
                throw UpdateRuleError.badSetting(rule: rule, setting: name, value: value, allowed: "a positive number")
            }
            return value
        case .flag:
            guard value == 0 || value == 1 else {
                throw UpdateRuleError.badSetting(rule: rule, setting: name, value: value, allowed: "true or false")
            }
            return value
        case .nonNegative: return try RuleSetting.nonNegative(value, name, of: rule)
        case .share: return try RuleSetting.share(value, name, of: rule)
        case .any:
            guard value.isFinite else {
                throw UpdateRuleError.badSetting(rule: rule, setting: name, value: value, allowed: "a finite number")
            }
            return value
        }
    }
}

/// All update rules, by name.
public enum RuleCatalogue {
    public static let all: [RuleDeclaration] = [
        SGD.declarations, HeavyBall.declarations, AdaptiveGradient.declarations, Adam.declarations,
        SignDescent.declarations, Muon.declarations, ExtraAdam.declarations, StochasticEquation.declarations,
        GradientFlow.declarations, ExponentialFlow.declarations, CentralFlow.declarations,
    ].flatMap { $0 }

    /// Also of an update with a gradient field, by both names: `momentum+sam`.
    public static func declaration(of name: String) -> RuleDeclaration? {
        all.first { $0.name == name } ?? FieldRule.declaration(of: name)
    }
}

extension UpdateRule {
    /// The rule with one setting changed, its state as it is.
    /// - Throws: `UpdateRuleError` for a setting that it does not have, or a value that cannot be.
    public func with(_ setting: String, _ value: Double) throws -> any UpdateRule {
        guard let declaration = RuleCatalogue.declaration(of: name) else {
            throw UpdateRuleError.unknownSetting(rule: name, setting: setting, known: settings.map(\.name))
        }
        var values = Dictionary(settings.map { ($0.name, $0.value) }) { $1 }
        values[setting] = value
        var changed = try declaration.make(values)
        changed.state = state
        return changed
    }
}
