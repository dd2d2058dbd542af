/// The bytes of a Lua string. Equal means the same bytes, as in Lua: Swift's own strings are equal where Unicode calls them canonically
/// equivalent ("é" in one scalar or in two), and cannot hold what is not UTF-8.
public struct LuaBytes: Hashable, Comparable, Sendable {
    public var bytes: [UInt8]

    public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// The text, nil where the bytes are not UTF-8.
    public var text: String? { String(validating: bytes, as: UTF8.self) }

    public static func < (a: LuaBytes, b: LuaBytes) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
}

/// For messages: a byte that is not UTF-8 is shown as Lua writes it, `\255`.
extension LuaBytes: CustomStringConvertible {
    public var description: String {
        if let text { return text }
        var (shown, rest) = ("", bytes[...])
        while let first = rest.first {
            let length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
            if let character = String(validating: rest.prefix(length), as: UTF8.self) {
                shown += character
                rest = rest.dropFirst(length)
            } else {
                // Beyond ASCII, and so of three digits.
                shown += "\\\(first)"
                rest = rest.dropFirst()
            }
        }
        return shown
    }
}

extension LuaBytes: ExpressibleByStringLiteral {
    public init(stringLiteral text: String) { self.init(text) }
}

extension LuaBytes: LuaPushable, LuaReadable {
    public var luaValue: LuaValue { text.map { .string($0) } ?? .bytes(self) }

    public static func read(_ value: LuaValue) -> LuaBytes? {
        switch value {
        case .string(let text): LuaBytes(text)
        case .bytes(let bytes): bytes
        default: nil
        }
    }
}

extension Dictionary where Key == LuaBytes {
    /// The entries in the order of their names' bytes, each name as text.
    /// - Throws: `ArgumentError` for a name that is not UTF-8, and for two that are the same text in different bytes: what is keyed by
    ///   text would lose one of them.
    public func named(in place: String) throws -> [(name: String, value: Value)] {
        var named: [(name: String, value: Value)] = []
        var texts: Set<String> = []
        for (bytes, value) in sorted(by: { $0.key < $1.key }) {
            guard let name = bytes.text else { throw ArgumentError("\(place): the name '\(bytes)' is not UTF-8") }
            guard texts.insert(name).inserted else { throw ArgumentError("\(place): \(LuaBytes.twice(name))") }
            named.append((name, value))
        }
        return named
    }
}

extension LuaBytes {
    static func twice(_ name: String) -> String {
        "the name '\(name)' is given twice, in different bytes of the same text (Unicode's canonical equivalence)"
    }
}
