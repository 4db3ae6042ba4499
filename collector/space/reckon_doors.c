/* What the doors of a space say: live, and between two anchors corrected. */
#include "collector/space/quarters.h"
#include "collector/space/reckon.h"

#include "lib/mem.h"

#include <stdlib.h>

/* What one reckoning has to do with. */
struct work {
    struct db *db;
    const struct reckon_doors *d;
    struct anchors anchors;
    int64_t newest_ms; /* of all doors */
};

static enum status find_newest(struct work *w, struct error *err)
{
    enum status status = ST_OK;
    w->newest_ms = INT64_MIN;
    for (size_t i = 0; i < 2 * w->d->count && status == ST_OK; i++) {
        const struct door_points *p = &w->d->doors[i / 2];
        int64_t first_ms, last_ms;
        status = samples_ends(w->db, i % 2 == 0 ? p->in : p->out, &first_ms, &last_ms, err);
        if (status == ST_OK && last_ms > w->newest_ms)
            w->newest_ms = last_ms;
    }
    return status;
}

/* How many are inside at the begin of a quarter hour, by the rows before it. */
static enum status find_base(
    const struct work *w, int64_t at_ms, bool *ret_is_known, int64_t *ret, struct error *err)
{
    struct anchor a;
    struct space_row before;
    bool is_there;
    enum status status = rows_last(w->db, w->d->live, at_ms, &before, &is_there, err);
    *ret_is_known = false;
    if (status != ST_OK || !anchors_last(&w->anchors, at_ms, &a) || at_ms - a.time_ms >= ANCHORS_HOLD_MS)
        return status;
    bool is_since = is_there && before.start_ms + ROWS_QUARTER_MS > a.time_ms;
    *ret_is_known = !is_since || before.has_persons;
    *ret = is_since ? before.persons : a.persons;
    return ST_OK;
}

/* Who passed in each quarter hour, and how many were inside at its end. */
static void follow(struct quarter_rows *q, const struct flow_event *events, size_t count)
{
    bool is_anchored = false;
    int64_t persons = 0;
    size_t at = 0;
    for (size_t i = 0; i < q->count; i++) {
        struct space_row *r = &q->rows[i];
        for (; at < count && events[at].time_ms < r->start_ms + ROWS_QUARTER_MS; at++) {
            const struct flow_event *e = &events[at];
            bool is_passed = e->kind == FLOW_PASSED;
            persons = e->kind == FLOW_ANCHOR ? e->in : persons + (is_passed ? e->in - e->out : 0);
            is_anchored = e->kind == FLOW_ANCHOR || (is_anchored && e->kind != FLOW_LOST);
            r->window.entries += is_passed ? e->in : 0;
            r->window.exits += is_passed ? e->out : 0;
        }
        r->has_persons = is_anchored;
        r->persons = is_anchored ? persons : 0;
    }
}

static enum status write_live(struct work *w, int64_t from_ms, int64_t until_ms, struct error *err)
{
    struct quarter_rows q;
    struct passages p;
    bool is_known;
    int64_t base = 0;
    quarter_rows_init(&q, from_ms, until_ms);
    int64_t end_ms = quarter_rows_end(&q);
    enum status status = find_base(w, q.from_ms, &is_known, &base, err);
    if (status != ST_OK) {
        quarter_rows_release(&q);
        return status;
    }
    status = passages_read(
        &p, w->db, w->d->doors, w->d->count, &w->anchors, is_known ? &base : NULL, q.from_ms, end_ms, err);
    if (status == ST_OK) {
        flow_live(p.events, p.count, end_ms, &(struct level_sink){&q, quarter_rows_add});
        follow(&q, p.events, p.count);
        for (size_t i = 0; i < p.seen_count; i++)
            quarter_rows_see(&q, p.seen[i].from_ms, p.seen[i].until_ms);
        status = quarter_rows_write(&q, w->db, w->d->live, err);
    }
    passages_release(&p);
    quarter_rows_release(&q);
    return status;
}

/* ---- corrected ---- */

struct stretches {
    struct flow_stretch *items;
    size_t count, capacity;
};

static void mark(struct quarter_rows *q, const struct flow_stretch *s)
{
    for (size_t i = 0; i < q->count; i++)
        q->rows[i].is_marked |= s->is_marked && s->from_ms < q->rows[i].start_ms + ROWS_QUARTER_MS &&
                                s->until_ms > q->rows[i].start_ms;
}

