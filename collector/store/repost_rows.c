#include "collector/store/repost_rows.h"

#include <string.h>

#define QUARTER_MS 900000

const char repost_rows_schema[] =
    "CREATE TABLE repost_rows("
    "  id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, target TEXT NOT NULL, from_ms INTEGER NOT NULL,"
    "  until_ms INTEGER NOT NULL) STRICT;";

enum kind { INSTRUMENT, SOURCE }; /* target: its id in the park model; its number in space_source */

static enum status run(struct db_stmt *statement, enum kind kind, struct error *err)
{
    db_bind_int(statement, 1, kind);
    return db_run(statement, err);
}

enum status repost_rows_add_all(struct db *db, struct error *err)
{
    enum status status = db_run(db_keep(db, "DELETE FROM repost_rows"), err);
    struct db_stmt *instruments = db_keep(db,
        "INSERT INTO repost_rows(kind, target, from_ms, until_ms) SELECT ?1, t.instrument, min(t.begun_ms,"
        "  coalesce((SELECT min(from_ms) FROM activity_span WHERE instrument = i.id), t.begun_ms),"
        "  coalesce((SELECT min(opened_ms) FROM session WHERE instrument = i.id), t.begun_ms)), t.written_ms"
        " FROM timesheet t LEFT JOIN instrument i ON i.name = t.instrument ORDER BY t.instrument");
    struct db_stmt *sources = db_keep(db,
        "INSERT INTO repost_rows(kind, target, from_ms, until_ms) SELECT ?1, id, first, last + 900000 FROM"
        " (SELECT id, (SELECT min(start_ms) FROM space_window WHERE source = s.id) AS first,"
        "  (SELECT max(start_ms) FROM space_window WHERE source = s.id) AS last FROM space_source s)"
        " WHERE first IS NOT NULL ORDER BY id");
    if (status == ST_OK)
        status = run(instruments, INSTRUMENT, err);
    return status == ST_OK ? run(sources, SOURCE, err) : status;
}

static enum status has_row(struct db_stmt *s, bool *ret, struct error *err)
{
    enum status status = db_step(s, ret, err);
    db_reset(s);
    return status;
}

/* Is there something of the kind that is to be written? What is not over yet waits for that. */
static enum status is_busy(struct db *db, enum kind kind, int64_t now_ms, bool *ret, struct error *err)
{
    if (kind == INSTRUMENT)
        return has_row(db_keep(db, "SELECT 1 FROM timesheet_due LIMIT 1"), ret, err);
    struct db_stmt *due = db_keep(db, "SELECT 1 FROM space_due WHERE start_ms <= ?1 LIMIT 1");
    db_bind_int(due, 1, now_ms - QUARTER_MS);
    return has_row(due, ret, err);
}

/* The next slice: of `?1`, from `first` to less than `last`. */
#define SLICE                                                                                                \
    "(SELECT target, from_ms AS first, min(from_ms + ?2, until_ms) AS last FROM repost_rows WHERE kind = ?1" \
    " ORDER BY id LIMIT 1)"

static enum status take(struct db *db, enum kind kind, struct error *err)
{
    struct db_stmt *due =
        kind == INSTRUMENT ? db_keep(db, "INSERT INTO timesheet_due(kind, target, from_ms, until_ms)"
                                         " SELECT 0, target, first, last FROM " SLICE " WHERE ?1 = 0")
                           : db_keep(db, "INSERT OR IGNORE INTO space_due(start_ms, source, clears) SELECT"
                                         " w.start_ms, w.source, 0 FROM " SLICE " s JOIN space_window w ON"
                                         " w.source = CAST(s.target AS INTEGER) AND w.start_ms >= s.first AND"
                                         " w.start_ms < s.last");
    struct db_stmt *shorten = db_keep(db, "UPDATE repost_rows SET from_ms = from_ms + ?2 WHERE id ="
                                          " (SELECT min(id) FROM repost_rows WHERE kind = ?1)");
    struct db_stmt *end = db_keep(db, "DELETE FROM repost_rows WHERE kind = ?1 AND from_ms >= until_ms");
    enum status status = ST_OK;
    db_bind_int(due, 2, REPOST_ROWS_SLICE_MS);
    db_bind_int(shorten, 2, REPOST_ROWS_SLICE_MS);
    struct db_stmt *const all[] = {due, shorten, end};
    for (int i = 0; i < 3 && status == ST_OK; i++)
        status = run(all[i], kind, err);
    return status;
}

enum status repost_rows_step(struct db *db, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    enum status status = ST_OK;
    for (enum kind kind = INSTRUMENT; kind <= SOURCE && status == ST_OK; kind++) {
        struct db_stmt *left = db_keep(db, "SELECT 1 FROM repost_rows WHERE kind = ?1 LIMIT 1");
        bool has_left = false, is_still_busy = false;
        db_bind_int(left, 1, kind);
        status = has_row(left, &has_left, err);
        if (status == ST_OK && has_left)
            status = is_busy(db, kind, now_ms, &is_still_busy, err);
        if (status != ST_OK || !has_left || is_still_busy)
            continue;
        *ret_is_changed = true;
        status = take(db, kind, err);
    }
    return status;
}

enum status repost_rows_wait(struct db *db, const struct hour *hour, bool *ret, struct error *err)
{
    struct db_stmt *wait;
    *ret = false;
    if (strcmp(hour->measurement, "instrument") == 0)
        wait = db_keep(db, "SELECT 1 FROM repost_rows WHERE kind = 0 AND from_ms < ?2 AND until_ms > ?1"
                           " UNION ALL SELECT 1 FROM timesheet_due WHERE from_ms < ?2 AND until_ms > ?1"
                           " LIMIT 1");
    else if (strcmp(hour->measurement, "occupancy") == 0)
        wait = db_keep(db, "SELECT 1 FROM repost_rows WHERE kind = 1 AND from_ms < ?2 AND until_ms > ?1"
                           " UNION ALL SELECT 1 FROM space_due WHERE start_ms < ?2 AND start_ms >= ?1"
                           " LIMIT 1");
    else
        return ST_OK;
    db_bind_int(wait, 1, hour->hour * HOUR_MS);
    db_bind_int(wait, 2, (hour->hour + 1) * HOUR_MS);
    return has_row(wait, ret, err);
}
