import Foundation

/// What of a panel can be drawn, and the axes that show it.
struct PanelContent {
    /// A value that lies beyond the axis: it is marked at the border.
    struct Clipped: Equatable {
        var x: Double
        var isAbove: Bool
    }

    let panel: Panel
    let curves: [Curve]
    /// The corners of each reference line; of a band those of both sides.
    let staircases: [[(x: Double, y: Double, upper: Double)]]
    /// Those that can be drawn.
    let verticals: [VerticalLine]
    let xRange: AxisRange
    let yRange: AxisRange
    /// Of each curve, and of each reference line.
    let clipped: [[Clipped]]
    let clippedReferences: [[Clipped]]
    /// What is not as one would expect, in sentences.
    let notes: [String]

    /// No series has a point to draw, and no surface a value.
    var isEmpty: Bool { curves.allSatisfy(\.isEmpty) && panel.surface?.range == nil }

    /// - Parameters:
    ///   - columns: how wide the axes are, in pixels or characters: more points than can be seen are not drawn.
    ///   - rows: how high.
    init(_ panel: Panel, columns: Int = 800, rows: Int = 400) throws(ReportError) {
        if let surface = panel.surface {
            guard surface.x.count > 1, surface.y.count > 1, surface.values.count == surface.x.count * surface.y.count
            else {
                throw ReportError(
                    "a surface of \(surface.x.count)×\(surface.y.count) points has \(surface.values.count) values: it has one for each, and two points at least along each axis"
                )
            }
        }
        var (panel, notes) = (panel, PanelNotes())
        var curves = try panel.series.map { series throws(ReportError) in try Curve(series, panel) }
        if panel.yScale == .log, !panel.series.isEmpty, curves.allSatisfy(\.isEmpty) {
            // A logarithmic axis that shows nothing, where a linear one would show something.
            var linear = panel
            linear.yScale = .linear
            let shown = try linear.series.map { series throws(ReportError) in try Curve(series, linear) }
            if !shown.allSatisfy(\.isEmpty) {
                (panel, curves) = (linear, shown)
                notes.add("no value is positive: the axis is not logarithmic")
            }
        }
        let seen = curves.map { curve in
            panel.xRange.map { range in curve.points.filter { range.contains($0.x) } } ?? curve.points
        }
        let verticals = panel.verticals.filter { Curve.canBeDrawn($0.x, panel.xScale) }
        let given = panel.xRange.map { range in
            verticals.reduce(range) { min($0.lowerBound, $1.x)...max($0.upperBound, $1.x) }
        }
        // A place without a value that can be drawn is on the axis, too. Dots alone are not to lie on its ends.
        let ends = panel.series.flatMap { series in
            let places = series.x.filter { Curve.canBeDrawn($0, panel.xScale) }
            return [places.min(), places.max()].compactMap { $0 }
        }
        let hasDots = panel.series.contains { $0.style == .points }
        let x = AxisRange(
            given: given, values: ends + verticals.map(\.x), scale: panel.xScale, padding: hasDots ? 0.03 : 0)
        let stairs = try panel.references.map { reference throws(ReportError) in
            try Self.corners(reference, x, panel.yScale)
        }
        let levels = Self.levels(seen, stairs, panel)
        let y = AxisRange(given: panel.yRange, values: levels, scale: panel.yScale, padding: 0.05)

        clipped = seen.map { panel.marksBeyond ? Self.beyond($0, y, x) : [] }
        clippedReferences = stairs.map { panel.marksBeyond ? Self.beyond($0, y) : [] }
        for (index, series) in panel.series.enumerated() {
            notes.add(curves[index].losses, of: series, panel)
            // Who has said what is to be seen knows that the rest is not.
            if panel.yRange == nil { notes.add(beyond: seen[index], y, of: series) }
        }
        for (index, reference) in panel.references.enumerated() where panel.yRange == nil {
            notes.add(beyond: stairs[index].map { ($0.x, $0.y) }, y, called: reference.name)
        }
        func column(_ place: Double) -> Int {
            let share = x.share(place)
            return share < 0 ? -1 : share > 1 ? columns : Int(share * Double(columns))
        }
        for i in curves.indices {
            switch panel.series[i].style {
            case .line: curves[i].thin(to: columns, column)
            case .points:
                curves[i].thinDots(columns: columns, rows: rows) { point in
                    (column(point.x), Int(min(1, max(0, y.share(point.y))) * Double(rows)))
                }
            case .path, .stems: break
            }
        }
        self.panel = panel
        (self.curves, self.verticals, staircases, xRange, yRange) = (curves, verticals, stairs, x, y)
        self.notes = notes.sentences
    }

