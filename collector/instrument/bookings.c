#include "collector/instrument/bookings.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

void booking_list_release(struct booking_list *list)
{
    free(list->items);
    *list = (struct booking_list){0};
}

void booking_list_copy(struct booking_list *to, const struct booking_list *from)
{
    if (from->count == 0)
        return;
    *to = (struct booking_list){mem_alloc(from->count * sizeof *from->items), from->count, from->count};
    memcpy(to->items, from->items, from->count * sizeof *from->items);
}

void bookings_release(struct bookings *b)
{
    booking_list_release(&b->list);
    busy_list_release(&b->busy);
    *b = (struct bookings){0};
}

int booking_compare(const void *a, const void *b)
{
    const struct booking *x = a, *y = b;
    if (x->span.begin_ms != y->span.begin_ms)
        return x->span.begin_ms < y->span.begin_ms ? -1 : 1;
    if (x->span.end_ms != y->span.end_ms)
        return x->span.end_ms < y->span.end_ms ? -1 : 1;
    return (x->uid > y->uid) - (x->uid < y->uid);
}

static int by_uid(const void *a, const void *b)
{
    const struct booking *x = a, *y = b;
    return x->uid != y->uid ? (x->uid < y->uid ? -1 : 1) : booking_compare(a, b);
}

static void add(struct booking_list *list, int64_t begin_ms, int64_t end_ms, uint64_t uid)
{
    if (begin_ms >= end_ms)
        return;
    MEM_GROW(list->items, list->count, list->capacity);
    list->items[list->count++] = (struct booking){{begin_ms, end_ms}, uid};
}

void booking_list_sort(struct booking_list *list)
{
    if (list->count == 0)
        return;
    qsort(list->items, list->count, sizeof *list->items, booking_compare);
    size_t kept = 1;
    for (size_t i = 1; i < list->count; i++)
        if (booking_compare(&list->items[kept - 1], &list->items[i]) != 0)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

void bookings_merge(struct bookings *b)
{
    const struct busy all = {INT64_MIN, INT64_MAX};
    b->busy.count = 0;
    for (size_t i = 0; i < b->list.count; i++)
        busy_list_add(&b->busy, b->list.items[i].span.begin_ms, b->list.items[i].span.end_ms, all);
    busy_list_merge(&b->busy);
}

static bool is_booked_after(const struct busy_list *list, int64_t time_ms)
{
    return busy_list_at(list, time_ms) < list->count;
}

/* ---- a calendar that takes the place of what was known ---- */

/* Whether no instant has more than BOOKINGS_AT_ONCE of them. */
static bool can_be_told_apart(const struct ical_reading *reading)
{
    int64_t ends_ms[BOOKINGS_AT_ONCE];
    size_t open = 0;
    for (size_t i = 0; i < reading->booking_count; i++) {
        size_t kept = 0;
        for (size_t j = 0; j < open; j++)
            if (ends_ms[j] > reading->bookings[i].span.begin_ms)
                ends_ms[kept++] = ends_ms[j];
        if (kept == BOOKINGS_AT_ONCE)
            return false;
        open = kept;
        ends_ms[open++] = reading->bookings[i].span.end_ms;
    }
    return true;
}

static void list_reading(struct booking_list *ret, const struct ical_reading *reading)
{
    bool is_each = can_be_told_apart(reading);
    for (size_t i = 0; is_each && i < reading->booking_count; i++)
        add(ret, reading->bookings[i].span.begin_ms, reading->bookings[i].span.end_ms,
            reading->bookings[i].uid);
    for (size_t i = 0; !is_each && i < reading->busy.count; i++)
        add(ret, reading->busy.items[i].begin_ms, reading->busy.items[i].end_ms, 0);
}

/* What of `list` is under way at `at_ms`, by UID. */
static void under_way(struct booking_list *ret, const struct booking_list *list, int64_t at_ms)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].span.begin_ms < at_ms && list->items[i].span.end_ms > at_ms)
            add(ret, list->items[i].span.begin_ms, list->items[i].span.end_ms, list->items[i].uid);
    if (ret->count > 0)
        qsort(ret->items, ret->count, sizeof *ret->items, by_uid);
}

/* Of each UID the first that was under way becomes the first that is now, and so on. */
static void go_on(
    struct booking_list *ret, const struct booking_list *was, const struct booking_list *is, int64_t at_ms)
{
    size_t i = 0, j = 0;
    while (i < was->count || j < is->count) {
        const struct booking *old = i < was->count ? &was->items[i] : NULL;
        const struct booking *new = j < is->count ? &is->items[j] : NULL;
        bool is_same = old != NULL && new != NULL && old->uid == new->uid;
        if (is_same) {
            add(ret, old->span.begin_ms, new->span.end_ms, old->uid);
            i++, j++;
        } else if (new == NULL || (old != NULL && old->uid < new->uid)) {
            add(ret, old->span.begin_ms, at_ms, old->uid);
            i++;
        } else {
            add(ret, at_ms, new->span.end_ms, new->uid);
            j++;
        }
    }
}