static void correct(const struct passages *p, struct quarter_rows *q, struct stretches *ret)
{
    struct flow_stretch s;
    for (size_t at = 0; at < p->count;) {
        while (at < p->count && p->events[at].kind != FLOW_ANCHOR)
            at++;
        size_t end = at;
        if (!flow_stretch(p->events, p->count, &end, &s))
            return;
        flow_corrected(p->events, p->count, at, &(struct level_sink){q, quarter_rows_add});
        mark(q, &s);
        MEM_GROW(ret->items, ret->count, ret->capacity);
        ret->items[ret->count++] = s;
        at = end;
    }
}

/* It has a row where the live one has, as far as it was anchored on both sides. */
static enum status see_as_live(
    const struct work *w, struct quarter_rows *q, const struct stretches *found, struct error *err)
{
    struct space_row *live;
    size_t count;
    enum status status = rows_read(w->db, w->d->live, q->from_ms, quarter_rows_end(q), &live, &count, err);
    int64_t from_ms = found->items[0].from_ms, until_ms = found->items[found->count - 1].until_ms;
    for (size_t i = 0; i < count && status == ST_OK; i++)
        if (live[i].start_ms + ROWS_QUARTER_MS > from_ms && live[i].start_ms < until_ms)
            quarter_rows_see(q, live[i].start_ms, live[i].start_ms);
    free(live);
    return status;
}

static bool is_whole(int64_t time_ms)
{
    return time_ms == quarter_floor(time_ms);
}

/* From anchor to anchor. A quarter hour in which an anchor lies is of both stretches, so the next one is reckoned with. */
static enum status write_corrected(struct work *w, int64_t from_ms, int64_t until_ms, int64_t event_from_ms,
    int64_t event_until_ms, struct error *err)
{
    struct quarter_rows q;
    struct passages p;
    struct stretches found = {0};
    quarter_rows_init(&q, from_ms, until_ms);
    enum status status = passages_read(
        &p, w->db, w->d->doors, w->d->count, &w->anchors, NULL, event_from_ms, event_until_ms + 1, err);
    if (status == ST_OK) {
        correct(&p, &q, &found);
        status = found.count > 0 ? see_as_live(w, &q, &found, err) : ST_OK;
    }
    if (status == ST_OK)
        status = quarter_rows_write(&q, w->db, w->d->corrected, err);
    if (status == ST_OK)
        status = rows_write_stretches(
            w->db, w->d->corrected, event_from_ms, event_until_ms, found.items, found.count, err);
    free(found.items);
    passages_release(&p);
    quarter_rows_release(&q);
    return status;
}

static enum status correct_around(struct work *w, int64_t from_ms, int64_t until_ms, struct error *err)
{
    struct anchor first, last, beside;
    if (!anchors_last(&w->anchors, from_ms, &first) && !anchors_next(&w->anchors, from_ms, &first))
        return ST_OK;
    if (!anchors_next(&w->anchors, until_ms, &last) || last.time_ms > w->newest_ms)
        if (!anchors_last(&w->anchors, w->newest_ms, &last))
            return ST_OK;
    if (last.time_ms <= first.time_ms)
        return ST_OK;
    int64_t event_from_ms = first.time_ms, event_until_ms = last.time_ms;
    if (!is_whole(first.time_ms) && anchors_last(&w->anchors, first.time_ms - 1, &beside))
        event_from_ms = beside.time_ms;
    if (!is_whole(last.time_ms) && anchors_next(&w->anchors, last.time_ms, &beside) &&
        beside.time_ms <= w->newest_ms)
        event_until_ms = beside.time_ms;
    return write_corrected(w, first.time_ms, last.time_ms, event_from_ms, event_until_ms, err);
}

enum status reckon_doors(
    struct db *db, const struct reckon_doors *d, int64_t from_ms, int64_t until_ms, struct error *err)
{
    struct work w = {.db = db, .d = d};
    struct anchor next;
    enum status status = find_newest(&w, err);
    if (status != ST_OK || w.newest_ms < from_ms)
        return status;
    status = anchors_read(&w.anchors, db, d->space, d->zone, d->reset_min, from_ms - ANCHORS_HOLD_MS,
        until_ms + ANCHORS_HOLD_MS, err);
    /* Until the next anchor, with the quarter hour in which that lies. */
    int64_t end_ms = w.newest_ms + 1;
    if (status == ST_OK && anchors_next(&w.anchors, until_ms, &next) && next.time_ms < end_ms)
        end_ms = next.time_ms;
    if (status == ST_OK)
        status = write_live(&w, from_ms, end_ms, err);
    if (status == ST_OK)
        status = correct_around(&w, from_ms, until_ms, err);
    anchors_release(&w.anchors);
    return status;
}
