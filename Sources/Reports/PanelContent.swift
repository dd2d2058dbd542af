/// What of a panel can be drawn, and the axes that show it.
struct PanelContent {
    let panel: Panel
    let curves: [Curve]
    /// The corners of each reference line; of a band those of both sides.
    let staircases: [[(x: Double, y: Double, upper: Double)]]
    /// Those that can be drawn.
    let verticals: [VerticalLine]
    let xRange: AxisRange
    let yRange: AxisRange

    /// No series has a point to draw, and no surface a value.
    var isEmpty: Bool { curves.allSatisfy(\.isEmpty) && panel.surface?.range == nil }

    init(_ panel: Panel) throws(ReportError) {
        self.panel = panel
        if let surface = panel.surface {
            guard surface.x.count > 1, surface.y.count > 1, surface.values.count == surface.x.count * surface.y.count
            else {
                throw ReportError(
                    "a surface of \(surface.x.count)×\(surface.y.count) points has \(surface.values.count) values: it has one for each, and two points at least along each axis"
                )
            }
        }
        var curves = try panel.series.map { series throws(ReportError) in try Curve(series, panel) }
        let points = curves.flatMap(\.points)
        let verticals = panel.verticals.filter { Curve.canBeDrawn($0.x, panel.xScale) }
        let places = points.map(\.x) + verticals.map(\.x)
        let given = panel.xRange.map { range in
            verticals.reduce(range) { min($0.lowerBound, $1.x)...max($0.upperBound, $1.x) }
        }
        let x = AxisRange(given: given, values: places, scale: panel.xScale, padding: 0)
        let stairs = try panel.references.map { reference throws(ReportError) in
            try Self.corners(reference, x, panel.yScale)
        }
        let levels = points.flatMap { [$0.low, $0.high] } + stairs.flatMap { $0.flatMap { [$0.y, $0.upper] } }
        yRange = AxisRange(given: panel.yRange, values: levels, scale: panel.yScale, padding: 0.05)
        // A line is some 800 pixels wide; two points for each pixel show all of it.
        for i in curves.indices where panel.series[i].style != .path { curves[i].thin(to: 1600) }
        (self.curves, self.verticals, staircases, xRange) = (curves, verticals, stairs, x)
    }

    private static func corners(
        _ line: ReferenceLine, _ axis: AxisRange, _ scale: Panel.Scale
    ) throws(ReportError) -> [(x: Double, y: Double, upper: Double)] {
        let upper = line.upper ?? line.y
        guard line.x.count == line.y.count, line.y.count == upper.count else {
            throw ReportError(
                "reference line '\(line.name)' has \(line.x.count) x values and \(line.y.count) y values"
                    + (line.upper == nil ? "" : ", \(upper.count) on its upper side"))
        }
        var corners: [(x: Double, y: Double, upper: Double)] = []
        for i in line.x.indices
        where Curve.canBeDrawn(line.y[i], scale) && Curve.canBeDrawn(upper[i], scale) && !line.x[i].isNaN {
            let start = max(line.x[i], axis.low)
            let end = min(i + 1 < line.x.count ? line.x[i + 1] : axis.high, axis.high)
            if start < end { corners += [(start, line.y[i], upper[i]), (end, line.y[i], upper[i])] }
        }
        return corners
    }
}
