#include "collector/instrument/hours.h"

#include "collector/instrument/effective.h"
#include "lib/mem.h"

#include <assert.h>
#include <stdlib.h>

const char *const hours_parts[] = {"broken", "planned_outage", "training", "internal", "external",
    "unattributed", "unknown", "idle", "no_show", "reserved", "closed", "free", NULL};
const char *const hours_evidences[] = {
    "none", "measured", "declared", "inferred", "manual", "imported", NULL};

/* Walks along a list as time goes on: what is over is passed once. */
struct walk {
    const void *items;
    size_t size, count, next;
};

static const struct hours_span *item_at(const struct walk *w, size_t i)
{
    return (const struct hours_span *)((const char *)w->items + i * w->size);
}

/* The first that holds the instant; NULL = none. */
static const struct hours_span *find(struct walk *w, int64_t time_ms)
{
    while (w->next < w->count && item_at(w, w->next)->until_ms <= time_ms)
        w->next++;
    for (size_t i = w->next; i < w->count && item_at(w, i)->from_ms <= time_ms; i++)
        if (time_ms < item_at(w, i)->until_ms)
            return item_at(w, i);
    return NULL;
}

static struct walk walk_of(struct hours_list list)
{
    return (struct walk){list.items, sizeof(struct hours_span), list.count, 0};
}

/* ---- no-shows ---- */

static bool touches(const struct hours_span *span, int64_t from_ms, int64_t until_ms)
{
    return span->from_ms < until_ms && from_ms < span->until_ms;
}

bool hours_tell_use(const struct hours_facts *f)
{
    bool do_people = false;
    for (size_t i = 0; i < f->telling.count && !do_people; i++)
        do_people = touches(&f->telling.items[i], f->begin_ms, f->end_ms);
    return f->has_power || f->has_sessions || do_people;
}

static bool tell_use_throughout(const struct hours_facts *f, int64_t from_ms, int64_t until_ms)
{
    bool do_people = false;
    for (size_t i = 0; i < f->telling.count && !do_people; i++)
        do_people = f->telling.items[i].from_ms <= from_ms && until_ms <= f->telling.items[i].until_ms;
    return f->has_power || f->has_sessions || do_people;
}

/* Whether nobody came: that is said only where grace is over, and everything that would have told was fresh throughout. */
static bool is_no_show(const struct hours_facts *f, const struct hours_span *booking)
{
    int64_t from_ms = booking->from_ms;
    int64_t until_ms = booking->until_ms < f->known_until_ms ? booking->until_ms : f->known_until_ms;
    if (f->known_until_ms - from_ms < f->grace_ms || !tell_use_throughout(f, from_ms, until_ms))
        return false;
    for (size_t i = 0; i < f->session_count; i++)
        if (touches(&f->sessions[i].span, from_ms, until_ms))
            return false;
    for (size_t i = 0; i < f->unseen.count; i++)
        if (touches(&f->unseen.items[i], from_ms, until_ms))
            return false;
    int64_t seen_ms = 0;
    for (size_t i = 0; i < f->activity_count; i++) {
        const struct activity_span *a = &f->activity[i];
        if (a->from_ms >= until_ms || a->until_ms <= from_ms)
            continue;
        if (a->state == ACTIVITY_RUNNING || a->state == ACTIVITY_UNKNOWN)
            return false;
        seen_ms +=
            (a->until_ms < until_ms ? a->until_ms : until_ms) - (a->from_ms > from_ms ? a->from_ms : from_ms);
    }
    return !f->has_power || seen_ms == until_ms - from_ms;
}

/* ---- edges ---- */

struct edges {
    int64_t *at_ms;
    size_t count, capacity;
};

static void add_edge(struct edges *e, const struct hours_facts *f, int64_t at_ms)
{
    if (at_ms <= f->begin_ms || at_ms >= f->end_ms)
        return;
    MEM_GROW(e->at_ms, e->count, e->capacity);
    e->at_ms[e->count++] = at_ms;
}

static void add_walk(struct edges *e, const struct hours_facts *f, const struct walk *w)
{
    for (size_t i = 0; i < w->count; i++) {
        add_edge(e, f, item_at(w, i)->from_ms);
        add_edge(e, f, item_at(w, i)->until_ms);
    }
}

static int by_time(const void *a, const void *b)
{
    int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;
    return (p > q) - (p < q);
}

/* ---- parts ---- */

struct division {
    const struct hours_facts *facts;
    struct walk broken, planned, bookings, no_shows, sessions, unseen, activity, effective, telling;
};

_Static_assert(offsetof(struct hours_session, span) == 0, "begins like a span");
/* A span of activity begins with its times, which is all that `find` reads. */
_Static_assert(offsetof(struct activity_span, from_ms) == offsetof(struct hours_span, from_ms) &&
                   offsetof(struct activity_span, until_ms) == offsetof(struct hours_span, until_ms),
    "begins like a span");

static enum hours_part part_of(enum hours_user user)
{
    return user == HOURS_USER_INTERNAL   ? HOURS_INTERNAL
           : user == HOURS_USER_EXTERNAL ? HOURS_EXTERNAL
                                         : HOURS_UNATTRIBUTED;
}

static struct hours_row row(enum hours_part part, enum hours_evidence evidence)
{
    return (struct hours_row){.part = part, .evidence = evidence};
}

