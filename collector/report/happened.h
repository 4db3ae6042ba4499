/* What the database tells a report beside amounts. Reads; blocks for the disk alone. */
#pragma once

#include "collector/report/report.h"

/* When the newest batch arrived; 0 = there is none. */
enum status happened_heard(struct db *db, int64_t *ret_ms, struct error *err);
/* Adds the events and decisions of a meter, by its number in the books, that touch the report's period: by time; decisions
 * newest first. Of the report only the period counts. */
enum status happened_read_meter(
    struct db *db, struct report *report, const struct park_meter *meter, int64_t id, struct error *err);
void happened_release(struct report *report);
/* The same of all the site's meters, as the park has them. */
enum status happened_read(struct db *db, struct report *report, struct error *err);
