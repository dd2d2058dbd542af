/// The points of a series that can be drawn, in unbroken runs.
struct Curve {
    struct Point: Equatable {
        var x: Double
        var y: Double
        var low: Double
        var high: Double
    }

    var runs: [[Point]] = []
    var hasErrors = false

    var points: [Point] { runs.flatMap { $0 } }
    var isEmpty: Bool { runs.isEmpty }

    /// Cuts the series where it cannot be drawn on these axes.
    /// - Throws: `ReportError` when x, y and errors have different lengths.
    init(_ series: PlottedSeries, _ panel: Panel) throws(ReportError) {
        guard series.x.count == series.y.count, series.errors.map({ $0.count == series.y.count }) ?? true else {
            throw ReportError(
                "series '\(series.name)' has \(series.x.count) x values, \(series.y.count) y values"
                    + (series.errors.map { " and \($0.count) errors" } ?? ""))
        }
        var run: [Point] = []
        func flush() {
            if !run.isEmpty { runs.append(run) }
            run = []
        }
        for i in series.x.indices {
            let (x, y) = (series.x[i], series.y[i])
            guard Self.canBeDrawn(x, panel.xScale), Self.canBeDrawn(y, panel.yScale) else {
                flush()
                continue
            }
            if let range = panel.xRange, !range.contains(x) { continue }
            var point = Point(x: x, y: y, low: y, high: y)
            if let error = series.errors?[i], error > 0, error <= 1e250 {
                // On a logarithmic axis a bar that reaches 0 is cut two decades below its point.
                point.low = panel.yScale == .log ? max(y - error, y / 100) : y - error
                point.high = y + error
                hasErrors = true
            }
            run.append(point)
        }
        flush()
    }

    /// Finite, positive on a logarithmic axis, and so far from the ends of the number range that an axis has room around it.
    static func canBeDrawn(_ value: Double, _ scale: Panel.Scale) -> Bool {
        abs(value) <= 1e250 && (scale == .linear || value >= 1e-250)
    }

    /// Keeps of long runs the lowest and the highest point of each of `buckets` equal parts: on paper the same line.
    mutating func thin(to buckets: Int) {
        for r in runs.indices where runs[r].count > 4 * buckets {
            let run = runs[r]
            var kept: [Point] = [run[0]]
            for b in 0..<buckets {
                let part = run[(b * run.count / buckets)..<((b + 1) * run.count / buckets)]
                guard let low = part.indices.min(by: { run[$0].y < run[$1].y }),
                    let high = part.indices.max(by: { run[$0].y < run[$1].y })
                else { continue }
                for i in Set([low, high]).sorted() { kept.append(run[i]) }
            }
            kept.append(run[run.count - 1])
            runs[r] = kept
        }
    }
}