/* A clock that was ahead must not hold it for longer. */
int64_t bookings_settled_ms(const struct bookings *b, int64_t now_ms)
{
    return b->known_ms == 0 ? INT64_MIN : b->known_ms < now_ms ? b->known_ms : now_ms;
}

static void replace(struct bookings *b, const struct ical_reading *reading, int64_t now_ms)
{
    int64_t from_ms = bookings_settled_ms(b, now_ms);
    struct booking_list told = {0}, was = {0}, is = {0}, new = {0};
    list_reading(&told, reading);
    under_way(&was, &b->list, from_ms);
    under_way(&is, &told, from_ms);
    go_on(&new, &was, &is, from_ms);
    for (size_t i = 0; i < b->list.count; i++)
        if (b->list.items[i].span.end_ms <= from_ms &&
            b->list.items[i].span.end_ms > from_ms - BOOKINGS_OVER_MS)
            add(&new, b->list.items[i].span.begin_ms, b->list.items[i].span.end_ms, b->list.items[i].uid);
    for (size_t i = 0; i < told.count; i++)
        if (told.items[i].span.begin_ms >= from_ms)
            add(&new, told.items[i].span.begin_ms, told.items[i].span.end_ms, told.items[i].uid);
    booking_list_release(&told);
    booking_list_release(&was);
    booking_list_release(&is);
    booking_list_release(&b->list);
    b->list = new;
    b->known_ms = now_ms;
    b->emptied_ms = 0;
    b->is_cut = b->is_of_another = false;
}

/* Nothing is taken away. */
static void join(struct bookings *b, const struct ical_reading *reading, int64_t now_ms)
{
    int64_t from_ms = bookings_settled_ms(b, now_ms);
    struct booking_list told = {0};
    list_reading(&told, reading);
    for (size_t i = 0; i < told.count; i++) {
        int64_t begin_ms = told.items[i].span.begin_ms;
        add(&b->list, begin_ms > from_ms ? begin_ms : from_ms, told.items[i].span.end_ms, told.items[i].uid);
    }
    booking_list_release(&told);
    b->known_ms = now_ms;
    b->is_cut = true;
    b->is_of_another = false;
}

/* ---- what is told ---- */

void bookings_take(struct bookings *b, const struct ical_reading *reading, int64_t now_ms)
{
    bool has_turned_empty = is_booked_after(&b->busy, now_ms) && !is_booked_after(&reading->busy, now_ms);
    if (!reading->is_whole)
        join(b, reading, now_ms);
    else if (!has_turned_empty)
        replace(b, reading, now_ms);
    else if (b->emptied_ms == 0)
        b->emptied_ms = now_ms;
    b->horizon = reading->horizon;
    b->problem_count = reading->problem_count;
    booking_list_sort(&b->list);
    bookings_merge(b);
}

void bookings_is_unchanged(struct bookings *b, int64_t now_ms)
{
    if (b->emptied_ms != 0 && !is_booked_after(&b->busy, now_ms))
        bookings_confirm_empty(b, now_ms);
    else if (b->known_ms != 0 && b->emptied_ms == 0 && !b->is_of_another)
        b->known_ms = now_ms;
}

bool bookings_confirm_empty(struct bookings *b, int64_t now_ms)
{
    if (b->emptied_ms == 0)
        return false;
    replace(b, &(struct ical_reading){0}, now_ms);
    booking_list_sort(&b->list);
    bookings_merge(b);
    return true;
}

struct availability_source bookings_source(const struct bookings *b, int64_t period_ms, int64_t now_ms)
{
    bool is_known = b->known_ms != 0 && !b->is_of_another;
    int64_t last_ms = is_known ? b->known_ms : AVAILABILITY_NONE;
    struct availability_source source = availability_source_at(now_ms, last_ms, period_ms);
    if (!is_known)
        return source;
    if (source.stale_ms > b->horizon.end_ms)
        source.stale_ms = b->horizon.end_ms;
    if (b->is_cut)
        source.stale_ms = b->known_ms;
    else if (b->emptied_ms != 0 && source.stale_ms > b->emptied_ms)
        source.stale_ms = b->emptied_ms;
    if (b->is_cut)
        source.quality = SOURCE_CONFLICT;
    else if (b->emptied_ms != 0 || now_ms >= source.stale_ms)
        source.quality = SOURCE_STALE;
    else if (source.quality == SOURCE_GOOD && b->problem_count > 0)
        source.quality = SOURCE_LATE;
    return source;
}

enum availability_quality bookings_quality(const struct bookings *b, int64_t period_ms, int64_t now_ms)
{
    return bookings_source(b, period_ms, now_ms).quality;
}
