#include "collector/report/report.h"

#include "collector/report/baselines.h"
#include "collector/report/closed.h"
#include "collector/report/earlier.h"
#include "collector/report/figures.h"
#include "collector/report/happened.h"
#include "collector/report/metered.h"
#include "collector/report/signs.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

struct building {
    const struct report_options *options;
    struct report *report;
    /* Of the carrier in hand: */
    struct series *sums; /* by figure; of meters empty */
    struct signs signs;
    size_t done, all; /* meters read, and to be read */
};

enum status report_read_meter(struct db *db, const struct report *report, const struct park_meter *meter,
    struct periods_span span, struct series *ret, struct error *err)
{
    struct series_due due = series_due(meter, report->now_ms);
    int64_t id;
    enum status status = series_meter(db, meter->id, &id, err);
    if (status != ST_OK)
        return status;
    series_init(ret, span, &due);
    if (id != 0)
        status = series_read(db, id, ret, err);
    if (status != ST_OK)
        series_release(ret);
    return status;
}

static void whole_amount(const struct series *series, struct amount *ret)
{
    struct periods_span span = series->span;
    amounts_of(series, &(struct steps){.spans = &span, .count = 1}, ret);
}

static void take_course(
    const struct report *report, struct report_figure *figure, const struct series *series)
{
    whole_amount(series, &figure->amount);
    figure->demand = curve_demand(&report->axis, series);
    figure->night = curve_base_load(&report->axis, series);
    figure->sufficiency = sufficiency_of(&report->axis, series, figure->part.carrier);
}

/* Adds a stretch of a meter to everything that it is part of then, but for what is of it alone. */
static void take_stretch(struct building *b, struct report_carrier *c, const struct series *series,
    struct periods_span span, const struct lines *lines, const int8_t *signs)
{
    for (size_t i = 0; i < c->count; i++) {
        struct report_figure *figure = &c->figures[i];
        if (signs[i] == 0 || figure->part.kind == PART_METER)
            continue;
        figure->is_difference = figure->is_difference || signs[i] < 0;
        part_series_add(&b->sums[i], series, span, signs[i]);
        if (figure->part.kind != PART_GAP)
            lines_add(&c->plan, &figure->lines, lines, signs[i]);
    }
}

static void lines_of_meter(const struct report_carrier *c, const struct park_meter *meter,
    const struct series *series, struct lines *ret)
{
    lines_of(&c->plan, series, ret);
    if (meter->export_of != NULL)
        lines_drop_cost(&c->plan, ret);
}

/* Of all the period: what is of the meter alone takes its lines. */
static void take_whole(struct building *b, struct report_carrier *c, const struct park_meter *meter,
    struct report_figure *own, const struct series *series)
{
    struct lines lines;
    lines_of_meter(c, meter, series, &lines);
    take_stretch(b, c, series, series->span, &lines, signs_in(&b->signs, 0));
    if (own != NULL) {
        lines_release(&own->lines);
        own->lines = lines;
    } else {
        lines_release(&lines);
    }
}

/* Lines are rounded once for each part of the period, so that what is charged to one tenant and to the next adds up to
 * the meter's. */
static void take_part(struct building *b, struct report_carrier *c, const struct park_meter *meter,
    struct report_figure *own, const struct series *series, struct periods_span span, const int8_t *signs)
{
    struct series cut;
    struct lines lines;
    part_series_cut(series, span, &cut);
    lines_of_meter(c, meter, &cut, &lines);
    take_stretch(b, c, series, span, &lines, signs);
    if (own != NULL)
        lines_add(&c->plan, &own->lines, &lines, 1);
    lines_release(&lines);
    series_release(&cut);
}

static struct report_figure *own_figure(struct report_carrier *c, const struct park_meter *meter)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->figures[i].part.kind == PART_METER && c->figures[i].part.meter == meter)
            return &c->figures[i];
    return NULL;
}

/* Where all that the meter enters stays the same, a stretch goes on. */
static void take_meter(
    struct building *b, struct report_carrier *c, const struct park_meter *meter, const struct series *series)
{
    struct report_figure *own = own_figure(c, meter);
    size_t count = b->signs.stretches.count;
    for (size_t k = 0, first = 0; k < count; first = k) {
        struct periods_span span = signs_run(&b->signs, &k);
        bool is_whole = first == 0 && k == count;
        if (is_whole)
            take_whole(b, c, meter, own, series);
        else
            take_part(b, c, meter, own, series, span, signs_in(&b->signs, first));
        if (own != NULL && !is_whole && k == count)
            lines_judge(&c->plan, &own->lines, series);
        if (own != NULL && meter->export_of != NULL)
            lines_drop_cost(&c->plan, &own->lines);
    }
    if (own != NULL)
        take_course(b->report, own, series);
}

static enum status read_meters(struct building *b, struct report_carrier *c, struct error *err)
{
    CONF_EACH (const struct park_meter, meter, b->report->park->meters) {
        if (!signs_look_at(&b->signs, meter))
            continue;
        struct series series;
        enum status status =
            report_read_meter(b->options->db, b->report, meter, b->report->axis.span, &series, err);
        if (status != ST_OK)
            return status;
        take_meter(b, c, meter, &series);
        series_release(&series);
        b->done++;
        if (b->options->on_meter != NULL && !b->options->on_meter(b->options->user_data, b->done, b->all))
            return error_set(err, ST_TIMEOUT, "interrupted");
    }
    return ST_OK;
}

