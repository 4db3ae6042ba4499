/*
 * Which hours of which measurements lines went to: what the count-back has to look at. A growing list; a zeroed
 * struct is empty.
 */
#pragma once

#include "lib/line.h"

#define HOUR_MS INT64_C(3600000)
#define MEASUREMENT_MAX 31

struct hour {
    char measurement[MEASUREMENT_MAX + 1];
    int64_t hour; /* since 1970, UTC */
};

struct hour_list {
    struct hour *items;
    size_t count, capacity;
};

/* Left out where it was among the last few. */
void hour_list_add(struct hour_list *list, struct span measurement, int64_t hour);
/* Moves all of `from` to `list`, each hour once; `from` is empty afterwards. */
void hour_list_move(struct hour_list *list, struct hour_list *from);
void hour_list_release(struct hour_list *list);
