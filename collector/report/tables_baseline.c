/* Baselines: what they rest on, their models, and what was avoided against them. */
#include "collector/report/tables_private.h"

#include "lib/buf.h"
#include "lib/mem.h"

#include <math.h>
#include <stdlib.h>

/* A double as a decimal: rounded half away from zero, none where it is no number or beyond what a cell holds. */
static void add_double(struct table *table, bool is_there, double value, double factor, int scale)
{
    double scaled = round(value * factor);
    bool is_number = is_there && fabs(scaled) < 1e15;
    table_maybe(table, is_number, is_number ? (int64_t)scaled : 0, scale);
}

static void add_percent(struct table *table, bool is_there, double share)
{
    add_double(table, is_there, share, 10000, 2);
}

static void add_day(struct table *table, int64_t day)
{
    char text[PERIODS_TEXT_SIZE];
    periods_format((struct period){PERIODS_DAY, day}, text);
    table_text(table, text);
}

static const char *const data_columns[] = {"id", "name", "meter_id", "carrier", "temperature", "occupancy",
    "baseline_from", "baseline_through", "step", "days", "missing_days", "no_energy_days",
    "no_temperature_days", "no_people_days", "filled_days", "stated_share", NULL};

/* "hall, lab-1" */
static void add_spaces(struct table *table, const struct park_baseline *b)
{
    struct buf text = {0};
    for (size_t i = 0; i < b->occupancy.count; i++)
        buf_printf(&text, "%s%s", i > 0 ? ", " : "", b->spaces[i]->id);
    buf_add_char(&text, '\0');
    table_text(table, b->occupancy.count > 0 ? text.data : NULL);
    buf_release(&text);
}

static void add_data(const struct tables *tables, struct table *table, const struct report_baseline *b)
{
    const struct expected_model *m = &b->model;
    bool is_monthly = b->park->step == BASELINE_BY_MONTH;
    table_begin(table);
    table_text(table, b->park->id);
    table_text(table, TABLES_NAME(tables, b->park));
    table_text(table, b->park->meter_id);
    table_code(table, park_carriers[b->park->carrier]);
    table_text(table, b->park->temperature);
    add_spaces(table, b->park);
    add_day(table, b->park->first_day);
    add_day(table, b->park->end_day - 1);
    table_code(table, is_monthly ? "by_month" : "by_day");
    table_number(table, m->days, 0);
    table_number(table, m->missing_days, 0);
    table_number(table, m->no_energy_days, 0);
    table_number(table, m->no_temperature_days, 0);
    table_maybe(table, b->park->occupancy.count > 0, m->no_people_days, 0);
    table_number(table, m->filled_days, 0);
    add_percent(table, m->known > 0, m->stated / m->known);
}

static const char *const model_columns[] = {"id", "model", "periods", "unit", "base_load", "heating_balance",
    "heating_slope", "heating_t", "cooling_balance", "cooling_slope", "cooling_t", "people_slope", "people_t",
    "r2", "cv_rmse", "cv_rmse_limit", "nmbe", "nmbe_limit", "verdict", NULL};

static void add_slope(
    struct table *table, bool is_there, int64_t balance_c, double slope, double t, int scale)
{
    table_maybe(table, is_there, is_there ? balance_c : 0, 0);
    add_double(table, is_there, slope, 1, scale);
    add_double(table, is_there, t, 10, 1);
}

