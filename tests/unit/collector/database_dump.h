/* What a database holds, as text. */
#pragma once

#include "lib/buf.h"
#include "lib/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* The first column of each row. */
static inline void database_add_rows(struct db *db, struct buf *text, const char *sql)
{
    struct db_stmt *rows = db_prepare(db, sql);
    struct error err;
    for (bool has_row;;) {
        if (db_step(rows, &has_row, &err) != ST_OK)
            fail_msg("%s", err.text);
        if (!has_row)
            break;
        struct span row = db_text(rows, 0);
        buf_add(text, row.at, row.len);
        buf_add_char(text, '\n');
    }
    db_finish(rows);
}

/* Every row of every table, the caches too. The caller frees it. */
static inline char *database_dump(struct db *db)
{
    struct buf queries = {0}, all = {0};
    database_add_rows(db, &queries,
        "SELECT 'SELECT ' || (SELECT group_concat('quote(' || name || ')', '||''|''||')"
        " FROM pragma_table_info(t.name)) || ' FROM ' || t.name || ' ORDER BY 1' FROM sqlite_master t"
        " WHERE t.type = 'table' ORDER BY t.name");
    buf_add_char(&queries, '\0');
    char *rest = queries.data, *query;
    while ((query = strsep(&rest, "\n")) != NULL)
        if (query[0] != '\0') {
            buf_add_str(&all, query);
            buf_add_char(&all, '\n');
            database_add_rows(db, &all, query);
        }
    buf_release(&queries);
    return buf_take(&all);
}
