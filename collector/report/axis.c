#include "collector/report/axis.h"

#include "lib/mem.h"

#include <assert.h>
#include <stdlib.h>

static void add_day(struct axis *axis, size_t *capacity, int64_t day, size_t first)
{
    if (axis->day_count + 1 >= *capacity) {
        *capacity = 2 * *capacity + 8;
        axis->day = mem_realloc(axis->day, *capacity * sizeof *axis->day);
        axis->first = mem_realloc(axis->first, *capacity * sizeof *axis->first);
    }
    axis->day[axis->day_count] = day;
    axis->first[axis->day_count++] = first;
}

void axis_init(struct axis *axis, const struct zone *zone, struct periods_span span)
{
    assert(span.begin_ms <= span.end_ms);
    *axis = (struct axis){.span = span};
    axis->count = (size_t)((span.end_ms - span.begin_ms) / PERIODS_QUARTER_HOUR_MS);
    axis->quarter_of_day = mem_alloc(axis->count + 1);
    size_t capacity = 0;
    for (size_t i = 0; i < axis->count;) {
        struct period day = periods_of(zone, PERIODS_DAY, axis_time_ms(axis, i));
        int64_t end_ms = periods_span(zone, day).end_ms;
        add_day(axis, &capacity, day.number, i);
        for (; i < axis->count && axis_time_ms(axis, i) < end_ms; i++)
            axis->quarter_of_day[i] = (uint8_t)periods_quarter_of_day(zone, axis_time_ms(axis, i));
    }
    if (axis->day_count == 0)
        axis->first = mem_zalloc(sizeof *axis->first);
    axis->first[axis->day_count] = axis->count;
}

void axis_release(struct axis *axis)
{
    free(axis->first);
    free(axis->day);
    free(axis->quarter_of_day);
    *axis = (struct axis){0};
}
