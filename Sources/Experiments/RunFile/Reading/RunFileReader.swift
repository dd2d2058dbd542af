import Foundation
import GRDB

/// Reads a run file, which may be a stranger's, damaged, or still being written by another process.
///
/// The file is opened read-only and its schema compared with ours; every value is checked as it is read. Whatever is wrong
/// is a ``RunFileError``, never a trap. Each call sees one state of the file, the last committed.
public final class RunFileReader: Sendable {
    public let url: URL
    /// The run's name as it was recorded; the file may have been renamed since.
    public let name: String
    public let uuid: UUID
    public let created: Date
    /// When the run ended; nil while it goes on, and when its process was killed.
    public let closed: Date?
    /// The version of eoss that wrote the file.
    public let eossVersion: String
    /// The run that this one was forked from.
    public let parent: RunParent?
    /// The name that the script gave, which another file may have had; the run's own in files before version 3.
    public let givenName: String
    /// The execution of a program that it belongs to; nil in files before version 3.
    public let session: UUID?

    /// Why measurements that belong to this file are still in its spill file (``RunFile``): their process still runs, the file
    /// cannot be written to, another program has a lock on it. Nil where there is none.
    public let spillLeft: String?

    /// The version of the file's schema.
    let version: Int32
    private let queue: DatabaseQueue
    private let limit: ReadingLimit

    /// - Parameter patience: seconds to wait, here and at each reading, for another program that has the file for itself.
    public init(_ url: URL, patience: Double = 5) throws(RunFileError) {
        let path = url.standardizedFileURL.path
        self.url = url.standardizedFileURL
        let opened = try RunFileInspection.open(path, patience: patience)
        (queue, version, spillLeft) = (opened.queue, opened.version, opened.spillLeft)
        limit = opened.limit
        let header = try Self.read(queue, limit, path) { db in
            guard let row = try Row.fetchOne(db, sql: "SELECT * FROM run WHERE id = 1") else {
                throw RunFileError.damaged(path: path, reason: "it has no header")
            }
            return try Header(row, path: path, version: opened.version)
        }
        (name, uuid, created) = (header.name, header.uuid, header.created)
        (closed, eossVersion, parent) = (header.closed, header.eossVersion, header.parent)
        (givenName, session) = (header.givenName, header.session)
    }

    private struct Header {
        let name: String
        let uuid: UUID
        let created: Date
        let closed: Date?
        let eossVersion: String
        let parent: RunParent?
        let givenName: String
        let session: UUID?

        init(_ row: Row, path: String, version: Int32) throws {
            func uuid(_ text: String) throws -> UUID {
                guard let uuid = UUID(uuidString: text) else {
                    throw RunFileError.damaged(path: path, reason: "its UUID is none")
                }
                return uuid
            }
            func date(_ text: String) throws -> Date {
                guard let date = Date(runTimestamp: text) else {
                    throw RunFileError.damaged(path: path, reason: "its date is none")
                }
                return date
            }
            name = try row.decode(String.self, forColumn: "name")
            self.uuid = try uuid(row.decode(String.self, forColumn: "uuid"))
            givenName = version >= 3 ? try row.decode(String.self, forColumn: "given_name") : name
            session = version >= 3 ? try uuid(row.decode(String.self, forColumn: "session")) : nil
            created = try date(row.decode(String.self, forColumn: "created"))
            closed = try row.decode(String?.self, forColumn: "closed").map(date)
            eossVersion = try row.decode(String.self, forColumn: "eoss_version")
            parent = try row.decode(String?.self, forColumn: "parent_uuid").map { text in
                RunParent(
                    uuid: try uuid(text), name: try row.decode(String.self, forColumn: "parent_name"),
                    step: try row.decode(Int.self, forColumn: "parent_step"))
            }
        }
    }

    /// How the run stands; nil in files before version 3, which do not say.
    public func status() throws(RunFileError) -> RunStatus? { try read { db in try status(db) } }

    func status(_ db: Database) throws -> RunStatus? {
        if version < 3 { return nil }
        var status: RunStatus?
        try each(db, "SELECT state, step, alert, process, heartbeat FROM run WHERE id = 1", []) { row in
            guard let state = RunStatus.State(rawValue: try row.decode(String.self, atIndex: 0)),
                let process = RunProcess(text: try row.decode(String.self, atIndex: 3)),
                let heartbeat = Date(runTimestamp: try row.decode(String.self, atIndex: 4))
            else { throw RunFileError.damaged(path: url.path, reason: "it does not say how the run stands") }
            status = RunStatus(
                state: state, step: try row.decode(Int.self, atIndex: 1),
                alert: try row.decode(String?.self, atIndex: 2), process: process, heartbeat: heartbeat)
        }
        return status
    }

    /// Machine, kernels, threads, versions.
    public func environment() throws(RunFileError) -> [String: String] {
        let pairs = try rows("SELECT key, value FROM environment ORDER BY key") { row in
            (try row.decode(String.self, atIndex: 0), try row.decode(String.self, atIndex: 1))
        }
        return Dictionary(pairs, uniquingKeysWith: { _, last in last })
    }

    /// The parameters of the experiment; empty when none were set.
    public func parameters() throws(RunFileError) -> [String: JSONValue] { try read { db in try parameters(db) } }

    func parameters(_ db: Database) throws -> [String: JSONValue] {
        var text: String?
        try each(db, "SELECT json FROM parameters", []) { text = try $0.decode(String.self, atIndex: 0) }
        guard let text else { return [:] }
        guard case .object(let parameters)? = try? JSONValue(json: text) else {
            throw RunFileError.damaged(path: url.path, reason: "its parameters are not a JSON object")
        }
        return parameters
    }

