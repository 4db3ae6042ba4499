/*
 * Lines of databases. One that is restored goes on from what it holds, and the one that it replaces may have gone on
 * as well: from then on they are two lines, and the time-series store got what both accepted. Where those differ in
 * the value of a point and millisecond, it has the one that was posted last. So what the restored one holds and the
 * replaced one had not settled in the same place is posted again; posting twice is the same as once.
 *
 * A batch has the same place in two databases where its id, gateway, epoch, seq and instant of arrival are the same:
 * then everything before it is the same as well.
 */
#pragma once

#include "lib/status.h"

#include <stdint.h>

/* Moves the cursor of `restored` (a copy of a backup that nobody uses yet) back to where its line leaves that of
 * `replaced`, or to the begin where `replaced` is NULL. The file is brought to the format of this program where the
 * cursor moves, and synced. *ret_again: how many batches are posted again for it.
 * ST_INVALID: `replaced` cannot be read, for whatever reason; `restored` is then as it was. */
enum status lineage_rewind(const char *restored, const char *replaced, int64_t *ret_again, struct error *err);
