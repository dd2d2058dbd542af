import CLua

/// Gives bytes to a function of the shim.
@inline(__always)
func withBytes<Result>(_ bytes: LuaBytes, _ body: (UnsafePointer<CChar>?, Int) -> Result) -> Result {
    bytes.bytes.withUnsafeBytes { body($0.bindMemory(to: CChar.self).baseAddress, $0.count) }
}

/// Gives the UTF-8 bytes of the text to a function of the shim.
@inline(__always)
func withBytes<Result>(_ text: String, _ body: (UnsafePointer<CChar>?, Int) -> Result) -> Result {
    var text = text
    return text.withUTF8 { bytes in
        bytes.withMemoryRebound(to: CChar.self) { body($0.baseAddress, $0.count) }
    }
}

/// The stack of the running Lua thread: where values are pushed and read. No operation here lets a Lua error through; each
/// throws a `LuaError` where Lua has no memory or no stack left.
public struct LuaStack {
    unowned(unsafe) let state: LuaState
    let lua: OpaquePointer

    var top: Int32 { clua_top(lua) }

    func setTop(_ index: Int32) { clua_set_top(lua, index) }

    @inline(__always)
    func check(_ status: clua_status) throws {
        if status != CLUA_OK { throw state.error(for: status) }
    }

    func reserve(_ slots: Int) throws {
        guard slots < 900_000 else { throw LuaError(.stackOverflow, "too many values at once (\(slots))") }
        try check(clua_reserve(lua, Int32(slots)))
    }

    // MARK: pushing

    @inline(__always)
    public func push(_ number: Double) throws { try check(clua_push_number(lua, number)) }

    @inline(__always)
    public func push(_ integer: Int) throws { try check(clua_push_integer(lua, Int64(integer))) }

    public func push(_ text: String) throws {
        try check(withBytes(text) { clua_push_string(lua, $0, $1) })
    }

    public func push(_ value: LuaValue) throws {
        switch value {
        case .nil: try check(clua_push_nil(lua))
        case .boolean(let flag): try check(clua_push_boolean(lua, flag))
        case .integer(let integer): try push(integer)
        case .number(let number): try push(number)
        case .string(let text): try push(text)
        case .bytes(let bytes): try check(withBytes(bytes) { clua_push_string(lua, $0, $1) })
        case .numbers(let numbers):
            try check(numbers.withUnsafeBufferPointer { clua_push_numbers(lua, $0.baseAddress, Int64($0.count)) })
        case .table(let table): try push(table)
        case .function(let function): try state.push(function.anchor, to: lua)
        case .object(let object): try state.push(object: object, to: self)
        case .foreign(let name): throw ArgumentError("a \(name) cannot be given back to Lua")
        }
    }

    func push(_ table: LuaTable) throws {
        try check(clua_new_table(lua, Int32(clamping: table.array.count), Int32(clamping: table.fields.count)))
        let index = top
        for (i, value) in table.array.enumerated() {
            try push(value)
            try check(clua_set_index(lua, index, Int64(i + 1)))
        }
        // Sorted, so that the table Lua sees does not depend on Swift's hashing.
        for (name, value) in table.fields.sorted(by: { $0.key < $1.key }) {
            try push(value)
            try check(withBytes(name) { clua_set_field(lua, index, $0, $1) })
        }
    }

    /// table[name] = the value on top, which is popped.
    func setField(_ table: Int32, _ name: String) throws {
        try check(withBytes(name) { clua_set_field(lua, table, $0, $1) })
    }

    /// Pushes table[name].
    func pushField(_ table: Int32, _ name: String) throws {
        try check(withBytes(name) { clua_get_field(lua, table, $0, $1) })
    }

    // MARK: reading

    /// The bytes of a string (not of a number), valid while it is on the stack.
    private func bytes(at index: Int32) -> UnsafeRawBufferPointer? {
        var length = 0
        guard let bytes = clua_to_string(lua, index, &length) else { return nil }
        return UnsafeRawBufferPointer(start: bytes, count: length)
    }

    /// A string as text, for messages and names: bytes that are not UTF-8 are written as in Lua, `\255`.
    func string(at index: Int32) -> String? { bytes(at: index).map(Self.shown) }

    private static func shown(_ bytes: some Collection<UInt8>) -> String {
        String(validating: bytes, as: UTF8.self) ?? LuaBytes(bytes).description
    }

    /// A string as it is: text, or bytes that are not UTF-8.
    func exactString(at index: Int32) -> LuaValue {
        guard let bytes = bytes(at: index) else { return .nil }
        return String(validating: bytes, as: UTF8.self).map { .string($0) } ?? .bytes(LuaBytes(bytes))
    }

    /// True for a string that is text.
    func isText(at index: Int32) -> Bool {
        if case .string = exactString(at: index) { true } else { false }
    }

    /// The bytes of a string.
    func byteString(at index: Int32) -> LuaBytes? { bytes(at: index).map { LuaBytes($0) } }

