/*
 * The rows of the measurement `energy` (collector/energy_line.h) that are new: the latest version of each quarter hour
 * of a meter as it is decided, into the outbox. What was posted before is posted again by collector/store/repost.h.
 *
 * A line that is written over another leaves there the fields that it has not, and beside it one of other tags; so
 * whatever takes the place of an earlier version, or has no amount, lets what the store holds of the meter's quarter be
 * deleted first.
 */
#pragma once

#include "collector/energy_line.h"
#include "lib/db.h"

/* `version`: as in ledger_quarter. Inside the core's transaction. */
enum status energy_row_put(struct db *db, struct energy_lines *lines, const struct park_meter *meter,
    const struct quarter *quarter, int64_t version, struct error *err);
