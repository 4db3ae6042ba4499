#include "collector/bundle/csv.h"
#include "collector/bundle/writer.h"
#include "collector/ledger/quality.h"
#include "lib/mem.h"

#include <stdlib.h>

static void add_month(struct buf *out, int64_t month)
{
    char text[PERIODS_TEXT_SIZE];
    periods_format((struct period){PERIODS_MONTH, month}, text);
    csv_text(out, span_of(text));
}

static void add_number(struct buf *out, struct db_stmt *row, int column)
{
    csv_some(out, !db_is_null(row, column), db_int(row, column));
}

/* A part with a row for each of a query over the closings of the site, its first column the month that was closed, of those in
 * the period. */
static enum status put_rows(struct writer *w, const char *name, const char *heading, const char *sql,
    void (*add)(struct buf *out, struct db_stmt *row), int64_t *ret_count, struct error *err)
{
    struct db_stmt *next = db_keep(w->subject.db, sql);
    bool has_row;
    enum status status;
    *ret_count = 0;
    buf_reset(&w->part);
    csv_begin(&w->part, heading);
    db_bind_text(next, 1, span_of(w->subject.site->id));
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row)
        if (periods_has_month(w->subject.period, db_int(next, 0))) {
            add(&w->part, next);
            csv_end(&w->part);
            ++*ret_count;
        }
    db_reset(next);
    return status == ST_OK ? writer_put(w, name, &w->part, err) : status;
}

static void add_closing(struct buf *out, struct db_stmt *row)
{
    csv_int(out, db_int(row, 1));
    csv_text(out, db_text(row, 2));
    add_month(out, db_int(row, 0));
    for (int column = 3; column <= 5; column++)
        csv_time(out, db_int(row, column));
    add_number(out, row, 6);
    csv_text(out, db_text(row, 7));
    csv_text(out, db_text(row, 8));
    for (int column = 9; column <= 10; column++)
        csv_int(out, db_int(row, column));
    for (int column = 11; column <= 12; column++)
        csv_text(out, db_text(row, column));
}

static void add_override(struct buf *out, struct db_stmt *row)
{
    csv_int(out, db_int(row, 1));
    csv_text(out, db_text(row, 2));
    csv_text(out, db_text(row, 3));
    add_number(out, row, 4);
    add_number(out, row, 5);
    csv_text(out, db_text(row, 6));
}

static void add_booked(struct buf *out, struct db_stmt *row)
{
    csv_int(out, db_int(row, 1));
    csv_text(out, db_text(row, 2));
    add_month(out, db_int(row, 3));
    for (int column = 4; column <= 12; column++)
        csv_int(out, db_int(row, column));
    csv_text(out, db_text(row, 13));
}

static void add_version(struct buf *out, struct db_stmt *row)
{
    int64_t quality = db_int(row, 3);
    csv_time(out, db_int(row, 0));
    csv_int(out, db_int(row, 1));
    add_number(out, row, 2);
    csv_text(
        out, span_of(quality_names[quality >= 0 && quality <= QUALITY_UNKNOWN ? quality : QUALITY_UNKNOWN]));
    csv_end(out);
}

/* A quarter hour that was decided once is in quarters/, and its version is 1. */
static enum status put_versions(struct writer *w, const struct meters_item *item, struct error *err)
{
    struct db_stmt *next = db_keep(w->subject.db,
        "SELECT start_ms, version, amount, quality FROM ledger_quarter WHERE meter = ?1 AND start_ms IN"
        " (SELECT start_ms FROM ledger_quarter INDEXED BY ledger_quarter_again WHERE meter = ?1"
        "  AND start_ms >= ?2 AND start_ms < ?3 AND version > 1) ORDER BY start_ms, version");
    size_t empty;
    bool has_row;
    enum status status;
    buf_reset(&w->part);
    csv_begin(&w->part, BUNDLE_VERSIONS);
    empty = w->part.len;
    db_bind_int(next, 1, item->books.id);
    db_bind_int(next, 2, w->subject.span.begin_ms);
    db_bind_int(next, 3, w->subject.span.end_ms);
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row)
        add_version(&w->part, next);
    db_reset(next);
    if (status != ST_OK || w->part.len == empty)
        return status;
    char *name = mem_printf("versions/%s.csv", item->park->id);
    status = writer_put(w, name, &w->part, err);
    free(name);
    return status;
}

enum status writer_put_closings(struct writer *w, struct error *err)
{
    int64_t closings, ignored;
    enum status status = put_rows(w, "closings.csv", BUNDLE_CLOSINGS,
        "SELECT c.month, c.id, c.site, c.from_ms, c.until_ms, c.closed_ms, c.token, c.who, c.why, c.model, "
        "c.journal,"
        " iif(s.hash IS NULL, '', lower(hex(coalesce((SELECT p.hash FROM closing_seal p WHERE p.closing < "
        "c.id"
        "  ORDER BY p.closing DESC LIMIT 1), zeroblob(32))))), lower(hex(s.hash))"
        " FROM closing c LEFT JOIN closing_seal s ON s.closing = c.id WHERE c.site = ?1 ORDER BY c.id",
        add_closing, &closings, err);
    if (status == ST_OK)
        status = put_rows(w, "overrides.csv", BUNDLE_OVERRIDES,
            "SELECT c.month, c.id, o.name, o.what, o.figure, o.bound, o.why FROM closing c"
            " JOIN closing_override o ON o.closing = c.id WHERE c.site = ?1 ORDER BY c.id, o.name",
            add_override, &ignored, err);
    if (status == ST_OK)
        status = put_rows(w, "booked.csv", BUNDLE_BOOKED,
            "SELECT c.month, c.id, m.name, b.month, b.quarters, b.known, b.unknown_s, b.estimated, "
            "b.estimated_s,"
            " b.manual, b.manual_s, b.waiting_s, b.absent_s, lower(hex(b.versions)) FROM closing c"
            " JOIN closing_meter b ON b.closing = c.id JOIN ledger_meter m ON m.id = b.meter"
            " WHERE c.site = ?1 ORDER BY c.id, m.name, b.month",
            add_booked, &ignored, err);
    for (size_t i = 0; i < w->refold.meters.count && status == ST_OK && closings > 0; i++)
        if (writer_needs(w, w->refold.meters.items[i].park))
            status = put_versions(w, &w->refold.meters.items[i], err);
    return status;
}
