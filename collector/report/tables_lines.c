/* The lines that money, coal equivalent and CO2 are made of, and the rows of factors and prices that they used. */
#include "collector/report/tables_private.h"

#include "lib/mem.h"

#include <stdlib.h>

static const char *const line_columns[] = {"carrier", "id", "name", "kind", "band", "amount+", "unit",
    "unknown_h", "rate", "rate_unit", "result+", "known_result", "result_unit", "document", "confidence",
    "why", NULL};

static const char *const kinds[] = {
    [FACTOR_KGCE_CALORIFIC] = "tce_calorific",
    [FACTOR_KGCE_EQUIVALENT] = "tce_equivalent",
    [FACTOR_KGCO2] = "tco2",
    [FACTOR_KGCO2E] = "tco2e",
    [LINES_MONEY] = "cost",
};

static void add_rate(struct table *table, const struct charge_key *key)
{
    struct decimal rate = {0};
    const char *unit = NULL;
    if (key->factor != NULL) {
        rate = key->factor->value;
        unit = key->factor->unit;
    } else if (key->prices != NULL) {
        rate = key->prices->price[key->band];
        unit = key->prices->unit;
    }
    table_maybe(table, unit != NULL, rate.value, rate.scale);
    table_text(table, unit);
}

static void add_source(struct table *table, const struct charge_key *key)
{
    const char *document = NULL;
    int confidence = 0;
    if (key->factor != NULL) {
        document = key->factor->document;
        confidence = key->factor->confidence;
    } else if (key->prices != NULL) {
        document = key->prices->document;
        confidence = key->prices->confidence;
    }
    table_text(table, document);
    table_text(table, document != NULL ? source_confidences[confidence] : NULL);
    table_text(table, key->why);
}

static void begin_line(
    const struct tables *tables, struct table *table, const struct report_figure *figure, int kind)
{
    table_begin(table);
    table_code(table, park_carriers[figure->part.carrier]);
    tables_name_part(tables, table, &figure->part);
    table_code(table, kinds[kind]);
}

/* A line of which a part is unknown is unknown, and so is its amount: what is known stands beside it. */
static void add_amounts(struct table *table, const struct charge_line *line, int carrier)
{
    table_amount(table, line->unknown_s == 0 && !line->is_overflown, line->amount, tables_scale(carrier));
    table_text(table, tables_unit(carrier));
    table_maybe(table, line->unknown_s > 0, line->unknown_s / 36, 2);
}

static void add_line(const struct tables *tables, struct table *table, const struct report_figure *figure,
    int kind, const struct charge_key *key, const struct charge_line *line)
{
    bool is_rated = key->why == NULL && !line->is_overflown;
    begin_line(tables, table, figure, kind);
    table_code(table, key->band >= 0 ? tariff_bands[key->band] : NULL);
    add_amounts(table, line, figure->part.carrier);
    add_rate(table, key);
    table_maybe(table, is_rated && line->unknown_s == 0, line->result, tables_result_scale(kind));
    table_maybe(table, is_rated && line->unknown_s > 0 && !figure->is_difference, line->result,
        tables_result_scale(kind));
    table_text(table, tables_result_unit(kind));
    add_source(table, key);
}

static void add_sum(const struct tables *tables, struct table *table, const struct report_figure *figure,
    int kind, size_t lines)
{
    const struct charge_total *total = &figure->lines.total[kind];
    begin_line(tables, table, figure, kind);
    table_code(table, "total");
    table_amount(table, total->is_whole, total->sum.amount, tables_scale(figure->part.carrier));
    table_text(table, tables_unit(figure->part.carrier));
    table_maybe(table, total->sum.unknown_s > 0, total->sum.unknown_s / 36, 2);
    table_none(table);
    table_none(table);
    table_maybe(table, total->is_whole, total->sum.result, tables_result_scale(kind));
    table_maybe(table, !total->is_whole && !figure->is_difference && !total->sum.is_overflown,
        total->sum.result, tables_result_scale(kind));
    table_text(table, tables_result_unit(kind));
    table_none(table);
    table_none(table);
    table_none(table);
    table_is_sum_of(table, lines);
}

static bool has_rate(const struct charge_plan *plan)
{
    for (size_t i = 0; i < plan->key_count; i++)
        if (plan->keys[i].why == NULL)
            return true;
    return false;
}

