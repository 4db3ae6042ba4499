/*
 * The highest daily mean of the 28 days before an instant, which a step after a long gap is held against
 * (CONTRIBUTING.md, E3: "confirm meter"). Days are those of UTC: this is a measure of what the meter is
 * used to, not an amount. Days that an exception touches, or that are not complete, say nothing.
 *
 * Kept as U at each UTC midnight. A run of equal counts is entered when it ends, as one step: so the days
 * before it are still there where its repeats turn out to be frozen.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DAILY_DAYS 28
#define DAILY_MIDNIGHTS (DAILY_DAYS + 1)
#define DAILY_GAP_MS (24 * INT64_C(3600000)) /* a longer gap is held against it */

/* Integers of 64 bits alone, so that equal states are equal bytes. */
struct daily {
    int64_t last;                    /* the last midnight entered, in days since 1970 */
    int64_t is_torn;                 /* the day that begins there is not whole */
    int64_t whole;                   /* bit i: the day that ends i midnights before `last` is whole */
    int64_t energy[DAILY_MIDNIGHTS]; /* U, by midnight modulo DAILY_MIDNIGHTS */
};

/* The first reading of all. */
void daily_begin(struct daily *d, int64_t time_ms, int64_t energy);
/* U goes on, linearly, from one accepted reading to the next. */
void daily_step(struct daily *d, int64_t from_ms, int64_t from_energy, int64_t to_ms, int64_t to_energy);
/* What is between these times is not known, whether entered or not; U goes on with `energy`. */
void daily_break(struct daily *d, int64_t from_ms, int64_t to_ms, int64_t energy);
/* Is the mean from one accepted reading to the next at most twice the highest daily mean of the 28 days before
 * the first of them? True also where none of these days is known. What was not entered yet is a run of equal
 * counts. */
bool daily_allows(
    const struct daily *d, int64_t from_ms, int64_t from_energy, int64_t to_ms, int64_t to_energy);
