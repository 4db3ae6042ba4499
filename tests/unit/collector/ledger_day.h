/* The day of the table of register sequences: a feeder of 40 kW, read every quarter hour. Counts in Wh. */
#pragma once

#include "tests/unit/ledger_book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define DAY_BEGIN INT64_C(1764547200000) /* 2025-12-01 00:00 UTC */
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define KWH INT64_C(1000)
#define DAY_MAX_GAP_MS (20 * MINUTE_MS)
#define CLOCK(hour, minute) (DAY_BEGIN + (hour)*HOUR_MS + (minute)*MINUTE_MS)
/* The quarter that begins then, by its place in the day. */
#define QUARTER(hour, minute) ((size_t)((hour)*4 + (minute) / 15))

#define DAY_SEGMENT                                                                                         \
    {                                                                                                       \
        .from_ms = DAY_BEGIN - 60 * DAY_MS, .until_ms = INT64_MAX, .resolution = 10, .max_rate = 100 * KWH, \
        .p = 1, .q = 1                                                                                      \
    }

/* What the register reads: 100 000.00 kWh at 00:00, and 40 kW. */
static inline int64_t day_count(int64_t time_ms)
{
    return 100000 * KWH + (time_ms - DAY_BEGIN) / 90; /* 40 000 Wh an hour = 1 Wh in 90 ms */
}

static inline void day_open(struct book *b, const struct segment *segments, size_t count)
{
    book_init(b, (struct segments){segments, (int64_t)count}, DAY_MAX_GAP_MS);
    book_period(b, DAY_BEGIN, DAY_BEGIN + DAY_MS);
}

static inline void day_add(struct book *b, int64_t time_ms, int64_t count)
{
    assert_true(book_insert(b, (struct unwrap_reading){.time_ms = time_ms, .count = count}));
}

/* The reading at that time, to be changed. */
static inline int64_t *day_at(struct book *b, int64_t time_ms)
{
    size_t at = book_find(b, time_ms);
    assert_true(at < b->count && b->readings[at].time_ms == time_ms);
    return &b->readings[at].count;
}

static inline void day_drop(struct book *b, int64_t from_ms, int64_t until_ms) /* until not included */
{
    size_t from = book_find(b, from_ms), until = book_find(b, until_ms);
    memmove(&b->readings[from], &b->readings[until], (b->count - until) * sizeof *b->readings);
    b->count -= until - from;
}

/* The undisturbed day, from 23:45 the day before to 00:15 the day after. */
static inline void day_fill(struct book *b)
{
    for (int64_t t = CLOCK(0, -15); t <= CLOCK(24, 15); t += BOUNDARY_MS)
        day_add(b, t, day_count(t));
}

static inline struct quarters_sum day_sum(const struct book *b, size_t from, size_t until)
{
    struct quarters_sum sum = {0};
    for (size_t i = from; i < until; i++) {
        struct quarter quarter = book_quarter(b, i);
        quarters_add(&sum, &quarter);
    }
    return sum;
}

static inline int day_count_of(const struct book *b, enum quality quality)
{
    int count = 0;
    for (size_t i = 0; i + 1 < b->boundary_count; i++)
        count += book_quarter(b, i).quality == quality;
    return count;
}

static inline int day_verdicts(const struct book *b, enum book_verdict verdict)
{
    int count = 0;
    for (size_t i = 0; i < b->count; i++)
        count += b->verdicts[i] == verdict;
    return count;
}

static inline int day_spans(const struct book *b, enum event_kind kind)
{
    int count = 0;
    for (size_t i = 0; i < b->span_count; i++)
        count += b->spans[i].kind == kind;
    return count;
}

static inline int day_exceptions(const struct book *b)
{
    return day_spans(b, EVENT_EXCEPTION) + day_spans(b, EVENT_LIMIT) + day_spans(b, EVENT_CONFIRM);
}

static inline bool day_has_span(const struct book *b, enum event_kind kind, int64_t from_ms, int64_t until_ms)
{
    for (size_t i = 0; i < b->span_count; i++)
        if (b->spans[i].kind == kind && b->spans[i].from_ms == from_ms && b->spans[i].until_ms == until_ms)
            return true;
    return false;
}

/* All quarters that begin in [from, until) are so, and no other is. */
static inline void day_assert_only(const struct book *b, enum quality quality, size_t from, size_t until)
{
    for (size_t i = 0; i + 1 < b->boundary_count; i++)
        if ((book_quarter(b, i).quality == quality) != (i >= from && i < until))
            fail_msg("the quarter %zu is of quality %d", i, (int)book_quarter(b, i).quality);
}
