#include "agent/deliver/queue.h"

#include "lib/mem.h"

#include <stdlib.h>

#define BUMP_MAX_MS 10 /* a time so little behind the point's last one is made the next millisecond */

static void release_texts(struct spool_reading *r)
{
    free(r->text);
    free(r->note_key);
    free(r->note);
}

void queue_init(struct queue *q, size_t point_count, bool keeps_times)
{
    *q = (struct queue){.fresh = mem_alloc(QUEUE_MAX * sizeof *q->fresh),
        .taken = mem_alloc(QUEUE_MAX * sizeof *q->taken),
        .last_ms = keeps_times ? NULL : mem_zalloc(point_count * sizeof *q->last_ms)};
}

void queue_release(struct queue *q)
{
    for (size_t i = 0; i < q->fresh_count; i++)
        release_texts(&q->fresh[i]);
    for (size_t i = q->taken_at; i < q->taken_end; i++)
        release_texts(&q->taken[i]);
    free(q->fresh);
    free(q->taken);
    free(q->last_ms);
    *q = (struct queue){0};
}

static void lose(struct queue_loss *loss, const struct spool_reading *reading)
{
    if (loss->count == 0 || reading->time_ms < loss->from_ms)
        loss->from_ms = reading->time_ms;
    if (loss->count == 0 || reading->time_ms > loss->to_ms)
        loss->to_ms = reading->time_ms;
    loss->count++;
}

size_t queue_waiting(const struct queue *q)
{
    return q->fresh_count + q->taken_left;
}

bool queue_put(struct queue *q, const struct spool_reading *reading)
{
    if (queue_waiting(q) >= QUEUE_MAX) {
        lose(&q->refused, reading);
        return false;
    }
    struct spool_reading *own = &q->fresh[q->fresh_count++];
    *own = *reading;
    own->text = mem_strdup(reading->text);
    own->note_key = mem_strdup(reading->note_key);
    own->note = mem_strdup(reading->note);
    if (q->last_ms != NULL) {
        int64_t *last_ms = &q->last_ms[own->point];
        if (own->time_ms <= *last_ms && own->time_ms > *last_ms - BUMP_MAX_MS)
            own->time_ms = *last_ms + 1;
        *last_ms = own->time_ms;
    }
    return true;
}

struct queue_loss queue_refused(struct queue *q)
{
    struct queue_loss refused = q->refused;
    q->refused = (struct queue_loss){0};
    return refused;
}

struct queue_loss queue_rest(const struct queue *q)
{
    struct queue_loss rest = {0};
    for (size_t i = 0; i < q->fresh_count; i++)
        lose(&rest, &q->fresh[i]);
    for (size_t i = q->taken_at; i < q->taken_end; i++)
        lose(&rest, &q->taken[i]);
    return rest;
}

void queue_take(struct queue *q)
{
    if (q->taken_at < q->taken_end)
        return;
    struct spool_reading *emptied = q->taken;
    q->taken = q->fresh;
    q->taken_at = 0;
    q->taken_end = q->taken_left = q->fresh_count;
    q->fresh = emptied;
    q->fresh_count = 0;
}

size_t queue_taken(const struct queue *q, struct spool_reading **ret)
{
    *ret = q->taken + q->taken_at;
    return q->taken_end - q->taken_at;
}

void queue_committed(struct queue *q, size_t count)
{
    for (size_t i = 0; i < count; i++)
        release_texts(&q->taken[q->taken_at++]);
}

void queue_settle(struct queue *q)
{
    q->taken_left = q->taken_end - q->taken_at;
}
