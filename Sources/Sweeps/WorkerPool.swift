import Foundation
import Reports

/// Works at the points of a sweep that a script makes, in processes of this same program, several at a time and one for each point.
///
/// A worker is told its task by its standard input, which stays open as long as this process lives; by its standard output it tells
/// what its point prints and what has come of it (``WorkerChannel``). What points print comes in their order, as if they had been
/// worked at one after the other.
public struct WorkerPool {
    /// How a worker has ended.
    public enum Ending: Sendable, Equatable {
        /// With what it told of its point.
        case told(Data)
        /// Without a word: its exit status.
        case exited(Int32)
        case killed(signal: Int32)
    }

    /// What the ending of a point means to the others.
    public enum Verdict: Sendable {
        case goOn
        /// Points behind this one are stopped, those before it come to their end: it is the sweep's error unless one of these has another.
        case endsSweep
    }

    private let program: String
    private let arguments: [String]
    private let jobs: Int
    /// Told when work at a point begins.
    public var began: (Int) -> Void = { _ in }

    /// - Parameters:
    ///   - program: with its arguments what a worker is.
    ///   - jobs: how many there are at a time.
    public init(program: String, arguments: [String], jobs: Int) {
        (self.program, self.arguments, self.jobs) = (program, arguments, jobs)
    }

    /// Milliseconds between two looks at `stops`.
    private static let nap: Int32 = 20
    /// Bytes that a point may print before its turn comes; then it waits.
    private static let longestWait = 16 << 20

    private final class Worker {
        let process: pid_t
        /// What it reads, and lives as long as; what it writes.
        let (life, words): (Int32, Int32)
        var received = WorkerFrames()
        var told: Data?

        init(_ process: pid_t, life: Int32, words: Int32) {
            (self.process, self.life, self.words) = (process, life, words)
        }

        deinit {
            close(life)
            close(words)
        }
    }

    private struct Work {
        var workers: [Int: Worker] = [:]
        var next = 0
        /// Points from here on are not begun, or are stopped.
        var end: Int
        /// What points have printed whose turn has not come, and the first whose output is not all there.
        var printed: [Int: [[UInt8]]] = [:]
        var waiting: [Int: Int] = [:]
        var ended: Set<Int> = []
        var turn = 0
        /// The last point whose output is wanted: with one job those behind it would not have begun.
        var lastTurn = Int.max
    }

    /// Works until all points are over, or the sweep is to end: workers then write their checkpoints.
    /// - Parameters:
    ///   - task: what the worker of a point is told.
    ///   - stops: asked again and again.
    ///   - print: takes a line that a point has printed.
    ///   - ended: takes how the work at a point has ended.
    /// - Throws: ``SweepError`` where a process cannot be started, and what `task` and `print` throw. No worker is left by then.
    public func run(
        points: Int, task: (Int) throws -> Data, stops: () -> Bool, print: ([UInt8]) throws -> Void,
        ended: (Int, Ending) -> Verdict
    ) throws {
        var work = Work(end: points)
        var failure: (any Error)?
        while true {
            if failure != nil || stops() { limit(&work, to: 0) }
            do {
                while work.workers.count < jobs, work.next < work.end {
                    work.workers[work.next] = try start(task(work.next))
                    began(work.next)
                    work.next += 1
                }
                if work.workers.isEmpty { break }
                for (point, ending) in listen(&work) {
                    if case .endsSweep = ended(point, ending) { limit(&work, to: point) }
                    work.ended.insert(point)
                }
                try flush(&work, print)
            } catch {
                failure = failure ?? error
                if work.workers.isEmpty { break }
            }
        }
        if let failure { throw failure }
    }

    private func limit(_ work: inout Work, to end: Int) {
        guard end < work.end else { return }
        for (point, worker) in work.workers where point >= end && point < work.end { kill(worker.process, SIGTERM) }
        work.end = end
        work.lastTurn = max(end, work.turn)
    }

    /// Waits a moment for what workers say. Returns those that have ended.
    private func listen(_ work: inout Work) -> [(Int, Ending)] {
        var looked = work.workers.sorted { $0.key < $1.key }
        looked.removeAll { $0.key != work.turn && work.waiting[$0.key, default: 0] > Self.longestWait }
        var descriptors = looked.map { pollfd(fd: $0.value.words, events: Int16(POLLIN), revents: 0) }
        guard poll(&descriptors, nfds_t(descriptors.count), Self.nap) > 0 else { return [] }
        var endings: [(Int, Ending)] = []
        for ((point, worker), descriptor) in zip(looked, descriptors) where descriptor.revents != 0 {
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            let count = read(worker.words, &bytes, bytes.count)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            if count > 0 {
                worker.received.append(bytes[..<count])
                while let frame = worker.received.next() {
                    switch frame {
                    case .printed(let line):
                        work.printed[point, default: []].append(line)
                        work.waiting[point, default: 0] += line.count + 1
                    case .told(let data): worker.told = data
                    }
                }
            } else {
                work.workers[point] = nil
                endings.append((point, Self.ending(of: worker)))
            }
        }
        return endings
    }

    /// Prints what is at its turn.
    private func flush(_ work: inout Work, _ print: ([UInt8]) throws -> Void) throws {
        while work.turn <= work.lastTurn {
            let lines = work.printed.removeValue(forKey: work.turn) ?? []
            work.waiting[work.turn] = nil
            for line in lines { try print(line) }
            guard work.ended.contains(work.turn) else { return }
            work.turn += 1
        }
    }

    private static func ending(of worker: Worker) -> Ending {
        var status: Int32 = 0
        while waitpid(worker.process, &status, 0) < 0 && errno == EINTR {}
        if let told = worker.told { return .told(told) }
        let signal = status & 0x7F
        return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
    }

    private func start(_ task: Data) throws -> Worker {
        let (life, words) = (try Self.openPipe(), try Self.openPipe())
        let environment = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
        let child = ChildProgram(
            path: program, arguments: arguments, environment: environment,
            streams: [life.reading, words.writing, STDERR_FILENO])
        defer {
            close(life.reading)
            close(words.writing)
        }
        let process: pid_t
        do { process = try child.start() } catch {
            close(life.writing)
            close(words.reading)
            guard case .notStarted(let number) = error else { throw SweepError("\(program) was not started") }
            throw SweepError("cannot start \(program): \(String(cString: strerror(number)))")
        }
        let worker = Worker(process, life: life.writing, words: words.reading)
        // One that has ended already says so by its silence.
        WorkerFrames.write(.told(task), to: worker.life)
        return worker
    }

    private static func openPipe() throws(SweepError) -> (reading: Int32, writing: Int32) {
        guard let ends = ChildProgram.openPipe() else {
            throw SweepError("cannot open a pipe: \(String(cString: strerror(errno)))")
        }
        return ends
    }
}
