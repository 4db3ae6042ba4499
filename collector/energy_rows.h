/*
 * The `energy` measurement: the latest version of each decided quarter hour of a meter, at its start, into the outbox.
 *
 *   tags    site, building, tenant, meter, carrier, item: those of its begin, as the park model has them now
 *   amount  kWh of electricity, MJ of heat and cooling, m3 of water and gas: a picture for people. Sums are made of
 *   count   the same in base units (Wh, J, L)
 *   quality measured, estimated, manual, unknown
 *   coverage 1 where it is measured or manual, else 0: the mean is the share of a time
 *
 * An unknown quarter has neither amount nor count, so a sum never takes it for 0. A line that is written over another
 * leaves there the fields that it has not, and beside it one of other tags; so whatever takes the place of an earlier
 * version, or has no amount, lets what the store holds of the meter's quarter be deleted first.
 */
#pragma once

#include "collector/ledger/quarters.h"
#include "collector/model/park.h"
#include "lib/db.h"

/* `version`: as in ledger_quarter. Inside the core's transaction. */
enum status energy_row_put(struct db *db, const struct park_meter *meter, const struct quarter *quarter,
    int64_t version, struct error *err);
