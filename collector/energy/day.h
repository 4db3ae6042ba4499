/*
 * Whether a day's energy suffices to be modelled, by CalTRACK Methods 2.0, 2.2.1.3, 2.2.1.4 and 2.2.2.1 (the rules are in
 * collector/report/sufficiency.h). Pure.
 */
#pragma once

#include "collector/energy/series.h"

enum day_state {
    DAY_WHOLE,   /* every quarter hour is known */
    DAY_FILLED,  /* at most half are not: these count with the mean of the others */
    DAY_MISSING, /* more than half are not, or nothing of it was read: all that is known is estimated */
    DAY_ZERO,    /* missing: a day of electricity that comes to 0 */
};

struct day_energy {
    enum day_state state;
    int64_t energy; /* base units, filled: rounded half away from zero; 0 where it is missing */
    int64_t known;  /* without what is filled */
    int64_t stated; /* of `known`: estimated or manual */
};

/* Of the quarter hours from..until of the series. `carrier` is enum park_carrier. A day beyond int64 is missing. */
struct day_energy day_energy(const struct series *series, size_t from, size_t until, int carrier);

static inline bool day_is_there(enum day_state state)
{
    return state == DAY_WHOLE || state == DAY_FILLED;
}
