#include "collector/energy/amounts.h"

#include <assert.h>
#include <stdlib.h>

#define QUARTER_S (PERIODS_QUARTER_HOUR_MS / 1000)

static void take_run(struct amount *a, enum series_state state, const int64_t *amounts, size_t count)
{
    int64_t seconds = (int64_t)count * QUARTER_S;
    switch (state) {
    case SERIES_MEASURED:
    case SERIES_ESTIMATED:
    case SERIES_MANUAL:
        quarters_add_run(&a->sum, (enum quality)state, amounts, count);
        return;
    case SERIES_UNKNOWN:
        quarters_add_run(&a->sum, QUALITY_UNKNOWN, NULL, count);
        break;
    case SERIES_WAITING:
        a->waiting_s += seconds;
        break;
    case SERIES_FUTURE:
        a->future_s += seconds;
        break;
    case SERIES_ABSENT:
        a->absent_s += seconds;
        break;
    }
    for (size_t i = 0; i < count; i++) /* of a virtual meter the part that is known; else 0 */
        a->sum.is_overflown =
            __builtin_add_overflow(a->sum.known, amounts[i], &a->sum.known) || a->sum.is_overflown;
}

void amounts_of(const struct series *s, const struct steps *steps, struct amount *ret)
{
    for (size_t k = 0; k < steps->count; k++) {
        struct periods_span span = steps->spans[k];
        assert(span.begin_ms >= s->span.begin_ms && span.end_ms <= s->span.end_ms);
        size_t until = (size_t)((span.end_ms - s->span.begin_ms) / PERIODS_QUARTER_HOUR_MS);
        ret[k] = (struct amount){0};
        for (size_t at = (size_t)((span.begin_ms - s->span.begin_ms) / PERIODS_QUARTER_HOUR_MS), end;
             at < until; at = end) {
            for (end = at + 1; end < until && s->states[end] == s->states[at]; end++)
                ;
            take_run(&ret[k], (enum series_state)s->states[at], s->amounts + at, end - at);
        }
    }
}

void amount_add(struct amount *to, const struct amount *other)
{
    quarters_merge(&to->sum, &other->sum);
    to->waiting_s += other->waiting_s;
    to->future_s += other->future_s;
    to->absent_s += other->absent_s;
}

bool amount_is_known(const struct amount *a, int64_t *ret)
{
    bool is_absent = a->absent_s > 0 && a->sum.count == 0;
    return a->waiting_s + a->future_s == 0 && !is_absent && quarters_amount(&a->sum, ret);
}

enum series_state amount_worst(const struct amount *a)
{
    if (a->sum.is_overflown || a->sum.unknown_s > 0)
        return SERIES_UNKNOWN;
    if (a->waiting_s > 0)
        return SERIES_WAITING;
    if (a->future_s > 0)
        return SERIES_FUTURE;
    if (a->absent_s > 0 && a->sum.count == 0)
        return SERIES_ABSENT;
    if (a->sum.manual_s > 0)
        return SERIES_MANUAL;
    return a->sum.estimated_s > 0 ? SERIES_ESTIMATED : SERIES_MEASURED;
}

int64_t amount_due(const struct amount *a)
{
    return a->sum.count + a->waiting_s / QUARTER_S;
}

int64_t amount_covered(const struct amount *a)
{
    return a->sum.count - (a->sum.unknown_s + a->sum.estimated_s) / QUARTER_S;
}
