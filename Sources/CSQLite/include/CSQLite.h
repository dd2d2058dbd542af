#ifndef CSQLITE_H
#define CSQLITE_H

/// Puts an SQLite connection (`sqlite3 *`) into defensive mode: SQL can then no longer write to the schema table,
/// to shadow tables or to the file behind SQLite's back. `sqlite3_db_config` is variadic, which Swift cannot call.
/// Returns an SQLite result code, 0 when done.
int eoss_sqlite_defend(void *connection);

/// Reads the first `count` bytes of the main database's file into `bytes`, zeros where the file is shorter, without a lock.
/// It goes by way of the connection because closing a descriptor of one's own would drop all locks that this process
/// has on the file (POSIX). Returns an SQLite result code, 0 when done.
int eoss_sqlite_read_start(void *connection, void *bytes, int count);

/// The version of the compiler that built this program, in its own words.
const char *eoss_compiler_version(void);

#endif
