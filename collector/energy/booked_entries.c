/* What changed of months that are closed. */
#include "collector/energy/booked_private.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

/* One call. */
struct pending {
    struct db *db;
    const struct park *park;
    const struct zone *zone;
    const struct booked_closings *closings;
    int64_t now_ms;
    const struct booked_sink *sink;
    struct error *err;
};

/* ---- of the month that is open ---- */

static enum status tell(
    const struct pending *p, struct booked_entry *entry, struct periods_span span, const uint32_t *codes)
{
    struct closing_quarters then;
    enum status status = ST_OK;
    if (codes != NULL)
        status = booked_then(p->db, entry->meter.id, span, codes, &then, p->err);
    else
        closing_quarters_none(&then, span);
    if (status != ST_OK)
        return status;
    struct amount before = closing_amount(&then), after = closing_amount(&entry->now);
    entry->before = closing_metered(&before);
    entry->after = closing_metered(&after);
    entry->entry = closing_entry(&then, &entry->now);
    closing_quarters_release(&then);
    return p->sink->on_entry(p->sink->context, entry, p->err);
}

static enum status look_at_month(const struct pending *p, struct booked_entry *entry,
    struct periods_span span, const struct booked_month *month)
{
    size_t count = (size_t)((span.end_ms - span.begin_ms) / PERIODS_QUARTER_HOUR_MS);
    uint32_t *codes = month != NULL ? mem_alloc((count + 1) * sizeof *codes) : NULL;
    enum status status = ST_OK;
    if (month != NULL && !closing_unpack((struct span){month->versions, month->len}, codes, count))
        status = error_set(p->err, ST_INVALID, "what was booked of meter %s is damaged", entry->name);
    if (status == ST_OK)
        status = booked_now(p->db, &entry->meter, span, p->now_ms, codes, &entry->now, p->err);
    if (status == ST_OK && (month != NULL || closing_is_due(&entry->now)))
        status = tell(p, entry, span, codes);
    closing_quarters_release(&entry->now);
    free(codes);
    return status;
}

/* Months before the first that was closed are as long as the zone says now. */
static struct periods_span span_of_month(const struct pending *p, int64_t month)
{
    const struct booked_closing *first = &p->closings->items[0];
    return month < first->month ? periods_span(p->zone, (struct period){PERIODS_MONTH, month})
                                : p->closings->items[month - first->month].span;
}

/* The first month of which the meter has a quarter hour, or in which one of it was booked on some site. */
static enum status find_first_month(const struct pending *p, int64_t id, int64_t last, int64_t *ret)
{
    struct db_stmt *find = db_keep(p->db,
        "SELECT (SELECT start_ms FROM ledger_quarter WHERE meter = ?1 ORDER BY start_ms LIMIT 1),"
        " (SELECT month FROM closing_meter WHERE meter = ?1 ORDER BY month LIMIT 1)");
    bool has_row;
    *ret = last + 1;
    db_bind_int(find, 1, id);
    enum status status = db_step(find, &has_row, p->err);
    if (status == ST_OK && !db_is_null(find, 0))
        *ret = periods_of(p->zone, PERIODS_MONTH, db_int(find, 0)).number;
    if (status == ST_OK && !db_is_null(find, 1) && db_int(find, 1) < *ret)
        *ret = db_int(find, 1);
    db_reset(find);
    return status;
}

static enum status look_at_months(
    const struct pending *p, struct booked_entry *entry, struct booked_look *look, int64_t last)
{
    enum status status = ST_OK;
    for (; entry->month <= last && status == ST_OK; entry->month++) {
        struct periods_span span = span_of_month(p, entry->month);
        const struct booked_month *booked;
        bool is_other;
        status = booked_look_at(look, entry->month, span, &booked, &is_other, p->err);
        if (status == ST_OK && is_other)
            status = look_at_month(p, entry, span, booked);
    }
    return status;
}

