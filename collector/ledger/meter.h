/* A meter of the park model as the ledger folds it. */
#pragma once

#include "collector/ledger/segment.h"
#include "collector/model/park.h"
#include "lib/status.h"

struct meter {
    struct segments segments; /* in order of time; `items` owned by this struct */
    int64_t max_gap_ms;
    /* By number: the points of the segments, <gateway>/<point>, borrowed from the model. NULL: read by hand. */
    const char **points;
    int64_t point_count;
};

/* ST_INVALID, with "segments[<n>]: ..." as in the file: something that the ledger cannot reckon with exactly. `park`
 * outlives the meter. */
enum status meter_init(struct meter *m, const struct park_meter *park, struct error *err);
void meter_release(struct meter *m);
/* The number of a point among those of the meter, for readings of it; -1 = none of its segments is read there. */
int64_t meter_point(const struct meter *m, const char *point);
