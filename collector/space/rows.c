#include "collector/space/rows.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

enum status rows_source(struct db *db, const char *space, const char *name, const char *spec, int64_t *ret_id,
    bool *ret_is_new, struct error *err)
{
    struct db_stmt *put = db_keep(db,
        "INSERT INTO space_source(space, name, spec) VALUES(?1, ?2, ?3)"
        " ON CONFLICT DO UPDATE SET spec = excluded.spec WHERE spec <> excluded.spec RETURNING id");
    db_bind_text(put, 1, span_of(space));
    db_bind_text(put, 2, span_of(name));
    db_bind_text(put, 3, span_of(spec));
    enum status status = db_step(put, ret_is_new, err);
    db_reset(put);
    if (status != ST_OK)
        return status;
    struct db_stmt *find = db_keep(db, "SELECT id FROM space_source WHERE space = ?1 AND name = ?2");
    bool has_row;
    db_bind_text(find, 1, span_of(space));
    db_bind_text(find, 2, span_of(name));
    status = db_step(find, &has_row, err);
    *ret_id = status == ST_OK && has_row ? db_int(find, 0) : 0;
    db_reset(find);
    return status;
}

#define COLUMNS                                                                                      \
    "start_ms, observed_ms, occupied_ms, negative_ms, level_ms, min, max, entries, exits, persons, " \
    "is_marked"

static struct space_row row_of(struct db_stmt *s)
{
    return (struct space_row){.start_ms = db_int(s, 0),
        .window = {.observed_ms = db_int(s, 1),
            .occupied_ms = db_int(s, 2),
            .negative_ms = db_int(s, 3),
            .level_ms = db_int(s, 4),
            .min = db_int(s, 5),
            .max = db_int(s, 6),
            .entries = db_int(s, 7),
            .exits = db_int(s, 8)},
        .has_persons = !db_is_null(s, 9),
        .persons = db_is_null(s, 9) ? 0 : db_int(s, 9),
        .is_marked = db_int(s, 10) != 0};
}

enum status rows_read(struct db *db, int64_t source, int64_t from_ms, int64_t until_ms,
    struct space_row **ret, size_t *ret_count, struct error *err)
{
    struct db_stmt *rows =
        db_keep(db, "SELECT " COLUMNS " FROM space_window WHERE source = ?1 AND start_ms >= ?2"
                    " AND start_ms < ?3 ORDER BY start_ms");
    size_t capacity = 0;
    bool has_row;
    enum status status;
    *ret = NULL;
    *ret_count = 0;
    db_bind_int(rows, 1, source);
    db_bind_int(rows, 2, from_ms);
    db_bind_int(rows, 3, until_ms);
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(*ret, *ret_count, capacity);
        (*ret)[(*ret_count)++] = row_of(rows);
    }
    db_reset(rows);
    return status;
}

enum status rows_last(struct db *db, int64_t source, int64_t before_ms, struct space_row *ret,
    bool *ret_is_there, struct error *err)
{
    struct db_stmt *last = db_keep(db, "SELECT " COLUMNS " FROM space_window WHERE source = ?1"
                                       " AND start_ms < ?2 ORDER BY start_ms DESC LIMIT 1");
    db_bind_int(last, 1, source);
    db_bind_int(last, 2, before_ms);
    enum status status = db_step(last, ret_is_there, err);
    if (status == ST_OK && *ret_is_there)
        *ret = row_of(last);
    db_reset(last);
    return status;
}

static bool is_same(const struct space_row *a, const struct space_row *b)
{
    return memcmp(&a->window, &b->window, sizeof a->window) == 0 && a->has_persons == b->has_persons &&
           a->persons == b->persons && a->is_marked == b->is_marked;
}

/* Had it been posted already? Then what the store holds of the quarter hour is to go first. */
static enum status make_due(
    struct db *db, int64_t source, int64_t start_ms, bool was_there, struct error *err)
{
    struct db_stmt *due = db_keep(db, "INSERT INTO space_due VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING");
    db_bind_int(due, 1, start_ms);
    db_bind_int(due, 2, source);
    db_bind_int(due, 3, was_there);
    return db_run(due, err);
}

static enum status put(struct db *db, int64_t source, const struct space_row *r, struct error *err)
{
    const struct window *w = &r->window;
    struct db_stmt *put =
        db_keep(db, "REPLACE INTO space_window VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
    const int64_t values[] = {source, r->start_ms, w->observed_ms, w->occupied_ms, w->negative_ms,
        w->level_ms, w->min, w->max, w->entries, w->exits, r->persons, r->is_marked};
    for (int i = 0; i < 12; i++)
        db_bind_int(put, i + 1, values[i]);
    if (!r->has_persons)
        db_bind_null(put, 11);
    return db_run(put, err);
}

static enum status put_changed(struct db *db, int64_t source, const struct space_row *before,
    const struct space_row *row, struct error *err)
{
    if (before != NULL && is_same(before, row))
        return ST_OK;
    enum status status = put(db, source, row, err);
    return status == ST_OK ? make_due(db, source, row->start_ms, before != NULL, err) : status;
}

enum status rows_write(struct db *db, int64_t source, int64_t from_ms, int64_t until_ms,
    const struct space_row *rows, size_t count, struct error *err)
{
    struct space_row *before;
    size_t before_count, at = 0;
    enum status status = rows_read(db, source, from_ms, until_ms, &before, &before_count, err);
    for (size_t i = 0; i < before_count && status == ST_OK; i++) {
        while (at < count && rows[at].start_ms < before[i].start_ms && status == ST_OK)
            status = put_changed(db, source, NULL, &rows[at++], err);
        bool is_kept = at < count && rows[at].start_ms == before[i].start_ms;
        struct space_row nothing = {.start_ms = before[i].start_ms};
        if (status == ST_OK)
            status = put_changed(db, source, &before[i], is_kept ? &rows[at] : &nothing, err);
        at += is_kept;
    }
    for (; at < count && status == ST_OK; at++)
        status = put_changed(db, source, NULL, &rows[at], err);
    free(before);
    return status;
}

enum status rows_write_stretches(struct db *db, int64_t source, int64_t from_ms, int64_t until_ms,
    const struct flow_stretch *stretches, size_t count, struct error *err)
{
    struct db_stmt *clear =
        db_keep(db, "DELETE FROM space_stretch WHERE source = ?1 AND from_ms >= ?2 AND from_ms < ?3");
    db_bind_int(clear, 1, source);
    db_bind_int(clear, 2, from_ms);
    db_bind_int(clear, 3, until_ms);
    enum status status = db_run(clear, err);
    struct db_stmt *put =
        db_keep(db, "INSERT INTO space_stretch VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
    for (size_t i = 0; i < count && status == ST_OK; i++) {
        const struct flow_stretch *s = &stretches[i];
        const int64_t values[] = {source, s->from_ms, s->until_ms, s->start, s->end, s->in, s->out,
            s->residual, s->is_marked, s->verdict};
        for (int k = 0; k < 10; k++)
            db_bind_int(put, k + 1, values[k]);
        status = db_run(put, err);
    }
    return status;
}
