import Compute

/// A state on its way into a checkpoint, or out of one. Whoever has state names each part of it once, for both ways, so that what is
/// written is what is read:
///
/// ```swift
/// func code(_ coder: StateCoder) throws {
///     try coder.code("step", &step)
///     try coder.group("sampler") { try sampler.code(coder) }
/// }
/// ```
///
/// Parts are plain values, under names such as `sampler.position`, and vectors.
public final class StateCoder {
    /// Whether parts get what the checkpoint has; else the checkpoint gets what they are.
    public let isReading: Bool
    /// By their full names.
    public private(set) var values: [String: JSONValue]
    public private(set) var vectors: [String: Vector]
    private var path = ""
    /// Parts that are neither written nor read, by their full names: tests find out by this whether one is missed.
    var omitted: Set<String> = []

    /// For writing.
    public init() {
        isReading = false
        (values, vectors) = ([:], [:])
    }

    /// For reading.
    public init(reading values: [String: JSONValue], _ vectors: [String: Vector]) {
        isReading = true
        (self.values, self.vectors) = (values, vectors)
    }

    // MARK: - Names

    /// Parts whose names begin with `name.`.
    public func group<Result>(_ name: String, _ body: () throws -> Result) rethrows -> Result {
        let outer = path
        path += name + "."
        defer { path = outer }
        return try body()
    }

    /// Whether a checkpoint that is read has this part.
    public func has(_ name: String) -> Bool { values[path + name] != nil || vectors[path + name] != nil }

    /// What was lost, or is of another kind than it should be.
    private func lost(_ name: String) -> ExperimentError {
        .invalid("the checkpoint is not complete: '\(path + name)' is missing, or is no such value")
    }

    private func value<Value>(
        _ name: String, _ value: inout Value, write: (Value) -> JSONValue, read: (JSONValue) -> Value?
    ) throws {
        let full = path + name
        if omitted.contains(full) { return }
        if !isReading {
            values[full] = write(value)
            return
        }
        guard let stored = values[full], let known = read(stored) else { throw lost(name) }
        value = known
    }

    // MARK: - Values

    public func code(_ name: String, _ value: inout Int) throws {
        try self.value(name, &value, write: { .integer($0) }, read: \.wholeNumber)
    }

    public func code(_ name: String, _ value: inout Bool) throws {
        try self.value(
            name, &value, write: { .bool($0) }, read: { if case .bool(let flag) = $0 { flag } else { nil } })
    }

    public func code(_ name: String, _ value: inout String) throws {
        try self.value(name, &value, write: { .string($0) }, read: \.text)
    }

    /// All its bits, but for those of a number that is none.
    public func code(_ name: String, _ value: inout Double) throws {
        try self.value(name, &value, write: { JSONValue(exactly: $0) }, read: \.realNumber)
    }

    public func code(_ name: String, _ value: inout JSONValue) throws {
        try self.value(name, &value, write: { $0 }, read: { $0 })
    }

    public func code(_ name: String, _ value: inout [Double]) throws {
        try self.value(
            name, &value, write: { .array($0.map { JSONValue(exactly: $0) }) }, read: { $0.list(\.realNumber) })
    }

    public func code(_ name: String, _ value: inout [Int]) throws {
        try self.value(
            name, &value, write: { .array($0.map { .integer($0) }) }, read: { $0.list(\.wholeNumber) })
    }

    public func code(_ name: String, _ value: inout Int?) throws {
        try self.value(
            name, &value, write: { $0.map { .integer($0) } ?? .null },
            read: { $0 == .null ? .some(nil) : $0.wholeNumber })
    }

    public func code(_ name: String, _ value: inout Double?) throws {
        try self.value(
            name, &value, write: { $0.map { JSONValue(exactly: $0) } ?? .null },
            read: { $0 == .null ? .some(nil) : $0.realNumber })
    }

    // MARK: - Vectors

    public func code(_ name: String, _ vector: inout Vector) throws {
        let full = path + name
        if omitted.contains(full) { return }
        if !isReading {
            vectors[full] = vector
            return
        }
        guard let stored = vectors[full] else { throw lost(name) }
        vector = stored
    }

    public func code(_ name: String, _ vector: inout Vector?) throws {
        var isThere = vector != nil
        try code("has_\(name)", &isThere)
        guard isThere else {
            vector = isReading ? nil : vector
            return
        }
        if isReading {
            guard !omitted.contains(path + name) else { return }
            guard let stored = vectors[path + name] else { throw lost(name) }
            vector = stored
        } else if let vector, !omitted.contains(path + name) {
            vectors[path + name] = vector
        }
    }

    /// So many vectors, numbered from 1.
    public func code(_ name: String, _ list: inout [Vector]) throws {
        var count = list.count
        try code("\(name)_count", &count)
        guard isReading else {
            for (place, vector) in list.enumerated() where !omitted.contains(path + name) {
                vectors["\(path)\(name).\(place + 1)"] = vector
            }
            return
        }
        if omitted.contains(path + name) { return }
        // A checkpoint may be a stranger's: it cannot ask for more than it has.
        guard count >= 0, count <= vectors.count else { throw lost("\(name)_count") }
        list = try (0..<count).map { place in
            let full = "\(path)\(name).\(place + 1)"
            guard let vector = vectors[full] else { throw lost("\(name).\(place + 1)") }
            return vector
        }
    }

    /// So many parts, each a group of its own numbered from 1.
    public func code<Element>(
        _ name: String, _ list: inout [Element], new: @autoclosure () throws -> Element,
        _ body: (inout Element) throws -> Void
    ) throws {
        var count = list.count
        try code("\(name)_count", &count)
        if isReading {
            if omitted.contains("\(path)\(name)_count") { return }
            guard count >= 0, count <= values.count else { throw lost("\(name)_count") }
            list = try (0..<count).map { _ in try new() }
        }
        for place in list.indices { try group("\(name).\(place + 1)") { try body(&list[place]) } }
    }
}

extension JSONValue {
    /// A number that is read back with all its bits: JSON's -0 would come back as an integer.
    init(exactly number: Double) {
        self = number == 0 && number.sign == .minus ? .object(["$number": .string("-0")]) : .number(number)
    }

    /// A float of a program's, which stays one: 2.0 is no 2 there.
    public static func exactly(_ number: Double) -> JSONValue {
        guard number.isFinite, number.rounded() == number else { return .number(number) }
        return .object(["$number": .string("\(number)")])
    }

    public var exactNumber: Double? {
        if case .object(let object) = self, object.count == 1, case .string(let text)? = object["$number"] {
            return Double(text)
        }
        return nil
    }

    var wholeNumber: Int? { if case .integer(let number) = self { number } else { nil } }

    var realNumber: Double? {
        switch self {
        case .number(let number): number
        // Without a fraction JSON does not tell them apart.
        case .integer(let number): Double(number)
        case .object(["$number": .string("-0")]): -0.0
        default: nil
        }
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }

    func list<Element>(_ read: (JSONValue) -> Element?) -> [Element]? {
        guard case .array(let values) = self else { return nil }
        let elements = values.compactMap(read)
        return elements.count == values.count ? elements : nil
    }
}
