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

void lines_of(const struct lines_plan *plan, const struct series *series, struct lines *ret)
{
    struct lines lines;
    lines_init(&lines, plan);
    struct charge_amount *amounts = mem_alloc((series->count + 1) * sizeof *amounts);
    for (size_t i = 0; i < series->count; i++)
        amounts[i] = (struct charge_amount){
            series->amounts[i], series_is_known(series->states[i]) || series->states[i] == SERIES_ABSENT};
    for (int kind = 0; kind < LINES_KINDS; kind++)
        if (plan->plans[kind].key_count > 0)
            charge_lines(&plan->plans[kind], amounts, lines.of[kind], &lines.total[kind]);
    free(amounts);
    *ret = lines;
}

void lines_drop_cost(const struct lines_plan *plan, struct lines *lines)
{
    memset(lines->of[LINES_MONEY], 0, plan->plans[LINES_MONEY].key_count * sizeof *lines->of[LINES_MONEY]);
    lines->total[LINES_MONEY] = (struct charge_total){.is_whole = plan->plans[LINES_MONEY].key_count > 0};
}

void lines_add(const struct lines_plan *plan, struct lines *total, const struct lines *lines, int sign)
{
    assert(sign == 1 || sign == -1);
    for (int kind = 0; kind < LINES_KINDS; kind++) {
        struct charge_total *to = &total->total[kind];
        charge_line_add(&to->sum, &lines->total[kind].sum, sign);
        for (size_t i = 0; i < plan->plans[kind].key_count; i++)
            charge_line_add(&total->of[kind][i], &lines->of[kind][i], sign);
        to->is_whole = to->is_whole && lines->total[kind].is_whole && !to->sum.is_overflown;
    }
}

void lines_judge(const struct lines_plan *plan, struct lines *total, const struct series *series)
{
    struct lines own;
    lines_of(plan, series, &own);
    for (int kind = 0; kind < LINES_KINDS; kind++) {
        total->total[kind].sum.unknown_s = own.total[kind].sum.unknown_s;
        for (size_t i = 0; i < plan->plans[kind].key_count; i++)
            total->of[kind][i].unknown_s = own.of[kind][i].unknown_s;
    }
    lines_release(&own);
}
