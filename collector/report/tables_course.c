/* The course of the period: comparisons with earlier ones, the load curve, the mean day, demand and base load. */
#include "collector/report/tables_private.h"

#include <stdio.h>

static const char *const comparison_columns[] = {"carrier", "unit", "amount", "against", "earlier_period",
    "earlier_amount", "earlier_coverage", "difference", "change", "comparable", NULL};

static void add_comparison(struct table *table, const struct report_carrier *carrier, const char *against,
    const struct report_earlier *earlier)
{
    int scale = tables_scale(carrier->carrier);
    const struct comparison *c = &earlier->comparison;
    char period[PERIODS_TEXT_SIZE];
    int64_t now = 0, then = 0;
    bool has_now = amount_is_known(&carrier->figures[0].amount, &now);
    bool has_then = earlier->is_there && amount_is_known(&earlier->amount, &then);
    bool is_good = c->reason == COMPARE_GOOD;
    table_begin(table);
    table_code(table, park_carriers[carrier->carrier]);
    table_text(table, tables_unit(carrier->carrier));
    table_amount(table, has_now, now, scale);
    table_code(table, against);
    if (earlier->is_there)
        periods_format(earlier->period, period);
    table_text(table, earlier->is_there ? period : NULL);
    table_amount(table, has_then, then, scale);
    tables_percent(table, earlier->is_there && amount_due(&earlier->amount) > 0,
        compare_coverage_permille(&earlier->amount));
    table_amount(table, is_good, c->difference, scale);
    tables_percent(table, is_good && c->has_ratio, c->permille);
    table_code(table, compare_reasons[c->reason]);
}

static const char *const curve_columns[] = {
    "carrier", "from", "until", "unit", "amount", "known", "coverage", "mean_kw", NULL};

static void add_curve(struct table *table, const struct report *report, const struct report_carrier *carrier)
{
    int scale = tables_scale(carrier->carrier);
    for (size_t i = 0; i < report->steps.count; i++) {
        struct periods_span span = report->steps.spans[i];
        const struct amount *a = &carrier->curve[i];
        int64_t amount = 0, w = 0, due = amount_due(a);
        bool is_known = amount_is_known(a, &amount);
        bool has_power =
            is_known && curve_power_w(carrier->carrier, amount, (span.end_ms - span.begin_ms) / 1000, &w);
        table_begin(table);
        table_code(table, park_carriers[carrier->carrier]);
        table_time(table, span.begin_ms);
        table_time(table, span.end_ms);
        table_text(table, tables_unit(carrier->carrier));
        table_amount(table, is_known, amount, scale);
        table_amount(table, !is_known && due > 0, a->sum.known, scale);
        tables_percent(table, due > 0, compare_coverage_permille(a));
        table_maybe(table, has_power, w, 3);
    }
}

static const char *const profile_columns[] = {"carrier", "time", "workday_kw", "weekend_kw", NULL};

static void add_mean(struct table *table, int carrier, const struct curve_mean *mean)
{
    int64_t w = 0;
    bool has_power = curve_mean_w(carrier, mean, &w);
    table_maybe(table, has_power, w, 3);
}

static void add_profile(struct table *table, const struct report_carrier *carrier)
{
    for (int i = 0; i < CURVE_QUARTERS; i++) {
        char time[16];
        snprintf(time, sizeof time, "%02d:%02d", i / 4, i % 4 * 15);
        table_begin(table);
        table_code(table, park_carriers[carrier->carrier]);
        table_text(table, time);
        add_mean(table, carrier->carrier, &carrier->profile.workday[i]);
        add_mean(table, carrier->carrier, &carrier->profile.weekend[i]);
    }
}

static const char *const demand_columns[] = {
    "carrier", "id", "name", "demand_kw", "demand_at", "demand_whole", "base_kw", "base_coverage", NULL};

static void add_demand(const struct tables *tables, struct table *table, const struct report_figure *figure)
{
    const struct curve_demand *demand = &figure->demand;
    const struct curve_mean *night = &figure->night;
    int64_t w = 0, due = night->count + night->unknown;
    bool has_power = demand->is_known &&
                     curve_power_w(figure->part.carrier, demand->amount, PERIODS_QUARTER_HOUR_MS / 1000, &w);
    table_begin(table);
    table_code(table, park_carriers[figure->part.carrier]);
    tables_name_part(tables, table, &figure->part);
    table_maybe(table, has_power, w, 3);
    if (has_power)
        table_time(table, demand->start_ms);
    else
        table_none(table);
    table_code(table, !has_power ? NULL : demand->is_whole ? "demand_certain" : "demand_at_least");
    add_mean(table, figure->part.carrier, night);
    tables_percent(table, due > 0, due > 0 ? night->count * 1000 / due : 0);
}

static bool has_power(int carrier)
{
    int64_t w;
    return curve_power_w(carrier, 0, 1, &w);
}

void tables_add_course(struct tables *tables, const struct report *report)
{
    const struct report_carrier *end = report->carriers + report->carrier_count;
    struct table *table = tables_add(tables, "comparison", comparison_columns);
    for (const struct report_carrier *c = report->carriers; c < end; c++) {
        add_comparison(table, c, "period_before", &c->before);
        add_comparison(table, c, "year_before", &c->year_before);
    }
    table = tables_add(tables, "curve", curve_columns);
    for (const struct report_carrier *c = report->carriers; c < end; c++)
        add_curve(table, report, c);
    table = tables_add(tables, "demand", demand_columns);
    for (const struct report_carrier *c = report->carriers; c < end; c++) {
        REPORT_EACH(figure, c, PART_SITE)
        if (has_power(c->carrier))
            add_demand(tables, table, figure);
        REPORT_EACH(figure, c, PART_METER)
        if (has_power(c->carrier))
            add_demand(tables, table, figure);
    }
    table = tables_add(tables, "profile", profile_columns);
    table->is_annex = true; /* printed as a chart */
    for (const struct report_carrier *c = report->carriers; c < end; c++)
        if (has_power(c->carrier))
            add_profile(table, c);
}
