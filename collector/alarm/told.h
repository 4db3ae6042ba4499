/*
 * Who was told what of an alarm, in the collector's database (`alarm_told`, collector/alarm/rows.h): how many messages a receiver took,
 * and when it is due the next. Within a transaction, all that writes.
 */
#pragma once

#include "collector/alarm/results.h"
#include "collector/alarm/rows.h"

/* A receiver is due the first message of an alarm at once; nothing where it has a row of it. */
enum status alarm_told_add(
    struct db *db, int64_t alarm, const char *receiver, int64_t now_ms, struct error *err);
/* Every receiver of it is due one more at once: it is over. */
enum status alarm_told_over(struct db *db, int64_t alarm, int64_t now_ms, struct error *err);
/* It is about to be sent the first message of an alarm: from then on it may have it. */
enum status alarm_told_try(struct db *db, int64_t alarm, const char *receiver, struct error *err);
/* It was not sent, or was refused; whoever may not have it by an earlier attempt either is due nothing where it is over meanwhile. */
enum status alarm_told_missed(struct db *db, int64_t alarm, const char *receiver, struct error *err);
/* Nobody knows whether it has it: it is due that it is over, where it is. */
enum status alarm_told_doubt(
    struct db *db, int64_t alarm, const char *receiver, int64_t now_ms, struct error *err);
/* It is due nothing of one that it cannot have been told of; should it take the first message all the same, the next is due by that. */
enum status alarm_told_drop(struct db *db, int64_t alarm, const char *receiver, struct error *err);
/* Who knows of it is due no more, until it is over; who was not told yet is told all the same. */
enum status alarm_told_quiet(struct db *db, int64_t alarm, struct error *err);
/* There is more of it that must be told: all are due one more at once; who is just being told of before is, once that was taken. */
enum status alarm_told_news(struct db *db, int64_t alarm, int64_t now_ms, struct error *err);
/* After the clock was set back, or rules have shorter times: what was never told, or is over, is due by now, and a repeat no later
 * than after the time that its number of messages asks for. */
enum status alarm_told_mend(struct db *db, int64_t now_ms, int64_t repeat_ms, int64_t repeat_max_ms,
    bool *ret_is_changed, struct error *err);
/* It took a message; the next is due then, ALARM_NEVER = none, or as it is where there was news since this one was made. What another message has
 * come to meanwhile stays. */
enum status alarm_told_took(
    struct db *db, const struct alarm_result *taken, int64_t due_ms, struct error *err);
/* Of the messages that a receiver is due one of the worst severity, of those the one due longest, made now; ret->id is 0 where it is due
 * none. Its number is from 1 on; of what is over not the first, where that may have arrived. `results`: what no row says yet. */
enum status alarm_told_next(struct db *db, const struct alarm_results *results, const char *receiver,
    int64_t now_ms, struct alarm *ret, struct alarm_letter *ret_letter, struct error *err);
/* How many messages are due to all receivers, and not taken yet. */
enum status alarm_told_waiting(struct db *db, int64_t now_ms, int64_t *ret, struct error *err);
