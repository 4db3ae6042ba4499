/*
 * The quarter hours of a report's period, and the local days that they make up: worked out once for a site, then used
 * for each of its meters. Pure. A meter's quarter hours stand beside it as an array of axis.count (struct quarter).
 */
#pragma once

#include "collector/model/periods.h"

#include <stddef.h>

struct axis {
    struct periods_span span;
    size_t count;     /* quarter hours */
    size_t *first;    /* by day, day_count + 1 of them: the index of its first quarter hour */
    int64_t *day;     /* by day: its number (periods_of). A date that the zone left out is not among them */
    size_t day_count; /* of which the first and the last may be cut by the span */
    uint8_t *quarter_of_day; /* by quarter hour: 0 = 00:00 to 95 = 23:45, as the clocks show */
};

/* `span` is on whole quarter hours. The zone is used here only. */
void axis_init(struct axis *axis, const struct zone *zone, struct periods_span span);
void axis_release(struct axis *axis);

static inline int64_t axis_time_ms(const struct axis *axis, size_t index)
{
    return axis->span.begin_ms + (int64_t)index * PERIODS_QUARTER_HOUR_MS;
}