static enum status look_at_meter(const struct pending *p, struct booked_entry *entry)
{
    const struct booked_closing *last = &p->closings->items[p->closings->count - 1];
    struct booked_look look;
    enum status status = find_first_month(p, entry->meter.id, last->month, &entry->month);
    if (status != ST_OK || entry->month > last->month)
        return status;
    struct periods_span span = {span_of_month(p, entry->month).begin_ms, last->span.end_ms};
    status = booked_look_begin(&look, p->db, &entry->meter, span, p->now_ms, p->err);
    if (status == ST_OK)
        status = look_at_months(p, entry, &look, last->month);
    booked_look_release(&look);
    return status;
}

static void name_meter(const struct pending *p, struct booked_entry *entry, struct span name)
{
    snprintf(entry->name, sizeof entry->name, "%.*s",
        (int)(name.len < sizeof entry->name ? name.len : sizeof entry->name - 1), name.at);
    entry->meter.meter = park_meter_find(p->park, entry->name);
}

enum status booked_pending(struct db *db, const struct park *park, const struct park_site *site,
    const struct zone *zone, const struct booked_closings *closings, int64_t now_ms,
    const struct booked_sink *sink, struct error *err)
{
    struct pending p = {db, park, zone, closings, now_ms, sink, err};
    if (closings->count == 0)
        return ST_OK;
    struct db_stmt *next = db_keep(db, "SELECT id, name FROM ledger_meter ORDER BY name");
    bool has_row;
    enum status status;
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        struct booked_entry entry = {.meter = {.id = db_int(next, 0), .site = site}};
        name_meter(&p, &entry, db_text(next, 1));
        status = look_at_meter(&p, &entry);
        if (status != ST_OK)
            break;
    }
    db_reset(next);
    return status;
}

/* ---- with a closing ---- */

static enum status tell_frozen(
    const struct pending *p, struct booked_entry *entry, int64_t closing, struct span versions)
{
    struct periods_span span = span_of_month(p, entry->month);
    size_t count = (size_t)((span.end_ms - span.begin_ms) / PERIODS_QUARTER_HOUR_MS);
    uint32_t *before = mem_alloc((count + 1) * sizeof *before);
    bool is_there = false;
    enum status status = ST_OK;
    if (!closing_unpack(versions, before, count))
        status = error_set(p->err, ST_INVALID, "what was booked of meter %s is damaged", entry->name);
    if (status == ST_OK)
        status = booked_then(p->db, entry->meter.id, span, before, &entry->now, p->err);
    if (status == ST_OK)
        status = booked_codes(p->db, entry->meter.site->id, entry->meter.id, entry->month, closing - 1,
            before, count, &is_there, p->err);
    if (status == ST_OK)
        status = tell(p, entry, span, is_there ? before : NULL);
    closing_quarters_release(&entry->now);
    free(before);
    return status;
}

enum status booked_frozen(struct db *db, const struct park *park, const struct park_site *site,
    const struct zone *zone, const struct booked_closings *closings, size_t at,
    const struct booked_sink *sink, struct error *err)
{
    struct pending p = {db, park, zone, closings, 0, sink, err};
    const struct booked_closing *closing = &closings->items[at];
    struct db_stmt *next = db_keep(db, "SELECT meter, month, name, versions FROM closing_meter"
                                       " JOIN ledger_meter ON ledger_meter.id = meter"
                                       " WHERE closing = ?1 AND month < ?2 ORDER BY name, month");
    bool has_row;
    enum status status;
    db_bind_int(next, 1, closing->id);
    db_bind_int(next, 2, closing->month);
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        struct booked_entry entry = {
            .meter = {.id = db_int(next, 0), .site = site}, .month = db_int(next, 1)};
        name_meter(&p, &entry, db_text(next, 2));
        status = tell_frozen(&p, &entry, closing->id, db_text(next, 3));
        if (status != ST_OK)
            break;
    }
    db_reset(next);
    return status;
}
