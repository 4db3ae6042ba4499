#include "collector/energy/series.h"

#include "collector/ledger/latest.h"
#include "lib/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define QUARTER_MS PERIODS_QUARTER_HOUR_MS
#define QUARTERS_MAX ((size_t)100 * 366 * 96)

const char *const series_states[] = {QUALITY_NAMES, "waiting", "future", "absent"};

struct series_due series_due(const struct park_meter *meter, int64_t now_ms)
{
    struct park_stay stay = park_stay(meter);
    return (struct series_due){stay.from_ms, stay.until_ms, now_ms};
}

/* How many quarter hours of the series are over by then. */
static size_t count_over(const struct series *s, int64_t time_ms)
{
    if (time_ms <= s->span.begin_ms)
        return 0;
    return time_ms < s->span.end_ms ? (size_t)((time_ms - s->span.begin_ms) / QUARTER_MS) : s->count;
}

/* Those that have not begun by then come last. */
static size_t count_begun(const struct series *s, int64_t time_ms)
{
    return time_ms > INT64_MAX - QUARTER_MS ? s->count : count_over(s, time_ms + QUARTER_MS - 1);
}

static void fill(struct series *s, size_t from, size_t until, enum series_state state)
{
    if (from < until)
        memset(s->states + from, (int)state, until - from);
}

void series_init(struct series *s, struct periods_span span, const struct series_due *due)
{
    assert(span.begin_ms % QUARTER_MS == 0 && span.end_ms % QUARTER_MS == 0 && span.begin_ms <= span.end_ms);
    *s = (struct series){.span = span, .count = (size_t)((span.end_ms - span.begin_ms) / QUARTER_MS)};
    assert(s->count <= QUARTERS_MAX);
    s->amounts = mem_zalloc((s->count + 1) * sizeof *s->amounts);
    s->states = mem_alloc(s->count + 1);
    fill(s, 0, s->count, SERIES_FUTURE);
    fill(s, 0, count_over(s, due->now_ms), SERIES_WAITING);
    fill(s, 0, count_over(s, due->from_ms), SERIES_ABSENT);
    fill(s, count_begun(s, due->until_ms), s->count, SERIES_ABSENT);
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
