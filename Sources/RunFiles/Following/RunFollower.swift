import Experiments
import Foundation

/// Watches a run file that another process writes.
///
/// Each look is one short transaction, and none where nothing has changed, so the writer never waits for it. While another program has
/// the file for itself, nothing is new.
public final class RunFollower {
    /// The newest that the file says.
    public struct Snapshot: Sendable {
        /// The last values of a series, the newest last; never empty.
        public typealias Row = (name: String, tail: [Experiments.Measurement])

        /// How the run stood; see ``RunSummary/state``.
        public let state: String
        public let step: Int?
        public let written: Date
        public let alert: String?
        public let series: [Row]
        /// Whether there are values that the snapshot before did not have.
        public let hasNewValues: Bool
    }

    /// How many values of a series a snapshot has at most.
    public static let tailLength = 256
    private var reader: RunFileReader
    private var status: RunStatus?
    private var changes: Int?
    private var newest: [String: Int] = [:]

    /// The run's name as it was recorded.
    public var name: String { reader.name }

    public init(_ file: URL) throws(RunFileError) { reader = try RunFileReader(file) }

    /// Whether nobody writes to the file any more: the run has ended, or its process is gone.
    public var isOver: Bool { changes != nil && !(status?.isAlive ?? false) }

    /// Why the last look saw nothing: another program has had the file for itself for some seconds.
    public private(set) var obstacle: String?

    /// What has changed since the last look; nil for nothing, and where there is an ``obstacle``.
    public func look() throws(RunFileError) -> Snapshot? {
        do throws(RunFileError) {
            let count = try reader.changeCount()
            obstacle = nil
            return count == changes ? nil : try read(count)
        } catch {
            switch error {
            case .cannotRead(_, let reason): obstacle = reason
            case .locked: obstacle = RunFileError.otherProgram
            default: throw error
            }
            return nil
        }
    }

    /// What is there at the end, with what the process could only write beside the file.
    public func end() throws(RunFileError) -> Snapshot {
        reader = try RunFileReader(reader.url)
        return try read(try reader.changeCount())
    }

    private func read(_ count: Int) throws(RunFileError) -> Snapshot {
        let overview = try reader.overview(last: Self.tailLength)
        let summary = RunSummary(reader, overview)
        let rows = overview.series.filter { !$0.tail.isEmpty }
        let now = Dictionary(rows.map { ($0.name, $0.tail.last?.step ?? 0) }) { $1 }
        let isNew = now != newest
        (changes, status, newest) = (count, overview.status, now)
        return Snapshot(
            state: summary.state, step: summary.step, written: summary.written, alert: summary.alert, series: rows,
            hasNewValues: isNew)
    }
}
