/*
 * Daily mean temperatures and degree days, in thousandths of a degree Celsius: integers. Pure.
 *
 * A quarter hour has the temperature of the first reading in it (collector/baseline/temperature.h), or none; an hour the
 * mean of its quarter hours that have one; a day the mean of its hours that have one, where at most half of them have
 * none (CalTRACK Methods 2.0, 2.2.2.3), else none. Hours and days are the site's (collector/model/periods.h).
 */
#pragma once

#include "collector/model/periods.h"

#include <stddef.h>

#define WEATHER_NONE INT32_MIN

/* `quarters` are those of the span, a day of the zone, from its begin on. Rounded half away from zero; WEATHER_NONE
 * where there is none. */
int32_t weather_day(const struct zone *zone, struct periods_span span, const int32_t *quarters);

/* Heating: how much the mean is below the balance temperature, at least 0; cooling: how much above. In thousandths of
 * a degree day (CalTRACK 3.3.4.1.1, 3.3.5.1.1). */
static inline int64_t weather_heating(int32_t mean_mc, int64_t balance_c)
{
    int64_t below = balance_c * 1000 - mean_mc;
    return below > 0 ? below : 0;
}

static inline int64_t weather_cooling(int32_t mean_mc, int64_t balance_c)
{
    int64_t above = mean_mc - balance_c * 1000;
    return above > 0 ? above : 0;
}
