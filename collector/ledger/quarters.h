/*
 * Amounts of quarter hours, and of any run of them (CONTRIBUTING.md, E6, E7). A quarter is U at its end
 * minus U at its beginning; where an exception or a missing end lies inside, it is unknown, which is never 0. A sum
 * with an unknown quarter in it is unknown too; what is known of it stands beside it, never in its place.
 */
#pragma once

#include "collector/ledger/boundary.h"

#include <stddef.h>

struct quarter {
    int64_t start_ms;
    enum quality quality; /* the worse of its two ends; manual at best where a person stated a part of it */
    int64_t amount;       /* primary base units; 0 where unknown, and not to be shown */
};

/* From the two boundaries of a quarter hour, in order. */
struct quarter quarter_between(const struct boundary *begin, const struct boundary *end);

/* What a net meter makes of two registers: `taken` minus `given`, of the same quarter. It may be negative, and
 * nothing is clamped; unknown where either is. */
struct quarter quarter_net(const struct quarter *taken, const struct quarter *given);

/* A run of quarters in any order, each once. Zeroed: no quarter. */
struct quarters_sum {
    int64_t count;                  /* quarters */
    int64_t known;                  /* the sum of those that are known */
    int64_t unknown_s;              /* the time of those that are not */
    int64_t estimated, estimated_s; /* of `known`: what is estimated, and in how much time */
    int64_t manual, manual_s;
    bool is_overflown; /* a sum left int64: none of the sums means anything */
};

void quarters_add(struct quarters_sum *sum, const struct quarter *quarter);
/* The same of several of one quality; `amounts` is not read where that is unknown. */
void quarters_add_run(struct quarters_sum *sum, enum quality quality, const int64_t *amounts, size_t count);
/* Of two runs that have no quarter in common, of one meter or of several: adds the other to the first. */
void quarters_merge(struct quarters_sum *sum, const struct quarters_sum *other);

/* The amount of the whole run, = U(end) - U(begin) where it is connected. False: unknown. */
bool quarters_amount(const struct quarters_sum *sum, int64_t *ret_amount);

/* The estimated share of what is known, in thousandths, rounded half up: of the energy, or of the time where the
 * energy is 0 or amounts of both signs were added. 0 where nothing is known. */
int quarters_estimated_permille(const struct quarters_sum *sum);
