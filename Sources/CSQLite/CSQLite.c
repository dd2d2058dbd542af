#include "CSQLite.h"

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

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

static int is_used_up(void *left) {
    *(int64_t *)left -= 1000;
    return *(int64_t *)left < 0;
}

void eoss_sqlite_limit_work(void *connection, int64_t *left) {
    sqlite3_progress_handler((sqlite3 *)connection, 1000, is_used_up, left);
}

int64_t eoss_sqlite_row_size(void *statement) {
    sqlite3_stmt *row = (sqlite3_stmt *)statement;
    // A cell's place, its length, its key, the length of its header.
    int64_t size = 5;
    for (int i = 0; i < sqlite3_data_count(row); i++) {
        int type = sqlite3_column_type(row, i);
        if (type == SQLITE_TEXT || type == SQLITE_BLOB) size += sqlite3_column_bytes(row, i);
    }
    return size;
}
