/* What the database tells a report beside amounts. Reads; blocks for the disk alone. */
#pragma once

#include "collector/report/report.h"

/* Up to when the books have what arrived: when the last batch arrived that they folded; where that is pruned, the end of the
 * last quarter hour that they decided. 0 = they have nothing. */
enum status happened_as_of(struct db *db, int64_t *ret_ms, struct error *err);
/* The instant by which a report reckons what is due: what the clock says, but never before what arrived by `as_of_ms`. */
int64_t happened_now(int64_t clock_ms, int64_t as_of_ms);
/* The end of the last quarter hour of the period that is decided of a meter of the site; 0 = there is none. */
enum status happened_decided(struct db *db, const struct report *report, int64_t *ret_ms, struct error *err);
/* Adds the events of a meter, by its number in the books, that touch the report's period, by time; and what was decided of it
 * up to the end of the period, also before it (which device is installed follows from that), newest first: is_of_period
 * says which of them touch it. Of the report only the period counts. */
enum status happened_read_meter(
    struct db *db, struct report *report, const struct park_meter *meter, int64_t id, struct error *err);
void happened_release(struct report *report);
/* The same of all the site's meters, as the park has them. */
enum status happened_read(struct db *db, struct report *report, struct error *err);
