import Experiments
import Foundation
import RunFiles

extension JSONValue {
    /// On one line. What JSON has no number for is the text "nan", "inf" or "-inf".
    var line: String { (try? plain.json()) ?? "null" }
}

extension [CurveEnvelope.Point] {
    /// `"s":[steps],"v":[values]`, of a curve that may have thousands: JSON's encoder would take a hundred times as long.
    var members: String {
        var (steps, values) = ("", "")
        for point in self {
            steps += steps.isEmpty ? "\(point.step)" : ",\(point.step)"
            if !values.isEmpty { values += "," }
            values += point.value.isFinite ? "\(point.value)" : "\"\(point.value.short)\""
        }
        return "\"s\":[\(steps)],\"v\":[\(values)]"
    }
}

extension String {
    /// At most so many characters: names and texts in files of strangers may have any length.
    func short(_ length: Int) -> String {
        // Whole files of combining characters are one.
        let scalars = unicodeScalars.prefix(4 * length)
        return String(String.UnicodeScalarView(scalars)).cut(to: length)
    }
}
