/// The values of one parameter as they are typed: `lr=0.02,0.05,0.1`.
///
/// Commas part them, but for those in braces, which are of a list (`hidden={200,200},{50}`), and in double quotes, which are of a text
/// (`note="a,b",c`).
public enum SweepValues {
    /// - Throws: ``SweepError`` for no values, an empty one, and a brace or a quote that is not closed.
    public static func split(_ text: String, of name: String) throws(SweepError) -> [String] {
        var values: [String] = []
        var value = ""
        var isText = false
        var depth = 0
        func failure(_ what: String) -> SweepError {
            SweepError(
                "--set \(name)=\(text.printable): \(what); values are parted by commas, as in --set \(name)=1,2,3, a list is written "
                    + "{1,2}, a text with a comma \"a,b\"")
        }
        func finished() throws(SweepError) -> String {
            let plain = value.trimmed
            if plain.isEmpty { throw failure(text.trimmed.isEmpty ? "there are no values" : "a value is empty") }
            guard plain.hasPrefix("\"") else { return plain }
            let inner = plain.dropFirst().dropLast()
            guard plain.count > 1, plain.hasSuffix("\""), !inner.contains("\"") else {
                throw failure("a text in quotes is a value of its own")
            }
            return String(inner)
        }
        for character in text {
            switch character {
            case "\"": isText.toggle()
            case "{" where !isText: depth += 1
            case "}" where !isText: depth -= 1
            case "," where !isText && depth == 0:
                values.append(try finished())
                value = ""
                continue
            default: break
            }
            if depth < 0 { throw failure("there is a '}' without a '{'") }
            value.append(character)
        }
        if isText { throw failure("a '\"' is not closed") }
        if depth > 0 { throw failure("a '{' is not closed") }
        return values + [try finished()]
    }
}

extension String {
    /// Without spaces at its ends.
    fileprivate var trimmed: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
