/// The points of a series that can be drawn, in unbroken runs.
struct Curve {
    struct Point: Equatable {
        var x: Double
        var y: Double
        var low: Double
        var high: Double
    }

    /// What of a series cannot be drawn.
    struct Losses: Equatable {
        var notFinite = 0
        var notPositive = 0
        var tooLarge = 0
    }

    var runs: [[Point]] = []
    var hasErrors = false
    private(set) var losses = Losses()

    var points: [Point] { runs.flatMap { $0 } }
    var isEmpty: Bool { runs.isEmpty }
    var count: Int { runs.reduce(0) { $0 + $1.count } }

    /// Cuts the series where it cannot be drawn on these axes. Of a line that leaves the part of the x axis that is shown, the next point
    /// stays, so that it is seen to go on.
    /// - Throws: `ReportError` when x, y and errors have different lengths.
    init(_ series: PlottedSeries, _ panel: Panel) throws(ReportError) {
        try series.check()
        var run: [Point] = []
        var outside: Point?
        func flush() {
            if !run.isEmpty { runs.append(run) }
            run = []
        }
        for i in series.x.indices {
            let (x, y) = (series.x[i], series.y[i])
            guard Self.canBeDrawn(x, panel.xScale), Self.canBeDrawn(y, panel.yScale) else {
                note(x, panel.xScale, y, panel.yScale)
                flush()
                outside = nil
                continue
            }
            let point = point(series, i, panel.yScale)
            if let range = panel.xRange, !range.contains(x) {
                if !run.isEmpty {
                    if series.style == .line { run.append(point) }
                    flush()
                }
                outside = point
                continue
            }
            if run.isEmpty, series.style == .line, let outside { run.append(outside) }
            outside = nil
            run.append(point)
        }
        flush()
    }

    private mutating func point(_ series: PlottedSeries, _ i: Int, _ scale: Panel.Scale) -> Point {
        // An axis has no room for what is nearer to 0 than its ends may be to each other.
        let y = scale == .linear && abs(series.y[i]) < 1e-250 ? 0 : series.y[i]
        var (low, high) = (y, y)
        if let error = series.errors?[i], error > 0, error <= 1e250 { (low, high) = (y - error, y + error) }
        if let band = series.band {
            if abs(band.low[i]) <= 1e250 { low = min(y, band.low[i]) }
            if abs(band.high[i]) <= 1e250 { high = max(y, band.high[i]) }
        }
        if low < y || high > y { hasErrors = true }
        // On a logarithmic axis a bar that reaches 0 is cut two decades below its point.
        return Point(x: series.x[i], y: y, low: scale == .log ? max(low, y / 100) : low, high: high)
    }

    private mutating func note(_ x: Double, _ xScale: Panel.Scale, _ y: Double, _ yScale: Panel.Scale) {
        if !x.isFinite || !y.isFinite {
            losses.notFinite += 1
        } else if xScale == .log && x <= 0 || yScale == .log && y <= 0 {
            losses.notPositive += 1
        } else {
            losses.tooLarge += 1
        }
    }

    /// Finite, positive on a logarithmic axis, and so far from the ends of the number range that an axis has room around it.
    static func canBeDrawn(_ value: Double, _ scale: Panel.Scale) -> Bool {
        abs(value) <= 1e250 && (scale == .linear || value >= 1e-250)
    }

    /// Keeps of each column of pixels the first, the lowest, the highest and the last point of a run, and of bands their extremes: on paper the same line, in which no
    /// spike is lost and whose ends are where they were.
    /// - Parameter column: the column of a place on the x axis.
    mutating func thin(to columns: Int, _ column: (Double) -> Int) {
        for r in runs.indices where runs[r].count > 4 * columns {
            let run = runs[r]
            var kept: [Point] = []
            var start = 0
            while start < run.count {
                let here = column(run[start].x)
                var (end, low, high, lowest, highest) = (start, start, start, start, start)
                while end < run.count, column(run[end].x) == here {
                    if run[end].y < run[low].y { low = end }
                    if run[end].y > run[high].y { high = end }
                    if run[end].low < run[lowest].low { lowest = end }
                    if run[end].high > run[highest].high { highest = end }
                    end += 1
                }
                let marked = hasErrors ? [start, low, high, lowest, highest, end - 1] : [start, low, high, end - 1]
                for i in Set(marked).sorted() { kept.append(run[i]) }
                start = end
            }
            runs[r] = kept
        }
    }

    /// The same of dots alone, in any order along x: of those that would lie on each other one.
    mutating func thinDots(columns: Int, rows: Int, _ cell: (Point) -> (Int, Int)) {
        guard count > 4 * columns else { return }
        var taken = Set<Int>()
        for r in runs.indices {
            runs[r] = runs[r].filter { point in
                let (column, row) = cell(point)
                return taken.insert(column * (rows + 2) + row).inserted
            }
        }
        runs.removeAll(where: \.isEmpty)
    }
}
