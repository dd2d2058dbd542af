import Experiments

/// Reads a condition by recursive descent: `or`, `and`, `not`, comparisons, sums, products, values.
struct RunQueryParser {
    private let text: String
    private let characters: [Character]
    /// Where the next word begins, and the one after.
    private var place = 0
    private var token = Token.end
    private var tokenPlace = 0
    private var depth = 0
    private(set) var fields: [(field: RunField, place: Int)] = []

    /// More than anyone writes; fewer than the stack holds: a sum is as deep as it is long.
    private static let (deepest, longest) = (100, 2000)

    private enum Token: Equatable {
        case end
        case number(Double)
        case quoted(String)
        case name(String)
        case symbol(String)

        var words: String {
            switch self {
            case .end: "the end"
            case .number(let number): "'\(number)'"
            case .quoted(let text): "'\(text.label(40))'"
            case .name(let text), .symbol(let text): "'\(text.label(40))'"
            }
        }
    }

    init(_ text: String) {
        self.text = text
        characters = Array(text)
    }

    /// All of the text.
    mutating func condition() throws(RunQueryError) -> RunQuery.Node {
        if characters.count > Self.longest {
            throw RunQueryError(
                text: String(characters.prefix(40)) + "…", place: 40,
                reason:
                    "a condition has at most \(Self.longest.grouped) characters, this one \(characters.count.grouped)")
        }
        try advance()
        if token == .end { throw failure("a condition is needed, such as lr > 0.1") }
        let node = try alternatives()
        guard token == .end else { throw failure("\(token.words) was not expected") }
        return node
    }

    private mutating func alternatives() throws(RunQueryError) -> RunQuery.Node {
        depth += 1
        defer { depth -= 1 }
        if depth > Self.deepest { throw failure("brackets are nested more than \(Self.deepest) deep") }
        var node = try conjunction()
        while takes("or") || takes("||") {
            try advance()
            node = .binary(.or, node, try conjunction())
        }
        return node
    }

    private mutating func conjunction() throws(RunQueryError) -> RunQuery.Node {
        var node = try negation()
        while takes("and") || takes("&&") {
            try advance()
            node = .binary(.and, node, try negation())
        }
        return node
    }

    private mutating func negation() throws(RunQueryError) -> RunQuery.Node {
        var isNegated = false
        while takes("not") || takes("!") {
            try advance()
            isNegated.toggle()
        }
        let node = try comparison()
        return isNegated ? .not(node) : node
    }

    private static let comparisons: [String: RunQuery.Operator] = [
        "<": .less, "<=": .lessOrEqual, ">": .greater, ">=": .greaterOrEqual, "=": .equal, "==": .equal,
        "!=": .unequal, "~=": .unequal,
    ]

    private mutating func comparison() throws(RunQueryError) -> RunQuery.Node {
        let left = try sum()
        guard case .symbol(let symbol) = token, let comparison = Self.comparisons[symbol] else { return left }
        try advance()
        if case .field(RunField("state")) = left { return .binary(comparison, left, try stateName()) }
        return .binary(comparison, left, try sum())
    }

    /// What a state is compared with: one of few words, with quotes or without.
    private mutating func stateName() throws(RunQueryError) -> RunQuery.Node {
        switch token {
        case .name(let word), .quoted(let word):
            guard RunSummary.states.contains(word) else {
                throw failure("\(token.words) is no state; there are \(RunSummary.states.joined(separator: ", "))")
            }
            try advance()
            return .value(.text(word))
        default: return try sum()
        }
    }

    private mutating func sum() throws(RunQueryError) -> RunQuery.Node {
        var node = try product()
        while takes("+") || takes("-") {
            let symbol: RunQuery.Operator = takes("+") ? .add : .subtract
            try advance()
            node = .binary(symbol, node, try product())
        }
        return node
    }

    private mutating func product() throws(RunQueryError) -> RunQuery.Node {
        var node = try factor()
        while takes("*") || takes("/") {
            let symbol: RunQuery.Operator = takes("*") ? .multiply : .divide
            try advance()
            node = .binary(symbol, node, try factor())
        }
        return node
    }

