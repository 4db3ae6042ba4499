#include "collector/space/flow.h"

#include <stdlib.h>

static void emit(const struct level_sink *sink, int64_t from_ms, int64_t until_ms, int64_t level)
{
    if (from_ms < until_ms)
        sink->emit(
            sink->context, &(struct level_piece){.from_ms = from_ms, .until_ms = until_ms, .level = level});
}

void flow_live(const struct flow_event *events, size_t count, int64_t until_ms, const struct level_sink *sink)
{
    bool is_anchored = false;
    int64_t persons = 0, blind = 0;
    for (size_t i = 0; i < count && events[i].time_ms < until_ms; i++) {
        const struct flow_event *e = &events[i];
        persons = e->kind == FLOW_ANCHOR ? e->in : persons;
        persons += e->kind == FLOW_PASSED ? e->in - e->out : 0;
        blind += (e->kind == FLOW_BLIND) - (e->kind == FLOW_SEES);
        is_anchored = e->kind == FLOW_ANCHOR || (is_anchored && e->kind != FLOW_LOST);
        int64_t next_ms =
            i + 1 < count && events[i + 1].time_ms < until_ms ? events[i + 1].time_ms : until_ms;
        if (is_anchored && blind == 0)
            emit(sink, e->time_ms, next_ms, persons * LEVEL_PERSON);
    }
}

static enum flow_verdict verdict_of(const struct flow_stretch *s)
{
    if (s->residual == 0)
        return FLOW_EXACT;
    int64_t deficient = s->residual > 0 ? s->out : s->in;
    if (deficient == 0)
        return FLOW_NO_STREAM;
    if (llabs(s->residual) > deficient)
        return FLOW_TOO_MUCH;
    return s->residual > 0 ? FLOW_OUT_SCALED : FLOW_IN_SCALED;
}

bool flow_stretch(const struct flow_event *events, size_t count, size_t *at, struct flow_stretch *ret)
{
    size_t i = *at;
    while (i < count && events[i].kind != FLOW_ANCHOR)
        i++;
    if (i == count)
        return false;
    struct flow_stretch s = {.from_ms = events[i].time_ms, .start = events[i].in};
    bool is_lost = false;
    for (i++; i < count && events[i].kind != FLOW_ANCHOR; i++) {
        is_lost |= events[i].kind == FLOW_LOST;
        s.in += events[i].kind == FLOW_PASSED ? events[i].in : 0;
        s.out += events[i].kind == FLOW_PASSED ? events[i].out : 0;
    }
    *at = i;
    if (i == count)
        return false;
    s.until_ms = events[i].time_ms;
    s.end = events[i].in;
    s.residual = s.start + s.in - s.out - s.end;
    s.is_marked = 5 * llabs(s.residual) > (s.in > s.out ? s.in : s.out);
    s.verdict = is_lost ? FLOW_UNKNOWN : verdict_of(&s);
    *ret = s;
    return true;
}

/* Thousandths of people, rounded half away from zero. */
static int64_t scaled(int64_t passed, int64_t num, int64_t den)
{
    return den == 0 ? 0 : (2 * passed * num * LEVEL_PERSON + den) / (2 * den);
}

void flow_corrected(const struct flow_event *events, size_t count, size_t at, const struct level_sink *sink)
{
    struct flow_stretch s;
    size_t end = at;
    if (!flow_stretch(events, count, &end, &s) || s.verdict > FLOW_IN_SCALED)
        return;
    int64_t in = 0, out = 0, blind = 0;
    for (size_t i = 0; i < end; i++) {
        const struct flow_event *e = &events[i];
        blind += (e->kind == FLOW_BLIND) - (e->kind == FLOW_SEES);
        if (i < at)
            continue;
        in += e->kind == FLOW_PASSED ? e->in : 0;
        out += e->kind == FLOW_PASSED ? e->out : 0;
        int64_t went_in = scaled(in, s.in + (s.residual < 0 ? -s.residual : 0), s.in);
        int64_t went_out = scaled(out, s.out + (s.residual > 0 ? s.residual : 0), s.out);
        if (blind == 0)
            emit(sink, e->time_ms, events[i + 1].time_ms, s.start * LEVEL_PERSON + went_in - went_out);
    }
}
