import Compute
import Foundation
import Testing

@testable import Reports

/// What of the values an axis shows when nobody has said so.
@Suite struct AutomaticLimits {
    private func range(_ y: [Double], _ scale: Panel.Scale = .linear) throws -> AxisRange {
        try PanelContent(oneSeries(y, scale).panels[0]).yRange
    }

    @Test func onePointFarAwayDoesNotFlattenTheRest() throws {
        let y = [8e5] + (1...600).map { 40 + sin(Double($0) / 20) }
        let content = try PanelContent(oneSeries(y).panels[0])
        #expect(content.yRange.high < 42 && content.yRange.low > 38)
        #expect(content.clipped == [[PanelContent.Clipped(x: 0, isAbove: true)]])
        #expect(content.notes == ["s: 1 value is above the axis: 800000 at 0"])
        let below = try PanelContent(oneSeries(y.map { -$0 }).panels[0])
        #expect(below.yRange.low > -42 && below.clipped[0] == [PanelContent.Clipped(x: 0, isAbove: false)])
        #expect(below.notes == ["s: 1 value is below the axis: -800000 at 0"])
    }

    /// A handful of values that explode is cut off, too, if it goes far enough.
    @Test func aRunThatDivergesLeavesItsPastToBeSeen() throws {
        let y: [Double] = (0..<100).map { (step: Int) -> Double in
            step < 85 ? 30 + Double(step % 7) : pow(10, Double(step - 80))
        }
        #expect(try range(y).high < 1e7)
    }

    @Test func ordinaryValuesAreAllShown() throws {
        var stream = RandomStream(seed: 3, purpose: .test)
        let noise = (0..<20_000).map { _ in stream.normal() }
        #expect(try range(noise).high >= noise.max() ?? 0)
        let decay = (0..<100).map { exp(-Double($0) / 20) }
        let lists: [[Double]] = [[0, 0, 0, 0, 0, 0, 0, 0, 7], [1, 2, 100], decay, [5, 5, 5, 5, 5, 5, 5, 5.1]]
        for y in lists {
            let shown = try range(y)
            #expect(shown.low <= y.min() ?? 0 && shown.high >= y.max() ?? 0, "\(y)")
        }
    }

    @Test func aLogarithmicAxisIsRobustInDecades() throws {
        let y = (0..<200).map { pow(10, -Double($0) / 100) }
        #expect(try range(y + [1e-5], .log).low <= 1e-5)
        let far = try PanelContent(oneSeries(y + [1e-200], .log).panels[0])
        #expect(far.yRange.low > 1e-4 && far.clipped[0].count == 1)
    }

    /// 2/lr while lr grows from 10⁻⁴ to 0.05 in a tenth of the steps.
    @Test func theEdgeOfAWarmUpDoesNotFlattenTheCurvature() throws {
        var edge = ReferenceLine(
            name: "2/lr", x: (0...100).map(Double.init), y: (0...100).map { 2 / (1e-4 + 0.0499 * Double($0) / 100) })
        edge.isAlwaysShown = false
        let series = PlottedSeries(name: "sharpness", x: [0, 500, 1000], y: [10, 30, 39])
        let content = try PanelContent(Panel(series: [series], references: [edge]))
        #expect(content.yRange.high > 40 && content.yRange.high < 100)
        #expect(content.clippedReferences[0].count == 1 && content.clippedReferences[0][0].isAbove)
        #expect(content.notes == ["2/lr: in part above the axis, up to 20000"])
        // One that lies far above all the way is named alone; one that the user has asked for is always there.
        edge = ReferenceLine(name: "2/lr", value: 4000)
        #expect(try PanelContent(Panel(series: [series], references: [edge])).yRange.high > 4000)
        edge.isAlwaysShown = false
        let far = try PanelContent(Panel(series: [series], references: [edge]))
        #expect(far.yRange.high < 50 && far.notes == ["2/lr: above the axis, at 4000"])
    }

    @Test func whatTheUserWantsToSeeIsShown() throws {
        var panel = oneSeries([1, 2, 3, 4]).panels[0]
        panel.yRange = 2...3
        let content = try PanelContent(panel)
        #expect(content.yRange.low == 2 && content.yRange.high == 3 && content.notes.isEmpty)
        #expect(content.clipped[0].map(\.isAbove) == [false, true])
        panel.yRange = 2...Double.infinity
        #expect(try PanelContent(panel).yRange.low == 2)
        #expect(try PanelContent(panel).yRange.high >= 4)
        panel.yRange = -Double.infinity...(-5)
        #expect(try PanelContent(panel).yRange.high == -5)
        panel.yRange = nil
        panel.xRange = 1...2
        // The line goes on beyond both ends.
        let part = try PanelContent(panel)
        #expect(part.curves[0].points.map(\.x) == [0, 1, 2, 3] && part.xRange.low == 1 && part.yRange.high < 3.2)
    }

    @Test func whatCannotBeDrawnIsSaid() throws {
        #expect(try PanelContent(oneSeries([1, .nan, .infinity, 2]).panels[0]).notes == ["s: 2 values are not finite"])
        #expect(
            try PanelContent(oneSeries([1, 0, -3, 2], .log).panels[0]).notes == [
                "s: 2 values are not positive, and so not on the logarithmic axis"
            ])
        let negative = try PanelContent(oneSeries([-1, -2, 0], .log).panels[0])
        #expect(negative.panel.yScale == .linear && negative.yRange.low < -2)
        #expect(negative.notes == ["no value is positive: the axis is not logarithmic"])
        #expect(try PanelContent(oneSeries([.nan, .nan], .log).panels[0]).notes == ["s: 2 values are not finite"])
        // Where there is no value there is still a place on the x axis.
        #expect(try PanelContent(oneSeries([.nan, .nan, .nan]).panels[0]).xRange.high == 2)
    }
}

@Suite struct Decimation {
    /// A million values, one of them a spike no wider than a thousandth of a pixel.
    @Test func aSpikeInAMillionIsDrawnAndBothEndsStay() throws {
        var y = [Double](repeating: 0, count: 1_000_000)
        for i in y.indices { y[i] = sin(Double(i) / 5000) }
        (y[123_456], y[654_321]) = (3, -4)
        let content = try PanelContent(oneSeries(y).panels[0], columns: 800)
        let points = content.curves[0].points
        #expect(points.count <= 3200)
        #expect(points.contains { $0.x == 123_456 && $0.y == 3 } && points.contains { $0.x == 654_321 && $0.y == -4 })
        #expect(points.first?.x == 0 && points.last?.x == 999_999)
        #expect(content.yRange.high >= 3 && content.yRange.low <= -4)
        // Far away it is marked at the border.
        y[123_456] = 1e6
        #expect(
            try PanelContent(oneSeries(y).panels[0]).clipped[0] == [PanelContent.Clipped(x: 123_456, isAbove: true)])
    }

    @Test func dotsThatLieOnEachOtherAreOne() throws {
        var stream = RandomStream(seed: 5, purpose: .test)
        let x = (0..<100_000).map { _ in stream.normal() }
        let y = x.map { $0 * $0 }
        let panel = Panel(series: [PlottedSeries(name: "s", x: x, y: y, style: .points)])
        let points = try PanelContent(panel, columns: 200, rows: 100).curves[0].points
        #expect(points.count < 20_000 && points.count > 200)
        #expect(points.allSatisfy { $0.y == $0.x * $0.x })
    }
}
