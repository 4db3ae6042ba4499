/*
 * Installation segments of one meter, and the exact arithmetic of counts in them (CONTRIBUTING.md, E1, E2). A segment
 * is one register at one place under one ratio; a logged replacement joins two, so that the energy U goes on from one
 * to the next:
 *
 *     U(t) = U(segment start) + floor(n x p / q),  n = counts since the segment's start
 *
 * Pure: no clock, no I/O, no floats. What a person or a file gives is checked before it gets here (segment_problem);
 * readings are checked here (segment_takes).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SEGMENT_COUNT_MAX INT64_C(1000000000000000) /* 10^15, either way */
#define SEGMENT_RATE_MAX INT64_C(1000000000000)     /* 10^12 base units an hour */
#define SEGMENT_RATIO_MAX INT64_C(1000000000)       /* 10^9, of p and of q */
#define SEGMENT_JOIN_MS (30 * INT64_C(60000))       /* how far a logged instant may be off */
#define SEGMENT_HOUR_MS INT64_C(3600000)

/* What a person stated of an exception: that U rose by `energy` (>= 0, primary base units) from one reading to the other
 * (CONTRIBUTING.md, E10). */
struct stated {
    int64_t from_ms, until_ms, energy;
};

/* Counts, modulus and resolution in base units of the register's own side, max_rate and U on the primary. */
struct segment {
    int64_t from_ms, until_ms; /* [from, until); INT64_MAX = still in use */
    bool has_start, has_end;   /* the register at from and until was logged */
    int64_t start, end;
    int64_t modulus;    /* 0 = none */
    int64_t resolution; /* >= 1 */
    int64_t max_rate;   /* base units per hour */
    int64_t p, q;       /* CT x PT, exact; 1/1 for a primary register */
    int64_t point;      /* a number for where it is read; 0 where all are read at one place */
    /* Of the meter, in order of time: each of its segments has the same; borrowed. */
    const struct stated *stated;
    int64_t stated_count;
};

/* The segments of a meter in order of time, each beginning where the one before ends, at least one. Borrowed
 * by whoever folds; the caller keeps them as they are meanwhile. */
struct segments {
    const struct segment *items;
    int64_t count;
};

/* What is wrong with a segment, in words that complete "the segment ...", or NULL. */
const char *segment_problem(const struct segment *s);

/* E1: may the register of this segment read so? */
bool segment_takes(const struct segment *s, int64_t count);

#define SEGMENT_NONE INT64_C(-1)

/* Which segment a reading of a point belongs to: that of its time; but within 30 min of an end or a beginning whose
 * registers were logged, the one from whose registers it is plausible. Only segments of its point count, and where
 * just one side of the instant is of that point, the register of this side is enough. SEGMENT_NONE: none covers it. */
int64_t segment_of(const struct segments *all, int64_t point, int64_t time_ms, int64_t count);

/* Which segment is in force at an instant, whatever its registers say; or SEGMENT_NONE. */
int64_t segment_of_time(const struct segments *all, int64_t time_ms);
/* Which segment has the instant inside: after its begin and before its end; or SEGMENT_NONE. */
int64_t segment_inside(const struct segments *all, int64_t time_ms);

/* Can energy be followed from segment `from` to `to` by logged registers alone? */
bool segment_is_joined(const struct segments *all, int64_t from, int64_t to);

/* U = start + floor(counts x p / q). False where that is beyond int64. */
bool segment_energy(const struct segment *s, int64_t start, int64_t counts, int64_t *ret_energy);

/* a + b; false where that is beyond int64. */
bool segment_add(int64_t a, int64_t b, int64_t *ret_sum);
