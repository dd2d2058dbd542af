/// How estimates came to their values: what each would have been after part of its draws.
///
/// ```swift
/// let course = DrawCourse()
/// let estimate = try DrawCourse.$current.withValue(course) { try trace(of: hessian, samples: samples, stream: &stream) }
/// course.running.last   // ends with estimate.value
/// ```
public final class DrawCourse {
    /// Where estimates that are made on this thread, or task, write theirs; nil: nowhere.
    @TaskLocal public static var current: DrawCourse?

    /// Of each estimate the value from its first draws on, at evenly spaced counts, the last from all of them.
    public private(set) var running: [[Double]] = []

    /// More places than a line of text has.
    private static let places = 60

    public init() {}

    /// - Parameter value: of the first so many draws.
    func add(draws count: Int, value: (Int) -> Double) {
        let places = min(Self.places, count)
        guard places > 0 else { return }
        running.append((1...places).map { value($0 * count / places) })
    }

    /// An estimate has become another one, by a function of its value.
    func follow(from value: Double, _ change: (Double) -> Double) {
        guard let last = running.last, last.last == value else { return }
        running[running.count - 1] = last.map(change)
    }
}

// Sendable: a task local is seen by the thread alone that has set it, as long as that waits for what it calls.
extension DrawCourse: @unchecked Sendable {}
