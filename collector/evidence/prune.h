/*
 * What is old goes: raw batches `evidence_days` after they arrived and once the store has them, quarantined
 * lines at the same age. Register readings go to the archive (collector/evidence/archive.h) in the same
 * transaction, and stay there for `audit_years`.
 *
 * Age is told by the clock, and a clock can be wrong. So nothing is pruned while it is not synchronised, and
 * arrivals are pruned at most PRUNE_PACE times as fast as the collector runs: a clock that jumps years ahead
 * costs an hour's arrivals in the first 2.5 minutes, not all at once, and /readyz says that pruning lags
 * (prune.behind_ms), until a person has set the clock right. A collector that stood still for ten days has
 * caught up ten hours later.
 */
#pragma once

#include "collector/evidence/seal.h"
#include "collector/settings.h"
#include "lib/clock.h"
#include "lib/db.h"

#include <stdbool.h>
#include <stdint.h>

#define PRUNE_PACE 24

struct prune {
    struct sealer sealer;
    int64_t due_mono_ms;
    int64_t ran_mono_ms; /* when the allowance was counted last; 0 = not yet */
    int64_t allowed_ms;  /* UTC: what arrived before may go, as far as the pace is concerned */
    int64_t behind_ms;   /* by how much the pace holds back what is old by the clock */
};

void prune_init(struct prune *p, const struct database_settings *settings);
/* After a failed commit: it is due again. */
void prune_reset(struct prune *p);
/* Does a bounded piece where it is due, inside the core's transaction; sets *ret_is_changed where it did
 * something. `settled`: journal id up to which nothing but evidence is left to it: the store, the table of points
 * and the ledger have it. */
enum status prune_step(struct prune *p, struct db *db, int64_t settled, const struct clock *clock,
    bool *ret_is_changed, struct error *err);
