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

enum status occupied_read(struct db *db, int64_t source, const struct opening *opening,
    const struct zone *zone, int64_t from_ms, int64_t until_ms, struct occupied *ret, struct error *err)
{
    struct space_row *rows;
    size_t count, at = 0;
    struct opening_now now = {.until_ms = INT64_MIN};
    *ret = (struct occupied){0};
    enum status status = rows_read(db, source, from_ms, until_ms, &rows, &count, err);
    for (int64_t start_ms = from_ms; status == ST_OK && start_ms < until_ms; start_ms += ROWS_QUARTER_MS) {
        bool opens = is_open(opening, zone, start_ms, &now);
        ret->open_ms += opens ? ROWS_QUARTER_MS : 0;
        if (at == count || rows[at].start_ms != start_ms)
            continue;
        const struct space_row *r = &rows[at++];
        window_merge(&ret->all, &r->window);
        if (opens)
            window_merge(&ret->open, &r->window);
        ret->is_marked |= r->is_marked;
    }
    free(rows);
    return status;
}
