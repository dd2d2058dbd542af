import Foundation
import Testing

@testable import Reports

@Suite(.enabled(if: gnuplotIsInstalled)) struct TextFigures {
    private let figure = Figure(
        title: "two panels",
        panels: [
            Panel(
                yLabel: "curvature",
                series: [
                    PlottedSeries(name: "one", x: [0, 50, 100], y: [1, 2, 3]),
                    PlottedSeries(name: "two", x: [0, 50, 100], y: [3, .nan, 1]),
                ], marks: [PanelMark(x: 40, name: "lr 0.1 to 0.2")]),
            Panel(
                xLabel: "step", yLabel: "loss", yScale: .log,
                series: [PlottedSeries(name: "loss", x: [0, 100], y: [1, 1e-3])]),
        ])

    private func lines(_ columns: Int, colour: Bool = false) throws -> [String] {
        String(decoding: try figure.drawn(as: .text(columns: columns, rows: 15, colour: colour)), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    @Test(arguments: [30, 80, 132]) func aFigureFitsItsColumns(columns: Int) throws {
        let lines = try lines(columns)
        #expect(lines.allSatisfy { $0.count <= columns } && lines.first == "two panels" && lines.last == "")
        for word in [
            "curvature", "*** one   ### two", "loss", "step", "0.001", "lr 0.1 to 0.2 at 40",
            "two: 1 value is not finite",
        ] {
            #expect(lines.contains { $0.contains(word) }, "\(word)")
        }
        #expect(!lines.joined().contains("\u{1B}"))
    }

    /// Colours are added to what is there without them.
    @Test func coloursAreEscapeSequencesAlone() throws {
        let (plain, coloured) = (try lines(80), try lines(80, colour: true))
        #expect(coloured.joined().contains("\u{1B}[38;5;"))
        #expect(coloured.map { $0.replacing(/\u{1B}\[[0-9;]*m/, with: "") } == plain)
    }

    @Test func namesCannotActOnTheTerminal() throws {
        var hostile = figure
        let name = "a\u{1B}]0;owned\u{7}\r\n\u{9B}31mb"
        (hostile.title, hostile.panels[0].series[0].name, hostile.panels[0].yLabel) = (name, name, name)
        hostile.panels[0].marks = [PanelMark(x: 40, name: name)]
        hostile.notes = [name]
        let drawn = String(decoding: try hostile.drawn(as: .text(columns: 80, rows: 12)), as: UTF8.self)
        #expect(!drawn.unicodeScalars.contains { $0.value < 32 && $0 != "\n" || (0x7F...0x9F).contains($0.value) })
    }

    @Test func aPictureForATerminalIsSixels() throws {
        let drawn = try figure.drawn(as: .sixel(width: 600, height: 400))
        #expect(drawn.contains(0x1B) && String(decoding: drawn.prefix(40), as: UTF8.self).contains("\u{1B}P"))
    }
}
