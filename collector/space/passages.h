/*
 * What the readings of a space's doors, and its anchors, say in the form of collector/space/flow.h. Pure but for what it
 * reads of the database.
 *
 * A stream is blind between two readings that are further apart than its gap, before its first and after its last. Who
 * passed meanwhile is told with the reading that ends it; where an anchor lies between the two nobody knows before or after
 * which they passed, and so how many are inside. Nor does anybody know who passed before the first reading.
 */
#pragma once

#include "collector/space/anchors.h"
#include "collector/space/door.h"
#include "collector/space/flow.h"
#include "collector/space/samples.h"

struct door_points {
    int64_t in, out; /* of space_point */
    struct door_limits limits;
    int64_t gap_ms;
};

struct passages {
    struct flow_event *events; /* in order of time; owned */
    size_t count, capacity;
    struct seen_span {             /* in which some stream was heard; in no order; owned */
        int64_t from_ms, until_ms; /* both ends included */
    } * seen;
    size_t seen_count, seen_capacity;
};

/* Events of [from, until). `base`: so many are inside at `from`; NULL = nobody knows. To be released either way. */
enum status passages_read(struct passages *p, struct db *db, const struct door_points *doors, size_t count,
    const struct anchors *anchors, const int64_t *base, int64_t from_ms, int64_t until_ms, struct error *err);
void passages_release(struct passages *p);
