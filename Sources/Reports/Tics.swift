import Foundation

/// The labelled places of an axis, so few that their labels never touch, and small marks between them.
struct Tics {
    struct Label: Equatable {
        var place: Double
        /// What stands there: digits, and for a power of ten `10^`, `{`, `}` around its exponent.
        var text: String
    }

    private(set) var labels: [Label] = []
    private(set) var small: [Double] = []

    /// - Parameters:
    ///   - length: of the axis, in pixels or characters.
    ///   - room: how much of it a label needs, with what shall be between two of them.
    init(_ range: AxisRange, length: Double, room: (String) -> Double) {
        switch range.scale {
        case .linear: linear(range, length, room)
        case .log:
            decades(range, length, room)
            if labels.count < 3 { shortScale(range, length, room) }
        }
    }

    private func fit(_ labels: [Label], _ range: AxisRange, _ length: Double, _ room: (String) -> Double) -> Bool {
        zip(labels, labels.dropFirst()).allSatisfy { a, b in
            (range.share(b.place) - range.share(a.place)) * length >= (room(a.text) + room(b.text)) / 2
        }
    }

    private mutating func linear(_ range: AxisRange, _ length: Double, _ room: (String) -> Double) {
        let span = range.high - range.low
        let power = (log10(span) - 2).rounded(.down)
        for exponent in 0..<5 {
            for factor in [1.0, 2, 5] {
                let step: Double = factor * pow(10, power + Double(exponent))
                guard span / step <= 8, step > 0 else { continue }
                let first = (range.low / step).rounded(.up)
                var places: [Double] = (0...Int(span / step + 1)).map { (first + Double($0)) * step }
                let (lowest, highest) = (range.low - 1e-9 * span, range.high + 1e-9 * span)
                places.removeAll { $0 < lowest || $0 > highest }
                let made = Self.written(places, step: step)
                if fit(made, range, length, room) {
                    labels = made
                    return
                }
            }
        }
    }

    /// All in one way: with as many digits as their step has, and from 10⁵ on, and below 10⁻³, with a power of ten.
    private static func written(_ places: [Double], step: Double) -> [Label] {
        let largest = places.map(abs).max() ?? 0
        let exponent = largest > 0 ? Int(log10(largest).rounded(.down)) : 0
        let scaled = largest >= 1e5 || (largest > 0 && largest < 1e-3)
        let unit = scaled ? pow(10, Double(exponent)) : 1
        let digits = min(15, max(0, -Int(log10(step / unit * 1.000001).rounded(.down))))
        return places.map { place in
            // The place that is 0 up to rounding is 0.
            if abs(place) < 1e-9 * step { return Label(place: 0, text: "0") }
            let number = String(format: "%.\(digits)f", place / unit)
            return Label(place: place, text: scaled ? "\(number)·10^{\(exponent)}" : number)
        }
    }

    private mutating func decades(_ range: AxisRange, _ length: Double, _ room: (String) -> Double) {
        let (first, last) = (Int(log10(range.low).rounded(.up)), Int(log10(range.high).rounded(.down)))
        guard first <= last else { return }
        for stride in [1, 2, 3, 5, 10, 20, 50, 100, 200] {
            let exponents = (first...last).filter { $0 % stride == 0 }
            // All in one way: as plain numbers, or as powers.
            let isPlain = first >= -3 && last <= 4
            let made = exponents.map { exponent in
                let place = pow(10, Double(exponent))
                let isShort = isPlain || exponent == 0 || exponent == 1
                return Label(place: place, text: isShort ? Self.plain(place) : "10^{\(exponent)}")
            }
            guard fit(made, range, length, room) else { continue }
            labels = made
            if stride == 1 {
                small = (first - 1...last).flatMap { e in (2...9).map { Double($0) * pow(10, Double(e)) } }
                    .filter { $0 >= range.low && $0 <= range.high }
            } else {
                small = (first...last).filter { $0 % stride != 0 }.map { pow(10, Double($0)) }
            }
            return
        }
    }

    /// Where an axis has few powers of ten: 1, 2 and 5 times those, or else equal steps.
    private mutating func shortScale(_ range: AxisRange, _ length: Double, _ room: (String) -> Double) {
        let (known, marks) = (labels, small)
        let exponents = Int(log10(range.low).rounded(.down))...Int(log10(range.high).rounded(.up))
        let places = exponents.flatMap { exponent in [1.0, 2, 5].map { $0 * pow(10, Double(exponent)) } }
            .filter { $0 >= range.low && $0 <= range.high }
        if places.count >= 3 {
            labels = places.map { Label(place: $0, text: Self.plain($0)) }
            if !fit(labels, range, length, room) { labels = known }
        } else {
            linear(range, length, room)
        }
        if labels.count < known.count { labels = known }
        small = marks
    }

    private static func plain(_ number: Double) -> String {
        if number != 0, abs(number) >= 1e5 || abs(number) < 1e-3 {
            let exponent = Int(log10(abs(number)).rounded(.down))
            return String(format: "%.4g", number / pow(10, Double(exponent))) + "·10^{\(exponent)}"
        }
        return String(format: "%.6g", number)
    }

    /// The text as a terminal shows it that knows no raised letters.
    static func raised(_ text: String) -> String {
        guard let open = text.firstIndex(of: "^") else { return text }
        let raised: [Character: Character] = [
            "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸",
            "9": "⁹",
        ]
        return String(text[..<open]) + String(text[open...].compactMap { raised[$0] })
    }

    /// What gnuplot is told; `axis` is x or y.
    func commands(_ axis: String, _ scale: Panel.Scale, enhanced: Bool) -> [String] {
        let names = labels.map { label in
            "\(GnuplotText.quoted(enhanced ? label.text : Self.raised(label.text))) \(GnuplotText.number(label.place)) 0"
        }
        let marks = small.map { "'' \(GnuplotText.number($0)) 1" }
        return [
            scale == .log ? "set logscale \(axis) 10" : "unset logscale \(axis)", "unset m\(axis)tics",
            labels.isEmpty ? "unset \(axis)tics" : "set \(axis)tics (\((names + marks).joined(separator: ", ")))",
        ]
    }
}
