import Foundation
import Testing

@testable import Reports

/// Stems and vertical lines: what a spectrum is drawn with.
@Suite(.enabled(if: gnuplotIsInstalled)) struct SpectrumPanelTests {
    private var panel: Panel {
        let x = stride(from: -2.0, through: 8, by: 0.01).map { $0 }
        return Panel(
            title: "spectrum", xLabel: "eigenvalue", yLabel: "density", yScale: .log, xRange: -2...8,
            yRange: 1e-6...3,
            series: [
                PlottedSeries(
                    name: "density", x: x, y: x.map { exp(-8 * $0 * $0) + 1e-4 * exp(-200 * pow($0 - 6, 2)) }),
                PlottedSeries(name: "top eigenvalues", x: [6, 3.5], y: [1e-4, 1e-4], style: .stems),
            ], verticals: [VerticalLine(name: "2/lr", x: 9)])
    }

    @Test func theAxisReachesAVerticalLineOutsideTheGivenRange() throws {
        let content = try PanelContent(panel)
        #expect(content.xRange.high == 9 && content.xRange.low == -2)
        var open = panel
        open.xRange = nil
        #expect(try PanelContent(open).xRange.high == 9)
        open.verticals.append(VerticalLine(name: "nowhere", x: .nan))
        #expect(try PanelContent(open).verticals.count == 1)
    }

    @Test func stemsAndVerticalLinesAreDrawnAndNamed() throws {
        let figure = Figure(panels: [panel])
        let script = try GnuplotScript(figure, .svg).text
        #expect(script.contains("with impulses") && script.contains("9.0 1e-06\n9.0 3.0\n"))
        let svg = String(decoding: try figure.drawn(as: .svg), as: UTF8.self)
        #expect(svg.contains("2/lr") && svg.contains("top eigenvalues"))
        let text = String(decoding: try figure.drawn(as: .text(columns: 90, rows: 30)), as: UTF8.self)
        #expect(text.contains("2/lr"))
    }

    @Test func aLineAcrossKeepsItsDashesBesideAVerticalOne() throws {
        var both = panel
        both.references = [ReferenceLine(name: "level", value: 0.1)]
        let script = try GnuplotScript(Figure(panels: [both]), .svg).text
        #expect(script.contains("dt 2 ") && script.contains("dt 4 "))
    }
}
