#include "collector/store/outbox.h"

enum status outbox_put(
    struct db *db, struct span series, int64_t time_ms, struct span line, struct error *err)
{
    /* Not INSERT OR REPLACE: what it removes no trigger sees, and outbox_size would go wrong. */
    struct db_stmt *remove = db_keep(db, "DELETE FROM outbox WHERE series = ? AND time_ms = ?");
    db_bind_text(remove, 1, series);
    db_bind_int(remove, 2, time_ms);
    enum status status = db_run(remove, err);
    if (status != ST_OK)
        return status;
    struct db_stmt *add = db_keep(db, "INSERT INTO outbox(series, time_ms, line) VALUES(?, ?, ?)");
    db_bind_text(add, 1, series);
    db_bind_int(add, 2, time_ms);
    db_bind_text(add, 3, line);
    return db_run(add, err);
}

enum status outbox_bytes(struct db *db, int64_t *ret, struct error *err)
{
    struct db_stmt *size = db_keep(db, "SELECT bytes FROM outbox_size");
    bool has_row;
    enum status status = db_step(size, &has_row, err);
    if (status != ST_OK)
        return status;
    *ret = has_row ? db_int(size, 0) : 0;
    db_reset(size);
    return ST_OK;
}
