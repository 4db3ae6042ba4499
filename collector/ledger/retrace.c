#include "collector/ledger/retrace.h"

#include "collector/ledger/books_private.h"

#define CHUNK 256
/* Within 24 h what was decided may be withdrawn (E4). */
#define SETTLED_MS (25 * INT64_C(3600000))

struct tracing {
    struct books_call call;
    struct retrace *found;
    int64_t start_ms;
    bool is_told[2]; /* something was said of the boundary, if only that it is unknown */
    const struct event *event;
};

static void take_boundary(void *context, const struct boundary *boundary)
{
    struct tracing *t = context;
    int which = boundary->time_ms == t->start_ms                 ? 0
                : boundary->time_ms == t->start_ms + BOUNDARY_MS ? 1
                                                                 : -1;
    if (which < 0)
        return;
    struct retrace_side *side = which == 0 ? &t->found->begin : &t->found->end;
    *side = (struct retrace_side){
        .is_known = boundary->quality != QUALITY_UNKNOWN, .boundary = *boundary, .event = *t->event};
    t->is_told[which] = true;
}

static void take_event(void *context, const struct event *event)
{
    struct tracing *t = context;
    t->event = event;
    boundary_follow(event, t->call.meter->max_gap_ms, take_boundary, t);
}

static void fold(struct tracing *t)
{
    struct unwrap u;
    struct unwrap_reading readings[CHUNK];
    struct event_sink sink = {take_event, t};
    int64_t settled_ms = t->start_ms + BOUNDARY_MS + SETTLED_MS;
    size_t count, all = 0;
    books_look_state(&t->call, t->start_ms, &u);
    while (t->call.status == ST_OK && (u.last_ms <= settled_ms || !t->is_told[0] || !t->is_told[1]) &&
           (count = books_next_readings(&t->call, u.last_ms, readings, CHUNK)) > 0) {
        if ((all += count) > RETRACE_READINGS)
            return;
        unwrap_push_all(&u, &t->call.meter->segments, readings, count, &sink);
    }
    t->found->is_whole = true;
}

/* False: no reading is of that time. */
static bool find_time(struct books_call *c, int64_t time_ms, struct books_reading *ret)
{
    struct books_memory *m = c->memory;
    const struct overlay *o = c->meter->overlay;
    books_load_hour(c, books_hour(time_ms));
    books_load_latest(c, INT64_MIN);
    if (c->status != ST_OK)
        return false;
    const struct readings *lists[] = {&m->hour, &m->latest};
    for (size_t i = 0; i < 2; i++) {
        size_t at = readings_find(lists[i], time_ms);
        if (at < lists[i]->count && lists[i]->items[at].time_ms == time_ms) {
            *ret = lists[i]->items[at];
            return true;
        }
    }
    size_t at = o != NULL ? overlay_by_hand_after(o, time_ms - 1) : 0;
    if (o == NULL || at == o->by_hand_count || o->by_hand[at].time_ms != time_ms)
        return false;
    *ret = (struct books_reading){.time_ms = time_ms, .count = o->by_hand[at].count, .is_manual = true};
    return true;
}

/* The same row in the books? */
static bool is_in_books(struct books_call *c, const struct boundary *b)
{
    struct db_stmt *find = db_keep(
        c->db, "SELECT energy, quality, baseline_ms FROM ledger_boundary WHERE meter = ?1 AND time_ms = ?2");
    db_bind_int(find, 1, c->meter->id);
    db_bind_int(find, 2, b->time_ms);
    bool is_same = books_step(c, find) && db_int(find, 0) == b->energy && db_int(find, 1) == b->quality &&
                   db_int(find, 2) == b->baseline_ms;
    db_reset(find);
    return is_same;
}

static struct retrace_reading find_reading(struct books_call *c, int64_t time_ms)
{
    struct retrace_reading found = {.q = 1};
    found.is_there = find_time(c, time_ms, &found.reading);
    if (!found.is_there)
        return found;
    const struct segments *all = &c->meter->segments;
    int64_t segment =
        segment_of(all, books_point_number(c->meter, found.reading.point), time_ms, found.reading.count);
    if (segment != SEGMENT_NONE) {
        found.p = all->items[segment].p;
        found.q = all->items[segment].q;
    }
    return found;
}

static void complete(struct books_call *c, struct retrace_side *side)
{
    if (!side->is_known)
        return;
    side->is_in_books = is_in_books(c, &side->boundary);
    if (side->event.kind != EVENT_BASELINE)
        side->from = find_reading(c, side->event.from_ms);
    side->until = find_reading(c, side->event.until_ms);
}

enum status retrace_quarter(
    struct db *db, const struct books_meter *meter, int64_t start_ms, struct retrace *ret, struct error *err)
{
    struct books_memory memory = {0};
    struct tracing t = {.call = {.db = db, .memory = &memory, .meter = meter, .err = err},
        .found = ret,
        .start_ms = start_ms};
    *ret = (struct retrace){0};
    fold(&t);
    complete(&t.call, &ret->begin);
    complete(&t.call, &ret->end);
    books_release_memory(&memory);
    return t.call.status;
}
