import Foundation
import GRDB

/// The databases of one run on the disk: its file and, while another program holds a lock on that, a spill file beside it.
///
/// Used on the writer's thread alone once it is made. A connection is opened when it is needed, and closed when others
/// need theirs more (``RunFileConnections``).
final class RunFileStore {
    /// Where the last batch went.
    enum Outcome {
        case written
        /// Another program has a lock on the file: everything that is not in the file stands in the spill file.
        case spilled
    }

    let path: String
    var spillPath: String { RunFileSpill.path(of: path) }

    private let name: String
    private let given: String
    private let header: RunHeader
    private let patience: Double
    /// An end for what walks over the tables of a file that was there before, which may come from a stranger.
    private let limit: ReadingLimit?
    private var file: DatabaseQueue?
    /// Open, and locked, as long as it holds what the file does not: so another process sees that this one lives.
    private var spill: DatabaseQueue?
    private var last = RunFileDatabase.LastRows()

    /// Fills the empty file at `path` with the schema and the header.
    /// - Parameter given: the name that was asked for.
    init(creatingAt path: String, name: String, given: String, header: RunHeader, patience: Double) throws {
        (self.path, self.name, self.given, self.header, self.patience) = (path, name, given, header, patience)
        limit = nil
        let queue = try DatabaseQueue(path: path, configuration: RunFileDatabase.configuration(patience: patience))
        defer { try? queue.close() }
        try RunFileDatabase.create(in: queue, name: name, given: given, header: header)
    }

    /// Takes a file that is there, of this version of the schema.
    init(reopening reader: RunFileReader, header: RunHeader, patience: Double) throws {
        (path, name, given) = (reader.url.path, reader.name, reader.givenName)
        (self.header, self.patience) = (header, patience)
        let limit = ReadingLimit(path: path)
        self.limit = limit
        let queue = try DatabaseQueue(
            path: path, configuration: RunFileDatabase.configuration(patience: 5, limit: limit))
        defer { try? queue.close() }
        last = try queue.writeWithoutTransaction { db in
            try db.inTransaction(.exclusive) {
                try RunFileDatabase.reopen(db)
                return .commit
            }
            return try RunFileDatabase.lastRows(db)
        }
    }

    /// Writes a batch in one transaction, into the file or, where that is locked, into the spill file; `closing`, with the
    /// hour of the end.
    /// - Parameter isNews: whether the status itself is a reason to write.
    func write(
        _ batch: RunFileBatch, _ status: RunFileWriter.Status, isNews: Bool, closing: Bool
    ) throws -> Outcome {
        do {
            try bringInSpill(waiting: 0.05)
            if batch.isEmpty && !closing && !isNews { return .written }
            var last = self.last
            try transaction(waiting: patience) { db in
                try RunFileDatabase.insert(batch, into: db, &last)
                try RunFileDatabase.note(status, in: db)
                if closing { try RunFileDatabase.close(db) }
            }
            self.last = last
            return .written
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            try addToSpill(batch, status, closing: closing)
            return .spilled
        } catch {
            // What can be mended from outside, such as a file put back in its place, is found by opening it again.
            close()
            throw error
        }
    }

    /// The last step that each series has, by its number.
    var lastSteps: [Int: Int] { last.tails.mapValues { max($0.lastPacked, $0.lastRow) } }

    /// Removes what lies behind a step. The file must be free: a spill file has no place for what is not to be.
    func cut(after step: Int) throws {
        try bringInSpill(waiting: patience)
        try transaction(waiting: patience) { db in
            limit?.renew()
            try RunFileDatabase.cut(after: step, in: db)
        }
        last.tails = try (file ?? open()).writeWithoutTransaction { db in
            limit?.renew()
            return try RunFileDatabase.tails(db)
        }
    }

    private func bringInSpill(waiting seconds: Double) throws {
        guard let spill else { return }
        try transaction(waiting: seconds) { db in try RunFileSpill.copy(from: spill, to: db) }
        try removeSpill()
    }

