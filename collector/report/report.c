#include "collector/report/report.h"

#include "collector/report/baselines.h"
#include "collector/report/closed.h"
#include "collector/report/earlier.h"
#include "collector/report/happened.h"
#include "collector/report/metered.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

bool report_has(const struct report *report, const struct park_meter *meter)
{
    struct periods_span stretch = {0};
    bool is_here = false;
    while (!is_here && part_next(report->park, report->axis.span, &stretch))
        is_here = park_is_installed(meter, stretch.begin_ms) &&
                  park_tags_at(meter, stretch.begin_ms).building->site == report->site;
    return is_here;
}

static bool is_of(const struct report *report, const struct park_meter *meter, int carrier)
{
    return meter->carrier == carrier && report_has(report, meter);
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

/* Whether some time of the period some meter of the carrier that stands here then satisfies this. */
static bool any_meter(const struct report *report, int carrier,
    bool (*holds)(const struct park_meter *meter, int64_t time_ms, const void *what), const void *what)
{
    struct periods_span stretch = {0};
    while (part_next(report->park, report->axis.span, &stretch))
        CONF_EACH (const struct park_meter, meter, report->park->meters)
            if (meter->carrier == carrier && meter->export_of == NULL &&
                park_is_installed(meter, stretch.begin_ms) &&
                park_tags_at(meter, stretch.begin_ms).building->site == report->site &&
                holds(meter, stretch.begin_ms, what))
                return true;
    return false;
}

static bool is_of_tenant(const struct park_meter *meter, int64_t time_ms, const void *tenant)
{
    return park_tags_at(meter, time_ms).tenant == tenant;
}

static bool is_child_of(const struct park_meter *meter, int64_t time_ms, const void *parent)
{
    return part_parent(meter, time_ms) == parent;
}

static bool is_in(const struct park_meter *meter, int64_t time_ms, const void *building)
{
    return park_tags_at(meter, time_ms).building == building;
}

static void list_items(struct report *report, struct report_carrier *c)
{
    CONF_EACH (const struct park_meter, meter, report->park->meters) {
        struct periods_span stretch = {0};
        while (meter->carrier == c->carrier && part_next(report->park, report->axis.span, &stretch)) {
            struct park_tags tags = park_tags_at(meter, stretch.begin_ms);
            if (meter->export_of == NULL && park_is_installed(meter, stretch.begin_ms) &&
                tags.building->site == report->site && !has_item(c, tags.item))
                add_figure(c, report, (struct part){.kind = PART_ITEM, .item = tags.item});
        }
    }
}

/* What there is to give figures of. */
static void list_parts(struct report *report, struct report_carrier *c)
{
    const struct park *park = report->park;
    add_figure(c, report, (struct part){.kind = PART_SITE});
    CONF_EACH (const struct park_building, building, park->buildings)
        if (building->site == report->site && any_meter(report, c->carrier, is_in, building))
            add_figure(c, report, (struct part){.kind = PART_BUILDING, .building = building});
    CONF_EACH (const struct park_tenant, tenant, park->tenants)
        if (any_meter(report, c->carrier, is_of_tenant, tenant))
            add_figure(c, report, (struct part){.kind = PART_TENANT, .tenant = tenant});
    if (any_meter(report, c->carrier, is_of_tenant, NULL))
        add_figure(c, report, (struct part){.kind = PART_TENANT});
    list_items(report, c);
    CONF_EACH (const struct park_meter, meter, park->meters)
        if (is_of(report, meter, c->carrier))
            add_figure(c, report, (struct part){.kind = PART_METER, .meter = meter});
    CONF_EACH (const struct park_meter, meter, park->meters)
        if (is_of(report, meter, c->carrier) && any_meter(report, c->carrier, is_child_of, meter))
            add_figure(c, report, (struct part){.kind = PART_GAP, .meter = meter});
}

/* ---- reading ---- */

struct building {
    const struct report_options *options;
    struct report *report;
    struct series *sums; /* by figure of the carrier in hand; of meters empty */
    size_t done, all;    /* meters read, and to be read */
    /* The period, cut where tags change; by stretch and figure: is there such a figure then, and with what sign does
     * the meter in hand enter. */
    struct periods_span *stretches;
    size_t stretch_count, stretch_capacity;
    bool *is_there;
    int8_t *signs;
};

static void cut_period(struct building *b)
{
    for (struct periods_span stretch = {0}; part_next(b->report->park, b->report->axis.span, &stretch);) {
        MEM_GROW(b->stretches, b->stretch_count, b->stretch_capacity);
        b->stretches[b->stretch_count++] = stretch;
    }
}

static void find_figures(struct building *b, const struct report_carrier *c)
{
    size_t size = b->stretch_count * c->count + 1;
    b->is_there = mem_zalloc(size * sizeof *b->is_there);
    b->signs = mem_zalloc(size * sizeof *b->signs);
    for (size_t k = 0; k < b->stretch_count; k++)
        for (size_t i = 0; i < c->count; i++)
            b->is_there[k * c->count + i] =
                part_is_there(&c->figures[i].part, b->report->park, b->stretches[k].begin_ms);
}

/* False: the meter enters nothing. */
static bool find_signs(struct building *b, const struct report_carrier *c, const struct park_meter *meter)
{
    bool is_wanted = false;
    for (size_t k = 0; k < b->stretch_count; k++)
        for (size_t i = 0; i < c->count; i++) {
            size_t at = k * c->count + i;
            int sign = b->is_there[at] ? part_sign(&c->figures[i].part, meter, b->stretches[k].begin_ms) : 0;
            b->signs[at] = (int8_t)sign;
            is_wanted = is_wanted || sign != 0;
        }
    return is_wanted;
}

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
    const struct lines *lines, const int8_t *signs)
{
    for (size_t i = 0; i < c->count; i++) {
        struct report_figure *figure = &c->figures[i];
        if (signs[i] == 0 || figure->part.kind == PART_METER)
            continue;
        figure->is_difference = figure->is_difference || signs[i] < 0;
        part_series_add(&b->sums[i], series, signs[i]);
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
    take_stretch(b, c, series, &lines, b->signs);
    if (own != NULL) {
        lines_release(&own->lines);
        own->lines = lines;
    } else {
        lines_release(&lines);
    }
}

/* From one stretch to another: lines are rounded once for each, so that what is charged to one tenant and to the next
 * adds up to the meter's. */
static void take_part(struct building *b, struct report_carrier *c, const struct park_meter *meter,
    struct report_figure *own, const struct series *series, size_t from, size_t until)
{
    struct series cut;
    struct lines lines;
    part_series_cut(
        series, (struct periods_span){b->stretches[from].begin_ms, b->stretches[until - 1].end_ms}, &cut);
    lines_of_meter(c, meter, &cut, &lines);
    take_stretch(b, c, &cut, &lines, &b->signs[from * c->count]);
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
    for (size_t k = 0, next; k < b->stretch_count; k = next) {
        const int8_t *signs = &b->signs[k * c->count];
        for (next = k + 1;
             next < b->stretch_count && memcmp(signs, &b->signs[next * c->count], c->count) == 0;)
            next++;
        bool is_whole = k == 0 && next == b->stretch_count;
        if (is_whole)
            take_whole(b, c, meter, own, series);
        else
            take_part(b, c, meter, own, series, k, next);
        if (own != NULL && !is_whole && next == b->stretch_count)
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
        if (!find_signs(b, c, meter))
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

/* A part of a difference says nothing (CONTRIBUTING.md, E14): where a meter is missing nothing of it is known. */
static void forget_parts(struct series *series)
{
    for (size_t i = 0; i < series->count; i++)
        if (!series_is_known(series->states[i]))
            series->amounts[i] = 0;
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
            forget_parts(&b->sums[i]);
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
    list_parts(report, c);
    find_figures(b, c);
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
    free(b->is_there);
    free(b->signs);
    return status == ST_OK ? earlier_read(b->options, report, c, err) : status;
}

static enum status build(struct building *b, struct error *err)
{
    struct report *report = b->report;
    enum status status = happened_as_of(b->options->db, &report->as_of_ms, err);
    for (int carrier = 0; carrier < FACTOR_CARRIERS && status == ST_OK; carrier++) {
        size_t count = 0;
        CONF_EACH (const struct park_meter, meter, report->park->meters)
            count += is_of(report, meter, carrier);
        if (count == 0)
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
        .now_ms = options->now_ms,
        .is_alone = options->is_alone};
    static const enum steps_kind steps[] = {[PERIODS_DAY] = STEPS_HOUR,
        [PERIODS_MONTH] = STEPS_DAY,
        [PERIODS_QUARTER] = STEPS_DAY,
        [PERIODS_YEAR] = STEPS_MONTH};
    report.zone = zone_create(options->site->zone);
    axis_init(&report.axis, report.zone, periods_span(report.zone, options->period));
    steps_cut(&report.steps, report.zone, report.axis.span, steps[options->period.kind]);
    struct building b = {.options = options, .report = &report};
    CONF_EACH (const struct park_meter, meter, options->park->meters)
        b.all += report_has(&report, meter);
    cut_period(&b);
    enum status status = build_in_transaction(&b, err);
    free(b.stretches);
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
    closed_release(report);
    free(report->metered);
    free(report->baselines);
    happened_release(report);
    *report = (struct report){0};
}
