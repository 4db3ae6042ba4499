/*
 * What a time window keeps of a level (collector/space/level.h): parts that add up, so that an hour is the sum of its
 * quarter hours and a day of its hours, in whatever order. Percentages are worked out at the end, beside what was
 * observed. Pure; integers: exact up to 10^5 people for 3 years.
 */
#pragma once

#include "collector/space/level.h"

#include <stdbool.h>

struct window {
    int64_t observed_ms;
    int64_t occupied_ms; /* observed, more than nobody there */
    int64_t negative_ms; /* observed, less than nobody there: doors missed people */
    int64_t level_ms;    /* thousandths of a person x milliseconds, of max(0, level) */
    int64_t min, max;    /* thousandths of a person; of what was observed, if anything was */
    int64_t entries, exits;
};

/* Adds what of the piece lies in [from_ms, until_ms). */
void window_add(struct window *w, int64_t from_ms, int64_t until_ms, const struct level_piece *piece);

/* Adds another window's parts. */
void window_merge(struct window *w, const struct window *other);

/* Thousandths of a person, rounded half away from zero; observed_ms > 0. */
int64_t window_mean(const struct window *w);

/*
 * Utilisation of open hours = frequency x occupancy rate: occupied / observed time, x people / capacity while in use. Of
 * windows that were added up over open hours alone. In millionths; of a space for `capacity` > 0 people; false where
 * nothing was observed. The rate is 0 where nobody came.
 */
bool window_utilisation(
    const struct window *open, int64_t capacity, int64_t *ret_frequency, int64_t *ret_rate);
