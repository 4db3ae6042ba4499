#include "collector/store/repost.h"

#include "collector/ledger/boundary.h"
#include "lib/text.h"

static int64_t clamp(int64_t time_ms)
{
    return time_ms < REPOST_BEGIN_MS ? REPOST_BEGIN_MS : time_ms > REPOST_END_MS ? REPOST_END_MS : time_ms;
}

enum status repost_next(struct db *db, struct repost *ret, struct error *err)
{
    struct db_stmt *next = db_keep(db, "SELECT id, meter, from_ms, until_ms FROM repost ORDER BY id LIMIT 1");
    bool has_row;
    *ret = (struct repost){0};
    enum status status = db_step(next, &has_row, err);
    if (status == ST_OK && has_row) {
        *ret =
            (struct repost){.id = db_int(next, 0), .from_ms = db_int(next, 2), .until_ms = db_int(next, 3)};
        text_copy(ret->meter, sizeof ret->meter, db_text(next, 1));
    }
    db_reset(next);
    return status;
}

/* A new row rather than a longer one: what is posted of the former does not settle it. */
enum status repost_add(struct db *db, struct span meter, int64_t from_ms, int64_t until_ms, struct error *err)
{
    if (from_ms >= until_ms)
        return ST_OK;
    from_ms = clamp(from_ms) / BOUNDARY_MS * BOUNDARY_MS;
    until_ms = (clamp(until_ms) + BOUNDARY_MS - 1) / BOUNDARY_MS * BOUNDARY_MS;
    struct db_stmt *take =
        db_keep(db, "DELETE FROM repost WHERE meter = ?1 RETURNING min(from_ms, ?2), max(until_ms, ?3)");
    db_bind_text(take, 1, meter);
    db_bind_int(take, 2, from_ms);
    db_bind_int(take, 3, until_ms);
    bool has_row;
    enum status status = db_step(take, &has_row, err);
    if (status == ST_OK && has_row) {
        from_ms = db_int(take, 0);
        until_ms = db_int(take, 1);
    }
    db_reset(take);
    struct db_stmt *add = db_keep(db, "INSERT INTO repost(meter, from_ms, until_ms) VALUES(?1, ?2, ?3)");
    db_bind_text(add, 1, meter);
    db_bind_int(add, 2, from_ms);
    db_bind_int(add, 3, until_ms);
    return status == ST_OK ? db_run(add, err) : status;
}

enum status repost_add_all(struct db *db, struct error *err)
{
    enum status status = db_run(db_keep(db, "DELETE FROM repost"), err);
    struct db_stmt *add =
        db_keep(db, "INSERT INTO repost(meter, from_ms, until_ms) SELECT name, ?1, ?2 FROM ledger_meter");
    db_bind_int(add, 1, REPOST_BEGIN_MS);
    db_bind_int(add, 2, REPOST_END_MS);
    return status == ST_OK ? db_run(add, err) : status;
}

enum status repost_settle(struct db *db, int64_t id, int64_t done_ms, struct error *err)
{
    struct db_stmt *shorten =
        db_keep(db, "UPDATE repost SET from_ms = max(from_ms, ?2) WHERE id = ?1 AND until_ms > ?2");
    struct db_stmt *end = db_keep(db, "DELETE FROM repost WHERE id = ?1 AND until_ms <= ?2");
    struct db_stmt *const both[] = {shorten, end};
    enum status status = ST_OK;
    for (size_t i = 0; i < 2 && status == ST_OK; i++) {
        db_bind_int(both[i], 1, id);
        db_bind_int(both[i], 2, done_ms);
        status = db_run(both[i], err);
    }
    return status;
}
