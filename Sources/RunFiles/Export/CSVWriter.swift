/// Tables as comma-separated values (RFC 4180), in UTF-8 with lines that end in a newline alone.
///
/// Numbers have as many digits as tell them apart; `nan`, `inf` and `-inf` stand for what they say, an empty field for what was not
/// measured.
enum CSVWriter {
    static func write(_ table: any TableSource, to sink: any ByteSink) throws {
        var line = table.columns.map { quoted($0.name) }.joined(separator: ",") + "\n"
        try sink.write(Array(line.utf8))
        while let rows = try table.next() {
            line = ""
            for row in 0..<rows.count {
                for (index, column) in rows.columns.enumerated() {
                    if index > 0 { line += "," }
                    switch column {
                    case .integers(let values): if let value = values[row] { line += "\(value)" }
                    // The sign of what is no number says nothing, and differs from machine to machine.
                    case .numbers(let values): if let value = values[row] { line += value.isNaN ? "nan" : "\(value)" }
                    case .texts(let texts): line += quoted(texts[row])
                    }
                }
                line += "\n"
            }
            try sink.write(Array(line.utf8))
        }
    }

    private static func quoted(_ text: String) -> String {
        let isPlain = !text.isEmpty && !text.contains { $0 == "," || $0 == "\"" || $0.isNewline || $0.isWhitespace }
        return isPlain ? text : "\"\(text.replacing("\"", with: "\"\""))\""
    }
}
