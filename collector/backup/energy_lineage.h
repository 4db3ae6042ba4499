/*
 * What of `energy` is posted again after a restore. The time-series store has what the replaced database posted: where
 * its books say something else of a quarter hour than those of the restored one, where it had rows yet to post, or
 * made them by another version of the park model, the restored one posts its own (collector/store/repost.h), and what
 * it does not have is deleted. Nothing is worked out where the replaced one is not there, damaged, or of another
 * format: then that is all of it.
 */
#pragma once

#include "lib/status.h"

#include <stdbool.h>
#include <stdint.h>

/* `restored`: a copy of a backup that nobody uses yet; it is brought to the format of this program, and is on the disk.
 * `replaced`: NULL = there is none. *ret_meters: of so many something is posted again. ST_TIMEOUT: it was asked to end. */
enum status energy_lineage_note(
    const char *restored, const char *replaced, int64_t *ret_meters, struct error *err);
