#include "collector/space/mask.h"

#define HOUR_MS (4 * PERIODS_QUARTER_HOUR_MS)

bool mask_is_hour(const struct zone *zone, int64_t time_ms)
{
    return periods_hour(zone, time_ms).span.begin_ms == time_ms;
}

bool mask_shows_step(const struct zone *zone, struct periods_span span, int64_t now_ms)
{
    return mask_is_hour(zone, span.begin_ms) && mask_is_hour(zone, span.end_ms) &&
           span.end_ms - span.begin_ms == HOUR_MS && span.end_ms <= now_ms;
}

bool mask_shows_total(const int64_t *parts, size_t count, int64_t k)
{
    int64_t hidden = 0, sum = 0;
    for (size_t i = 0; i < count; i++)
        if (mask_hides(parts[i], k)) {
            hidden++;
            sum += parts[i];
        }
    return hidden == 0 || (sum >= k - 1 && sum <= (hidden - 1) * (k - 1));
}
