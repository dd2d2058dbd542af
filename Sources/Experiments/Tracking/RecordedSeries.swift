import Compute
import Foundation

/// A series as a run holds it: the last values in memory, those before them in run files, from which they are read when somebody asks.
///
/// So a run of a million steps with ten values at each holds ten megabytes of them. What a fork has from its run stays in that one's
/// file.
struct RecordedSeries {
    /// Values of a stretch of steps.
    private struct Part {
        var source: StoredSeries
        /// Steps behind this one, up to `through`.
        var after: Int
        var through: Int
    }

    /// How many values stay in memory, at least, and half of how many do at most. Who looks at a series along the way has it at hand, in runs
    /// that are not very long.
    var kept = 65_536

    let name: String
    private var parts: [Part] = []
    private var recent: Series

    init(name: String) {
        self.name = name
        recent = Series(name: name)
    }

    /// Bytes that it holds in memory.
    var byteCount: Int { parts.reduce(recent.byteCount) { $0 + $1.source.byteCount } }

    /// - Returns: whether it is time to ask what may be released.
    mutating func append(_ measurement: Measurement) -> Bool {
        recent.append(measurement)
        return recent.count >= 2 * kept && recent.count % 1024 == 0
    }

    /// Forgets older values, which the run's own file has.
    /// - Parameter step: before this one the file has everything.
    mutating func release(before step: Int, in file: URL) {
        let count = min(recent.stepList.count(through: step == .min ? .min : step - 1), recent.count - kept)
        if count <= 0 { return }
        append(file: file, through: recent.stepList[count - 1])
        recent.removeFirst(count)
    }

    /// Adds what a file has up to a step, from where the parts before end.
    mutating func append(file: URL, through step: Int) {
        if let last = parts.last, last.source.file == file {
            parts[parts.count - 1].through = step
        } else {
            let after = parts.last?.through ?? .min
            parts.append(Part(source: StoredSeries(name, in: file), after: after, through: step))
        }
    }

    /// The values from a step on up to another, both included.
    /// - Throws: `RunFileError` where a file cannot be read.
    func series(from first: Int? = nil, to last: Int? = nil) throws -> Series {
        var all = Series(name: name)
        for part in parts {
            let from = max(first ?? .min, part.after == .min ? .min : part.after + 1)
            let to = min(last ?? .max, part.through)
            if from <= to { all.append(contentsOf: try part.source.values(from: from, to: to)) }
        }
        if all.count == 0, first == nil, last == nil { return recent }
        all.append(contentsOf: recent.between(first, last))
        return all
    }

    /// The last value; nil where there is none, or it cannot be read.
    var last: Double? {
        if let value = recent.last { return value }
        guard let part = parts.last else { return nil }
        return try? part.source.values(from: part.after == .min ? .min : part.after + 1, to: part.through).last
    }

    /// The step of the last value; where it lies in a file, the one up to which that is read.
    var lastStep: Int? { recent.stepList.last ?? parts.last?.through }

    /// Forgets what came after a step.
    mutating func cut(after step: Int) {
        parts.removeAll { $0.after >= step }
        if let last = parts.last { parts[parts.count - 1].through = min(last.through, step) }
        recent = recent.between(nil, step)
    }

    /// As a fork goes on with it: what it records has a file of its own, which does not repeat what is here.
    func forked() -> RecordedSeries {
        var copy = self
        guard let end = recent.stepList.last else { return copy }
        let after = parts.last?.through ?? .min
        copy.parts.append(Part(source: StoredSeries(recent), after: after, through: end))
        copy.recent = Series(name: name)
        return copy
    }

    /// The run is about to cut its file: what forks still need of it is read into memory.
    mutating func keepForOthers(in file: URL) throws {
        for index in parts.indices where parts[index].source.file == file {
            if isKnownUniquelyReferenced(&parts[index].source) { continue }
            try parts[index].source.keep()
            parts[index].source = StoredSeries(name, in: file)
        }
    }
}

/// A series in a run file, or what was there. Several runs share one.
final class StoredSeries {
    private let name: String
    /// Nil where it is kept in memory.
    private(set) var file: URL?
    private var kept: Series?

    init(_ name: String, in file: URL) { (self.name, self.file) = (name, file) }

    init(_ series: Series) { (name, kept) = (series.name, series) }

    /// Bytes that it holds in memory.
    var byteCount: Int { kept?.byteCount ?? 0 }

    func values(from first: Int, to last: Int) throws -> Series {
        if let kept { return kept.between(first, last) }
        guard let file else { return Series(name: name) }
        while true {
            do throws(RunFileError) {
                return try RunFileReader(file, patience: 0.2).values(of: name, from: first, to: last)
            } catch {
                // The writer says whom it waits for. What was written comes back when the lock is gone.
                guard case .locked = error else { throw error }
                try Cancellation.check()
            }
        }
    }

    /// Reads it all into memory.
    func keep() throws {
        kept = try values(from: .min, to: .max)
        file = nil
    }
}
