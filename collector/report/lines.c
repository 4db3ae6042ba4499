#include "collector/report/lines.h"

#include "lib/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *const lines_kinds[] = {"kgce_calorific", "kgce_equivalent", "kgco2", "kgco2e", "cost", NULL};

void lines_plan_init(struct lines_plan *plan, const struct rates *rates, const struct park_site *site,
    int carrier, const struct zone *zone, const struct axis *axis)
{
    *plan = (struct lines_plan){0};
    const struct tariff *tariff =
        rates->tariffs != NULL ? tariffs_find(rates->tariffs, site->id, carrier) : NULL;
    plan->is_priced = tariff != NULL;
    if (tariff != NULL)
        charge_plan_tariff(&plan->plans[LINES_MONEY], tariff, zone, axis->span);
    for (int kind = 0; kind < FACTOR_KINDS && rates->factors != NULL; kind++)
        charge_plan_factors(
            &plan->plans[kind], rates->factors, kind, carrier, site->region, zone, axis->span);
}

void lines_plan_release(struct lines_plan *plan)
{
    for (int kind = 0; kind < LINES_KINDS; kind++)
        charge_plan_release(&plan->plans[kind]);
}

void lines_init(struct lines *lines, const struct lines_plan *plan)
{
    *lines = (struct lines){0};
    for (int kind = 0; kind < LINES_KINDS; kind++) {
        size_t count = plan->plans[kind].key_count;
        lines->of[kind] = mem_zalloc((count + 1) * sizeof *lines->of[kind]);
        lines->total[kind].is_whole = count > 0;
        for (size_t i = 0; i < count; i++)
            if (plan->plans[kind].keys[i].why != NULL)
                lines->total[kind].is_whole = false;
    }
}

void lines_release(struct lines *lines)
{
    for (int kind = 0; kind < LINES_KINDS; kind++)
        free(lines->of[kind]);
    *lines = (struct lines){0};
}

enum status lines_of(
    const struct lines_plan *plan, const struct series *series, struct lines *ret, struct error *err)
{
    struct lines lines;
    lines_init(&lines, plan);
    struct charge_amount *amounts = mem_alloc((series->count + 1) * sizeof *amounts);
    for (size_t i = 0; i < series->count; i++)
        amounts[i] = (struct charge_amount){
            series->amounts[i], series_is_known(series->states[i]) || series->states[i] == SERIES_ABSENT};
    enum status status = ST_OK;
    for (int kind = 0; kind < LINES_KINDS && status == ST_OK; kind++)
        if (plan->plans[kind].key_count > 0)
            status = charge_lines(&plan->plans[kind], amounts, lines.of[kind], &lines.total[kind], err);
    free(amounts);
    if (status == ST_OK)
        *ret = lines;
    else
        lines_release(&lines);
    return status;
}

void lines_drop_cost(const struct lines_plan *plan, struct lines *lines)
{
    memset(lines->of[LINES_MONEY], 0, plan->plans[LINES_MONEY].key_count * sizeof *lines->of[LINES_MONEY]);
    lines->total[LINES_MONEY] = (struct charge_total){.is_whole = plan->plans[LINES_MONEY].key_count > 0};
}

static bool add(struct charge_line *to, const struct charge_line *line, int sign)
{
    return sign > 0 ? !__builtin_add_overflow(to->amount, line->amount, &to->amount) &&
                          !__builtin_add_overflow(to->result, line->result, &to->result)
                    : !__builtin_sub_overflow(to->amount, line->amount, &to->amount) &&
                          !__builtin_sub_overflow(to->result, line->result, &to->result);
}

enum status lines_add(const struct lines_plan *plan, struct lines *total, const struct lines *lines, int sign,
    struct error *err)
{
    assert(sign == 1 || sign == -1);
    for (int kind = 0; kind < LINES_KINDS; kind++) {
        bool fits = add(&total->total[kind].sum, &lines->total[kind].sum, sign);
        for (size_t i = 0; i < plan->plans[kind].key_count; i++)
            fits = add(&total->of[kind][i], &lines->of[kind][i], sign) && fits;
        total->total[kind].is_whole = total->total[kind].is_whole && lines->total[kind].is_whole;
        if (!fits)
            return error_set(err, ST_INVALID, "the sums of %s are too large", lines_kinds[kind]);
    }
    return ST_OK;
}

enum status lines_judge(
    const struct lines_plan *plan, struct lines *total, const struct series *series, struct error *err)
{
    struct lines own;
    enum status status = lines_of(plan, series, &own, err);
    if (status != ST_OK)
        return status;
    for (int kind = 0; kind < LINES_KINDS; kind++) {
        total->total[kind].sum.unknown_s = own.total[kind].sum.unknown_s;
        for (size_t i = 0; i < plan->plans[kind].key_count; i++)
            total->of[kind][i].unknown_s = own.of[kind][i].unknown_s;
    }
    lines_release(&own);
    return ST_OK;
}
