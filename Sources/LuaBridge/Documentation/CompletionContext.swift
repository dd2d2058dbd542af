/// Where the cursor stands in what was typed: enough of Lua's grammar to know which name, which argument or which string is begun.
struct CompletionContext: Equatable {
    /// A bracket that is open.
    struct Bracket: Equatable {
        let opening: Character
        /// The expression before it, such as `run:track`; empty where it is no call.
        let callee: String
        /// Commas behind it.
        var argument = 0
        /// The name before the last `=` in the present field of a table.
        var key: String?
        /// What stands between the last comma and here.
        var isFieldBegun = false
        /// Fields that were given.
        var given: [String] = []
    }

    /// From the outermost to the innermost.
    var brackets: [Bracket] = []
    /// What is begun of a string, without its quote; nil outside of strings.
    var string: String?
    /// What is begun of a name or a chain of names: `run.mod`, `eoss.nn.`, `H:to`; empty for none.
    var chain = ""
    /// Whether the cursor is in a comment.
    var isComment = false

    init(_ text: String) {
        var scanner = Scanner(Array(text))
        scanner.scan(into: &self)
    }
}

private struct Scanner {
    let text: [Character]
    var position = 0
    /// The chain of names that ends here, and whether only space has come since.
    var chain = ""

    init(_ text: [Character]) { self.text = text }

    mutating func scan(into context: inout CompletionContext) {
        while position < text.count {
            let character = text[position]
            if isAt("--") {
                guard skipComment() else {
                    context.isComment = true
                    return
                }
            } else if character == "\"" || character == "'" {
                guard let string = takeString(character) else { return }
                if string.isOpen {
                    context.string = string.text
                    return
                }
                begin(&context)
                chain = ""
            } else if isAt("[["), skipLong() == false {
                context.string = nil
                context.isComment = true
                return
            } else if isNameStart(character) {
                takeName(&context)
            } else {
                take(character, &context)
            }
        }
        context.chain = chain
    }

    private mutating func take(_ character: Character, _ context: inout CompletionContext) {
        position += 1
        switch character {
        case "(", "{", "[":
            var callee = chain
            // The table of a call: `f({ … })`.
            if character == "{", chain.isEmpty, let outer = context.brackets.last, outer.opening == "(",
                !outer.isFieldBegun
            {
                callee = outer.callee
            }
            begin(&context)
            context.brackets.append(CompletionContext.Bracket(opening: character, callee: callee))
            chain = ""
        case ")", "}", "]":
            if !context.brackets.isEmpty { context.brackets.removeLast() }
            chain = ""
        case ",", ";":
            if let last = context.brackets.indices.last {
                context.brackets[last].argument += 1
                context.brackets[last].isFieldBegun = false
                context.brackets[last].key = nil
            }
            chain = ""
        case "=":
            if let last = context.brackets.indices.last, context.brackets[last].opening == "{", !chain.isEmpty,
                !isAt("=")
            {
                context.brackets[last].key = chain
                context.brackets[last].given.append(chain)
            }
            begin(&context)
            chain = ""
        case ".", ":":
            chain = chain.isEmpty || chain.hasSuffix(".") ? "" : chain + String(character)
        case _ where character.isWhitespace: if !chain.hasSuffix("."), !chain.hasSuffix(":") { endChain() }
        default:
            begin(&context)
            chain = ""
        }
    }

    /// A chain that space has ended may still be the callee of a bracket.
    private mutating func endChain() {
        var next = position
        while next < text.count, text[next].isWhitespace { next += 1 }
        if next == text.count || !"({=.:".contains(text[next]) { chain = "" }
    }

    private func begin(_ context: inout CompletionContext) {
        if let last = context.brackets.indices.last { context.brackets[last].isFieldBegun = true }
    }

    private mutating func takeName(_ context: inout CompletionContext) {
        var name = ""
        while position < text.count, isNameStart(text[position]) || text[position].isNumber {
            name.append(text[position])
            position += 1
        }
        if position < text.count { begin(&context) }
        chain = chain.hasSuffix(".") || chain.hasSuffix(":") ? chain + name : name
    }

    /// Nil without a closing quote on a line that has ended.
    private mutating func takeString(_ quote: Character) -> (text: String, isOpen: Bool)? {
        position += 1
        var string = ""
        while position < text.count {
            let character = text[position]
            position += 1
            if character == quote { return (string, false) }
            if character.isNewline { return nil }
            string.append(character)
            if character == "\\", position < text.count {
                string.append(text[position])
                position += 1
            }
        }
        return (string, true)
    }

    /// False where it goes on to the end.
    private mutating func skipComment() -> Bool {
        position += 2
        if isAt("[[") { return skipLong() }
        while position < text.count, !text[position].isNewline { position += 1 }
        return position < text.count
    }

    private mutating func skipLong() -> Bool {
        position += 2
        while position < text.count {
            if isAt("]]") {
                position += 2
                return true
            }
            position += 1
        }
        return false
    }

    private func isAt(_ word: String) -> Bool { text[position...].starts(with: word) }

    private func isNameStart(_ character: Character) -> Bool {
        character == "_" || (character.isASCII && character.isLetter)
    }
}
