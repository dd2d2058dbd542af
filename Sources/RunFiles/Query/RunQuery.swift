import Experiments
import Foundation

/// A condition on runs, such as `lr > 0.1 and state == done`, as text that people write.
///
/// Names are those of ``RunField``; what a run does not have is unlike any value, so that a comparison with it does not hold (`x == nil`
/// asks for that). Numbers, texts in quotes, `true`, `false`, `nil`; `+ - * /`, `< <= > >= == !=` (or `=`, `~=`), `not and or`, brackets.
/// A name alone holds where there is such a value that is not false. What `state` is compared with needs no quotes.
public struct RunQuery: Sendable {
    public let text: String
    let condition: Node
    /// The names in it, each with its place.
    let fields: [(field: RunField, place: Int)]

    indirect enum Node: Sendable {
        case value(RunValue?)
        case field(RunField)
        case not(Node)
        case negative(Node)
        case binary(Operator, Node, Node)
    }

    enum Operator: String, Sendable {
        case or, and
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case equal = "=="
        case unequal = "!="
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
    }

    /// - Throws: ``RunQueryError`` for what is no condition, with its place.
    public init(_ text: String) throws(RunQueryError) {
        var parser = RunQueryParser(text)
        self.text = text
        condition = try parser.condition()
        fields = parser.fields
    }

    /// One name alone, as lists are sorted by.
    public static func field(_ text: String) throws(RunQueryError) -> RunField {
        let query = try RunQuery(text)
        guard case .field(let field) = query.condition else {
            throw RunQueryError(text: text, place: 0, reason: "one name is needed here, such as lr, loss or age")
        }
        return field
    }

    /// Several names, with commas between them.
    public static func fields(_ text: String) throws(RunQueryError) -> [RunField] {
        var fields: [RunField] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            fields.append(try field(String(part)))
        }
        return fields
    }

    /// Those of these runs for which it holds; a file that cannot be read is never among them.
    /// - Throws: ``RunQueryError`` for a name that none of the runs has, where there are any: it is misspelt.
    public func matches(in runs: [ListedRun]) throws(RunQueryError) -> [ListedRun] {
        for (field, place) in fields { try Self.check(field, text, place, runs) }
        let now = Date()
        return runs.filter { run in run.run != nil && Self.isTrue(Self.value(of: condition, run, now)) }
    }

    /// - Throws: ``RunQueryError`` for a name that none of the runs has, where there are any.
    public static func check(_ fields: [RunField], in runs: [ListedRun]) throws(RunQueryError) {
        for field in fields { try check(field, field.words, 0, runs) }
    }

    private static func check(
        _ field: RunField, _ text: String, _ place: Int, _ runs: [ListedRun]
    ) throws(RunQueryError) {
        guard runs.contains(where: { $0.run != nil }), !runs.has(field) else { return }
        let known = runs.names(in: field.scope)
        let list = known.prefix(12).map { $0.label(40) }.joined(separator: ", ")
        let own = field.scope == .any ? RunField.own : []
        let near = ExperimentError.suggestion(field.name, known + own).printable
        let hint = near.isEmpty && !list.isEmpty ? "; there are \(list)" : near
        throw RunQueryError(
            text: text, place: place, reason: "no run here has '\(field.words)'\(hint)")
    }

    private static func value(of node: Node, _ run: ListedRun, _ now: Date) -> RunValue? {
        switch node {
        case .value(let value): return value
        case .field(let field): return field.value(in: run, now: now)
        case .not(let inner): return .truth(!isTrue(value(of: inner, run, now)))
        case .negative(let inner): return number(value(of: inner, run, now)).map { .number(-$0) }
        case .binary(.and, let a, let b):
            return .truth(isTrue(value(of: a, run, now)) && isTrue(value(of: b, run, now)))
        case .binary(.or, let a, let b):
            return .truth(isTrue(value(of: a, run, now)) || isTrue(value(of: b, run, now)))
        case .binary(let symbol, let a, let b):
            let sides = (value(of: a, run, now), value(of: b, run, now))
            if case .value(nil) = a { return .truth(isNothing(symbol, sides.1)) }
            if case .value(nil) = b { return .truth(isNothing(symbol, sides.0)) }
            guard let left = sides.0, let right = sides.1 else { return nil }
            return result(symbol, left, right)
        }
    }

    private static func isNothing(_ symbol: Operator, _ value: RunValue?) -> Bool {
        symbol == .equal && value == nil || symbol == .unequal && value != nil
    }

    private static func isTrue(_ value: RunValue?) -> Bool { value != nil && value != .truth(false) }

    private static func number(_ value: RunValue?) -> Double? {
        if case .number(let number)? = value { number } else { nil }
    }

    private static func result(_ symbol: Operator, _ left: RunValue, _ right: RunValue) -> RunValue? {
        if symbol == .equal { return .truth(isSame(left, right)) }
        if symbol == .unequal { return .truth(!isSame(left, right)) }
        switch (left, right) {
        case (.number(let a), .number(let b)):
            switch symbol {
            case .add: return .number(a + b)
            case .subtract: return .number(a - b)
            case .multiply: return .number(a * b)
            case .divide: return .number(a / b)
            default: return .truth(holds(symbol, a, b))
            }
        case (.text(let a), .text(let b)): return .truth(holds(symbol, a, b))
        default: return nil
        }
    }

    /// `loss == nan` finds what has diverged.
    private static func isSame(_ a: RunValue, _ b: RunValue) -> Bool {
        if case (.number(let a), .number(let b)) = (a, b), a.isNaN, b.isNaN { return true }
        // By bytes: another spelling of the same letters is another name.
        if case (.text(let a), .text(let b)) = (a, b) { return a.utf8.elementsEqual(b.utf8) }
        return a == b
    }

    private static func holds<Value: Comparable>(_ symbol: Operator, _ a: Value, _ b: Value) -> Bool {
        switch symbol {
        case .less: a < b
        case .lessOrEqual: a <= b
        case .greater: a > b
        case .greaterOrEqual: a >= b
        default: false
        }
    }
}

/// What is wrong with a condition, and where.
public struct RunQueryError: Error, Sendable, Equatable, CustomStringConvertible {
    public let text: String
    /// The character at which it is noticed, from 0.
    public let place: Int
    public let reason: String

    /// The reason, and below it the condition with a mark under the place.
    public var description: String {
        let shown = text.map { String($0).printable }
        let before = shown.prefix(place).joined()
        return "\(reason), at character \(place + 1)\n  \(shown.joined())\n  "
            + String(repeating: " ", count: before.count) + "^"
    }
}
