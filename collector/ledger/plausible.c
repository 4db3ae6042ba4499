#include "collector/ledger/plausible.h"

/* Longer than any history; the products below stay within 128 bits. */
#define TIME_MAX INT64_C(10000000000000000)

/* 1.2 x max_rate x time, in 3 000 000ths. */
static __int128 by_rate(const struct segment *s, int64_t time_ms)
{
    return (__int128)s->max_rate * (time_ms < TIME_MAX ? time_ms : TIME_MAX);
}

/* counts x p/q <= 1.2 x max_rate x time / 3 600 000 + 2 x resolution x p/q, multiplied out by q x 3 000 000.
 * counts < 2^63 and p <= 10^9: the left side stays below 2.8 x 10^34; the right below 10^37. */
static bool fits(const struct segment *s, int64_t time_ms, __int128 counts)
{
    int64_t within_ms = time_ms < TIME_MAX ? time_ms : TIME_MAX;
    return (counts - 2 * (__int128)s->resolution) * s->p * 3000000 <=
           (__int128)s->max_rate * within_ms * s->q;
}

bool plausible_least(const struct segment *s, int64_t from, int64_t to, int64_t *ret_counts)
{
    __int128 counts = (__int128)to - from;
    if (counts < 0 && -counts <= 2 * (__int128)s->resolution)
        counts = 0;
    if (counts < 0 && s->modulus > 0)
        counts += s->modulus;
    if (counts < 0)
        return false;
    *ret_counts = (int64_t)counts;
    return true;
}

bool plausible_counts(const struct segment *s, int64_t time_ms, int64_t from, int64_t to, int64_t *ret_counts)
{
    int64_t counts;
    if (!plausible_least(s, from, to, &counts) || !fits(s, time_ms, counts))
        return false;
    if (s->modulus > 0 && fits(s, time_ms, (__int128)counts + s->modulus))
        return false;
    *ret_counts = counts;
    return true;
}

bool plausible_add_leg(struct plausible_legs *legs, const struct segment *s, int64_t time_ms, int64_t counts)
{
    struct exact limit = EXACT_ZERO;
    __int128 moved = (__int128)counts * s->p;
    if (!(moved < 0 ? exact_add(&legs->down, -moved, s->q) : exact_add(&legs->up, moved, s->q)) ||
        !exact_add(&limit, by_rate(s, time_ms), 3000000) ||
        !exact_add(&limit, 2 * (__int128)s->resolution * s->p, s->q))
        return false;
    if (exact_is_greater(&limit, &legs->limit))
        legs->limit = limit;
    if (s->modulus == 0)
        return true;
    struct exact wrap = EXACT_ZERO;
    if (!exact_add(&wrap, (__int128)s->modulus * s->p, s->q))
        return false;
    if (!legs->has_wrap || exact_is_greater(&legs->wrap, &wrap))
        legs->wrap = wrap;
    legs->has_wrap = true;
    return true;
}

/* a += b */
static bool add(struct exact *a, const struct exact *b)
{
    return exact_add(a, b->whole, 1) && exact_add(a, b->part, (int64_t)b->of);
}

bool plausible_is_above_limit(const struct plausible_legs *legs)
{
    struct exact most = legs->limit;
    return add(&most, &legs->down) && exact_is_greater(&legs->up, &most);
}

bool plausible_is_sum(const struct plausible_legs *legs)
{
    if (exact_is_greater(&legs->up, &legs->limit))
        return false;
    struct exact further = legs->up;
    return !legs->has_wrap || (add(&further, &legs->wrap) && exact_is_greater(&further, &legs->limit));
}
