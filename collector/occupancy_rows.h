/*
 * The rows of the measurement `occupancy`: a quarter hour of a source of a space, at its start, into the outbox when it is
 * over.
 *
 *   tags     site, building, space, source: "live" and "corrected" of doors, "<kind>:<gateway>/<point>" of a sensor
 *   mean     people, of the time that was observed, where any was; never below 0
 *   min, max people; below 0 where doors missed some
 *   entries, exits    of "live": who passed
 *   occupied_s, observed_s    seconds
 *   capacity people, where the park model gives it
 *
 * A quarter hour that was posted and is another now takes the place of all that the store holds of it in this space.
 */
#pragma once

#include "collector/model/park.h"
#include "lib/db.h"

/* Those that ended by now, up to OCCUPANCY_ROWS_MAX; sets *ret_is_changed where there was one. What is of a space that the
 * park has not stays where it is no more. Inside the core's transaction. */
#define OCCUPANCY_ROWS_MAX 2000
enum status occupancy_rows_put(
    struct db *db, const struct park *park, int64_t now_ms, bool *ret_is_changed, struct error *err);
