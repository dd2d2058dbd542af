import Foundation
import GRDB

/// What a copy of a run file leaves out, changes and adds.
public struct RunFileChanges {
    public enum Checkpoints: String, CaseIterable, Sendable { case none, last, all }

    public var checkpoints = Checkpoints.last
    /// What scripts are called that shall not keep their paths.
    public var scriptNames: [String: String] = [:]
    /// What becomes of the texts of events and notes.
    public var text: (String) -> String = { $0 }
    /// What becomes of the values of the environment.
    public var environment: (String) -> String = { $0 }
    /// Files that the script reads, to travel inside.
    public var data: [RunData] = []

    public init() {}
}

/// A file that a script reads, inside of a run file.
public struct RunData: Sendable, Hashable {
    /// The path by which the script reads it.
    public var path: String
    public var bytes: Data
    /// SHA-256 of `bytes`, in lower-case hexadecimal.
    public var sha256: String

    public init(path: String, bytes: Data) {
        (self.path, self.bytes, sha256) = (path, bytes, bytes.sha256)
    }

    /// The media type under which it stands among the figures: they are the table of named blobs that each version of the schema has.
    static let mediaType = "application/x-eoss-data"
}

extension RunFileReader {
    /// Makes a file at `path`, where nothing is yet, with what this one holds at one moment.
    ///
    /// The copy is made by writing rows that were read and checked, never of pages: what is hidden between them stays behind. It does
    /// not say who wrote it, and a run that still goes on is one that was stopped.
    /// - Throws: ``RunFileError`` for a damaged file, one of an older format, and where the copy cannot be written.
    public func copy(to path: String, _ changes: RunFileChanges) throws(RunFileError) {
        guard version == RunSchema.version else {
            throw .olderFormat(path: url.path, version: Int(version))
        }
        let state = try status()?.state ?? .done
        let queue: DatabaseQueue
        do {
            queue = try DatabaseQueue(path: path, configuration: RunFileDatabase.configuration(patience: 5))
        } catch { throw RunFileError.writing(path, error) }
        do {
            try read { source in
                do {
                    try queue.writeWithoutTransaction { db in
                        try RunFileDatabase.prepare(db)
                        try db.inTransaction(.immediate) {
                            try RunFileDatabase.createSchema(in: db)
                            try Copying(
                                reader: self, source: source, target: db, targetPath: path, changes: changes
                            ).all(state)
                            return .commit
                        }
                    }
                } catch let error as DatabaseError { throw RunFileError.writing(path, error) }
            }
            try queue.close()
        } catch { throw RunFileError.writing(path, error) }
    }

    /// The files of the script's own that travel inside, by the paths by which it reads them.
    /// - Throws: ``RunFileError`` also where one is larger than `limit` bytes.
    public func data(limit: Int) throws(RunFileError) -> [RunData] {
        let path = url.path
        var left = limit
        return try rows(
            "SELECT name, bytes FROM figure WHERE mime = ? ORDER BY id", [RunData.mediaType]
        ) { row in
            let name = try row.decode(String.self, atIndex: 0)
            let bytes = try row.decode(Data.self, atIndex: 1)
            left -= bytes.count
            guard left >= 0 else {
                throw RunFileError.damaged(
                    path: path, reason: "the data that travel inside are larger than \(limit >> 20) MiB")
            }
            return RunData(path: name, bytes: bytes)
        }
    }
}

/// Copies table by table, each row as it was read.
private struct Copying {
    let reader: RunFileReader
    let source: Database
    let target: Database
    let targetPath: String
    let changes: RunFileChanges

    func all(_ state: RunStatus.State) throws {
        try table("run") { row in
            row["process"] = "shared 0 0".databaseValue
            if state == .running || state == .paused {
                row["state"] = RunStatus.State.stopped.rawValue.databaseValue
            }
        }
        try table("parameters")
        try table("script") { row in
            if let path = String.fromDatabaseValue(row["path"] ?? .null), let name = changes.scriptNames[path] {
                row["path"] = name.databaseValue
            }
        }
        try table("environment") { text("value", &$0, changes.environment) }
        for name in ["series", "measurement", "array", "chunk"] { try table(name) }
        try table("event") { row in
            text("message", &row, changes.text)
            guard let json = String.fromDatabaseValue(row["data"] ?? .null) else { return }
            guard let data = try? JSONValue(json: json) else {
                throw RunFileError.damaged(path: reader.url.path, reason: "the data of an event are not a JSON object")
            }
            row["data"] = try data.mapStrings(changes.text).json().databaseValue
        }
        try table("note") { text("text", &$0, changes.text) }
        try table("figure")
        for data in changes.data {
            try target.execute(
                sql: "INSERT OR REPLACE INTO figure (name, mime, created, bytes) VALUES (?, ?, ?, ?)",
                arguments: [data.path, RunData.mediaType, Date().runTimestamp, data.bytes])
        }
        try copyCheckpoints()
    }

    private func copyCheckpoints() throws {
        let chosen: String
        switch changes.checkpoints {
        case .none: return
        case .last: chosen = "= (SELECT id FROM checkpoint ORDER BY step DESC LIMIT 1)"
        case .all: chosen = "IN (SELECT id FROM checkpoint)"
        }
        try table("checkpoint", "WHERE id \(chosen)")
        try table("checkpoint_part", "WHERE checkpoint \(chosen)")
    }

    /// The names of the columns are ours: the schema was compared.
    private func table(
        _ name: String, _ condition: String = "", _ change: (inout [String: DatabaseValue]) throws -> Void = { _ in }
    ) throws {
        do {
            try reader.each(source, "SELECT * FROM \(name) \(condition)", []) { row in
                let columns = Array(row.columnNames)
                var values = Dictionary(zip(columns, row.databaseValues), uniquingKeysWith: { first, _ in first })
                try change(&values)
                try insert(columns.map { values[$0] ?? .null }, columns, into: name)
            }
        } catch let error as DatabaseError { throw RunFileError.reading(reader.url.path, error) }
    }

    private func insert(_ values: [DatabaseValue], _ columns: [String], into table: String) throws {
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        do {
            try target.cachedStatement(
                sql: "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(marks))"
            ).execute(arguments: StatementArguments(values))
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            throw RunFileError.damaged(
                path: reader.url.path, reason: "its table '\(table)' holds what no such table takes")
        } catch { throw RunFileError.writing(targetPath, error) }
    }

    private func text(_ column: String, _ row: inout [String: DatabaseValue], _ change: (String) -> String) {
        guard let text = String.fromDatabaseValue(row[column] ?? .null) else { return }
        row[column] = change(text).databaseValue
    }
}

extension JSONValue {
    /// The same with its texts changed; names stay.
    func mapStrings(_ change: (String) -> String) -> JSONValue {
        switch self {
        case .null, .bool, .integer, .number: self
        case .string(let text): .string(change(text))
        case .array(let values): .array(values.map { $0.mapStrings(change) })
        case .object(let values): .object(values.mapValues { $0.mapStrings(change) })
        }
    }
}
