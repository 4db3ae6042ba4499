/*
 * Opening hours, as a week of the place's clocks: "08:00-18:00" (every day), "Mon-Fri 08:00-18:00, Sat 09:00-12:00".
 * What is not named is closed. Whether it is open at an instant is what the clocks show then: where they are changed,
 * an hour that comes twice is open twice, and one that is left out is not. Pure; UTC in milliseconds.
 */
#pragma once

#include "collector/model/zone.h"

#include <stdbool.h>
#include <stdint.h>

#define OPENING_ROWS 14 /* two spans of each day */

struct opening {
    struct opening_row {
        uint8_t days;                /* bit 0 = Monday */
        int16_t from_min, until_min; /* of the day, half-open: 0 to 1440 */
    } rows[OPENING_ROWS];
    int count; /* 0 = always open */
};

/* Every row lies within a day, and no two have a minute in common. False where the text is no such; NULL is always
 * open. */
bool opening_parse(const char *text, struct opening *ret);
#define OPENING_EXPECTED \
    "expected from-to within a day, such as \"08:00-18:00\", or \"Mon-Fri 08:00-18:00, Sat 09:00-12:00\""

struct opening_now {
    bool is_open;
    int64_t until_ms; /* when that changes for the first time; INT64_MAX = not within OPENING_AHEAD_MS */
};
#define OPENING_AHEAD_MS \
    (15 * INT64_C(86400000)) /* more than a week, so that hours that come at all are found */
/* A NULL zone is UTC. */
struct opening_now opening_at(const struct opening *opening, const struct zone *zone, int64_t time_ms);
/* Since when it is as it is then; INT64_MIN = not since OPENING_AHEAD_MS before it. */
int64_t opening_since(const struct opening *opening, const struct zone *zone, int64_t time_ms);
