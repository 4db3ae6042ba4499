/* What the database tells a report beside amounts. Reads; blocks for the disk alone. */
#pragma once

#include "collector/report/report.h"

/* When the newest batch arrived; 0 = there is none. */
enum status happened_heard(struct db *db, int64_t *ret_ms, struct error *err);
/* Adds the events of the site's meters that touch the report's period: by meter, as the park has them, then by time. */
enum status happened_read(struct db *db, struct report *report, struct error *err);
