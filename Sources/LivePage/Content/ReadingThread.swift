import Foundation

/// A thread that does one thing after the other, with the priority of the thread that began it.
final class WorkThread: @unchecked Sendable {
    // @unchecked: the work is used under the condition's lock.
    private let condition = NSCondition()
    private var work: [@Sendable () -> Void] = []

    init(_ name: String) {
        // It ends with the program, as the page does.
        let thread = Thread { [self] in
            while true { next()() }
        }
        thread.name = name
        thread.start()
    }

    func run(_ body: @escaping @Sendable () -> Void) {
        condition.lock()
        work.append(body)
        condition.signal()
        condition.unlock()
    }

    private func next() -> @Sendable () -> Void {
        condition.lock()
        defer { condition.unlock() }
        while work.isEmpty { condition.wait() }
        return work.removeFirst()
    }
}

/// The one thread that reads run files.
///
/// Who reads a run file keeps its writer from committing meanwhile. A thread that gives way to a training would be put aside in the middle
/// of that, and the training would wait for it; so this one does not give way, and is kept from taking much by resting, after each
/// reading, for some times as long. Everything else, for each of those who look at the page, is for threads that do give way.
final class ReadingThread: Sendable {
    /// How much longer it rests than it worked, and seconds at most.
    private static let (rest, longestRest) = (4.0, 2.0)

    private let reading = WorkThread("eoss page reading")
    private let replies: WorkThread

    /// To be made on a thread of the usual priority.
    /// - Parameter giveWay: called on the thread on which answers come back: those that this one starts are as it is.
    init(giveWay: @escaping @Sendable () -> Void = {}) {
        replies = WorkThread("eoss page replies")
        replies.run(giveWay)
    }

    func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            reading.run { [replies] in
                let start = DispatchTime.now().uptimeNanoseconds
                let value = body()
                let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9
                replies.run { continuation.resume(returning: value) }
                Thread.sleep(forTimeInterval: min(Self.rest * seconds, Self.longestRest))
            }
        }
    }
}
