import CSQLite
import Foundation
import GRDB

/// An end for every reading of a file that may come from a stranger.
///
/// Pages of a b-tree name other pages. In a hostile file they may name one another in circles, or one page a hundred times at each of
/// twenty levels, so that a walk gives more rows than there are atoms. So what rows hold is summed up: a file gives no more bytes
/// than it has. And what SQLite does between two rows, or in a sum over rows, has a number of its instructions as its limit.
final class ReadingLimit: @unchecked Sendable {
    // @unchecked: used on the connection's queue alone, once that is open.

    static let reason = "its pages lead in circles: reading it gives more than it can hold"

    private let path: String
    private let instructions = UnsafeMutablePointer<Int64>.allocate(capacity: 1)
    private var size = 0
    private var bytesLeft = 0

    init(path: String) {
        self.path = path
        renew()
    }

    deinit { instructions.deallocate() }

    /// Sets the limit of a connection, which it must outlive.
    func install(on db: Database) {
        eoss_sqlite_limit_work(UnsafeMutableRawPointer(db.sqliteConnection), instructions)
    }

    /// Begins anew, for one walk over the tables.
    ///
    /// A row of ours takes nine bytes of the file or more, and SQLite fewer than seventy instructions, with its part of an index.
    func renew() {
        size = fileSize
        renewForSameSize()
    }

    /// The same within a transaction, while which the file cannot grow.
    func renewForSameSize() {
        bytesLeft = size
        instructions.pointee = 1_000_000 + Int64(8 * min(size, 1 << 56))
    }

    /// For work whose length does not hang on what the pages say.
    func lift() { instructions.pointee = .max }

    private var fileSize: Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(clamping: status.st_size) : 0
    }

    /// Counts a row.
    /// - Throws: `RunFileError.damaged` where all of them would take more bytes than the file has.
    func count(_ statement: Statement) throws {
        bytesLeft -= Int(eoss_sqlite_row_size(UnsafeMutableRawPointer(statement.sqliteStatement)))
        if bytesLeft >= 0 { return }
        // It may have grown before the first row was read.
        let now = fileSize
        bytesLeft += now - size
        size = now
        guard bytesLeft >= 0 else { throw RunFileError.damaged(path: path, reason: Self.reason) }
    }
}
