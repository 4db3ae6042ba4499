/*
 * From the readings of one meter to its energy U (CONTRIBUTING.md, E1 to E4): which readings are believed,
 * where U is not known, and why. A state machine that takes the readings in order of time, across the meter's
 * segments, and emits what it decides (collector/ledger/event.h). Pure: no clock, no I/O, no memory of its own.
 * The result is a function of the set of readings.
 *
 * The whole state is one struct of fixed size without pointers or padding: a snapshot is a copy of its bytes, good
 * for the same segments and the same build. A late reading is folded by restoring a snapshot from before it and
 * pushing everything after that again:
 *
 *  - A snapshot is taken when everything pushed was taken, never while readings are being pushed again.
 *  - An event that reaches back before the last reading that a snapshot had accepted spoils it; it is to be thrown
 *    away: event.from_ms < unwrap_reach_ms(snapshot).
 *  - Whoever restores one forgets the events that begin at its reach or later (of EVENT_OUTSIDE and
 *    EVENT_QUARANTINED: after its last_ms), and boundaries after its reach.
 *
 * Times are those of the years up to 9999. Not pushed are: a second reading of a time (the first to arrive stands),
 * and what a gateway stamped whose clock was not synchronised, because such a reading never becomes the neighbour of
 * a boundary.
 */
#pragma once

#include "collector/ledger/baseline.h"
#include "collector/ledger/event.h"
#include "collector/ledger/hold.h"
#include "collector/ledger/past.h"

#include <stddef.h>

struct unwrap_reading {
    int64_t time_ms;
    int64_t count;
    int64_t point;  /* segment.point of the segments that it may be of */
    bool is_manual; /* entered by a person */
};

/* Integers of 64 bits alone, here and in what it consists of, so that equal states are equal bytes. */
struct unwrap {
    int64_t last_ms;      /* of the last reading pushed; INT64_MIN = none */
    int64_t has_baseline; /* a reading was accepted */
    struct baseline baseline;
    struct hold hold;
    struct pasts pasts; /* last: see unwrap_size */
};

void unwrap_init(struct unwrap *u);

/* Takes the next reading (time_ms > u->last_ms). False: what was held is the new baseline, u->last_ms went back to
 * its first reading, and all readings after that are to be pushed again, this one included. `sink` must not touch
 * the state. */
bool unwrap_push(struct unwrap *u, const struct segments *all, const struct unwrap_reading *reading,
    const struct event_sink *sink);

/* Pushes those of the readings (in order of time, each time once) that are after u->last_ms, those to be pushed
 * again included. False: what is to be pushed again begins before the first of them: come back with the readings
 * after u->last_ms. */
bool unwrap_push_all(struct unwrap *u, const struct segments *all, const struct unwrap_reading *readings,
    size_t count, const struct event_sink *sink);

enum unwrap_pending_kind {
    UNWRAP_DECIDED,
    UNWRAP_HELD,      /* the readings after from_ms up to until_ms are held */
    UNWRAP_EXCEPTION, /* ... and have been for 24 h: an open exception without an end, kinds as in event.h */
    UNWRAP_LIMIT,
    UNWRAP_CONFIRM,
};

/* What is not decided after the last reading: U is not known after from_ms, the last accepted one. */
struct unwrap_pending {
    enum unwrap_pending_kind kind;
    int64_t from_ms, until_ms;
};

struct unwrap_pending unwrap_pending(const struct unwrap *u, const struct segments *all);

/* The last accepted reading; INT64_MIN = none. */
int64_t unwrap_reach_ms(const struct unwrap *u);

/* How many bytes from the beginning of the struct are the state; the rest is zero, and need not be stored. */
size_t unwrap_size(const struct unwrap *u);