    /// A number as Lua writes it.
    func number(at index: Int32) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
            guard let base = text.baseAddress, clua_write_number(lua, index, base, text.count) else { return nil }
            return String(cString: base)
        }
    }

    func object(at index: Int32) -> AnyObject? {
        clua_to_object(lua, index, nil).map { Unmanaged<AnyObject>.fromOpaque($0).takeUnretainedValue() }
    }

    /// A copy of the value; what is a function is anchored until the present call into Swift returns.
    func value(at index: Int32) throws -> LuaValue {
        var reader = TableReader(stack: self)
        return try reader.value(at: index)
    }

    /// The value without a copy of its content, as messages show it: "nil", "'abc' (a string)", "a table", "-1".
    func shown(at index: Int32) -> String {
        switch clua_type(lua, index) {
        case CLUA_NIL, CLUA_NONE: return "nil"
        case CLUA_BOOLEAN: return clua_to_boolean(lua, index) ? "true" : "false"
        case CLUA_NUMBER:
            return number(at: index) ?? "a number"
        case CLUA_STRING:
            // Four bytes a character at most: a long string is not read to its end.
            let bytes = bytes(at: index) ?? UnsafeRawBufferPointer(start: nil, count: 0)
            let text = Self.shown(bytes.prefix(164))
            let kind = isText(at: index) ? "a string" : "a string that is not UTF-8"
            return "'\(text.prefix(40))\(text.count > 40 ? "…" : "")' (\(kind))"
        case CLUA_USERDATA:
            if clua_to_error(lua, index) != nil { return "an error" }
            return object(at: index).map { state.className(of: $0).withArticle } ?? "a userdata"
        case let kind: return kind.name.withArticle
        }
    }
}

extension clua_kind {
    var name: String {
        switch self {
        case CLUA_BOOLEAN: "boolean"
        case CLUA_NUMBER: "number"
        case CLUA_STRING: "string"
        case CLUA_TABLE: "table"
        case CLUA_FUNCTION: "function"
        case CLUA_THREAD: "coroutine"
        case CLUA_USERDATA, CLUA_POINTER: "userdata"
        default: "nil"
        }
    }
}

extension String {
    /// "a run", "an operator".
    var withArticle: String {
        guard let first = lowercased().first else { return self }
        return ("aeiou".contains(first) ? "an " : "a ") + self
    }
}

/// Copies values out of Lua, tables included. A table that is referred to several times is copied several times, so forty small
/// tables could make 2⁴⁰ copies: a copy may not need more than about what Lua itself holds.
struct TableReader {
    let stack: LuaStack
    private var path: [UnsafeRawPointer] = []
    /// How many entries may still be copied; nil until the first table.
    private var left: Int?

    init(stack: LuaStack) { self.stack = stack }

    /// A stop is asked for every millisecond or so.
    private static let entriesBetweenQuestions = 4096

    /// An entry takes 16 bytes in Lua, and a table 56.
    private static func allowance(_ used: Int) -> Int { 100_000 + used / 16 }

    mutating func value(at index: Int32) throws -> LuaValue {
        let lua = stack.lua
        switch clua_type(lua, index) {
        case CLUA_NIL, CLUA_NONE: return .nil
        case CLUA_BOOLEAN: return .boolean(clua_to_boolean(lua, index))
        case CLUA_NUMBER:
            var integer: Int64 = 0
            if clua_is_integer(lua, index), clua_to_integer(lua, index, &integer) { return .integer(Int(integer)) }
            var number = 0.0
            _ = clua_to_number(lua, index, &number)
            return .number(number)
        case CLUA_STRING: return stack.exactString(at: index)
        case CLUA_TABLE: return .table(try table(at: clua_absolute(lua, index)))
        case CLUA_FUNCTION:
            return .function(LuaFunction(state: stack.state, anchor: try stack.state.anchor(index, of: lua)))
        case CLUA_USERDATA:
            if let object = stack.object(at: index) { return .object(object) }
            if let error = stack.state.errorObject(at: index, of: lua) { return .string(error.error.description) }
            return .foreign("userdata")
        case let kind: return .foreign(kind.name)
        }
    }

    private mutating func table(at index: Int32) throws -> LuaTable {
        let lua = stack.lua
        guard let identity = clua_identity(lua, index) else { return LuaTable() }
        guard !path.contains(identity) else { throw ArgumentError("a table that contains itself cannot be copied") }
        guard path.count < 100 else { throw ArgumentError("a table nested more than 100 deep cannot be copied") }
        path.append(identity)
        defer { path.removeLast() }
        try spend(4)
        try stack.reserve(4)
        var table = LuaTable()
        // The length may be any border, even one far beyond a hole: the elements end before the first nil.
        var next: Int64 = 1
        while true {
            try stack.check(clua_get_index(lua, index, next))
            defer { stack.setTop(stack.top - 1) }
            if clua_type(lua, -1) == CLUA_NIL { break }
            try spend()
            table.array.append(try value(at: -1))
            next += 1
        }
        var more = false
        try stack.check(clua_push_nil(lua))
        try stack.check(clua_next(lua, index, &more))
        while more {
            try readEntry(into: &table)
            try stack.check(clua_next(lua, index, &more))
        }
        return table
    }

    /// Reads the key and the value on top, and pops the value.
    private mutating func readEntry(into table: inout LuaTable) throws {
        let lua = stack.lua
        defer { stack.setTop(stack.top - 1) }
        if let name = stack.byteString(at: -2) {
            try spend()
            table.fields[name] = try value(at: -1)
            return
        }
        var key: Int64 = 0
        if clua_is_integer(lua, -2), clua_to_integer(lua, -2, &key), key >= 1, key <= table.array.count { return }
        try spend()
        let other = try value(at: -2)
        table.others.append((key: other, value: try value(at: -1)))
    }

    private mutating func spend(_ entries: Int = 1) throws {
        let before = left ?? Self.allowance(stack.state.memory.used)
        let remaining = before - entries
        left = remaining
        if before / Self.entriesBetweenQuestions != remaining / Self.entriesBetweenQuestions,
            let reason = stack.state.interrupt.stopReason
        {
            throw LuaError(.stopped(reason), "stopped")
        }
        if remaining < 0 {
            throw ArgumentError("a table that refers to the same tables again and again is too large to be copied")
        }
    }
}
