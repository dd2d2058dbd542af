/// A parameter or an option of a function, a field of a record, or a result: declared once, for the check, the errors, help,
/// completion and reference.
public struct Parameter: Sendable, Equatable {
    public let name: String
    public let type: LuaType
    /// The value where none is given, in Lua's spelling for documentation (`16`, `"relu"`, `{200, 200}`).
    public let defaultValue: DefaultValue?
    public let isRequired: Bool
    /// The unit or scale, such as "steps" or "seconds"; empty for none.
    public let unit: String
    /// One sentence.
    public let summary: String

    /// A required parameter.
    public init(_ name: String, _ type: LuaType, unit: String = "", _ summary: String) {
        self.init(name, type, default: nil, isRequired: true, unit: unit, summary)
    }

    /// A parameter with a default.
    public init(_ name: String, _ type: LuaType, default value: DefaultValue, unit: String = "", _ summary: String) {
        self.init(name, type, default: value, isRequired: false, unit: unit, summary)
    }

    /// A parameter that may be left out, and then is nil.
    public static func optional(_ name: String, _ type: LuaType, unit: String = "", _ summary: String) -> Parameter {
        Parameter(name, type, default: nil, isRequired: false, unit: unit, summary)
    }

    private init(
        _ name: String, _ type: LuaType, default value: DefaultValue?, isRequired: Bool, unit: String,
        _ summary: String
    ) {
        self.name = name
        self.type = type
        self.defaultValue = value
        self.isRequired = isRequired
        self.unit = unit
        self.summary = summary
    }
}

/// A default: a plain value, written as a literal.
public enum DefaultValue: Sendable, Equatable, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral
{
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case list([DefaultValue])

    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: DefaultValue...) { self = .list(elements) }

    public var luaValue: LuaValue {
        switch self {
        case .boolean(let flag): .boolean(flag)
        case .integer(let integer): .integer(integer)
        case .number(let number): .number(number)
        case .string(let text): .string(text)
        case .list(let elements): .table(LuaTable(array: elements.map(\.luaValue)))
        }
    }

    /// As Lua writes it.
    public var spelling: String { luaValue.literal }
}

/// A function or method as scripts see it.
///
/// How it may be called follows from what is declared:
///  - `f(a, b)`: `parameters` in order;
///  - `f(a, b, { … })`: then a table of `options`, also where trailing parameters are left out: `f(a, { … })`;
///  - `f{ … }`: options alone, or with the parameters by name where the first of them cannot be a table itself;
///  - `f{ x, y, … , option = … }`: with `items`, the elements of the same table;
///  - `f(a, x, y, …)`: with `rest`, any number of further arguments.
public final class FunctionDeclaration: Sendable {
    /// As messages and documentation call it: `lab.nn.mlp`, `run:train`.
    public let name: String
    public let summary: String
    public let parameters: [Parameter]
    public let options: [Parameter]
    /// What the elements of the table of options must be, and what they mean.
    public let items: Parameter?
    /// What arguments after the parameters must be, and what they mean.
    public let rest: Parameter?
    public let results: [Parameter]
    /// True for a function that is called as `object:name(…)`.
    public let isMethod: Bool
    /// True for one that stands at the head of a `for` loop, whose variables are the results.
    public let isIterator: Bool
    /// For each parameter, the check that a call with all arguments in place needs; nil where there is more than parameters.
    let quickChecks: [QuickCheck]?

    public init(
        _ name: String, _ summary: String, parameters: [Parameter] = [], options: [Parameter] = [],
        items: Parameter? = nil, rest: Parameter? = nil, results: [Parameter] = [], isMethod: Bool = false,
        isIterator: Bool = false
    ) {
        self.name = name
        self.summary = summary
        self.parameters = parameters
        self.options = options
        self.items = items
        self.rest = rest
        self.results = results
        self.isMethod = isMethod
        self.isIterator = isIterator
        quickChecks = options.isEmpty && items == nil && rest == nil ? parameters.map { QuickCheck($0.type) } : nil
    }

    /// `lab.nn.linear(inputs, outputs[, { bias }])`
    public var signature: String {
        var written = parameters.map { $0.isRequired ? $0.name : "[\($0.name)]" }
        if rest != nil { written.append("...") }
        let fields = (items.map { ["\($0.name)…"] } ?? []) + options.map { $0.isRequired ? $0.name : "[\($0.name)]" }
        if written.isEmpty, !fields.isEmpty { return "\(name){ \(fields.joined(separator: ", ")) }" }
        if !fields.isEmpty { written.append("{ \(fields.joined(separator: ", ")) }") }
        return "\(name)(\(written.joined(separator: ", ")))"
    }
}
