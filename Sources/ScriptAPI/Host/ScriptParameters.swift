import Experiments
import Foundation
import LuaBridge

/// A parameter that a script declares by `eoss.params`.
public struct ScriptParameter: Sendable, Hashable {
    public var name: String
    /// Its default, as Lua writes it.
    public var value: String
}

/// The parameters of an experiment: what the script declares, with what the user set.
struct ScriptParameters {
    private let settings: [ScriptOptions.Setting]
    /// What they were in the execution that is resumed.
    private let recorded: [String: JSONValue]
    /// Declared so far, with their defaults.
    private(set) var declared: [ScriptParameter] = []
    private var defaults: [String: LuaValue] = [:]
    /// As the script reads them.
    private(set) var values: [String: LuaValue] = [:]
    private(set) var areDeclared = false

    init(settings: [ScriptOptions.Setting], recorded: [String: JSONValue] = [:]) {
        (self.settings, self.recorded) = (settings, recorded)
    }

    /// The parameter that chooses a scale, and its value where nothing was set.
    static let scale = (name: "scale", standard: "small")

    /// Takes the declaration of a script, whose text tells the order in which a person reads the names.
    /// - Parameter scales: other defaults of some of them, by the scale that they are of.
    /// - Throws: `ArgumentError` for a setting of another type than the default's, or of no parameter, and for a scale that there is not.
    mutating func declare(
        _ defaults: [String: LuaValue], scales: [String: [String: LuaValue]] = [:], source: String
    ) throws {
        var (defaults, recorded) = (defaults, recorded)
        if !scales.isEmpty { try scale(&defaults, by: scales, &recorded) }
        if let name = defaults.filter({ $0.value.holdsBytes }).keys.min() {
            throw ArgumentError("'\(name)' of eoss.params: a text that is not UTF-8 cannot stand in a run file")
        }
        let order = Self.order(of: Array(defaults.keys), in: source)
        declared = order.map { ScriptParameter(name: $0, value: (defaults[$0] ?? .nil).literal) }
        self.defaults = defaults
        values = defaults.merging(
            recorded.filter { defaults[$0.key] != nil }.compactMapValues(LuaValue.init)
        ) { standard, recorded in recorded.like(standard) }
        areDeclared = true
        for setting in settings { values[setting.name] = try value(of: setting) }
    }

    /// Puts the defaults of the scale that was set in the place of the others.
    private func scale(
        _ defaults: inout [String: LuaValue], by scales: [String: [String: LuaValue]],
        _ recorded: inout [String: JSONValue]
    ) throws {
        let (scale, standard) = Self.scale
        guard defaults[scale] == nil, scales[standard] == nil else {
            throw ArgumentError(
                "eoss.params: with 'scales' there is a parameter '\(scale)', '\(standard)' by default: name yours otherwise"
            )
        }
        for (name, own) in scales {
            for (parameter, value) in own {
                guard let usual = defaults[parameter] else {
                    let near = nearestNameQuestion(to: parameter, among: Array(defaults.keys))
                    throw ArgumentError(
                        "eoss.params: scale '\(name)' sets '\(parameter)', which is not declared\(near)")
                }
                guard value.kindOfParameter == usual.kindOfParameter else {
                    throw ArgumentError(
                        "eoss.params: scale '\(name)' sets '\(parameter)' to \(value.kindOfParameter), and its default is "
                            + usual.kindOfParameter)
                }
            }
        }
        defaults[scale] = .string(standard)
        let set = settings.last { $0.name == scale }?.text
        let past = if case .string(let text)? = recorded[scale] { text } else { standard }
        if let set, set != past { for name in scales.values.flatMap(\.keys) { recorded[name] = nil } }
        let chosen = set ?? past
        if chosen == standard { return }
        guard let own = scales[chosen] else {
            let known = ([standard] + scales.keys.sorted()).map { "'\($0)'" }.joined(separator: ", ")
            throw ArgumentError("--set scale=\(chosen): the script has the scales \(known)")
        }
        defaults.merge(own) { $1 }
    }

    /// What a setting gives its parameter.
    /// - Throws: `ArgumentError` for one of another type than the default's, or of no parameter.
    func value(of setting: ScriptOptions.Setting) throws -> LuaValue {
        guard let value = defaults[setting.name] else {
            let order = declared.map(\.name)
            let near = nearestNameQuestion(to: setting.name, among: order)
            let known = order.isEmpty ? "it declares none" : "it declares " + order.joined(separator: ", ")
            throw ArgumentError("--set \(setting.name): the script has no such parameter\(near) (\(known))")
        }
        guard let read = Self.read(setting.text, like: value) else {
            throw ArgumentError(
                "--set \(setting.name)=\(setting.text): expected \(value.kindOfParameter), as the default "
                    + value.literal)
        }
        return read
    }

