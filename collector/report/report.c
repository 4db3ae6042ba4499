#include "collector/report/report.h"

#include "collector/report/happened.h"
#include "collector/report/metered.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static bool is_of(const struct park_meter *meter, int carrier, const struct park_site *site)
{
    return meter->carrier == carrier && meter->building->site == site && meter->segments.count > 0;
}

static void add_figure(struct report_carrier *carrier, const struct report *report, struct part part)
{
    part.carrier = carrier->carrier;
    part.site = report->site;
    MEM_GROW(carrier->figures, carrier->count, carrier->capacity);
    carrier->figures[carrier->count++] = (struct report_figure){.part = part};
}

/* A meter of the carrier that stands here, for which `test` holds: is there one? */
static bool has_item(const struct report_carrier *carrier, const char *item)
{
    REPORT_EACH(figure, carrier, PART_ITEM)
    {
        const char *other = figure->part.item;
        if (item == other || (item != NULL && other != NULL && strcmp(item, other) == 0))
            return true;
    }
    return false;
}

static bool has_tenant(const struct report *report, int carrier, const struct park_tenant *tenant)
{
    CONF_EACH (const struct park_meter, meter, report->park->meters)
        if (is_of(meter, carrier, report->site) && meter->tenant == tenant)
            return true;
    return false;
}

static bool has_children(const struct report *report, const struct park_meter *parent)
{
    CONF_EACH (const struct park_meter, meter, report->park->meters)
        if (part_parent(meter) == parent)
            return true;
    return false;
}

static bool has_meter_in(const struct report *report, int carrier, const struct park_building *building)
{
    CONF_EACH (const struct park_meter, meter, report->park->meters)
        if (is_of(meter, carrier, report->site) && meter->building == building)
            return true;
    return false;
}

/* What there is to give figures of. */
static void list_parts(struct report *report, struct report_carrier *c)
{
    const struct park *park = report->park;
    add_figure(c, report, (struct part){.kind = PART_SITE});
    CONF_EACH (const struct park_building, building, park->buildings)
        if (building->site == report->site && has_meter_in(report, c->carrier, building))
            add_figure(c, report, (struct part){.kind = PART_BUILDING, .building = building});
    CONF_EACH (const struct park_tenant, tenant, park->tenants)
        if (has_tenant(report, c->carrier, tenant))
            add_figure(c, report, (struct part){.kind = PART_TENANT, .tenant = tenant});
    if (has_tenant(report, c->carrier, NULL))
        add_figure(c, report, (struct part){.kind = PART_TENANT});
    CONF_EACH (const struct park_meter, meter, park->meters)
        if (is_of(meter, c->carrier, report->site) && !has_item(c, meter->item))
            add_figure(c, report, (struct part){.kind = PART_ITEM, .item = meter->item});
    CONF_EACH (const struct park_meter, meter, park->meters)
        if (is_of(meter, c->carrier, report->site))
            add_figure(c, report, (struct part){.kind = PART_METER, .meter = meter});
    CONF_EACH (const struct park_meter, meter, park->meters)
        if (is_of(meter, c->carrier, report->site) && has_children(report, meter))
            add_figure(c, report, (struct part){.kind = PART_GAP, .meter = meter});
}

/* ---- reading ---- */

struct building {
    const struct report_options *options;
    struct report *report;
    struct series *sums; /* by figure of the carrier in hand; of meters empty */
    size_t done, all;    /* meters read, and to be read */
};

