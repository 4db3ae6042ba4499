/*
 * Readings that are not newer than what their point has: each may repeat one that is journalled already. D5:
 * (point, time) is a reading's identity; the same value again is a duplicate; of two values the first
 * journalled wins.
 */
#pragma once

#include "collector/intake/journal.h"
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
    struct journal_search search;
    int64_t *times_ms; /* of the search; NULL = not begun */
};

void late_add(struct late *l, const struct reading *reading, int64_t line, struct span text);
/* Decides the readings by what is journalled for this gateway: so much of it as `budget` bytes allow, until
 * it is done. Nothing is added to the list meanwhile, and nothing journalled for the gateway. */
enum status late_search(
    struct late *l, struct db *db, int64_t gateway, int64_t budget, bool *ret_is_done, struct error *err);
/* Decides every reading by what the search found for its line, and by the lines before it in the same body
 * (of which `is_out` tells those that do not count). Both lists are, and stay, in order of their lines. */
void late_decide(struct late *l, const struct late *searched, struct span body, const bool *is_out);
void late_release(struct late *l);
