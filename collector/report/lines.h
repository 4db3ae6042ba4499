/*
 * What a meter's amounts of a report's period come to: money, coal equivalent by each basis, CO2 and CO2e, in lines
 * (collector/energy/charge.h: an exact product, rounded once). Pure. A totals' line is the sum of rounded lines of
 * the same key, taken with the sign with which the meter's amount enters the total. What leaves int64 is marked, is
 * unknown, and takes nothing else with it.
 *
 * Five kinds, never added to one another: 当量 and 等价 are two figures of the same energy, and so are CO2 and CO2e.
 */
#pragma once

#include "collector/energy/charge.h"
#include "collector/energy/series.h"
#include "collector/model/rates.h"
#include "collector/report/axis.h"

/* By enum factor_kind, and money last. */
#define LINES_MONEY FACTOR_KINDS
#define LINES_KINDS (FACTOR_KINDS + 1)
extern const char *const lines_kinds[]; /* "kgce_calorific" ... "cost", NULL-terminated */

/* The keys of one carrier at one site. */
struct lines_plan {
    struct charge_plan plans[LINES_KINDS];
    bool is_priced; /* there is a tariff; else the plan of money has no key */
};

/* `rates` may lack factors or tariffs: then there are no such lines. Borrows all but `axis`. */
void lines_plan_init(struct lines_plan *plan, const struct rates *rates, const struct park_site *site,
    int carrier, const struct zone *zone, const struct axis *axis);
void lines_plan_release(struct lines_plan *plan);

/* What the amounts come to, beside the keys of a plan. */
struct lines {
    struct charge_line *of[LINES_KINDS]; /* plans[kind].key_count of them */
    struct charge_total total[LINES_KINDS];
};

/* For none: every line is 0 and whole, to be added to. */
void lines_init(struct lines *lines, const struct lines_plan *plan);
void lines_release(struct lines *lines);

/* `series` is of the plan's span. */
void lines_of(const struct lines_plan *plan, const struct series *series, struct lines *ret);
/* What flows back is settled apart, at no price of a tariff: no cost, and none that is unknown. */
void lines_drop_cost(const struct lines_plan *plan, struct lines *lines);
/* total += sign x lines, both of that plan: sums of rounded lines. For how long a total is unknown is not the sum of
 * its parts' times: lines_judge says it. */
void lines_add(const struct lines_plan *plan, struct lines *total, const struct lines *lines, int sign);
/* Takes down, from the quarter hours of the total itself, for how long each of its lines is unknown. */
void lines_judge(const struct lines_plan *plan, struct lines *total, const struct series *series);
