import Foundation

/// A page of the documentation: its Lua blocks, one after the other, are a script, and the text below them is what it prints.
struct DocumentedScript {
    /// Shown below `eoss run NAME.lua --set lr=0.05`, say.
    struct Execution {
        var settings: [String: String] = [:]
        var shown: [String] = []
    }

    /// What is typed at a prompt, a line or more, and what it answers.
    struct Exchange {
        var typed: String
        var shown: [String] = []
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    let url: URL
    let text: String
    private(set) var script = ""
    private(set) var executions = [Execution()]
    private(set) var exchanges: [Exchange] = []

    init(_ path: String) throws {
        url = Self.root.appendingPathComponent(path)
        text = try String(contentsOf: url, encoding: .utf8)
        var before = ("", "")
        for match in text.matches(of: /```(?<language>\w+)\n(?<body>(?s:.*?))```/) {
            let block = (String(match.output.language), String(match.output.body))
            switch block.0 {
            case "lua": script += block.1
            case "text": add(block.1.split(separator: "\n").map(String.init), below: before)
            default: break
            }
            before = block
        }
    }

    private mutating func add(_ lines: [String], below block: (language: String, body: String)) {
        if lines.first?.hasPrefix("> ") == true {
            for line in lines {
                if line.hasPrefix("> ") {
                    exchanges.append(Exchange(typed: String(line.dropFirst(2))))
                } else if line.hasPrefix(">> ") {
                    exchanges[exchanges.count - 1].typed += "\n" + line.dropFirst(3)
                } else {
                    exchanges[exchanges.count - 1].shown.append(line)
                }
            }
        } else if block.language == "lua" {
            executions[0].shown += lines
        } else if let command = block.body.firstMatch(of: /eoss run \w+\.lua(?<settings>( --set \w+=\S+)*)\n/) {
            let settings = command.output.settings.matches(of: /(\w+)=(\S+)/).map { (String($0.1), String($0.2)) }
            if settings.isEmpty {
                executions[0].shown += lines
            } else {
                executions.append(Execution(settings: Dictionary(uniqueKeysWithValues: settings), shown: lines))
            }
        }
    }

    /// Where links and figures of the page lead to that are not there.
    var missingFiles: [String] {
        text.matches(of: /\]\((?<path>[^)#:]+)\)/).map { String($0.output.path) }.filter {
            let file = url.deletingLastPathComponent().appendingPathComponent($0)
            return !FileManager.default.fileExists(atPath: file.path)
        }
    }

    // MARK: - What is shown, and what the page says

    /// Where lines differ: in a word, or in a number by more than a share and a unit of its last digit on the page.
    ///
    /// On the machine that the page was written on they are the same numbers. Elsewhere rounding differs, which training at the edge
    /// amplifies. Between f32 and f64, which differ by more, averages are alike to 4 %, and the loss at one step to 50 %.
    static func difference(
        _ shown: [String], _ page: [String], share: Double
    ) -> String? {
        guard shown.count == page.count else {
            return "shown are \(shown.count) lines, on the page are \(page.count): \(shown)"
        }
        for (line, expected) in zip(shown, page) where !isAlike(words(line), words(expected), share: share) {
            return "'\(line)' is '\(expected)' on the page"
        }
        return nil
    }

    /// Without the bars of sparklines and the lines of tables.
    private static func words(_ line: String) -> [String] {
        line.split(whereSeparator: { $0.isWhitespace || "(),{}=".contains($0) }).map(String.init).filter {
            $0.contains { $0.isLetter || $0.isNumber }
        }
    }

    private static func isAlike(_ shown: [String], _ page: [String], share: Double) -> Bool {
        guard shown.count == page.count else { return false }
        return zip(shown, page).allSatisfy { shown, page in
            if shown == page { return true }
            guard let value = Double(shown), let expected = Double(page) else { return false }
            let digits = page.split(separator: ".").dropFirst().first?.count ?? 0
            return abs(value - expected) <= share * abs(expected) + pow(10, -Double(digits))
        }
    }

    static func numbers(in line: String) -> [Double] { words(line).compactMap(Double.init) }
}
