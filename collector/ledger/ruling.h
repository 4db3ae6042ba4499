/*
 * What persons decided of one meter, and what the fold takes from it (CONTRIBUTING.md, E10, E11): an overlay. Segments and
 * readings stay what they are; with the decisions that are in force, other segments and other readings are folded. So the
 * ledger is a function of the readings, the segments and these decisions, and one that is withdrawn leaves nothing behind.
 * Pure: no clock, no I/O. A ruling is one such decision, as the fold needs it: without who, when and why.
 */
#pragma once

#include "collector/ledger/segment.h"
#include "collector/ledger/unwrap.h"

#include <stddef.h>

/* These numbers lie in databases. */
enum ruling_kind {
    RULING_WITHDRAWAL, /* of another; never among those in force */
    RULING_OUTLIER,    /* readings are disregarded */
    RULING_RESET,      /* at an instant the register was set back */
    RULING_REPLACED,   /* at an instant another meter took its place */
    RULING_ENERGY,     /* what was used in the span of an exception */
    RULING_READING,    /* read by hand */
};

struct ruling {
    int64_t id;
    enum ruling_kind kind;
    /* The span that it is about: of an outlier from the first reading to the last, of an exception its own, else an
     * instant. */
    int64_t from_ms, until_ms;
    const int64_t *times; /* of an outlier: its readings, in order; borrowed */
    size_t time_count;
    int64_t end; /* of a reset or replacement: what the register read, and with what it, or the next, began */
    struct segment
        next; /* ... and what began there, but for from, until and end, which follow; `start` is in it */
    int64_t energy; /* stated, >= 0, primary base units */
    int64_t count;  /* read by hand */
};

struct rulings {
    const struct ruling *items; /* in any order; borrowed */
    size_t count;
};

/* What is folded in place of the meter's own. Owned by this struct, in order of time. */
struct overlay {
    struct segments segments;
    struct segment *items; /* those of `segments` */
    struct stated *stated;
    int64_t *disregarded; /* times */
    size_t disregarded_count;
    struct unwrap_reading *by_hand; /* only where no reading has their time */
    size_t by_hand_count;
    bool *is_idle; /* by decision: a reset or replacement that no segment has inside */
};

/* `model`: the meter's own segments. */
void overlay_init(struct overlay *o, const struct segments *model, const struct rulings *decisions);
void overlay_release(struct overlay *o); /* accepts a zeroed struct */

bool overlay_disregards(const struct overlay *o, int64_t time_ms);
/* The first by hand after a time; by_hand_count: there is none. */
size_t overlay_by_hand_after(const struct overlay *o, int64_t time_ms);

/* Are both about something in common? Such two are never in force together. Spans of stated energy may share an end. */
bool ruling_touches(const struct ruling *a, const struct ruling *b);
