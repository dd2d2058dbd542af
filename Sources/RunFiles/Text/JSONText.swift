import Experiments
import Foundation

extension JSONValue {
    /// A number for other programs.
    package init(_ number: Double) { self = .number(number) }

    /// For other programs: numbers that JSON has no word for are the texts `"nan"`, `"inf"` and `"-inf"`.
    package var plain: JSONValue {
        switch self {
        case .number(let number) where !number.isFinite: .string(number.short)
        case .object(let values):
            if let number = exactNumber { .number(number) } else { .object(values.mapValues(\.plain)) }
        case .array(let values): .array(values.map(\.plain))
        default: self
        }
    }

    /// Text for other programs, that acts on no terminal: control characters are escaped. Of a list each element has a line of
    /// its own.
    package func text() throws -> String {
        guard case .array(let elements) = self else { return try plain.json().escapingControls + "\n" }
        if elements.isEmpty { return "[]\n" }
        return "[\n" + (try elements.map { try $0.plain.json().escapingControls }).joined(separator: ",\n") + "\n]\n"
    }
}

extension String {
    /// In JSON control characters stand inside strings alone; those below U+0020 are escaped there already.
    fileprivate var escapingControls: String {
        unicodeScalars.map { scalar in
            scalar.actsOnTerminal
                ? "\\u" + String(format: "%04x", scalar.value) : String(scalar)
        }.joined()
    }
}

extension Date {
    /// As run files and other programs have it: UTC with milliseconds.
    package var timestamp: String { formatted(ISO8601FormatStyle(includingFractionalSeconds: true)) }
}