    /// The values that the y axis has to show.
    private static func levels(
        _ points: [[Curve.Point]], _ stairs: [[(x: Double, y: Double, upper: Double)]], _ panel: Panel
    ) -> [Double] {
        var levels: [Double] = []
        for own in points {
            let ends = own.contains { $0.low != $0.y || $0.high != $0.y }
            let values = ends ? own.flatMap { [$0.low, $0.y, $0.high] } : own.map(\.y)
            if let range = RobustRange(values, panel.yScale) { levels += [range.low, range.high] }
        }
        let known = (low: levels.min(), high: levels.max())
        for (index, stair) in stairs.enumerated() {
            let reference = panel.references[index]
            let ends = stair.flatMap { [$0.y, $0.upper] }
            guard !reference.isAlwaysShown, let low = known.low, let high = known.high else {
                levels += ends
                continue
            }
            // An edge that lies within twice what the series take is shown whole; else where it runs for most of the way, unless
            // that is six times as far, too.
            func isWithin(_ value: Double, _ factor: Double) -> Bool {
                switch panel.yScale {
                case .linear: value <= max(high, high * factor) && value >= low - factor * max(high - low, abs(high))
                case .log: value <= high * pow(10, factor) && value >= low / pow(10, factor)
                }
            }
            if ends.allSatisfy({ isWithin($0, 2) }) {
                levels += ends
            } else {
                levels += Self.mostly(stair).filter { isWithin($0, 6) }
            }
        }
        return levels
    }

    /// The values between which a staircase runs for most of its way: from a tenth to four fifths of it.
    private static func mostly(_ stair: [(x: Double, y: Double, upper: Double)]) -> [Double] {
        var steps: [(value: Double, length: Double)] = []
        for i in stride(from: 0, to: stair.count - 1, by: 2) {
            let length = stair[i + 1].x - stair[i].x
            steps += [(stair[i].y, length), (stair[i].upper, length)]
        }
        steps.sort { $0.value < $1.value }
        let total = steps.reduce(0) { $0 + $1.length }
        func quantile(_ share: Double) -> Double? {
            var sum = 0.0
            for step in steps {
                sum += step.length
                if sum >= share * total { return step.value }
            }
            return steps.last?.value
        }
        return [quantile(0.1), quantile(0.8)].compactMap { $0 }
    }

    /// Values beyond the y axis, but no more marks than can be told apart.
    private static func beyond(_ points: [Curve.Point], _ y: AxisRange, _ x: AxisRange) -> [Clipped] {
        var marked = Set<Int>()
        return points.compactMap { point in
            guard point.y > y.high || point.y < y.low else { return nil }
            let isAbove = point.y > y.high
            let share = x.share(point.x)
            let place = share.isFinite ? Int(max(-1, min(2, share)) * 60) : 0
            return marked.insert(2 * place + (isAbove ? 1 : 0)).inserted ? Clipped(x: point.x, isAbove: isAbove) : nil
        }
    }

    /// Where a staircase goes beyond the y axis: the middle of each such part.
    private static func beyond(_ stair: [(x: Double, y: Double, upper: Double)], _ y: AxisRange) -> [Clipped] {
        var marks: [Clipped] = []
        var (start, side) = (0.0, 0)
        for corner in stair + [(stair.last?.x ?? 0, y.low, y.low)] {
            let now = corner.y > y.high ? 1 : corner.y < y.low ? -1 : 0
            if now != side {
                if side != 0 { marks.append(Clipped(x: (start + corner.x) / 2, isAbove: side > 0)) }
                (start, side) = (corner.x, now)
            }
        }
        return marks
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
