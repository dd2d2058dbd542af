import Foundation
import GRDB

/// What a run file has, without the values, the scripts and the bytes in it.
public struct RunOverview: Sendable {
    /// How the run stands; nil in files before version 3, which do not say.
    public var status: RunStatus?
    /// The path by which the script was run; nil where the file has none.
    public var script: String?
    /// The parameters of the experiment; empty when none were set.
    public var parameters: [String: JSONValue]
    /// The last values of each series, in the order in which the series began; of a series without values an empty list.
    public var series: [(name: String, tail: [Measurement])]
}

/// A checkpoint in a file, without its bytes.
public struct StoredCheckpoint: Sendable, Hashable {
    public var step: Int
    /// Bytes.
    public var size: Int
    /// Whether it was asked for by its step, and stays when others make room.
    public var isPinned: Bool
}

/// A figure in a file, without its bytes.
public struct StoredFigure: Sendable, Hashable {
    public var name: String
    /// Its media type.
    public var mime: String
    /// Bytes.
    public var size: Int
}

/// Looking at a run file as a whole. Each call is one short transaction, which reads no more than it returns.
extension RunFileReader {
    /// - Parameter count: how many values of each series are wanted at most, 1 to 1,024.
    public func overview(last count: Int = 1) throws(RunFileError) -> RunOverview {
        precondition(
            (1...MeasurementChunk.capacity).contains(count), "so many values may lie in more chunks than are read")
        return try read { db in
            var names: [(id: Int, name: String)] = []
            try each(db, "SELECT id, name FROM series ORDER BY id", []) { row in
                names.append((try row.decode(Int.self, atIndex: 0), try row.decode(String.self, atIndex: 1)))
            }
            var script: String?
            try each(db, "SELECT path FROM script ORDER BY id LIMIT 1", []) {
                script = try $0.decode(String.self, atIndex: 0)
            }
            return RunOverview(
                status: try status(db), script: script, parameters: try parameters(db),
                series: try names.map { ($0.name, try tail(db, $0.id, count)) })
        }
    }

    /// The last measurements of a series, without lists of numbers.
    private func tail(_ db: Database, _ id: Int, _ count: Int) throws -> [Measurement] {
        var measured = try lastRows(db, id, count)
        guard version >= 3 else { return measured }
        // Of two chunks the first one is full.
        let sql = "SELECT \(MeasurementChunk.columns) FROM chunk WHERE series = ? ORDER BY last DESC LIMIT 2"
        var values: [Measurement] = []
        try each(db, sql, [id]) { row in
            guard values.count < count else { return }
            let chunk = try MeasurementChunk(row)
            values += chunk.values.indices.suffix(count - values.count).reversed().map { chunk.measurement(at: $0) }
        }
        if values.isEmpty { return measured }
        measured += values.reversed()
        measured.sort { $0.step < $1.step }
        return measured.suffix(count)
    }

    /// A number that is another one after each change of the file by another connection.
    public func changeCount() throws(RunFileError) -> Int {
        try read { db in try Int.fetchOne(db, sql: "PRAGMA data_version") ?? 0 }
    }

    /// How many values each series has, in the order in which they began.
    public func seriesCounts() throws(RunFileError) -> [(name: String, count: Int)] {
        let chunks = version >= 3 ? "(SELECT total(count) FROM chunk WHERE series = series.id)" : "0"
        return try rows(
            """
            SELECT name, (SELECT count(*) FROM measurement WHERE series = series.id), \(chunks) FROM series ORDER BY id
            """
        ) { row in
            // A stranger's counts may be anything.
            let inChunks = Int(exactly: try row.decode(Double.self, atIndex: 2).rounded()) ?? 0
            let (sum, overflow) = try row.decode(Int.self, atIndex: 1).addingReportingOverflow(inChunks)
            return (try row.decode(String.self, atIndex: 0), overflow ? .max : sum)
        }
    }

    /// When each of ``events()`` happened; nil for a time that is none, and in files before version 3.
    public func eventTimes() throws(RunFileError) -> [Date?] {
        try rows("SELECT \(version >= 3 ? "time" : "NULL") FROM event ORDER BY id") { row in
            try row.decode(String?.self, atIndex: 0).flatMap(Date.init(runTimestamp:))
        }
    }

    /// The checkpoints, in the order of their steps.
    public func checkpoints() throws(RunFileError) -> [StoredCheckpoint] {
        let columns = version >= 3 ? "size, pinned" : "length(bytes), 0"
        return try rows("SELECT step, \(columns) FROM checkpoint ORDER BY step, id") { row in
            StoredCheckpoint(
                step: try row.decode(Int.self, atIndex: 0), size: try row.decode(Int.self, atIndex: 1),
                isPinned: try row.decode(Int.self, atIndex: 2) != 0)
        }
    }

    /// The figures, in the order in which they were first drawn.
    public func figures() throws(RunFileError) -> [StoredFigure] {
        try rows("SELECT name, mime, length(bytes) FROM figure ORDER BY id") { row in
            StoredFigure(
                name: try row.decode(String.self, atIndex: 0), mime: try row.decode(String.self, atIndex: 1),
                size: try row.decode(Int.self, atIndex: 2))
        }
    }
}
