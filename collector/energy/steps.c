#include "collector/energy/steps.h"

#include "lib/mem.h"

#include <stdlib.h>

static int64_t end_of_step(const struct zone *zone, int64_t time_ms, enum steps_kind kind, int64_t last_ms)
{
    switch (kind) {
    case STEPS_QUARTER_HOUR:
        return time_ms + PERIODS_QUARTER_HOUR_MS;
    case STEPS_HOUR:
        return periods_hour(zone, time_ms).span.end_ms;
    case STEPS_DAY:
        return periods_span(zone, periods_of(zone, PERIODS_DAY, time_ms)).end_ms;
    case STEPS_MONTH:
        return periods_span(zone, periods_of(zone, PERIODS_MONTH, time_ms)).end_ms;
    case STEPS_WHOLE:
        return last_ms;
    }
    abort();
}

void steps_cut(struct steps *steps, const struct zone *zone, struct periods_span span, enum steps_kind kind)
{
    *steps = (struct steps){0};
    int64_t at_ms = span.begin_ms;
    do {
        if (at_ms == span.end_ms && kind != STEPS_WHOLE)
            break;
        int64_t end_ms = end_of_step(zone, at_ms, kind, span.end_ms);
        if (end_ms > span.end_ms)
            end_ms = span.end_ms;
        MEM_GROW(steps->spans, steps->count, steps->capacity);
        steps->spans[steps->count++] = (struct periods_span){at_ms, end_ms};
        at_ms = end_ms;
    } while (at_ms < span.end_ms);
}

void steps_release(struct steps *steps)
{
    free(steps->spans);
    *steps = (struct steps){0};
}
