import Synchronization

/// A wish, from any thread, that long work end.
///
/// Who waits for work makes one and works with it as ``current``; what takes long asks now and then, by ``check()``, and ends by
/// throwing ``Cancelled``: plans between the tiles of kernels, oracles between samples, solvers between products, the planner between its
/// passes, generators and readers of data between stretches of numbers. What is cancelled leaves everything as it was before. A
/// training step is cut in two only where all that it moves lies twice (``Oracle/answering(_:)`` of Objectives): else it does not ask.
///
/// ```swift
/// let cancellation = Cancellation()
/// try Cancellation.$current.withValue(cancellation) { try topEigenpairs(of: hessian, k: 10, stream: &stream) }
/// // on another thread
/// cancellation.request()
/// ```
public final class Cancellation: Sendable {
    /// The one that work on this thread, or task, listens to; nil: nothing ends it.
    @TaskLocal public static var current: Cancellation?

    /// Whether an estimate that is cancelled returns what it has so far, marked as unfinished, where that is a number with an
    /// error of its own; otherwise it throws as all else does.
    @TaskLocal public static var keepsUnfinished = false

    /// Where kernels find it: in memory that does not move.
    private nonisolated(unsafe) let requested: UnsafeMutablePointer<Atomic<Bool>>

    public init() {
        requested = .allocate(capacity: 1)
        requested.initialize(to: Atomic(false))
    }

    deinit {
        requested.deinitialize(count: 1)
        requested.deallocate()
    }

    /// The same as an atomic bool of C.
    var flag: UnsafeRawPointer { UnsafeRawPointer(requested) }

    public var isRequested: Bool { requested.pointee.load(ordering: .relaxed) }

    /// Asks for the end of what runs, and of what begins before ``clear()``.
    public func request() { requested.pointee.store(true, ordering: .relaxed) }

    /// Nothing runs any more that it was meant for.
    public func clear() { requested.pointee.store(false, ordering: .relaxed) }

    /// Ends the work that calls this, if that is wished.
    public func check() throws(Cancelled) {
        if isRequested { throw Cancelled() }
    }

    /// As above, for the ``current`` one.
    public static func check() throws(Cancelled) { try current?.check() }
}

extension Range<Int> {
    /// These numbers in stretches of at most 2¹⁶: what takes long asks before each, where it draws normal numbers every millisecond.
    package var stretches: LazyMapSequence<StrideTo<Int>, Range<Int>> {
        let (length, end) = (1 << 16, upperBound)
        return stride(from: lowerBound, to: end, by: length).lazy.map { $0..<Swift.min($0 + length, end) }
    }
}

/// Asks now and then in loops whose rounds are of different lengths.
package struct CancellationMeter: Sendable {
    private var work = 0
    /// A millisecond of plain loops.
    private static let workBetweenQuestions = 1 << 18

    package init() {}

    /// Takes note of what has been done since, in multiply-adds, elements or bytes that were moved, and asks when it has become much.
    package mutating func add(_ more: Int) throws(Cancelled) {
        work &+= more
        if work < Self.workBetweenQuestions { return }
        work = 0
        try Cancellation.check()
    }
}

/// Thrown by work that was asked to end before it had a result.
public struct Cancelled: Error, Sendable, CustomStringConvertible {
    public init() {}
    public var description: String { "cancelled" }
}
