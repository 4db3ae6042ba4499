/*
 * What the books have of a meter (collector/ledger/books.h), read as it stands, for whoever holds it against something.
 * From any connection; blocks for the disk alone. Quarter hours: collector/ledger/latest.h.
 */
#pragma once

#include "collector/ledger/boundary.h"
#include "collector/ledger/event.h"
#include "lib/db.h"

#include <stddef.h>

/* From the first quarter hour or boundary to behind the last; *ret_is_there is false where there is none. */
enum status rows_span(struct db *db, int64_t meter, int64_t *ret_from_ms, int64_t *ret_until_ms,
    bool *ret_is_there, struct error *err);

/* The first quarter hour of any meter; INT64_MAX: there is none. */
enum status rows_begin(struct db *db, int64_t *ret_ms, struct error *err);

/* The boundaries at `from_ms` and each quarter hour after it, `count` of them; QUALITY_UNKNOWN where there is none. */
enum status rows_boundaries(
    struct db *db, int64_t meter, int64_t from_ms, size_t count, struct boundary *ret, struct error *err);

/* Events that stand, in order of their begin, kind and end. Of each only its kind and span. */
struct rows_events {
    struct event *items; /* owned by this struct */
    size_t count, capacity;
};
enum status rows_events(struct db *db, int64_t meter, struct rows_events *ret, struct error *err);
void rows_events_release(struct rows_events *events);
