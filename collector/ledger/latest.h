/*
 * The latest quarter hours of a meter, fast: rows of ledger_quarter (collector/ledger/books.h), or, of days of UTC that
 * are over, all 96 in one row of ledger_day. That table is a cache: what it holds of a day is made of the rows of
 * ledger_quarter alone, in the transaction that wrote the last of them: whoever adds a row of a day that is over packs it
 * again (a trigger would cost a tenth of all that the books do). Where a row is changed or deleted, by whomever, triggers
 * of the schema delete the day. A day that is not in it, or not in this format, is read from
 * the rows. So it may be emptied at any time, and nothing but the time to read depends on it.
 */
#pragma once

#include "collector/ledger/quality.h"
#include "lib/db.h"

#include <stdint.h>

#define LATEST_DAY_MS INT64_C(86400000)

/*
 * Of the quarter hours that begin from `from_ms` up to, not including, `until_ms` (on quarter hours): the latest
 * amounts, base units, and qualities (enum quality), in order. Unknown: 0 and QUALITY_UNKNOWN. What has no row is left
 * as it is. Blocks for the disk alone.
 */
enum status latest_read(struct db *db, int64_t meter, int64_t from_ms, int64_t until_ms, int64_t *amounts,
    uint8_t *qualities, struct error *err);
/* The same from the rows alone. */
enum status latest_read_rows(struct db *db, int64_t meter, int64_t from_ms, int64_t until_ms,
    int64_t *amounts, uint8_t *qualities, struct error *err);

/* Puts the days that lie wholly in this time into the cache. Part of the transaction that wrote their rows. */
enum status latest_pack(struct db *db, int64_t meter, int64_t from_ms, int64_t until_ms, struct error *err);
