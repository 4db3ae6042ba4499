/* Readings that tell of people, in the collector's database (collector/space/tables.h). Within the core's transaction, or
 * on a reader. */
#pragma once

#include "lib/db.h"

#include <stdbool.h>

struct reading_of { /* of a point, in order of time */
    int64_t time_ms, value;
    bool is_change;
};

struct readings_of {
    struct reading_of *items; /* owned */
    size_t count, capacity;
};

/* *ret_is_new: it had no reading at that time; else nothing changes. */
enum status samples_put(
    struct db *db, int64_t point, const struct reading_of *reading, bool *ret_is_new, struct error *err);
/* The times of its last reading before and of its first after that time; INT64_MIN and INT64_MAX where there is none. */
enum status samples_beside(struct db *db, int64_t point, int64_t time_ms, int64_t *ret_before_ms,
    int64_t *ret_after_ms, struct error *err);
/* The times of its first and last reading; as above. */
enum status samples_ends(
    struct db *db, int64_t point, int64_t *ret_first_ms, int64_t *ret_last_ms, struct error *err);
/* Lets go what is older, but for the last of it, which tells what the next one is to be held against; the oldest `most` of
 * it. *ret_count: so many went. */
enum status samples_prune(
    struct db *db, int64_t point, int64_t before_ms, int64_t most, int64_t *ret_count, struct error *err);
/* The same of points that the park model does not name now, with the last. */
enum status samples_prune_unused(
    struct db *db, int64_t before_ms, int64_t most, int64_t *ret_count, struct error *err);
/* Those of [from, until), with the last before it and the first at or after its end. Replaces what `ret` holds, which
 * the caller releases. */
enum status samples_read(struct db *db, int64_t point, int64_t from_ms, int64_t until_ms,
    struct readings_of *ret, struct error *err);
void samples_release(struct readings_of *r); /* leaves it zeroed */
