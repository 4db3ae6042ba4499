/* A period cut into quarter hours, hours, days or months of a site (collector/model/periods.h). Pure. */
#pragma once

#include "collector/model/periods.h"

#include <stddef.h>

enum steps_kind {
    STEPS_QUARTER_HOUR,
    STEPS_HOUR, /* the quarter hours that share wall hour and offset from UTC */
    STEPS_DAY,
    STEPS_MONTH,
    STEPS_WHOLE, /* one: the period itself */
};

/* They tile the period in order: each quarter hour is in exactly one, half-open. The first and the last are cut off
 * where the period begins or ends inside them. A day that the zone left out is no step. */
struct steps {
    struct periods_span *spans;
    size_t count, capacity;
};

/* `span` is on whole quarter hours; an empty one has no steps, but for STEPS_WHOLE. A NULL zone is UTC. */
void steps_cut(struct steps *steps, const struct zone *zone, struct periods_span span, enum steps_kind kind);
void steps_release(struct steps *steps);
