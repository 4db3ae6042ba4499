/*
 * Whether an instrument can be had now, worked out from what is known of it and never stored as one flag: what it does
 * (activity), who has it (claim), whether it is in service, and how fresh each source of that is. Pure; the instant is an
 * argument. The rules are a table (availability_rules), of which the first that fits counts.
 *
 * Law A: at one instant, a source that ages or is lost moves the answer only from available to degraded to short to
 * unknown, or from one that is busy to another that is not available; `free_until` becomes only earlier or none, and
 * `next_free` only later or none. So no silence ever makes an instrument free.
 */
#pragma once

#include "collector/instrument/activity.h"
#include "collector/model/park_instrument.h"

#include <stdbool.h>
#include <stddef.h>

/* No such time: never, not known, without end. */
#define AVAILABILITY_NONE INT64_MIN
/* How far ahead a free slot is looked for. */
#define AVAILABILITY_AHEAD_MS (14 * INT64_C(86400000))

enum availability_quality { SOURCE_GOOD, SOURCE_LATE, SOURCE_STALE, SOURCE_NEVER_SEEN, SOURCE_CONFLICT };
extern const char *const availability_qualities[]; /* names, NULL-terminated */

/* Something that tells, as far as it is told at an instant. */
struct availability_source {
    bool is_configured;
    enum availability_quality quality; /* fresh = good or late */
    int64_t last_ms;                   /* when it told last; AVAILABILITY_NONE = never */
    int64_t stale_ms;                  /* from when on it is not fresh; AVAILABILITY_NONE = it never was */
};
/* A word from further ahead was stamped by a clock that was wrong: rule D5. */
#define AVAILABILITY_TOLERANCE_MS INT64_C(300000)
/* Late: older than two periods. Stale: older than the gap (activity_gap_ms), or from too far ahead. `last_ms` may be AVAILABILITY_NONE. */
struct availability_source availability_source_at(int64_t now_ms, int64_t last_ms, int64_t period_ms);
/* Configured, and good or late. */
bool availability_is_fresh(const struct availability_source *source);

/* Time that is taken: half-open. A list is in order of from_ms; its entries may overlap. */
struct availability_busy {
    int64_t from_ms, until_ms;
};
struct availability_list {
    const struct availability_busy *items;
    size_t count;
};

/* A resource, as it was told last. It stays down until a person, or a state that is fresh when it arrives, says that it
 * is up again: availability_is_down. */
struct availability_resource {
    struct availability_source source; /* is_configured: a point tells it */
    bool is_down;
    int64_t since_ms; /* AVAILABILITY_NONE = not known */
};
/* Whether it is down now, when a state arrives: its last one, or one of a person, who is always fresh. */
bool availability_is_down(bool was_down, bool says_up, bool is_fresh);

struct availability_facts {
    int64_t now_ms;
    const struct park_instrument
        *instrument;         /* shared, opening hours, off_means, minimum slot, grace, max_session */
    const struct zone *zone; /* of its site */
    /* Activity by power */
    struct availability_source power;
    enum activity_state activity;
    int64_t activity_since_ms;
    /* Sessions */
    struct availability_source session;
    bool is_session_open;
    int64_t session_since_ms; /* it was opened, or closed; AVAILABILITY_NONE = there was none */
    int64_t
        session_limit_ms; /* until then it may be open, as when it was opened; AVAILABILITY_NONE = not known: max_session */
    int64_t cooldown_until_ms; /* after the last session; AVAILABILITY_NONE = none */
    /* Bookings: those that are not over, as they are known */
    struct availability_source calendar;
    struct availability_list bookings;
    /* Service */
    int64_t outage_since_ms; /* of an unplanned outage that is open; AVAILABILITY_NONE = there is none */
    struct availability_list planned; /* planned outages that are not over */
    const struct availability_resource *required, *optional;
    size_t required_count, optional_count;
    int64_t
        problem_since_ms; /* of a problem that was reported and is open; AVAILABILITY_NONE = there is none */
};

enum availability_status {
    AVAILABILITY_NOT_SHARED,
    AVAILABILITY_OUT_OF_SERVICE,
    AVAILABILITY_IN_USE,
    AVAILABILITY_CLOSED,
    AVAILABILITY_RESERVED,
    AVAILABILITY_UNKNOWN,
    AVAILABILITY_SHORT,
    AVAILABILITY_DEGRADED,
    AVAILABILITY_AVAILABLE
};
#define AVAILABILITY_STATUSES 9
extern const char
    *const availability_statuses[]; /* names: "NOT_SHARED", ..., "AVAILABLE_SHORT", ... NULL-terminated */

/* Rules, in their order: also those of which several give the same status. */
struct availability_rule {
    enum availability_status status;
    const char *reason; /* code of the answer */
    const char *words;  /* when it holds: for the documentation */
};
const struct availability_rule *availability_rules(size_t *ret_count);

struct availability {
    enum availability_status status;
    const char *reason; /* of the rule */
    int64_t
        since_ms; /* since when what the rule goes by is so, as far as that is known; else AVAILABILITY_NONE */
    int64_t
        free_until_ms; /* where it is available: the next booking, closing or planned outage; NONE = none is known */
    int64_t
        next_free_ms; /* from when on it is free for the minimum slot: now where it is; NONE = not known, or not
                              within AVAILABILITY_AHEAD_MS */
    int64_t as_of_ms;                          /* the instant that was asked about */
    enum availability_quality session_quality; /* of the session as judged: a forgotten one is in conflict */
};
struct availability availability_at(const struct availability_facts *facts);
