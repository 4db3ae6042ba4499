#include "collector/instrument/booking_rows.h"

#include "lib/mem.h"

#include <stdio.h>

const char booking_schema[] =
    "CREATE TABLE calendar("
    "  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, horizon_begin_ms INTEGER NOT NULL,"
    "  horizon_end_ms INTEGER NOT NULL, known_ms INTEGER NOT NULL, emptied_ms INTEGER NOT NULL,"
    "  is_cut INTEGER NOT NULL, problems INTEGER NOT NULL, tried_ms INTEGER NOT NULL, problem TEXT NOT NULL,"
    "  source BLOB NOT NULL, is_of_another INTEGER NOT NULL)"
    " STRICT;"
    /* By the end: what is asked for is mostly of the last days, and what lies ahead is bounded. */
    "CREATE TABLE calendar_busy("
    "  calendar INTEGER NOT NULL, until_ms INTEGER NOT NULL, from_ms INTEGER NOT NULL, uid INTEGER NOT NULL,"
    "  PRIMARY KEY(calendar, until_ms, from_ms, uid)) STRICT, WITHOUT ROWID;";

/* Of calendars that were read before this was noted nobody knows since when: the horizon of the last reading is sure. */
const char booking_known_schema[] =
    "CREATE TABLE calendar_known("
    "  calendar INTEGER NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,"
    "  PRIMARY KEY(calendar, from_ms)) STRICT, WITHOUT ROWID;"
    "INSERT INTO calendar_known SELECT id, horizon_begin_ms, known_ms FROM calendar"
    "  WHERE known_ms > horizon_begin_ms AND NOT is_cut;";

enum status booking_rows_state(
    struct db *db, const char *calendar, struct booking_state *ret, struct bookings *b, struct error *err)
{
    struct db_stmt *find =
        db_keep(db, "SELECT id, horizon_begin_ms, horizon_end_ms, known_ms, emptied_ms, is_cut,"
                    " problems, tried_ms, problem, source, is_of_another FROM calendar WHERE name = ?1");
    bool has_row;
    *ret = (struct booking_state){0};
    *b = (struct bookings){0};
    db_bind_text(find, 1, span_of(calendar));
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && has_row) {
        ret->id = db_int(find, 0);
        b->horizon = (struct busy){db_int(find, 1), db_int(find, 2)};
        b->known_ms = db_int(find, 3);
        b->emptied_ms = db_int(find, 4);
        b->is_cut = db_int(find, 5) != 0;
        b->problem_count = (size_t)db_int(find, 6);
        ret->tried_ms = db_int(find, 7);
        struct span problem = db_text(find, 8);
        snprintf(ret->problem, sizeof ret->problem, "%.*s", (int)problem.len,
            problem.at != NULL ? problem.at : "");
        hash_read(db_text(find, 9), &ret->source);
        b->is_of_another = db_int(find, 10) != 0;
    }
    db_reset(find);
    return status;
}

static void bind_span(struct db_stmt *statement, int64_t id, struct busy span)
{
    db_bind_int(statement, 1, id);
    db_bind_int(statement, 2, span.begin_ms);
    db_bind_int(statement, 3, span.end_ms);
}

/* Those that end after `after_ms` and begin before `before_ms`. */
static enum status read(struct db *db, int64_t id, int64_t after_ms, int64_t before_ms,
    struct booking_list *list, struct error *err)
{
    struct db_stmt *rows = db_keep(db, "SELECT from_ms, until_ms, uid FROM calendar_busy"
                                       " WHERE calendar = ?1 AND until_ms > ?2 AND from_ms < ?3"
                                       " ORDER BY from_ms, until_ms");
    bool has_row;
    enum status status;
    db_bind_int(rows, 1, id);
    db_bind_int(rows, 2, after_ms);
    db_bind_int(rows, 3, before_ms);
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(list->items, list->count, list->capacity);
        list->items[list->count++] =
            (struct booking){{db_int(rows, 0), db_int(rows, 1)}, (uint64_t)db_int(rows, 2)};
    }
    db_reset(rows);
    booking_list_sort(list);
    return status;
}

enum status booking_rows_load(struct db *db, const char *calendar, int64_t now_ms, struct booking_state *ret,
    struct bookings *b, struct error *err)
{
    enum status status = booking_rows_state(db, calendar, ret, b, err);
    if (status != ST_OK || b->known_ms == 0)
        return status;
    status = read(db, ret->id, bookings_settled_ms(b, now_ms) - BOOKINGS_OVER_MS, INT64_MAX, &b->list, err);
    bookings_merge(b);
    return status;
}

/* ---- writing ---- */