static void add_figure(const struct tables *tables, struct table *table, const struct report_carrier *carrier,
    const struct report_figure *figure)
{
    for (int kind = 0; kind < LINES_KINDS; kind++) {
        const struct charge_plan *plan = &carrier->plan.plans[kind];
        for (size_t i = 0; i < plan->key_count; i++)
            add_line(tables, table, figure, kind, &plan->keys[i], &figure->lines.of[kind][i]);
        if (has_rate(plan))
            add_sum(tables, table, figure, kind, plan->key_count);
    }
}

static void add_lines(
    struct tables *tables, const struct report *report, const char *id, enum part_kind kind, bool is_annex)
{
    struct table *table = tables_add(tables, id, line_columns);
    table->is_annex = is_annex;
    for (size_t k = 0; k < report->carrier_count; k++)
        REPORT_EACH(figure, &report->carriers[k], kind)
    add_figure(tables, table, &report->carriers[k], figure);
}

/* ---- factors and prices ---- */

static const char *const factor_columns[] = {"kind", "carrier", "band", "region", "rate", "rate_unit",
    "valid_from", "valid_through", "document", "confidence", "note", NULL};

static void add_validity(struct table *table, struct validity validity)
{
    char text[VALIDITY_TEXT_SIZE];
    validity_format_day(validity.from_day, text);
    table_text(table, validity.from_day == INT64_MIN ? NULL : text);
    validity_format_day(validity.until_day - 1, text);
    table_text(table, validity.until_day == INT64_MAX ? NULL : text);
}

static void add_factor(struct table *table, const struct factor *factor)
{
    table_begin(table);
    table_code(table, kinds[factor->kind]);
    table_code(table, factor_carriers[factor->carrier]);
    table_none(table);
    table_text(table, factor->region);
    table_number(table, factor->value.value, factor->value.scale);
    table_text(table, factor->unit);
    add_validity(table, factor->validity);
    table_text(table, factor->document);
    table_text(table, source_confidences[factor->confidence]);
    table_text(table, factor->note);
}

static void add_price(struct table *table, const struct charge_key *key, int carrier)
{
    table_begin(table);
    table_code(table, kinds[LINES_MONEY]);
    table_code(table, park_carriers[carrier]);
    table_code(table, tariff_bands[key->band]);
    table_none(table);
    table_number(table, key->prices->price[key->band].value, key->prices->price[key->band].scale);
    table_text(table, key->prices->unit);
    add_validity(table, key->prices->validity);
    table_text(table, key->prices->document);
    table_text(table, source_confidences[key->prices->confidence]);
    table_text(table, key->prices->note);
}

/* The hours of the bands, which say nothing of prices. */
static void add_schedule(struct table *table, const struct tariff_schedule *schedule, int carrier)
{
    table_begin(table);
    table_code(table, "schedule");
    table_code(table, park_carriers[carrier]);
    table_none(table);
    table_none(table);
    table_none(table);
    table_none(table);
    add_validity(table, schedule->validity);
    table_text(table, schedule->document);
    table_text(table, source_confidences[schedule->confidence]);
    table_text(table, schedule->note);
}

static void add_sources(
    struct table *table, const struct report *report, const struct report_carrier *carrier)
{
    for (int kind = 0; kind < LINES_KINDS; kind++) {
        const struct charge_plan *plan = &carrier->plan.plans[kind];
        for (size_t i = 0; i < plan->key_count; i++) {
            if (plan->keys[i].factor != NULL)
                add_factor(table, plan->keys[i].factor);
            else if (plan->keys[i].prices != NULL)
                add_price(table, &plan->keys[i], carrier->carrier);
        }
    }
    const struct tariff *tariff = carrier->plan.plans[LINES_MONEY].tariff;
    const struct axis *axis = &report->axis;
    if (tariff == NULL || axis->day_count == 0)
        return;
    struct validity days = {axis->day[0], axis->day[axis->day_count - 1] + 1};
    CONF_EACH (const struct tariff_schedule, schedule, tariff->schedules)
        if (validity_overlaps(schedule->validity, days))
            add_schedule(table, schedule, carrier->carrier);
}

void tables_add_lines(struct tables *tables, const struct report *report)
{
    add_lines(tables, report, "lines", PART_SITE, false);
    struct table *table = tables_add(tables, "factors", factor_columns);
    for (size_t k = 0; k < report->carrier_count; k++)
        add_sources(table, report, &report->carriers[k]);
    add_lines(tables, report, "meter_lines", PART_METER, true);
}
