#include "collector/space/window.h"

#define MILLION INT64_C(1000000)

void window_merge(struct window *w, const struct window *other)
{
    if (other->observed_ms > 0) {
        w->min = w->observed_ms == 0 || other->min < w->min ? other->min : w->min;
        w->max = w->observed_ms == 0 || other->max > w->max ? other->max : w->max;
    }
    w->observed_ms += other->observed_ms;
    w->occupied_ms += other->occupied_ms;
    w->negative_ms += other->negative_ms;
    w->level_ms += other->level_ms;
    w->entries += other->entries;
    w->exits += other->exits;
}

void window_add(struct window *w, int64_t from_ms, int64_t until_ms, const struct level_piece *piece)
{
    int64_t begin_ms = piece->from_ms > from_ms ? piece->from_ms : from_ms;
    int64_t end_ms = piece->until_ms < until_ms ? piece->until_ms : until_ms;
    if (begin_ms >= end_ms)
        return;
    int64_t ms = end_ms - begin_ms, level = piece->level;
    window_merge(w, &(struct window){.observed_ms = ms,
                        .occupied_ms = level > 0 ? ms : 0,
                        .negative_ms = level < 0 ? ms : 0,
                        .level_ms = level > 0 ? level * ms : 0,
                        .min = level,
                        .max = level});
}

/* 128 bits: a year of many people in millionths. */
static int64_t share(__int128 part, int64_t whole)
{
    return (int64_t)((2 * part + whole) / ((__int128)2 * whole));
}

int64_t window_mean(const struct window *w)
{
    return share(w->level_ms, w->observed_ms);
}

bool window_utilisation(
    const struct window *open, int64_t capacity, int64_t *ret_frequency, int64_t *ret_rate)
{
    if (open->observed_ms == 0)
        return false;
    *ret_frequency = share((__int128)open->occupied_ms * MILLION, open->observed_ms);
    *ret_rate = open->occupied_ms == 0
                    ? 0
                    : share((__int128)open->level_ms * MILLION, open->occupied_ms * capacity * LEVEL_PERSON);
    return true;
}
