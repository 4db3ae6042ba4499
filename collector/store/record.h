/* What became of lines and hours, as the store's thread tells it, into the database. Runs inside the core's
 * transaction. */
#pragma once

#include "collector/store/store.h"
#include "lib/db.h"

/* *ret_omitted: refused lines for which the quarantine had no room. */
enum status record_result(struct db *db, const struct store_result *result, int64_t now_ms,
    int64_t *ret_omitted, struct error *err);
