/*
 * What is said of a target at an instant, from what is known of it. Pure: facts and the instant are arguments.
 *
 * What is old, was never heard, or cannot be told by a clock that may be wrong, is unknown; nothing is taken for 0, or for good.
 */
#pragma once

#include "collector/alarm/fold.h"
#include "collector/alarm/rule.h"

#define ALARM_SOURCES 2 /* of a target: a meter's register and its power */

/* Of one target; which of them a kind looks at stands beside. Zeroed: nothing is known. */
struct alarm_facts {
    int64_t now_ms;
    bool is_clock_right; /* the collector's own: else nobody can say how old anything is */
    bool is_gone;        /* there is nothing to watch: a meter that was taken away */
    /* ALARM_NO_DATA: what it is heard by, each by itself */
    struct alarm_source {
        int64_t heard_ms; /* last; 0 = never */
        int64_t since_ms; /* since when it could be heard without a break; 0 = it cannot */
        int64_t until_ms; /* until when it could: now, or when what it comes by spoke last */
        int64_t still_ms; /* for how long of its silence until then nobody listened */
        /* Of a meter or point behind a gateway (alarm_watch_return): */
        const char *point; /* borrowed from the park */
        int64_t back_ms;   /* since when the gateway speaks (collector/live/presence.h) */
        int64_t away_ms;   /* of its silence what does not count: the gateway's own */
    } sources[ALARM_SOURCES];
    int source_count;
    /* Those with a limit: the value, where it is known; so too the percent of ALARM_DISK and ALARM_BALANCE. */
    bool is_known;
    int64_t value_m;
    int64_t from_ms, until_ms; /* the night or the day that it is of; 0 = it is of now */
    enum alarm_reason fullest; /* ALARM_DISK: of which limit it is */
    /* ALARM_WATER: of the night's quarter hours the lowest that is known, and whether each of them was measured. */
    bool is_whole;
    /* ALARM_LEFT_RUNNING */
    bool is_running;                                     /* by fresh power, where is_known */
    bool has_hours, is_open;                             /* it has opening hours, and is within them */
    bool has_session, is_session_known, is_session_open; /* it has a point of sessions */
    /* ALARM_CLOCK: where is_known */
    bool is_synchronised;
    /* ALARM_LOSS: how many were recorded, and when the newest was; 0 = never */
    int64_t lost, lost_ms;
    /* ALARM_HEALTH, where is_known: is it as bad as the rule says, for how long it is, or is not, and by which codes */
    bool is_unwell;
    int64_t lasts_ms;
    const char *ills;
};

/* Since when it is silent, as far as it could be heard. */
int64_t alarm_silent_from_ms(const struct alarm_source *source);
struct alarm_word alarm_judge(const struct alarm_rule *rule, const struct alarm_facts *facts);
/* Of an instrument that is bad why, of disks which limit. */
enum alarm_reason alarm_reason_of(const struct alarm_rule *rule, const struct alarm_facts *facts);
/* How long a run lasts: what the judge itself has waited for needs no run. */
int64_t alarm_for_ms(const struct alarm_rule *rule);
int64_t alarm_clear_for_ms(const struct alarm_rule *rule);
/* The limit that a message names, thousandths; false: the kind has none. */
bool alarm_bound_m(const struct alarm_rule *rule, int64_t *ret_m);
