#ifndef CSQLITE_H
#define CSQLITE_H

#include <stdint.h>

/// Puts an SQLite connection (`sqlite3 *`) into defensive mode: SQL can then no longer write to the schema table,
/// to shadow tables or to the file behind SQLite's back. `sqlite3_db_config` is variadic, which Swift cannot call.
/// Returns an SQLite result code, 0 when done.
int eoss_sqlite_defend(void *connection);

/// Reads the first `count` bytes of the main database's file into `bytes`, zeros where the file is shorter, without a lock.
/// It goes by way of the connection because closing a descriptor of one's own would drop all locks that this process
/// has on the file (POSIX). Returns an SQLite result code, 0 when done.
int eoss_sqlite_read_start(void *connection, void *bytes, int count);

/// Has SQLite count down `left` by the instructions of its machine, about every thousand of them, and end a statement with
/// SQLITE_INTERRUPT once it is below 0. `left` must live as long as the connection.
void eoss_sqlite_limit_work(void *connection, int64_t *left);

/// How many bytes of its file the present row of a statement (`sqlite3_stmt *`) takes at least.
int64_t eoss_sqlite_row_size(void *statement);

/// The version of the compiler that built this program, in its own words.
const char *eoss_compiler_version(void);

#endif
