import Foundation
import GRDB

/// The SQL by which a run file, and the spill file beside one, are made and written.
enum RunFileDatabase {
    /// The numbers of the rows that were written last. The writer gives them, so that a row has the same number whether it
    /// goes into the file at once or through a spill file.
    struct RowIDs {
        var measurement = 0
        var event = 0
        var checkpoint = 0
        var note = 0
    }

    static func configuration(patience: Double) -> Configuration {
        var configuration = Configuration()
        configuration.label = "eoss run file"
        configuration.busyMode = .timeout(patience)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON")
        }
        return configuration
    }

    /// Fills an empty database with the schema and the header, in one transaction.
    static func create(in queue: DatabaseQueue, name: String, header: RunHeader) throws {
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA journal_mode = DELETE")
            try db.inTransaction(.immediate) {
                try db.execute(sql: "PRAGMA application_id = \(RunSchema.applicationID)")
                try db.execute(sql: "PRAGMA user_version = \(RunSchema.version)")
                for object in RunSchema.objects { try db.execute(sql: object.sql) }
                try insert(header, name: name, into: db)
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

    /// Notes the hour at which the run ended.
    static func close(_ db: Database) throws {
        try db.execute(sql: "UPDATE run SET closed = ?", arguments: [Date().runTimestamp])
    }

    static func insert(_ batch: RunFileBatch, into db: Database, _ ids: inout RowIDs) throws {
        for series in batch.newSeries {
            try db.execute(sql: "INSERT INTO series (id, name) VALUES (?, ?)", arguments: [series.id, series.name])
        }
        let insert = try db.cachedStatement(
            sql: """
                INSERT INTO measurement
                (id, series, step, value, standard_error, samples, products, residual, seconds, operations, low, high, nan,
                extra)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        for sample in batch.samples {
            let measured = sample.measurement
            let nan = measured.nanColumns
            ids.measurement += 1
            try insert.execute(arguments: [
                ids.measurement, sample.series, measured.step, measured.value, measured.standardError, measured.samples,
                measured.products, measured.residual, measured.seconds, measured.operations,
                measured.interval?.lowerBound, measured.interval?.upperBound, nan.isEmpty ? nil : nan.rawValue,
                try measured.storedExtra,
            ])
            if let arrays = measured.arrays { try Self.insert(arrays, of: ids.measurement, into: db) }
        }
        for row in batch.rows { try Self.insert(row, into: db, &ids) }
    }

    private static func insert(_ arrays: [String: [Double]], of measurement: Int, into db: Database) throws {
        let insert = try db.cachedStatement(sql: "INSERT INTO array (measurement, name, numbers) VALUES (?, ?, ?)")
        for (name, numbers) in arrays.sorted(by: { $0.key < $1.key }) {
            try insert.execute(arguments: [measurement, name, Data(littleEndian: numbers)])
        }
    }

    private static func insert(_ row: RunFileBatch.Row, into db: Database, _ ids: inout RowIDs) throws {
        switch row {
        case .parameters(let json):
            try db.execute(sql: "INSERT OR REPLACE INTO parameters (id, json) VALUES (1, ?)", arguments: [json])
        case .script(let script):
            let text = script.source.contains(0) ? nil : String(data: script.source, encoding: .utf8)
            try db.execute(
                sql: "INSERT OR REPLACE INTO script (path, sha256, source) VALUES (?, ?, ?)",
                arguments: [script.path, script.sha256, text?.databaseValue ?? script.source.databaseValue])
        case .event(let event):
            ids.event += 1
            try db.execute(
                sql: "INSERT INTO event (id, step, kind, message) VALUES (?, ?, ?, ?)",
                arguments: [ids.event, event.step, event.kind, event.message])
        case .checkpoint(let step, let created, let bytes):
            ids.checkpoint += 1
            try db.execute(
                sql: "INSERT INTO checkpoint (id, step, created, bytes) VALUES (?, ?, ?, ?)",
                arguments: [ids.checkpoint, step, created, bytes])
        case .note(let created, let text):
            ids.note += 1
            try db.execute(
                sql: "INSERT INTO note (id, created, text) VALUES (?, ?, ?)", arguments: [ids.note, created, text])
        case .figure(let figure, let created):
            try db.execute(
                sql: "INSERT OR REPLACE INTO figure (name, mime, created, bytes) VALUES (?, ?, ?, ?)",
                arguments: [figure.name, figure.mime, created, figure.bytes])
        }
    }
}