    private mutating func factor() throws(RunQueryError) -> RunQuery.Node {
        var isNegative = false
        while takes("-") {
            try advance()
            isNegative.toggle()
        }
        let node = try value()
        return isNegative ? .negative(node) : node
    }

    private static let words: [String: RunValue?] = [
        "true": .truth(true), "false": .truth(false), "nil": .none, "nan": .number(.nan), "inf": .number(.infinity),
    ]

    private mutating func value() throws(RunQueryError) -> RunQuery.Node {
        let start = tokenPlace
        switch token {
        case .number(let number):
            try advance()
            return .value(.number(number))
        case .quoted(let text):
            try advance()
            return .value(.text(text))
        case .symbol("("):
            try advance()
            let node = try alternatives()
            guard takes(")") else { throw failure("a ')' is missing before \(token.words)") }
            try advance()
            return node
        case .name(let word) where !["and", "or", "not"].contains(word):
            try advance()
            if let value = Self.words[word] { return .value(value) }
            let field = try field(word)
            fields.append((field, start))
            return .field(field)
        default: throw failure("a name or a value is missing before \(token.words)")
        }
    }

    /// `lr`, `parameters.lr`, `last.loss`, `last."my series"`.
    private mutating func field(_ word: String) throws(RunQueryError) -> RunField {
        guard takes("."), let scope = RunField.Scope(rawValue: word) else { return RunField(word) }
        try advance()
        switch token {
        case .name(let name), .quoted(let name):
            try advance()
            return RunField(name, in: scope)
        default: throw failure("a name is missing after '\(word).'")
        }
    }

    // MARK: - Words

    private func takes(_ word: String) -> Bool { token == .symbol(word) || token == .name(word) }

    private func failure(_ reason: String) -> RunQueryError {
        RunQueryError(text: text, place: tokenPlace, reason: reason)
    }

    private static let symbols = ["<=", ">=", "==", "!=", "~=", "&&", "||"]

    private mutating func advance() throws(RunQueryError) {
        while place < characters.count, characters[place].isWhitespace { place += 1 }
        tokenPlace = place
        guard place < characters.count else {
            token = .end
            return
        }
        let next = characters[place]
        if next == "\"" || next == "'" {
            guard let end = characters[(place + 1)...].firstIndex(of: next) else {
                throw failure("a text has no closing \(next)")
            }
            token = .quoted(String(characters[(place + 1)..<end]))
            place = end + 1
        } else if Self.isDigit(next)
            || next == "." && place + 1 < characters.count && Self.isDigit(characters[place + 1])
        {
            try number()
        } else if next.isLetter || next == "_" {
            let end = characters[place...].firstIndex { !($0.isLetter || $0.isNumber || $0 == "_") } ?? characters.count
            token = .name(String(characters[place..<end]))
            place = end
        } else {
            let pair = String(characters[place..<min(place + 2, characters.count)])
            let symbol = Self.symbols.contains(pair) ? pair : String(next)
            guard Self.symbols.contains(symbol) || "<>=!()+-*/.".contains(symbol) else {
                throw failure("'\(String(next).printable)' means nothing here")
            }
            token = .symbol(symbol)
            place += symbol.count
        }
    }

    private static func isDigit(_ character: Character) -> Bool { character.isASCII && character.isNumber }

    private mutating func number() throws(RunQueryError) {
        var end = place
        while end < characters.count {
            let character = characters[end]
            let isSign = (character == "+" || character == "-") && "eE".contains(characters[end - 1])
            guard Self.isDigit(character) || ".eE".contains(character) || isSign else { break }
            end += 1
        }
        let spelling = String(characters[place..<end])
        let goesOn = end < characters.count && (characters[end].isLetter || characters[end] == "_")
        guard !goesOn, let number = Double(spelling) else {
            throw failure("'\(spelling)\(goesOn ? String(characters[end]) : "")' is no number")
        }
        token = .number(number)
        place = end
    }
}
