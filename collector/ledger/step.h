/*
 * A step from one reading of a meter to a later one, in one segment or across logged replacements: whether it
 * is plausible, and what U becomes (CONTRIBUTING.md, E2, E3).
 */
#pragma once

#include "collector/ledger/segment.h"

/* Integers of 64 bits alone, so that equal states are equal bytes. */
struct step_point {
    int64_t time_ms;
    int64_t segment;
    int64_t count; /* as it counts: a small fall counts as the earlier count */
    int64_t is_manual;
};

/* Where U stands at a reading. */
struct step_sum {
    int64_t start;  /* U at the segment's start */
    int64_t counts; /* n, since the segment's start */
    int64_t energy; /* U */
};

struct step {
    int64_t count;    /* what the later reading counts as */
    bool is_positive; /* the register moved */
    bool is_rollover; /* it needs k >= 1 */
    struct step_sum sum;
};

/* Is it plausible, by E3 but for "confirm meter", that the meter went from `from` to `to`? Across replacements each
 * register moved from or to what was logged, and the sum must be plausible. A step that would leave int64 is not
 * plausible. `sum` stands at `from`. */
bool step_try(const struct segments *all, const struct step_point *from, const struct step_sum *sum,
    const struct step_point *to, struct step *ret);

/* The same, where only the counts matter: ret->sum says nothing. */
bool step_is_plausible(
    const struct segments *all, const struct step_point *from, const struct step_point *to, struct step *ret);

/* Are the registers higher at the later reading by more than L, without any wrap? It is what names the limit to a
 * person. */
bool step_is_above_limit(
    const struct segments *all, const struct step_point *from, const struct step_point *to);

/* Where U stands at the first reading of all, when it was 0 at the segment's start. Where the start was not logged,
 * or is so far away that U would leave int64, n begins at this reading. */
struct step_sum step_begin(const struct segment *s, int64_t start, int64_t count);

/* Where U stands at the first reading of a new baseline: what lies before is not known, so U goes on with what
 * it was. In the same segment n goes on too, so that one sum holds in the whole segment; in another it is what
 * the register counted since its start, as step_begin has it. */
struct step_sum step_restart(const struct segments *all, const struct step_point *from,
    const struct step_sum *sum, const struct step_point *to);
