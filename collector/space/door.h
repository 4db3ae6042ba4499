/*
 * One stream of a door counter, in or out: a cumulative count, to the people who passed between two readings. Pure.
 *
 * A count that went on is plausible where no more people passed than `max_per_hour` allows in the time between, or in a
 * minute where that is shorter: a group passes at once. A count that went back has wrapped where the counter has a
 * modulus and that is plausible; else it was reset to 0, where what it counted since is plausible. Anything else is lost:
 * nobody knows how many passed, and so nobody knows how many are inside until somebody counts.
 */
#pragma once

#include <stdint.h>

struct door_limits {
    int64_t modulus;      /* first value that is never shown; 0: it does not wrap */
    int64_t max_per_hour; /* people; up to 10^6 */
};

enum door_step_kind {
    DOOR_COUNTED,
    DOOR_WRAPPED,
    DOOR_RESET, /* what passed between the last reading and the reset is not in `persons` */
    DOOR_LOST,
};

struct door_step {
    enum door_step_kind kind;
    int64_t persons; /* 0 where lost */
};

/* Counts are at least 0, and below the modulus; `after` is `elapsed_ms` > 0 later. */
struct door_step door_step(
    const struct door_limits *limits, int64_t before, int64_t after, int64_t elapsed_ms);
