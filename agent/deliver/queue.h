/*
 * Readings on their way to the spool, in memory: pollers put them into a bounded queue; the deliver thread takes all
 * of it at once and commits it slice by slice, while others are put. What finds no room is refused, and counted.
 *
 * It has no lock: every call under its owner's, but for the two that only the thread makes.
 */
#pragma once

#include "agent/deliver/spool.h"

#define QUEUE_MAX 16384 /* readings that wait, taken or not */

/* Readings that never got into the spool. */
struct queue_loss {
    int64_t count, from_ms, to_ms;
};

struct queue {
    struct spool_reading *fresh, *taken; /* twins of QUEUE_MAX each */
    size_t fresh_count;
    size_t taken_at, taken_end; /* of `taken`, the thread's own */
    size_t taken_left;          /* what others know of it */
    int64_t *last_ms;           /* newest time by point; NULL: times stay as they are */
    struct queue_loss refused;
};

void queue_init(struct queue *q, size_t point_count, bool keeps_times);
void queue_release(struct queue *q);

/* Copies the reading, its text too. A time that repeats the point's last one is bumped by a millisecond. False where
 * there is no room. */
bool queue_put(struct queue *q, const struct spool_reading *reading);
size_t queue_waiting(const struct queue *q);
/* What was refused since this was asked last. */
struct queue_loss queue_refused(struct queue *q);
/* All that still waits, where nobody will commit it. */
struct queue_loss queue_rest(const struct queue *q);

/* The thread takes what was put, unless it has not got through with what it took before. */
void queue_take(struct queue *q);
/* What it has yet to commit. The thread only, without the lock. */
size_t queue_taken(const struct queue *q, struct spool_reading **ret);
/* The next `count` of those are committed. The thread only, without the lock; queue_settle tells others. */
void queue_committed(struct queue *q, size_t count);
void queue_settle(struct queue *q);
