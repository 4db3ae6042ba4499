#include "collector/space/anchors.h"

#include "lib/mem.h"

#include <stdlib.h>

#define MINUTE_MS INT64_C(60000)
#define DAY_MS INT64_C(86400000)

enum status anchors_read(struct anchors *a, struct db *db, const char *space, const struct zone *zone,
    int reset_min, int64_t from_ms, int64_t until_ms, struct error *err)
{
    *a = (struct anchors){.zone = zone, .reset_min = reset_min};
    struct db_stmt *rows = db_keep(db, "SELECT time_ms, persons FROM space_count WHERE space = ?1"
                                       " AND time_ms >= ?2 AND time_ms < ?3 ORDER BY time_ms");
    bool has_row;
    enum status status;
    db_bind_text(rows, 1, span_of(space));
    db_bind_int(rows, 2, from_ms - ANCHORS_HOLD_MS);
    db_bind_int(rows, 3, until_ms + ANCHORS_HOLD_MS);
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(a->counts, a->count, a->capacity);
        a->counts[a->count++] = (struct anchor){db_int(rows, 0), db_int(rows, 1)};
    }
    db_reset(rows);
    return status;
}

void anchors_release(struct anchors *a)
{
    free(a->counts);
    *a = (struct anchors){0};
}

static int64_t offset_ms(const struct zone *zone, int64_t time_ms)
{
    return (int64_t)zone_offset_s(zone, time_ms) * 1000;
}

int64_t anchors_reset_ms(const struct zone *zone, int64_t day, int reset_min)
{
    int64_t wall_ms = day * DAY_MS + reset_min * MINUTE_MS;
    int64_t before = offset_ms(zone, wall_ms - DAY_MS), after = offset_ms(zone, wall_ms + DAY_MS);
    bool is_before = offset_ms(zone, wall_ms - before) == before;
    bool is_after = offset_ms(zone, wall_ms - after) == after;
    return wall_ms - (is_before || !is_after ? before : after);
}

static int64_t day_of(const struct zone *zone, int64_t time_ms)
{
    int64_t local_ms = time_ms + offset_ms(zone, time_ms);
    return local_ms / DAY_MS - (local_ms % DAY_MS < 0);
}

/* Of the days around, the last at or before the time, or the first after it. */
static int64_t reset_beside(const struct anchors *a, int64_t time_ms, bool is_after)
{
    int64_t day = day_of(a->zone, time_ms), found = is_after ? INT64_MAX : INT64_MIN;
    for (int64_t d = day - 2; a->reset_min >= 0 && d <= day + 2; d++) {
        int64_t reset_ms = anchors_reset_ms(a->zone, d, a->reset_min);
        if (is_after ? reset_ms > time_ms && reset_ms < found : reset_ms <= time_ms && reset_ms > found)
            found = reset_ms;
    }
    return found;
}

bool anchors_last(const struct anchors *a, int64_t time_ms, struct anchor *ret)
{
    struct anchor found = {reset_beside(a, time_ms, false), 0};
    for (size_t i = 0; i < a->count && a->counts[i].time_ms <= time_ms; i++)
        if (a->counts[i].time_ms >= found.time_ms)
            found = a->counts[i];
    *ret = found;
    return found.time_ms != INT64_MIN;
}

bool anchors_next(const struct anchors *a, int64_t time_ms, struct anchor *ret)
{
    struct anchor found = {reset_beside(a, time_ms, true), 0};
    for (size_t i = a->count; i > 0 && a->counts[i - 1].time_ms > time_ms; i--)
        if (a->counts[i - 1].time_ms <= found.time_ms)
            found = a->counts[i - 1];
    *ret = found;
    return found.time_ms != INT64_MAX;
}

enum status anchors_put(struct db *db, const struct person_count *c, struct error *err)
{
    struct db_stmt *put = db_keep(db,
        "INSERT INTO space_count(space, time_ms, persons, entered_ms, token, who, note)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET persons = excluded.persons,"
        " entered_ms = excluded.entered_ms, token = excluded.token, who = excluded.who, note = "
        "excluded.note");
    db_bind_text(put, 1, span_of(c->space));
    db_bind_int(put, 2, c->time_ms);
    db_bind_int(put, 3, c->persons);
    db_bind_int(put, 4, c->entered_ms);
    db_bind_int(put, 5, c->token);
    db_bind_text(put, 6, span_of(c->who));
    if (c->note != NULL)
        db_bind_text(put, 7, span_of(c->note));
    else
        db_bind_null(put, 7);
    return db_run(put, err);
}
