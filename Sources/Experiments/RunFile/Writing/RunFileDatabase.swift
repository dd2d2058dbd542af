import Foundation
import GRDB

/// The SQL by which a run file, and the spill file beside one, are made and written.
enum RunFileDatabase {
    /// The numbers of the rows that were written last, and the ends of the series. The writer gives the numbers, so that a row has the
    /// same whether it goes into the file at once or through a spill file.
    struct LastRows {
        var measurement = 0
        var event = 0
        var checkpoint = 0
        var note = 0
        var chunk = 0
        /// By the number of the series.
        var tails: [Int: Tail] = [:]
    }

    /// - Parameter limit: of a file that may come from a stranger; the configuration, and so the connection, holds it.
    static func configuration(patience: Double, limit: ReadingLimit? = nil) -> Configuration {
        var configuration = Configuration()
        configuration.label = "eoss run file"
        configuration.busyMode = .timeout(patience)
        configuration.prepareDatabase { db in
            limit?.renew()
            limit?.install(on: db)
            try db.execute(sql: "PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON")
        }
        return configuration
    }

    /// Fills an empty database with the schema and the header, in one transaction.
    static func create(in queue: DatabaseQueue, name: String, given: String, header: RunHeader) throws {
        try queue.writeWithoutTransaction { db in
            try prepare(db)
            try db.inTransaction(.immediate) {
                try createSchema(in: db)
                try insert(header, name: name, given: given, into: db)
                return .commit
            }
        }
    }

    /// What an empty database is told before its first transaction.
    static func prepare(_ db: Database) throws {
        // Before the first table: so that what is deleted makes the file smaller.
        try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
        try db.execute(sql: "PRAGMA journal_mode = DELETE")
    }

    /// Makes the tables, empty, in a transaction.
    static func createSchema(in db: Database) throws {
        try db.execute(sql: "PRAGMA application_id = \(RunSchema.applicationID)")
        try db.execute(sql: "PRAGMA user_version = \(RunSchema.version)")
        for object in RunSchema.objects { try db.execute(sql: object.sql) }
    }

