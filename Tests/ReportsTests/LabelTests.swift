import Foundation
import Testing

@testable import Reports

/// Nothing that is written lies on anything else.
@Suite struct Labels {
    private func tics(_ low: Double, _ high: Double, _ scale: Panel.Scale, length: Double = 300) -> Tics {
        Tics(AxisRange(given: low...high, values: [], scale: scale, padding: 0), length: length) {
            Legend.textWidth($0, fontSize: 13) + 10
        }
    }

    static let ranges: [(Double, Double)] = [
        (0, 600), (0, 1e6), (-3e-7, 5e-7), (0.998, 1.002), (1e5, 1.00001e5), (-1, 1), (0, 1), (1, 1 + 1e-12),
        (-1e250, 1e250),
    ]

    @Test(arguments: ranges)
    func ticsOfALinearAxisAreEvenAndApart(low: Double, high: Double) {
        for length in [60.0, 150, 400, 1500] {
            let axis = AxisRange(given: low...high, values: [], scale: .linear, padding: 0)
            let labels = tics(low, high, .linear, length: length).labels
            #expect(labels.count >= (length < 100 ? 1 : 2) && labels.count <= 9, "\(length): \(labels)")
            #expect(Set(labels.map(\.text)).count == labels.count, "\(labels)")
            for (a, b) in zip(labels, labels.dropFirst()) {
                let between = (axis.share(b.place) - axis.share(a.place)) * length
                let room = (Legend.textWidth(a.text, fontSize: 13) + Legend.textWidth(b.text, fontSize: 13)) / 2
                #expect(between > room, "\(a) \(b)")
            }
        }
    }

    @Test func aShortLogarithmicAxisHasTicsToo() {
        for (low, high) in [(3.0, 6.2), (0.9, 1.1), (2, 9), (2, 30), (1e-7, 3e-7), (0.27, 0.7)] {
            let places = tics(low, high, .log).labels.map(\.place)
            #expect(places.count >= 3 && places.allSatisfy { $0 >= low * 0.999 && $0 <= high * 1.001 }, "\(places)")
        }
    }

    @Test func aLongLogarithmicAxisHasDecadesThatFit() {
        let powers = ["10^{-4}", "10^{-3}", "10^{-2}", "10^{-1}", "1", "10", "10^{2}"]
        #expect(tics(1e-4, 1e2, .log, length: 500).labels.map(\.text) == powers)
        #expect(tics(1e-3, 1, .log, length: 500).labels.map(\.text) == ["0.001", "0.01", "0.1", "1"])
        let many = tics(1e-200, 1e200, .log, length: 300).labels
        #expect(many.count >= 3 && many.count <= 8)
        #expect(Tics.raised("2.5·10^{-12}") == "2.5·10⁻¹²" && Tics.raised("40") == "40")
    }

    private let sample = Legend.Sample(dashes: 1)

    @Test func aLegendFlowsIntoRowsOfItsWidth() {
        let entries = (0..<9).map { Legend.Entry(name: "series number \($0)", colour: "#000000", sample: sample) }
        let legend = Legend(
            entries + [Legend.Entry(name: "", colour: "#000000", sample: sample)], width: 500, fontSize: 13)
        #expect(legend.entries.count == 9 && legend.rows > 1 && legend.rows == (legend.entries.last?.row ?? 0) + 1)
        func end(_ entry: Legend.Entry) -> Double {
            entry.x + (Legend.sampleWidth + 0.5) * 13 + Legend.textWidth(entry.name, fontSize: 13)
        }
        for (entry, next) in zip(legend.entries, legend.entries.dropFirst()) {
            #expect(end(entry) <= 500 && (next.row > entry.row || next.x > end(entry)))
        }
    }

    @Test func aLegendIsCutWhereItWouldCoverEverything() {
        let long = Legend(
            [Legend.Entry(name: String(repeating: "long ", count: 60), colour: "", sample: sample)], width: 300,
            fontSize: 13)
        #expect(Legend.textWidth(long.entries[0].name, fontSize: 13) < 300 && long.entries[0].name.hasSuffix("…"))
        let many = (0..<1000).map { Legend.Entry(name: "run \($0)", colour: "", sample: sample) }
        let legend = Legend(many, width: 800, fontSize: 13)
        #expect(legend.entries.count == 24 && legend.entries.last?.name == "… and 977 more")
    }

    @Test func namesOfChangesStandApartOrAreLeftOut() {
        let range = AxisRange(given: 0...1000, values: [], scale: .linear, padding: 0)
        let marks = stride(from: 0.0, through: 1000, by: 25).map { PanelMark(x: $0, name: "lr 0.1 to 0.2") }
        let (changes, rows) = PanelLayout.changes(marks, range, left: 50, right: 850, fontSize: 11)
        #expect(rows == 2 && changes.count > 6 && changes.count < marks.count)
        let width = Legend.textWidth("lr 0.1 to 0.2", fontSize: 11)
        for row in 0..<2 {
            let own = changes.filter { $0.row == row }.map(\.left)
            #expect(
                zip(own, own.dropFirst()).allSatisfy { $1 > $0 + width } && own.allSatisfy { $0 + width <= 850.001 })
        }
    }

    @Test func panelsOfAColumnAreAlignedAndTheirPartsApart() throws {
        let wide = PlottedSeries(name: "wide", x: [0, 1], y: [123_456, 234_567])
        let many = (0..<8).map { PlottedSeries(name: "a series of number \($0)", x: [0, 1], y: [0, Double($0)]) }
        var figure = Figure(
            title: "two", panels: [Panel(yLabel: "y", series: [wide]), Panel(xLabel: "x", yLabel: "y", series: many)])
        for width in [Figure.Width.column, .page, .millimetres(60)] {
            figure.set(to: width)
            let layout = try FigureLayout(figure) { SeriesPens($0).legend }
            let (a, b) = (layout.panels[0], layout.panels[1])
            #expect(a.left == b.left && a.right == b.right && a.bottom < b.legendTop && b.bottom < layout.height)
            for panel in layout.panels {
                let legendEnd = panel.legendTop + Double(panel.legend.rows) * Legend.rowHeight * layout.fontSize
                #expect(legendEnd < panel.top && panel.bottom - panel.top > 70 && panel.left > panel.labelPlace)
            }
        }
        #expect(figure.size?.width == 227)
    }

    @Test func seriesAreToldApartWithoutColour() throws {
        let series = (0..<8).map { PlottedSeries(name: "\($0)", x: [0, 1], y: [0, Double($0)], dashes: $0 % 2) }
        let pens = SeriesPens(try PanelContent(Panel(series: series))).series
        #expect(Set(pens.map { "\($0.sample.point ?? 0)" }).count == 8)
        #expect(pens[0].sample.dashes != pens[1].sample.dashes)
    }
}
