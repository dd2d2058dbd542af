import Foundation

/// The part of an axis that is shown.
struct AxisRange {
    let low: Double
    let high: Double
    let scale: Panel.Scale

    /// - Parameters:
    ///   - given: what the user wants to see; an end that is infinite is left to the values.
    ///   - values: what has to be seen otherwise, with `padding` of the axis' length more at both ends.
    init(given: ClosedRange<Double>?, values: [Double], scale: Panel.Scale, padding: Double) {
        self.scale = scale
        func usable(_ end: Double?) -> Double? { end.flatMap { Curve.canBeDrawn($0, scale) ? $0 : nil } }
        let (from, to) = (usable(given?.lowerBound), usable(given?.upperBound))
        let automatic = Self.ends(values, scale, padding)
        var (low, high) = (from ?? automatic.low, to ?? automatic.high)
        if low >= high {
            // One end was given, and all values lie beyond it.
            let room = scale == .log ? 0 : max(abs(low), abs(high), 1)
            if from != nil, to == nil {
                high = scale == .log ? 10 * low : low + room
            } else if to != nil, from == nil {
                low = scale == .log ? high / 10 : high - room
            } else {
                (low, high) = automatic
            }
        }
        (self.low, self.high) = (low, high)
    }

    private static func ends(_ values: [Double], _ scale: Panel.Scale, _ padding: Double) -> (low: Double, high: Double)
    {
        let lowest = values.min() ?? (scale == .log ? 1 : 0)
        let highest = values.max() ?? (scale == .log ? 10 : 1)
        switch scale {
        case .log:
            let factor = lowest < highest ? pow(10, padding * (log10(highest) - log10(lowest))) : 2
            return (lowest / factor, highest * factor)
        case .linear:
            let length = highest - lowest
            // Values that are equal up to rounding get an axis of their own size, or from −1 to 1 for 0.
            let flat = !(length > 1e-12 * max(abs(lowest), abs(highest)))
            let pad = flat ? max(abs(lowest) / 2, lowest == 0 ? 1 : 0) : padding * length
            // Positive values that reach down near zero are shown from zero.
            let fromZero = padding > 0 && lowest >= 0 && lowest - pad < 0.2 * highest && !flat
            return (fromZero ? 0 : lowest - pad, highest + pad)
        }
    }

    /// The value at a share of the axis.
    func value(at share: Double) -> Double {
        scale == .log ? low * pow(high / low, share) : low + share * (high - low)
    }

    /// Where a value stands, from 0 at the low end to 1 at the high one.
    func share(_ value: Double) -> Double {
        scale == .log
            ? (log10(value) - log10(low)) / (log10(high) - log10(low)) : (value - low) / (high - low)
    }

    var text: String { "[\(GnuplotText.number(low)):\(GnuplotText.number(high))]" }
}
