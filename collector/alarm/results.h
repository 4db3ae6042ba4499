/*
 * What became of messages that were sent, in memory until rows say so (collector/alarm/told.h): on a disk that is full they cannot, and
 * nobody must be told the same once more for that. Core thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum alarm_outcome {
    ALARM_MISSED,   /* it has nothing of it */
    ALARM_DOUBTFUL, /* it had it, or some of it, and did not say whether it takes it */
    ALARM_TAKEN
};

/* Which message. */
struct alarm_letter {
    int64_t alarm, number;
    int64_t nth;  /* since there was news of the alarm, from 1 on */
    int64_t news; /* how often there was when it was made: what became known since is not in it */
};

struct alarm_result {
    char *receiver; /* owned */
    struct alarm_letter letter;
    int64_t at_ms;
    enum alarm_outcome outcome;
    bool is_end;    /* the message said that it is over */
    int64_t due_ms; /* where it was taken: when the next is due while the alarm stands; ALARM_NEVER = none */
};

struct alarm_results {
    struct alarm_result *items; /* of a receiver and an alarm one at most */
    size_t count, capacity;
};

void alarm_results_release(struct alarm_results *r); /* accepts a zeroed struct; leaves it so */
/* Copies it. What is known of an earlier attempt of the same message stays where the later one is no more than that it was missed. */
void alarm_results_add(struct alarm_results *r, const struct alarm_result *result);
/* Of how many messages no row says that they were taken, though the receiver is due nothing of that alarm now. */
int64_t alarm_results_unnoted(const struct alarm_results *r, int64_t now_ms);
/* NULL = none. */
const struct alarm_result *alarm_results_find(
    const struct alarm_results *r, const char *receiver, int64_t alarm);
