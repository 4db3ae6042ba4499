/*
 * The readings of a meter within an hour, packed: a few bytes each. Pure. The bytes, in varints of 7 bits, the lowest
 * first; signed numbers as zigzag:
 *
 *   form        1 byte: 1
 *   checksum    4 bytes, the lowest first: CRC-32 of all that follows
 *   count       how many readings; at least 1
 *   3 columns   times (the first since the hour's begin, in ms), counts, journals. Each: its first value; if there are
 *               more, `step`, by which every difference from one to the next can be divided, and these differences
 *               in steps, each as what it is more than the one before
 *   runs        of readings of one point and one manual flag: length * 2 + flag, point
 *
 * The same readings are the same bytes, however they came.
 */
#pragma once

#include "collector/ledger/books.h"
#include "lib/buf.h"

#define READINGS_HOUR_MS INT64_C(3600000)

/* A zeroed struct is empty. */
struct readings {
    struct books_reading *items; /* in order of time, each time once */
    size_t count, capacity;
};

void readings_release(struct readings *r);
void readings_reserve(struct readings *r, size_t more);
void readings_add(struct readings *r, const struct books_reading *items, size_t count);
/* The first of them at or after a time. */
size_t readings_find(const struct readings *r, int64_t time_ms);

/* Appends at least one reading of the hour that begins then. */
void readings_pack(struct buf *out, int64_t begin_ms, const struct books_reading *items, size_t count);
/* ST_INVALID: it is not what readings_pack wrote, as far as its checksum tells. */
enum status readings_check(struct span packed, struct error *err);
/* Adds what was packed. ST_INVALID: it is damaged; `r` is as it was. */
enum status readings_unpack(struct readings *r, int64_t begin_ms, struct span packed, struct error *err);
