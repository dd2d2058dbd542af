import Experiments

/// A JSON object a line: a measurement with all that is known of it, lists of numbers included.
///
/// Numbers that JSON cannot spell are the strings `"NaN"`, `"Infinity"` and `"-Infinity"`, as the JSON of protocol buffers has them:
/// Python's `float()` and JavaScript's `Number()` read them.
enum JSONLinesWriter {
    static func write(_ reader: RunFileReader, _ names: [String], to sink: any ByteSink) throws {
        for name in names {
            let cursor = try SeriesCursor(reader, name)
            let start = "{\"series\":\(quoted(name)),\"step\":"
            var lines = ""
            while let measurement = cursor.current {
                lines += start
                append(measurement, to: &lines)
                lines += "}\n"
                if lines.utf8.count >= 1 << 16 {
                    try sink.write(Array(lines.utf8))
                    lines = ""
                }
                try cursor.advance()
            }
            try sink.write(Array(lines.utf8))
        }
    }

    private static func append(_ measured: Measurement, to line: inout String) {
        line += "\(measured.step),\"value\":\(spelled(measured.value))"
        func add(_ key: String, _ number: Double?) {
            if let number { line += ",\"\(key)\":\(spelled(number))" }
        }
        add("stderr", measured.standardError)
        if let samples = measured.samples { line += ",\"samples\":\(samples)" }
        if let products = measured.products { line += ",\"products\":\(products)" }
        add("residual", measured.residual)
        add("seconds", measured.seconds)
        add("operations", measured.operations)
        add("low", measured.interval?.lowerBound)
        add("high", measured.interval?.upperBound)
        if let converged = measured.converged { line += ",\"converged\":\(converged)" }
        guard let arrays = measured.arrays, !arrays.isEmpty else { return }
        let lists = arrays.sorted { $0.key < $1.key }.map { name, numbers in
            "\(quoted(name)):[\(numbers.map(spelled).joined(separator: ","))]"
        }
        line += ",\"arrays\":{\(lists.joined(separator: ","))}"
    }

    private static func spelled(_ number: Double) -> String {
        if number.isNaN { return "\"NaN\"" }
        if number.isInfinite { return number > 0 ? "\"Infinity\"" : "\"-Infinity\"" }
        return "\(number)"
    }

    /// A JSON string; control characters are escaped, as JSON wants them.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.actsOnTerminal:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
