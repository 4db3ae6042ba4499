/*
 * Whether a meter's days suffice to be modelled and compared, by CalTRACK Methods 2.0, section 2.2 (data constraints),
 * as far as it speaks of consumption. Pure.
 *
 *   2.2.1.2  at most 37 of 365 days (10 %) are missing; of other periods a tenth of their days, rounded up
 *   2.2.1.3  what is marked as missing is missing: a quarter hour that is unknown or not decided, which is no 0
 *            A day of which all that is known was estimated between readings before and after it has no value of its own
 *   2.2.1.4  0 is missing for electricity, not for gas: here a day of electricity that comes to 0
 *   2.2.2.1  a day with at most half of its values missing is filled with the mean of the others; with more it is
 *            missing. The filled amount serves the judgement alone and stands nowhere as an amount
 *
 * Rules on temperatures, billing periods and projects do not apply. A figure of sufficiency never stands in an
 * amount's place: one missing quarter hour makes an amount unknown all the same.
 */
#pragma once

#include "collector/energy/series.h"
#include "collector/report/axis.h"

#define SUFFICIENCY_DOCUMENT "CalTRACK Methods 2.0, 2.2.1.2, 2.2.1.3, 2.2.1.4, 2.2.2.1"

struct sufficiency {
    int64_t days;         /* of the period */
    int64_t missing_days; /* by 2.2.2.1 and 2.2.1.4 */
    int64_t zero_days;    /* those of them that are missing by 2.2.1.4 */
    int64_t filled_days;  /* not missing, but not whole */
    int64_t allowed_days; /* by 2.2.1.2 */
    bool is_sufficient;   /* at most so many are missing, and there is one that is not */
};

/* `series` is of the axis's span; `carrier` is enum park_carrier. */
struct sufficiency sufficiency_of(const struct axis *axis, const struct series *series, int carrier);
