import Foundation
import Testing

@testable import Reports

@Suite struct SurfaceTests {
    private func surface(_ value: (Double, Double) -> Double, scale: Panel.Scale = .linear) -> Surface {
        let (x, y) = ((0..<9).map { Double($0) / 4 - 1 }, (0..<6).map { Double($0) })
        return Surface(x: x, y: y, values: y.flatMap { y in x.map { value($0, y) } }, label: "loss", scale: scale)
    }

    /// Of a linear function every point of a line has its value, without an error.
    @Test func aLineOfEqualValueHasThatValue() {
        let pieces = surface { 2 * $0 + $1 }.contours(levels: 4)
        #expect(!pieces.isEmpty)
        for piece in pieces {
            let values = piece.map { 2 * $0.x + $0.y }
            // From −2 to 7 in five steps.
            let level = -2 + 1.8 * ((values[0] + 2) / 1.8).rounded()
            for value in values { #expect(abs(value - level) < 1e-12) }
        }
    }

    @Test func whatIsNotFiniteHasNoLineAndNoPartInTheRange() throws {
        let holed = surface { $0 > 0.5 && $1 > 3 ? ($1 > 4 ? .infinity : .nan) : $0 * $0 + $1 }
        #expect(holed.range?.low == 0 && holed.range?.high == 6)
        for piece in holed.contours() { for end in piece { #expect(!(end.x > 0.5 && end.y > 3)) } }
        #expect(surface { _, _ in .nan }.range == nil)
        #expect(surface { _, _ in 1 }.contours().isEmpty)
    }

    @Test(.enabled(if: gnuplotIsInstalled), arguments: [FigureFormat.svg, .png, .pdf, .text(columns: 90, rows: 30)])
    func itIsDrawnWithATrajectoryOnIt(_ format: FigureFormat) throws {
        let surface = surface({ exp($0 + $1) / ($0 > 0.8 ? 0 : 1) }, scale: .log)
        let panel = Panel(
            xLabel: "x", yLabel: "y", xRange: surface.ends.x, yRange: surface.ends.y,
            series: [PlottedSeries(name: "way", x: [0, 0.5, 0], y: [1, 2, 3], style: .path)], surface: surface)
        let figure = Figure(title: "t", panels: [panel])
        #expect(try figure.drawn(as: format).count > 500)
        // Where nothing is finite it says so, and does not fail.
        var empty = panel
        empty.surface?.values = surface.values.map { _ in .nan }
        #expect(try Figure(panels: [empty]).drawn(as: format).count > 200)
    }

    @Test func aSurfaceHasAValueForEachPoint() {
        var wrong = surface { $0 + $1 }
        wrong.values.removeLast()
        #expect(throws: ReportError.self) { try PanelContent(Panel(surface: wrong)) }
    }
}
