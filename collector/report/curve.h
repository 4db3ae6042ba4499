/*
 * What the course of a meter's quarter hours says: its greatest demand, its base load at night, its mean day. Pure;
 * integers throughout. A quarter hour that is unknown or not decided is left out and counted, never taken for 0.
 */
#pragma once

#include "collector/energy/series.h"
#include "collector/report/axis.h"

/* Mean power in W of an amount over so much time, rounded half away from zero. False: the carrier has no power (water,
 * gas), or it is beyond int64. */
bool curve_power_w(int carrier, int64_t amount, int64_t seconds, int64_t *ret_w);

/* Maximum demand: the quarter hour with the greatest amount (that is, the highest mean power), the first of equals.
 * A demand period of 15 min is what bills by 最大需量 count (C: to be checked), here on the quarter hours of the clock. */
struct curve_demand {
    bool is_known; /* there is a quarter hour that is known */
    bool is_whole; /* every quarter hour is known while a meter was there: nothing can have been greater */
    int64_t start_ms, amount;
    enum series_state state;
};
struct curve_demand curve_demand(const struct axis *axis, const struct series *series);

/* Quarter hours of several days, added up. Mean power: `sum` over `count` quarter hours. */
struct curve_mean {
    __int128 sum;
    int64_t count;   /* quarter hours that are known */
    int64_t unknown; /* and those that are not */
};
/* In W; false where none is known, or the carrier has no power. */
bool curve_mean_w(int carrier, const struct curve_mean *mean, int64_t *ret_w);

/* Base load at night: the mean of the quarter hours that begin from 02:00 until before 05:00 of the site's clocks, on
 * every day of the period. The definition is ours: no standard has one. */
#define CURVE_NIGHT_FROM (2 * 4)
#define CURVE_NIGHT_UNTIL (5 * 4)
struct curve_mean curve_base_load(const struct axis *axis, const struct series *series);

/* The mean day: by quarter of the day, Mondays to Fridays apart from Saturdays and Sundays. Holidays count as the
 * weekday that they fall on. */
#define CURVE_QUARTERS 96
struct curve_profile {
    struct curve_mean workday[CURVE_QUARTERS], weekend[CURVE_QUARTERS];
};
void curve_profile(const struct axis *axis, const struct series *series, struct curve_profile *ret);
