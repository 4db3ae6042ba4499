#include "collector/instrument/effective.h"

#include "lib/mem.h"

#include <stdlib.h>

static void add(struct effective *e, int64_t from_ms, int64_t until_ms)
{
    if (from_ms >= until_ms)
        return;
    MEM_GROW(e->items, e->count, e->capacity);
    e->items[e->count++] = (struct hours_span){from_ms, until_ms, EVIDENCE_DECLARED};
}

static int64_t lower_of(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

static int64_t higher_of(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

/* A session, as far as it was walked through. */
struct progress {
    const struct hours_facts *facts;
    struct effective *out;
    int64_t
        known_ms; /* before the first run: from when on all is known; after a run: where the unknown begins */
    int64_t run_ms;            /* the end of the last run */
    bool has_run, is_unbroken; /* there was one; nothing was unknown since */
};

static void unknown(struct progress *p, int64_t from_ms, int64_t until_ms)
{
    if (from_ms >= until_ms)
        return;
    if (!p->has_run)
        p->known_ms = until_ms;
    else if (p->is_unbroken)
        p->known_ms = from_ms;
    p->is_unbroken = false;
}

static void run(struct progress *p, int64_t from_ms, int64_t until_ms)
{
    if (!p->has_run)
        add(p->out, higher_of(p->known_ms, from_ms - p->facts->preparation_ms), from_ms);
    else if (p->is_unbroken && from_ms - p->run_ms <= p->facts->pause_ms)
        add(p->out, p->run_ms, from_ms);
    p->has_run = p->is_unbroken = true;
    p->run_ms = until_ms;
}

static void walk(
    const struct hours_facts *f, const struct hours_span *session, size_t *first, struct effective *out)
{
    struct progress p = {f, out, session->from_ms, 0, false, false};
    int64_t at_ms = session->from_ms;
    while (*first < f->activity_count && f->activity[*first].until_ms <= session->from_ms)
        (*first)++;
    for (size_t i = *first; i < f->activity_count && f->activity[i].from_ms < session->until_ms; i++) {
        const struct activity_span *a = &f->activity[i];
        int64_t from_ms = higher_of(a->from_ms, session->from_ms),
                until_ms = lower_of(a->until_ms, session->until_ms);
        unknown(&p, at_ms, from_ms);
        if (a->state == ACTIVITY_UNKNOWN)
            unknown(&p, from_ms, until_ms);
        else if (a->state == ACTIVITY_RUNNING)
            run(&p, from_ms, until_ms);
        at_ms = until_ms;
    }
    unknown(&p, at_ms, session->until_ms);
    if (p.has_run)
        add(out, p.run_ms,
            lower_of(p.is_unbroken ? session->until_ms : p.known_ms, p.run_ms + f->post_processing_ms));
}

void effective_find(const struct hours_facts *f, struct effective *ret)
{
    *ret = (struct effective){NULL, 0, 0};
    size_t first = 0;
    for (size_t i = 0; f->has_power && i < f->session_count; i++)
        walk(f, &f->sessions[i].span, &first, ret);
}

void effective_release(struct effective *e)
{
    free(e->items);
    *e = (struct effective){NULL, 0, 0};
}
