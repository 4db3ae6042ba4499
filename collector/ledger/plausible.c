#include "collector/ledger/plausible.h"

/* Longer than any history; the products below stay within 128 bits. */
#define TIME_MAX INT64_C(10000000000000000)

/* counts x p/q <= 1.2 x max_rate x time / 3 600 000 + 2 x resolution x p/q, multiplied out by q x 3 000 000.
 * counts < 2^63 and p <= 10^9: the left side stays below 2.8 x 10^34; the right below 10^37. */
static bool fits(const struct segment *s, int64_t time_ms, __int128 counts)
{
    int64_t within_ms = time_ms < TIME_MAX ? time_ms : TIME_MAX;
    return (counts - 2 * (__int128)s->resolution) * s->p * 3000000 <=
           (__int128)s->max_rate * within_ms * s->q;
}

bool plausible_counts(const struct segment *s, int64_t time_ms, int64_t from, int64_t to, int64_t *ret_counts)
{
    __int128 counts = (__int128)to - from;
    if (counts < 0 && -counts <= 2 * (__int128)s->resolution)
        counts = 0;
    if (counts < 0 && s->modulus > 0)
        counts += s->modulus;
    if (counts < 0 || !fits(s, time_ms, counts))
        return false;
    if (s->modulus > 0 && fits(s, time_ms, counts + s->modulus))
        return false;
    *ret_counts = (int64_t)counts;
    return true;
}

bool plausible_is_above_limit(const struct segment *s, int64_t time_ms, int64_t from, int64_t to)
{
    return to > from && !fits(s, time_ms, (__int128)to - from);
}
