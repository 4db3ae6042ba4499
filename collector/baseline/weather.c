#include "collector/baseline/weather.h"

/* The mean of up to four quarter hours is a whole number of twelfths. */
#define TWELFTHS 12

/* False: no quarter hour has a temperature. */
static bool hour_mean(const int32_t *quarters, size_t count, int64_t *ret_twelfths)
{
    int64_t sum = 0, known = 0;
    for (size_t i = 0; i < count; i++)
        if (quarters[i] != WEATHER_NONE) {
            sum += quarters[i];
            known++;
        }
    if (known > 0)
        *ret_twelfths = sum * (TWELFTHS / known);
    return known > 0;
}

static int64_t divide(int64_t value, int64_t by)
{
    return (value >= 0 ? value + by / 2 : value - by / 2) / by;
}

int32_t weather_day(const struct zone *zone, struct periods_span span, const int32_t *quarters)
{
    int64_t sum = 0, hours = 0, known = 0;
    for (int64_t time_ms = span.begin_ms; time_ms < span.end_ms; hours++) {
        int64_t end_ms = periods_hour(zone, time_ms).span.end_ms, mean;
        size_t first = (size_t)((time_ms - span.begin_ms) / PERIODS_QUARTER_HOUR_MS);
        end_ms = end_ms < span.end_ms ? end_ms : span.end_ms;
        if (hour_mean(&quarters[first], (size_t)((end_ms - time_ms) / PERIODS_QUARTER_HOUR_MS), &mean)) {
            sum += mean;
            known++;
        }
        time_ms = end_ms;
    }
    if (known == 0 || 2 * (hours - known) > hours)
        return WEATHER_NONE;
    return (int32_t)divide(sum, TWELFTHS * known);
}
