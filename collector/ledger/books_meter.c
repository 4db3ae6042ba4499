#include "collector/ledger/books.h"
#include "collector/ledger/unwrap.h"
#include "lib/buf.h"

/* Raised whenever the same readings and segments may fold to another state (collector/ledger). */
#define FORMAT 2

static void add_number(struct buf *text, int64_t number)
{
    buf_add(text, &number, sizeof number);
}

struct books_meter books_meter(
    int64_t id, struct segments segments, int64_t max_gap_ms, const int64_t *points, size_t point_count)
{
    struct buf text = {0};
    add_number(&text, FORMAT);
    add_number(&text, sizeof(struct unwrap));
    add_number(&text, max_gap_ms);
    add_number(&text, (int64_t)point_count);
    for (size_t i = 0; i < point_count; i++)
        add_number(&text, points[i]);
    for (int64_t i = 0; i < segments.count; i++) {
        const struct segment *s = &segments.items[i];
        const int64_t numbers[] = {s->from_ms, s->until_ms, s->has_start, s->has_end, s->start, s->end,
            s->modulus, s->resolution, s->max_rate, s->p, s->q, s->point};
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++)
            add_number(&text, numbers[k]);
    }
    struct books_meter meter = {.id = id,
        .segments = segments,
        .max_gap_ms = max_gap_ms,
        .points = points,
        .point_count = point_count};
    meter.hash = hash_of((struct span){text.data, text.len});
    buf_release(&text);
    return meter;
}

struct books_meter books_meter_decided(const struct books_meter *meter, const struct overlay *overlay)
{
    struct books_meter decided =
        books_meter(meter->id, overlay->segments, meter->max_gap_ms, meter->points, meter->point_count);
    decided.overlay = overlay;
    struct buf text = {0};
    buf_add(&text, hash_bytes(&decided.hash).at, hash_bytes(&decided.hash).len);
    const struct segment *first = overlay->segments.count > 0 ? &overlay->segments.items[0] : NULL;
    add_number(&text, first != NULL ? first->stated_count : 0);
    for (int64_t i = 0; first != NULL && i < first->stated_count; i++) {
        add_number(&text, first->stated[i].from_ms);
        add_number(&text, first->stated[i].until_ms);
        add_number(&text, first->stated[i].energy);
    }
    add_number(&text, (int64_t)overlay->disregarded_count);
    for (size_t i = 0; i < overlay->disregarded_count; i++)
        add_number(&text, overlay->disregarded[i]);
    for (size_t i = 0; i < overlay->by_hand_count; i++) {
        add_number(&text, overlay->by_hand[i].time_ms);
        add_number(&text, overlay->by_hand[i].count);
    }
    decided.hash = hash_of((struct span){text.data, text.len});
    buf_release(&text);
    return decided;
}
