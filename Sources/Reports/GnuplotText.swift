/// How strings and numbers are written in a gnuplot script.
enum GnuplotText {
    /// The string in single quotes, in which gnuplot knows no escapes, substitutes no commands and expands no macros.
    ///
    /// Quotes and backticks become typographic quotes (gnuplot reads a doubled quote wrongly at the beginning of a string), control
    /// characters spaces (a newline would end the command), and long strings are cut.
    static func quoted(_ string: String) -> String { "'\(cleaned(string))'" }

    /// What stands between the quotes.
    static func cleaned(_ string: String) -> String {
        let longest = 200
        var cleaned = ""
        for scalar in string.unicodeScalars.prefix(longest) {
            switch scalar {
            case "'", "`": cleaned += "’"
            case _
            where scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
                || scalar.properties.generalCategory == .lineSeparator
                || scalar.properties.generalCategory == .paragraphSeparator:
                cleaned += " "
            default: cleaned.unicodeScalars.append(scalar)
            }
        }
        if string.unicodeScalars.count > longest { cleaned += "…" }
        return cleaned
    }

    /// The shortest text that gives this finite number.
    static func number(_ value: Double) -> String { "\(value)" }
}
