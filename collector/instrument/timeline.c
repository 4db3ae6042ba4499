#include "collector/instrument/timeline.h"

#include "collector/instrument/ahead.h"
#include "lib/mem.h"

#include <stdlib.h>

const char *const timeline_states[] = {
    "out_of_service", "planned_outage", "in_use", "reserved", "closed", "free", "unknown", NULL};

void timeline_release(struct timeline *t)
{
    free(t->items);
    *t = (struct timeline){0};
}

static void add(struct timeline *t, int64_t from_ms, int64_t until_ms, enum timeline_state state)
{
    if (from_ms >= until_ms)
        return;
    if (t->count > 0 && t->items[t->count - 1].state == state) {
        t->items[t->count - 1].until_ms = until_ms;
        return;
    }
    MEM_GROW(t->items, t->count, t->capacity);
    t->items[t->count++] = (struct timeline_span){from_ms, until_ms, state};
}

/* ---- what was ---- */

static enum timeline_state state_of_part(enum hours_part part)
{
    switch (part) {
    case HOURS_BROKEN:
        return TIMELINE_OUT_OF_SERVICE;
    case HOURS_PLANNED:
        return TIMELINE_PLANNED_OUTAGE;
    case HOURS_TRAINING:
    case HOURS_INTERNAL:
    case HOURS_EXTERNAL:
    case HOURS_UNATTRIBUTED:
    case HOURS_IDLE:
        return TIMELINE_IN_USE;
    case HOURS_NO_SHOW:
    case HOURS_RESERVED:
        return TIMELINE_RESERVED;
    case HOURS_CLOSED:
        return TIMELINE_CLOSED;
    case HOURS_FREE:
        return TIMELINE_FREE;
    case HOURS_UNKNOWN:
    case HOURS_PARTS:
        break;
    }
    return TIMELINE_UNKNOWN;
}

static bool is_planned_now(const struct board_item *item)
{
    return item->planned.count > 0 && item->planned.items[0].from_ms <= item->answer.as_of_ms;
}

static enum timeline_state state_now(const struct board_item *item)
{
    switch (item->answer.status) {
    case AVAILABILITY_OUT_OF_SERVICE:
        return is_planned_now(item) ? TIMELINE_PLANNED_OUTAGE : TIMELINE_OUT_OF_SERVICE;
    case AVAILABILITY_IN_USE:
        return TIMELINE_IN_USE;
    case AVAILABILITY_CLOSED:
        return TIMELINE_CLOSED;
    case AVAILABILITY_RESERVED:
        return TIMELINE_RESERVED;
    case AVAILABILITY_SHORT:
    case AVAILABILITY_DEGRADED:
    case AVAILABILITY_AVAILABLE:
        return TIMELINE_FREE;
    case AVAILABILITY_NOT_SHARED:
    case AVAILABILITY_UNKNOWN:
        break;
    }
    return TIMELINE_UNKNOWN;
}

void timeline_add_past(struct timeline *t, const struct hours *past, const struct board_item *item)
{
    for (size_t i = 0; i < past->count; i++) {
        const struct hours_row *row = &past->rows[i];
        bool is_told_yet = row->part != HOURS_UNKNOWN || row->until_ms != item->answer.as_of_ms ||
                           row->until_ms - row->from_ms > activity_gap_ms(item->instrument->power_period_ms);
        add(t, row->from_ms, row->until_ms, is_told_yet ? state_of_part(row->part) : state_now(item));
    }
}

/* ---- what is ahead ---- */

/* What is ahead by its states, in order of precedence: that of hours.h. */
enum layer { LAYER_BROKEN, LAYER_PLANNED, LAYER_BOOKED, LAYER_OPEN, LAYER_FREE, LAYERS };

static void fill(
    struct busy_list layers[LAYERS], const struct board_item *item, int64_t from_ms, int64_t until_ms)
{
    struct busy limits = {from_ms, until_ms};
    for (size_t i = 0; i < item->outage_count; i++) {
        const struct board_outage *o = &item->outages[i];
        if (!o->is_planned && !o->is_problem)
            busy_list_add(&layers[LAYER_BROKEN], o->from_ms,
                o->until_ms != AVAILABILITY_NONE ? o->until_ms : INT64_MAX, limits);
    }
    for (size_t i = 0; i < item->planned.count; i++)
        busy_list_add(
            &layers[LAYER_PLANNED], item->planned.items[i].from_ms, item->planned.items[i].until_ms, limits);
    for (size_t i = 0; i < item->bookings.count; i++)
        busy_list_add(
            &layers[LAYER_BOOKED], item->bookings.items[i].from_ms, item->bookings.items[i].until_ms, limits);
    for (int i = 0; i < LAYER_OPEN; i++)
        busy_list_merge(&layers[i]);
    ahead_open(item, from_ms, until_ms, &layers[LAYER_OPEN]);
    ahead_free(item, from_ms, until_ms, &layers[LAYER_FREE]);
}

static enum timeline_state state_at(const struct busy_list layers[LAYERS], int64_t time_ms)
{
    return busy_list_has(&layers[LAYER_BROKEN], time_ms)    ? TIMELINE_OUT_OF_SERVICE
           : busy_list_has(&layers[LAYER_PLANNED], time_ms) ? TIMELINE_PLANNED_OUTAGE
           : busy_list_has(&layers[LAYER_BOOKED], time_ms)  ? TIMELINE_RESERVED
           : !busy_list_has(&layers[LAYER_OPEN], time_ms)   ? TIMELINE_CLOSED
           : busy_list_has(&layers[LAYER_FREE], time_ms)    ? TIMELINE_FREE
                                                            : TIMELINE_UNKNOWN;
}

/* When something begins or ends after that time. */
static int64_t next_edge(const struct busy_list layers[LAYERS], int64_t time_ms, int64_t until_ms)
{
    for (int i = 0; i < LAYERS; i++) {
        size_t at = busy_list_at(&layers[i], time_ms);
        if (at == layers[i].count)
            continue;
        const struct busy *span = &layers[i].items[at];
        int64_t edge_ms = span->begin_ms > time_ms ? span->begin_ms : span->end_ms;
        until_ms = edge_ms < until_ms ? edge_ms : until_ms;
    }
    return until_ms;
}

void timeline_add_ahead(struct timeline *t, const struct board_item *item, int64_t from_ms, int64_t until_ms)
{
    struct busy_list layers[LAYERS] = {0};
    fill(layers, item, from_ms, until_ms);
    for (int64_t at_ms = from_ms, next_ms; at_ms < until_ms; at_ms = next_ms) {
        next_ms = next_edge(layers, at_ms, until_ms);
        add(t, at_ms, next_ms, state_at(layers, at_ms));
    }
    for (int i = 0; i < LAYERS; i++)
        busy_list_release(&layers[i]);
}
