import Foundation
import Objectives

/// The one thread on which all run files of this process are written, so that a thousand live runs cost no thousand threads.
///
/// A writer asks for its turn at a time; turns are taken one after the other, the most overdue first.
final class RunFileThread: @unchecked Sendable {
    // @unchecked: every variable is used inside `monitor.withLock` only.

    static let shared = RunFileThread()

    private let monitor = Monitor()
    private var due: [ObjectIdentifier: (writer: RunFileWriter, time: Double)] = [:]
    private var isStarted = false

    /// The writer's turn comes at `time` of `Stopwatch.now`, or when it was to come already if that is earlier.
    func schedule(_ writer: RunFileWriter, at time: Double) {
        monitor.withLock {
            let id = ObjectIdentifier(writer)
            if let known = due[id], known.time <= time { return }
            due[id] = (writer, time)
            monitor.broadcast()
            if isStarted { return }
            isStarted = true
            let thread = Thread { while true { self.next().takeTurn() } }
            thread.name = "eoss run files"
            thread.start()
        }
    }

    /// Waits for the next turn.
    private func next() -> RunFileWriter {
        monitor.withLock {
            while true {
                guard let first = due.min(by: { $0.value.time < $1.value.time }) else {
                    monitor.wait()
                    continue
                }
                if first.value.time <= Stopwatch.now {
                    due[first.key] = nil
                    return first.value.writer
                }
                monitor.wait(until: first.value.time)
            }
        }
    }
}
