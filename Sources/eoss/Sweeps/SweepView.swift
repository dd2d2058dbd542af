import Experiments
import Foundation
import Objectives
import Sweeps
import Synchronization

/// What a user sees of a sweep at work, on standard error: a line for each point that has ended and, at a terminal, below them the
/// points at work and how many are left.
final class SweepView: Sendable {
    private let folder: SweepFolder
    private let quiet: Bool
    private let isTerminal: Bool
    private let beginning = Stopwatch.now
    private let state: Mutex<State>

    private struct State {
        var counts: [PointState: Int]
        var running: [Int] = []
        /// Lines of the block at the bottom of the terminal.
        var drawn = 0
        /// When something was last written.
        var lastLine = Stopwatch.now
    }

    init(_ folder: SweepFolder, reports: [PointReport], quiet: Bool) {
        (self.folder, self.quiet) = (folder, quiet)
        isTerminal = !quiet && isatty(STDERR_FILENO) == 1
        var counts: [PointState: Int] = [:]
        for report in reports where report.state.isOver { counts[report.state, default: 0] += 1 }
        state = Mutex(State(counts: counts))
        let over = counts.values.reduce(0, +)
        if !quiet {
            say("sweep of \(reports.count) points in '\(folder.url.path)'" + (over > 0 ? ", \(over) are over" : ""))
        }
    }

    func show(_ event: LocalSweep.Event) {
        switch event {
        case .began: break
        case .ended(let point, let report, let signal):
            state.withLock { $0.counts[report.state, default: 0] += 1 }
            let isWrong = report.state == .failed || signal != nil
            if !quiet || isWrong { say(line(point, report, signal)) }
        case .waits(let points):
            say(
                "waiting for other processes, which work at "
                    + points.map { folder.plan.names[$0] }.joined(separator: ", "))
        }
    }

    /// Seconds after which a log without a terminal has a line more.
    private static let silence = 30.0

    /// Draws what runs.
    func look(_ running: [Int]) {
        if !isTerminal {
            let line = state.withLock { state in
                quiet || Stopwatch.now - state.lastLine < Self.silence ? nil : summary(state, running: running.count)
            }
            if let line { say(line) }
            return
        }
        let (columns, rows) = Console.size
        let shown = running.prefix(max(1, rows - 3))
        var lines = shown.map { point -> String in
            let report = folder.report(on: point)
            var line = "  \(folder.plan.names[point])"
            if let step = report.step { line += "  step \(step)" }
            for (series, value) in folder.lastValues(of: point).prefix(4) {
                line += "  \(series) \(SweepTable.digits(value))"
            }
            return line
        }
        if running.count > shown.count { lines.append("  … and \(running.count - shown.count) more") }
        state.withLock { state in
            lines.append(summary(state, running: running.count))
            erase(&state)
            // In the last column a terminal may already begin a new line.
            let text = lines.map { String($0.printable.prefix(columns - 1)) }.joined(separator: "\n") + "\n"
            Console.write(text, to: STDERR_FILENO)
            state.drawn = lines.count
        }
    }

    /// Writes a line above what runs.
    func say(_ text: String) {
        state.withLock { state in
            erase(&state)
            state.lastLine = Stopwatch.now
            Console.write("eoss: \(text.printable)\n", to: STDERR_FILENO)
        }
    }

    func clear() { state.withLock { erase(&$0) } }

    private func erase(_ state: inout State) {
        guard state.drawn > 0 else { return }
        Console.write("\u{1B}[\(state.drawn)A\r\u{1B}[J", to: STDERR_FILENO)
        state.drawn = 0
    }

    private func summary(_ state: State, running: Int) -> String {
        let seconds = Int(Stopwatch.now - beginning)
        var counts = state.counts
        counts[.running] = running
        counts[.waiting] = folder.plan.points.count - counts.values.reduce(0, +)
        var parts = PointState.allCases.compactMap { kind -> String? in
            guard let count = counts[kind], count > 0 else { return nil }
            return "\(count) \(kind.rawValue)"
        }
        parts.append("of \(folder.plan.points.count) points")
        return parts.joined(separator: ", ") + "  \(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)"
    }

    private func line(_ point: Int, _ report: PointReport, _ signal: Int32?) -> String {
        var line = "\(folder.plan.names[point])  \(report.state.rawValue)"
        if let step = report.step { line += "  step \(step)" }
        if report.state == .done, let loss = folder.lastValues(of: point).first {
            line += "  \(loss.series) \(SweepTable.digits(loss.value))"
        }
        if let signal { line += "  (its process was ended by signal \(signal))" }
        if report.state == .failed {
            let reason = report.message?.split(whereSeparator: \.isNewline).first.map(String.init)
            line += ": " + (reason ?? "for no reason that it gave") + "; see '\(folder.log(of: point).path)'"
        }
        return line
    }
}
