import Foundation

/// The queue between the threads that measure and the thread that writes, and that thread.
///
/// A batch is one transaction. It starts `delay` after the first entry came, or when the queue is half full, or when
/// someone asks. A batch that failed stays, and is tried again, with what came meanwhile, when someone asks.
final class RunFileWriter: @unchecked Sendable {
    // @unchecked: every variable is used inside `monitor.withLock` only.

    /// How much may wait. Recording waits when there is more.
    struct Limits {
        var samples = 32_768
        var bytes = 256 << 20
        /// Seconds from the first entry to the start of its transaction; commits are due within one second.
        var delay = 0.5
    }

    private let path: String
    private let limits: Limits
    private let monitor = Monitor()
    private var seriesIDs: [String: Int] = [:]
    private var waiting = RunFileBatch()
    private var deadline: Double?
    private var failure: RunFileError?
    private var asked = 0
    private var answered = 0
    private var stage = Stage.open

    private enum Stage {
        /// Takes entries.
        case open
        /// The thread shall write once more and, if that succeeds, end.
        case closing
        /// The thread shall write once more and end: nobody is left to try again.
        case abandoned
        case ended
    }

    /// Starts the thread. `write` is called on it alone, with `closing` when it is the last time.
    init(
        path: String, limits: Limits = Limits(),
        write: @escaping @Sendable (RunFileBatch, _ closing: Bool) throws -> Void
    ) {
        self.path = path
        self.limits = limits
        waiting.samples.reserveCapacity(limits.samples)
        let thread = Thread { self.run(write) }
        thread.name = "eoss run file"
        thread.start()
    }

    // MARK: - The threads that measure

    func record(_ series: String, _ measurement: Measurement) throws {
        let byteCount = measurement.byteCount
        try monitor.withLock {
            try makeRoom(byteCount)
            let id: Int
            if let known = seriesIDs[series] {
                id = known
            } else {
                id = seriesIDs.count + 1
                seriesIDs[series] = id
                waiting.newSeries.append((id, series))
            }
            waiting.samples.append(RunFileBatch.Sample(series: id, measurement: measurement))
            waiting.byteCount += byteCount
            wakeIfDue()
        }
    }

    func add(_ row: RunFileBatch.Row, byteCount: Int) throws {
        try monitor.withLock {
            try makeRoom(byteCount)
            waiting.rows.append(row)
            waiting.byteCount += byteCount
            wakeIfDue()
        }
    }

    /// Waits until everything recorded so far is in the file, or throws why it is not.
    func commit() throws {
        try monitor.withLock {
            if stage != .open { return }
            try ask()
        }
    }

    /// Commits and ends the thread. After a failure the writer stays open: close again to try again.
    func close() throws {
        try monitor.withLock {
            if stage != .open { return }
            stage = .closing
            try ask()
        }
    }

    /// Ends the thread after one more attempt to write, without waiting for it.
    func abandon() {
        monitor.withLock {
            if stage == .ended { return }
            stage = .abandoned
            monitor.broadcast()
        }
    }

    /// Waits until the thread has ended after ``abandon()``. Throws why what was left to write is not in the file.
    func waitForEnd() throws(RunFileError) {
        let failure = monitor.withLock {
            while stage != .ended { monitor.wait() }
            return self.failure
        }
        if let failure { throw failure }
    }

    var hasEnded: Bool { monitor.withLock { stage == .ended } }

    var hasEndedWell: Bool { monitor.withLock { stage == .ended && failure == nil } }

    private func ask() throws {
        asked += 1
        let ticket = asked
        monitor.broadcast()
        while answered < ticket { monitor.wait() }
        if let failure { throw failure }
    }

    /// Waits until the queue has room. Something larger than the whole queue is taken when the queue is empty.
    private func makeRoom(_ byteCount: Int) throws {
        while true {
            if stage != .open { throw RunFileError.closed(path: path) }
            if let failure { throw failure }
            let fits = waiting.byteCount + byteCount <= limits.bytes || waiting.byteCount == 0
            if fits && waiting.samples.count + waiting.rows.count < limits.samples { return }
            monitor.wait()
        }
    }

    private func wakeIfDue() {
        if deadline == nil {
            deadline = Monitor.now() + limits.delay
            monitor.broadcast()
        } else if isHalfFull {
            monitor.broadcast()
        }
    }

    private var isHalfFull: Bool {
        2 * (waiting.samples.count + waiting.rows.count) >= limits.samples || 2 * waiting.byteCount >= limits.bytes
    }

    // MARK: - The writer's thread

    private func run(_ write: (RunFileBatch, _ closing: Bool) throws -> Void) {
        var batch = RunFileBatch()
        while true {
            let (ticket, closing) = monitor.withLock {
                waitForWork()
                batch.append(waiting)
                waiting = RunFileBatch()
                waiting.samples.reserveCapacity(limits.samples)
                deadline = nil
                monitor.broadcast()
                return (asked, stage != .open)
            }
            var failed: RunFileError?
            do {
                try write(batch, closing)
                batch = RunFileBatch()
            } catch {
                failed = RunFileError.writing(path, error)
            }
            let ended = monitor.withLock {
                failure = failed
                answered = ticket
                switch stage {
                case .open: break
                case .closing: if closing { stage = failed == nil ? .ended : .open }
                case .abandoned: if closing { stage = .ended }
                case .ended: break
                }
                monitor.broadcast()
                return stage == .ended
            }
            if ended { return }
        }
    }

    private func waitForWork() {
        while answered == asked && stage == .open {
            guard let deadline, failure == nil else {
                monitor.wait()
                continue
            }
            if isHalfFull || Monitor.now() >= deadline { return }
            monitor.wait(until: deadline)
        }
    }
}
