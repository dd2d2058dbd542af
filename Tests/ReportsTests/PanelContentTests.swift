import Compute
import Foundation
import Testing

@testable import Reports

@Suite struct Curves {
    func curve(_ y: [Double], errors: [Double]? = nil, _ scale: Panel.Scale = .linear) throws -> Curve {
        try Curve(PlottedSeries(name: "s", x: y.indices.map(Double.init), y: y, errors: errors), Panel(yScale: scale))
    }

    @Test func aCurveBreaksWhereAValueCannotBeDrawn() throws {
        #expect(try curve([1, .nan, 2, 3, .infinity, 4]).runs.map { $0.map(\.y) } == [[1], [2, 3], [4]])
        #expect(try curve([1, 0, 2, -3, 4], .log).runs.map { $0.map(\.y) } == [[1], [2], [4]])
        #expect(try curve([.nan]).isEmpty)
    }

    @Test func errorsWidenTheBandWhereTheyAreGiven() throws {
        let points = try curve([1, 2, 3], errors: [0.5, .nan, 0]).points
        #expect(points.map(\.low) == [0.5, 2, 3] && points.map(\.high) == [1.5, 2, 3])
        #expect(try curve([1], errors: [2], .log).points[0].low == 0.01)
    }

    @Test func thinningKeepsTheEndsAndEveryExtreme() throws {
        var stream = RandomStream(seed: 2, purpose: .test)
        let y = (0..<10_000).map { _ in stream.normal() }
        var curve = try curve(y)
        curve.thin(to: 100) { Int($0 / 100) }
        let points = curve.points
        #expect(points.count <= 400 && points.first?.x == 0 && points.last?.x == 9999)
        #expect(points.map(\.y).max() == y.max() && points.map(\.y).min() == y.min())
        #expect(zip(points, points.dropFirst()).allSatisfy { $0.x <= $1.x })
        #expect(points.allSatisfy { y[Int($0.x)] == $0.y })
    }
}

@Suite struct Axes {
    @Test func aReferenceLineHoldsUntilItsNextValueAndToTheEnd() throws {
        let panel = Panel(
            series: [PlottedSeries(name: "s", x: [0, 100], y: [1, 2])],
            references: [
                ReferenceLine(name: "edge", x: [0, 40], y: [40, 25]), ReferenceLine(name: "one", value: 1),
                ReferenceLine(name: "late", x: [200], y: [3]),
                ReferenceLine(name: "early", x: [-50, 10], y: [7, .nan]),
            ])
        let corners = try PanelContent(panel).staircases.map { $0.map { [$0.x, $0.y] } }
        #expect(corners[0] == [[0, 40], [40, 40], [40, 25], [100, 25]])
        #expect(corners[1] == [[0, 1], [100, 1]])
        #expect(corners[2].isEmpty)
        #expect(corners[3] == [[0, 7], [10, 7]])
    }

    /// A band has two sides; where one of them cannot be drawn, neither is.
    @Test func aBandHasTwoSides() throws {
        let panel = Panel(
            series: [PlottedSeries(name: "s", x: [0, 100], y: [1, 2])],
            references: [ReferenceLine(name: "edge", x: [0, 40, 60], y: [4, 2, .nan], upper: [30, 25, 20])])
        let content = try PanelContent(panel)
        #expect(
            content.staircases[0].map { [$0.x, $0.y, $0.upper] } == [
                [0, 4, 30], [40, 4, 30], [40, 2, 25], [60, 2, 25],
            ])
        #expect(content.yRange.high > 30)
        let svg = String(decoding: try Figure(panels: [panel]).drawn(as: .svg), as: UTF8.self)
        var line = panel
        line.references[0].upper = nil
        let plain = String(decoding: try Figure(panels: [line]).drawn(as: .svg), as: UTF8.self)
        func paths(_ svg: String) -> Int {
            svg.components(separatedBy: "<path").count + svg.components(separatedBy: "<polygon").count
        }
        #expect(paths(svg) > paths(plain), "a filled part and a second line")
        var broken = panel
        broken.references[0].upper = [1]
        #expect(throws: ReportError.self) { try PanelContent(broken) }
    }

    @Test func theAxesShowAllValuesAndTheReferences() throws {
        let panel = Panel(
            series: [PlottedSeries(name: "s", x: [5, 105], y: [10, 20], errors: [1, 2])],
            references: [ReferenceLine(name: "edge", value: 40)])
        let content = try PanelContent(panel)
        #expect(content.xRange.low == 5 && content.xRange.high == 105)
        #expect(content.yRange.low <= 9 && content.yRange.high > 40)
    }

    @Test func aLinearAxisStartsAtZeroWhenTheValuesComeNearIt() {
        func low(_ values: [Double]) -> Double {
            AxisRange(given: nil, values: values, scale: .linear, padding: 0.05).low
        }
        #expect(low([1, 40]) == 0 && low([0, 1]) == 0)
        #expect(low([39, 40]) > 38 && low([-1, 40]) < -1)
        #expect(low([3, 3]) == 1.5 && low([0, 0]) == -1)
    }
}
