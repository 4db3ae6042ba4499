/*
 * What of `occupancy` and `instrument` is posted again because the store lost it (table repost_rows): of each source of people and of
 * each instrument the time of which there are rows. Slices of it become due again, as what changed does (tables space_due,
 * timesheet_due), a slice only where nothing of the kind is due any more: so what is new never waits for long, and neither table grows.
 * `instrument` is worked out anew by the park model of then; `occupancy` is what space_window says. Lines of `availability` are changes,
 * of which only the newest is kept (table availability_now), and those of `gateway` are kept nowhere: they are lost with the store.
 *
 * All calls but the last run inside the core's transaction.
 */
#pragma once

#include "collector/store/hours.h"
#include "lib/db.h"

extern const char repost_rows_schema[];

#define REPOST_ROWS_SLICE_MS (7 * INT64_C(86400000))

/* All there is now; what is under way begins anew. */
enum status repost_rows_add_all(struct db *db, struct error *err);
/* Makes the next slice of each kind due, where none is; sets *ret_is_changed where it did. */
enum status repost_rows_step(struct db *db, int64_t now_ms, bool *ret_is_changed, struct error *err);
/* Is something of the hour on its way to the outbox, so that the store may lack it for good reason: posted again, or due by itself?
 * Never of a measurement other than the two. On a reader; blocks for the disk. */
enum status repost_rows_wait(struct db *db, const struct hour *hour, bool *ret, struct error *err);
