import Experiments
import Foundation

/// How a point of a sweep stands.
public enum PointState: String, Sendable, Codable, CaseIterable {
    /// It has not begun.
    case waiting
    /// A process works at it.
    case running
    /// Its script has come to its end.
    case done
    /// The loss became infinite, or no number: a result like any other.
    case diverged
    /// It was stopped or killed, and can go on.
    case stopped
    /// Its script ended with an error.
    case failed

    /// Whether nothing is left to do.
    public var isOver: Bool { self == .done || self == .diverged }
}

/// What the files of a point say of it.
public struct PointReport: Sendable, Equatable {
    public var state: PointState
    /// Steps that its run has taken: the first run that the script makes.
    public var step: Int?
    /// Why it failed.
    public var message: String?
}

extension SweepFolder {
    /// How a point stands, from the files in its folder.
    public func report(on point: Int) -> PointReport {
        let folder = folder(of: point)
        guard access(folder.path, F_OK) == 0 else { return PointReport(state: .waiting) }
        if PointLock.isHeld(log(of: point)) {
            return PointReport(state: .running, step: step(of: point))
        }
        if let outcome = PointOutcome.read(folder.appendingPathComponent(Self.outcomeName)) {
            return PointReport(state: outcome.state, step: outcome.step, message: outcome.message)
        }
        guard let run = runFiles(of: point).first else { return PointReport(state: .waiting) }
        let status = try? run.status()
        return PointReport(state: status?.isAlive == true ? .running : .stopped, step: status?.step)
    }

    private func step(of point: Int) -> Int? {
        guard let run = runFiles(of: point).first else { return nil }
        return try? run.status()?.step
    }

    /// How the points stand, in their order.
    public func reports() -> [PointReport] { plan.points.indices.map(report(on:)) }

    /// The last values of the series of a point's run, the first that the script makes; nothing where there is none. Of a run that is
    /// still going on those of this moment.
    public func lastValues(of point: Int) -> [(series: String, value: Double)] {
        guard let run = runFiles(of: point).first, let names = try? run.seriesNames() else { return [] }
        let step = (try? run.status()?.step) ?? 0
        return names.compactMap { name in run.lastValue(of: name, near: step).map { (name, $0) } }
    }

    /// What an execution of a point has come to.
    /// - Parameters:
    ///   - status: its exit status.
    ///   - message: what it said last.
    func outcome(of point: Int, status: Int32, message: String?) -> PointOutcome {
        let runs = runFiles(of: point)
        let step = try? runs.first?.status()?.step
        let state: PointState =
            switch status {
            case 130: .stopped
            case _ where runs.contains(where: \.hasDiverged): .diverged
            case 0: .done
            default: .failed
            }
        let said = message.map { $0.hasPrefix("eoss: ") ? String($0.dropFirst(6)) : $0 }
        return PointOutcome(
            state: state, step: step, message: state == .failed || state == .diverged ? said : nil, ended: Date())
    }
}

extension RunFileReader {
    /// Whether the run ended where its loss was no number any more.
    fileprivate var hasDiverged: Bool {
        guard let status = try? status(), status.state == .failed, let events = try? events() else { return false }
        return events.contains { $0.kind == "diverged" && $0.step == status.step }
    }

    /// The last value of a series, looked for from the end: a series may have millions.
    fileprivate func lastValue(of name: String, near step: Int) -> Double? {
        var reach = 1024
        while reach < step {
            if let value = try? values(of: name, from: step - reach).last { return value }
            if reach > step / 16 { break }
            reach *= 16
        }
        return try? values(of: name).last
    }
}
