#include "collector/instrument/next_free.h"

static int64_t free_until(const void *all, size_t index, int64_t at_ms, int64_t *ret_next_ms)
{
    const struct next_free_of *one = (const struct next_free_of *)all + index;
    int64_t until_ms = INT64_MAX;
    *ret_next_ms = at_ms;
    if (one->open != NULL) {
        size_t i = busy_list_at(one->open, at_ms);
        if (i == one->open->count || one->open->items[i].begin_ms > at_ms) {
            *ret_next_ms = i == one->open->count ? INT64_MAX : one->open->items[i].begin_ms;
            return at_ms;
        }
        until_ms = one->open->items[i].end_ms;
    }
    if (one->busy != NULL) {
        size_t i = busy_list_at(one->busy, at_ms);
        if (i < one->busy->count && one->busy->items[i].begin_ms <= at_ms) {
            *ret_next_ms = one->busy->items[i].end_ms;
            return at_ms;
        }
        if (i < one->busy->count && one->busy->items[i].begin_ms < until_ms)
            until_ms = one->busy->items[i].begin_ms;
    }
    return until_ms;
}

bool next_free_by(next_free_told *told, const void *of, size_t count, int64_t from_ms, int64_t until_ms,
    int64_t length_ms, int64_t *ret_begin_ms)
{
    int64_t at_ms = from_ms;
    /* Each turn without an answer goes on to an end of something that was in the way. */
    while (at_ms < until_ms && length_ms <= until_ms - at_ms) {
        int64_t go_on_ms = at_ms;
        for (size_t i = 0; i < count; i++) {
            int64_t next_ms = at_ms, end_ms = told(of, i, at_ms, &next_ms);
            if (end_ms - at_ms < length_ms) {
                /* It is free for too short a time: whatever begins before its end is too short as well. */
                int64_t later_ms = next_ms > at_ms ? next_ms : end_ms;
                go_on_ms = later_ms > go_on_ms ? later_ms : go_on_ms;
            }
        }
        if (go_on_ms == at_ms) {
            *ret_begin_ms = at_ms;
            return true;
        }
        at_ms = go_on_ms;
    }
    return false;
}

bool next_free(const struct next_free_of *all, size_t count, int64_t from_ms, int64_t until_ms,
    int64_t length_ms, int64_t *ret_begin_ms)
{
    return next_free_by(free_until, all, count, from_ms, until_ms, length_ms, ret_begin_ms);
}

int64_t next_free_until(const struct next_free_of *all, size_t count, int64_t from_ms, int64_t until_ms)
{
    for (size_t i = 0; i < count; i++) {
        int64_t next_ms, end_ms = free_until(all, i, from_ms, &next_ms);
        if (end_ms < until_ms)
            until_ms = end_ms;
    }
    return until_ms > from_ms ? until_ms : from_ms;
}
