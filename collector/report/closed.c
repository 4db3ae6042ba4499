#include "collector/report/closed.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The month at hand. */
struct month {
    struct report *report;
    int64_t number;
    bool is_closed;
};

static struct report_booked *find_row(const struct month *m, const char *meter)
{
    struct report *report = m->report;
    for (size_t i = report->booked_count; i > 0; i--) {
        struct report_booked *row = &report->booked[i - 1];
        if (row->month == m->number && strcmp(row->meter, meter) == 0)
            return row;
    }
    return NULL;
}

static struct report_booked *add_row(
    const struct month *m, const char *meter, const struct closing_sum *metered)
{
    struct report *report = m->report;
    MEM_GROW(report->booked, report->booked_count, report->booked_capacity);
    struct report_booked *row = &report->booked[report->booked_count++];
    *row = (struct report_booked){.month = m->number,
        .is_closed = m->is_closed,
        .park = park_meter_find(report->park, meter),
        .metered = *metered,
        .entries = closing_nothing()};
    snprintf(row->meter, sizeof row->meter, "%s", meter);
    return row;
}

static void take_row(void *month, const struct booked_row *row)
{
    add_row(month, row->name, &row->sum);
}

static enum status take_entry(void *month, const struct booked_entry *entry, struct error *err)
{
    (void)err;
    const struct month *m = month;
    struct report *report = m->report;
    struct closing_sum nothing = closing_nothing();
    struct report_booked *row = find_row(m, entry->name);
    if (row == NULL)
        row = add_row(m, entry->name, &nothing);
    closing_add(&row->entries, &entry->entry);
    MEM_GROW(report->entries, report->entry_count, report->entry_capacity);
    struct report_entry *to = &report->entries[report->entry_count++];
    *to = (struct report_entry){.booked_in = m->number,
        .month = entry->month,
        .park = entry->meter.meter,
        .before = entry->before,
        .after = entry->after,
        .entry = entry->entry};
    snprintf(to->meter, sizeof to->meter, "%s", entry->name);
    return ST_OK;
}

static char *text_of(struct db_stmt *row, int column)
{
    struct span text = db_text(row, column);
    return mem_strndup(text.at, text.len);
}

static enum status read_overrides(
    struct db *db, struct report *report, const struct booked_closing *closing, struct error *err)
{
    struct db_stmt *next =
        db_keep(db, "SELECT name, what, why FROM closing_override WHERE closing = ?1 ORDER BY name");
    bool has_row;
    enum status status;
    db_bind_int(next, 1, closing->id);
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(report->overridden, report->overridden_count, report->overridden_capacity);
        report->overridden[report->overridden_count++] =
            (struct report_overridden){closing->month, text_of(next, 0), text_of(next, 1), text_of(next, 2)};
    }
    db_reset(next);
    return status;
}

static enum status read_closed(struct db *db, struct month *m, size_t at, struct error *err)
{
    struct report *report = m->report;
    const struct booked_closing *closing = &report->closings.items[at];
    m->is_closed = true;
    if (report->is_alone)
        return read_overrides(db, report, closing, err);
    enum status status = booked_rows(db, closing, take_row, m, err);
    if (status == ST_OK)
        status = booked_frozen(db, report->park, report->site, report->zone, &report->closings, at,
            &(struct booked_sink){take_entry, m}, err);
    return status == ST_OK ? read_overrides(db, report, closing, err) : status;
}

static enum status read_metered(
    struct db *db, struct month *m, const struct park_meter *meter, struct error *err)
{
    struct booked_meter of = {.meter = meter, .site = m->report->site};
    struct periods_span span = periods_span(m->report->zone, (struct period){PERIODS_MONTH, m->number});
    struct closing_quarters q;
    enum status status = series_meter(db, meter->id, &of.id, err);
    if (status != ST_OK || of.id == 0)
        return status;
    status = booked_now(db, &of, span, m->report->now_ms, NULL, &q, err);
    if (status != ST_OK)
        return status;
    if (closing_is_due(&q)) {
        struct amount amount = closing_amount(&q);
        struct closing_sum sum = closing_metered(&amount);
        add_row(m, meter->id, &sum);
    }
    closing_quarters_release(&q);
    return ST_OK;
}

/* The first month that is not closed. */
static enum status read_open(struct db *db, struct month *m, struct error *err)
{
    struct report *report = m->report;
    enum status status = ST_OK;
    CONF_EACH (const struct park_meter, meter, report->park->meters)
        if (status == ST_OK && meter->segments.count > 0)
            status = read_metered(db, m, meter, err);
    return status == ST_OK ? booked_pending(db, report->park, report->site, report->zone, &report->closings,
                                 report->now_ms, &(struct booked_sink){take_entry, m}, err)
                           : status;
}

static int64_t months_of(enum periods_kind kind)
{
    switch (kind) {
    case PERIODS_DAY:
        return 0;
    case PERIODS_MONTH:
        return 1;
    case PERIODS_QUARTER:
        return 3;
    case PERIODS_YEAR:
        return 12;
    }
    abort();
}

enum status closed_read(struct db *db, struct report *report, struct error *err)
{
    int64_t count = months_of(report->period.kind), first = report->period.number * count;
    enum status status = booked_closings_read(db, report->site->id, &report->closings, err);
    const struct booked_closings *closings = &report->closings;
    for (int64_t i = 0; i < count && status == ST_OK && closings->count > 0; i++) {
        struct month m = {.report = report, .number = first + i};
        int64_t at = m.number - closings->items[0].month;
        if (at == (int64_t)closings->count && !report->is_alone)
            status = read_open(db, &m, err);
        else if (at >= 0 && at < (int64_t)closings->count)
            status = read_closed(db, &m, (size_t)at, err);
    }
    return status;
}

void closed_release(struct report *report)
{
    for (size_t i = 0; i < report->overridden_count; i++) {
        free(report->overridden[i].name);
        free(report->overridden[i].what);
        free(report->overridden[i].why);
    }
    free(report->overridden);
    free(report->booked);
    free(report->entries);
    booked_closings_release(&report->closings);
}
