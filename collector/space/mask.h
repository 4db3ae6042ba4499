/*
 * Counts of people in public: below k it is "<k" (design 8.1; k = 5 unless the park says otherwise). Pure.
 *
 * A total of parts is shown beside them only where nobody learns from it more of a part than "<k": it less the parts
 * that are shown is the sum s of the m hidden ones, and each of those may still be anything from 0 to k - 1 just where
 * k - 1 <= s <= (m - 1)(k - 1). Else the total is hidden, too.
 *
 * A step is one whole clock hour, and over. Steps never overlap, so that no two answers can be subtracted: a day less
 * its other hours is a number below k, an hour less its begin, by another `to` or while it lasts, is a quarter hour.
 */
#pragma once

#include "collector/model/periods.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MASK_K 5

static inline bool mask_hides(int64_t persons, int64_t k)
{
    return persons < k;
}

/* Whether an hour of the zone's clocks begins then. A NULL zone is UTC. */
bool mask_is_hour(const struct zone *zone, int64_t time_ms);
/* Whether anything may be told of this step. An hour that a change of clocks cut short is told to nobody. */
bool mask_shows_step(const struct zone *zone, struct periods_span span, int64_t now_ms);
/* Whether the total of these parts may stand beside them. Each at least 0. */
bool mask_shows_total(const int64_t *parts, size_t count, int64_t k);
