/*
 * Can a register have gone from one count to another in that time? (Design, section 7, rule 3.)
 *
 *     L = 1.2 x max_rate x time + 2 x resolution
 *
 * Plausible is a pair for which exactly one k >= 0 (k = 0 without modulus) gives 0 <= b - a + k x modulus <= L:
 * where more than one wrap is possible nobody can tell which it was. L is compared on the primary side, exactly,
 * in integers: nothing is divided.
 */
#pragma once

#include "collector/ledger/segment.h"

/* Counts (>= 0) that a pair in one segment is plausible with. A fall of at most 2 x resolution counts as the
 * earlier count: 0 counts. `time_ms` >= 0 lies between them. False: not plausible. */
bool plausible_counts(
    const struct segment *s, int64_t time_ms, int64_t from, int64_t to, int64_t *ret_counts);

/* Is `to` higher than `from` by more than L, without any wrap? It is what names the limit to a person. */
bool plausible_is_above_limit(const struct segment *s, int64_t time_ms, int64_t from, int64_t to);
