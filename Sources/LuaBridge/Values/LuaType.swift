import CLua

/// What an argument, an option or a result may be. From it come the check, the words of its errors, and documentation.
public struct LuaType: Sendable, Equatable {
    /// What a type is made of: what checks, words, stubs and completion go by.
    public enum Shape: Sendable, Equatable {
        case any
        /// What a result is, or a property, that is not there.
        case absent
        case boolean
        case number(Bounds)
        case integer(Bounds)
        case string
        case choice([String])
        /// With its arguments and results, where they are fixed.
        indirect case function(Signature?)
        case table
        case object(String)
        indirect case list(LuaType, count: Int?)
        indirect case map(LuaType)
        case record([Parameter])
        case union([LuaType])
    }

    public let shape: Shape
    /// Whether messages to one who gave a number or a string leave this alternative out: that is not what they meant.
    private(set) var isQuiet = false

    /// Strings that one would give: what completion offers, and no check asks for.
    public private(set) var suggestions: Suggestions = .none

    /// Where the strings come from that one would give in a place.
    public enum Suggestions: Sendable, Equatable {
        case none
        /// These.
        case names([String])
        /// The names of the series of the runs that there are.
        case series
        /// The names of files.
        case files
    }

    /// The same type, with what to offer in its place.
    public func suggesting(_ suggestions: Suggestions) -> LuaType {
        var type = self
        type.suggestions = suggestions
        return type
    }

    /// As an alternative for those who know of it: see the words of messages about numbers and strings.
    public var quietly: LuaType {
        var type = self
        type.isQuiet = true
        return type
    }

    init(shape: Shape) { self.shape = shape }

    /// What a function is called with, and what it returns.
    public struct Signature: Sendable, Equatable {
        public struct Argument: Sendable, Equatable {
            public let name: String
            public let type: LuaType
        }

        public let arguments: [Argument]
        /// Nil where nothing is looked at.
        public let result: LuaType?

        /// `(run) -> number`
        var words: String {
            "(\(arguments.map(\.name).joined(separator: ", ")))" + (result.map { " -> \($0.name)" } ?? "")
        }
    }

    /// The values a number may have.
    public struct Bounds: Sendable, Equatable {
        var lower: Double?
        var lowerIsOpen = false
        var upper: Double?
        var mustBeFinite = false

        public static let any = Bounds()
        /// x > 0, and finite.
        public static let positive = Bounds(lower: 0, lowerIsOpen: true, mustBeFinite: true)
        /// x ≥ 0, and finite.
        public static let nonNegative = Bounds(lower: 0, mustBeFinite: true)
        public static let finite = Bounds(mustBeFinite: true)
        public static func atLeast(_ lower: Double) -> Bounds { Bounds(lower: lower, mustBeFinite: true) }
        public static func atMost(_ upper: Double) -> Bounds { Bounds(upper: upper, mustBeFinite: true) }
        public static func between(_ lower: Double, _ upper: Double) -> Bounds { Bounds(lower: lower, upper: upper) }

        func contain(_ x: Double) -> Bool {
            if mustBeFinite, !x.isFinite { return false }
            if let lower, !(lowerIsOpen ? x > lower : x >= lower) { return false }
            if let upper, !(x <= upper) { return false }
            return true
        }

        var words: String {
            switch (lower, upper) {
            case (let lower?, let upper?): " from \(plain(lower)) to \(plain(upper))"
            case (let lower?, nil): " \(lowerIsOpen ? ">" : ">=") \(plain(lower))"
            case (nil, let upper?): " <= \(plain(upper))"
            case (nil, nil): mustBeFinite ? " (finite)" : ""
            }
        }
    }

    public static var any: LuaType { LuaType(shape: .any) }
    public static var boolean: LuaType { LuaType(shape: .boolean) }
    public static var number: LuaType { LuaType(shape: .number(.any)) }
    public static func number(_ bounds: Bounds) -> LuaType { LuaType(shape: .number(bounds)) }
    /// A number of integer value, whatever Lua's subtype: 8000.0 is one.
    public static var integer: LuaType { LuaType(shape: .integer(.any)) }
    public static func integer(_ bounds: Bounds) -> LuaType { LuaType(shape: .integer(bounds)) }
    public static var string: LuaType { LuaType(shape: .string) }
    /// One of these strings.
    public static func choice(_ names: String...) -> LuaType { LuaType(shape: .choice(names)) }
    public static func choice(_ names: [String]) -> LuaType { LuaType(shape: .choice(names)) }
    /// Any function.
    public static func function() -> LuaType { LuaType(shape: .function(nil)) }
    /// A function that is called with these arguments.
    public static func function(_ arguments: (String, LuaType)..., returns result: LuaType? = nil) -> LuaType {
        LuaType(
            shape: .function(
                Signature(arguments: arguments.map { Signature.Argument(name: $0.0, type: $0.1) }, result: result)))
    }
    /// Any table.
    public static var table: LuaType { LuaType(shape: .table) }
    /// An object of the class of this name (`ObjectClass.name`).
    public static func object(_ className: String) -> LuaType { LuaType(shape: .object(className)) }
    /// A table {x, y, …} without named entries; of `count` elements where given.
    public static func list(of element: LuaType, count: Int? = nil) -> LuaType {
        LuaType(shape: .list(element, count: count))
    }
    /// A table of names, each with a value of this type.
    public static func map(of value: LuaType) -> LuaType { LuaType(shape: .map(value)) }
    /// A table of options of its own, checked like those of a function.
    public static func record(_ fields: [Parameter]) -> LuaType { LuaType(shape: .record(fields)) }
    /// One of several types: `.integer(.positive).or(.choice("full"))`.
    public func or(_ other: LuaType) -> LuaType {
        switch (shape, other.shape) {
        case (.union(let types), _): LuaType(shape: .union(types + [other]))
        default: LuaType(shape: .union([self, other]))
        }
    }

