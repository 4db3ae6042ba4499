#include "collector/report/curve.h"

#include <string.h>

#define QUARTER_S (PERIODS_QUARTER_HOUR_MS / 1000)

static bool power(int carrier, __int128 amount, int64_t seconds, int64_t *ret_w)
{
    if (carrier == CARRIER_ELECTRICITY)
        amount *= 3600; /* of Wh; J are W s already */
    else if (carrier != CARRIER_HEAT && carrier != CARRIER_COOLING)
        return false;
    __int128 size = amount < 0 ? -amount : amount;
    __int128 rounded = (2 * size + seconds) / (2 * (__int128)seconds);
    if (rounded > INT64_MAX)
        return false;
    *ret_w = (int64_t)(amount < 0 ? -rounded : rounded);
    return true;
}

bool curve_power_w(int carrier, int64_t amount, int64_t seconds, int64_t *ret_w)
{
    return power(carrier, amount, seconds, ret_w);
}

struct curve_demand curve_demand(const struct axis *axis, const struct series *series)
{
    struct curve_demand demand = {.is_whole = true};
    for (size_t i = 0; i < axis->count; i++) {
        if (series->states[i] == SERIES_ABSENT) {
            continue;
        } else if (!series_is_known(series->states[i])) {
            demand.is_whole = false;
        } else if (!demand.is_known || series->amounts[i] > demand.amount) {
            demand.is_known = true;
            demand.start_ms = axis_time_ms(axis, i);
            demand.amount = series->amounts[i];
            demand.state = series->states[i];
        }
    }
    return demand;
}

static void add(struct curve_mean *mean, const struct series *series, size_t i)
{
    if (series->states[i] == SERIES_ABSENT)
        return;
    if (!series_is_known(series->states[i])) {
        mean->unknown++;
        return;
    }
    mean->sum += series->amounts[i];
    mean->count++;
}

bool curve_mean_w(int carrier, const struct curve_mean *mean, int64_t *ret_w)
{
    return mean->count > 0 && power(carrier, mean->sum, mean->count * QUARTER_S, ret_w);
}

struct curve_mean curve_base_load(const struct axis *axis, const struct series *series)
{
    struct curve_mean night = {0};
    for (size_t i = 0; i < axis->count; i++)
        if (axis->quarter_of_day[i] >= CURVE_NIGHT_FROM && axis->quarter_of_day[i] < CURVE_NIGHT_UNTIL)
            add(&night, series, i);
    return night;
}

/* 1970-01-01 was a Thursday. */
static bool is_weekend(int64_t day)
{
    int64_t from_monday = (day + 3) % 7;
    return (from_monday < 0 ? from_monday + 7 : from_monday) >= 5;
}

void curve_profile(const struct axis *axis, const struct series *series, struct curve_profile *ret)
{
    memset(ret, 0, sizeof *ret);
    for (size_t day = 0; day < axis->day_count; day++) {
        struct curve_mean *means = is_weekend(axis->day[day]) ? ret->weekend : ret->workday;
        for (size_t i = axis->first[day]; i < axis->first[day + 1]; i++)
            add(&means[axis->quarter_of_day[i]], series, i);
    }
}
