#include "collector/energy/series.h"

#include "collector/ledger/latest.h"
#include "lib/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define QUARTER_MS PERIODS_QUARTER_HOUR_MS
#define QUARTERS_MAX ((size_t)100 * 366 * 96)

struct series_due series_due(const struct park_meter *meter, int64_t now_ms)
{
    struct park_stay stay = park_stay(meter);
    return (struct series_due){stay.from_ms, stay.until_ms, now_ms};
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

enum status series_read(struct db *db, int64_t id, struct series *s, struct error *err)
{
    return latest_read(db, id, s->span.begin_ms, s->span.end_ms, s->amounts, s->states, err);
}
