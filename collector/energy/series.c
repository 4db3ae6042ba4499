#include "collector/energy/series.h"

#include "lib/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define QUARTER_MS PERIODS_QUARTER_HOUR_MS
#define QUARTERS_MAX ((size_t)100 * 366 * 96)

struct series_due series_due(const struct park_meter *meter, int64_t now_ms)
{
    struct series_due due = {.now_ms = now_ms};
    const struct park_segment *segments = meter->segments.items;
    for (size_t i = 0; i < meter->segments.count; i++) {
        if (i == 0 || segments[i].from_ms < due.from_ms)
            due.from_ms = segments[i].from_ms;
        if (i == 0 || segments[i].until_ms > due.until_ms)
            due.until_ms = segments[i].until_ms;
    }
    return due;
}

static enum series_state state_without_row(const struct series_due *due, int64_t start_ms)
{
    if (start_ms + QUARTER_MS <= due->from_ms || start_ms >= due->until_ms)
        return SERIES_ABSENT;
    return start_ms + QUARTER_MS <= due->now_ms ? SERIES_WAITING : SERIES_FUTURE;
}

void series_init(struct series *s, struct periods_span span, const struct series_due *due)
{
    assert(span.begin_ms % QUARTER_MS == 0 && span.end_ms % QUARTER_MS == 0 && span.begin_ms <= span.end_ms);
    *s = (struct series){.span = span, .count = (size_t)((span.end_ms - span.begin_ms) / QUARTER_MS)};
    assert(s->count <= QUARTERS_MAX);
    s->amounts = mem_zalloc((s->count + 1) * sizeof *s->amounts);
    s->states = mem_alloc(s->count + 1);
    for (size_t i = 0; i < s->count; i++)
        s->states[i] = (uint8_t)state_without_row(due, span.begin_ms + (int64_t)i * QUARTER_MS);
}

void series_release(struct series *s)
{
    free(s->amounts);
    free(s->states);
    *s = (struct series){0};
}

enum status series_meter(struct db *db, const char *name, int64_t *ret_id, struct error *err)
{
    struct db_stmt *find = db_keep(db, "SELECT id FROM ledger_meter WHERE name = ?1");
    bool has_row;
    db_bind_text(find, 1, span_of(name));
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK)
        *ret_id = has_row ? db_int(find, 0) : 0;
    db_reset(find);
    return status;
}

static void take_row(struct series *s, struct db_stmt *row)
{
    size_t at = (size_t)((db_int(row, 0) - s->span.begin_ms) / QUARTER_MS);
    int64_t quality = db_int(row, 2);
    bool is_known = quality >= 0 && quality < QUALITY_UNKNOWN && !db_is_null(row, 1);
    s->states[at] = (uint8_t)(is_known ? quality : SERIES_UNKNOWN);
    s->amounts[at] = is_known ? db_int(row, 1) : 0;
}

enum status series_read(struct db *db, int64_t id, struct series *s, struct error *err)
{
    /* In the order of the key: of the versions of a quarter hour the latest comes last. */
    struct db_stmt *next =
        db_keep(db, "SELECT start_ms, amount, quality FROM ledger_quarter"
                    " WHERE meter = ?1 AND start_ms >= ?2 AND start_ms < ?3 ORDER BY start_ms, version");
    db_bind_int(next, 1, id);
    db_bind_int(next, 2, s->span.begin_ms);
    db_bind_int(next, 3, s->span.end_ms);
    for (;;) {
        bool has_row;
        enum status status = db_step(next, &has_row, err);
        if (status != ST_OK || !has_row) {
            db_reset(next);
            return status;
        }
        take_row(s, next);
    }
}
