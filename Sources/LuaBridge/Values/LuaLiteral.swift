// Values as Lua source spells them: what a default in the documentation, a parameter of an experiment and a prompt show.

extension LuaValue {
    /// The literal that Lua reads as this value. What has none (a function, an object) is shown by the name of its type.
    public var literal: String {
        switch self {
        case .nil: "nil"
        case .boolean(let flag): "\(flag)"
        // Lua reads the digits of the smallest integer before their sign, as a number too large.
        case .integer(let integer): integer == .min ? "math.mininteger" : "\(integer)"
        case .number(let number): luaLiteral(number)
        case .string(let text): luaLiteral(text)
        case .bytes(let bytes): luaLiteral(bytes)
        case .table(let table): table.literal
        case .numbers(let numbers): "{" + numbers.map(luaLiteral).joined(separator: ", ") + "}"
        case .function, .object, .foreign: typeName
        }
    }
}

extension LuaTable {
    fileprivate var literal: String {
        let named = fields.sorted { $0.key < $1.key }.map { name, value in
            (isLuaName(name) ? name.description : "[\(luaLiteral(name))]") + " = \(value.literal)"
        }
        let keyed = others.map { "[\($0.key.literal)] = \($0.value.literal)" }
        return "{" + (array.map(\.literal) + named + keyed).joined(separator: ", ") + "}"
    }
}

/// The shortest digits that read back as the same number.
func luaLiteral(_ number: Double) -> String {
    if number.isNaN { return "0/0" }
    if number.isInfinite { return number > 0 ? "math.huge" : "-math.huge" }
    return "\(number)"
}

/// A string in double quotes.
func luaLiteral(_ text: String) -> String { "\"" + text.unicodeScalars.map(escaped).joined() + "\"" }

/// A string in double quotes. Where it is not UTF-8, each byte beyond ASCII is an escape.
func luaLiteral(_ bytes: LuaBytes) -> String {
    if let text = bytes.text { return luaLiteral(text) }
    return "\"" + bytes.bytes.map { $0 < 128 ? escaped(Unicode.Scalar($0)) : "\\\($0)" }.joined() + "\""
}

private func escaped(_ character: Unicode.Scalar) -> String {
    switch character {
    case "\"": return "\\\""
    case "\\": return "\\\\"
    case "\n": return "\\n"
    case "\t": return "\\t"
    case "\r": return "\\r"
    // Of three digits, so that a digit after it is not taken for one of them.
    case let control where control.value < 32 || control.value == 127:
        return "\\" + String(repeating: "0", count: control.value < 10 ? 2 : control.value < 100 ? 1 : 0)
            + "\(control.value)"
    default: return String(character)
    }
}

private let luaKeywords: Set<String> = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil",
    "not",
    "or", "repeat", "return", "then", "true", "until", "while",
]

/// Whether a field of this name needs no brackets.
private func isLuaName(_ name: LuaBytes) -> Bool {
    guard let first = name.bytes.first, !(48...57).contains(first), !luaKeywords.contains(name.description) else {
        return false
    }
    return name.bytes.allSatisfy {
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95
    }
}
