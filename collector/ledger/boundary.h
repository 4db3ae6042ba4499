/*
 * U at each quarter hour (CONTRIBUTING.md, E5): the reading there, else linear between its neighbours,
 * rounded down. Quarter hours are those of UTC: every zone in use is whole quarters away from it.
 *
 * Fed with the events of folding (collector/ledger/event.h), it needs no state: a step says of both its ends what is
 * needed. What is emitted of a boundary replaces what was emitted of it before; a boundary of which nothing was
 * emitted is unknown.
 */
#pragma once

#include "collector/ledger/event.h"
#include "collector/ledger/quality.h"

#define BOUNDARY_MS INT64_C(900000)

struct boundary {
    int64_t time_ms; /* a multiple of BOUNDARY_MS */
    enum quality quality;
    int64_t energy;      /* U, primary base units; 0 where unknown */
    int64_t baseline_ms; /* which baseline it is of; 0 where unknown */
    bool is_stated;      /* of the quarter hour that ends here a person stated at least a part */
};

/* `max_gap_ms`: up to how long between its neighbours a boundary counts as measured. */
typedef void boundary_emit(void *context, const struct boundary *boundary);
void boundary_follow(const struct event *event, int64_t max_gap_ms, boundary_emit *emit, void *context);
/* U at a time within a step, or what was stated: linear, rounded down. */
int64_t boundary_energy(const struct event *step, int64_t time_ms);
