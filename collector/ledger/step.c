#include "collector/ledger/step.h"
#include "collector/ledger/plausible.h"

#include <stddef.h>

static int64_t time_between(const struct step_point *from, const struct step_point *to)
{
    __int128 passed = (__int128)to->time_ms - from->time_ms;
    return passed > INT64_MAX ? INT64_MAX : (int64_t)passed;
}

/* The counts of the step, segment by segment; for each leg `sum` is moved on when it is given. */
static bool go(const struct segments *all, const struct step_point *from, const struct step_point *to,
    struct step_sum *sum, struct step *ret)
{
    int64_t time_ms = time_between(from, to);
    int64_t count = from->count;
    bool is_across = from->segment != to->segment;
    struct plausible_legs legs = PLAUSIBLE_LEGS;
    for (int64_t i = from->segment;; i++) {
        const struct segment *s = &all->items[i];
        int64_t target = i == to->segment ? to->count : s->end, counts;
        bool is_possible = is_across ? plausible_least(s, count, target, &counts) &&
                                           plausible_add_leg(&legs, s, time_ms, counts)
                                     : plausible_counts(s, time_ms, count, target, &counts);
        if (!is_possible)
            return false;
        ret->is_positive = ret->is_positive || counts > 0;
        ret->is_rollover = ret->is_rollover || (target < count && counts > 0);
        if (sum != NULL && !(segment_add(sum->counts, counts, &sum->counts) &&
                               segment_energy(s, sum->start, sum->counts, &sum->energy)))
            return false;
        if (i == to->segment) {
            ret->count = counts == 0 ? count : target;
            return !is_across || plausible_is_sum(&legs);
        }
        count = all->items[i + 1].start;
        if (sum != NULL)
            *sum = (struct step_sum){.start = sum->energy, .energy = sum->energy};
    }
}

static bool may_go(const struct segments *all, const struct step_point *from, const struct step_point *to)
{
    return to->time_ms > from->time_ms && from->segment <= to->segment &&
           segment_is_joined(all, from->segment, to->segment);
}

bool step_try(const struct segments *all, const struct step_point *from, const struct step_sum *sum,
    const struct step_point *to, struct step *ret)
{
    *ret = (struct step){.sum = *sum};
    return may_go(all, from, to) && go(all, from, to, &ret->sum, ret);
}

bool step_is_plausible(
    const struct segments *all, const struct step_point *from, const struct step_point *to, struct step *ret)
{
    *ret = (struct step){0};
    return may_go(all, from, to) && go(all, from, to, NULL, ret);
}

bool step_is_above_limit(
    const struct segments *all, const struct step_point *from, const struct step_point *to)
{
    if (!may_go(all, from, to))
        return false;
    struct plausible_legs legs = PLAUSIBLE_LEGS;
    int64_t count = from->count;
    for (int64_t i = from->segment; i <= to->segment; i++) {
        int64_t target = i == to->segment ? to->count : all->items[i].end;
        if (!plausible_add_leg(&legs, &all->items[i], time_between(from, to), target - count))
            return false;
        count = i < to->segment ? all->items[i + 1].start : 0;
    }
    return plausible_is_above_limit(&legs);
}

struct step_sum step_begin(const struct segment *s, int64_t start, int64_t count)
{
    struct step_sum sum = {.start = start, .counts = s->has_start ? count - s->start : 0};
    if (sum.counts < 0 && s->modulus > 0)
        sum.counts += s->modulus;
    if (!segment_energy(s, start, sum.counts, &sum.energy))
        sum = (struct step_sum){.start = start, .energy = start};
    return sum;
}

struct step_sum step_restart(const struct segments *all, const struct step_point *from,
    const struct step_sum *sum, const struct step_point *to)
{
    return from->segment == to->segment ? *sum : step_begin(&all->items[to->segment], sum->energy, to->count);
}