/* What was added up, once every meter is in it. */
static void conclude(struct building *b, struct report_carrier *c)
{
    struct report *report = b->report;
    for (size_t i = 0; i < c->count; i++) {
        struct report_figure *figure = &c->figures[i];
        if (figure->part.kind == PART_METER)
            continue;
        if (figure->is_difference)
            part_series_forget(&b->sums[i]);
        take_course(report, figure, &b->sums[i]);
        if (figure->part.kind == PART_GAP)
            continue;
        lines_judge(&c->plan, &figure->lines, &b->sums[i]);
        if (figure->part.kind == PART_SITE) {
            c->curve = mem_zalloc((report->steps.count + 1) * sizeof *c->curve);
            amounts_of(&b->sums[i], &report->steps, c->curve);
            curve_profile(&report->axis, &b->sums[i], &c->profile);
        }
    }
}

static enum status build_carrier(struct building *b, struct report_carrier *c, struct error *err)
{
    struct report *report = b->report;
    lines_plan_init(&c->plan, b->options->rates, report->site, c->carrier, report->zone, &report->axis);
    figures_list(report, c);
    signs_init(&b->signs, c, report->park, report->axis.span, PART_KINDS);
    b->sums = mem_zalloc((c->count + 1) * sizeof *b->sums);
    for (size_t i = 0; i < c->count; i++) {
        lines_init(&c->figures[i].lines, &c->plan);
        if (c->figures[i].part.kind != PART_METER)
            part_series_init(&b->sums[i], report->axis.span);
    }
    enum status status = read_meters(b, c, err);
    if (status == ST_OK)
        conclude(b, c);
    for (size_t i = 0; i < c->count; i++)
        series_release(&b->sums[i]);
    free(b->sums);
    signs_release(&b->signs);
    return status == ST_OK ? earlier_read(b->options, report, c, err) : status;
}

static struct periods_span wanted_span(const struct report_options *options, const struct report *report)
{
    struct periods_span span = periods_span(report->zone, options->period);
    int64_t over_ms = report->now_ms - report->now_ms % PERIODS_QUARTER_HOUR_MS;
    if (options->is_so_far && over_ms < span.end_ms)
        span.end_ms = over_ms > span.begin_ms ? over_ms : span.begin_ms;
    return span;
}

static void cut_period(struct building *b)
{
    static const enum steps_kind steps[] = {[PERIODS_DAY] = STEPS_HOUR,
        [PERIODS_MONTH] = STEPS_DAY,
        [PERIODS_QUARTER] = STEPS_DAY,
        [PERIODS_YEAR] = STEPS_MONTH};
    struct report *report = b->report;
    axis_init(&report->axis, report->zone, wanted_span(b->options, report));
    steps_cut(&report->steps, report->zone, report->axis.span, steps[report->period.kind]);
    part_cut(report->park, report->axis.span, &report->stretches);
    CONF_EACH (const struct park_meter, meter, report->park->meters)
        b->all += report_has(report, meter);
}

static enum status build(struct building *b, struct error *err)
{
    struct report *report = b->report;
    enum status status = happened_as_of(b->options->db, &report->as_of_ms, err);
    if (status != ST_OK)
        return status;
    report->now_ms = happened_now(b->options->now_ms, report->as_of_ms);
    cut_period(b);
    for (int carrier = 0; carrier < FACTOR_CARRIERS && status == ST_OK; carrier++) {
        if (!figures_are_there(report, carrier))
            continue;
        struct report_carrier *c = &report->carriers[report->carrier_count++];
        c->carrier = carrier;
        status = build_carrier(b, c, err);
    }
    if (status == ST_OK)
        status = happened_decided(b->options->db, report, &report->decided_ms, err);
    if (status == ST_OK)
        status = metered_read(b->options->db, report, err);
    if (status == ST_OK && !b->options->is_alone)
        status = baselines_read(b->options->db, report, err);
    if (status == ST_OK)
        status = closed_read(b->options->db, report, err);
    return status == ST_OK ? happened_read(b->options->db, report, err) : status;
}

/* One transaction: between two reads of it nothing is committed. */
static enum status build_in_transaction(struct building *b, struct error *err)
{
    enum status status = db_exec(b->options->db, "BEGIN", err);
    if (status != ST_OK)
        return status;
    status = build(b, err);
    enum status ended = db_exec(b->options->db, "COMMIT", status == ST_OK ? err : NULL);
    return status == ST_OK ? ended : status;
}

enum status report_build(const struct report_options *options, struct report *ret, struct error *err)
{
    struct report report = {.park = options->park,
        .site = options->site,
        .period = options->period,
        .is_alone = options->is_alone};
    report.zone = zone_create(options->site->zone);
    struct building b = {.options = options, .report = &report};
    enum status status = build_in_transaction(&b, err);
    if (status == ST_OK)
        *ret = report;
    else
        report_release(&report);
    return status;
}

void report_release(struct report *report)
{
    for (size_t k = 0; k < report->carrier_count; k++) {
        struct report_carrier *c = &report->carriers[k];
        for (size_t i = 0; i < c->count; i++)
            lines_release(&c->figures[i].lines);
        free(c->figures);
        free(c->curve);
        lines_plan_release(&c->plan);
    }
    axis_release(&report->axis);
    steps_release(&report->steps);
    steps_release(&report->stretches);
    zone_destroy(report->zone);
    closed_release(report);
    free(report->metered);
    free(report->baselines);
    happened_release(report);
    *report = (struct report){0};
}
