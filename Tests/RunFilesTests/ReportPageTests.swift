import Experiments
import Foundation
import Testing

@testable import RunFiles

@Suite struct ReportPageTests {
    private static let hostile = "</pre><script>alert('x')</script> & \"q\" \u{202E}\u{1B}[2J"

    private func page(_ readers: [RunFileReader]) throws -> String {
        let bytes = Bytes()
        try ReportPage(readers).write(to: bytes)
        return bytes.text
    }

    @Test func everythingOfTheFileIsTextNeverMarkup() throws {
        let place = try Workplace()
        let text = Self.hostile
        let reader = try place.runFile(environment: [text: text]) { file in
            try file.record(text, step: 1, value: 1)
            try file.setParameters([text: .string(text)])
            try file.addEvent(step: 1, kind: text, message: text)
            try file.addNote(text)
            try file.addFigure(name: text, mime: text, bytes: Data(text.utf8))
            try file.addFigure(name: "t", mime: "text/plain; charset=utf-8", bytes: Data(text.utf8))
            try file.addScript(path: text, source: text)
        }
        let tampered = try place.tamper(reader, "UPDATE run SET name = ?, alert = ?", [text, text])
        let page = try page([tampered])
        #expect(!page.contains("<script"))
        #expect(page.ranges(of: "&lt;script&gt;").count >= 15)
        #expect(!page.unicodeScalars.contains { $0 != "\n" && $0 != "\t" && $0.properties.generalCategory == .control })
        #expect(!page.contains("\u{202E}"))
    }

    @Test func thePageNeedsNothingFromElsewhere() throws {
        let place = try Workplace()
        let page = try page([place.runFile()])
        #expect(page.contains("Content-Security-Policy\" content=\"default-src 'none'"))
        for match in page.matches(of: /(?:src|srcset|href)="([^"]{0,30})/) {
            #expect(match.output.1.hasPrefix("data:image/"), "\(match.output.1)")
        }
        for loading in ["<link", "<iframe", "<object", "@import", "url("] { #expect(!page.contains(loading)) }
    }

    @Test func itSaysWhatTheRunWasAndHowToRunItAgain() throws {
        let place = try Workplace()
        let reader = try place.runFile("two words") { file in
            try file.record("flat", step: 3, value: -2)
            try file.record("empty", step: 3, value: .nan)
        }
        let page = try page([reader])
        for part in [
            "<title>two words</title>", "done after 4 steps", "eoss run &#39;two words.eoss&#39;",
            "eoss run edge.lua --set lr=0.05 --set &#39;tag=it&#39;\\&#39;&#39;s&#39;",
            "<td class=\"number\">0.2</td><td class=\"number\">4</td><td class=\"number\">5</td>",
            "print(&#39;hello&#39;)", "<summary>m.lua</summary>",
            "No value of it is a number that can be drawn.",
        ] { #expect(page.contains(part), "\(part)") }
    }

    @Test func severalRunsShareTheirAxesAndAScriptIsShownOnce() throws {
        let place = try Workplace()
        let page = try page([place.runFile("a"), place.runFile("b")])
        #expect(page.ranges(of: "<h3>loss</h3>").count == 1)
        #expect(page.ranges(of: "print(&#39;hello&#39;)").count == 1)
        #expect(page.contains("<h2>a</h2>") && page.contains("<h2>b</h2>"))
    }

    @Test func lossesThatAreNotPositiveAreDrawnOnALinearAxis() throws {
        let place = try Workplace()
        let reader = try place.runFile { file in
            for step in 0..<5 { try file.record("test_loss", step: step, value: Double(step) - 2) }
        }
        let curves = try ReportCurves([reader])
        let groups = try curves.groups().shown
        #expect(groups.map(\.title) == ["loss", "sharpness"])
        #expect(try curves.panel(groups[0])?.yScale == .linear)
        #expect(try ReportCurves([place.runFile("plain")]).panel(groups[0])?.yScale == .log)
    }
}
