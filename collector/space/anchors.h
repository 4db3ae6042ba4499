/*
 * When it is known how many people are in a space: at its quiet hour of each night, when nobody is there (design 8.1), and
 * where somebody counted them, who is believed before the hour. An anchor holds for ANCHORS_HOLD_MS: what doors miss in
 * the meantime makes of it a number that says nothing.
 */
#pragma once

#include "collector/model/zone.h"
#include "lib/db.h"

#include <stdbool.h>

#define ANCHORS_HOLD_MS (7 * INT64_C(86400000))

struct anchor {
    int64_t time_ms, persons;
};

struct anchors {
    const struct zone *zone;
    int reset_min;         /* minute of the day; below 0: there is no quiet hour */
    struct anchor *counts; /* in order of time; owned */
    size_t count, capacity;
};

/* Counts of people in [from - ANCHORS_HOLD_MS, until + ANCHORS_HOLD_MS) are read; what is asked lies between from and
 * until. Borrows the zone; to be released either way. */
enum status anchors_read(struct anchors *a, struct db *db, const char *space, const struct zone *zone,
    int reset_min, int64_t from_ms, int64_t until_ms, struct error *err);
void anchors_release(struct anchors *a);
/* The last one at or before that time, and the first after it; false: there is none. */
bool anchors_last(const struct anchors *a, int64_t time_ms, struct anchor *ret);
bool anchors_next(const struct anchors *a, int64_t time_ms, struct anchor *ret);

/* The quiet hour of a local day (days since 1970): where the clocks leave it out, as much later, as Python's fold = 0. */
int64_t anchors_reset_ms(const struct zone *zone, int64_t day, int reset_min);

/* A count that a person made. */
struct person_count {
    const char *space;
    int64_t time_ms, persons, entered_ms;
    int64_t token;
    const char *who, *note; /* note: NULL = none */
};
/* Takes the place of one at the same time. */
enum status anchors_put(struct db *db, const struct person_count *c, struct error *err);
