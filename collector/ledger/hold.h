/*
 * Readings that are held (CONTRIBUTING.md, E4): neither accepted nor settled as outliers yet. They are
 * not kept: of all that is decided later only three matter. The first since the last accepted one (from when
 * the 24 hours count), the last, and the first of the plausible chain that ends at the last. A positive plausible
 * step decides at once, so a chain is a run of equal counts; when it is longer than one reading and becomes the
 * new baseline, its readings are pushed again. So the memory is the same for one reading as for a month.
 */
#pragma once

#include "collector/ledger/step.h"

#define HOLD_LIMIT_MS (24 * INT64_C(3600000))

/* Integers of 64 bits alone, so that equal states are equal bytes. */
struct hold {
    int64_t count; /* readings; 0 = nothing is held, and the rest is zero */
    struct step_point first, chain, last;
};

/* A further one. Whether it goes on with the chain is judged here: its counts equal those of the last. */
void hold_add(struct hold *h, const struct segments *all, const struct step_point *reading);
/* Is there a positive plausible step from the last? Never from equal counts. False where nothing is held. */
bool hold_is_confirmed_by(const struct hold *h, const struct segments *all, const struct step_point *reading);
/* Held for 24 h of reading time: what was held is an exception now. */
bool hold_is_overdue(const struct hold *h);
void hold_clear(struct hold *h);
