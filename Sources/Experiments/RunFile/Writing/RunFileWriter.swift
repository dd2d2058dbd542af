import Foundation
import Objectives

/// The queue between the threads that measure and the thread that writes.
///
/// A batch is one transaction. It starts `delay` after the first entry came, or when the queue is half full, or when
/// someone asks. A batch that failed stays, and is tried again, with what came meanwhile, when someone asks. A batch that
/// meets another program's lock goes to the spill file, which is brought in when the lock is gone.
final class RunFileWriter: @unchecked Sendable {
    // @unchecked: `store` and `batch` are used in a turn only, every other variable inside `monitor.withLock` only.

    /// How much may wait, and how long.
    struct Limits {
        /// Recording waits when there is more. A value that has nothing beside it counts as an eighth: it takes 16 bytes.
        var samples = 32_768
        var bytes = 256 << 20
        /// Seconds from the first entry to the start of its transaction; commits are due within one second.
        var delay = 0.5
        /// Seconds that a transaction waits for the lock of another program before it goes to the spill file. A reader
        /// holds its lock for the time of a query.
        var patience = 1.0
        /// Seconds between two attempts to bring the spill file in.
        var retry = 1.0
        /// Seconds between two warnings that another program still holds its lock.
        var reminder = 600.0
        /// Seconds between two warnings of locks that come and go.
        var pause = 10.0
        /// Seconds after which a process that has nothing to write notes that it lives.
        var heartbeat = 60.0
    }

    /// How the run stands, noted with each commit.
    struct Status: Sendable {
        var state = RunStatus.State.running
        var step = 0
        var alert: String?
    }

    private let path: String
    private let limits: Limits
    private let warn: @Sendable (String) -> Void
    private let monitor = Monitor()
    private var seriesIDs: [String: Int] = [:]
    /// The last step that came of each series, at its number less one.
    private var lastSteps: [Int] = []
    /// The last step that came of any, and the last one before which all that came is in the file itself.
    private var recordedThrough = Int.min
    private var storedBefore = Int.min
    /// Behind which step the file is to be cut, and why that could not be done.
    private var cutStep: Int?
    private var cutFailure: RunFileError?
    private var waiting = RunFileBatch()
    private var isDue = false
    private var isStatusNews = false
    private var status: Status
    private var failure: RunFileError?
    private var asked = 0
    private var answered = 0
    private var stage = Stage.open
    /// Since when what was last written stands in the spill file.
    private var spilledSince: Double?

    private let store: RunFileStore
    private var batch = RunFileBatch()
    private var lastWarning = -Double.infinity
    private var hasWarned = false

    private enum Stage {
        /// Takes entries.
        case open
        /// Once everything stands in the file, the writer has ended.
        case closing
        /// As `closing`, and after a failure too: nobody is left to try again.
        case abandoned
        case ended
    }

