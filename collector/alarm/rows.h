/*
 * Alarms in the collector's database: what fired. Rows of alarms stay as long as the database; each fires once and clears once.
 *
 *   alarm        one each time that a rule fired on a target; cleared_ms NULL: it stands, and is the only one of both that does
 *   alarm_run    what is on its way to fire or to clear (collector/alarm/fold.h), and since when
 *   alarm_told   how many messages of an alarm a receiver took, and when it is due the next (collector/alarm/told.h); due_ms NULL:
 *                none, for now; tried: may it have the first, which it did not take: 1 by the attempt that is on, 2 by one before;
 *                news: how often there was more that must be told, and since: how many it had taken then
 *   cursor       'alarms': when runs were looked after last; a run that nobody looked after for ALARM_BREAK_MS is over
 */
#pragma once

#include "collector/alarm/fold.h"
#include "collector/alarm/rule.h"
#include "lib/db.h"

extern const char alarm_schema[], alarm_reason_schema[], alarm_tried_schema[], alarm_period_schema[],
    alarm_news_schema[];

#define ALARM_BREAK_MS 120000
#define ALARM_NOTE_MAX 500 /* characters */

struct alarm {
    int64_t id;
    char *rule;
    enum alarm_kind kind;
    enum alarm_target_kind target_kind;
    char *target; /* its id; "" of the collector */
    enum alarm_severity severity;
    int64_t since_ms, fired_ms; /* since when it was so; when it fired */
    bool has_value, has_bound;
    int64_t value_m, bound_m;  /* thousandths, when it fired; of ALARM_LOSS all of them by now */
    int64_t from_ms, until_ms; /* the night or the day that the value is of; 0 = of when it fired */
    enum alarm_reason reason;  /* when it fired */
    char *ills;    /* of ALARM_HEALTH: codes of what is wrong (ills_now of collector/alarm/ills.h), owned */
    char *told;    /* those of them that messages have; owned */
    bool is_below; /* the bound is one that it fires below */
    int64_t cleared_ms; /* 0 = it stands */
    bool is_gone;       /* it was cleared because there is nothing to watch any more */
    int64_t acked_ms;   /* 0 = nobody did */
    char *acked_by, *ack_note;
    int64_t news; /* how often there was more of it since it fired: then nobody had taken note */
    char *former_by, *former_note; /* who had, before; NULL = nobody */
};
void alarm_release(struct alarm *a);

struct alarm_list {
    struct alarm *items;
    size_t count, capacity;
};
void alarm_list_release(struct alarm_list *list);

/* All, or those alone that are over, newest first, or those alone that stand, the gravest first, of each severity the newest: what comes
 * behind the one of number `before` (INT64_MAX: from the first on), at most `limit`. */
enum alarm_which { ALARM_ALL, ALARM_STANDING, ALARM_OVER };
enum status alarm_list_read(struct db *db, enum alarm_which which, int64_t before, int64_t limit,
    struct alarm_list *ret, struct error *err);
/* ret->id is 0 where there is none. */
enum status alarm_find(struct db *db, int64_t id, struct alarm *ret, struct error *err);
struct alarm_counts {
    int64_t standing, unacked, unacked_critical;
    int64_t by_severity[ALARM_SEVERITIES]; /* standing, and the next */
    int64_t by_kind[ALARM_KINDS][ALARM_SEVERITIES];
};
enum status alarm_count(struct db *db, struct alarm_counts *ret, struct error *err);

/* What a rule fired on a target; ret_id is its number. Within a transaction, as all that writes. */
enum status alarm_fire(struct db *db, const struct alarm *a, int64_t *ret_id, struct error *err);
enum status alarm_clear(struct db *db, int64_t id, int64_t now_ms, bool is_gone, struct error *err);
/* While it stands: its value and ills are others. Of news nobody took note. */
enum status alarm_change(struct db *db, const struct alarm *a, bool is_news, struct error *err);
/* ST_INVALID, in one sentence: there is none of that number, it is over, somebody did already, or there is more of it than whoever
 * takes note has seen (`news` of then; ALARM_NEVER = not said). */
enum status alarm_ack(struct db *db, int64_t id, const char *who, const char *note, int64_t seen_news,
    int64_t now_ms, struct alarm *ret, struct error *err);

/* ---- runs ---- */

/* ALARM_NEVER: there is none any more. */
enum status alarm_run_write(struct db *db, const char *rule, enum alarm_target_kind kind, const char *target,
    int64_t run_ms, struct error *err);
