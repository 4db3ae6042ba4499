/*
 * What was booked of the months of a report's period (collector/energy/booked.h; CONTRIBUTING.md, K1 to K7): of each that is
 * closed what was booked with it, and of the first that is not, what is metered of it and what it will have beside that.
 * A report that is alone has the closings, and what was overridden. Reads; blocks for the disk alone.
 */
#pragma once

#include "collector/report/report.h"

/* Nothing where no month of the site is closed, and in the report of a day. */
enum status closed_read(struct db *db, struct report *report, struct error *err);
/* Frees what it read. */
void closed_release(struct report *report);
