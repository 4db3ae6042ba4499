/* Pruning by a clock of the test's own. */
#pragma once

#include "collector/evidence/prune.h"
#include "tests/unit/collector/intake_fixture.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

static int64_t now_ms, now_mono_ms;
static bool is_right;

static inline int64_t prune_wall(void)
{
    return now_ms;
}

static inline int64_t prune_mono(void)
{
    return now_mono_ms;
}

static inline bool prune_is_synchronised(void)
{
    return is_right;
}

static const struct clock prune_clock = {
    .wall_ms = prune_wall, .mono_ms = prune_mono, .is_synchronised = prune_is_synchronised};
static const struct database_settings prune_settings = {.evidence_days = 35, .audit_years = 5};

static inline void prune_begin(struct prune *p)
{
    now_ms = NOW_MS;
    now_mono_ms = 1000;
    is_right = true;
    prune_init(p, &prune_settings);
}

/* One transaction of the core. */
static inline bool prune_once(struct db *db, struct prune *p, int64_t settled)
{
    struct error err = {""};
    bool is_changed = false;
    must(db_begin(db, &err), &err);
    must(prune_step(p, db, settled, &prune_clock, &is_changed, &err), &err);
    must(db_commit(db, &err), &err);
    return is_changed;
}

/* Until a minute went by in which there was nothing to do. */
static inline void prune_all(struct db *db, struct prune *p)
{
    for (int idle = 0; idle < 6; now_ms += 10000, now_mono_ms += 10000)
        idle = prune_once(db, p, INT64_MAX) ? 0 : idle + 1;
}