    private static func insert(_ header: RunHeader, name: String, given: String, into db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO run (id, name, given_name, uuid, session, created, eoss_version, parent_uuid, parent_name,
                parent_step, state, step, process, heartbeat)
                VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', 0, ?, ?)
                """,
            arguments: [
                name, given, header.uuid.uuidString, header.session.uuidString, header.created.runTimestamp,
                RunEnvironment.eossVersion, header.parent?.uuid.uuidString, header.parent?.name, header.parent?.step,
                RunProcess.current.text, Date().runTimestamp,
            ])
        let environment = RunEnvironment.current.merging(header.environment) { _, given in given }
        for (key, value) in environment.sorted(by: { $0.key < $1.key }) {
            try db.execute(sql: "INSERT INTO environment (key, value) VALUES (?, ?)", arguments: [key, value])
        }
    }

    /// Notes how the run stands, and that its process lives.
    static func note(_ status: RunFileWriter.Status, in db: Database) throws {
        try db.execute(
            sql: "UPDATE run SET state = ?, step = ?, alert = ?, heartbeat = ?",
            arguments: [status.state.rawValue, status.step, status.alert, Date().runTimestamp])
    }

    /// Notes the hour at which the run ended.
    static func close(_ db: Database) throws {
        try db.execute(sql: "UPDATE run SET closed = ?", arguments: [Date().runTimestamp])
    }

    /// Takes the file of a run that has ended, to go on with it.
    static func reopen(_ db: Database) throws {
        try db.execute(
            sql: "UPDATE run SET closed = NULL, state = 'running', process = ?, heartbeat = ?",
            arguments: [RunProcess.current.text, Date().runTimestamp])
    }

    /// What was written last.
    static func lastRows(_ db: Database) throws -> LastRows {
        func last(_ table: String) throws -> Int { try Int.fetchOne(db, sql: "SELECT max(id) FROM \(table)") ?? 0 }
        return LastRows(
            measurement: try last("measurement"), event: try last("event"), checkpoint: try last("checkpoint"),
            note: try last("note"), chunk: try last("chunk"), tails: try tails(db))
    }

    static func insert(_ batch: RunFileBatch, into db: Database, _ last: inout LastRows) throws {
        for series in batch.newSeries {
            try db.execute(sql: "INSERT INTO series (id, name) VALUES (?, ?)", arguments: [series.id, series.name])
        }
        // First the columns: a row of a step that stands there came after it.
        for (index, column) in batch.columns.enumerated() where !column.isEmpty {
            try add(column, to: index + 1, in: db, &last)
        }
        let insert = try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO measurement
                (id, series, step, value, standard_error, samples, products, residual, seconds, operations, low, high, nan,
                extra)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        for sample in batch.samples {
            let measured = sample.measurement
            let nan = measured.nanColumns
            last.measurement += 1
            if sample.isNews {
                last.tails[sample.series, default: Tail()].lastRow = measured.step
            } else {
                try clear(sample.series, at: measured.step, in: db, &last)
            }
            try insert.execute(arguments: [
                last.measurement, sample.series, measured.step, measured.value, measured.standardError,
                measured.samples,
                measured.products, measured.residual, measured.seconds, measured.operations,
                measured.interval?.lowerBound, measured.interval?.upperBound, nan.isEmpty ? nil : nan.rawValue,
                try measured.storedExtra,
            ])
            if let arrays = measured.arrays { try Self.insert(arrays, of: last.measurement, into: db) }
        }
        for row in batch.rows { try Self.insert(row, into: db, &last) }
    }

    /// Lists of a measurement that is about to be replaced.
    static func removeLists(of series: Int, at step: Int, from db: Database) throws {
        try db.cachedStatement(
            sql: "DELETE FROM array WHERE measurement IN (SELECT id FROM measurement WHERE series = ? AND step = ?)"
        ).execute(arguments: [series, step])
    }

    private static func insert(_ arrays: [String: [Double]], of measurement: Int, into db: Database) throws {
        let insert = try db.cachedStatement(sql: "INSERT INTO array (measurement, name, numbers) VALUES (?, ?, ?)")
        for (name, numbers) in arrays.sorted(by: { $0.key < $1.key }) {
            try insert.execute(arguments: [measurement, name, Data(littleEndian: numbers)])
        }
    }

    private static func insert(_ row: RunFileBatch.Row, into db: Database, _ last: inout LastRows) throws {
        switch row {
        case .parameters(let json):
            try db.execute(sql: "INSERT OR REPLACE INTO parameters (id, json) VALUES (1, ?)", arguments: [json])
        case .script(let script):
            let text = script.source.contains(0) ? nil : String(data: script.source, encoding: .utf8)
            try db.execute(
                sql: "INSERT OR REPLACE INTO script (path, sha256, source) VALUES (?, ?, ?)",
                arguments: [script.path, script.sha256, text?.databaseValue ?? script.source.databaseValue])
        case .event(let event, let time):
            last.event += 1
            try db.execute(
                sql: "INSERT INTO event (id, step, time, kind, message, data) VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [
                    last.event, event.step, time, event.kind, event.message,
                    try event.data.map { try JSONValue.object($0).json() },
                ])
        case .checkpoint(let checkpoint, let created):
            last.checkpoint += 1
            try insert(checkpoint, created: created, number: last.checkpoint, into: db)
        case .note(let created, let text):
            last.note += 1
            try db.execute(
                sql: "INSERT INTO note (id, created, text) VALUES (?, ?, ?)", arguments: [last.note, created, text])
        case .figure(let figure, let created):
            try db.execute(
                sql: "INSERT OR REPLACE INTO figure (name, mime, created, bytes) VALUES (?, ?, ?, ?)",
                arguments: [figure.name, figure.mime, created, figure.bytes])
        }
    }

    /// The most bytes of a checkpoint's part: far below what one value holds, and small pieces for readers.
    static let largestPart = 64 << 20

    private static func insert(
        _ checkpoint: RunFileBatch.StoredCheckpoint, created: String, number: Int, into db: Database
    ) throws {
        try removeCheckpoints("WHERE step = ?", [checkpoint.step], from: db)
        try db.execute(
            sql: "INSERT INTO checkpoint (id, step, created, pinned, size) VALUES (?, ?, ?, ?, ?)",
            arguments: [number, checkpoint.step, created, checkpoint.isPinned, checkpoint.bytes.count])
        let insert = try db.cachedStatement(
            sql: "INSERT INTO checkpoint_part (checkpoint, part, bytes) VALUES (?, ?, ?)")
        var (start, part) = (checkpoint.bytes.startIndex, 0)
        while start < checkpoint.bytes.endIndex {
            let end = min(start + largestPart, checkpoint.bytes.endIndex)
            try insert.execute(arguments: [number, part, checkpoint.bytes[start..<end]])
            (start, part) = (end, part + 1)
        }
        try removeCheckpoints(
            "WHERE pinned = 0 AND id NOT IN (SELECT id FROM checkpoint WHERE pinned = 0 ORDER BY id DESC LIMIT ?)",
            [checkpoint.keep], from: db)
        try db.execute(sql: "PRAGMA incremental_vacuum")
    }

    static func removeCheckpoints(
        _ condition: String, _ arguments: StatementArguments, from db: Database
    ) throws {
        try db.execute(
            sql: "DELETE FROM checkpoint_part WHERE checkpoint IN (SELECT id FROM checkpoint \(condition))",
            arguments: arguments)
        try db.execute(sql: "DELETE FROM checkpoint \(condition)", arguments: arguments)
    }
}
