#include "collector/report/part.h"

#include <assert.h>
#include <string.h>

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool holds(const struct part *part, const struct park_meter *meter, int64_t time_ms)
{
    if (meter == NULL || meter->carrier != part->carrier)
        return false;
    if (part->kind == PART_METER || part->kind == PART_GAP)
        return meter == part->meter;
    struct park_tags tags = park_tags_at(meter, time_ms);
    bool is_here = tags.building->site == part->site;
    switch (part->kind) {
    case PART_SITE:
        return is_here;
    case PART_BUILDING:
        return tags.building == part->building;
    case PART_TENANT:
        return is_here && tags.tenant == part->tenant;
    case PART_ITEM:
        return is_here && is_same_text(tags.item, part->item);
    case PART_METER:
    case PART_GAP:
        break;
    }
    return false;
}

const struct park_meter *part_parent(const struct park_meter *meter, int64_t time_ms)
{
    do
        meter = park_tags_at(meter, time_ms).parent;
    while (meter != NULL && !park_is_installed(meter, time_ms));
    return meter;
}

int part_sign(const struct part *part, const struct park_meter *meter, int64_t time_ms)
{
    if (!park_is_installed(meter, time_ms))
        return 0;
    if (part->kind == PART_METER)
        return holds(part, meter, time_ms);
    if (meter->export_of != NULL)
        return -part_sign(part, meter->export_of, time_ms);
    return holds(part, meter, time_ms) - holds(part, part_parent(meter, time_ms), time_ms);
}

bool part_is_there(const struct part *part, const struct park *park, int64_t time_ms)
{
    if (part->kind != PART_GAP)
        return true;
    CONF_EACH (const struct park_meter, meter, park->meters)
        if (meter->export_of == NULL && part_sign(part, meter, time_ms) < 0)
            return true;
    return false;
}

bool part_next(const struct park *park, struct periods_span span, struct periods_span *stretch)
{
    bool is_first = stretch->begin_ms == stretch->end_ms;
    stretch->begin_ms = is_first ? span.begin_ms : stretch->end_ms;
    if (stretch->begin_ms >= span.end_ms)
        return false;
    int64_t next_ms = park_next_change_ms(park, stretch->begin_ms);
    stretch->end_ms = next_ms < span.end_ms ? next_ms : span.end_ms;
    return true;
}

void part_series_cut(const struct series *series, struct periods_span stretch, struct series *ret)
{
    part_series_init(ret, series->span);
    size_t from = (size_t)((stretch.begin_ms - series->span.begin_ms) / PERIODS_QUARTER_HOUR_MS);
    size_t count = (size_t)((stretch.end_ms - stretch.begin_ms) / PERIODS_QUARTER_HOUR_MS);
    memcpy(ret->amounts + from, series->amounts + from, count * sizeof *ret->amounts);
    memcpy(ret->states + from, series->states + from, count * sizeof *ret->states);
}

void part_series_init(struct series *sum, struct periods_span span)
{
    series_init(sum, span, &(struct series_due){0, 0, 0});
}

/* The worse; but what is not there adds nothing. */
static enum series_state with(enum series_state sum, enum series_state one)
{
    return one == SERIES_ABSENT || (sum != SERIES_ABSENT && sum > one) ? sum : one;
}

void part_series_add(struct series *sum, const struct series *series, int sign)
{
    assert(sum->count == series->count && sum->span.begin_ms == series->span.begin_ms);
    for (size_t i = 0; i < sum->count; i++) {
        int64_t *to = &sum->amounts[i], amount = series->amounts[i];
        enum series_state state = (enum series_state)series->states[i];
        if (sign > 0 ? __builtin_add_overflow(*to, amount, to) : __builtin_sub_overflow(*to, amount, to)) {
            *to = 0;
            state = state > SERIES_UNKNOWN ? state : SERIES_UNKNOWN;
        }
        sum->states[i] = (uint8_t)with((enum series_state)sum->states[i], state);
    }
}
