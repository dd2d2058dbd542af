import Experiments
import Foundation

// Numbers, sizes and times as people read them, in few characters.

extension Int {
    /// Digits in threes: `12,000`.
    package var grouped: String {
        var digits = Array(String(magnitude))
        for position in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: position) }
        return (self < 0 ? "-" : "") + String(digits)
    }

    /// Bytes: `812 B`, `1.2 MB`, powers of 1,000.
    package var byteSize: String {
        var (size, units) = (Double(self), ["kB", "MB", "GB", "TB"][...])
        if size < 1000 { return "\(self) B" }
        size /= 1000
        while size >= 999.5, units.count > 1 {
            size /= 1000
            units.removeFirst()
        }
        return "\(String(format: size < 9.95 ? "%.1f" : "%.0f", size)) \(units[units.startIndex])"
    }
}

extension Double {
    /// Three significant digits.
    package var short: String {
        guard isFinite else { return isNaN ? "nan" : self < 0 ? "-inf" : "inf" }
        let size = magnitude
        if size == 0 { return "0" }
        if size >= 100_000 || size < 0.001 { return String(format: "%.2e", self) }
        let decimals = Swift.max(0, 2 - Int(log10(size).rounded(.down)))
        return String(format: "%.\(decimals)f", self)
    }

    /// Steps per second.
    package var rate: String { self >= 100 && self < 1e15 ? Int(rounded()).grouped : short }

    /// Seconds that are still to come: `7 s`, `3:20 min`, `2:05 h`.
    package var duration: String {
        // A training that would take longer than anyone's life is told as that.
        let seconds = Int(Swift.min(Swift.max(0, self), 1e10).rounded(.up))
        if seconds < 60 { return "\(seconds) s" }
        let (large, small, unit) =
            seconds < 3600 ? (seconds / 60, seconds % 60, "min") : (seconds / 3600, seconds / 60 % 60, "h")
        return "\(large):\(small < 10 ? "0" : "")\(small) \(unit)"
    }

    /// Seconds that have gone, by their largest unit alone: `5 s`, `12 min`, `7 h`, `30 d`.
    package var age: String {
        // A clock may have been set back since.
        let seconds = Swift.min(Swift.max(0, self), 1e12)
        for (size, limit, unit) in [(1, 60, "s"), (60, 3600, "min"), (3600, 48 * 3600, "h")]
        where seconds < Double(limit) { return "\(Int(seconds / Double(size))) \(unit)" }
        return "\(Int(seconds / 86_400)) d"
    }
}

extension String {
    /// At most so many characters, `…` for those left out.
    package func cut(to width: Int) -> String {
        count <= width ? self : String(prefix(Swift.max(0, width - 1))) + (width > 0 ? "…" : "")
    }

    /// With its control characters spelled out, cut to what a line has room for: names in files of strangers may have any length.
    package func label(_ width: Int = 200) -> String {
        String(unicodeScalars.prefix(4 * width)).printable.cut(to: width)
    }
}

extension JSONValue {
    /// As people write it: text without its quotes, lists in brackets.
    package var label: String {
        switch self {
        case .string(let text): return text.label()
        case .number(let number): return number.isFinite ? "\(number)" : number.short
        case .object, .array: return ((try? plain.json()) ?? "").label()
        default: return (try? json()) ?? ""
        }
    }
}
