#include "collector/report/baselines.h"

#include "collector/baseline/temperature.h"
#include "lib/mem.h"

#include <stdlib.h>

struct days {
    struct expected_day *items;
    size_t count;
};

static enum status read_temperatures(
    struct db *db, const struct park_baseline *b, struct periods_span span, int32_t *ret, struct error *err)
{
    int64_t point = 0;
    enum status status = b->temperature != NULL ? temperature_point(db, b->temperature, &point, err) : ST_OK;
    return status == ST_OK ? temperature_read(db, point, span, ret, err) : status;
}

/* The days of the span that are over: `ret` has room for steps->count. */
static void make_days(const struct report *report, const struct park_baseline *b, const struct steps *steps,
    const struct series *series, const int32_t *temperatures, const int64_t *people, struct days *ret)
{
    for (size_t i = 0; i < steps->count && steps->spans[i].end_ms <= report->now_ms; i++) {
        struct periods_span span = steps->spans[i];
        size_t first = (size_t)((span.begin_ms - series->span.begin_ms) / PERIODS_QUARTER_HOUR_MS),
               end = (size_t)((span.end_ms - series->span.begin_ms) / PERIODS_QUARTER_HOUR_MS);
        struct period day = periods_of(report->zone, PERIODS_DAY, span.begin_ms);
        ret->items[ret->count++] = (struct expected_day){.month = periods_within(day, PERIODS_MONTH).number,
            .energy = day_energy(series, first, end, b->carrier),
            .temperature_mc = weather_day(report->zone, span, &temperatures[first]),
            .people_m = people[i]};
    }
}

/* The caller frees the items. */
static enum status read_days(struct db *db, const struct report *report, const struct park_baseline *b,
    struct periods_span span, struct days *ret, struct error *err)
{
    *ret = (struct days){0};
    struct tree_part part = {.terms = (struct park_term *)b->terms, .count = b->term_count, .span = span};
    struct series series;
    enum status status = tree_read(db, &part, report->now_ms, &series, err);
    if (status != ST_OK)
        return status;
    int32_t *temperatures = mem_alloc((series.count + 1) * sizeof *temperatures);
    status = read_temperatures(db, b, span, temperatures, err);
    struct steps steps;
    steps_cut(&steps, report->zone, span, STEPS_DAY);
    int64_t *people = mem_alloc((steps.count + 1) * sizeof *people);
    if (status == ST_OK)
        status = people_read(db, b->spaces, b->occupancy.count, &steps, people, err);
    if (status == ST_OK) {
        ret->items = mem_zalloc((steps.count + 1) * sizeof *ret->items);
        make_days(report, b, &steps, &series, temperatures, people, ret);
    }
    free(people);
    steps_release(&steps);
    free(temperatures);
    series_release(&series);
    return status;
}

static int64_t begin_of(const struct report *report, int64_t day)
{
    return periods_span(report->zone, (struct period){PERIODS_DAY, day}).begin_ms;
}

static enum status read_model(
    struct db *db, const struct report *report, struct report_baseline *ret, struct error *err)
{
    const struct park_baseline *b = ret->park;
    struct periods_span span = {begin_of(report, b->first_day), begin_of(report, b->end_day)};
    struct days days;
    enum status status = read_days(db, report, b, span, &days, err);
    if (status == ST_OK)
        expected_fit(b, days.items, days.count, &ret->model);
    free(days.items);
    return status;
}

static enum status read_avoided(
    struct db *db, const struct report *report, struct report_baseline *ret, struct error *err)
{
    int64_t begin_ms = begin_of(report, ret->park->reporting_day);
    struct days days = {0};
    enum status status = ST_OK;
    ret->span = report->axis.span;
    if (ret->span.begin_ms < begin_ms)
        ret->span.begin_ms = begin_ms < ret->span.end_ms ? begin_ms : ret->span.end_ms;
    if (ret->span.begin_ms < ret->span.end_ms)
        status = read_days(db, report, ret->park, ret->span, &days, err);
    if (status == ST_OK)
        expected_avoided(ret->park, &ret->model, days.items, days.count, &ret->avoided);
    free(days.items);
    return status;
}

enum status baselines_read(struct db *db, struct report *report, struct error *err)
{
    enum status status = ST_OK;
    report->baselines = mem_zalloc((report->park->baselines.count + 1) * sizeof *report->baselines);
    CONF_EACH (const struct park_baseline, b, report->park->baselines) {
        if (b->site != report->site || status != ST_OK)
            continue;
        struct report_baseline *baseline = &report->baselines[report->baseline_count++];
        baseline->park = b;
        status = read_model(db, report, baseline, err);
        if (status == ST_OK)
            status = read_avoided(db, report, baseline, err);
        if (status != ST_OK)
            error_prefix(err, status, "baseline %s", b->id);
    }
    return status;
}
