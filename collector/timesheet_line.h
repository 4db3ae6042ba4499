/*
 * Lines of the measurement `instrument`: a quarter hour of an instrument, at its begin, by the park model as it is now.
 *
 *   tags           site, building, instrument, category
 *   <part>_s       seconds of each part of its time (hours_parts of collector/instrument/hours.h), a float of whole milliseconds;
 *                  all of them, also those that are 0: they add up to 900
 *   energy         kWh of its own meter, where that quarter hour is known
 */
#pragma once

#include "collector/instrument/hours.h"
#include "collector/model/park.h"
#include "lib/db.h"

/* Divides the quarter hours of [from, until), at most TIMESHEET_QUARTERS of them, all over by now_ms, and puts their lines into the
 * outbox; those that are there already as they are stay. Inside the core's transaction. */
#define TIMESHEET_QUARTERS 672
enum status timesheet_lines_put(struct db *db, const struct park_instrument *instrument,
    const struct zone *zone, int64_t from_ms, int64_t until_ms, int64_t now_ms, bool *ret_is_changed,
    struct error *err);
/* From when until when what lies in [from, until) may change with it: whole sessions and bookings. */
enum status timesheet_lines_widen(struct db *db, const struct park_instrument *instrument,
    const struct zone *zone, int64_t now_ms, int64_t *from_ms, int64_t *until_ms, struct error *err);
