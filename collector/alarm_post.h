/*
 * Which message each receiver of alarms is due, in the core's transaction (CONTRIBUTING.md, W5): made of what the tables say
 * (collector/alarm/rows.h), packed for the couriers, and handed to them only after the commit. Core thread; waits for nobody.
 *
 * Which message of an alarm a receiver took is noted when it took it: between the two a kill sends it again, under the same id. Where
 * it cannot be noted, on a disk that is full, it is known for as long as this process lives, and messages go all the same.
 */
#pragma once

#include "collector/alarm/told.h"
#include "collector/couriers/courier.h"

#define ALARM_DEAF 3 /* attempts in a row that failed: people are told, on pages and by the health */

struct alarm_post {
    struct db *db;
    const char *collector; /* the id of this one; borrowed */
    /* What the value of an alarm that stands is now, in thousandths; false: nobody knows. */
    bool (*value_now)(void *user_data, int64_t alarm, int64_t *ret_m);
    void *user_data;
    char *link;                     /* of the page of alarms; owned; NULL = not known */
    struct couriers *couriers;      /* borrowed; NULL = messages stay due */
    struct alarm_rules *rules;      /* borrowed; NULL = nobody is told */
    const struct park *park;        /* borrowed, and the next */
    struct zone *const *zones;      /* of its sites, in their order */
    struct courier_parcel *parcels; /* by receiver: to go when this is committed; body NULL = none */
    int64_t taken, failed;          /* attempts since start, by how they ended */
    char deaf[128]; /* ids of those that took nothing in ALARM_DEAF attempts, in order; as many as fit */
    struct alarm_results results; /* that no row says yet */
    bool is_noting;               /* what is written now is not committed yet */
    bool may_note;                /* by the last settling */
};

/* By the name under which browsers reach this collector; NULL = it has none. The caller frees it. */
char *alarm_post_link(const char *name, int64_t port, bool is_https);
void alarm_post_release(struct alarm_post *p); /* accepts a zeroed struct */
/* Other receivers, which must stay until the next call: NULL = none. */
void alarm_post_use_rules(struct alarm_post *p, struct alarm_rules *rules);
/* After a failed commit: what was packed does not go. */
void alarm_post_reset(struct alarm_post *p);

/* Within the core's transaction. Who is no receiver any more is due nothing: should one of that id come again, it is a new one. */
enum status alarm_post_forget(struct alarm_post *p, bool *ret_is_changed, struct error *err);
/* All whom it concerns are due the first message of an alarm, but who has a row of it. */
enum status alarm_post_tell(
    struct alarm_post *p, int64_t alarm, enum alarm_severity severity, int64_t now_ms, struct error *err);
/* It is over: all who were told of it, or may have been, are due one more message. A program that was not is told in order, that it
 * fired and that it is over; people are told nothing of what came and went. */
enum status alarm_post_over(struct alarm_post *p, int64_t alarm, int64_t now_ms, struct error *err);
/* No message is due later than the rules say, whatever the clock was when it became due. */
enum status alarm_post_mend(struct alarm_post *p, int64_t now_ms, bool *ret_is_changed, struct error *err);
/* Notes what became of messages, where it may. */
enum status alarm_post_settle(
    struct alarm_post *p, bool may_note, int64_t now_ms, bool *ret_is_changed, struct error *err);
/* Packs the next message of each receiver that is ready for one, behind alarm_post_settle. */
enum status alarm_post_pack(struct alarm_post *p, int64_t now_ms, bool *ret_is_changed, struct error *err);
/* After the commit: what is packed goes. */
void alarm_post_send(struct alarm_post *p);