static enum status read_meter(const struct building *b, const struct park_meter *meter,
    struct periods_span span, struct series *ret, struct error *err)
{
    struct series_due due = series_due(meter, b->report->as_of_ms);
    int64_t id;
    enum status status = series_meter(b->options->db, meter->id, &id, err);
    if (status != ST_OK)
        return status;
    series_init(ret, span, &due);
    if (id != 0)
        status = series_read(b->options->db, id, ret, err);
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

/* Adds a meter to everything that it is part of; what is of it alone takes its lines. */
static enum status take_meter(struct building *b, struct report_carrier *c, const struct park_meter *meter,
    const struct series *series, struct error *err)
{
    struct lines lines;
    struct report_figure *own = NULL;
    enum status status = lines_of(&c->plan, series, &lines, err);
    if (status != ST_OK)
        return error_prefix(err, status, "meter %s", meter->id);
    for (size_t i = 0; i < c->count && status == ST_OK; i++) {
        struct report_figure *figure = &c->figures[i];
        int sign = part_sign(&figure->part, meter);
        if (sign == 0)
            continue;
        if (figure->part.kind == PART_METER) {
            own = figure;
            continue;
        }
        figure->is_difference = figure->is_difference || sign < 0;
        status = part_series_add(&b->sums[i], series, sign, err);
        if (status == ST_OK && figure->part.kind != PART_GAP)
            status = lines_add(&c->plan, &figure->lines, &lines, sign, err);
    }
    if (own != NULL) {
        take_course(b->report, own, series);
        lines_release(&own->lines);
        own->lines = lines;
    } else {
        lines_release(&lines);
    }
    return status == ST_OK ? ST_OK : error_prefix(err, status, "meter %s", meter->id);
}

static bool is_wanted(const struct report_carrier *c, const struct park_meter *meter)
{
    for (size_t i = 0; i < c->count; i++)
        if (part_sign(&c->figures[i].part, meter) != 0)
            return true;
    return false;
}

static enum status read_meters(struct building *b, struct report_carrier *c, struct error *err)
{
    CONF_EACH (const struct park_meter, meter, b->report->park->meters) {
        if (!is_wanted(c, meter))
            continue;
        struct series series;
        enum status status = read_meter(b, meter, b->report->axis.span, &series, err);
        if (status != ST_OK)
            return status;
        status = take_meter(b, c, meter, &series, err);
        series_release(&series);
        if (status != ST_OK)
            return status;
        b->done++;
        if (b->options->on_meter != NULL && !b->options->on_meter(b->options->user_data, b->done, b->all))
            return error_set(err, ST_TIMEOUT, "interrupted");
    }
    return ST_OK;
}

/* A part of a difference says nothing (CONTRIBUTING.md, E14): where a meter is missing nothing of it is known. */
static void forget_parts(struct series *series)
{
    for (size_t i = 0; i < series->count; i++)
        if (!series_is_known(series->states[i]))
            series->amounts[i] = 0;
}

/* What was added up, once every meter is in it. */
static enum status conclude(struct building *b, struct report_carrier *c, struct error *err)
{
    struct report *report = b->report;
    for (size_t i = 0; i < c->count; i++) {
        struct report_figure *figure = &c->figures[i];
        if (figure->part.kind == PART_METER)
            continue;
        if (figure->is_difference)
            forget_parts(&b->sums[i]);
        take_course(report, figure, &b->sums[i]);
        if (figure->part.kind == PART_GAP)
            continue;
        enum status status = lines_judge(&c->plan, &figure->lines, &b->sums[i], err);
        if (status != ST_OK)
            return status;
        if (figure->part.kind == PART_SITE) {
            c->curve = mem_zalloc((report->steps.count + 1) * sizeof *c->curve);
            amounts_of(&b->sums[i], &report->steps, c->curve);
            curve_profile(&report->axis, &b->sums[i], &c->profile);
        }
    }
    return ST_OK;
}

/* The site's amount of another period, by the meters of today's tree. */
static enum status read_earlier(
    struct building *b, const struct report_carrier *c, struct report_earlier *earlier, struct error *err)
{
    const struct report_figure *site = &c->figures[0];
    if (!earlier->is_there) {
        earlier->comparison.reason = COMPARE_NO_PERIOD;
        return ST_OK;
    }
    struct periods_span span = periods_span(b->report->zone, earlier->period);
    struct series sum;
    part_series_init(&sum, span);
    enum status status = ST_OK;
    CONF_EACH (const struct park_meter, meter, b->report->park->meters) {
        int sign = part_sign(&site->part, meter);
        struct series series;
        if (sign == 0 || status != ST_OK)
            continue;
        status = read_meter(b, meter, span, &series, err);
        if (status != ST_OK)
            continue;
        status = part_series_add(&sum, &series, sign, err);
        series_release(&series);
    }
    whole_amount(&sum, &earlier->amount);
    series_release(&sum);
    bool is_same = site->amount.absent_s == 0 && earlier->amount.absent_s == 0;
    earlier->comparison = compare(&site->amount, &earlier->amount, is_same);
    return status;
}

static enum status build_carrier(struct building *b, struct report_carrier *c, struct error *err)
{
    struct report *report = b->report;
    lines_plan_init(&c->plan, b->options->rates, report->site, c->carrier, report->zone, &report->axis);
    list_parts(report, c);
    b->sums = mem_zalloc((c->count + 1) * sizeof *b->sums);
    for (size_t i = 0; i < c->count; i++) {
        lines_init(&c->figures[i].lines, &c->plan);
        if (c->figures[i].part.kind != PART_METER)
            part_series_init(&b->sums[i], report->axis.span);
    }
    enum status status = read_meters(b, c, err);
    if (status == ST_OK)
        status = conclude(b, c, err);
    for (size_t i = 0; i < c->count; i++)
        series_release(&b->sums[i]);
    free(b->sums);
    c->before.is_there = compare_before(report->period, &c->before.period);
    c->year_before.is_there = compare_year_before(report->period, &c->year_before.period);
    if (status == ST_OK)
        status = read_earlier(b, c, &c->before, err);
    if (status == ST_OK)
        status = read_earlier(b, c, &c->year_before, err);
    return status;
}

static enum status build(struct building *b, struct error *err)
{
    struct report *report = b->report;
    enum status status = happened_as_of(b->options->db, &report->as_of_ms, err);
    for (int carrier = 0; carrier < FACTOR_CARRIERS && status == ST_OK; carrier++) {
        size_t count = 0;
        CONF_EACH (const struct park_meter, meter, report->park->meters)
            count += is_of(meter, carrier, report->site);
        if (count == 0)
            continue;
        struct report_carrier *c = &report->carriers[report->carrier_count++];
        c->carrier = carrier;
        status = build_carrier(b, c, err);
    }
    if (status == ST_OK)
        status = metered_read(b->options->db, report, err);
    return status == ST_OK ? happened_read(b->options->db, report, err) : status;
}

enum status report_build(const struct report_options *options, struct report *ret, struct error *err)
{
    struct report report = {.park = options->park, .site = options->site, .period = options->period};
    static const enum steps_kind steps[] = {[PERIODS_DAY] = STEPS_HOUR,
        [PERIODS_MONTH] = STEPS_DAY,
        [PERIODS_QUARTER] = STEPS_DAY,
        [PERIODS_YEAR] = STEPS_MONTH};
    report.zone = zone_create(options->site->zone);
    axis_init(&report.axis, report.zone, periods_span(report.zone, options->period));
    steps_cut(&report.steps, report.zone, report.axis.span, steps[options->period.kind]);
    struct building b = {.options = options, .report = &report};
    CONF_EACH (const struct park_meter, meter, options->park->meters)
        b.all += meter->building->site == options->site && meter->segments.count > 0;
    /* One transaction: between two reads of it nothing is committed. */
    enum status status = db_exec(options->db, "BEGIN", err);
    if (status == ST_OK) {
        status = build(&b, err);
        enum status ended = db_exec(options->db, "COMMIT", status == ST_OK ? err : NULL);
        status = status == ST_OK ? ended : status;
    }
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
    zone_destroy(report->zone);
    free(report->metered);
    free(report->events);
    *report = (struct report){0};
}
