/* What changed of months that are closed. Nearly always nothing did, which is found out without reading quarter hours. */
#include "collector/energy/booked_private.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct pending {
    struct db *db;
    const struct park *park;
    const struct zone *zone;
    const struct booked_closings *closings;
    int64_t now_ms;
    const struct booked_sink *sink;
    struct error *err;
};

static enum status has_rows(
    struct db *db, int64_t id, int64_t from_ms, int64_t until_ms, bool *ret, struct error *err)
{
    struct db_stmt *find = db_keep(
        db, "SELECT 1 FROM ledger_quarter WHERE meter = ?1 AND start_ms >= ?2 AND start_ms < ?3 LIMIT 1");
    db_bind_int(find, 1, id);
    db_bind_int(find, 2, from_ms);
    db_bind_int(find, 3, until_ms);
    enum status status = db_step(find, ret, err);
    db_reset(find);
    return status;
}

/* Are the latest versions those that are booked? A quarter hour without a row has none. */
static enum status find_changes(const struct pending *p, int64_t id, struct periods_span span,
    const uint32_t *codes, size_t count, bool *ret, struct error *err)
{
    struct booked_agains agains;
    enum status status = booked_read_again(p->db, id, span, &agains, err);
    *ret = false;
    for (size_t i = 0; i < agains.count && status == ST_OK; i++) {
        uint32_t booked = codes[agains.items[i].at];
        *ret = *ret || (booked != CLOSING_ELSEWHERE && booked != agains.items[i].code);
    }
    free(agains.items);
    for (size_t at = 0, end; at < count && status == ST_OK && !*ret; at = end) {
        for (end = at + 1; end < count && codes[end] == codes[at]; end++)
            ;
        if (codes[at] == CLOSING_ABSENT || codes[at] == CLOSING_WAITING)
            status = has_rows(p->db, id, span.begin_ms + (int64_t)at * PERIODS_QUARTER_HOUR_MS,
                span.begin_ms + (int64_t)end * PERIODS_QUARTER_HOUR_MS, ret, err);
    }
    return status;
}

static bool stands(const struct booked_meter *m, struct periods_span span)
{
    for (int64_t at_ms = span.begin_ms; m->meter != NULL && at_ms < span.end_ms;) {
        struct park_tags tags = park_tags_at(m->meter, at_ms);
        if (tags.building->site == m->site)
            return true;
        at_ms = tags.until_ms;
    }
    return false;
}

static bool has_versions(const struct closing_quarters *q)
{
    for (size_t i = 0; i < q->series.count; i++)
        if (q->codes[i] >= CLOSING_FIRST)
            return true;
    return false;
}

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

static enum status look_at_month(
    const struct pending *p, struct booked_entry *entry, struct periods_span span, const uint32_t *codes)
{
    enum status status = booked_now(p->db, &entry->meter, span, p->now_ms, codes, &entry->now, p->err);
    if (status == ST_OK && (codes != NULL || has_versions(&entry->now)))
        status = tell(p, entry, span, codes);
    closing_quarters_release(&entry->now);
    return status;
}

static enum status look_for_changes(
    const struct pending *p, struct booked_entry *entry, struct periods_span span)
{
    const struct booked_meter *m = &entry->meter;
    size_t count = (size_t)((span.end_ms - span.begin_ms) / PERIODS_QUARTER_HOUR_MS);
    uint32_t *codes = mem_alloc((count + 1) * sizeof *codes);
    bool is_booked = false, is_other = false;
    enum status status =
        booked_codes(p->db, m->site->id, m->id, entry->month, INT64_MAX, codes, count, &is_booked, p->err);
    if (status == ST_OK && is_booked)
        status = find_changes(p, m->id, span, codes, count, &is_other, p->err);
    else if (status == ST_OK && stands(m, span))
        status = has_rows(p->db, m->id, span.begin_ms, span.end_ms, &is_other, p->err);
    if (status == ST_OK && is_other)
        status = look_at_month(p, entry, span, is_booked ? codes : NULL);
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

/* From the month of its first quarter hour on. */
static enum status look_at_meter(const struct pending *p, struct booked_entry *entry)
{
    const struct booked_closing *last = &p->closings->items[p->closings->count - 1];
    struct db_stmt *find =
        db_keep(p->db, "SELECT start_ms FROM ledger_quarter WHERE meter = ?1 ORDER BY start_ms LIMIT 1");
    bool has_row;
    db_bind_int(find, 1, entry->meter.id);
    enum status status = db_step(find, &has_row, p->err);
    if (status == ST_OK && has_row)
        entry->month = periods_of(p->zone, PERIODS_MONTH, db_int(find, 0)).number;
    else
        entry->month = last->month + 1;
    db_reset(find);
    for (; entry->month <= last->month && status == ST_OK; entry->month++)
        status = look_for_changes(p, entry, span_of_month(p, entry->month));
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
