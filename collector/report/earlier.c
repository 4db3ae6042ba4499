#include "collector/report/earlier.h"

#include "collector/report/signs.h"
#include "lib/mem.h"

#include <stdlib.h>

struct reading {
    struct db *db;
    const struct report *report;
    struct report_carrier *carrier;
    struct periods_span span;
    struct signs now, then; /* of the figures that have earlier amounts */
    struct series *sums;    /* by figure; of those without earlier amounts empty */
    bool *
        is_same; /* by figure: so far the same meters enter it, with the same sign, throughout both periods */
};

/* Takes down for which figures the meter is not the same now and then. */
static void compare_signs(struct reading *r)
{
    for (size_t i = 0; i < r->carrier->count; i++) {
        int now, then;
        bool was_one = signs_throughout(&r->then, i, &then), is_one = signs_throughout(&r->now, i, &now);
        r->is_same[i] = r->is_same[i] && was_one && is_one && now == then;
    }
}

static void add_stretch(
    struct reading *r, const struct series *series, struct periods_span span, const int8_t *signs)
{
    for (size_t i = 0; i < r->carrier->count; i++)
        if (signs[i] != 0)
            part_series_add(&r->sums[i], series, span, signs[i]);
}

static enum status add_meter(struct reading *r, const struct park_meter *meter, struct error *err)
{
    struct series series;
    bool enters = signs_look_at(&r->then, meter);
    signs_look_at(&r->now, meter);
    compare_signs(r);
    if (!enters)
        return ST_OK;
    enum status status = report_read_meter(r->db, r->report, meter, r->span, &series, err);
    if (status != ST_OK)
        return status;
    for (size_t k = 0, first = 0; k < r->then.stretches.count; first = k) {
        struct periods_span span = signs_run(&r->then, &k);
        add_stretch(r, &series, span, signs_in(&r->then, first));
    }
    series_release(&series);
    return ST_OK;
}

static void conclude(
    const struct reading *r, size_t i, const struct report_figure *figure, struct report_earlier *earlier)
{
    struct periods_span span = r->span;
    amounts_of(&r->sums[i], &(struct steps){.spans = &span, .count = 1}, &earlier->amount);
    earlier->comparison = compare(&figure->amount, &earlier->amount, r->is_same[i]);
}

/* Which of a figure's two. */
static struct report_earlier *of(struct report_figure *figure, bool is_year)
{
    return is_year ? &figure->year_before : &figure->before;
}

static enum status read_period(struct reading *r, struct period period, bool is_year, struct error *err)
{
    size_t count = r->carrier->count;
    enum status status = ST_OK;
    r->span = periods_span(r->report->zone, period);
    signs_init(&r->now, r->carrier, r->report->park, r->report->axis.span, EARLIER_LAST);
    signs_init(&r->then, r->carrier, r->report->park, r->span, EARLIER_LAST);
    r->sums = mem_zalloc((count + 1) * sizeof *r->sums);
    r->is_same = mem_alloc((count + 1) * sizeof *r->is_same);
    for (size_t i = 0; i < count; i++) {
        r->is_same[i] = true;
        if (earlier_has(&r->carrier->figures[i]))
            part_series_init(&r->sums[i], r->span);
    }
    CONF_EACH (const struct park_meter, meter, r->report->park->meters)
        if (status == ST_OK && meter->carrier == r->carrier->carrier && meter->segments.count > 0)
            status = add_meter(r, meter, err);
    for (size_t i = 0; i < count; i++) {
        struct report_figure *figure = &r->carrier->figures[i];
        if (!earlier_has(figure))
            continue;
        of(figure, is_year)->is_there = true;
        of(figure, is_year)->period = period;
        conclude(r, i, figure, of(figure, is_year));
        series_release(&r->sums[i]);
    }
    signs_release(&r->now);
    signs_release(&r->then);
    free(r->sums);
    free(r->is_same);
    return status;
}

/* Of a year the one before is both. */
static void copy_before(struct report_carrier *carrier)
{
    for (size_t i = 0; i < carrier->count; i++)
        carrier->figures[i].year_before = carrier->figures[i].before;
}

enum status earlier_read(const struct report_options *options, const struct report *report,
    struct report_carrier *carrier, struct error *err)
{
    struct reading r = {.db = options->db, .report = report, .carrier = carrier};
    enum status status = ST_OK;
    for (int is_year = 0; is_year < 2 && status == ST_OK; is_year++) {
        struct period period;
        bool is_there =
            is_year ? compare_year_before(report->period, &period) : compare_before(report->period, &period);
        is_there = is_there && !options->is_alone;
        for (size_t i = 0; i < carrier->count && !is_there; i++)
            of(&carrier->figures[i], is_year != 0)->comparison.reason = COMPARE_NO_PERIOD;
        if (is_there && report->period.kind == PERIODS_YEAR && is_year)
            copy_before(carrier);
        else if (is_there)
            status = read_period(&r, period, is_year != 0, err);
    }
    return status;
}
