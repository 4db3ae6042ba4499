/*
 * The next time at which something can be used for a while without a break: open, and not busy, on every instrument that
 * is wanted together. Pure.
 */
#pragma once

#include "collector/instrument/busy.h"

/* One instrument; lists are merged, and borrowed. */
struct next_free_of {
    const struct busy_list *busy; /* NULL = nothing */
    const struct busy_list *open; /* NULL = always */
};

/* The earliest begin in [from, until) of `length_ms` (above 0) that end by `until_ms` and are free on all `count`
 * instruments; false = there is none within that bound. Blocks not, allocates not; the work is that of the spans within. */
bool next_free(const struct next_free_of *all, size_t count, int64_t from_ms, int64_t until_ms,
    int64_t length_ms, int64_t *ret_begin_ms);
/* The same of `count` things of which this tells: free from `at_ms` on until when; or not, then it is `at_ms`, and *ret_next_ms when
 * it may be, later than `at_ms`. */
typedef int64_t next_free_told(const void *of, size_t i, int64_t at_ms, int64_t *ret_next_ms);
bool next_free_by(next_free_told *told, const void *of, size_t count, int64_t from_ms, int64_t until_ms,
    int64_t length_ms, int64_t *ret_begin_ms);
/* Until when it is free on all of them from `from_ms` on, at most `until_ms`; `from_ms` itself where it is not. */
int64_t next_free_until(const struct next_free_of *all, size_t count, int64_t from_ms, int64_t until_ms);
