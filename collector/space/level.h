/*
 * How many people are in a space, as a step function of time: the one form in which door counters, area counts and
 * presence sensors say it. What no piece covers is not known, which is not 0.
 *
 * Levels are in thousandths of a person, so that a corrected series (collector/space/flow.h) has integers; up to 10^5
 * people. A level may be below 0: doors miss people, and only what is shown is clamped, never what is added up.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LEVEL_PERSON INT64_C(1000)
#define LEVEL_PERSONS_MAX INT64_C(100000)

struct level_piece { /* [from_ms, until_ms), UTC */
    int64_t from_ms, until_ms;
    int64_t level;
};

/* Takes the pieces in order of time; they do not overlap. */
struct level_sink {
    void *context;
    void (*emit)(void *context, const struct level_piece *piece);
};
