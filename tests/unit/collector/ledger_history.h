/* Seeded mixtures of everything that happens to registers: segments, and readings put into a book and folded. */
#pragma once

#include "tests/unit/ledger_book.h"
#include "tests/unit/random.h"

#define HISTORY_BEGIN INT64_C(1764547200000)
#define HISTORY_MINUTE INT64_C(60000)
#define HISTORY_HOUR (60 * HISTORY_MINUTE)
#define HISTORY_READINGS 120

struct history {
    struct segment segments[3];
    struct book book;
};

static inline bool history_chance(size_t one_in)
{
    return random_below(one_in) == 0;
}

static inline void history_make_segments(struct history *h, int64_t span_ms)
{
    size_t count = 1 + random_below(3);
    static const int64_t intervals[] = {1, 3, 7, 10};
    for (size_t i = 0; i < count; i++) {
        struct segment *s = &h->segments[i];
        *s = (struct segment){.from_ms = HISTORY_BEGIN + (int64_t)i * span_ms / (int64_t)count,
            .until_ms =
                i + 1 < count ? HISTORY_BEGIN + (int64_t)(i + 1) * span_ms / (int64_t)count : INT64_MAX,
            .resolution = intervals[random_below(4)],
            .max_rate = 1000,
            .p = intervals[random_below(4)],
            .q = intervals[random_below(4)],
            .modulus = history_chance(2) ? 5000 : 0};
        s->has_start = !history_chance(3);
        s->has_end = s->until_ms != INT64_MAX && !history_chance(3);
    }
    h->book.segments = (struct segments){h->segments, (int64_t)count};
}

/* A register that counts, with what happens to registers: readings are put into the book unfolded. */
static inline void history_make_readings(struct history *h, int64_t every_ms)
{
    struct segments all = h->book.segments;
    int64_t at = 0, count = (int64_t)random_below(4000), fault = 0, faulty = 0, shown = 0;
    if (h->segments[0].has_start)
        h->segments[0].start = count;
    for (int64_t t = HISTORY_BEGIN + (int64_t)random_below((size_t)every_ms); at < HISTORY_READINGS;
         t += every_ms, at++) {
        static int64_t segment;
        if (at == 0)
            segment = 0;
        const struct segment *s = &h->segments[segment];
        if (t >= s->until_ms) {
            h->segments[segment].end = count;
            segment++;
            count = (int64_t)random_below(4000);
            h->segments[segment].start = count;
            s = &h->segments[segment];
        }
        int64_t most = 1000 * every_ms / HISTORY_HOUR * s->q / s->p;
        count += (int64_t)random_below((size_t)(most + 2));
        if (history_chance(40))
            count = (int64_t)random_below(4000); /* replaced, or restored from an older save */
        if (s->modulus > 0)
            count %= s->modulus;
        if (fault == 0 && history_chance(12)) {
            fault = 1 + (int64_t)random_below(5);
            faulty = (int64_t)random_below(5);
            shown = faulty == 0 ? 0 : faulty == 1 ? count : (int64_t)random_below(5000);
        }
        int64_t reading = count;
        if (fault > 0) {
            fault--;
            if (faulty == 2)
                shown = (int64_t)random_below(5000); /* garbage */
            if (faulty == 3)
                continue; /* a gap */
            reading = faulty == 4 ? count - s->resolution : shown;
        }
        if (history_chance(60))
            t += 20 * every_ms;
        book_insert(&h->book,
            (struct unwrap_reading){.time_ms = t, .count = reading, .is_manual = history_chance(50)});
    }
    for (int64_t i = 0; i < all.count; i++) {
        if (h->segments[i].modulus > 0 && h->segments[i].end < 0)
            h->segments[i].end = 0;
    }
}

/* Released with book_release(&h->book). */
static inline void history_make(struct history *h, uint64_t seed)
{
    random_state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    static const int64_t intervals[] = {
        5 * HISTORY_MINUTE, 15 * HISTORY_MINUTE, 40 * HISTORY_MINUTE, 3 * HISTORY_HOUR, 13 * HISTORY_HOUR};
    int64_t every_ms = intervals[random_below(5)];
    book_init(&h->book, (struct segments){NULL, 0}, 20 * HISTORY_MINUTE);
    history_make_segments(h, HISTORY_READINGS * every_ms);
    history_make_readings(h, every_ms);
    book_period(&h->book, HISTORY_BEGIN - HISTORY_HOUR,
        HISTORY_BEGIN - HISTORY_HOUR + HISTORY_READINGS * 2 * every_ms / BOUNDARY_MS * BOUNDARY_MS);
    book_fold(&h->book);
}
