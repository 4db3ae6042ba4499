/*
 * What is known of a target of an alarm's rule (collector/alarm/judge.h), from what the core has: newest readings, who was
 * heard, instruments, and the books. Core thread, in its transaction; in memory, but for what a night, a day or a space
 * is about, which are a few rows.
 */
#pragma once

#include "collector/alarm/judge.h"
#include "collector/board_maker.h"
#include "collector/intake/known.h"
#include "collector/live/presence.h"
#include "collector/model/zone.h"

struct alarm_sources {
    struct db *db;
    const struct park *park;
    struct zone *const *zones; /* of its sites, in their order */
    const struct known *known;
    const struct presence *presence;
    const struct board_maker *board; /* of the same park */
    int64_t now_ms;
    int64_t taking_since_ms;    /* since when batches are taken; 0 = they are not */
    bool is_clock_right;        /* synchronised, and not behind what arrived */
    bool is_clock_synchronised; /* as the kernel says */
    const struct ills *ills;    /* of this collector, */
    const char *database_path;
    int64_t database_bytes, database_full_bytes; /* at the second nothing is taken any more; so the next */
    int64_t outbox_bytes, outbox_limit_bytes;
};

static inline const struct zone *alarm_sources_zone(
    const struct alarm_sources *s, const struct park_site *site)
{
    return s->zones[site - (const struct park_site *)s->park->sites.items];
}

/* Does it take rows: then it is asked less often. */
bool alarm_facts_are_slow(const struct alarm_rule *rule, enum alarm_target_kind kind);
enum status alarm_facts_gather(const struct alarm_sources *s, const struct alarm_rule *rule,
    const struct alarm_target *target, struct alarm_facts *ret, struct error *err);
