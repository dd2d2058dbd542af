import RunFiles
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