    /// The same where it may be nil: of a result, or a property.
    public var orNil: LuaType { or(LuaType(shape: .absent)) }

    /// Whether it may be nil.
    public var mayBeNil: Bool {
        switch shape {
        case .absent: true
        case .union(let types): types.contains(where: \.mayBeNil)
        default: false
        }
    }

    /// The type in words, with its article: "a number > 0", "a list of integers or 'full'".
    public var words: String {
        switch shape {
        case .any: "any value"
        case .absent: "nil"
        case .boolean: "true or false"
        case .number(let bounds): "a number\(bounds.words)"
        case .integer(let bounds): "an integer\(bounds.words)"
        case .string: "a string"
        case .choice(let names): names.map { "'\($0)'" }.joined(separator: " or ")
        case .function(let signature): "a function" + (signature.map { " \($0.words)" } ?? "")
        case .table: "a table"
        case .object(let name): name.withArticle
        case .list(let element, let count): "a list of \(count.map { "\($0) " } ?? "")\(element.plural)"
        case .map(let value): "a table of names, each \(value.words)"
        case .record(let fields): "a table { \(fields.map(\.name).joined(separator: ", ")) }"
        case .union(let types): types.map(\.words).joined(separator: " or ")
        }
    }

    /// The type in a word or two, without an article: "number", "run", "integer or 'full'".
    public var name: String {
        switch shape {
        case .any: "any value"
        case .boolean: "boolean"
        case .number: "number"
        case .integer: "integer"
        case .string: "string"
        case .choice(let names) where names.count > 4: "string"
        case .function: "function"
        case .table, .record: "table"
        case .object(let name): name
        case .list(let element, let count):
            count.map { "\($0) " }.map { "list of \($0)\(element.plural)" } ?? "list of \(element.plural)"
        case .map(let value): "table of \(value.plural)"
        case .union(let types): types.map(\.name).joined(separator: " or ")
        case .absent, .choice: words
        }
    }

    private var plural: String {
        switch shape {
        case .any, .absent: "values"
        case .boolean: "booleans"
        case .number(let bounds): "numbers\(bounds.words)"
        case .integer(let bounds): "integers\(bounds.words)"
        case .string: "strings"
        case .function: "functions"
        case .table: "tables"
        case .object(let name): "\(name)s"
        case .list(let element, let count): "lists of \(count.map { "\($0) " } ?? "")\(element.plural)"
        case .choice, .map, .record, .union: "(\(words))"
        }
    }

    /// True if a plain table can be of this type, so that a table in this place is not the table of options.
    var takesTables: Bool {
        switch shape {
        case .any, .table, .list, .map, .record: true
        case .union(let types): types.contains(where: \.takesTables)
        default: false
        }
    }
}

/// 1, not 1.0; 0.5.
private func plain(_ x: Double) -> String { Int(exactly: x).map { "\($0)" } ?? "\(x)" }

