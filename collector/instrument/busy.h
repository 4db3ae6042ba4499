/* Sets of time as lists of spans: half-open, UTC in milliseconds. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct busy {
    int64_t begin_ms, end_ms;
};

/* A zeroed one is empty. */
struct busy_list {
    struct busy *items;
    size_t count, capacity;
};

void busy_list_release(struct busy_list *list);
/* Adds the part of [begin, end) that lies within `limits`, if any. */
void busy_list_add(struct busy_list *list, int64_t begin_ms, int64_t end_ms, struct busy limits);
void busy_list_add_all(struct busy_list *list, const struct busy_list *more, struct busy limits);
/* Sorts, and joins what overlaps or touches. Everything below expects lists that are merged. */
void busy_list_merge(struct busy_list *list);

/* The first span that ends after `time_ms`; `count` = none. */
size_t busy_list_at(const struct busy_list *list, int64_t time_ms);
bool busy_list_has(const struct busy_list *list, int64_t time_ms);
bool busy_list_is_equal(const struct busy_list *a, const struct busy_list *b);
