import Foundation

/// Medians of repeated timings. Absolute times mean little on a shared machine; the benchmarks interleave what they compare.
enum Clock {
    /// BENCH_CLOCK=cpu: processor time of all threads, for one core of a machine that others use.
    private static let countsProcessorTime = ProcessInfo.processInfo.environment["BENCH_CLOCK"] == "cpu"

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(countsProcessorTime ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }

    /// Seconds of one call.
    static func seconds(_ call: () throws -> Void) rethrows -> Double {
        let start = now()
        try call()
        return now() - start
    }

    /// The median of `repetitions` timings after two calls that are not counted.
    static func median(_ repetitions: Int, _ call: () throws -> Void) rethrows -> Double {
        try call()
        try call()
        return try (0..<repetitions).map { _ in try seconds(call) }.median
    }
}

extension [Double] {
    var median: Double {
        let sorted = sorted()
        guard !sorted.isEmpty else { return .nan }
        return sorted.count % 2 == 1
            ? sorted[sorted.count / 2] : (sorted[sorted.count / 2 - 1] + sorted[sorted.count / 2]) / 2
    }
}

/// 1.23 ms, 45.6 µs, 7.89 s.
func spelled(_ seconds: Double) -> String {
    let (scale, unit) = seconds < 1e-3 ? (1e6, "µs") : seconds < 1 ? (1e3, "ms") : (1, "s")
    return "\((seconds * scale).rounded(toPlaces: 2)) \(unit)"
}

extension Double {
    func rounded(toPlaces places: Int) -> Double {
        let scale = (0..<places).reduce(1.0) { value, _ in value * 10 }
        return (self * scale).rounded() / scale
    }
}

extension String {
    func padded(_ width: Int) -> String { count < width ? self + String(repeating: " ", count: width - count) : self }
    func leftPadded(_ width: Int) -> String {
        count < width ? String(repeating: " ", count: width - count) + self : self
    }
}
