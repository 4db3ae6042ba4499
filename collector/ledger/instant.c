#include "collector/ledger/instant.h"

#include "collector/ledger/books_private.h"
#include "collector/ledger/boundary.h"

#define CHUNK 1024
/* Within 24 h what was decided may be withdrawn (E4). */
#define SETTLED_MS (25 * INT64_C(3600000))

struct search {
    struct books_call call;
    struct instant *instants;
    size_t count;
};

/* The first instant at or after a time. */
static size_t first_from(const struct search *s, int64_t time_ms)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->instants[middle].time_ms < time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void forget(struct search *s, int64_t after_ms, int64_t until_ms)
{
    for (size_t i = first_from(s, after_ms + 1); i < s->count && s->instants[i].time_ms < until_ms; i++)
        s->instants[i] = (struct instant){.time_ms = s->instants[i].time_ms};
}

/* U between both ends of a step, or of what was stated. */
static void take_step(struct search *s, const struct event *e)
{
    bool is_stated = e->kind == EVENT_STATED;
    for (size_t i = first_from(s, e->from_ms + 1); i < s->count && s->instants[i].time_ms <= e->until_ms;
         i++) {
        struct instant *at = &s->instants[i];
        bool is_there = at->time_ms == e->until_ms;
        *at = (struct instant){.time_ms = at->time_ms,
            .is_known = true,
            .energy = boundary_energy(e, at->time_ms),
            .gap_ms = is_there ? 0 : e->until_ms - e->from_ms,
            .is_manual = is_stated || e->is_until_manual || (!is_there && e->is_from_manual),
            .baseline_ms = e->baseline_ms};
    }
}

static void take_baseline(struct search *s, const struct event *e)
{
    for (size_t i = first_from(s, e->until_ms); i < s->count && s->instants[i].time_ms == e->until_ms; i++)
        s->instants[i] = (struct instant){.time_ms = e->until_ms,
            .is_known = true,
            .energy = e->until_energy,
            .is_manual = e->is_until_manual,
            .baseline_ms = e->baseline_ms};
}

static void take_event(void *context, const struct event *e)
{
    struct search *s = context;
    switch (e->kind) {
    case EVENT_STEP:
    case EVENT_STATED:
        take_step(s, e);
        break;
    case EVENT_BASELINE:
        take_baseline(s, e);
        break;
    case EVENT_EXCEPTION:
    case EVENT_LIMIT:
    case EVENT_CONFIRM:
        forget(s, e->from_ms, e->until_ms);
        break;
    case EVENT_WITHDRAWN:
        forget(s, e->from_ms, INT64_MAX);
        break;
    case EVENT_OUTLIERS:
    case EVENT_FROZEN:
    case EVENT_ROLLOVER:
    case EVENT_OUTSIDE:
    case EVENT_QUARANTINED:
        break;
    }
}

enum status instant_find(struct db *db, const struct books_meter *meter, struct instant *instants,
    size_t count, bool *ret_is_whole, struct error *err)
{
    struct books_memory memory = {0};
    struct search s = {.call = {.db = db, .memory = &memory, .meter = meter, .err = err},
        .instants = instants,
        .count = count};
    struct event_sink sink = {take_event, &s};
    struct unwrap_reading readings[CHUNK];
    struct unwrap u;
    size_t taken, all = 0;
    *ret_is_whole = true;
    if (count == 0)
        return ST_OK;
    forget(&s, INT64_MIN, INT64_MAX);
    int64_t settled_ms = instants[count - 1].time_ms + SETTLED_MS;
    books_look_state(&s.call, instants[0].time_ms, &u);
    while (s.call.status == ST_OK && u.last_ms <= settled_ms &&
           (taken = books_next_readings(&s.call, u.last_ms, readings, CHUNK)) > 0) {
        if ((all += taken) > INSTANT_READINGS) {
            *ret_is_whole = false;
            forget(&s, INT64_MIN, INT64_MAX);
            break;
        }
        unwrap_push_all(&u, &meter->segments, readings, taken, &sink);
    }
    books_release_memory(&memory);
    return s.call.status;
}
