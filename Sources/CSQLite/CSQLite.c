#include "CSQLite.h"

#include <sqlite3.h>
#include <stddef.h>

int eoss_sqlite_defend(void *connection) {
    return sqlite3_db_config((sqlite3 *)connection, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
}

const char *eoss_compiler_version(void) { return __VERSION__; }
