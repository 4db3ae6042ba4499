#include "lib/cursor.h"

enum status cursor_read(struct db *db, const char *name, int64_t *ret, struct error *err)
{
    struct db_stmt *read = db_keep(db, "SELECT position FROM cursor WHERE name = ?1");
    db_bind_text(read, 1, span_of(name));
    bool has_row;
    enum status status = db_step(read, &has_row, err);
    if (status == ST_OK)
        *ret = has_row ? db_int(read, 0) : 0;
    db_reset(read);
    return status;
}

enum status cursor_move(struct db *db, const char *name, int64_t position, struct error *err)
{
    struct db_stmt *move = db_keep(db, "UPDATE cursor SET position = ?2 WHERE name = ?1");
    db_bind_text(move, 1, span_of(name));
    db_bind_int(move, 2, position);
    return db_run(move, err);
}