static enum status save_state(struct db *db, const char *calendar, struct booking_state *state,
    const struct bookings *b, struct error *err)
{
    struct db_stmt *save = db_keep(db,
        "INSERT INTO calendar(name, horizon_begin_ms, horizon_end_ms, known_ms, emptied_ms, is_cut, problems,"
        " tried_ms, problem, source, is_of_another) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON "
        "CONFLICT(name) DO UPDATE SET"
        " horizon_begin_ms = excluded.horizon_begin_ms, horizon_end_ms = excluded.horizon_end_ms,"
        " known_ms = excluded.known_ms, emptied_ms = excluded.emptied_ms, is_cut = excluded.is_cut,"
        " problems = excluded.problems, tried_ms = excluded.tried_ms, problem = excluded.problem,"
        " source = excluded.source, is_of_another = excluded.is_of_another RETURNING id");
    bool has_row;
    db_bind_text(save, 1, span_of(calendar));
    db_bind_int(save, 2, b->horizon.begin_ms);
    db_bind_int(save, 3, b->horizon.end_ms);
    db_bind_int(save, 4, b->known_ms);
    db_bind_int(save, 5, b->emptied_ms);
    db_bind_int(save, 6, b->is_cut);
    db_bind_int(save, 7, (int64_t)b->problem_count);
    db_bind_int(save, 8, state->tried_ms);
    db_bind_text(save, 9, span_of(state->problem));
    db_bind_blob(save, 10, hash_bytes(&state->source));
    db_bind_int(save, 11, b->is_of_another);
    enum status status = db_step(save, &has_row, err);
    if (status == ST_OK && has_row)
        state->id = db_int(save, 0);
    db_reset(save);
    return status;
}

/* One that is not whole may have left anything out. */
static enum status save_known(struct db *db, int64_t id, const struct bookings *b, struct error *err)
{
    struct busy span = {b->horizon.begin_ms, b->known_ms};
    if (span.begin_ms >= span.end_ms || b->is_cut)
        return ST_OK;
    struct db_stmt *find = db_keep(db, "SELECT min(from_ms), max(until_ms) FROM calendar_known"
                                       " WHERE calendar = ?1 AND from_ms <= ?3 AND until_ms >= ?2");
    struct db_stmt *drop =
        db_keep(db, "DELETE FROM calendar_known WHERE calendar = ?1 AND from_ms >= ?2 AND from_ms <= ?3");
    struct db_stmt *put = db_keep(db, "INSERT INTO calendar_known VALUES(?1, ?2, ?3)");
    bool has_row;
    bind_span(find, id, span);
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && has_row && !db_is_null(find, 0)) {
        span.begin_ms = db_int(find, 0) < span.begin_ms ? db_int(find, 0) : span.begin_ms;
        span.end_ms = db_int(find, 1) > span.end_ms ? db_int(find, 1) : span.end_ms;
    }
    db_reset(find);
    bind_span(drop, id, span);
    bind_span(put, id, span);
    if (status == ST_OK)
        status = db_run(drop, err);
    return status == ST_OK ? db_run(put, err) : status;
}

static enum status run(struct db_stmt *statement, int64_t id, const struct booking *b, struct error *err)
{
    db_bind_int(statement, 1, id);
    db_bind_int(statement, 2, b->span.end_ms);
    db_bind_int(statement, 3, b->span.begin_ms);
    db_bind_int(statement, 4, (int64_t)b->uid);
    return db_run(statement, err);
}

enum status booking_rows_save(struct db *db, const char *calendar, struct booking_state *state,
    const struct bookings *b, const struct booking_list *before, int64_t settled_ms, struct error *err)
{
    struct db_stmt *put = db_keep(db, "INSERT INTO calendar_busy(calendar, until_ms, from_ms, uid)"
                                      " VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING");
    struct db_stmt *drop = db_keep(db, "DELETE FROM calendar_busy WHERE calendar = ?1 AND until_ms = ?2"
                                       " AND from_ms = ?3 AND uid = ?4");
    enum status status = save_state(db, calendar, state, b, err);
    if (status == ST_OK)
        status = save_known(db, state->id, b, err);
    size_t i = 0, j = 0;
    while (status == ST_OK && (i < before->count || j < b->list.count)) {
        const struct booking *old = i < before->count ? &before->items[i] : NULL;
        const struct booking *new = j < b->list.count ? &b->list.items[j] : NULL;
        int order = old == NULL ? 1 : new == NULL ? -1 : booking_compare(old, new);
        if (order < 0 && old->span.end_ms > settled_ms)
            status = run(drop, state->id, old, err);
        else if (order > 0)
            status = run(put, state->id, new, err);
        i += order <= 0;
        j += order >= 0;
    }
    return status;
}

/* ---- reading ---- */

enum status booking_list(struct db *db, const char *calendar, int64_t from_ms, int64_t until_ms,
    struct booking_list *ret, struct error *err)
{
    struct booking_state state;
    struct bookings b;
    *ret = (struct booking_list){0};
    enum status status = booking_rows_state(db, calendar, &state, &b, err);
    return status == ST_OK && state.id != 0 ? read(db, state.id, from_ms, until_ms, ret, err) : status;
}

enum status booking_known(struct db *db, const char *calendar, int64_t period_ms, struct busy within,
    struct busy_list *ret, struct error *err)
{
    struct db_stmt *rows = db_keep(db, "SELECT from_ms, until_ms FROM calendar_known WHERE calendar = ?1");
    struct booking_state state;
    struct bookings b;
    bool has_row;
    *ret = (struct busy_list){0};
    enum status status = booking_rows_state(db, calendar, &state, &b, err);
    db_bind_int(rows, 1, state.id);
    while (status == ST_OK && (status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        int64_t until_ms = db_int(rows, 1);
        busy_list_add(ret, db_int(rows, 0),
            until_ms == b.known_ms ? until_ms + activity_gap_ms(period_ms) : until_ms, within);
    }
    db_reset(rows);
    busy_list_merge(ret);
    return status;
}
