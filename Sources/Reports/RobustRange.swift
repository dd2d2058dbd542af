import Foundation

/// The part of a series' values that an axis is to show when nobody has said so: all of them, unless a few lie so far away that the rest
/// would be a flat line.
///
/// The more extreme values are, the more of them may be cut off. With c the length that the values without a share of `f` at either
/// end have, on the axis' scale, values further than `reach`·c beyond those are far away:
///
/// | f | reach |
/// | --- | --- |
/// | 2 %, at least one value | 10 |
/// | 5 % | 30 |
/// | 10 % | 100 |
/// | 25 % | 1,000 |
///
/// So one value of 8·10⁵ above hundreds of order 40 is cut off and the largest of a million normal deviates is not; where all other
/// values are equal nothing is.
struct RobustRange {
    let low: Double
    let high: Double

    private static let rules: [(share: Double, reach: Double)] = [(0.25, 1000), (0.1, 100), (0.05, 30), (0.02, 10)]
    /// Fewer values are all shown.
    private static let fewest = 6

    /// Nil where there are no values. They can all be drawn on the scale.
    init?(_ values: [Double], _ scale: Panel.Scale) {
        guard !values.isEmpty else { return nil }
        let sorted = values.map { scale == .log ? log10($0) : $0 }.sorted()
        let (first, last) = (sorted[0], sorted[sorted.count - 1])
        let upper = Self.end(sorted) ?? last
        let lower = Self.end(sorted.reversed().map { -$0 }).map { -$0 } ?? first
        (low, high) = scale == .log ? (pow(10, lower), pow(10, upper)) : (lower, upper)
    }

    /// The upper end to show; nil for all. `sorted` ascends.
    private static func end(_ sorted: [Double]) -> Double? {
        let count = sorted.count
        guard count >= fewest else { return nil }
        for rule in rules {
            let cut = max(1, Int(rule.share * Double(count)))
            guard 2 * cut < count else { continue }
            let core = (sorted[cut], sorted[count - 1 - cut])
            let length = core.1 - core.0
            // Equal up to rounding: what differs is what is to be seen.
            guard length > 1e-9 * max(abs(core.0), abs(core.1)), length.isFinite else { continue }
            guard sorted[count - 1] > core.1 + rule.reach * length else { continue }
            // What lies not much further than the rest is shown with it.
            return sorted.last { $0 <= core.1 + length } ?? core.1
        }
        return nil
    }
}
