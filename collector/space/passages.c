#include "collector/space/passages.h"

#include "lib/mem.h"

#include <stdlib.h>

struct reach {
    struct passages *p;
    const struct anchors *anchors;
    int64_t from_ms, until_ms;
};

static void add(const struct reach *r, int64_t time_ms, enum flow_kind kind, int64_t in, int64_t out)
{
    struct passages *p = r->p;
    if (time_ms < r->from_ms || time_ms >= r->until_ms)
        return;
    MEM_GROW(p->events, p->count, p->capacity);
    p->events[p->count++] = (struct flow_event){.time_ms = time_ms, .kind = kind, .in = in, .out = out};
}

/* At `from` what was said before it still holds. */
static void add_blind(const struct reach *r, int64_t since_ms)
{
    add(r, since_ms > r->from_ms ? since_ms : r->from_ms, FLOW_BLIND, 0, 0);
}

static void add_seen(const struct reach *r, int64_t from_ms, int64_t until_ms)
{
    struct passages *p = r->p;
    MEM_GROW(p->seen, p->seen_count, p->seen_capacity);
    p->seen[p->seen_count++] = (struct seen_span){from_ms, until_ms};
}

static bool has_anchor_between(const struct reach *r, int64_t after_ms, int64_t before_ms)
{
    struct anchor last;
    return anchors_last(r->anchors, before_ms - 1, &last) && last.time_ms > after_ms;
}

static void add_step(
    const struct reach *r, const struct door_points *d, bool is_in, const struct reading_of *before)
{
    const struct reading_of *after = before + 1;
    int64_t elapsed_ms = after->time_ms - before->time_ms;
    bool is_gap = elapsed_ms > d->gap_ms;
    struct door_step step = door_step(&d->limits, before->value, after->value, elapsed_ms);
    bool is_anybodys = is_gap && step.persons > 0 && has_anchor_between(r, before->time_ms, after->time_ms);
    if (step.kind == DOOR_LOST || is_anybodys)
        add(r, after->time_ms, FLOW_LOST, 0, 0);
    else if (step.persons > 0)
        add(r, after->time_ms, FLOW_PASSED, is_in ? step.persons : 0, is_in ? 0 : step.persons);
    add_seen(r, is_gap ? after->time_ms : before->time_ms, after->time_ms);
    if (is_gap && after->time_ms >= r->from_ms) {
        add_blind(r, before->time_ms);
        add(r, after->time_ms, FLOW_SEES, 0, 0);
    }
}

static void add_stream(
    const struct reach *r, const struct door_points *d, bool is_in, const struct readings_of *readings)
{
    size_t count = readings->count;
    const struct reading_of *items = readings->items;
    if (count == 0 || items[0].time_ms >= r->from_ms) {
        add_blind(r, r->from_ms);
        if (count > 0) {
            add(r, items[0].time_ms, FLOW_LOST, 0, 0);
            add(r, items[0].time_ms, FLOW_SEES, 0, 0);
        }
    }
    for (size_t i = 0; i + 1 < count; i++)
        add_step(r, d, is_in, &items[i]);
    if (count > 0) {
        add_seen(r, items[0].time_ms, items[0].time_ms);
        add_blind(r, items[count - 1].time_ms);
    }
}

static void add_anchors(const struct reach *r)
{
    struct anchor a, next;
    bool is_there = anchors_last(r->anchors, r->from_ms, &a) || anchors_next(r->anchors, r->from_ms, &a);
    while (is_there && a.time_ms < r->until_ms) {
        add(r, a.time_ms, FLOW_ANCHOR, a.persons, 0);
        is_there = anchors_next(r->anchors, a.time_ms, &next);
        if (!is_there || next.time_ms - a.time_ms > ANCHORS_HOLD_MS)
            add(r, a.time_ms + ANCHORS_HOLD_MS, FLOW_LOST, 0, 0);
        a = next;
    }
}

/* At one time: who passed, what was lost, who sees again, who is blind from here on, and then how many are inside. */
static int by_time(const void *a, const void *b)
{
    static const int ranks[] = {
        [FLOW_PASSED] = 0, [FLOW_LOST] = 1, [FLOW_SEES] = 2, [FLOW_BLIND] = 3, [FLOW_ANCHOR] = 4};
    const struct flow_event *x = a, *y = b;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return ranks[x->kind] - ranks[y->kind];
}

enum status passages_read(struct passages *p, struct db *db, const struct door_points *doors, size_t count,
    const struct anchors *anchors, const int64_t *base, int64_t from_ms, int64_t until_ms, struct error *err)
{
    *p = (struct passages){0};
    struct reach r = {p, anchors, from_ms, until_ms};
    struct readings_of readings = {0};
    enum status status = ST_OK;
    if (base != NULL) /* before all others: it stays the first */
        add(&r, from_ms, FLOW_ANCHOR, *base, 0);
    size_t first = p->count;
    for (size_t i = 0; i < 2 * count && status == ST_OK; i++) {
        const struct door_points *d = &doors[i / 2];
        bool is_in = i % 2 == 0;
        status = samples_read(db, is_in ? d->in : d->out, from_ms, until_ms, &readings, err);
        if (status == ST_OK)
            add_stream(&r, d, is_in, &readings);
    }
    samples_release(&readings);
    add_anchors(&r);
    if (p->count > first)
        qsort(p->events + first, p->count - first, sizeof *p->events, by_time);
    return status;
}

void passages_release(struct passages *p)
{
    free(p->events);
    free(p->seen);
    *p = (struct passages){0};
}