    /// The script and the modules that it required, the script first.
    public func scripts() throws(RunFileError) -> [RunScript] {
        try rows("SELECT path, source, sha256 FROM script ORDER BY id") { row in
            RunScript(
                path: try row.decode(String.self, atIndex: 0), source: try row.decode(Data.self, atIndex: 1),
                sha256: try row.decode(String.self, atIndex: 2))
        }
    }

    /// The names of the series, in the order in which they began.
    public func seriesNames() throws(RunFileError) -> [String] {
        try rows("SELECT name FROM series ORDER BY id") { try $0.decode(String.self, atIndex: 0) }
    }

    /// What happened, in order.
    public func events() throws(RunFileError) -> [RunEvent] {
        let path = url.path
        return try rows("SELECT step, kind, message, \(version >= 3 ? "data" : "NULL") FROM event ORDER BY id") { row in
            var event = RunEvent(
                step: try row.decode(Int.self, atIndex: 0), kind: try row.decode(String.self, atIndex: 1),
                message: try row.decode(String.self, atIndex: 2))
            if let json = try row.decode(String?.self, atIndex: 3) {
                guard case .object(let data)? = try? JSONValue(json: json) else {
                    throw RunFileError.damaged(path: path, reason: "the data of an event are not a JSON object")
                }
                event.data = data
            }
            return event
        }
    }

    /// The notes, in order.
    public func notes() throws(RunFileError) -> [String] {
        try rows("SELECT text FROM note ORDER BY id") { try $0.decode(String.self, atIndex: 0) }
    }

    /// The steps at which there is a checkpoint, in the order of writing.
    public func checkpointSteps() throws(RunFileError) -> [Int] {
        try rows("SELECT step FROM checkpoint ORDER BY id") { try $0.decode(Int.self, atIndex: 0) }
    }

    /// The step of the last checkpoint along the run; nil where there is none.
    public func lastCheckpointStep(before step: Int = .max) throws(RunFileError) -> Int? {
        try rows("SELECT max(step) FROM checkpoint WHERE step <= ?", [step]) { try $0.decode(Int?.self, atIndex: 0) }
            .first ?? nil
    }

    /// The bytes of the last checkpoint written at a step.
    public func checkpoint(step: Int) throws(RunFileError) -> Data {
        let missing = RunFileError.missing(path: url.path, what: "checkpoint of step \(step)")
        if version < 3 {
            let found = try rows("SELECT bytes FROM checkpoint WHERE step = ? ORDER BY id DESC LIMIT 1", [step]) {
                try $0.decode(Data.self, atIndex: 0)
            }
            guard let bytes = found.first else { throw missing }
            return bytes
        }
        let sizes = try rows("SELECT size FROM checkpoint WHERE step = ?", [step]) {
            try $0.decode(Int.self, atIndex: 0)
        }
        guard let size = sizes.first else { throw missing }
        // A file says what it likes of itself: what is there is what counts.
        let path = url.path
        var bytes = Data()
        _ = try rows(
            """
            SELECT checkpoint_part.bytes, checkpoint_part.part FROM checkpoint_part
            JOIN checkpoint ON checkpoint.id = checkpoint_part.checkpoint WHERE checkpoint.step = ? ORDER BY part
            """, [step]
        ) { row in
            bytes.append(try row.decode(Data.self, atIndex: 0))
            guard bytes.count <= size else {
                throw RunFileError.damaged(path: path, reason: "the checkpoint of step \(step) is longer than it says")
            }
        }
        guard bytes.count == size else {
            throw .damaged(
                path: path, reason: "the checkpoint of step \(step) has \(bytes.count) of its \(size) bytes")
        }
        return bytes
    }

    /// The names of the figures.
    public func figureNames() throws(RunFileError) -> [String] {
        try rows("SELECT name FROM figure WHERE mime != ? ORDER BY id", [RunData.mediaType]) {
            try $0.decode(String.self, atIndex: 0)
        }
    }

    public func figure(_ name: String) throws(RunFileError) -> RunFigure {
        let found = try rows("SELECT name, mime, bytes FROM figure WHERE name = ?", [name]) { row in
            RunFigure(
                name: try row.decode(String.self, atIndex: 0), mime: try row.decode(String.self, atIndex: 1),
                bytes: try row.decode(Data.self, atIndex: 2))
        }
        guard let figure = found.first else { throw .missing(path: url.path, what: "figure '\(name)'") }
        return figure
    }

    func rows<Value>(
        _ sql: String, _ arguments: StatementArguments = [], _ decode: (Row) throws -> Value
    ) throws(RunFileError) -> [Value] {
        try read { db in
            var values: [Value] = []
            try self.each(db, sql, arguments) { values.append(try decode($0)) }
            return values
        }
    }

    /// Calls with each row of a statement, as many as the file can have; only within ``read(_:)``.
    func each(
        _ db: Database, _ sql: String, _ arguments: StatementArguments, _ body: (Row) throws -> Void
    ) throws {
        limit.renewForSameSize()
        let statement = try db.cachedStatement(sql: sql)
        let cursor = try Row.fetchCursor(statement, arguments: arguments)
        while let row = try cursor.next() {
            try limit.count(statement)
            try body(row)
        }
    }

    /// Several statements that see one state of the file.
    func read<Value>(_ body: (Database) throws -> Value) throws(RunFileError) -> Value {
        try Self.read(queue, limit, url.path, body)
    }

    private static func read<Value>(
        _ queue: DatabaseQueue, _ limit: ReadingLimit, _ path: String, _ body: (Database) throws -> Value
    ) throws(RunFileError) -> Value {
        do {
            return try queue.read { db in
                limit.renew()
                return try body(db)
            }
        } catch {
            throw RunFileError.reading(path, error)
        }
    }
}
