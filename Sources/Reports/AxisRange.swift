import Foundation

/// The part of an axis that is shown, and its tics.
struct AxisRange {
    let low: Double
    let high: Double
    let scale: Panel.Scale

    /// - Parameters:
    ///   - given: what the user wants to see.
    ///   - values: what has to be seen otherwise, with `padding` of the axis' length more at both ends.
    init(given: ClosedRange<Double>?, values: [Double], scale: Panel.Scale, padding: Double) {
        self.scale = scale
        if let given, Curve.canBeDrawn(given.lowerBound, scale), given.upperBound.isFinite,
            given.lowerBound < given.upperBound
        {
            (low, high) = (given.lowerBound, given.upperBound)
            return
        }
        let lowest = values.min() ?? (scale == .log ? 1 : 0)
        let highest = values.max() ?? (scale == .log ? 10 : 1)
        switch scale {
        case .log:
            let factor = lowest < highest ? pow(10, padding * (log10(highest) - log10(lowest))) : 2
            (low, high) = (lowest / factor, highest * factor)
        case .linear:
            let length = highest - lowest
            // Values that are equal up to rounding get an axis of their own size, or from −1 to 1 for 0.
            let flat = !(length > 1e-12 * max(abs(lowest), abs(highest)))
            let pad = flat ? max(abs(lowest) / 2, lowest == 0 ? 1 : 0) : padding * length
            // Positive values that reach down near zero are shown from zero.
            let fromZero = padding > 0 && lowest >= 0 && lowest - pad < 0.2 * highest && !flat
            low = fromZero ? 0 : lowest - pad
            high = highest + pad
        }
    }

    /// What gnuplot is told about the tics; `axis` is x or y. Powers of ten are set as such where the terminal can.
    func tics(_ axis: String, enhanced: Bool) -> [String] {
        guard scale == .log else {
            return ["unset logscale \(axis)", "set format \(axis) '%g'", "set \(axis)tics autofreq"]
        }
        var commands = ["set logscale \(axis) 10"]
        let decades = Int(log10(high).rounded(.down)) - Int(log10(low).rounded(.up)) + 1
        if decades >= 2 {
            commands += [
                enhanced ? "set format \(axis) '10^{%T}'" : "set format \(axis) '%g'", "set \(axis)tics autofreq",
            ]
        } else {
            let places = shortScale.map(GnuplotText.number).joined(separator: ", ")
            commands += ["set format \(axis) '%g'", "unset m\(axis)tics", "set \(axis)tics (\(places))"]
        }
        return commands
    }

    /// Places to label where an axis has at most one power of ten: 1, 2 and 5 times those, or else equal steps.
    private var shortScale: [Double] {
        let exponents = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
        let places = exponents.flatMap { exponent in [1.0, 2, 5].map { $0 * pow(10, Double(exponent)) } }
            .filter { $0 >= low && $0 <= high }
        if places.count >= 3 { return places }
        let step = (high - low) / 4
        let power = pow(10, log10(step).rounded(.down))
        let nice = [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= step * 0.999 } ?? step
        return (0...5).map { ((low / nice).rounded(.up) + Double($0)) * nice }.filter { $0 <= high }
    }

    var text: String { "[\(GnuplotText.number(low)):\(GnuplotText.number(high))]" }
}
