import Foundation

/// What a figure says about values that it does not show, or not where they are.
struct PanelNotes {
    private(set) var sentences: [String] = []

    mutating func add(_ sentence: String) {
        if !sentences.contains(sentence) { sentences.append(sentence) }
    }

    private static func count(_ number: Int, _ one: String, _ many: String) -> String {
        number == 1 ? "1 value \(one)" : "\(number) values \(many)"
    }

    /// Values that can have no place on the axes.
    mutating func add(_ losses: Curve.Losses, of series: PlottedSeries, _ panel: Panel) {
        var parts: [String] = []
        if losses.notFinite > 0 {
            parts.append(Self.count(losses.notFinite, "is not finite", "are not finite"))
        }
        if losses.notPositive > 0 {
            let words = "not positive, and so not on the logarithmic axis"
            parts.append(Self.count(losses.notPositive, "is \(words)", "are \(words)"))
        }
        if losses.tooLarge > 0 {
            parts.append(
                Self.count(losses.tooLarge, "is", "are") + " outside of what can be drawn, 1e-250 to 1e250 in size")
        }
        if !parts.isEmpty { add(called(series.name) + parts.joined(separator: ", ")) }
    }

    /// Values that the axis leaves out so that the others are seen.
    mutating func add(beyond points: [Curve.Point], _ axis: AxisRange, of series: PlottedSeries) {
        for isAbove in [true, false] {
            let out = points.filter { isAbove ? $0.y > axis.high : $0.y < axis.low }
            guard let extreme = out.max(by: { isAbove ? $0.y < $1.y : $0.y > $1.y }) else { continue }
            add(
                called(series.name) + Self.count(out.count, "is", "are") + " \(isAbove ? "above" : "below") the axis: "
                    + "\(out.count == 1 ? "" : isAbove ? "up to " : "down to ")\(Self.digits(extreme.y)) at \(Self.digits(extreme.x))"
            )
        }
    }

    /// The same of a reference line.
    mutating func add(beyond corners: [(x: Double, y: Double)], _ axis: AxisRange, called name: String) {
        for isAbove in [true, false] {
            let out = corners.filter { isAbove ? $0.y > axis.high : $0.y < axis.low }
            guard let extreme = out.max(by: { isAbove ? $0.y < $1.y : $0.y > $1.y }) else { continue }
            let isAll = out.count == corners.count
            let least = corners.map(\.y).min() == corners.map(\.y).max()
            add(
                called(name) + "\(isAll ? "" : "in part ")\(isAbove ? "above" : "below") the axis, "
                    + "\(least ? "at" : isAbove ? "up to" : "down to") \(Self.digits(extreme.y))")
        }
    }

    private func called(_ name: String) -> String { name.isEmpty ? "" : "\(name): " }

    static func digits(_ x: Double) -> String {
        if let whole = Int(exactly: x), whole.magnitude < 10_000_000 { return "\(whole)" }
        return String(format: "%.4g", x)
    }
}
