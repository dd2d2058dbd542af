import Compute
import Graph

/// State vectors of rules, and what is made of them.
enum RuleState {
    /// Calls `body` with each element of a vector, in f64, and of the gradient.
    @inline(__always)
    private static func update(_ a: inout Vector, with gradient: Vector, _ body: (inout Double, Double) -> Void) throws
    {
        let (count, element) = (a.count, a.element)
        try a.withUnsafeMutableBytes { a in
            gradient.withUnsafeBytes { g in
                if element == .f32 {
                    let (a, g) = (a.assumingMemoryBound(to: Float.self), g.assumingMemoryBound(to: Float.self))
                    for i in 0..<count {
                        var x = Double(a[i])
                        body(&x, Double(g[i]))
                        a[i] = Float(x)
                    }
                } else {
                    let (a, g) = (a.assumingMemoryBound(to: Double.self), g.assumingMemoryBound(to: Double.self))
                    for i in 0..<count { body(&a[i], g[i]) }
                }
            }
        }
    }

    private static func check(_ state: Vector, _ other: Vector, of rule: String) throws {
        guard state.count == other.count, state.element == other.element else {
            throw UpdateRuleError.otherModel(rule: rule, state: state.count, parameters: other.count)
        }
    }

    /// The diagonal of a preconditioner: ν, once `gradient` has entered it, after `finish`.
    /// - Throws: `UpdateRuleError` where nothing has entered ν, or an entry is not positive.
    static func roots(
        of nu: Vector?, after gradient: Vector?, rule: String, enter: (inout Double, Double) -> Void,
        finish: (inout Double) -> Void
    ) throws -> Vector {
        guard let like = nu ?? gradient else { throw UpdateRuleError.noGradientYet(rule: rule) }
        var result = try nu ?? Vector(zeros: like.count, element: like.element, for: "a preconditioner")
        var zeros = 0
        if let gradient {
            try check(result, gradient, of: rule)
            try update(&result, with: gradient) { x, g in
                enter(&x, g)
                finish(&x)
                if !(x > 0) { zeros += 1 }
            }
        } else {
            try update(&result, with: like) { x, _ in
                finish(&x)
                if !(x > 0) { zeros += 1 }
            }
        }
        if zeros > 0 { throw UpdateRuleError.notPositive(rule: rule, count: zeros) }
        return result
    }
}

/// Checks of settings.
enum RuleSetting {
    static func nonNegative(_ value: Double, _ setting: String, of rule: String) throws -> Double {
        guard value.isFinite, value >= 0 else {
            throw UpdateRuleError.badSetting(rule: rule, setting: setting, value: value, allowed: "0 or larger")
        }
        return value
    }

    /// 0 ≤ x < 1.
    static func share(_ value: Double, _ setting: String, of rule: String) throws -> Double {
        guard value >= 0, value < 1 else {
            throw UpdateRuleError.badSetting(rule: rule, setting: setting, value: value, allowed: "from 0 to below 1")
        }
        return value
    }

    /// A setting, left out of a summary where it has its plain value.
    static func unless(_ plain: Double, _ name: String, _ value: Double) -> [(name: String, value: Double)] {
        value == plain ? [] : [(name, value)]
    }
}
