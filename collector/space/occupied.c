#include "collector/space/occupied.h"

#include <stdlib.h>

enum status occupied_source(
    struct db *db, const char *space, const char *name, int64_t *ret_id, struct error *err)
{
    struct db_stmt *find = db_keep(db, "SELECT id FROM space_source WHERE space = ?1 AND name = ?2");
    bool has_row;
    db_bind_text(find, 1, span_of(space));
    db_bind_text(find, 2, span_of(name));
    enum status status = db_step(find, &has_row, err);
    *ret_id = status == ST_OK && has_row ? db_int(find, 0) : 0;
    db_reset(find);
    return status;
}

/* Asked in order of time, it looks at the clocks only where it opens or closes. */
static bool is_open(
    const struct opening *opening, const struct zone *zone, int64_t start_ms, struct opening_now *at)
{
    if (start_ms >= at->until_ms)
        *at = opening_at(opening, zone, start_ms);
    return at->is_open && at->until_ms >= start_ms + ROWS_QUARTER_MS;
}

/* Rows of a source, one after another. */
struct reading {
    struct space_row *rows;
    size_t count, at;
};

static const struct space_row *row_at(struct reading *r, int64_t start_ms)
{
    return r->at < r->count && r->rows[r->at].start_ms == start_ms ? &r->rows[r->at++] : NULL;
}

static int64_t observed_ms(const struct space_row *row)
{
    return row != NULL ? row->window.observed_ms : 0;
}

static void add_row(struct occupied *o, const struct space_row *row, bool opens, bool is_other)
{
    window_merge(&o->all, &row->window);
    if (opens)
        window_merge(&o->open, &row->window);
    o->is_marked |= row->is_marked;
    if (row->window.observed_ms == 0)
        return;
    o->other_ms += is_other ? row->window.observed_ms : 0;
    o->other_from_ms = !is_other ? -1 : o->other_from_ms < 0 ? row->start_ms : o->other_from_ms;
}

enum status occupied_read(struct db *db, int64_t source, int64_t other, const struct opening *opening,
    const struct zone *zone, int64_t from_ms, int64_t until_ms, struct occupied *ret, struct error *err)
{
    struct reading own = {0}, others = {0};
    struct opening_now now = {.until_ms = INT64_MIN};
    *ret = (struct occupied){.other_from_ms = -1};
    enum status status = rows_read(db, source, from_ms, until_ms, &own.rows, &own.count, err);
    if (status == ST_OK && other != 0)
        status = rows_read(db, other, from_ms, until_ms, &others.rows, &others.count, err);
    for (int64_t start_ms = from_ms; status == ST_OK && start_ms < until_ms; start_ms += ROWS_QUARTER_MS) {
        bool opens = is_open(opening, zone, start_ms, &now);
        ret->open_ms += opens ? ROWS_QUARTER_MS : 0;
        const struct space_row *row = row_at(&own, start_ms), *instead = row_at(&others, start_ms);
        bool is_other = observed_ms(instead) > observed_ms(row);
        if (is_other || row != NULL)
            add_row(ret, is_other ? instead : row, opens, is_other);
    }
    free(own.rows);
    free(others.rows);
    return status;
}
