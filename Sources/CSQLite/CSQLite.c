#include "CSQLite.h"

#include <sqlite3.h>
#include <stddef.h>

int eoss_sqlite_defend(void *connection) {
    return sqlite3_db_config((sqlite3 *)connection, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
}

int eoss_sqlite_read_start(void *connection, void *bytes, int count) {
    sqlite3_file *file = NULL;
    int code = sqlite3_file_control((sqlite3 *)connection, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code != SQLITE_OK) return code;
    if (file == NULL || file->pMethods == NULL) return SQLITE_CANTOPEN;
    code = file->pMethods->xRead(file, bytes, count, 0);
    return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
}

const char *eoss_compiler_version(void) { return __VERSION__; }
