#include "collector/store/outbox.h"

enum status outbox_put(
    struct db *db, struct span series, int64_t time_ms, struct span line, struct error *err)
{
    return outbox_put_over(db, series, time_ms, 0, line, err);
}

enum status outbox_put_over(struct db *db, struct span series, int64_t time_ms, int64_t clears_ms,
    struct span line, struct error *err)
{
    /* Not INSERT OR REPLACE: what it removes no trigger sees, and outbox_size would go wrong. */
    struct db_stmt *remove = db_keep(db, "DELETE FROM outbox WHERE series = ? AND time_ms = ?");
    db_bind_text(remove, 1, series);
    db_bind_int(remove, 2, time_ms);
    enum status status = db_run(remove, err);
    if (status != ST_OK)
        return status;
    struct db_stmt *add =
        db_keep(db, "INSERT INTO outbox(series, time_ms, line, clears_ms) VALUES(?, ?, ?, ?)");
    db_bind_text(add, 1, series);
    db_bind_int(add, 2, time_ms);
    db_bind_text(add, 3, line);
    if (clears_ms > 0)
        db_bind_int(add, 4, clears_ms);
    else
        db_bind_null(add, 4);
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

enum status outbox_mark_sent(struct db *db, int64_t from, int64_t to, int64_t now_ms, struct error *err)
{
    struct db_stmt *mark =
        db_keep(db, "UPDATE outbox SET sent_ms = ? WHERE id > ? AND id <= ? AND sent_ms IS NULL");
    db_bind_int(mark, 1, now_ms);
    db_bind_int(mark, 2, from);
    db_bind_int(mark, 3, to);
    return db_run(mark, err);
}

enum status outbox_remove(struct db *db, int64_t id, struct error *err)
{
    struct db_stmt *remove = db_keep(db, "DELETE FROM outbox WHERE id = ?");
    db_bind_int(remove, 1, id);
    return db_run(remove, err);
}

enum status outbox_let_go(struct db *db, const struct hour *hour, struct error *err)
{
    struct db_stmt *remove = db_keep(db,
        "DELETE FROM outbox INDEXED BY outbox_sent_time WHERE sent_ms IS NOT NULL AND time_ms >= ?1"
        " AND time_ms < ?2 AND substr(series, 1, length(?3) + 1) = ?3 || ','");
    db_bind_int(remove, 1, hour->hour * HOUR_MS);
    db_bind_int(remove, 2, (hour->hour + 1) * HOUR_MS);
    db_bind_text(remove, 3, span_of(hour->measurement));
    return db_run(remove, err);
}

enum status outbox_prune(struct db *db, int64_t before_ms, int64_t limit, struct error *err)
{
#define OLD_ROWS "(SELECT id FROM outbox INDEXED BY outbox_sent WHERE sent_ms < ?1 ORDER BY sent_ms LIMIT ?2)"
    /* So many at least the store holds of their hour. Not a sum: a row may have been written anew since. */
    struct db_stmt *remember =
        db_keep(db, "INSERT INTO hour(measurement, hour, touched, counted)"
                    " SELECT substr(series, 1, instr(series, ',') - 1), time_ms / 3600000, 0, count(*)"
                    " FROM outbox WHERE id IN " OLD_ROWS " GROUP BY 1, 2"
                    " ON CONFLICT DO UPDATE SET counted = max(coalesce(counted, 0), excluded.counted)");
    struct db_stmt *remove = db_keep(db, "DELETE FROM outbox WHERE id IN " OLD_ROWS);
#undef OLD_ROWS
    enum status status = ST_OK;
    struct db_stmt *const both[] = {remember, remove};
    for (size_t i = 0; i < 2 && status == ST_OK; i++) {
        db_bind_int(both[i], 1, before_ms);
        db_bind_int(both[i], 2, limit);
        status = db_run(both[i], err);
    }
    return status;
}
