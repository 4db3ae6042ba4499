/* What /api/v1/energy was asked: its parameters, read and bounded. Pure but for the model it looks into. */
#pragma once

#include "collector/energy/tree.h"
#include "collector/web/context.h"

/* Of one answer: the listener's only thread must not be held up. */
#define ENERGY_DAYS_MAX 3700        /* of the period */
#define ENERGY_VALUES_MAX 10000     /* rows x steps */
#define ENERGY_QUARTERS_MAX 5000000 /* quarter hours of meters that are read for it */

struct energy_query {
    const struct park_site *site;
    const struct zone *zone; /* of the site; borrowed */
    enum tree_by by;
    enum steps_kind step;
    struct periods_span span;
    bool is_of_parts; /* that add up, not of groups */
    bool is_csv;
};

/* False: *ret_answer is the 400 that says which parameter is wrong, and what is expected. */
bool energy_query_read(const struct web_context *context, const struct web_request *request,
    struct energy_query *ret, struct web_answer *ret_answer);
/* No more than one answer is of. */
bool energy_query_is_short(struct periods_span span);
/* The same for more than one answer may hold. */
bool energy_query_is_bounded(
    const struct tree *tree, const struct steps *steps, struct web_answer *ret_answer);
const char *energy_query_of(const struct energy_query *q); /* "groups" or "parts" */
const char *energy_query_step(enum steps_kind step);       /* as it was asked: "15m", ..., "all" */