static struct hours_row classify(struct division *d, int64_t time_ms)
{
    const struct hours_facts *f = d->facts;
    const struct hours_span *found;
    if ((found = find(&d->broken, time_ms)) != NULL)
        return row(HOURS_BROKEN, found->evidence);
    if ((found = find(&d->planned, time_ms)) != NULL)
        return row(HOURS_PLANNED, found->evidence);
    const struct hours_session *session = (const struct hours_session *)find(&d->sessions, time_ms);
    if (session != NULL && session->is_training)
        return row(HOURS_TRAINING, session->span.evidence);
    const struct activity_span *activity = (const struct activity_span *)find(&d->activity, time_ms);
    enum activity_state state = activity != NULL ? activity->state : ACTIVITY_UNKNOWN;
    enum hours_user user = session != NULL ? session->user : HOURS_USER_UNKNOWN;
    if (f->has_power && state == ACTIVITY_RUNNING)
        return row(part_of(user), EVIDENCE_MEASURED);
    if (session != NULL && (!f->has_power || find(&d->effective, time_ms) != NULL))
        return row(part_of(user), session->span.evidence);
    if ((f->has_power && state == ACTIVITY_UNKNOWN) || find(&d->unseen, time_ms) != NULL)
        return row(HOURS_UNKNOWN, EVIDENCE_NONE);
    if (session != NULL)
        return row(HOURS_IDLE, session->span.evidence);
    if ((found = find(&d->no_shows, time_ms)) != NULL)
        return row(HOURS_NO_SHOW, found->evidence);
    bool has_sessions = f->has_sessions || find(&d->telling, time_ms) != NULL;
    if ((found = find(&d->bookings, time_ms)) != NULL)
        return f->has_power || has_sessions ? row(HOURS_RESERVED, found->evidence)
                                            : row(HOURS_UNKNOWN, EVIDENCE_NONE);
    if (!opening_at(f->opening, f->zone, time_ms).is_open)
        return row(HOURS_CLOSED, EVIDENCE_DECLARED);
    return row(HOURS_FREE, f->has_power   ? EVIDENCE_MEASURED
                           : has_sessions ? EVIDENCE_DECLARED
                                          : EVIDENCE_IMPORTED);
}

static void append(struct hours *h, struct hours_row r, int64_t from_ms, int64_t until_ms)
{
    h->part_ms[r.part] += until_ms - from_ms;
    struct hours_row *last = h->count > 0 ? &h->rows[h->count - 1] : NULL;
    if (last != NULL && last->part == r.part && last->evidence == r.evidence) {
        last->until_ms = until_ms;
        return;
    }
    MEM_GROW(h->rows, h->count, h->capacity);
    r.from_ms = from_ms;
    r.until_ms = until_ms;
    h->rows[h->count++] = r;
}

static struct edges all_edges(const struct division *d)
{
    const struct hours_facts *f = d->facts;
    struct edges e = {NULL, 0, 0};
    const struct walk *const walks[] = {&d->broken, &d->planned, &d->bookings, &d->sessions, &d->unseen,
        &d->activity, &d->effective, &d->telling};
    for (size_t i = 0; i < sizeof walks / sizeof walks[0]; i++)
        add_walk(&e, f, walks[i]);
    for (int64_t at_ms = f->begin_ms; at_ms < f->end_ms;) {
        int64_t until_ms = opening_at(f->opening, f->zone, at_ms).until_ms;
        /* It says nothing of what is farther away. */
        at_ms = until_ms != INT64_MAX ? until_ms : at_ms + OPENING_AHEAD_MS;
        add_edge(&e, f, at_ms);
    }
    if (e.count > 0)
        qsort(e.at_ms, e.count, sizeof *e.at_ms, by_time);
    return e;
}

void hours_divide(const struct hours_facts *f, struct hours *ret)
{
    assert(f->begin_ms <= f->end_ms && f->end_ms <= f->known_until_ms);
    *ret = (struct hours){.count = 0};
    struct hours_span *absent = mem_alloc((f->bookings.count + 1) * sizeof *absent);
    struct hours_list no_shows = {absent, 0};
    for (size_t i = 0; i < f->bookings.count; i++)
        if (is_no_show(f, &f->bookings.items[i]))
            absent[no_shows.count++] = f->bookings.items[i];
    struct effective effective;
    effective_find(f, &effective);
    struct division d = {f, walk_of(f->broken), walk_of(f->planned), walk_of(f->bookings), walk_of(no_shows),
        {f->sessions, sizeof *f->sessions, f->session_count, 0}, walk_of(f->unseen),
        {f->activity, sizeof *f->activity, f->activity_count, 0},
        walk_of((struct hours_list){effective.items, effective.count}), walk_of(f->telling)};
    struct edges e = all_edges(&d);
    int64_t at_ms = f->begin_ms;
    for (size_t i = 0; i <= e.count; i++) {
        int64_t next_ms = i < e.count ? e.at_ms[i] : f->end_ms;
        if (next_ms > at_ms)
            append(ret, classify(&d, at_ms), at_ms, next_ms);
        at_ms = next_ms;
    }
    free(e.at_ms);
    effective_release(&effective);
    free(absent);
}

void hours_release(struct hours *h)
{
    free(h->rows);
    *h = (struct hours){.count = 0};
}