static void add_model(struct table *table, const struct report_baseline *b)
{
    static const char *const models[] = {[BASELINE_MEAN] = "model_mean",
        [BASELINE_HEATING] = "model_heating",
        [BASELINE_COOLING] = "model_cooling",
        [BASELINE_BOTH] = "model_both"};
    static const char *const verdicts[] = {[EXPECTED_GOOD] = "accepted",
        [EXPECTED_DAYS_MISSING] = "days_missing",
        [EXPECTED_MONTHS_MISSING] = "months_missing",
        [EXPECTED_NO_WEATHER] = "no_weather",
        [EXPECTED_NEGATIVE] = "negative_coefficient",
        [EXPECTED_INSIGNIFICANT] = "insignificant",
        [EXPECTED_CV_RMSE] = "cv_rmse_above",
        [EXPECTED_NMBE] = "nmbe_beyond",
        [EXPECTED_NO_PEOPLE] = "no_people",
        [EXPECTED_BEHIND] = "people_behind"};
    const struct expected_model *m = &b->model;
    bool is_monthly = b->park->step == BASELINE_BY_MONTH;
    int scale = tables_scale(b->park->carrier);
    double slope, t;
    char *unit = mem_printf("%s/d", tables_unit(b->park->carrier));
    table_begin(table);
    table_text(table, b->park->id);
    table_code(table, models[b->park->model]);
    table_number(table, m->periods, 0);
    table_text(table, unit);
    add_double(table, m->has_fit, m->fit.intercept, 1, scale);
    bool has_heating = expected_heating(m, &slope, &t);
    add_slope(table, has_heating, m->heating_c, slope, t, scale);
    bool has_cooling = expected_cooling(m, &slope, &t);
    add_slope(table, has_cooling, m->cooling_c, slope, t, scale);
    bool has_people = expected_people(m, &slope, &t);
    add_double(table, has_people, slope, 1, scale);
    add_double(table, has_people, t, 10, 1);
    add_double(table, m->has_fit && m->variables > 0, m->fit.r2, 10000, 4);
    add_percent(table, m->has_fit, m->fit.cv_rmse);
    add_percent(table, true, is_monthly ? EXPECTED_CV_RMSE_MONTH : EXPECTED_CV_RMSE_DAY);
    add_percent(table, m->has_fit, m->fit.nmbe);
    add_percent(table, true, is_monthly ? EXPECTED_NMBE_MONTH : EXPECTED_NMBE_DAY);
    table_code(table, verdicts[m->reason]);
    free(unit);
}

static const char *const avoided_columns[] = {"id", "name", "from", "until", "unit", "days", "missing_days",
    "outside_days", "stated_share", "metered_energy", "expected", "avoided", "avoided_share", "uncertainty",
    "verdict", NULL};

static void add_avoided(const struct tables *tables, struct table *table, const struct report_baseline *b)
{
    static const char *const verdicts[] = {[AVOIDED_GOOD] = "stated",
        [AVOIDED_NO_MODEL] = "no_model",
        [AVOIDED_BEFORE] = "before_reporting",
        [AVOIDED_TOO_SHORT] = "too_short",
        [AVOIDED_DAYS_MISSING] = "days_missing",
        [AVOIDED_BEHIND] = "people_behind"};
    const struct avoided *a = &b->avoided;
    bool is_good = a->reason == AVOIDED_GOOD, has_span = b->span.begin_ms < b->span.end_ms;
    int scale = tables_scale(b->park->carrier);
    table_begin(table);
    table_text(table, b->park->id);
    table_text(table, TABLES_NAME(tables, b->park));
    if (has_span) {
        table_time(table, b->span.begin_ms);
        table_time(table, b->span.end_ms);
    } else {
        table_none(table);
        table_none(table);
    }
    table_text(table, tables_unit(b->park->carrier));
    table_number(table, a->days, 0);
    table_maybe(table, a->reason != AVOIDED_NO_MODEL, a->missing_days, 0);
    table_maybe(table, is_good && b->model.variables > 0, a->outside_days, 0);
    add_percent(table, is_good && a->metered > 0, a->stated / (double)a->metered);
    table_maybe(table, is_good, a->metered, scale);
    add_double(table, is_good, a->expected, 1, scale);
    add_double(table, is_good, a->avoided, 1, scale);
    add_percent(table, is_good && a->expected > 0, a->avoided / a->expected);
    add_double(table, is_good, a->uncertainty, 1, scale);
    table_code(table, verdicts[a->reason]);
}

void tables_add_baseline(struct tables *tables, const struct report *report)
{
    const struct report_baseline *end = report->baselines + report->baseline_count;
    struct table *table = tables_add(tables, "baseline", data_columns);
    for (const struct report_baseline *b = report->baselines; b < end; b++)
        add_data(tables, table, b);
    table = tables_add(tables, "baseline_model", model_columns);
    for (const struct report_baseline *b = report->baselines; b < end; b++)
        add_model(table, b);
    table = tables_add(tables, "avoided_energy", avoided_columns);
    for (const struct report_baseline *b = report->baselines; b < end; b++)
        add_avoided(tables, table, b);
}
