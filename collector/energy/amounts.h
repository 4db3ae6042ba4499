/*
 * Amounts of any period, from quarter hours (CONTRIBUTING.md, E6, E12): how much, or that it is not known, and beside it
 * what is known, how long not, and how well. Pure.
 *
 * The amount of a step is the sum of its quarter hours, exactly, which is U(end) - U(begin); where one of them is
 * unknown or not decided, it is unknown. Through a meter that is not installed nothing flows; but of a step in which
 * none was, there is no amount. What is known of it stands beside it, never in its place. Amounts of meters
 * add up to those of a group in every part: the times are then meter-seconds.
 */
#pragma once

#include "collector/energy/series.h"
#include "collector/energy/steps.h"
#include "collector/ledger/quarters.h"

struct amount {
    /* Quarter hours that are decided: how many, what is known, for how long it is unknown, what of it is estimated or
     * manual. Base units of the carrier (Wh, J, L). */
    struct quarters_sum sum;
    int64_t waiting_s, future_s, absent_s; /* of those that are not decided, by enum series_state */
};

/* By step: `ret` has room for steps->count, which lie in the series. */
void amounts_of(const struct series *s, const struct steps *steps, struct amount *ret);
/* To the amount of a group. */
void amount_add(struct amount *to, const struct amount *other);

/* The amount. False: not known, for what the seconds say; or a sum left int64 (sum.is_overflown): then none of the
 * numbers may be shown. An empty period is known, and 0. */
bool amount_is_known(const struct amount *a, int64_t *ret);
/* Why it is not known: what a person has to settle or look for comes first, what only has to pass after it; else the
 * worst quality. SERIES_MEASURED where there is nothing. */
enum series_state amount_worst(const struct amount *a);
/* Coverage = measured or manual quarter hours / quarter hours due (design, 7.9). Due is what is decided, or over
 * while the meter was installed. Of nothing due there is no coverage. */
int64_t amount_due(const struct amount *a);
int64_t amount_covered(const struct amount *a);
