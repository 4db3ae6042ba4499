#include "collector/energy/charge.h"

#include "lib/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define YEARS_MAX 100
#define QUARTER_HOUR_S (PERIODS_QUARTER_HOUR_MS / 1000)

static void begin(struct charge_plan *plan, struct periods_span span, const struct tariff *tariff)
{
    assert(
        span.begin_ms <= span.end_ms && span.end_ms - span.begin_ms <= YEARS_MAX * INT64_C(366) * 86400000);
    *plan = (struct charge_plan){.span = span, .tariff = tariff};
    plan->quarter_count = (size_t)((span.end_ms - span.begin_ms) / PERIODS_QUARTER_HOUR_MS);
    plan->key_of = mem_zalloc((plan->quarter_count + 1) * sizeof *plan->key_of);
}

/* The line of that name; `why` is taken down where it is new and has no rate. */
static uint16_t find_key(struct charge_plan *plan, struct charge_key wanted, const struct error *why)
{
    for (size_t i = 0; i < plan->key_count; i++) {
        const struct charge_key *key = &plan->keys[i];
        if (key->band == wanted.band && key->prices == wanted.prices && key->factor == wanted.factor)
            return (uint16_t)i;
    }
    assert(plan->key_count < UINT16_MAX);
    if (wanted.prices == NULL && wanted.factor == NULL)
        wanted.why = mem_strdup(why->text);
    MEM_GROW(plan->keys, plan->key_count, plan->key_capacity);
    plan->keys[plan->key_count] = wanted;
    return (uint16_t)plan->key_count++;
}

static void plan_day_of_tariff(
    struct charge_plan *plan, const struct zone *zone, int64_t day, size_t from, size_t to)
{
    struct error why = {"no reason"};
    struct tariff_day found;
    bool is_known = tariff_day(plan->tariff, day, &found, &why);
    if (is_known && found.prices == NULL) {
        char text[VALIDITY_TEXT_SIZE];
        validity_format_day(day, text);
        error_set(&why, ST_INVALID, "tariff %s has no prices for %s", plan->tariff->id, text);
    }
    for (size_t i = from; i < to; i++) {
        int64_t time_ms = plan->span.begin_ms + (int64_t)i * PERIODS_QUARTER_HOUR_MS;
        struct charge_key key = {.band = -1};
        if (is_known) {
            key.band = found.band[periods_quarter_of_day(zone, time_ms)];
            key.prices = found.prices;
        }
        plan->key_of[i] = find_key(plan, key, &why);
    }
}

/* The index of the first quarter hour after this one's local day, and that day. */
static size_t end_of_day(
    const struct charge_plan *plan, const struct zone *zone, size_t from, struct period *ret_day)
{
    int64_t time_ms = plan->span.begin_ms + (int64_t)from * PERIODS_QUARTER_HOUR_MS;
    *ret_day = periods_of(zone, PERIODS_DAY, time_ms);
    int64_t end_ms = periods_span(zone, *ret_day).end_ms;
    if (end_ms > plan->span.end_ms)
        end_ms = plan->span.end_ms;
    return (size_t)((end_ms - plan->span.begin_ms) / PERIODS_QUARTER_HOUR_MS);
}

void charge_plan_tariff(
    struct charge_plan *plan, const struct tariff *tariff, const struct zone *zone, struct periods_span span)
{
    begin(plan, span, tariff);
    for (size_t from = 0, to; from < plan->quarter_count; from = to) {
        struct period day;
        to = end_of_day(plan, zone, from, &day);
        plan_day_of_tariff(plan, zone, day.number, from, to);
    }
}

void charge_plan_factors(struct charge_plan *plan, const struct factors *factors, int kind, int carrier,
    const char *region, const struct zone *zone, struct periods_span span)
{
    begin(plan, span, NULL);
    for (size_t from = 0, to; from < plan->quarter_count; from = to) {
        struct period day;
        struct error why = {"no reason"};
        to = end_of_day(plan, zone, from, &day);
        struct charge_key key = {
            .band = -1, .factor = factors_find(factors, kind, carrier, region, day.number, &why)};
        uint16_t index = find_key(plan, key, &why);
        for (size_t i = from; i < to; i++)
            plan->key_of[i] = index;
    }
}

void charge_plan_release(struct charge_plan *plan)
{
    for (size_t i = 0; i < plan->key_count; i++)
        free(plan->keys[i].why);
    free(plan->keys);
    free(plan->key_of);
    *plan = (struct charge_plan){0};
}

static bool apply(const struct charge_plan *plan, const struct charge_key *key, struct charge_line *line)
{
    if (key->factor != NULL)
        return factor_apply(key->factor, line->amount, &line->result);
    if (key->prices != NULL)
        return tariff_cost(plan->tariff, line->amount, key->prices->price[key->band], &line->result);
    return true;
}

/* Quarter hours that follow one another on one line, from *i on. */
static void add_run(
    const struct charge_plan *plan, const struct charge_amount *amounts, size_t *i, struct charge_line *line)
{
    uint16_t key = plan->key_of[*i];
    struct charge_line sum = *line;
    for (; *i < plan->quarter_count && plan->key_of[*i] == key; ++*i) {
        if (!amounts[*i].is_known)
            sum.unknown_s += QUARTER_HOUR_S;
        else if (__builtin_add_overflow(sum.amount, amounts[*i].amount, &sum.amount))
            sum.is_overflown = true;
    }
    *line = sum;
}

void charge_line_add(struct charge_line *to, const struct charge_line *line, int sign)
{
    bool is_amount_beyond = sign > 0 ? __builtin_add_overflow(to->amount, line->amount, &to->amount)
                                     : __builtin_sub_overflow(to->amount, line->amount, &to->amount);
    bool is_result_beyond = sign > 0 ? __builtin_add_overflow(to->result, line->result, &to->result)
                                     : __builtin_sub_overflow(to->result, line->result, &to->result);
    to->is_overflown = to->is_overflown || line->is_overflown || is_amount_beyond || is_result_beyond;
}

void charge_lines(const struct charge_plan *plan, const struct charge_amount *amounts,
    struct charge_line *ret_lines, struct charge_total *ret)
{
    *ret = (struct charge_total){.is_whole = true};
    memset(ret_lines, 0, plan->key_count * sizeof *ret_lines);
    for (size_t i = 0; i < plan->quarter_count;)
        add_run(plan, amounts, &i, &ret_lines[plan->key_of[i]]);
    for (size_t i = 0; i < plan->key_count; i++) {
        const struct charge_key *key = &plan->keys[i];
        struct charge_line *line = &ret_lines[i];
        line->is_overflown = line->is_overflown || !apply(plan, key, line);
        if (key->why == NULL)
            charge_line_add(&ret->sum, line, 1);
        ret->sum.unknown_s += line->unknown_s;
        ret->is_whole = ret->is_whole && key->why == NULL && line->unknown_s == 0;
    }
    ret->is_whole = ret->is_whole && !ret->sum.is_overflown;
}
