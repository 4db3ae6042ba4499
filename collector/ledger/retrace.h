/*
 * What a quarter hour rests on: the fold of its meter once more (CONTRIBUTING.md, E1 to E5), from a state that the books
 * kept well before it until it is settled, to see between which two readings each of its boundaries lies. Reads only, from
 * any connection, and blocks for the disk. It costs what a late reading of that time would cost (collector/ledger/books.h),
 * and is given up beyond RETRACE_READINGS.
 */
#pragma once

#include "collector/ledger/books.h"

#define RETRACE_READINGS 1000000

struct retrace_reading {
    bool is_there;
    struct books_reading reading; /* `journal` is the batch, 0 = entered by a person */
    int64_t p, q;                 /* the ratio of the segment that it is of; 0/1 = of none */
};

/* A boundary of the quarter hour. */
struct retrace_side {
    bool is_known;            /* U is known there; else nothing below counts */
    struct boundary boundary; /* as it was folded now */
    bool is_in_books;         /* the books have the same */
    /* By what U is known: EVENT_STEP or EVENT_STATED, U is linear between two readings (the boundary may be at the
     * second); EVENT_BASELINE: the first reading of all is there. */
    struct event event;
    /* Those readings, at event.from_ms (of a baseline none) and event.until_ms. */
    struct retrace_reading from, until;
};

struct retrace {
    struct retrace_side begin, end;
    bool is_whole; /* false: given up, nothing above counts */
};

enum status retrace_quarter(
    struct db *db, const struct books_meter *meter, int64_t start_ms, struct retrace *ret, struct error *err);
