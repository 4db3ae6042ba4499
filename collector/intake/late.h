/*
 * Readings that are not newer than what their point has: each may repeat one that is journalled already. D5:
 * (point, time) is a reading's identity; the same value again is a duplicate; of two values the first
 * journalled wins.
 */
#pragma once

#include "collector/intake/known.h"
#include "lib/batch.h"
#include "lib/db.h"

enum late_verdict { LATE_NEW, LATE_DUPLICATE, LATE_CONFLICT };

struct late_reading {
    struct reading reading; /* spans into the payload, which outlives the list */
    int64_t line;
    struct span text; /* the whole line */
    enum late_verdict verdict;
};

struct late {
    struct late_reading *items;
    size_t count, capacity;
};

void late_add(struct late *l, const struct reading *reading, int64_t line, struct span text);
/* Decides every reading by what is journalled for this gateway, and by the lines before it in the same body
 * (of which `is_out` tells those that do not count). Leaves the items in order of their lines. */
enum status late_decide(struct late *l, struct db *db, const struct known_gateway *g, struct span body,
    const bool *is_out, struct error *err);
void late_release(struct late *l);
