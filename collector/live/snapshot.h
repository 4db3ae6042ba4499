/*
 * What the collector knows now, as one immutable value: made by the core thread after a commit (at most a few
 * times a second), read by everyone else. Readers hold a reference for as long as they use it.
 */
#pragma once

#include "collector/model/model.h"
#include "lib/batch.h"
#include "lib/id.h"

#include <stdbool.h>
#include <stdint.h>

struct snapshot_point {
    char gateway[ID_MAX + 1];
    char name[POINT_MAX + 1];
    enum reading_kind kind;
    enum reading_quality quality;
    int64_t time_ms;         /* of the newest reading */
    int64_t arrived_ms;      /* UTC, at the collector */
    int64_t count;           /* register */
    double value;            /* gauge */
    char text[64];           /* state, cut to fit */
    int64_t period_ms;       /* as the agent said; 0 = unknown */
    struct park_place place; /* now */
};

struct snapshot_gateway {
    char id[ID_MAX + 1];
    const struct park_gateway *gateway; /* NULL = not in the park model */
    bool is_online;         /* judged by arrival of messages that are not retained, and by what they say */
    bool is_presence_known; /* false: it had no time to speak yet, or the broker is away */
    int64_t heard_ms;       /* UTC of its own last message that was not retained; 0 = never since start */
    int64_t newest_ms;      /* time of the newest reading; 0 = none */
    char version[32];
    bool is_clock_synchronised;                                /* false only where it said so */
    int64_t spooled_batches, spooled_bytes, spooled_oldest_ms; /* as the agent said; oldest 0 = none */
    int64_t mark;                                              /* seq up to which all is durable */
    int64_t lost;           /* losses recorded: each a range of batches, or a number of readings */
    int64_t quarantined_ms; /* UTC, when something of it was quarantined last; 0 = never since start */
    int64_t lost_ms;        /* UTC, when the newest was recorded; 0 = never */
    bool is_untimely;       /* its batches are ahead of our clock, which is not to be trusted: they wait */
};

struct snapshot_counters { /* since start */
    int64_t batches, readings, duplicate_batches, duplicate_readings, quarantined, refused, unreadable,
        losses;
    int64_t discarded_bytes;    /* over a quota, as if it never arrived */
    int64_t quarantine_omitted; /* of `quarantined`: counted only, because the quarantine is at its limit */
    int64_t commits, commit_failures;
    int64_t alarm_messages_taken, alarm_messages_failed; /* attempts at receivers of alarms */
    int64_t alarm_messages_unnoted;                      /* now: taken, and the tables do not say so yet */
    int64_t alarm_rules;                                 /* in use; 0 = nothing is watched */
};

struct snapshot {
    int64_t made_ms; /* UTC */
    uint64_t number; /* grows by one with every snapshot */
    const struct park *park;
    const struct snapshot_point *points; /* sorted by gateway and name */
    size_t point_count;
    const struct snapshot_gateway *gateways; /* sorted by id: those of the park model and those heard */
    size_t gateway_count;
    struct snapshot_counters counters;
    bool is_broker_connected;
    bool is_clock_synchronised; /* the collector's own */
    bool is_clock_behind;       /* it says less than when the latest batch arrived */
    int64_t prune_behind_ms;    /* by how much the pace of pruning holds back what is old by the clock */
    bool is_accepting;          /* false: stopped acknowledging; reason says why */
    char reason[256];
    int64_t journal_end; /* newest journal id; minus the store's raw_position it is the backlog */
    int64_t database_bytes, database_limit_bytes;
    int64_t outbox_bytes, outbox_limit_bytes; /* derived rows that wait for the store */
    int64_t ledger_behind_ms; /* for how long the books have not had all of the journal; 0 = they have */
    char ledger_aside[128];   /* meters whose books fail, until the next start */
    char receivers_deaf[128]; /* of alarms, which took none of the last messages */
};

/* None but the collector's own is judged: nobody can say how old anything is. */
static inline bool snapshot_alarms_are_off(const struct snapshot *s)
{
    return s->counters.alarm_rules > 0 && (!s->is_clock_synchronised || s->is_clock_behind);
}

struct snapshot_box; /* where the newest one lies; any thread */

struct snapshot_box *snapshot_box_create(void);
void snapshot_box_destroy(struct snapshot_box *box); /* accepts NULL */
/* Takes `s` (made by snapshot_create) and drops the box's reference to the one before. Calls every listener
 * on this thread. */
void snapshot_publish(struct snapshot_box *box, struct snapshot *s);
/* The newest, with a reference for the caller; NULL before the first. */
const struct snapshot *snapshot_get(struct snapshot_box *box);
void snapshot_put(const struct snapshot *s); /* accepts NULL; may be called by any thread */
/* One listener (the web server), called at every publish, when the new one can be had; it must not block nor
 * call anything of this header. NULL = none; after the return the former listener is not running and will not
 * be called. */
void snapshot_listen(struct snapshot_box *box, void (*on_publish)(void *user_data), void *user_data);
/* A zeroed snapshot with room for that many points and gateways; the caller fills it (its arrays by
 * snapshot_points and snapshot_gateways) before publishing. */
struct snapshot *snapshot_create(size_t points, size_t gateways);
/* Its park is this model's, which it holds as long as it is itself. Before publishing, once. */
void snapshot_hold(struct snapshot *s, const struct model *m);
/* The arrays, to be filled before publishing only. */
struct snapshot_point *snapshot_points(struct snapshot *s);
struct snapshot_gateway *snapshot_gateways(struct snapshot *s);
