/*
 * The rounds of the count-back: which hour is counted again although nothing went there since it was counted last.
 * Hour by hour, from the newest that is over back to the one in which the oldest batch held arrived, and again. The
 * first is any of them, so that restarts leave none out.
 */
#pragma once

#include "lib/db.h"

struct rounds {
    int64_t hour; /* since 1970; 0 = none yet */
    size_t measure;
};

/* The next hour below `closed`, for each of `measures` measurements in turn. False: there is none. */
enum status rounds_next(
    struct rounds *r, struct db *db, int64_t closed, size_t measures, bool *ret_is_found, struct error *err);
