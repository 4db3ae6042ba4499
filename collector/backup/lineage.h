/*
 * Lines of databases. One that is restored goes on from what it holds, and the one that it replaces may have gone on
 * as well: from then on they are two lines, and the time-series store got what both accepted. Where those differ in
 * the value of a point and millisecond, it has the one that was posted last. So what the restored one holds and the
 * replaced one had not settled in the same place is posted again; posting twice is the same as once.
 *
 * A batch has the same place in two databases where its id, gateway, epoch, seq and instant of arrival are the same:
 * then everything before it is the same as well. What the restored one holds no more, because it was pruned, nobody
 * can post again.
 */
#pragma once

#include "lib/status.h"

#include <stdbool.h>
#include <stdint.h>

struct lineage {
    int64_t again;    /* batches that are posted again for it */
    bool is_known;    /* else the replaced one is damaged or of something else, and nothing was moved: */
    struct error why; /* in what way */
};

/* Moves the cursor of `restored` (a copy of a backup that nobody uses yet) back to where its line leaves that of
 * `replaced`, or to the begin where `replaced` is NULL. Where it moves, the file is brought to the format of this
 * program, and is on the disk. ST_INVALID: the backup is none. */
enum status lineage_rewind(
    const char *restored, const char *replaced, struct lineage *ret, struct error *err);
