/*
 * Amounts of a site's groups and virtual meters as the API has them (collector/energy/tree.h; CONTRIBUTING.md, E13, E14):
 * a group adds up its topmost meters and takes nothing off, so that groups are not to be added up. They stand in the
 * report beside its parts (part.h), which add up.
 */
#pragma once

#include "collector/report/report.h"

/* Reads the rows into the report, whose meters have their amounts already: only virtual meters are read. */
enum status metered_read(struct db *db, struct report *report, struct error *err);
