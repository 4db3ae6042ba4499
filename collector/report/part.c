#include "collector/report/part.h"

#include <assert.h>
#include <string.h>

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool holds(const struct part *part, const struct park_meter *meter)
{
    if (meter == NULL || meter->carrier != part->carrier)
        return false;
    bool is_here = meter->building->site == part->site;
    switch (part->kind) {
    case PART_SITE:
        return is_here;
    case PART_BUILDING:
        return meter->building == part->building;
    case PART_TENANT:
        return is_here && meter->tenant == part->tenant;
    case PART_ITEM:
        return is_here && is_same_text(meter->item, part->item);
    case PART_METER:
    case PART_GAP:
        return meter == part->meter;
    }
    return false;
}

const struct park_meter *part_parent(const struct park_meter *meter)
{
    const struct park_meter *parent = meter->parent;
    while (parent != NULL && parent->segments.count == 0)
        parent = parent->parent;
    return parent;
}

int part_sign(const struct part *part, const struct park_meter *meter)
{
    if (meter->segments.count == 0)
        return 0;
    if (part->kind == PART_METER)
        return holds(part, meter);
    return holds(part, meter) - holds(part, part_parent(meter));
}

void part_series_init(struct series *sum, struct periods_span span)
{
    series_init(sum, span, &(struct series_due){0, 0, 0});
    memset(sum->states, SERIES_MEASURED, sum->count);
}

enum status part_series_add(struct series *sum, const struct series *series, int sign, struct error *err)
{
    assert(sum->count == series->count && sum->span.begin_ms == series->span.begin_ms);
    bool is_overflown = false;
    for (size_t i = 0; i < sum->count; i++) {
        int64_t *to = &sum->amounts[i], amount = series->amounts[i];
        is_overflown |=
            sign > 0 ? __builtin_add_overflow(*to, amount, to) : __builtin_sub_overflow(*to, amount, to);
        if (series->states[i] > sum->states[i])
            sum->states[i] = series->states[i];
    }
    return is_overflown ? error_set(err, ST_INVALID, "the amounts of a quarter hour are too large to add up")
                        : ST_OK;
}
