#include "collector/energy/booked.h"
#include "collector/verify/verify_ledger.h"
#include "lib/mem.h"
#include "lib/program.h"

#include <inttypes.h>
#include <stdlib.h>

/* What a closing booked of a meter and a month (collector/energy/booked.h), as it is recorded. */
struct booking {
    int64_t meter, month, closing;
    char *name, *site; /* of the meter */
    struct periods_span span;
    struct amount recorded;
};

static void release(struct booking *b)
{
    free(b->name);
    free(b->site);
}

static char *text_of(struct db_stmt *row, int column)
{
    struct span text = db_text(row, column);
    return mem_strndup(text.at, text.len);
}

/* The statement stands on the row. */
static struct booking read_booking(struct db_stmt *row)
{
    return (struct booking){.meter = db_int(row, 0),
        .name = text_of(row, 1),
        .month = db_int(row, 2),
        .closing = db_int(row, 3),
        .site = text_of(row, 4),
        .recorded = {.sum = {.count = db_int(row, 5),
                         .known = db_int(row, 6),
                         .unknown_s = db_int(row, 7),
                         .estimated = db_int(row, 8),
                         .estimated_s = db_int(row, 9),
                         .manual = db_int(row, 10),
                         .manual_s = db_int(row, 11)},
            .waiting_s = db_int(row, 12),
            .absent_s = db_int(row, 13)}};
}

/* From when to when the month was for the closing that closed it; one that nothing closed is by the zone of now. */
static enum status find_span(
    struct verify_ledger *l, const struct park *park, struct booking *b, struct error *err)
{
    struct db_stmt *find =
        db_keep(l->v->db, "SELECT from_ms, until_ms FROM closing WHERE site = ?1 AND month = ?2");
    bool has_row;
    db_bind_text(find, 1, span_of(b->site));
    db_bind_int(find, 2, b->month);
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && has_row)
        b->span = (struct periods_span){db_int(find, 0), db_int(find, 1)};
    db_reset(find);
    CONF_EACH (const struct park_site, site, park->sites)
        if (status == ST_OK && !has_row && span_is(span_of(b->site), site->id)) {
            struct zone *zone = zone_create(site->zone);
            b->span = periods_span(zone, (struct period){PERIODS_MONTH, b->month});
            zone_destroy(zone);
        }
    return status;
}

static bool is_same(const struct amount *a, const struct amount *b)
{
    return a->sum.count == b->sum.count && a->sum.known == b->sum.known &&
           a->sum.unknown_s == b->sum.unknown_s && a->sum.estimated == b->sum.estimated &&
           a->sum.estimated_s == b->sum.estimated_s && a->sum.manual == b->sum.manual &&
           a->sum.manual_s == b->sum.manual_s && a->waiting_s == b->waiting_s && a->absent_s == b->absent_s;
}

/* What the versions that it names add up to now. */
static enum status recompute(
    struct verify_ledger *l, const struct booking *b, struct amount *ret, struct error *err)
{
    size_t count = (size_t)((b->span.end_ms - b->span.begin_ms) / PERIODS_QUARTER_HOUR_MS);
    uint32_t *codes = mem_alloc((count + 1) * sizeof *codes);
    struct closing_quarters then;
    bool is_there;
    enum status status =
        booked_codes(l->v->db, b->site, b->meter, b->month, b->closing, codes, count, &is_there, err);
    if (status == ST_OK && is_there)
        status = booked_then(l->v->db, b->meter, b->span, codes, &then, err);
    if (status == ST_OK && is_there) {
        *ret = closing_amount(&then);
        closing_quarters_release(&then);
    }
    free(codes);
    return status;
}

static enum status verify_booking(
    struct verify_ledger *l, const struct park *park, struct booking *b, struct error *err)
{
    char month[PERIODS_TEXT_SIZE];
    struct amount found = {0};
    enum status status = find_span(l, park, b, err);
    if (status != ST_OK || b->span.begin_ms >= l->v->until_ms || b->span.end_ms <= l->v->from_ms)
        return status;
    status = recompute(l, b, &found, err);
    periods_format((struct period){PERIODS_MONTH, b->month}, month);
    if (status == ST_INVALID) { /* what cannot be read is told, and the others go on */
        verify_differs(
            l->v, "closing %" PRId64 ", meter %s, month %s: %s", b->closing, b->name, month, err->text);
        return ST_OK;
    }
    if (status == ST_OK && !is_same(&found, &b->recorded))
        verify_differs(l->v,
            "closing %" PRId64 ", meter %s, month %s: booked are %" PRId64 " known and %" PRId64
            " s unknown, the versions that it names give %" PRId64 " and %" PRId64 " s",
            b->closing, b->name, month, b->recorded.sum.known, b->recorded.sum.unknown_s, found.sum.known,
            found.sum.unknown_s);
    l->v->bookings += status == ST_OK;
    return status;
}

enum status verify_closings(struct verify_ledger *l, const struct park *park, struct error *err)
{
    struct db_stmt *next = db_keep(l->v->db,
        "SELECT b.meter, m.name, b.month, b.closing, c.site, b.quarters, b.known, b.unknown_s, b.estimated,"
        "  b.estimated_s, b.manual, b.manual_s, b.waiting_s, b.absent_s FROM closing_meter b"
        " JOIN closing c ON c.id = b.closing JOIN ledger_meter m ON m.id = b.meter"
        " ORDER BY b.closing, b.meter, b.month");
    bool has_row;
    enum status status;
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        struct booking booking = read_booking(next);
        status = verify_booking(l, park, &booking, err);
        release(&booking);
        progress_show(&l->v->progress, "verified %" PRId64 " figures of closings", l->v->bookings);
        if (status == ST_OK && program_is_asked_to_end())
            status = error_set(err, ST_TIMEOUT, "stopped");
        if (status != ST_OK)
            break;
    }
    db_reset(next);
    return status;
}
