/*
 * The `gateway` measurement: at the begin of each minute one row per gateway into the outbox: how much is
 * lost, and where it is known: is it online, how far behind, how much is spooled. Gateways of the park model have a row even when they were
 * never heard. Driven by the clock, so a transaction like any other.
 */
#pragma once

#include "collector/intake/known.h"
#include "collector/live/presence.h"
#include "collector/model/park.h"

struct minute {
    const struct park *park;
    int64_t written; /* the newest minute in the outbox, minutes since 1970 */
};

/* The first rows are those of the next minute: just started, nobody knows who is online, and this minute's rows of a
 * collector that ran until now must not be replaced by that. */
void minute_init(struct minute *m, const struct park *park, int64_t now_ms);
/* After a failed commit: the rows of this minute may not be there. */
void minute_reset(struct minute *m);
/* Writes this minute's rows once; *ret_is_changed is set when it did. */
enum status minute_write(struct minute *m, struct db *db, const struct known *known,
    const struct presence *presence, int64_t now_ms, bool *ret_is_changed, struct error *err);
