import Foundation
import Testing

@testable import ScriptAPI

/// The scripts of the tutorial, of README.md and of the page for those who come from PyTorch print what stands below them, and that is
/// what their text claims.
@Suite struct TutorialTests {
    static let chapters = [
        "1-first-run", "2-measuring", "3-switching", "4-your-own", "5-the-prompt", "6-sharing-and-sweeps",
    ].map { "docs/tutorial/\($0).md" }
    static let scripts =
        chapters.filter { !$0.contains("5-the-prompt") } + ["README.md", "docs/from-pytorch-and-wandb.md"]

    /// A line that a script prints: how it begins, which of its numbers is meant, and where that is to be.
    private struct Claim {
        var beginning: String
        var number = 0
        var range: ClosedRange<Double>
    }

    /// What the text says of the numbers: "to a few per cent", "below".
    private static let claims: [String: [Claim]] = [
        "docs/tutorial/1-first-run.md": [
            Claim(beginning: "mean of lambda_max", number: 0, range: 0.95...1.05)
        ],
        "docs/tutorial/2-measuring.md": [
            Claim(beginning: "batch_sharpness\t1", range: 0.95...1.1),
            Claim(beginning: "lambda_max\t0", range: 0.4...0.7),
            Claim(beginning: "share of the Gauss-Newton", range: 0...0.02),
        ],
        "docs/tutorial/3-switching.md": [
            Claim(beginning: "before", number: 1, range: 0.95...1.05),
            Claim(beginning: "after", number: 1, range: 0.95...1.05),
            Claim(beginning: "slow", number: 2, range: 0.95...1.05),
            Claim(beginning: "trunk", number: 2, range: 0.95...1.05),
            Claim(beginning: "fast", number: 2, range: 0.95...1.05),
            Claim(beginning: "a fork without a change", range: 0...0),
        ],
        "docs/tutorial/4-your-own.md": [
            Claim(beginning: "lambda_max\t0", range: 0.95...1.05),
            Claim(beginning: "lambda_max\t2", range: 23...25),
        ],
        "docs/tutorial/6-sharing-and-sweeps.md": [
            Claim(beginning: "lr-0.05", number: 2, range: 0.95...1.05),
            Claim(beginning: "lr-0.1", number: 2, range: 0.95...1.05),
            Claim(beginning: "lr-0.2", number: 2, range: 0.95...1.05),
        ],
        "README.md": [
            Claim(beginning: "batch_sharpness", range: 0.95...1.1),
            Claim(beginning: "lambda_max", range: 0.3...0.6),
        ],
    ]

    @Test(arguments: scripts) func scriptsPrintWhatStandsBelowThem(path: String) throws {
        let page = try DocumentedScript(path)
        try #require(!page.script.isEmpty && page.executions.allSatisfy { !$0.shown.isEmpty })
        for execution in page.executions {
            let lab = try Laboratory()
            try lab.run(page.script) { options in
                options.settings = execution.settings.map { ScriptOptions.Setting($0.key, $0.value) }
            }
            let printed = lab.printed.flatMap { $0.split(separator: "\n").map(String.init) }
            #expect(DocumentedScript.difference(printed, execution.shown, share: 0.1) == nil)
            for claim in Self.claims[path] ?? [] {
                let line = try #require(printed.first { $0.hasPrefix(claim.beginning) }, "\(claim.beginning)")
                let numbers = DocumentedScript.numbers(in: line)
                try #require(claim.number < numbers.count, "\(line)")
                #expect(claim.range.contains(numbers[claim.number]), "\(line)")
            }
        }
    }

    /// The lines that begin with `> ` are typed at the prompt that follows the first chapter's script.
    @Test func thePromptAnswersAsTheFifthChapterShows() throws {
        let first = try DocumentedScript(Self.chapters[0])
        let page = try DocumentedScript(Self.chapters[4])
        try #require(page.exchanges.count > 10)
        let lab = try Laboratory()
        try lab.write(first.script, to: "experiment.lua")
        // Where there is a prompt, it sees the script's local variables.
        let withPrompt: (inout ScriptOptions) -> Void = { $0.pause = { _ in .stop } }
        try lab.host(withPrompt) { host in
            var levels: [Double] = []
            try host.run(file: lab.folder.appendingPathComponent("experiment.lua"))
            for exchange in page.exchanges {
                let before = lab.printed.count
                let answer: String
                switch host.evaluate(exchange.typed) {
                case .done(let text): answer = text ?? ""
                case .failed(let message): answer = message
                case .incomplete, .stopped, .goOn: answer = "no answer"
                }
                let shown = (lab.printed[before...] + [answer]).flatMap { $0.split(separator: "\n").map(String.init) }
                let difference = DocumentedScript.difference(shown, exchange.shown, share: 0.6)
                #expect(difference == nil, "\(exchange.typed)")
                // How far what is asked for is from the edge.
                if exchange.typed.hasSuffix(".edge"), let level = shown.first.flatMap(Double.init) {
                    levels.append(level)
                }
            }
            #expect(levels.count == 4 && levels.allSatisfy { abs($0 - 1) < 0.05 })
        }
    }

    @Test(arguments: chapters + ["README.md", "docs/tutorial/README.md", "docs/from-pytorch-and-wandb.md"])
    func linksAndFiguresAreThere(path: String) throws {
        #expect(try DocumentedScript(path).missingFiles.isEmpty)
    }

    @Test func theFirstPageIsTwoScreens() throws {
        let lines = try DocumentedScript("README.md").text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 80)
        #expect(lines.allSatisfy { $0.count <= 110 })
    }
}
