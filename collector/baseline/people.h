/*
 * People a day in spaces, as what energy depends on beside the weather (ISO 50006: a relevant variable; IPMVP: an independent
 * variable): the mean over the day of how many were there, in all spaces together, in thousandths of a person. Integers.
 *
 * By quarter hours of `occupancy` (collector/space/rows.h) of one source of a space, always the same, so that nothing changes
 * but people: its counter of people in the area, else the corrected series of its doors. A day has a mean where of each space
 * at least 90 % of it was observed, as of key data that are uploaded (domain: completeness >= 90 %, B), else none: what is
 * not observed is no 0. Where the reckoning has not come so far, nobody knows the mean, whatever is there of the day, and it is
 * not missing for good: something of the space is to be reckoned of that day, yet or anew (space_dirty), or a batch that has
 * readings of it was not taken (cursor `space`).
 */
#pragma once

#include "collector/energy/steps.h"
#include "collector/model/park_space.h"
#include "lib/db.h"

#define PEOPLE_NONE (-1)
#define PEOPLE_BEHIND (-2) /* none so far: they are being reckoned */
#define PEOPLE_OBSERVED_PERCENT 90

/* `ret` has room for days->count. Blocks for the disk. */
enum status people_read(struct db *db, const struct park_space *const *spaces, size_t count,
    const struct steps *days, int64_t *ret, struct error *err);
