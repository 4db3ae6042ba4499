/*
 * What the amounts of a period come to: money by the bands of a tariff, or grams of coal equivalent or CO2 by
 * factors. A plan, worked out once for a site and a period, says for each quarter hour to which line it belongs; a
 * meter's amounts are then added up along it. Pure; no clock, no I/O.
 *
 * A line is one meter, band, row of prices or factors, and period: its amount is a sum of integers, its result the
 * exact product, rounded once, half away from zero (0.01 yuan, 1 g). A total is the sum of rounded lines, so that it
 * is what a reader gets who adds up what is printed. What is not known is no 0: a line says for how long it knows no
 * amount, and a line without a price or factor says why; the total is then not whole.
 */
#pragma once

#include "collector/model/factor.h"
#include "collector/model/periods.h"
#include "collector/model/tariff.h"

struct charge_key {
    int band;                           /* enum tariff_band; -1 = not known, or factors */
    const struct tariff_prices *prices; /* NULL = none, or factors */
    const struct factor *factor;        /* NULL = none, or a tariff */
    char *why; /* why there is no rate (of the first such day); NULL = there is one */
};

struct charge_plan {
    struct periods_span span;
    const struct tariff *tariff; /* NULL = factors */
    struct charge_key *keys;     /* the lines, in the order in which they first come */
    size_t key_count, key_capacity;
    uint16_t *key_of; /* by quarter hour of the span */
    size_t quarter_count;
};

/* `span` is on whole quarter hours (periods_span), at most 100 years; `tariff` and `factors` are borrowed. */
void charge_plan_tariff(
    struct charge_plan *plan, const struct tariff *tariff, const struct zone *zone, struct periods_span span);
/* `kind` is enum factor_kind, `carrier` as of the meters; `region` may be NULL. */
void charge_plan_factors(struct charge_plan *plan, const struct factors *factors, int kind, int carrier,
    const char *region, const struct zone *zone, struct periods_span span);
void charge_plan_release(struct charge_plan *plan);

/* The amount of a quarter hour in the carrier's base units; may be negative. */
struct charge_amount {
    int64_t amount;
    bool is_known;
};

struct charge_line {
    int64_t amount;    /* of the quarter hours that are known */
    int64_t unknown_s; /* how much time is not */
    int64_t result;    /* 0.01 yuan, or g, for `amount`; 0 where the key has no rate */
    bool is_overflown; /* a sum left int64: the line is unknown, and neither of the two means anything */
};

struct charge_total {
    struct charge_line sum; /* of the rounded lines that have a rate */
    bool is_whole;          /* every quarter hour is known and has a rate */
};

/* to += sign x line, amount and result. */
void charge_line_add(struct charge_line *to, const struct charge_line *line, int sign);

/* `amounts` has plan->quarter_count of them, `ret_lines` room for plan->key_count. A line of which a sum or
 * product is beyond int64 is marked, and with it the total: the others stand. */
void charge_lines(const struct charge_plan *plan, const struct charge_amount *amounts,
    struct charge_line *ret_lines, struct charge_total *ret);
