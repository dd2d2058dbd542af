import Experiments
import Foundation

/// A value of a run that lists are sorted and filtered by.
public enum RunValue: Sendable, Equatable {
    case number(Double)
    case text(String)
    case truth(Bool)

    /// In an order: truths, numbers (NaN last), texts.
    static func precedes(_ a: RunValue, _ b: RunValue) -> Bool {
        switch (a, b) {
        case (.number(let a), .number(let b)): a < b || !a.isNaN && b.isNaN
        case (.text(let a), .text(let b)): NameOrder.precedes(a, b)
        case (.truth(let a), .truth(let b)): !a && b
        default: a.rank < b.rank
        }
    }

    private var rank: Int {
        switch self {
        case .truth: 0
        case .number: 1
        case .text: 2
        }
    }
}

/// The name of a value of a run: what a list shows of it (``own``), else a parameter of the experiment, else a series, which
/// stands for its last value. `parameters.steps` and `last.loss` say which is meant.
public struct RunField: Sendable, Hashable {
    public enum Scope: String, Sendable {
        case any = ""
        case parameters
        case last
    }

    public let scope: Scope
    public let name: String

    public init(_ name: String, in scope: Scope = .any) { (self.name, self.scope) = (name, scope) }

    /// As it is written.
    public var words: String { (scope == .any ? "" : "\(scope.rawValue).") + name.label(40) }

    /// As a list shows them; age in seconds since the file was last written, created as text that sorts in order of time.
    public static let own = ["name", "script", "step", "steps", "state", "age", "created", "alert", "parent"]

    /// - Parameter now: since when a file is that old.
    /// - Returns: nil where the run has no such thing.
    public func value(in listed: ListedRun, now: Date = Date()) -> RunValue? {
        guard let run = listed.run else { return nil }
        switch scope {
        case .parameters: return parameter(of: run)
        case .last: return last(of: run)
        case .any: return Self.own.contains(name) ? own(of: listed, run, now) : parameter(of: run) ?? last(of: run)
        }
    }

    private func own(of listed: ListedRun, _ run: RunSummary, _ now: Date) -> RunValue? {
        switch name {
        case "name": .text(listed.name)
        case "script": run.script.map { .text($0) }
        case "step", "steps": run.step.map { .number(Double($0)) }
        case "state": .text(run.state)
        case "age": .number(now.timeIntervalSince(run.written))
        case "created": .text(run.created.timestamp)
        case "alert": run.alert.map { .text($0) }
        default: run.parent.map { .text($0.name) }
        }
    }

    private func parameter(of run: RunSummary) -> RunValue? { run.parameters[name].flatMap(RunValue.init) }

    private func last(of run: RunSummary) -> RunValue? {
        run.last.first { $0.name == name }.map { .number($0.value.value) }
    }
}

extension RunValue {
    /// As people read it, without control characters.
    public var label: String {
        switch self {
        case .number(let number):
            let exact = Int(exactly: number).map(String.init) ?? "\(number)"
            return exact.count <= 8 ? exact : number.short
        case .text(let text): return text.label()
        case .truth(let flag): return "\(flag)"
        }
    }

    /// Nil for null.
    init?(_ json: JSONValue) {
        if let number = json.exactNumber {
            self = .number(number)
            return
        }
        switch json {
        case .null: return nil
        case .bool(let flag): self = .truth(flag)
        case .integer(let integer): self = .number(Double(integer))
        case .number(let number): self = .number(number)
        case .string(let text): self = .text(text)
        // Lists are compared as they are written: hidden == "[200,200]".
        case .array, .object: self = .text((try? json.plain.json()) ?? "")
        }
    }
}

extension [ListedRun] {
    /// In the order of a field; those that have no such value, and those that cannot be read, are last in both directions.
    public func sorted(by field: RunField, reversed: Bool = false) -> [ListedRun] {
        let now = Date()
        let keyed = map { (run: $0, key: field.value(in: $0, now: now)) }
        return keyed.enumerated().sorted { a, b in
            switch (a.element.key, b.element.key) {
            case (let x?, let y?):
                if RunValue.precedes(x, y) { return !reversed }
                if RunValue.precedes(y, x) { return reversed }
                return a.offset < b.offset
            case (nil, nil): return a.offset < b.offset
            case (let x, _): return x != nil
            }
        }.map(\.element.run)
    }

    /// Every name that some run here has a value of, but for those that all have.
    func names(in scope: RunField.Scope) -> [String] {
        var names: Set<String> = []
        for run in compactMap(\.run) {
            if scope != .parameters { names.formUnion(run.last.map(\.name)) }
            if scope != .last { names.formUnion(run.parameters.keys) }
        }
        return names.sorted()
    }

    func has(_ field: RunField) -> Bool {
        field.scope == .any && RunField.own.contains(field.name)
            || contains { listed in
                guard let run = listed.run else { return false }
                return field.scope != .last && run.parameters[field.name] != nil
                    || field.scope != .parameters && run.last.contains { $0.name == field.name }
            }
    }
}
