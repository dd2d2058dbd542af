import Foundation
import GRDB

/// The SQL by which a run file is made and written. Used by the writer's thread alone, after ``init(creatingAt:name:header:)``.
struct RunFileDatabase: Sendable {
    private let queue: DatabaseQueue

    /// Fills the empty file at `path` with the schema and the header, in one transaction.
    init(creatingAt path: String, name: String, header: RunHeader) throws {
        var configuration = Configuration()
        configuration.label = "eoss run file"
        // A reader holds its lock for the time of one query; a writer that gives up earlier would lose nothing but time.
        configuration.busyMode = .timeout(10)
        queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON")
            try db.inTransaction(.immediate) {
                try db.execute(sql: "PRAGMA application_id = \(RunSchema.applicationID)")
                try db.execute(sql: "PRAGMA user_version = \(RunSchema.version)")
                for object in RunSchema.objects { try db.execute(sql: object.sql) }
                try Self.insert(header, name: name, into: db)
                return .commit
            }
        }
    }

    private static func insert(_ header: RunHeader, name: String, into db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO run (id, name, uuid, created, eoss_version, parent_uuid, parent_name, parent_step)
                VALUES (1, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                name, header.uuid.uuidString, header.created.runTimestamp, RunEnvironment.eossVersion,
                header.parent?.uuid.uuidString, header.parent?.name, header.parent?.step,
            ])
        let environment = RunEnvironment.current.merging(header.environment) { _, given in given }
        for (key, value) in environment.sorted(by: { $0.key < $1.key }) {
            try db.execute(sql: "INSERT INTO environment (key, value) VALUES (?, ?)", arguments: [key, value])
        }
    }

    /// Writes a batch in one transaction; the last time, with the hour.
    func write(_ batch: RunFileBatch, closing: Bool) throws {
        if batch.isEmpty && !closing { return }
        try queue.writeWithoutTransaction { db in
            try db.inTransaction(.immediate) {
                try insert(batch, into: db)
                if closing { try db.execute(sql: "UPDATE run SET closed = ?", arguments: [Date().runTimestamp]) }
                return .commit
            }
        }
        // Everything is on the disk by now: if SQLite will not let go of the file, the queue's deinit makes it.
        if closing { try? queue.close() }
    }

    private func insert(_ batch: RunFileBatch, into db: Database) throws {
        for series in batch.newSeries {
            try db.execute(sql: "INSERT INTO series (id, name) VALUES (?, ?)", arguments: [series.id, series.name])
        }
        let insert = try db.cachedStatement(
            sql: """
                INSERT INTO measurement
                (series, step, value, standard_error, samples, products, residual, seconds, operations, low, high, nan,
                extra)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        for sample in batch.samples {
            let measured = sample.measurement
            let nan = measured.nanColumns
            try insert.execute(arguments: [
                sample.series, measured.step, measured.value, measured.standardError, measured.samples,
                measured.products, measured.residual, measured.seconds, measured.operations,
                measured.interval?.lowerBound, measured.interval?.upperBound, nan.isEmpty ? nil : nan.rawValue,
                try measured.storedExtra,
            ])
            if let arrays = measured.arrays { try Self.insert(arrays, of: db.lastInsertedRowID, into: db) }
        }
        for row in batch.rows { try Self.insert(row, into: db) }
    }

    private static func insert(_ arrays: [String: [Double]], of measurement: Int64, into db: Database) throws {
        let insert = try db.cachedStatement(sql: "INSERT INTO array (measurement, name, numbers) VALUES (?, ?, ?)")
        for (name, numbers) in arrays.sorted(by: { $0.key < $1.key }) {
            try insert.execute(arguments: [measurement, name, Data(littleEndian: numbers)])
        }
    }

    private static func insert(_ row: RunFileBatch.Row, into db: Database) throws {
        switch row {
        case .parameters(let json):
            try db.execute(sql: "INSERT OR REPLACE INTO parameters (id, json) VALUES (1, ?)", arguments: [json])
        case .script(let script):
            let text = script.source.contains(0) ? nil : String(data: script.source, encoding: .utf8)
            try db.execute(
                sql: "INSERT OR REPLACE INTO script (path, sha256, source) VALUES (?, ?, ?)",
                arguments: [script.path, script.sha256, text?.databaseValue ?? script.source.databaseValue])
        case .event(let event):
            try db.execute(
                sql: "INSERT INTO event (step, kind, message) VALUES (?, ?, ?)",
                arguments: [event.step, event.kind, event.message])
        case .checkpoint(let step, let created, let bytes):
            try db.execute(
                sql: "INSERT INTO checkpoint (step, created, bytes) VALUES (?, ?, ?)",
                arguments: [step, created, bytes])
        case .note(let created, let text):
            try db.execute(sql: "INSERT INTO note (created, text) VALUES (?, ?)", arguments: [created, text])
        case .figure(let figure, let created):
            try db.execute(
                sql: "INSERT OR REPLACE INTO figure (name, mime, created, bytes) VALUES (?, ?, ?, ?)",
                arguments: [figure.name, figure.mime, created, figure.bytes])
        }
    }
}
