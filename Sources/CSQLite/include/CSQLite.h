#ifndef CSQLITE_H
#define CSQLITE_H

/// Puts an SQLite connection (`sqlite3 *`) into defensive mode: SQL can then no longer write to the schema table,
/// to shadow tables or to the file behind SQLite's back. `sqlite3_db_config` is variadic, which Swift cannot call.
/// Returns an SQLite result code, 0 when done.
int eoss_sqlite_defend(void *connection);

/// The version of the compiler that built this program, in its own words.
const char *eoss_compiler_version(void);

#endif
