import Foundation
import GRDB

/// The spill file that a process left beside a run file when it ended while another program had a lock on that.
extension RunFileInspection {
    /// Brings it into its run file, if nobody writes to it any more. Returns why it stays, where it does; reading the file
    /// goes on without it then.
    static func bringInSpill(of path: String, _ queue: DatabaseQueue, _ version: Int32) -> String? {
        let spillPath = RunFileSpill.path(of: path)
        var status = stat()
        // A process killed while it made the spill file leaves an empty one.
        guard lstat(spillPath, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else { return nil }
        do {
            let uuid = try queue.read { db in try String.fetchOne(db, sql: "SELECT uuid FROM run") }
            let spill = try openSpill(spillPath, uuid: uuid, version)
            do {
                let file = try DatabaseQueue(path: path, configuration: guarded(patience: 1))
                try file.writeWithoutTransaction { db in
                    try db.inTransaction(.exclusive) {
                        try RunFileSpill.copy(from: spill, to: db)
                        return .commit
                    }
                }
                try file.close()
            } catch {
                throw RunFileError.reading(path, error)
            }
            RunFileSpill.remove(spillPath)
            try spill.close()
            return nil
        } catch {
            return "measurements are still in '\(spillPath)': \(words(for: error))"
        }
    }

    /// Opens and locks the spill file, which is checked as any file of a stranger's.
    private static func openSpill(_ path: String, uuid: String?, _ version: Int32) throws(RunFileError) -> DatabaseQueue
    {
        if journalNamesAnother(path + "-journal") {
            throw .damaged(path: path, reason: "the journal beside it is not one that eoss makes")
        }
        do {
            let spill = try DatabaseQueue(path: path, configuration: guarded(ReadingLimit(path: path), patience: 0.1))
            try spill.writeWithoutTransaction { db in
                try HeaderBytes().check(db, path: path)
                try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT")
                guard try checkSchema(db, path: path) == version,
                    try String.fetchOne(db, sql: "SELECT uuid FROM run") == uuid
                else { throw RunFileError.notARunFile(path: path, reason: "it belongs to another run") }
            }
            return spill
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            throw .cannotRead(path: path, reason: "the process that measures still writes to it")
        } catch {
            throw RunFileError.reading(path, error)
        }
    }
}
