/*
 * The outbox: derived lines that wait for the store, keyed by series and time, the latest of which wins. A
 * line that was sent stays, marked, until its hour is counted against the store (collector/store/countback.h).
 * All calls run inside the core's transaction.
 */
#pragma once

#include "lib/db.h"

/* A (series, time) that is there already is replaced under a new id, so that an older result of the store does
 * not settle it. `series` begins with the measurement and a comma. */
enum status outbox_put(
    struct db *db, struct span series, int64_t time_ms, struct span line, struct error *err);
/* What the rows take in the database, about; one cheap look-up. */
enum status outbox_bytes(struct db *db, int64_t *ret, struct error *err);
