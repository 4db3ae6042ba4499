/*
 * U of a meter at instants that are no quarter hours: where sessions of an instrument begin and end. The fold of the meter
 * once more (CONTRIBUTING.md, E1 to E5), from a state that the books kept well before the first instant until the last one is
 * settled: so U is by the same readings and decisions as the books' own. Reads only, from any connection, and blocks for the
 * disk. Beyond INSTANT_READINGS it is given up.
 */
#pragma once

#include "collector/ledger/books.h"

#define INSTANT_READINGS 20000000

struct instant {
    int64_t time_ms;     /* set by the caller */
    bool is_known;       /* else nothing below counts */
    int64_t energy;      /* U: the reading there, else linear between its neighbours, rounded down */
    int64_t gap_ms;      /* how far apart these neighbours are; 0 where there is a reading */
    bool is_manual;      /* by hand, or stated by a person */
    int64_t baseline_ms; /* a difference is known only between instants of one baseline */
};

/* `instants` in order of time. *ret_is_whole is false where it was given up: then nothing is known. */
enum status instant_find(struct db *db, const struct books_meter *meter, struct instant *instants,
    size_t count, bool *ret_is_whole, struct error *err);
