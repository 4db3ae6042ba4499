/*
 * An instrument's time in one line, as everybody may see it: what was, by hours.h, up to the instant of its answer on the
 * board, and what is ahead from there on, by what is booked, planned and open. Without a hole and without an overlap; who
 * used it, and how, is not in it. Pure.
 */
#pragma once

#include "collector/instrument/board.h"
#include "collector/instrument/hours.h"

enum timeline_state {
    TIMELINE_OUT_OF_SERVICE,
    TIMELINE_PLANNED_OUTAGE,
    TIMELINE_IN_USE,
    TIMELINE_RESERVED,
    TIMELINE_CLOSED,
    TIMELINE_FREE,
    TIMELINE_UNKNOWN
};
extern const char *const timeline_states[]; /* names, NULL-terminated */

struct timeline_span {
    int64_t from_ms, until_ms;
    enum timeline_state state;
};
/* A zeroed one is empty. Neighbours differ in state. */
struct timeline {
    struct timeline_span *items;
    size_t count, capacity;
};
void timeline_release(struct timeline *t);

/* What was: `past` ends at the item's as_of_ms, or before. What is not known yet of its end, as nothing was told since, is what
 * the item says of now. */
void timeline_add_past(struct timeline *t, const struct hours *past, const struct board_item *item);
/* What is ahead: of [from_ms, until_ms), which does not begin before as_of_ms. Where the board does not foretell when it is
 * free, what is not taken, closed or out is unknown. */
void timeline_add_ahead(struct timeline *t, const struct board_item *item, int64_t from_ms, int64_t until_ms);