/// Checking values on the stack against types: nil where one fits, else where and why not.
extension LuaType {
    func mismatch(_ stack: LuaStack, _ index: Int32) -> String? {
        let lua = stack.lua
        let kind = clua_type(lua, index)
        switch shape {
        case .any: return nil
        case .absent: return kind == CLUA_NIL ? nil : expected(stack, index)
        case .boolean: return kind == CLUA_BOOLEAN ? nil : expected(stack, index)
        case .number(let bounds):
            var number = 0.0
            if !clua_to_number(lua, index, &number) {
                guard let object = stack.object(at: index) as? any LuaNumeric, let value = object.number else {
                    return expected(stack, index)
                }
                number = value
            }
            return bounds.contain(number) ? nil : expected(stack, index)
        case .integer(let bounds):
            var integer: Int64 = 0
            return clua_to_integer(lua, index, &integer) && bounds.contain(Double(integer))
                ? nil : expected(stack, index)
        case .string: return kind == CLUA_STRING && stack.isText(at: index) ? nil : expected(stack, index)
        case .choice(let names):
            guard kind == CLUA_STRING, let text = stack.string(at: index) else { return expected(stack, index) }
            if names.contains(text) { return nil }
            if let hint = stack.state.configuration.hint(shortened(text)) {
                return "\(expected(stack, index)): \(hint)"
            }
            return expected(stack, index) + nearestNameQuestion(to: text, among: names)
        case .function: return kind == CLUA_FUNCTION ? nil : expected(stack, index)
        case .table: return kind == CLUA_TABLE ? nil : expected(stack, index)
        case .object(let name):
            guard let object = stack.object(at: index), let known = stack.state.installedClass(of: object),
                known.declaration.isNamed(name)
            else { return expected(stack, index) }
            return nil
        case .list(let element, let count): return listMismatch(stack, index, element, count)
        case .map(let value): return mapMismatch(stack, index, value)
        case .record(let fields):
            guard kind == CLUA_TABLE else { return expected(stack, index) }
            return recordMismatch(stack, index, fields)
        case .union(let types):
            // The reason of the alternative of the same kind says more than the list of alternatives.
            var nearest: String?
            for type in types {
                guard let mismatch = type.mismatch(stack, index) else { return nil }
                if kind == CLUA_TABLE, type.takesTables { nearest = mismatch }
            }
            if let nearest { return nearest }
            let loud = kind == CLUA_NUMBER || kind == CLUA_STRING ? types.filter { !$0.isQuiet } : types
            let words = "expected \(loud.map(\.words).joined(separator: " or ")), got \(stack.shown(at: index))"
            guard kind == CLUA_STRING, types.contains(where: \.isChoice), let text = stack.string(at: index) else {
                return words
            }
            if let hint = stack.state.configuration.hint(shortened(text)) { return "\(words): \(hint)" }
            return words
        }
    }

    private var isChoice: Bool { if case .choice = shape { true } else { false } }

    private func expected(_ stack: LuaStack, _ index: Int32) -> String {
        "expected \(words), got \(stack.shown(at: index))"
    }

    private func listMismatch(_ stack: LuaStack, _ index: Int32, _ element: LuaType, _ wanted: Int?) -> String? {
        let lua = stack.lua
        guard clua_type(lua, index) == CLUA_TABLE else { return expected(stack, index) }
        let table = clua_absolute(lua, index)
        let top = stack.top
        defer { stack.setTop(top) }
        let count = Int64(clamping: clua_raw_length(lua, table))
        if let wanted, count != wanted { return "expected \(words), got \(count) elements" }
        var i: Int64 = 0
        while i < count {
            i += 1
            guard clua_get_index(lua, table, i) == CLUA_OK else { return "not enough memory" }
            // The length may be any border, even one far beyond a hole.
            if clua_type(lua, -1) == CLUA_NIL { return "element \(i) is nil" }
            if let mismatch = element.mismatch(stack, -1) { return "element \(i): \(mismatch)" }
            stack.setTop(top)
        }
        return eachEntry(stack, table) { key in
            var number: Int64 = 0
            if clua_is_integer(lua, key), clua_to_integer(lua, key, &number), number >= 1, number <= count {
                return nil
            }
            return "expected \(words), got a table with the entry \(stack.shown(at: key))"
        }
    }

    private func mapMismatch(_ stack: LuaStack, _ index: Int32, _ value: LuaType) -> String? {
        guard clua_type(stack.lua, index) == CLUA_TABLE else { return expected(stack, index) }
        var names: Set<String> = []
        return eachEntry(stack, clua_absolute(stack.lua, index)) { key in
            guard case .string(let name) = stack.exactString(at: key) else {
                return "expected \(words), got a table with the entry \(stack.shown(at: key))"
            }
            guard names.insert(name).inserted else { return LuaBytes.twice(name) }
            return value.mismatch(stack, key + 1).map { "'\(shortened(name))': \($0)" }
        }
    }

    private func recordMismatch(_ stack: LuaStack, _ index: Int32, _ fields: [Parameter]) -> String? {
        var seen: Set<String> = []
        let wrong = eachEntry(stack, clua_absolute(stack.lua, index)) { key in
            guard let name = stack.string(at: key) else { return "unexpected entry \(stack.shown(at: key))" }
            guard let field = fields.first(where: { $0.name == name }) else {
                return "unknown option '\(shortened(name))'"
                    + suggestion(for: name, among: fields.map(\.name), called: "options")
            }
            seen.insert(name)
            return field.type.mismatch(stack, key + 1).map { "'\(name)': \($0)" }
        }
        if let wrong { return wrong }
        let missing = fields.first { $0.isRequired && !seen.contains($0.name) }
        return missing.map { "option '\($0.name)' is missing (\($0.type.words))" }
    }

    /// Calls `body` with the index of each key, its value above it, until it returns something.
    private func eachEntry(_ stack: LuaStack, _ table: Int32, _ body: (Int32) -> String?) -> String? {
        let lua = stack.lua
        let top = stack.top
        defer { stack.setTop(top) }
        var more = false
        guard clua_push_nil(lua) == CLUA_OK else { return "not enough memory" }
        while clua_next(lua, table, &more) == CLUA_OK, more {
            if let result = body(stack.top - 1) { return result }
            stack.setTop(stack.top - 1)
        }
        return nil
    }
}
