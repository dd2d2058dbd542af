import Datasets
import Foundation
import Graph
import LuaBridge
import Networks

/// What the functions of `eoss` and the operators compute with: a tensor of a function that is being traced, or numbers. Each is
/// written once, for tensors.
enum Operand: LuaReadable {
    case tensor(TensorObject)
    case numbers(Numbers)
    /// A comparison of two numbers.
    case flag(Bool)

    static func read(_ value: LuaValue) -> Operand? {
        if let tensor = TensorObject.read(value) { return .tensor(tensor) }
        return Numbers.read(value).map { .numbers($0) }
    }

    /// What goes into the operations.
    static let type = LuaType.object("tensor").or(.number).or(.object("array")).or(.vector).or(.list(of: .number))

    private var tensor: TensorObject? { if case .tensor(let tensor) = self { tensor } else { nil } }

    private var numbers: Numbers? {
        switch self {
        case .tensor: nil
        case .numbers(let numbers): numbers
        case .flag(let flag): .integer(flag ? 1 : 0)
        }
    }

    /// How a function treats numbers.
    struct Rules {
        /// So many operands at the beginning are conditions.
        var conditions = 0
        /// Whether lists must be of one length.
        var isElementwise = true
        /// What it gives for a list without numbers; nil for such a list.
        var empty: Double?
        /// Whether it gives conditions.
        var isComparison = false
        /// A faster way for numbers, or the only one.
        var ofNumbers: (([Numbers]) throws -> LuaValue?)?
    }

    /// A function of these operands: where there is a tensor among them a tensor, and numbers are constants to it; else numbers.
    static func computed(
        _ operands: [Operand], _ what: String, _ rules: Rules = Rules(), _ body: ([Symbolic]) throws -> Symbolic
    ) throws -> LuaValue {
        let tensors = operands.compactMap(\.tensor)
        guard let trace = try Trace.of(tensors) else {
            return try computed(operands.compactMap(\.numbers), what, rules, body)
        }
        let symbols = try tensors.map(trace.symbol(of:))
        // Numbers take the element type of a tensor that is no condition.
        guard let model = symbols.first(where: { $0.type.element != .bool }) else {
            throw ArgumentError("\(what): beside a comparison of tensors one operand must be a tensor")
        }
        let all = try operands.enumerated().map { index, operand -> Symbolic in
            if let tensor = operand.tensor { return try trace.symbol(of: tensor) }
            guard let numbers = operand.numbers else { return model }
            let constant =
                numbers.shape.isEmpty
                ? try model.constant(numbers.values[0]) : try model.constants(numbers.values, shape: numbers.shape)
            return index < rules.conditions ? try constant.compared(.ne, to: model.constant(0)) : constant
        }
        return .object(TensorObject(try body(all), trace))
    }

    private static func computed(
        _ numbers: [Numbers], _ what: String, _ rules: Rules, _ body: ([Symbolic]) throws -> Symbolic
    ) throws -> LuaValue {
        if rules.isElementwise { try Numbers.requireOneShape(numbers, for: what) }
        if let empty = numbers.first(where: \.isEmpty) {
            if let value = rules.empty { return .number(value) }
            if rules.isComparison {
                return .object(ArrayObject(try NDArray(shape: empty.shape, element: .bool) { _ in }))
            }
            return try Numbers.mapped(empty, empty) { x, _ in x }
        }
        if let value = try rules.ofNumbers?(numbers) { return value }
        return try Numbers.computed(numbers, conditions: rules.conditions) { symbols in
            let conditions = try symbols.prefix(rules.conditions).map { condition in
                condition.type.element == .bool ? condition : try condition.compared(.ne, to: condition.constant(0))
            }
            return try body(conditions + symbols.dropFirst(rules.conditions))
        }
    }
}
