/*
 * The baselines of a site as a report has them: the model, from the books and temperatures as they are now, and what was
 * avoided against it in that part of the report's period which is of the reporting period and over.
 */
#pragma once

#include "collector/report/report.h"

/* Reads them into the report. Blocks for the disk alone. */
enum status baselines_read(struct db *db, struct report *report, struct error *err);
