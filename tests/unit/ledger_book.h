/* What folding a meter comes to, kept as a collector keeps it: a verdict on single readings, the spans that stand,
 * and the boundaries of a period. For tests of the ledger, and tests/ledger_fold.c. */
#pragma once

#include "collector/ledger/quarters.h"
#include "collector/ledger/ruling.h"
#include "collector/ledger/unwrap.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

enum book_verdict { BOOK_NOTHING, BOOK_OUTLIER, BOOK_OUTSIDE, BOOK_QUARANTINED };

struct book_span {
    enum event_kind kind;
    int64_t from_ms, until_ms;
};

struct book {
    struct segments segments; /* borrowed */
    int64_t max_gap_ms;
    struct unwrap_reading *readings; /* in order of time */
    enum book_verdict *verdicts;     /* by reading */
    size_t count, capacity;
    struct book_span *spans; /* in the order in which they were told */
    size_t span_count, span_capacity;
    int64_t from_ms, until_ms;   /* the quarters that are kept */
    struct boundary *boundaries; /* of the whole period, its end included */
    size_t boundary_count;
    struct unwrap unwrap;
    int64_t told_from_ms; /* the earliest that an event reached back to since it was set */
};

static inline void book_init(struct book *b, struct segments segments, int64_t max_gap_ms)
{
    memset(b, 0, sizeof *b);
    b->segments = segments;
    b->max_gap_ms = max_gap_ms;
    unwrap_init(&b->unwrap);
}

static inline void book_release(struct book *b)
{
    free(b->readings);
    free(b->verdicts);
    free(b->spans);
    free(b->boundaries);
    memset(b, 0, sizeof *b);
}

static inline void book_period(struct book *b, int64_t from_ms, int64_t until_ms)
{
    b->from_ms = from_ms;
    b->until_ms = until_ms;
    b->boundary_count = (size_t)((until_ms - from_ms) / BOUNDARY_MS) + 1;
    b->boundaries = mem_realloc(b->boundaries, b->boundary_count * sizeof *b->boundaries);
    for (size_t i = 0; i < b->boundary_count; i++)
        b->boundaries[i] =
            (struct boundary){.time_ms = from_ms + (int64_t)i * BOUNDARY_MS, .quality = QUALITY_UNKNOWN};
}

