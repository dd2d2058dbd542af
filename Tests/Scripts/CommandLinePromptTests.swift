import Foundation
import LuaBridge
import ScriptAPI
import Testing

@testable import eoss

/// A language in which a chunk is complete when it has as many `end` as `do`.
private final class Language {
    var chunks: [String] = []

    func evaluate(_ source: String) -> PromptResult {
        let words = source.split(whereSeparator: \.isWhitespace)
        if words.count(where: { $0 == "do" }) > words.count(where: { $0 == "end" }) { return .incomplete }
        chunks.append(source)
        if source == "continue()" { return .goOn }
        if source == "error" { return .failed("no good") }
        return .done(nil)
    }
}

private final class ScriptedLines: LineSource {
    var lines: [Line]
    var prompts: [String] = []
    var remembered: [[String]] = []

    init(_ lines: [Line]) { self.lines = lines }

    func next(prompt: String, complete: @escaping (String) -> Completion) -> Line {
        prompts.append(prompt)
        return lines.isEmpty ? .end : lines.removeFirst()
    }

    func remember(_ lines: [String]) { remembered.append(lines) }
    func forgetPasted() {}
}

@Suite struct CommandLinePromptTests {
    private func prompt(_ lines: [Line]) -> (Prompt, ScriptedLines, Language) {
        let source = ScriptedLines(lines)
        return (Prompt(lines: source, console: Console(quiet: true)), source, Language())
    }

    @Test func aChunkIsReadUntilItIsCompleteAndRememberedByItsLines() {
        let (prompt, lines, language) = prompt([.text("a do"), .text("b"), .text("end"), .text("  "), .text("c")])
        #expect(prompt.run(language.evaluate) == .stop)
        #expect(language.chunks == ["a do\nb\nend", "c"])
        #expect(lines.prompts == ["> ", ">> ", ">> ", "> ", "> ", "> "])
        #expect(lines.remembered == [["a do", "b", "end"], ["c"]])
        #expect(!prompt.hasFailed && prompt.wasLeft)
    }

    @Test func controlCThrowsTheWholeChunkAway() {
        let (prompt, lines, language) = prompt([.text("a do"), .interrupted, .text("b")])
        _ = prompt.run(language.evaluate)
        #expect(language.chunks == ["b"])
        #expect(lines.prompts == ["> ", ">> ", "> ", "> "])
    }

    @Test func continueEndsThePromptAndAnErrorDoesNot() {
        let (prompt, lines, language) = prompt([.text("error"), .text("continue()"), .text("later")])
        #expect(prompt.run(language.evaluate) == .goOn)
        #expect(prompt.hasFailed && !prompt.wasLeft)
        #expect(lines.lines == [.text("later")])
    }

    @Test func anInputThatEndsInTheMiddleOfAChunkHasFailed() {
        let (prompt, _, language) = prompt([.text("a do")])
        #expect(prompt.run(language.evaluate) == .stop)
        #expect(prompt.hasFailed && language.chunks.isEmpty)
    }

    @Test func theHistoryOutlivesTheProgramAndStaysBounded() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let standard = try #require(PromptHistory.standard(environment: ["XDG_STATE_HOME": folder.path]))
        #expect(standard.file.path == folder.path + "/eoss/history")
        #expect(standard.load() == [])
        standard.append(["for i = 1, 3 do", "", "end"])
        standard.append(["print('λ')"])
        #expect(standard.load() == ["for i = 1, 3 do", "end", "print('λ')"])
        var short = standard
        short.limit = 1
        #expect(short.load() == ["print('λ')"])
        #expect(standard.load() == ["print('λ')"], "the file was cut down")
        let home = PromptHistory.standard(environment: ["HOME": "/home/u", "XDG_STATE_HOME": "relative"])
        #expect(home?.file.path == "/home/u/.local/state/eoss/history")
        #expect(PromptHistory.standard(environment: [:])?.file == nil)
    }
}
