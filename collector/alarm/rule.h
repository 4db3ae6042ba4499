/*
 * The rules of alarms and who is told (config/alarms.cfg), as tables and as structs. Loaded and checked as a whole, then
 * immutable. A rule is of one kind, and watches things of the park that it names; numbers are thousandths (suffix _m) of the
 * kind's unit.
 */
#pragma once

#include "collector/alarm/ills.h"
#include "collector/alarm/receiver.h"
#include "collector/model/park.h"
#include "lib/conf.h"

/* As numbers these are not kept: rows hold the names. */
enum alarm_kind {
    ALARM_NO_DATA,      /* a meter, point or gateway was not heard for longer than `for`; seconds */
    ALARM_THRESHOLD,    /* power of a meter (W), a gauge, people in a space with doors */
    ALARM_BASE_LOAD,    /* the mean power of a meter in the hours of a night; W, or L/h of water and gas */
    ALARM_WATER,        /* the lowest quarter hour of a night: water that never stops; base units */
    ALARM_BALANCE,      /* a parent's gap of a day; percent of what its `balance_limit` allows */
    ALARM_LEFT_RUNNING, /* an instrument runs after hours, or without a session */
    ALARM_CLOCK,        /* a gateway's clock, or the collector's, is not synchronised */
    ALARM_DISK,         /* the collector's database, or the disk that it lies on, is nearly full; percent */
    ALARM_LOSS,         /* a loss of a gateway was recorded */
    ALARM_HEALTH        /* the collector itself is not well */
};
#define ALARM_KINDS 10
extern const char *const alarm_kinds[]; /* names by enum alarm_kind, NULL-terminated */

enum alarm_severity { ALARM_INFO, ALARM_WARNING, ALARM_CRITICAL };
#define ALARM_SEVERITIES 3
extern const char *const alarm_severities[]; /* the same */

enum alarm_target_kind {
    ALARM_OF_METER,
    ALARM_OF_POINT,
    ALARM_OF_GATEWAY,
    ALARM_OF_SPACE,
    ALARM_OF_INSTRUMENT,
    ALARM_OF_COLLECTOR
};
#define ALARM_TARGET_KINDS 6
extern const char *const alarm_target_kinds[]; /* the same */

enum alarm_when { ALARM_WHEN_CLOSED, ALARM_WHEN_NO_SESSION, ALARM_WHEN_EITHER };

/* Why an instrument should not run; rows hold the names. */
/* Of an instrument why it should not run, of disks which of the limits it is. */
enum alarm_reason {
    ALARM_REASON_NONE,
    ALARM_REASON_CLOSED,
    ALARM_REASON_NO_SESSION,
    ALARM_REASON_BOTH,
    ALARM_REASON_DATABASE,
    ALARM_REASON_OUTBOX,
    ALARM_REASON_DISK
};
extern const char *const alarm_reasons[]; /* names, NULL-terminated; the first is "" */

/* A limit to fire beyond, and one to clear at or within: between them nothing changes. */
struct alarm_limit {
    bool is_above; /* false: it fires below */
    int64_t fire_m, clear_m;
};

/* Hours of a night: quarter hours of the site's day, half-open, 0 to 96. */
struct alarm_night {
    int from, until;
};

/* What the kinds have of their own; each has some of them. */
struct alarm_own {
    int64_t for_ms, clear_for_ms;        /* how long without a break, to fire and to clear */
    char *above, *below, *clear, *night; /* as written; NULL = not given */
    int64_t percent, clear_percent;
    int when;  /* enum alarm_when */
    int level; /* enum ills_level */
};

struct alarm_rule {
    struct conf_where where;
    char *id;
    int kind, severity;
    struct conf_list on; /* char *: "meter:m1", "gateway:*"; empty = all of the kind's first sort of target */
    struct alarm_own *own;
    struct alarm_limit limit; /* of the kinds that have one */
    struct alarm_night hours; /* of ALARM_BASE_LOAD, ALARM_WATER */
};

struct alarm_rules {
    struct conf_where where;
    struct conf_list rules, receivers;
    int64_t repeat_ms, repeat_max_ms; /* between two messages of what stands: the first, and the longest */
    struct conf *conf;                /* owns the strings */
};

/* Never NULL. All mistakes, in this file alone, are in ret->conf; with problems it must not be used, only destroyed. */
struct alarm_rules *alarm_rules_load(const char *path);
/* What the rules name must be in the park, and have what the kind needs: problems of rules->conf. */
void alarm_rules_check(struct alarm_rules *rules, const struct park *park);
void alarm_rules_destroy(struct alarm_rules *rules); /* accepts NULL */

/* Whether the kind watches such targets. */
bool alarm_kind_watches(enum alarm_kind kind, enum alarm_target_kind target);
/* "meter:m1" into its parts; `*ret_id` points into the text. False: it is none. */
bool alarm_target_parse(const char *text, enum alarm_target_kind *ret_kind, const char **ret_id);
/* What `on` comes to in a park, in the order in which it is written: each once. What the park has not is left out, and of "*"
 * what has not what the kind needs. */
struct alarm_target {
    enum alarm_target_kind kind;
    char *id; /* owned */
};
struct alarm_target *alarm_targets(const struct alarm_rule *rule, const struct park *park, size_t *ret_count);
void alarm_targets_release(struct alarm_target *targets, size_t count);

/* --help-alarms: every key. */
extern const struct conf_section alarms_section;
