#include "collector/ledger/ruling.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_time(const void *a, const void *b)
{
    return compare(*(const int64_t *)a, *(const int64_t *)b);
}

static int by_begin(const void *a, const void *b)
{
    const struct stated *x = a, *y = b;
    return x->from_ms != y->from_ms ? compare(x->from_ms, y->from_ms) : compare(x->until_ms, y->until_ms);
}

static int by_reading(const void *a, const void *b)
{
    const struct unwrap_reading *x = a, *y = b;
    return compare(x->time_ms, y->time_ms);
}

static int by_instant(const void *a, const void *b)
{
    const struct ruling *x = *(const struct ruling *const *)a, *y = *(const struct ruling *const *)b;
    return compare(x->from_ms, y->from_ms);
}

static void sort(void *items, size_t count, size_t size, int (*by)(const void *, const void *))
{
    if (count > 0)
        qsort(items, count, size, by);
}

/* There is room for one more. False: it has no object. */
static bool divide(struct overlay *o, const struct ruling *d)
{
    int64_t at = segment_inside(&o->segments, d->from_ms);
    if (at == SEGMENT_NONE)
        return false;
    struct segment *old = &o->items[at], *next = old + 1, before = *old;
    memmove(next, old, (size_t)(o->segments.count++ - at) * sizeof *old);
    old->until_ms = d->from_ms;
    old->has_end = true;
    old->end = d->end;
    *next = d->next;
    next->from_ms = d->from_ms;
    next->until_ms = before.until_ms;
    next->has_start = true;
    next->has_end = before.has_end;
    next->end = before.end;
    next->point = before.point;
    return true;
}

static void divide_all(struct overlay *o, const struct segments *model, const struct rulings *decisions)
{
    o->items = mem_zalloc(((size_t)model->count + decisions->count + 1) * sizeof *o->items);
    o->is_idle = mem_zalloc((decisions->count + 1) * sizeof *o->is_idle);
    const struct ruling **instants = mem_zalloc((decisions->count + 1) * sizeof *instants);
    size_t instant_count = 0;
    if (model->count > 0)
        memcpy(o->items, model->items, (size_t)model->count * sizeof *o->items);
    o->segments = (struct segments){o->items, model->count};
    for (size_t i = 0; i < decisions->count; i++) {
        const struct ruling *d = &decisions->items[i];
        if (d->kind == RULING_RESET || d->kind == RULING_REPLACED)
            instants[instant_count++] = d;
    }
    sort(instants, instant_count, sizeof *instants, by_instant);
    for (size_t i = 0; i < instant_count; i++)
        o->is_idle[instants[i] - decisions->items] = !divide(o, instants[i]);
    free(instants);
}

static size_t count_times(const struct rulings *decisions)
{
    size_t count = 0;
    for (size_t i = 0; i < decisions->count; i++)
        count += decisions->items[i].time_count;
    return count;
}

static void collect(struct overlay *o, const struct rulings *decisions, int64_t *ret_stated_count)
{
    for (size_t i = 0; i < decisions->count; i++) {
        const struct ruling *d = &decisions->items[i];
        switch (d->kind) {
        case RULING_OUTLIER:
            for (size_t k = 0; k < d->time_count; k++)
                o->disregarded[o->disregarded_count++] = d->times[k];
            break;
        case RULING_ENERGY:
            o->stated[(*ret_stated_count)++] = (struct stated){d->from_ms, d->until_ms, d->energy};
            break;
        case RULING_READING:
            o->by_hand[o->by_hand_count++] =
                (struct unwrap_reading){.time_ms = d->from_ms, .count = d->count, .is_manual = true};
            break;
        case RULING_WITHDRAWAL:
        case RULING_RESET:
        case RULING_REPLACED:
            break;
        }
    }
}

void overlay_init(struct overlay *o, const struct segments *model, const struct rulings *decisions)
{
    size_t count = decisions->count;
    *o = (struct overlay){.stated = mem_zalloc((count + 1) * sizeof *o->stated),
        .disregarded = mem_zalloc((count_times(decisions) + 1) * sizeof *o->disregarded),
        .by_hand = mem_zalloc((count + 1) * sizeof *o->by_hand)};
    int64_t stated_count = 0;
    divide_all(o, model, decisions);
    collect(o, decisions, &stated_count);
    sort(o->stated, (size_t)stated_count, sizeof *o->stated, by_begin);
    sort(o->disregarded, o->disregarded_count, sizeof *o->disregarded, by_time);
    sort(o->by_hand, o->by_hand_count, sizeof *o->by_hand, by_reading);
    for (int64_t i = 0; i < o->segments.count; i++) {
        o->items[i].stated = o->stated;
        o->items[i].stated_count = stated_count;
    }
}

void overlay_release(struct overlay *o)
{
    free(o->items);
    free(o->is_idle);
    free(o->stated);
    free(o->disregarded);
    free(o->by_hand);
    *o = (struct overlay){0};
}

bool overlay_disregards(const struct overlay *o, int64_t time_ms)
{
    return o->disregarded_count > 0 &&
           bsearch(&time_ms, o->disregarded, o->disregarded_count, sizeof *o->disregarded, by_time) != NULL;
}

size_t overlay_by_hand_after(const struct overlay *o, int64_t time_ms)
{
    size_t low = 0, high = o->by_hand_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (o->by_hand[middle].time_ms <= time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Is one of the outlier's readings in [from, until]? */
static bool has_time(const struct ruling *outlier, int64_t from_ms, int64_t until_ms)
{
    for (size_t i = 0; i < outlier->time_count; i++)
        if (outlier->times[i] >= from_ms && outlier->times[i] <= until_ms)
            return true;
    return false;
}

bool ruling_touches(const struct ruling *a, const struct ruling *b)
{
    if (a->kind == RULING_ENERGY && b->kind == RULING_ENERGY)
        return a->from_ms < b->until_ms && b->from_ms < a->until_ms;
    if (b->kind == RULING_OUTLIER && a->kind != RULING_OUTLIER)
        return has_time(b, a->from_ms, a->until_ms);
    if (a->kind != RULING_OUTLIER)
        return a->from_ms <= b->until_ms && b->from_ms <= a->until_ms;
    for (size_t i = 0; b->kind == RULING_OUTLIER && i < b->time_count; i++)
        if (has_time(a, b->times[i], b->times[i]))
            return true;
    return b->kind != RULING_OUTLIER && has_time(a, b->from_ms, b->until_ms);
}