static inline size_t book_find(const struct book *b, int64_t time_ms) /* the first at or after it */
{
    size_t low = 0, high = b->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (b->readings[middle].time_ms < time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Into the set, not folded. False: its time is taken, and nothing changed. */
static inline bool book_insert(struct book *b, struct unwrap_reading reading)
{
    size_t at = book_find(b, reading.time_ms);
    if (at < b->count && b->readings[at].time_ms == reading.time_ms)
        return false;
    if (b->count == b->capacity) {
        b->capacity = b->capacity ? 2 * b->capacity : 64;
        b->readings = mem_realloc(b->readings, b->capacity * sizeof *b->readings);
        b->verdicts = mem_realloc(b->verdicts, b->capacity * sizeof *b->verdicts);
    }
    memmove(&b->readings[at + 1], &b->readings[at], (b->count - at) * sizeof *b->readings);
    memmove(&b->verdicts[at + 1], &b->verdicts[at], (b->count - at) * sizeof *b->verdicts);
    b->readings[at] = reading;
    b->verdicts[at] = BOOK_NOTHING;
    b->count++;
    return true;
}

/* With what persons decided: another set, and other segments, which are borrowed. Not folded yet. */
static inline void book_decide(struct book *b, const struct overlay *o)
{
    size_t kept = 0, by_hand_count = 0;
    struct unwrap_reading *by_hand = mem_zalloc((o->by_hand_count + 1) * sizeof *by_hand);
    for (size_t i = 0; i < o->by_hand_count; i++) {
        size_t at = book_find(b, o->by_hand[i].time_ms);
        if (at == b->count || b->readings[at].time_ms != o->by_hand[i].time_ms)
            by_hand[by_hand_count++] = o->by_hand[i];
    }
    for (size_t i = 0; i < b->count; i++)
        if (!overlay_disregards(o, b->readings[i].time_ms))
            b->readings[kept++] = b->readings[i];
    b->count = kept;
    for (size_t i = 0; i < by_hand_count; i++)
        book_insert(b, by_hand[i]);
    free(by_hand);
    b->segments = o->segments;
}

static inline void book_mark(struct book *b, int64_t from_ms, int64_t until_ms, enum book_verdict verdict)
{
    for (size_t i = book_find(b, from_ms); i < b->count && b->readings[i].time_ms <= until_ms; i++)
        if (b->verdicts[i] != BOOK_OUTSIDE && b->verdicts[i] != BOOK_QUARANTINED)
            b->verdicts[i] = verdict;
}

static inline bool book_is_exception(const struct book_span *span)
{
    return span->kind == EVENT_EXCEPTION || span->kind == EVENT_LIMIT || span->kind == EVENT_CONFIRM ||
           span->kind == EVENT_STATED;
}

static inline void book_forget_spans(struct book *b, int64_t exceptions_from_ms, int64_t from_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->span_count; i++)
        if (b->spans[i].from_ms < (book_is_exception(&b->spans[i]) ? exceptions_from_ms : from_ms))
            b->spans[kept++] = b->spans[i];
    b->span_count = kept;
}

/* A rollover inside an exception that stands says nothing. */
static inline bool book_is_hidden(const struct book *b, const struct book_span *span)
{
    for (size_t i = 0; i < b->span_count && span->kind == EVENT_ROLLOVER; i++)
        if (book_is_exception(&b->spans[i]) && span->from_ms >= b->spans[i].from_ms &&
            span->until_ms <= b->spans[i].until_ms)
            return true;
    return false;
}

static inline void book_put(void *context, const struct boundary *boundary)
{
    struct book *b = context;
    if (boundary->time_ms >= b->from_ms && boundary->time_ms <= b->until_ms && b->boundary_count > 0)
        b->boundaries[(boundary->time_ms - b->from_ms) / BOUNDARY_MS] = *boundary;
}

static inline void book_take(void *context, const struct event *event)
{
    struct book *b = context;
    bool is_span = false;
    if (event->from_ms < b->told_from_ms)
        b->told_from_ms = event->from_ms;
    switch (event->kind) {
    case EVENT_STEP:
    case EVENT_BASELINE:
        break;
    case EVENT_OUTLIERS:
        book_mark(b, event->from_ms, event->until_ms, BOOK_OUTLIER);
        break;
    case EVENT_OUTSIDE:
        book_mark(b, event->from_ms, event->until_ms, BOOK_OUTSIDE);
        break;
    case EVENT_QUARANTINED:
        book_mark(b, event->from_ms, event->until_ms, BOOK_QUARANTINED);
        break;
    case EVENT_WITHDRAWN:
        book_forget_spans(b, event->from_ms, event->stands_ms);
        book_mark(b, event->stands_ms + 1, event->until_ms - 1, BOOK_OUTLIER);
        break;
    case EVENT_EXCEPTION:
    case EVENT_LIMIT:
    case EVENT_CONFIRM:
    case EVENT_FROZEN:
    case EVENT_ROLLOVER:
    case EVENT_STATED:
        is_span = true;
        break;
    }
    if (is_span) {
        MEM_GROW(b->spans, b->span_count, b->span_capacity);
        b->spans[b->span_count++] =
            (struct book_span){.kind = event->kind, .from_ms = event->from_ms, .until_ms = event->until_ms};
    }
    boundary_follow(event, b->max_gap_ms, book_put, b);
}

/* Folds what comes after the last reading that was folded. */
static inline void book_fold(struct book *b)
{
    struct event_sink sink = {book_take, b};
    unwrap_push_all(&b->unwrap, &b->segments, b->readings, b->count, &sink);
}

/* Back to a snapshot, as collector/ledger/unwrap.h says. */
static inline void book_restore(struct book *b, const struct unwrap *snapshot)
{
    int64_t reach_ms = unwrap_reach_ms(snapshot);
    b->unwrap = *snapshot;
    book_forget_spans(b, reach_ms, reach_ms);
    for (size_t i = book_find(b, reach_ms); i < b->count; i++)
        if (b->verdicts[i] == BOOK_OUTLIER || b->readings[i].time_ms > snapshot->last_ms)
            b->verdicts[i] = BOOK_NOTHING;
    for (size_t i = 0; i < b->boundary_count; i++)
        if (b->boundaries[i].time_ms > reach_ms)
            b->boundaries[i] =
                (struct boundary){.time_ms = b->boundaries[i].time_ms, .quality = QUALITY_UNKNOWN};
}

static inline struct quarter book_quarter(const struct book *b, size_t index)
{
    return quarter_between(&b->boundaries[index], &b->boundaries[index + 1]);
}