    /// `warn` is called on the writer's thread.
    /// - Parameter series: those that the file has, in the order of their numbers, which begin with 1.
    init(
        _ store: RunFileStore, limits: Limits, series: [String] = [], status: Status = Status(),
        warn: @escaping @Sendable (String) -> Void
    ) {
        path = store.path
        let known = store.lastSteps
        for (place, name) in series.enumerated() {
            seriesIDs[name] = place + 1
            lastSteps.append(known[place + 1] ?? .min)
        }
        self.status = status
        self.store = store
        self.limits = limits
        self.warn = warn
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
                lastSteps.append(.min)
                waiting.newSeries.append((id, series))
            }
            // A step that came already, or out of order, has a row: that may take the place of another.
            let isNews = measurement.step > lastSteps[id - 1]
            if measurement.isPlain, isNews {
                waiting.append(measurement, to: id)
            } else {
                waiting.samples.append(
                    RunFileBatch.Sample(series: id, measurement: measurement, isNews: isNews))
            }
            lastSteps[id - 1] = max(lastSteps[id - 1], measurement.step)
            recordedThrough = max(recordedThrough, measurement.step)
            waiting.byteCount += byteCount
            askForTurn()
        }
    }

    func add(_ row: RunFileBatch.Row, byteCount: Int) throws {
        try monitor.withLock {
            try makeRoom(byteCount)
            waiting.rows.append(row)
            waiting.byteCount += byteCount
            askForTurn()
        }
    }

    /// Steps taken: noted with the next commit, which comes within a second where state or alert have changed.
    func note(step: Int, state: RunStatus.State? = nil, alert: String? = nil) {
        monitor.withLock {
            status.step = step
            guard stage == .open, state ?? status.state != status.state || alert ?? status.alert != status.alert else {
                return
            }
            status.state = state ?? status.state
            status.alert = alert ?? status.alert
            isStatusNews = true
            askForTurn()
        }
    }

    /// Waits until everything recorded so far is on the disk, in the file or its spill file, or throws why it is not.
    func commit() throws {
        try monitor.withLock {
            if stage != .open { return }
            try ask()
        }
    }

    /// Removes what was recorded, and the checkpoints, of later steps than this.
    /// - Throws: where another program has a lock on the file; nothing is removed then.
    func cut(after step: Int) throws {
        try commit()
        try monitor.withLock {
            if stage != .open { throw RunFileError.closed(path: path) }
            (cutStep, cutFailure) = (step, nil)
            try ask()
            if let cutFailure { throw cutFailure }
            for index in lastSteps.indices { lastSteps[index] = min(lastSteps[index], step) }
            recordedThrough = min(recordedThrough, step)
            storedBefore = min(storedBefore, step)
        }
    }

    /// The last step before which everything recorded stands in the file itself.
    var fileIsCompleteBefore: Int { monitor.withLock { storedBefore } }

    /// Commits and takes nothing more. After a failure the writer stays open: close again to try again.
    func close() throws {
        try monitor.withLock {
            if stage != .open { return }
            stage = .closing
            if status.state == .running || status.state == .paused { status.state = .done }
            try ask()
        }
    }

    /// Ends after one more attempt to write, without waiting for it.
    func abandon() {
        monitor.withLock {
            if stage == .ended { return }
            stage = .abandoned
            asked += 1
            RunFileThread.shared.schedule(self, at: Stopwatch.now)
        }
    }

    /// Waits until what was left to write after ``abandon()`` is on the disk. Throws why it is not.
    func waitForLastCommit() throws(RunFileError) {
        let failure = monitor.withLock {
            while answered < asked { monitor.wait() }
            return self.failure
        }
        if let failure { throw failure }
    }

    /// Waits until another program's lock is gone and the spill file with it.
    func waitForLock() {
        monitor.withLock {
            while spilledSince != nil && failure == nil { monitor.wait() }
        }
    }

    var hasEnded: Bool { monitor.withLock { stage == .ended } }

    var hasEndedWell: Bool { monitor.withLock { stage == .ended && failure == nil } }

    /// The file and its spill file, while that holds what was last written.
    var spill: (path: String, spillPath: String)? {
        monitor.withLock { spilledSince == nil ? nil : (path, store.spillPath) }
    }

    private var hasSpilled: Bool { monitor.withLock { spilledSince != nil } }

    private func ask() throws {
        asked += 1
        let ticket = asked
        RunFileThread.shared.schedule(self, at: Stopwatch.now)
        while answered < ticket { monitor.wait() }
        if let failure { throw failure }
    }

    /// Waits until the queue has room. Something larger than the whole queue is taken when the queue is empty.
    private func makeRoom(_ byteCount: Int) throws {
        while true {
            if stage != .open { throw RunFileError.closed(path: path) }
            if let failure { throw failure }
            let fits = waiting.byteCount + byteCount <= limits.bytes || waiting.byteCount == 0
            if fits && waiting.load < 8 * limits.samples { return }
            RunFileThread.shared.schedule(self, at: Stopwatch.now)
            monitor.wait()
        }
    }

    private func askForTurn() {
        if isHalfFull {
            RunFileThread.shared.schedule(self, at: Stopwatch.now)
        } else if !isDue {
            RunFileThread.shared.schedule(self, at: Stopwatch.now + limits.delay)
        }
        isDue = true
    }

    private var isHalfFull: Bool {
        waiting.load >= 4 * limits.samples || 2 * waiting.byteCount >= limits.bytes
    }

    // MARK: - The writer's thread

    /// Writes what waits.
    func takeTurn() {
        let (ticket, closing, wasAsked, status, isNews, through, cutStep) = monitor.withLock {
            batch.append(waiting)
            waiting = RunFileBatch()
            isDue = false
            let isNews = isStatusNews
            isStatusNews = false
            monitor.broadcast()
            let cutStep = self.cutStep
            self.cutStep = nil
            return (asked, stage != .open, answered < asked, self.status, isNews, recordedThrough, cutStep)
        }
        if hasEnded { return }
        if batch.isEmpty, !closing, !isNews, !wasAsked, !hasSpilled {
            store.noteHeartbeat(status)
            RunFileThread.shared.schedule(self, at: Stopwatch.now + limits.heartbeat)
            return
        }
        var failed: RunFileError?
        var isSpilled = false
        if let cutStep {
            do { try store.cut(after: cutStep) } catch {
                let reason = RunFileError.writing(path, error)
                monitor.withLock { cutFailure = reason }
            }
        }
        do {
            isSpilled = try store.write(batch, status, isNews: isNews, closing: closing) == .spilled
            batch = RunFileBatch()
        } catch {
            failed = RunFileError.writing(path, error)
        }
        let now = Stopwatch.now
        let since = monitor.withLock {
            failure = failed
            answered = ticket
            if failed == nil { spilledSince = isSpilled ? spilledSince ?? now : nil }
            // Of the last step more may be to come.
            if failed == nil, !isSpilled { storedBefore = max(storedBefore, through) }
            switch stage {
            case .open, .ended: break
            // Who closes may close again after a failure; nobody waits for a later attempt to bring the spill file in.
            case .closing where failed != nil && wasAsked: if closing { stage = .open }
            case .closing, .abandoned: if closing && !isSpilled { stage = .ended }
            }
            if isSpilled { RunFileThread.shared.schedule(self, at: now + limits.retry) }
            if stage == .open { RunFileThread.shared.schedule(self, at: now + limits.heartbeat) }
            monitor.broadcast()
            return spilledSince
        }
        if isSpilled, let since, now - lastWarning >= (hasWarned ? limits.reminder : limits.pause) {
            (lastWarning, hasWarned) = (now, true)
            warn(Self.locked(path, spill: store.spillPath, seconds: now - since))
        } else if hasWarned, since == nil {
            hasWarned = false
            warn("the lock on the run file '\(path)' is gone: everything measured is in it")
        } else if let failed, !wasAsked, closing {
            warn("\(failed)")
        }
        if hasEnded { store.close() }
    }

    private static func locked(_ path: String, spill: String, seconds: Double) -> String {
        let duration = seconds < 60 ? "" : " for \(Int(seconds / 60)) min"
        return "another program has had a lock on the run file '\(path)'\(duration) (a SELECT that was not finished is "
            + "enough): what is measured goes to '\(spill)' until it lets go"
    }
}
