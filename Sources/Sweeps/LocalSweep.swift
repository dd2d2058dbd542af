import Experiments
import Foundation
import Reports

/// Works through the points of a sweep on this machine, in processes of this same program, several at a time.
public struct LocalSweep {
    /// What happens to a point.
    public enum Event: Sendable {
        case began(Int)
        /// With what the process that worked at it was ended by, where that was a signal.
        case ended(Int, PointReport, signal: Int32?)
        /// All that is left are points that other processes work at.
        case waits(for: [Int])
    }

    private let folder: SweepFolder
    /// How many processes there are at a time.
    private let jobs: Int
    /// The program, with what it is called with before a point's number.
    private let program: String
    private let arguments: [String]
    /// Told of each event, and of the points at work between them.
    public var observe: (Event) -> Void = { _ in }
    public var look: (_ running: [Int]) -> Void = { _ in }

    public init(_ folder: SweepFolder, jobs: Int, program: String, arguments: [String]) {
        (self.folder, self.jobs, self.program, self.arguments) = (folder, jobs, program, arguments)
    }

    /// Seconds between two looks at processes, at the points of others, and two reports on what runs.
    private static let (nap, rest, view) = (0.02, 1.0, 0.5)

    /// What is left to do, and what is being done.
    private struct Work {
        var waiting: ArraySlice<Int>
        /// Points that processes of somebody else work at, since an earlier sweep was killed.
        var elsewhere: [Int] = []
        var workers: [pid_t: Int] = [:]
        var hasSaidElsewhere = false
    }

    /// Works until all points are over, or the sweep is to stop: each process then writes its checkpoint and ends.
    /// - Parameters:
    ///   - points: those to begin, or to go on with.
    ///   - stops: asked again and again.
    /// - Throws: ``SweepError`` where a process cannot be started. The others have ended by then.
    public func run(_ points: [Int], stops: () -> Bool) throws(SweepError) {
        var work = Work(waiting: points[...])
        var failure: SweepError?
        var isStopping = false
        var lastView = -Double.infinity
        while true {
            if !isStopping, failure != nil || stops() {
                isStopping = true
                for worker in work.workers.keys { kill(worker, SIGTERM) }
            }
            if !isStopping {
                do { try begin(&work) } catch { failure = error }
            }
            reap(&work)
            if work.workers.isEmpty {
                if isStopping || work.waiting.isEmpty && work.elsewhere.isEmpty { break }
                if work.waiting.isEmpty { lookElsewhere(&work) }
                continue
            }
            let now = Date().timeIntervalSinceReferenceDate
            if abs(now - lastView) > Self.view {
                lastView = now
                look(work.workers.values.sorted())
            }
            Thread.sleep(forTimeInterval: Self.nap)
        }
        if let failure { throw failure }
    }

    /// Starts processes for points that wait, as many as there may be.
    private func begin(_ work: inout Work) throws(SweepError) {
        while work.workers.count < jobs, let point = work.waiting.popFirst() {
            if folder.report(on: point).state == .running {
                work.elsewhere.append(point)
                continue
            }
            work.workers[try start(point)] = point
            observe(.began(point))
        }
    }

    /// Looks which processes have ended.
    private func reap(_ work: inout Work) {
        for (worker, point) in work.workers.sorted(by: { $0.value < $1.value }) {
            var status: Int32 = 0
            // Under a parent that ignores SIGCHLD an ended process leaves nothing to wait for.
            let ended = waitpid(worker, &status, WNOHANG)
            guard ended == worker || ended == -1 && errno == ECHILD else { continue }
            work.workers[worker] = nil
            let signal = status & 0x7F
            observe(.ended(point, folder.report(on: point), signal: signal == 0 ? nil : signal))
        }
    }

    /// Looks which points nobody else works at any more: what is not over is ours.
    private func lookElsewhere(_ work: inout Work) {
        if !work.hasSaidElsewhere { observe(.waits(for: work.elsewhere)) }
        work.hasSaidElsewhere = true
        for point in work.elsewhere {
            let report = folder.report(on: point)
            if report.state == .running { continue }
            work.elsewhere.removeAll { $0 == point }
            if report.state.isOver {
                observe(.ended(point, report, signal: nil))
            } else {
                work.waiting.append(point)
            }
        }
        if work.waiting.isEmpty, !work.elsewhere.isEmpty { Thread.sleep(forTimeInterval: Self.rest) }
    }

    private func start(_ point: Int) throws(SweepError) -> pid_t {
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(nothing) }
        let environment = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
        // What it says before it has its log goes where this process has its own messages.
        let child = ChildProgram(
            path: program, arguments: arguments + ["\(point)"], environment: environment,
            streams: [nothing, nothing, STDERR_FILENO])
        do { return try child.start() } catch {
            guard case .notStarted(let number) = error else { throw SweepError("\(program) was not started") }
            throw SweepError("cannot start \(program): \(String(cString: strerror(number)))")
        }
    }
}
