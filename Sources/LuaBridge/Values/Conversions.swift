/// A Swift type whose values can be given to Lua.
public protocol LuaPushable: LuaReturnable {
    var luaValue: LuaValue { get }
}

/// A Swift type that can be made of a Lua value. Nil where the value does not fit: no number is made of a string, no
/// integer of 0.5.
public protocol LuaReadable {
    static func read(_ value: LuaValue) -> Self?
}

/// What a Swift function registered with Lua may return: nothing, a value, or several (`LuaResults`).
public protocol LuaReturnable {
    /// Pushes the results and returns their count.
    func push(to stack: LuaStack) throws -> Int32
}

extension LuaPushable {
    public func push(to stack: LuaStack) throws -> Int32 {
        try stack.push(luaValue)
        return 1
    }
}

/// Several results: `return a, b`.
public struct LuaResults: LuaReturnable {
    public var values: [LuaValue]

    public init(_ values: any LuaPushable...) { self.values = values.map(\.luaValue) }
    public init(values: [LuaValue]) { self.values = values }

    public func push(to stack: LuaStack) throws -> Int32 {
        try stack.reserve(values.count)
        for value in values { try stack.push(value) }
        return Int32(values.count)
    }
}

/// A class whose objects can be handed to Lua. `extension Run: LuaObject {}` is all it takes, beside an `ObjectClass<Run>` that
/// is installed in the state.
public protocol LuaObject: AnyObject, LuaPushable, LuaReadable {}

extension LuaObject {
    public var luaValue: LuaValue { .object(self) }

    public static func read(_ value: LuaValue) -> Self? {
        guard case .object(let object) = value else { return nil }
        return object as? Self
    }
}

/// A class whose objects stand for a number, as a measurement does: they go wherever Swift or Lua's own functions take a number.
/// Arithmetic and comparisons are the class's operators.
public protocol LuaNumeric: LuaObject {
    /// Nil for an object that stands for none.
    var number: Double? { get }
}

extension LuaValue: LuaPushable, LuaReadable {
    public var luaValue: LuaValue { self }
    public static func read(_ value: LuaValue) -> LuaValue? { value }
}

extension Bool: LuaPushable, LuaReadable {
    public var luaValue: LuaValue { .boolean(self) }
    public static func read(_ value: LuaValue) -> Bool? {
        if case .boolean(let flag) = value { flag } else { nil }
    }
}

extension Int: LuaPushable, LuaReadable {
    public var luaValue: LuaValue { .integer(self) }
    public static func read(_ value: LuaValue) -> Int? {
        switch value {
        case .integer(let integer): integer
        case .number(let number): Int(exactly: number)
        default: nil
        }
    }

    public func push(to stack: LuaStack) throws -> Int32 {
        try stack.push(self)
        return 1
    }
}

extension Double: LuaPushable, LuaReadable {
    public var luaValue: LuaValue { .number(self) }
    public static func read(_ value: LuaValue) -> Double? {
        switch value {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        case .object(let object): (object as? any LuaNumeric)?.number
        default: nil
        }
    }

    public func push(to stack: LuaStack) throws -> Int32 {
        try stack.push(self)
        return 1
    }
}

extension String: LuaPushable, LuaReadable {
    public var luaValue: LuaValue { .string(self) }
    public static func read(_ value: LuaValue) -> String? {
        if case .string(let text) = value { text } else { nil }
    }
}

extension Optional: LuaReturnable where Wrapped: LuaPushable {
    public func push(to stack: LuaStack) throws -> Int32 { try luaValue.push(to: stack) }
}

extension Optional: LuaPushable where Wrapped: LuaPushable {
    public var luaValue: LuaValue { self?.luaValue ?? .nil }
}

extension Optional: LuaReadable where Wrapped: LuaReadable {
    public static func read(_ value: LuaValue) -> Wrapped?? {
        value.isNil ? .some(nil) : Wrapped.read(value).map { .some($0) }
    }
}

extension Array: LuaReturnable where Element: LuaPushable {
    public func push(to stack: LuaStack) throws -> Int32 { try luaValue.push(to: stack) }
}

extension Array: LuaPushable where Element: LuaPushable {
    public var luaValue: LuaValue {
        if let numbers = self as? [Double] { return .numbers(numbers) }
        return .table(LuaTable(array: map(\.luaValue)))
    }
}

extension Array: LuaReadable where Element: LuaReadable {
    /// Lists only: a table with named entries does not fit.
    public static func read(_ value: LuaValue) -> [Element]? {
        guard case .table(let table) = value, table.fields.isEmpty, table.others.isEmpty else { return nil }
        var elements: [Element] = []
        elements.reserveCapacity(table.array.count)
        for entry in table.array {
            guard let element = Element.read(entry) else { return nil }
            elements.append(element)
        }
        return elements
    }
}

extension Dictionary: LuaReturnable where Key == String, Value: LuaPushable {
    public func push(to stack: LuaStack) throws -> Int32 { try luaValue.push(to: stack) }
}

extension Dictionary: LuaPushable where Key == String, Value: LuaPushable {
    public var luaValue: LuaValue { .table(LuaTable(named: mapValues(\.luaValue))) }
}

extension Dictionary: LuaReadable where Key == String, Value: LuaReadable {
    /// Tables with names only: one with elements does not fit, nor one whose names are not text, or the same text twice.
    public static func read(_ value: LuaValue) -> [String: Value]? {
        guard case .table(let table) = value, table.array.isEmpty, table.others.isEmpty else { return nil }
        var entries: [String: Value] = [:]
        for (bytes, entry) in table.fields {
            guard let name = bytes.text, let read = Value.read(entry), entries.updateValue(read, forKey: name) == nil
            else { return nil }
        }
        return entries
    }
}

extension LuaTable: LuaPushable, LuaReadable {
    public var luaValue: LuaValue { .table(self) }
    public static func read(_ value: LuaValue) -> LuaTable? {
        if case .table(let table) = value { table } else { nil }
    }
}

extension LuaFunction: LuaPushable, LuaReadable {
    public var luaValue: LuaValue { .function(self) }
    public static func read(_ value: LuaValue) -> LuaFunction? {
        if case .function(let function) = value { function } else { nil }
    }
}
