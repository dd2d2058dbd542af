import Foundation
import ScriptAPI

extension TrainingSnapshot {
    /// One line of at most `width` characters. What does not fit is left out whole: first the tracked values, from the
    /// right, then speed and time left, without which nobody knows whether it still runs.
    func line(width: Int) -> String {
        var head = run + "  " + step.grouped + (lastStep.map { "/" + $0.grouped } ?? "")
        var tail = ""
        if let stepsPerSecond { tail += "  " + stepsPerSecond.rate + " steps/s" }
        if let secondsLeft, secondsLeft.isFinite { tail += "  " + secondsLeft.duration + " left" }
        if head.count + tail.count > width { return String(head.prefix(max(0, width))) }
        for item in values {
            if head.count + 2 + item.count + tail.count > width { break }
            head += "  " + item
        }
        return head + tail
    }

    private var values: [String] {
        (loss.map { ["loss " + $0.short] } ?? [])
            + tracked.map { item in
                let ratio = item.edge.flatMap { $0 > 0 ? " (\((item.value / $0).short) of edge)" : nil }
                return "\(item.name) \(item.value.short)\(ratio ?? "")"
            }
    }
}

extension Int {
    /// Digits in threes: `12,000`.
    fileprivate var grouped: String {
        var digits = Array(String(magnitude))
        for position in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: position) }
        return (self < 0 ? "-" : "") + String(digits)
    }
}

extension Double {
    /// Three significant digits.
    fileprivate var short: String {
        guard isFinite else { return "\(self)" }
        let size = magnitude
        if size == 0 { return "0" }
        if size >= 100_000 || size < 0.001 { return String(format: "%.2e", self) }
        let decimals = Swift.max(0, 2 - Int(log10(size).rounded(.down)))
        return String(format: "%.\(decimals)f", self)
    }

    fileprivate var rate: String { self >= 100 && self < 1e15 ? Int(rounded()).grouped : short }

    /// `7 s`, `3:20 min`, `2:05 h`.
    fileprivate var duration: String {
        // A training that would take longer than anyone's life is told as that.
        let seconds = Int(Swift.min(Swift.max(0, self), 1e10).rounded(.up))
        if seconds < 60 { return "\(seconds) s" }
        let (large, small, unit) =
            seconds < 3600 ? (seconds / 60, seconds % 60, "min") : (seconds / 3600, seconds / 60 % 60, "h")
        return "\(large):\(small < 10 ? "0" : "")\(small) \(unit)"
    }
}