    /// Notes that the process lives, unless another program has a lock on the file: that is no reason for a spill file.
    func noteHeartbeat(_ status: RunFileWriter.Status) {
        guard spill == nil else { return }
        try? transaction(waiting: 0) { db in try RunFileDatabase.note(status, in: db) }
    }

    /// Lets the connection to the file go; the next batch opens another.
    func close() {
        // Everything is on the disk by now: if SQLite will not let go of the file, the queue's deinit makes it.
        try? file?.close()
        file = nil
        RunFileConnections.shared.remove(self)
    }

    /// A transaction that has the file for itself from its beginning, so that no work is done that a reader's lock then undoes.
    private func transaction(waiting seconds: Double, _ body: (Database) throws -> Void) throws {
        let queue = try file ?? open()
        RunFileConnections.shared.use(self)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA busy_timeout = \(Int(seconds * 1000))")
            // Rows that go in walk down a tree and no further.
            limit?.lift()
            try db.inTransaction(.exclusive) {
                try body(db)
                return .commit
            }
        }
    }

    private func open() throws -> DatabaseQueue {
        var status = stat()
        guard stat(path, &status) == 0, status.st_size > 0 else {
            throw RunFileError.cannotWrite(path: path, reason: "it was moved or deleted; put it back")
        }
        let queue = try DatabaseQueue(
            path: path, configuration: RunFileDatabase.configuration(patience: patience, limit: limit))
        let uuid = try queue.writeWithoutTransaction { db in try String.fetchOne(db, sql: "SELECT uuid FROM run") }
        guard uuid == header.uuid.uuidString else {
            throw RunFileError.cannotWrite(path: path, reason: "another file has taken its place; put it back")
        }
        file = queue
        return queue
    }

    // MARK: - The spill file

    private func addToSpill(_ batch: RunFileBatch, _ status: RunFileWriter.Status, closing: Bool) throws {
        do {
            let queue = try spill ?? makeSpill()
            var last = self.last
            try queue.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    try RunFileDatabase.insert(batch, into: db, &last)
                    try RunFileDatabase.note(status, in: db)
                    if closing { try RunFileDatabase.close(db) }
                    return .commit
                }
            }
            self.last = last
        } catch {
            throw RunFileError.writing(spillPath, error)
        }
    }

    private func makeSpill() throws -> DatabaseQueue {
        let descriptor = Foundation.open(spillPath, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw RunFileError.failedOpening(spillPath, errno)
        }
        Foundation.close(descriptor)
        do {
            let queue = try DatabaseQueue(
                path: spillPath, configuration: RunFileDatabase.configuration(patience: patience))
            try queue.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE") }
            try RunFileDatabase.create(in: queue, name: name, given: given, header: header)
            spill = queue
            return queue
        } catch {
            RunFileSpill.remove(spillPath)
            throw error
        }
    }

    private func removeSpill() throws {
        guard RunFileSpill.remove(spillPath) else {
            throw RunFileError.cannotWrite(
                path: spillPath, reason: "it cannot be removed: \(String(cString: strerror(errno)))")
        }
        try? spill?.close()
        spill = nil
    }
}

/// The connections to run files that are open, the one used last at the end: as many as the limit of open files has room
/// for. Used on the writer's thread alone.
final class RunFileConnections: @unchecked Sendable {
    static let shared = RunFileConnections()

    private var open: [RunFileStore] = []

    /// A connection, with the journal of its transaction, is three descriptors at most; an eighth of the limit leaves most
    /// of it to others. 64 connections are never the slow part of a commit.
    private var capacity: Int { max(2, min(64, Self.descriptorLimit / 8)) }

    /// Notes that a store used its connection, and closes those used longest ago where there are too many.
    func use(_ store: RunFileStore) {
        if open.last === store { return }
        open.removeAll { $0 === store }
        open.append(store)
        while open.count > capacity, let oldest = open.first { oldest.close() }
    }

    func remove(_ store: RunFileStore) { open.removeAll { $0 === store } }

    private static var descriptorLimit: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 256 }
        return Int(clamping: limit.rlim_cur)
    }
}
