/*
 * The alarms of the collector, in the core's transaction: what its rules (collector/alarm/rule.h) say of their targets, what fires
 * and what clears by that, and which message each receiver is due. After the commit messages go to the couriers, never
 * after one that failed. Core thread; a step at most each ALARM_MS, cheap: look-ups in memory, and rows for a little at a time.
 *
 * What memory has is a cache of the tables (collector/alarm/rows.h). Lines of the log wait for the commit as messages do.
 */
#pragma once

#include "collector/alarm_facts.h"
#include "collector/alarm_post.h"
#include "collector/alarm_watches.h"

#define ALARM_MS 1000       /* between two looks at what is in memory */
#define ALARM_SLOW_MS 10000 /* at what takes rows; and no longer than so in one step: */
#define ALARM_STEP_MS 10

/* The rules of a file, checked against a park (NULL, or one with problems: by themselves) and, where `reads_secrets`, with the
 * files that they name. Never NULL; with problems in ret->conf they must not be used, only destroyed. */
struct alarm_rules *alarm_desk_load(const char *path, const struct park *park, bool reads_secrets);

struct alarm_desk {
    struct db *db;
    struct alarm_post post;    /* its `couriers` are set by the owner */
    struct ills ills;          /* of this collector; taken by the owner */
    struct alarm_rules *rules; /* owned; NULL = none */
    const struct park *park;
    struct zone **zones; /* of its sites, in their order */
    struct alarm_watches watches;
    size_t next_slow;
    bool is_loaded;
    int64_t seen_ms; /* when runs were looked after, as noted last */
    int64_t last_ms; /* the wall clock at the step before */
    int64_t looked_mono_ms;
    bool has_looked;
    bool are_runs_stale;  /* what their rows say is over: all are written anew, once there is room, */
    bool are_runs_mended; /* and that is not committed yet */
    char **news;          /* lines for the log, when this is committed; owned */
    size_t news_count, news_capacity;
};

void alarm_desk_init(struct alarm_desk *d, struct db *db, const char *collector);
void alarm_desk_release(struct alarm_desk *d); /* accepts a zeroed struct */
/* Other rules, from the next step on: takes them; NULL = none. */
void alarm_desk_use_rules(struct alarm_desk *d, struct alarm_rules *rules);
/* Another park, which is borrowed. */
void alarm_desk_use(struct alarm_desk *d, const struct park *park);
/* After a failed commit: all is read again. */
void alarm_desk_reset(struct alarm_desk *d);

struct alarm_desk_now {
    const struct clock *clock;
    struct alarm_sources sources; /* without park, zones and what is the desk's own */
    bool may_write; /* else nothing fires or clears; what is due goes all the same, of what tables say */
    bool has_room;  /* else nothing new is known, but of the collector's own targets: they alone are judged */
};
/* Within the core's transaction, after the board. Sets *ret_is_changed where it wrote. */
enum status alarm_desk_step(
    struct alarm_desk *d, const struct alarm_desk_now *now, bool *ret_is_changed, struct error *err);
/* After the transaction, committed or without anything in it: messages go. */
void alarm_desk_show(struct alarm_desk *d);
