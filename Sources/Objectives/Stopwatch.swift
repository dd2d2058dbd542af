import Foundation

/// Wall-clock time since its making, by the one clock that everything here is timed and scheduled with. It stands in the lowest room
/// that all who ask for the time can see.
package struct Stopwatch: Sendable {
    private let start = Stopwatch.now

    package init() {}

    /// Seconds since it was made.
    package var seconds: Double { Self.now - start }

    /// Seconds of a clock that never goes back, whatever is done to the date: the one that POSIX conditions wait by.
    package static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
