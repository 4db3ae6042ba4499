/* What of sessions is effective beside their runs: preparation, pauses and post-processing, by the rule of
 * collector/instrument/hours.h. Pure. */
#pragma once

#include "collector/instrument/hours.h"

struct effective {
    struct hours_span *items; /* in order, without overlap */
    size_t count, capacity;
};

/* Where activity is told by power; else empty. */
void effective_find(const struct hours_facts *facts, struct effective *ret);
void effective_release(struct effective *e);
