import Foundation
import GRDB

/// The spill file of a run file: what was measured while another program held a lock on that. It is a run file itself, with
/// the same schema and header, and its rows have the numbers that they are to have in the file: bringing one in twice, as
/// after a crash between the commit and its removal, changes nothing.
enum RunFileSpill {
    static func path(of file: String) -> String { file + "-spill" }

    /// Copies everything of a spill file into its run file, within a transaction on the latter.
    static func copy(from spill: DatabaseQueue, to file: Database) throws {
        try spill.read { (spill: Database) throws -> Void in
            let version = try Int.fetchOne(file, sql: "PRAGMA user_version") ?? 0
            try copy("series", "*", orElse: "IGNORE", from: spill, to: file)
            if version >= 3 {
                // An open chunk has grown since.
                try copy("chunk", "*", orElse: "REPLACE", from: spill, to: file)
                // What is measured again takes the place of what was there, with its lists.
                var last = RunFileDatabase.LastRows(tails: try RunFileDatabase.tails(file))
                let again = try Row.fetchCursor(spill, sql: "SELECT series, step FROM measurement")
                while let row = try again.next() {
                    try RunFileDatabase.clear(
                        row.decode(Int.self, atIndex: 0), at: row.decode(Int.self, atIndex: 1), in: file, &last)
                }
            }
            try copy("measurement", "*", orElse: version >= 3 ? "REPLACE" : "IGNORE", from: spill, to: file)
            for table in ["event", "checkpoint", "note"] + (version >= 2 ? ["array"] : []) {
                try copy(table, "*", orElse: "IGNORE", from: spill, to: file)
            }
            if version >= 3 {
                try copy("checkpoint_part", "*", orElse: "IGNORE", from: spill, to: file)
                if let status = try Row.fetchOne(spill, sql: "SELECT state, step, alert, heartbeat FROM run") {
                    try file.execute(
                        sql: "UPDATE run SET state = ?, step = ?, alert = ?, heartbeat = ?",
                        arguments: StatementArguments(status.databaseValues))
                }
            }
            // Of these the last one of a name holds.
            try copy("parameters", "id, json", orElse: "REPLACE", from: spill, to: file)
            try copy("script", "path, sha256, source", orElse: "REPLACE", from: spill, to: file)
            try copy("figure", "name, mime, created, bytes", orElse: "REPLACE", from: spill, to: file)
            if let closed = try String.fetchOne(spill, sql: "SELECT closed FROM run") {
                try file.execute(sql: "UPDATE run SET closed = ?", arguments: [closed])
            }
        }
    }

    private static func copy(
        _ table: String, _ columns: String, orElse resolution: String, from spill: Database, to file: Database
    ) throws {
        let rows = try Row.fetchCursor(spill, sql: "SELECT \(columns) FROM \(table) ORDER BY rowid")
        var insert: Statement?
        while let row = try rows.next() {
            let statement: Statement
            if let insert {
                statement = insert
            } else {
                let names = columns == "*" ? "" : "(\(columns)) "
                let marks = repeatElement("?", count: row.count).joined(separator: ", ")
                statement = try file.makeStatement(
                    sql: "INSERT OR \(resolution) INTO \(table) \(names)VALUES (\(marks))")
                insert = statement
            }
            try statement.execute(arguments: StatementArguments(row.databaseValues))
        }
    }

    /// Removes a spill file with its journal. False, with the reason in `errno`, where it stays.
    @discardableResult
    static func remove(_ path: String) -> Bool {
        let isGone = unlink(path) == 0 || errno == ENOENT
        if isGone { unlink(path + "-journal") }
        return isGone
    }
}
