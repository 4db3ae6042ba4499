/*
 * Baselines that an exception ended. "If within 24 h a reading breaks the new baseline and is plausible from the g
 * before, the exception is withdrawn and the readings between are outliers" (CONTRIBUTING.md, E4): a device
 * that told nonsense for a while is no new meter. The 24 hours are those of holding: they count from the first
 * reading that did not fit.
 */
#pragma once

#include "collector/ledger/baseline.h"

#define PAST_COUNT 4 /* exceptions within 24 h that can be withdrawn; of more the oldest stand */

struct past {
    struct baseline baseline;
    int64_t since_ms;     /* the first reading that did not fit */
    int64_t exception_ms; /* where the exception begins */
};

/* The last is the latest. Entries beyond `count` are zero. */
struct pasts {
    int64_t count;
    struct past items[PAST_COUNT];
};

void past_add(struct pasts *all, const struct past *past);
/* Forgets those whose 24 hours are over at that time. */
void past_expire(struct pasts *all, int64_t time_ms);
/* The latest from which the reading is plausible, within its 24 hours: it and what came after it are taken away. A
 * rollover counts only where the reading is confirmed. False: there is none. */
bool past_take(struct pasts *all, const struct segments *segments, const struct step_point *reading,
    bool is_confirmed, struct past *ret, struct baseline_fit *ret_fit);
