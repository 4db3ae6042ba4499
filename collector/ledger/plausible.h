/*
 * Can a register have gone from one count to another in that time? (CONTRIBUTING.md, E3.)
 *
 *     L = 1.2 x max_rate x time + 2 x resolution
 *
 * Plausible is a pair for which exactly one k >= 0 (k = 0 without modulus) gives 0 <= b - a + k x modulus <= L:
 * where more than one wrap is possible nobody can tell which it was. L is compared on the primary side, exactly,
 * in integers: nothing is divided.
 */
#pragma once

#include "collector/ledger/exact.h"
#include "collector/ledger/segment.h"

/* Counts (>= 0) that a pair in one segment is plausible with. A fall of at most 2 x resolution counts as the
 * earlier count: 0 counts. `time_ms` >= 0 lies between them. False: not plausible. */
bool plausible_counts(
    const struct segment *s, int64_t time_ms, int64_t from, int64_t to, int64_t *ret_counts);

/* The least that it can be, whatever L is. False: the register fell, and has no modulus. */
bool plausible_least(const struct segment *s, int64_t from, int64_t to, int64_t *ret_counts);

/*
 * A step across logged replacements has a leg in each segment. L, that of the segment where it is highest, holds for
 * the sum of all, and so does "exactly one k": with one more wrap in any leg the sum must be above L. Begins as
 * PLAUSIBLE_LEGS.
 */
struct plausible_legs {
    struct exact up, down, limit; /* primary base units */
    bool has_wrap;
    struct exact wrap; /* the least that one more wrap would add */
};

#define PLAUSIBLE_LEGS ((struct plausible_legs){.up = EXACT_ZERO, .down = EXACT_ZERO, .limit = EXACT_ZERO})

/* `time_ms`: of the whole step; `counts` may be negative. False: it cannot be told exactly. */
bool plausible_add_leg(struct plausible_legs *legs, const struct segment *s, int64_t time_ms, int64_t counts);
bool plausible_is_above_limit(const struct plausible_legs *legs);
/* Within L, and with exactly one k. */
bool plausible_is_sum(const struct plausible_legs *legs);
