import Foundation
import GRDB

/// Values in columns: how they come into the file, and out of it where others take their place.
///
/// The last chunk of a series stays open until it has ``MeasurementChunk/capacity`` values: each commit writes it anew, with those
/// that came. A step of a series is either in a chunk or a row of its own.
extension RunFileDatabase {
    /// The end of a series.
    struct Tail {
        /// The number of the chunk that is open; nil where none is.
        var chunk: Int?
        var values = MeasurementChunk()
        /// The last step in a chunk, and the last one with a row of its own.
        var lastPacked = Int.min
        var lastRow = Int.min
    }

    /// Adds values, all of later steps than any that the series has.
    static func add(_ column: MeasurementChunk, to series: Int, in db: Database, _ last: inout LastRows) throws {
        var tail = last.tails[series, default: Tail()]
        tail.values.append(contentsOf: column)
        tail.lastPacked = column.steps[column.count - 1]
        let number: Int
        if let known = tail.chunk {
            number = known
        } else {
            last.chunk += 1
            number = last.chunk
        }
        try write(tail.values, number, of: series, in: db)
        if tail.values.isFull {
            (tail.chunk, tail.values) = (nil, MeasurementChunk())
        } else {
            tail.chunk = number
        }
        last.tails[series] = tail
    }

    private static func write(_ chunk: MeasurementChunk, _ number: Int, of series: Int, in db: Database) throws {
        if chunk.isEmpty {
            try db.execute(sql: "DELETE FROM chunk WHERE id = ?", arguments: [number])
            return
        }
        try db.cachedStatement(
            sql:
                "INSERT OR REPLACE INTO chunk (id, series, \(MeasurementChunk.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [number, series] + chunk.stored)
    }

    /// Makes room for a row of a step that the series may have already: the lists of the row before, or the value in a chunk.
    static func clear(_ series: Int, at step: Int, in db: Database, _ last: inout LastRows) throws {
        var tail = last.tails[series, default: Tail()]
        if step <= tail.lastRow { try removeLists(of: series, at: step, from: db) }
        if step <= tail.lastPacked, let (number, rest) = try unpack(series, at: step, in: db), number == tail.chunk {
            tail.values = rest
            if rest.isEmpty { tail.chunk = nil }
        }
        tail.lastRow = max(tail.lastRow, step)
        last.tails[series] = tail
    }

    /// Takes the value of a step out of its chunk, where there is one.
    /// - Returns: the chunk's number, and what is left of it.
    @discardableResult
    static func unpack(_ series: Int, at step: Int, in db: Database) throws -> (number: Int, rest: MeasurementChunk)? {
        let sql =
            "SELECT id, \(MeasurementChunk.columns) FROM chunk WHERE series = ? AND last >= ? ORDER BY last LIMIT 1"
        guard let row = try Row.fetchOne(db, sql: sql, arguments: [series, step]) else { return nil }
        let (number, chunk) = (try row.decode(Int.self, atIndex: 0), try MeasurementChunk(row, at: 1))
        let rest = chunk.kept { $0 != step }
        guard rest.count < chunk.count else { return nil }
        try write(rest, number, of: series, in: db)
        return (number, rest)
    }

    /// Removes what was measured, and the checkpoints made, after a step.
    static func cut(after step: Int, in db: Database) throws {
        for series in try Int.fetchAll(db, sql: "SELECT id FROM series") {
            let later = "measurement WHERE series = ? AND step > ?"
            try db.execute(
                sql: "DELETE FROM array WHERE measurement IN (SELECT id FROM \(later))", arguments: [series, step])
            try db.execute(sql: "DELETE FROM \(later)", arguments: [series, step])
            try db.execute(
                sql: "DELETE FROM chunk WHERE series = ? AND last > ? AND first > ?", arguments: [series, step, step])
            let across = try Row.fetchOne(
                db, sql: "SELECT id, \(MeasurementChunk.columns) FROM chunk WHERE series = ? AND last > ?",
                arguments: [series, step])
            if let across {
                try write(
                    MeasurementChunk(across, at: 1).kept { $0 <= step }, across.decode(Int.self, atIndex: 0),
                    of: series,
                    in: db)
            }
        }
        try removeCheckpoints("WHERE step > ?", [step], from: db)
        try db.execute(sql: "PRAGMA incremental_vacuum")
    }

    /// The ends of all series, by their numbers.
    static func tails(_ db: Database) throws -> [Int: Tail] {
        var tails: [Int: Tail] = [:]
        for series in try Int.fetchAll(db, sql: "SELECT id FROM series") {
            var tail = Tail()
            let sql = "SELECT max(step) FROM measurement WHERE series = ?"
            tail.lastRow = try Int.fetchOne(db, sql: sql, arguments: [series]) ?? .min
            let last = try Row.fetchOne(
                db,
                sql: "SELECT id, \(MeasurementChunk.columns) FROM chunk WHERE series = ? ORDER BY last DESC LIMIT 1",
                arguments: [series])
            if let last {
                let chunk = try MeasurementChunk(last, at: 1)
                tail.lastPacked = chunk.steps[chunk.count - 1]
                if !chunk.isFull { (tail.chunk, tail.values) = (try last.decode(Int.self, atIndex: 0), chunk) }
            }
            tails[series] = tail
        }
        return tails
    }
}
