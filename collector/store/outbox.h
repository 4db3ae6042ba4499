/*
 * The outbox: derived lines that wait for the store, keyed by series and time, the latest of which wins. A
 * line that was sent stays, marked, until its hour is counted against the store (collector/store/countback.h).
 * All calls run inside the core's transaction.
 */
#pragma once

#include "collector/store/hours.h"
#include "lib/db.h"

/* A (series, time) that is there already is replaced under a new id, so that an older result of the store does
 * not settle it. `series` begins with the measurement and a comma. */
enum status outbox_put(
    struct db *db, struct span series, int64_t time_ms, struct span line, struct error *err);
/* The same for a line that takes the place of one with other fields or tags, which a store would leave there: of the
 * series, "<measurement>,<tag>=<value>" (what follows in it after a comma is not looked at), everything in [time, time +
 * clears_ms) is deleted in the store before it is written. 0: nothing is. */
enum status outbox_put_over(struct db *db, struct span series, int64_t time_ms, int64_t clears_ms,
    struct span line, struct error *err);
/* What the rows take in the database, about; one cheap look-up. */
enum status outbox_bytes(struct db *db, int64_t *ret, struct error *err);
/* The rows with ids in (from, to] that were not replaced since they were read are sent. */
enum status outbox_mark_sent(struct db *db, int64_t from, int64_t to, int64_t now_ms, struct error *err);
enum status outbox_remove(struct db *db, int64_t id, struct error *err);
/* Lets go what was sent, of one measurement and hour. */
enum status outbox_let_go(struct db *db, const struct hour *hour, struct error *err);
/* Lets go up to `limit` rows that were sent before `before_ms` and could not be counted since; their hours
 * remember that the store holds them. */
enum status outbox_prune(struct db *db, int64_t before_ms, int64_t limit, struct error *err);
