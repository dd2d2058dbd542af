import Compute
import Graph

/// The options given to a probe, by name: what scripts write in braces, `["batch_size": 16, "rel_error": 0.01]` in Swift.
public struct ProbeArguments: Sendable, ExpressibleByDictionaryLiteral {
    /// In the order of their names.
    public var given: [(name: String, value: ProbeValue)] {
        values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
    private var values: [String: ProbeValue]

    public init(_ values: [String: ProbeValue] = [:]) { self.values = values }

    public init(dictionaryLiteral elements: (String, ProbeValue)...) {
        values = Dictionary(elements) { $1 }
    }

    public subscript(name: String) -> ProbeValue? {
        get { values[name] }
        set { values[name] = newValue }
    }

    /// `k = 2, tolerance = 0.001`; long lists by a number that tells them apart.
    public var words: String {
        given.map { name, value in
            switch value {
            case .vector(let vector): "\(name) = vector \(vector.fingerprint)"
            case .samples(let numbers): "\(name) = \(numbers.count) samples \(fingerprint(numbers))"
            case .batches(let lists): "\(name) = \(lists.count) batches \(fingerprint(lists.flatMap { [-1] + $0 }))"
            default: "\(name) = \(value)"
            }
        }.joined(separator: ", ")
    }

    public func has(_ name: String) -> Bool { values[name] != nil }

    /// Those of these names alone.
    func only(_ names: some Collection<String>) -> ProbeArguments {
        ProbeArguments(values.filter { names.contains($0.key) })
    }

    // MARK: - Values by kind; nil where nothing was given

    /// - Throws: `ExperimentError.invalid` for a value of another kind than asked for, as everywhere below.
    public func integer(_ name: String) throws -> Int? { try get(name, "an integer", \.integer) }
    public func number(_ name: String) throws -> Double? { try get(name, "a number", \.number) }
    public func boolean(_ name: String) throws -> Bool? {
        try get(name, "true or false") { if case .boolean(let flag) = $0 { flag } else { nil } }
    }
    public func text(_ name: String) throws -> String? { try get(name, "a string", \.text) }
    /// One name or several.
    public func names(_ name: String) throws -> [String]? {
        try get(name, "a string or a list of strings") {
            switch $0 {
            case .text(let one): [one]
            case .names(let names): names
            default: nil
            }
        }
    }
    public func vector(_ name: String) throws -> Vector? {
        try get(name, "a vector") { if case .vector(let vector) = $0 { vector } else { nil } }
    }
    public func samples(_ name: String) throws -> [Int]? {
        try get(name, "sample numbers") { if case .samples(let numbers) = $0 { numbers } else { nil } }
    }
    public func batches(_ name: String) throws -> [[Int]]? {
        try get(name, "lists of sample numbers") { if case .batches(let lists) = $0 { lists } else { nil } }
    }

    /// One of the strings that a type is spelled by.
    public func choice<Choice: RawRepresentable<String>>(
        _ name: String, as type: Choice.Type = Choice.self
    ) throws -> Choice? {
        try get(name, "one of its choices") { $0.text.flatMap(Choice.init(rawValue:)) }
    }

    private func get<Value>(_ name: String, _ words: String, _ read: (ProbeValue) -> Value?) throws -> Value? {
        guard let value = values[name] else { return nil }
        guard let result = read(value) else {
            throw ExperimentError.invalid("option '\(name)': expected \(words), got \(value)")
        }
        return result
    }
}

/// The value of an option.
public enum ProbeValue: Sendable, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByStringLiteral
{
    case integer(Int)
    case number(Double)
    case boolean(Bool)
    case text(String)
    case names([String])
    case vector(Vector)
    /// Sample numbers, from 0.
    case samples([Int])
    case batches([[Int]])

    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    public init(stringLiteral value: String) { self = .text(value) }

    var integer: Int? {
        switch self {
        case .integer(let integer): integer
        case .number(let number): Int(exactly: number)
        default: nil
        }
    }

    var number: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        default: nil
        }
    }

    var text: String? { if case .text(let text) = self { text } else { nil } }
}

extension ProbeValue: CustomStringConvertible {
    public var description: String {
        switch self {
        case .integer(let integer): "\(integer)"
        case .number(let number): "\(number)"
        case .boolean(let flag): "\(flag)"
        case .text(let text): "'\(text)'"
        case .names(let names): names.map { "'\($0)'" }.joined(separator: ", ")
        case .vector(let vector): "a vector of \(vector.count) numbers"
        case .samples(let numbers): "a list of \(numbers.count) sample numbers"
        case .batches(let lists): "\(lists.count) lists of sample numbers"
        }
    }
}
