#include "collector/instrument/busy.h"

#include "lib/mem.h"

#include <stdlib.h>

void busy_list_release(struct busy_list *list)
{
    free(list->items);
    *list = (struct busy_list){0};
}

void busy_list_add(struct busy_list *list, int64_t begin_ms, int64_t end_ms, struct busy limits)
{
    if (begin_ms < limits.begin_ms)
        begin_ms = limits.begin_ms;
    if (end_ms > limits.end_ms)
        end_ms = limits.end_ms;
    if (begin_ms >= end_ms)
        return;
    MEM_GROW(list->items, list->count, list->capacity);
    list->items[list->count++] = (struct busy){begin_ms, end_ms};
}

void busy_list_add_all(struct busy_list *list, const struct busy_list *more, struct busy limits)
{
    for (size_t i = 0; i < more->count; i++)
        busy_list_add(list, more->items[i].begin_ms, more->items[i].end_ms, limits);
}

static int by_begin(const void *a, const void *b)
{
    const struct busy *x = a, *y = b;
    return (x->begin_ms > y->begin_ms) - (x->begin_ms < y->begin_ms);
}

void busy_list_merge(struct busy_list *list)
{
    if (list->count == 0)
        return;
    qsort(list->items, list->count, sizeof *list->items, by_begin);
    size_t last = 0;
    for (size_t i = 1; i < list->count; i++) {
        struct busy *to = &list->items[last];
        const struct busy *from = &list->items[i];
        if (from->begin_ms > to->end_ms)
            list->items[++last] = *from;
        else if (from->end_ms > to->end_ms)
            to->end_ms = from->end_ms;
    }
    list->count = last + 1;
}

size_t busy_list_at(const struct busy_list *list, int64_t time_ms)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->items[middle].end_ms > time_ms)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool busy_list_has(const struct busy_list *list, int64_t time_ms)
{
    size_t i = busy_list_at(list, time_ms);
    return i < list->count && list->items[i].begin_ms <= time_ms;
}

bool busy_list_is_equal(const struct busy_list *a, const struct busy_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i].begin_ms != b->items[i].begin_ms || a->items[i].end_ms != b->items[i].end_ms)
            return false;
    return true;
}
