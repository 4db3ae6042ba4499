/*
 * Units as meters state them, and the base units of the wire (CONTRIBUTING.md, "The wire contract"):
 * electricity in Wh, heat and cooling in J, volume in L, power in W, temperature in degrees Celsius, counts
 * as counts.
 */
#pragma once

#include "lib/batch.h"
#include "lib/buf.h"
#include "lib/number.h"

#include <stdbool.h>

/* Energy has two base units: electricity is counted in Wh, heat in J, whatever the meter shows. */
enum unit_base { UNIT_BASE_OWN, UNIT_BASE_WH, UNIT_BASE_J };

struct unit {
    const char *name;
    bool is_register;      /* may be counted by a register */
    bool is_gauge;         /* may be measured by a gauge */
    enum unit_base energy; /* UNIT_BASE_OWN: not energy */
    int64_t factor;        /* base units in one of it */
};

/* NULL for a unit that is not known. */
const struct unit *unit_find(const char *name);
/* A state has no unit. */
bool unit_fits(const struct unit *unit, enum reading_kind kind);
/* Base units in one `unit`, exactly; `base` other than UNIT_BASE_OWN is for energy only. */
struct fraction unit_factor(const struct unit *unit, enum unit_base base);
/* Appends the units that fit a kind: "Wh, kWh, ...". */
void unit_list(struct buf *out, enum reading_kind kind);
