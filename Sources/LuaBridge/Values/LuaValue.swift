/// A Lua value on the Swift side. Tables are copied; functions and objects are references.
public enum LuaValue {
    case `nil`
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    /// A string that is not UTF-8.
    case bytes(LuaBytes)
    case table(LuaTable)
    /// A list of numbers; only ever made by Swift, as a fast way to return many numbers.
    case numbers([Double])
    case function(LuaFunction)
    /// An object of a class known to the state.
    case object(AnyObject)
    /// A coroutine, or a userdata that is not ours, by the name of its type.
    case foreign(String)

    public var isNil: Bool {
        if case .nil = self { true } else { false }
    }

    /// The type's name as messages tell it.
    public var typeName: String {
        switch self {
        case .nil: "nil"
        case .boolean: "boolean"
        case .integer, .number: "number"
        case .string: "string"
        case .bytes: "string that is not UTF-8"
        case .table, .numbers: "table"
        case .function: "function"
        case .object(let object): declaredName(of: object)
        case .foreign(let name): name
        }
    }
}

/// A copy of a Lua table: the elements 1…n, and the entries with names.
public struct LuaTable {
    public var array: [LuaValue]
    public var fields: [LuaBytes: LuaValue]
    /// Entries whose key is neither a string nor in 1…n.
    public var others: [(key: LuaValue, value: LuaValue)]

    public init(array: [LuaValue] = [], fields: [LuaBytes: LuaValue] = [:]) {
        self.array = array
        self.fields = fields
        self.others = []
    }

    public init(array: [LuaValue] = [], named fields: [String: LuaValue]) {
        self.init(array: array, fields: Dictionary(uniqueKeysWithValues: fields.map { (LuaBytes($0.key), $0.value) }))
    }

    public subscript(name: String) -> LuaValue { fields[LuaBytes(name)] ?? .nil }
}

extension LuaValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .nil }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: LuaValue...) { self = .table(LuaTable(array: elements)) }
    public init(dictionaryLiteral elements: (LuaBytes, LuaValue)...) {
        self = .table(LuaTable(fields: Dictionary(elements, uniquingKeysWith: { $1 })))
    }
}
