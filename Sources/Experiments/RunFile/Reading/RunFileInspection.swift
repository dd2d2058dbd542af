import CSQLite
import Foundation
import GRDB
import Synchronization

/// Opening a file that may come from a stranger: it is read as data, never trusted, never changed but for two cases, both
/// left by a process of ours that was killed: a commit half done, and a spill file.
enum RunFileInspection {
    /// A run file that is open.
    struct Opened {
        /// The connection, which reads only.
        let queue: DatabaseQueue
        /// The version of the file's schema.
        let version: Int32
        /// What ends the reading of a hostile file.
        let limit: ReadingLimit
        /// Why measurements that belong to the file are still in its spill file; nil where there is none.
        let spillLeft: String?
    }

    static func open(_ path: String, patience: Double) throws(RunFileError) -> Opened {
        let limit = ReadingLimit(path: path)
        let (queue, version) = try openFile(path, limit, patience)
        return Opened(
            queue: queue, version: version, limit: limit, spillLeft: bringInSpill(of: path, queue, version))
    }

    private static func openFile(
        _ path: String, _ limit: ReadingLimit, _ patience: Double
    ) throws(RunFileError) -> (queue: DatabaseQueue, version: Int32) {
        try checkKind(path)
        let header = HeaderBytes()
        do {
            return try openReadOnly(path, header, limit, patience)
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_READONLY_ROLLBACK {
            try rollBack(path)
        } catch {
            throw failure(path, error, header)
        }
        do {
            return try openReadOnly(path, header, limit, patience)
        } catch {
            throw failure(path, error, header)
        }
    }

    private static func openReadOnly(
        _ path: String, _ header: HeaderBytes, _ limit: ReadingLimit, _ patience: Double
    ) throws -> (queue: DatabaseQueue, version: Int32) {
        var configuration = guarded(limit, patience: patience)
        configuration.readonly = true
        configuration.prepareDatabase { db in try header.check(db, path: path) }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        let version = try queue.read { db in
            let version = try checkSchema(db, path: path)
            // Nobody writes now: the header and the length of the file belong together.
            try header.check(db, path: path)
            if let missing = header.missingBytes(path) { throw cutOff(path, missing) }
            return version
        }
        return (queue, version)
    }

    /// A connection on which a hostile schema can do nothing: it calls no function, writes no page by SQL, and a cell that
    /// points outside of its page is an error.
    /// - Parameter limit: of a connection that reads; the configuration, and so the connection, holds it.
    static func guarded(_ limit: ReadingLimit? = nil, patience: Double = 5) -> Configuration {
        var configuration = Configuration()
        configuration.label = "eoss run file reader"
        configuration.busyMode = .timeout(patience)
        configuration.prepareDatabase { db in
            limit?.renew()
            limit?.install(on: db)
            let code = eoss_sqlite_defend(UnsafeMutableRawPointer(db.sqliteConnection))
            guard code == ResultCode.SQLITE_OK.rawValue else {
                throw DatabaseError(resultCode: ResultCode(rawValue: code))
            }
            try db.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0")
        }
        return configuration
    }

    // MARK: - Before SQLite reads it

    private static func checkKind(_ path: String) throws(RunFileError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw .cannotRead(path: path, reason: String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .cannotRead(
                path: path, reason: status.st_mode & S_IFMT == S_IFDIR ? "it is a folder" : "it is no file")
        }
        guard status.st_size > 0 else {
            throw .notARunFile(
                path: path, reason: "it is empty; a run killed before its first commit leaves such a file")
        }
    }

    /// The first 100 bytes of the file, by which to tell apart what SQLite would call "file is not a database".
    final class HeaderBytes: Sendable {
        private static let magic = Array("SQLite format 3\0".utf8)
        private let bytes = Mutex([UInt8](repeating: 0, count: 100))

        /// Reads the header and checks what it says of the kind of file.
        func check(_ db: Database, path: String) throws {
            var read = [UInt8](repeating: 0, count: 100)
            let code = eoss_sqlite_read_start(UnsafeMutableRawPointer(db.sqliteConnection), &read, 100)
            guard code == ResultCode.SQLITE_OK.rawValue else {
                throw DatabaseError(resultCode: ResultCode(rawValue: code))
            }
            bytes.withLock { $0 = read }
            guard read.starts(with: Self.magic) else {
                throw RunFileError.notARunFile(path: path, reason: "it is not an SQLite database")
            }
            guard fileSize(path) >= 100 else {
                throw RunFileError.damaged(path: path, reason: "it is cut off in its header")
            }
            // Bytes 18 and 19 are 2 in a file that wants a write-ahead log beside it; ours have a rollback journal.
            guard read[18] == 1, read[19] == 1 else {
                throw RunFileError.notARunFile(path: path, reason: "it is an SQLite database with a write-ahead log")
            }
        }

        /// How much shorter the file is than its header says; nil when it is not.
        func missingBytes(_ path: String) -> Int? {
            let header = bytes.withLock { $0 }
            func number(_ range: Range<Int>) -> Int { header[range].reduce(0) { $0 << 8 | Int($1) } }
            let pageSize = number(16..<18) == 1 ? 65536 : number(16..<18)
            let missing = number(28..<32) * pageSize - fileSize(path)
            return missing > 0 ? missing : nil
        }
    }

    private static func fileSize(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    // MARK: - What SQLite sees

    /// Compares the schema with that of the version which the file says it has.
    static func checkSchema(_ db: Database, path: String) throws -> Int32 {
        let application = try Int32.fetchOne(db, sql: "PRAGMA application_id")
        guard application == RunSchema.applicationID else {
            throw RunFileError.notARunFile(path: path, reason: "it is an SQLite database of another program")
        }
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        guard version <= RunSchema.version else {
            throw RunFileError.newerFormat(path: path, version: version, ours: Int(RunSchema.version))
        }
        guard version >= 1, let version = Int32(exactly: version) else {
            throw RunFileError.notARunFile(path: path, reason: "its format is number \(version)")
        }
        var ours = RunSchema.objectsByName[Int(version) - 1]
        // `sqlite_autoindex_…`, made for UNIQUE columns, stand there without a statement.
        let rows = try Row.fetchCursor(db, sql: "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
        while let row = try rows.next() {
            let name = try row.decode(String.self, atIndex: 1)
            guard let expected = ours.removeValue(forKey: name) else {
                throw RunFileError.notARunFile(path: path, reason: "it has a table '\(name)' that eoss does not make")
            }
            guard try row.decode(String.self, atIndex: 0) == expected.type,
                try row.decode(String.self, atIndex: 2) == expected.sql
            else {
                throw RunFileError.notARunFile(path: path, reason: "its table '\(name)' is not the one that eoss makes")
            }
        }
        if let missing = ours.keys.min() {
            throw RunFileError.notARunFile(path: path, reason: "it has no table '\(missing)'")
        }
        return version
    }

    private static func failure(_ path: String, _ error: any Error, _ header: HeaderBytes) -> RunFileError {
        let failure = RunFileError.reading(path, error)
        guard error is DatabaseError, case .damaged = failure, let missing = header.missingBytes(path) else {
            return failure
        }
        return cutOff(path, missing)
    }

    private static func cutOff(_ path: String, _ missing: Int) -> RunFileError {
        .damaged(path: path, reason: "it is cut off, \(missing) bytes are missing")
    }

    // MARK: - The commit that was cut off

    /// A process killed in the middle of a commit leaves a journal, from which SQLite restores the file at the next opening
    /// for writing. That is done here, and only for a journal that concerns this file alone: one that names a
    /// super-journal could have SQLite delete a file of that name.
    private static func rollBack(_ path: String) throws(RunFileError) {
        if journalNamesAnother(path + "-journal") {
            throw .damaged(path: path, reason: "the journal beside it is not one that eoss makes")
        }
        do {
            let queue = try DatabaseQueue(path: path, configuration: guarded())
            try queue.read { db in _ = try Int.fetchOne(db, sql: "PRAGMA schema_version") }
            try queue.close()
        } catch {
            throw RunFileError.reading(path, error)
        }
    }

    /// Whether a journal ends with the mark that stands behind the name of a super-journal.
    static func journalNamesAnother(_ journal: String) -> Bool {
        let mark: [UInt8] = [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7]
        let descriptor = Foundation.open(journal, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var last = [UInt8](repeating: 0, count: mark.count)
        return pread(descriptor, &last, mark.count, fileSize(journal) - mark.count) == mark.count && last == mark
    }
}
