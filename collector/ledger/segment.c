#include "collector/ledger/segment.h"
#include "collector/ledger/plausible.h"

#include <stddef.h>

static bool is_count(int64_t count)
{
    return count >= -SEGMENT_COUNT_MAX && count <= SEGMENT_COUNT_MAX;
}

const char *segment_problem(const struct segment *s)
{
    if (s->until_ms <= s->from_ms)
        return "ends before it begins";
    if (s->modulus < 0 || s->modulus > SEGMENT_COUNT_MAX + 1)
        return "has a modulus that is not from 1 to 10^15 + 1";
    if (s->resolution < 1 || s->resolution > SEGMENT_COUNT_MAX)
        return "has a resolution that is not from 1 to 10^15";
    if (s->max_rate < 0 || s->max_rate > SEGMENT_RATE_MAX)
        return "has a max_rate that is not from 0 to 10^12";
    if (s->p < 1 || s->p > SEGMENT_RATIO_MAX || s->q < 1 || s->q > SEGMENT_RATIO_MAX)
        return "has a ratio whose parts are not from 1 to 10^9";
    if (s->has_start && !segment_takes(s, s->start))
        return "has a start register that its register cannot show";
    if (s->has_end && !segment_takes(s, s->end))
        return "has an end register that its register cannot show";
    return NULL;
}

bool segment_takes(const struct segment *s, int64_t count)
{
    return is_count(count) && (s->modulus == 0 || (count >= 0 && count < s->modulus));
}

/* The instant is what somebody wrote down: the replacement itself was up to 30 min before or after it. */
static bool is_before_the_end(const struct segment *s, int64_t count)
{
    int64_t counts;
    return segment_takes(s, count) && plausible_counts(s, SEGMENT_JOIN_MS, count, s->end, &counts);
}

static bool is_after_the_start(const struct segment *s, int64_t count)
{
    int64_t counts;
    return segment_takes(s, count) && plausible_counts(s, SEGMENT_JOIN_MS, s->start, count, &counts);
}

static int64_t distance(int64_t a_ms, int64_t b_ms)
{
    __int128 between = (__int128)a_ms - b_ms;
    if (between < 0)
        between = -between;
    return between > INT64_MAX ? INT64_MAX : (int64_t)between;
}

/* Beside the instant where `before` ends and `after` begins; SEGMENT_NONE where there is none. */
static int64_t beside_a_join(
    const struct segments *all, int64_t before, int64_t after, int64_t by_time, int64_t count)
{
    const struct segment *old = before != SEGMENT_NONE ? &all->items[before] : NULL;
    const struct segment *next = after != SEGMENT_NONE ? &all->items[after] : NULL;
    if ((old != NULL && !old->has_end) || (next != NULL && !next->has_start))
        return by_time;
    bool is_old = old != NULL && is_before_the_end(old, count);
    bool is_new = next != NULL && is_after_the_start(next, count);
    if (is_old == is_new)
        return by_time;
    return is_old ? before : after;
}

/* SEGMENT_NONE unless it is there, and of the point. */
static int64_t of_point(const struct segments *all, int64_t segment, int64_t point)
{
    bool is_there = segment >= 0 && segment < all->count;
    return is_there && all->items[segment].point == point ? segment : SEGMENT_NONE;
}

static bool touches(const struct segments *all, int64_t before, int64_t after)
{
    return before >= 0 && after < all->count && all->items[before].until_ms == all->items[after].from_ms;
}

int64_t segment_of(const struct segments *all, int64_t point, int64_t time_ms, int64_t count)
{
    int64_t next = 0; /* the first that ends after the time */
    while (next < all->count && all->items[next].until_ms <= time_ms)
        next++;
    bool is_covered = next < all->count && all->items[next].from_ms <= time_ms;
    int64_t by_time = is_covered ? of_point(all, next, point) : SEGMENT_NONE;
    /* The nearer of the instants before and after it; a segment may be shorter than an hour. */
    int64_t since_ms = INT64_MAX, till_ms = INT64_MAX;
    if (is_covered || next > 0)
        since_ms = distance(time_ms, is_covered ? all->items[next].from_ms : all->items[next - 1].until_ms);
    if (next < all->count && (!is_covered || all->items[next].until_ms != INT64_MAX))
        till_ms = distance(time_ms, is_covered ? all->items[next].until_ms : all->items[next].from_ms);
    if (since_ms > SEGMENT_JOIN_MS && till_ms > SEGMENT_JOIN_MS)
        return by_time;
    int64_t before = next - 1, after = next; /* of the nearer instant */
    if (is_covered && since_ms > till_ms) {
        before = next;
        after = next + 1;
    }
    if (!touches(all, before, after)) { /* before the first, after the last, or beside a hole between two */
        bool is_after = is_covered ? after == next : since_ms > till_ms;
        before = is_after ? SEGMENT_NONE : before;
        after = is_after ? after : SEGMENT_NONE;
    }
    return beside_a_join(all, of_point(all, before, point), of_point(all, after, point), by_time, count);
}

int64_t segment_of_time(const struct segments *all, int64_t time_ms)
{
    for (int64_t i = 0; i < all->count; i++)
        if (all->items[i].from_ms <= time_ms && time_ms < all->items[i].until_ms)
            return i;
    return SEGMENT_NONE;
}

int64_t segment_inside(const struct segments *all, int64_t time_ms)
{
    for (int64_t i = 0; i < all->count; i++)
        if (all->items[i].from_ms < time_ms && time_ms < all->items[i].until_ms)
            return i;
    return SEGMENT_NONE;
}

bool segment_is_joined(const struct segments *all, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i++)
        if (!all->items[i].has_end || !all->items[i + 1].has_start || !touches(all, i, i + 1))
            return false;
    return true;
}

bool segment_add(int64_t a, int64_t b, int64_t *ret_sum)
{
    return !__builtin_add_overflow(a, b, ret_sum);
}

bool segment_energy(const struct segment *s, int64_t start, int64_t counts, int64_t *ret_energy)
{
    __int128 product = (__int128)counts * s->p;
    __int128 energy = product / s->q;
    if (product % s->q < 0)
        energy--;
    energy += start;
    if (energy < INT64_MIN || energy > INT64_MAX)
        return false;
    *ret_energy = (int64_t)energy;
    return true;
}
