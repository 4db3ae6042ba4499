#include "collector/instrument/told_private.h"
#include "lib/mem.h"

enum status told_resource_find(
    struct db *db, const char *resource, struct told_resource *ret, struct error *err)
{
    struct db_stmt *find =
        db_keep(db, "SELECT id, is_down, since_ms, heard_ms FROM resource WHERE name = ?1");
    bool has_row;
    *ret = (struct told_resource){.since_ms = TOLD_NONE, .heard_ms = TOLD_NONE};
    db_bind_text(find, 1, span_of(resource));
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && has_row)
        *ret = (struct told_resource){.id = db_int(find, 0),
            .is_down = db_int(find, 1) != 0,
            .since_ms = told_time_of(find, 2),
            .heard_ms = told_time_of(find, 3)};
    db_reset(find);
    return status;
}

enum status told_resource_take_up(
    struct db *db, const char *name, struct told_resource *ret, bool *ret_is_changed, struct error *err)
{
    enum status status = told_resource_find(db, name, ret, err);
    if (status != ST_OK || ret->id != 0)
        return status;
    struct db_stmt *add = db_keep(db, "INSERT INTO resource(name, is_down) VALUES(?1, 0)");
    db_bind_text(add, 1, span_of(name));
    status = db_run(add, err);
    *ret_is_changed = true;
    ret->id = db_last_id(db);
    return status;
}

static enum status save(struct db *db, const struct told_resource *r, struct error *err)
{
    struct db_stmt *change =
        db_keep(db, "UPDATE resource SET is_down = ?2, since_ms = ?3, heard_ms = ?4 WHERE id = ?1");
    db_bind_int(change, 1, r->id);
    db_bind_int(change, 2, r->is_down);
    told_bind_time(change, 3, r->since_ms);
    told_bind_time(change, 4, r->heard_ms);
    return db_run(change, err);
}

static enum status begin_down(
    struct db *db, const struct told_resource *r, enum hours_evidence evidence, struct error *err)
{
    /* Down again at the instant at which it came up: it was down all along. */
    struct db_stmt *add = db_keep(db, "INSERT INTO resource_down VALUES(?1, ?2, NULL, ?3)"
                                      " ON CONFLICT DO UPDATE SET until_ms = NULL");
    db_bind_int(add, 1, r->id);
    db_bind_int(add, 2, r->since_ms);
    db_bind_int(add, 3, evidence);
    return db_run(add, err);
}

static enum status end_down(struct db *db, const struct told_resource *r, struct error *err)
{
    struct db_stmt *end =
        db_keep(db, "UPDATE resource_down SET until_ms = ?2 WHERE resource = ?1 AND until_ms IS NULL");
    db_bind_int(end, 1, r->id);
    db_bind_int(end, 2, r->since_ms);
    return db_run(end, err);
}

enum status told_resource_say(struct db *db, struct told_resource *r, bool says_up, bool is_fresh,
    int64_t time_ms, enum hours_evidence evidence, struct error *err)
{
    bool is_down = availability_is_down(r->is_down, says_up, is_fresh);
    bool is_first = r->since_ms == TOLD_NONE;
    /* Clocks differ; what may not be used must never look as if it may. */
    if (is_down && is_fresh)
        time_ms = told_later_of(time_ms, r->since_ms);
    if (!is_first && (is_down == r->is_down || time_ms < r->since_ms))
        return ST_OK;
    r->is_down = is_down;
    r->since_ms = time_ms;
    enum status status = save(db, r, err);
    if (status != ST_OK || (is_first && !is_down))
        return status;
    return is_down ? begin_down(db, r, evidence, err) : end_down(db, r, err);
}

enum status told_resource_heard(struct db *db, struct told_resource *r, int64_t heard_ms, struct error *err)
{
    if (heard_ms <= r->heard_ms)
        return ST_OK;
    r->heard_ms = heard_ms;
    return save(db, r, err);
}

enum status told_down(struct db *db, int64_t resource, int64_t from_ms, int64_t until_ms,
    struct hours_span **ret, size_t *ret_count, struct error *err)
{
    struct db_stmt *rows = db_keep(db,
        "SELECT from_ms, until_ms, evidence FROM resource_down WHERE resource = ?1 AND from_ms < ?3"
        " AND (until_ms IS NULL OR (until_ms > ?2 AND until_ms > from_ms)) ORDER BY from_ms");
    struct hours_span *items = NULL;
    size_t count = 0, capacity = 0;
    bool has_row;
    enum status status;
    db_bind_int(rows, 1, resource);
    db_bind_int(rows, 2, from_ms);
    db_bind_int(rows, 3, until_ms);
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(items, count, capacity);
        items[count++] = (struct hours_span){db_int(rows, 0),
            db_is_null(rows, 1) ? INT64_MAX : db_int(rows, 1), (enum hours_evidence)db_int(rows, 2)};
    }
    db_reset(rows);
    *ret = items;
    *ret_count = count;
    return status;
}
