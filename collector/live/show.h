/* Makes the published snapshot from the core's state, at most a few times a second. Core thread. */
#pragma once

#include "collector/intake/known.h"
#include "collector/live/presence.h"
#include "collector/live/snapshot.h"

struct show {
    struct snapshot_counters counters; /* since start */
    uint64_t number;
    int64_t next_mono_ms;  /* not before */
    int64_t shown_mono_ms; /* 0 = never */
    bool is_changed;
    bool is_broker_connected; /* as shown last */
    bool is_accepting;
    char reason[256];
};

struct show_source {
    const struct park *park;
    const struct model *model; /* whose the park is, to be held by what is shown; NULL = the park stays */
    struct known *known;       /* only read; its sorted list may be made anew */
    const struct presence *presence;
    int64_t now_ms;
    bool is_broker_connected, is_clock_synchronised, is_clock_behind;
    int64_t prune_behind_ms;
    int64_t journal_end, database_bytes, database_limit_bytes, discarded_bytes;
    int64_t outbox_bytes, outbox_limit_bytes;
    int64_t ledger_behind_ms;
    const char *ledger_aside, *receivers_deaf;
};

void show_init(struct show *s);
void show_touch(struct show *s); /* something changed that is not counted */
void show_count(struct show *s, const struct snapshot_counters *more);
void show_accepting(struct show *s, bool is_accepting, const char *reason);
/* Publishes where something changed and the last one is old enough. Returns when to call again. */
int64_t show_publish(
    struct show *s, struct snapshot_box *box, const struct show_source *source, int64_t now_mono_ms);