    /// Whether the parameter of this name is a list.
    func isList(_ name: String) -> Bool {
        if case .table? = defaults[name] { true } else { false }
    }

    /// Throws where something was set and the script never asked.
    func checkSettingsWereUsed() throws {
        guard !areDeclared, let setting = settings.first else { return }
        throw ArgumentError("--set \(setting.name): the script declares no parameters by eoss.params")
    }

    /// For the run file.
    var json: [String: JSONValue] { values.mapValues(\.json) }

    /// The names in the order in which the text first assigns them.
    private static func order(of names: [String], in source: String) -> [String] {
        let text = Array(source.utf8)
        func place(_ name: String) -> Int {
            let wanted = Array(name.utf8)
            var at = 0
            while at + wanted.count < text.count {
                defer { at += 1 }
                guard text[at] == wanted[0], text[at..<at + wanted.count].elementsEqual(wanted) else { continue }
                if at > 0, isWordByte(text[at - 1]) { continue }
                var next = at + wanted.count
                while next < text.count, text[next] == UInt8(ascii: " ") { next += 1 }
                if next + 1 < text.count, text[next] == UInt8(ascii: "="), text[next + 1] != UInt8(ascii: "=") {
                    return at
                }
            }
            return .max
        }
        return names.filter { !$0.isEmpty }.map { ($0, place($0)) }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.map(\.0)
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".") || Character(UnicodeScalar(byte)).isLetter
            || Character(UnicodeScalar(byte)).isNumber
    }

    /// As Lua writes them: 0xff.
    private static func hexadecimal(_ text: String) -> Int? {
        let digits = text.lowercased()
        return digits.hasPrefix("0x")
            ? Int(digits.dropFirst(2), radix: 16)
            : digits.hasPrefix("-0x") ? Int("-" + digits.dropFirst(3), radix: 16) : nil
    }

    /// The typed text as a value of the default's kind.
    private static func read(_ text: String, like value: LuaValue) -> LuaValue? {
        switch value {
        case .integer:
            if let integer = Int(text) ?? hexadecimal(text) { return .integer(integer) }
            // Of digits alone, and too large: not as a number that is near.
            if text.drop(while: { "+-".contains($0) }).allSatisfy(\.isNumber) || text.lowercased().contains("0x") {
                return nil
            }
            guard let number = Double(text), !number.isNaN else { return nil }
            return Int(exactly: number).map { .integer($0) } ?? .number(number)
        case .number: return Double(text).flatMap { $0.isNaN ? nil : .number($0) }
        case .boolean: return text == "true" ? .boolean(true) : text == "false" ? .boolean(false) : nil
        case .string: return .string(text)
        case .table(let table):
            guard let first = table.array.first else { return nil }
            let inner = text.hasPrefix("{") && text.hasSuffix("}") ? String(text.dropFirst().dropLast()) : text
            let parts = inner.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            let elements = parts.compactMap { read($0, like: first) }
            return elements.count == parts.count ? .table(LuaTable(array: elements)) : nil
        default: return nil
        }
    }
}

extension LuaValue {
    /// Whether it is, or has among its elements, a string that is not UTF-8.
    fileprivate var holdsBytes: Bool {
        switch self {
        case .bytes: true
        case .table(let table): table.array.contains(where: \.holdsBytes)
        default: false
        }
    }

    fileprivate var kindOfParameter: String {
        switch self {
        case .integer, .number: "a number"
        case .boolean: "true or false"
        case .table: "a list"
        default: "a text"
        }
    }

    /// A parameter that a run file has.
    fileprivate init?(_ recorded: JSONValue) {
        switch recorded {
        case .null, .object: return nil
        case .bool(let flag): self = .boolean(flag)
        case .integer(let integer): self = .integer(integer)
        case .number(let number): self = .number(number)
        case .string(let text): self = .string(text)
        case .array(let values): self = .table(LuaTable(array: values.compactMap(LuaValue.init)))
        }
    }

    /// JSON does not tell 2.0 from 2: a number is a float where its default is one.
    fileprivate func like(_ standard: LuaValue) -> LuaValue {
        if case .integer(let integer) = self, case .number = standard { return .number(Double(integer)) }
        return self
    }

    fileprivate var json: JSONValue {
        switch self {
        case .nil, .bytes, .function, .object, .foreign: .null
        case .boolean(let flag): .bool(flag)
        case .integer(let integer): .integer(integer)
        case .number(let number): .number(number)
        case .string(let text): .string(text)
        case .table(let table): .array(table.array.map(\.json))
        case .numbers(let numbers): .array(numbers.map { .number($0) })
        }
    }
}
