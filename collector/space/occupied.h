/*
 * What quarter hours of a source come to in a longer time: the one query behind API, page and report. Additive parts, so an
 * hour is the sum of its quarter hours (collector/space/window.h). On a reader, or within the core's transaction.
 */
#pragma once

#include "collector/model/opening.h"
#include "collector/space/rows.h"

/* The number of a source; 0 = there is none. */
enum status occupied_source(
    struct db *db, const char *space, const char *name, int64_t *ret_id, struct error *err);

struct occupied {
    struct window all;
    struct window open;    /* of quarter hours that are open as a whole */
    int64_t open_ms;       /* how long that is, seen or not */
    bool is_marked;        /* some of it is */
    int64_t other_ms;      /* observed, in quarter hours that are the other source's */
    int64_t other_from_ms; /* from then on what is observed is the other's alone; -1 = the last is not */
};
/* Of [from, until), on quarter hours. A NULL zone is UTC. A quarter hour of which `other` (0 = none) observed more is the
 * other's, as a whole. */
enum status occupied_read(struct db *db, int64_t source, int64_t other, const struct opening *opening,
    const struct zone *zone, int64_t from_ms, int64_t until_ms, struct occupied *ret, struct error *err);
