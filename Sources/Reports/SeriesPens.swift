/// How the series and the lines of a panel are drawn so that they can be told apart: by colour, and without it by the shapes of points and
/// by dashes.
struct SeriesPens {
    struct Pen {
        let colour: String
        let sample: Legend.Sample

        /// What gnuplot is told of a line.
        var stroke: String {
            let width = sample.isThin ? 1.2 : 1.5
            return "lt 1 lc rgb '\(colour)' lw \(width)" + (sample.dashes.map { $0 == 1 ? "" : " dt \($0)" } ?? "")
        }
    }

    let series: [Pen]
    let references: [Pen]
    let verticals: [Pen]
    private let content: PanelContent

    /// Okabe & Ito's colours, which people with colour-blindness can tell apart, without the yellow that is lost on white.
    static let palette = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F4FA0", "#8C6D31"]
    /// gnuplot's points: a dot, a square, a diamond, then those open, and crosses. Triangles stand for what lies beyond an axis.
    static let points = [7, 5, 13, 6, 4, 12, 2, 1]
    /// Of lines of a panel that show another quantity of the same run.
    static let dashTypes = [1, 2, 4, 5]
    static let referenceInk = "#222222"
    /// Lines of so few points get a dot at each.
    static let few = 40

    static func colour(_ index: Int) -> String { palette[((index % palette.count) + palette.count) % palette.count] }

    static func referenceDashes(_ index: Int) -> Int { [2, 4, 3, 5][index % 4] }

    init(_ content: PanelContent) {
        self.content = content
        let panel = content.panel
        let isAlone = panel.series.count == 1
        series = zip(panel.series, content.curves).enumerated().map { index, pair in
            let (series, curve) = pair
            let number = series.colour ?? index
            // Where colours come again they come with other shapes.
            let turn = number + number / Self.palette.count
            let shape = Self.points[((turn % Self.points.count) + Self.points.count) % Self.points.count]
            let sample: Legend.Sample =
                switch series.style {
                case .points, .stems: Legend.Sample(dashes: nil, point: shape)
                case .path: Legend.Sample(dashes: 1, point: 7)
                case .line:
                    Legend.Sample(
                        dashes: Self.dashTypes[max(0, series.dashes) % 4],
                        point: isAlone ? (curve.count <= Self.few ? 7 : nil) : shape)
                }
            return Pen(colour: Self.colour(number), sample: sample)
        }
        func line(_ index: Int, _ colour: Int?) -> Pen {
            Pen(
                colour: colour.map(Self.colour) ?? Self.referenceInk,
                sample: Legend.Sample(dashes: Self.referenceDashes(index), isThin: true))
        }
        references = panel.references.enumerated().map { line($0.offset, $0.element.colour) }
        verticals = content.verticals.indices.map { line(panel.references.count + $0, nil) }
    }

    /// The names of a panel's series and lines, each with a sample.
    var legend: [Legend.Entry] {
        let names = zip(content.panel.series, content.curves).map { series, curve in
            series.name.isEmpty || !curve.isEmpty ? series.name : series.name + " (no values)"
        }
        let all = names + content.panel.references.map(\.name) + content.verticals.map(\.name)
        return zip(all, series + references + verticals).map {
            Legend.Entry(name: $0, colour: $1.colour, sample: $1.sample)
        }
    }
}
