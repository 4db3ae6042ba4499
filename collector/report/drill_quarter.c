/* A quarter hour: its boundaries, the two readings around each, the batches that brought them, and its versions. */
#include "collector/report/drill.h"

#include "collector/evidence/archive.h"
#include "collector/ledger/meters.h"
#include "collector/ledger/retrace.h"
#include "collector/report/tables_private.h"
#include "lib/id.h"
#include "lib/mem.h"

#include <stdlib.h>

/* ---- batches ---- */

/* What a row came of. */
struct drill_source {
    int64_t journal;   /* 0: no batch brought it */
    const char *point; /* of a reading: "<gateway>/<point>"; else NULL */
    int64_t time_ms;
};

#define BATCH_COLUMNS "gateway", "epoch", "seq", "arrived", "batch_hash", "evidence"

/* A reading's batch once it was pruned: that the archive has the reading of. */
static enum status add_archived(
    struct db *db, struct table *table, const struct drill_source *source, struct error *err)
{
    struct archive_origin origin;
    bool is_found = false;
    enum status status = source->point != NULL ? archive_find(db, source->journal, source->point,
                                                     source->time_ms, &origin, &is_found, err)
                                               : ST_OK;
    if (!is_found) {
        for (int i = 0; i < 5; i++)
            table_none(table);
        table_code(table, source->journal != 0 ? "evidence_pruned" : "evidence_none");
        return status;
    }
    table_text(table, origin.gateway);
    table_text(table, origin.epoch);
    table_number(table, origin.seq, 0);
    table_none(table);
    table_none(table);
    table_code(table, "evidence_archived");
    return status;
}

/* The batch as the journal holds it; once it is pruned, which one it was, where that is known. */
static enum status add_batch(
    struct db *db, struct table *table, const struct drill_source *source, struct error *err)
{
    struct db_stmt *find =
        db_keep(db, "SELECT g.name, j.epoch, j.seq, j.received_ms, j.payload FROM journal j"
                    " JOIN gateway g ON g.id = j.gateway WHERE j.id = ?1");
    bool is_held;
    db_bind_int(find, 1, source->journal);
    enum status status = db_step(find, &is_held, err);
    if (status == ST_OK && is_held) {
        struct span name = db_text(find, 0);
        char *gateway = mem_strndup(name.at, name.len), epoch[EPOCH_TEXT_SIZE], hash_text[HASH_TEXT_SIZE];
        struct hash hash = hash_of(db_text(find, 4));
        epoch_format((uint64_t)db_int(find, 1), epoch);
        hash_format(&hash, hash_text);
        table_text(table, gateway);
        table_text(table, epoch);
        table_number(table, db_int(find, 2), 0);
        table_time(table, db_int(find, 3));
        table_text(table, hash_text);
        table_code(table, "evidence_held");
        free(gateway);
    }
    db_reset(find);
    return status == ST_OK && !is_held ? add_archived(db, table, source, err) : status;
}

/* ---- versions ---- */

static enum status add_versions(const struct drill *d, const struct park_meter *meter, int64_t number,
    int64_t start_ms, struct tables *tables, struct error *err)
{
    static const char *const columns[] = {
        "version", "unit", "amount", "quality", "written_at", BATCH_COLUMNS, NULL};
    struct table *table = tables_add(tables, "drill_versions", columns);
    struct db_stmt *rows =
        db_keep(d->db, "SELECT version, amount, quality, written_ms, written_by FROM ledger_quarter"
                       " WHERE meter = ?1 AND start_ms = ?2 ORDER BY version DESC LIMIT 1000");
    bool has_row;
    enum status status;
    db_bind_int(rows, 1, number);
    db_bind_int(rows, 2, start_ms);
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        int64_t quality = db_int(rows, 2);
        table_begin(table);
        table_number(table, db_int(rows, 0), 0);
        table_text(table, tables_unit(meter->carrier));
        table_maybe(table, !db_is_null(rows, 1), db_int(rows, 1), tables_scale(meter->carrier));
        table_code(table, quality >= 0 && quality <= QUALITY_UNKNOWN ? quality_names[quality] : NULL);
        table_time(table, db_int(rows, 3));
        status = add_batch(d->db, table, &(struct drill_source){.journal = db_int(rows, 4)}, err);
        if (status != ST_OK)
            break;
    }
    db_reset(rows);
    return status;
}

/* ---- boundaries ---- */

static const char *base_unit(int carrier)
{
    return carrier == CARRIER_ELECTRICITY                          ? "Wh"
           : carrier == CARRIER_HEAT || carrier == CARRIER_COOLING ? "J"
                                                                   : "L";
}

/* How U came about, in whole base units and milliseconds; the caller frees it. */
static char *reckoning(const struct retrace_side *side)
{
    const struct event *e = &side->event;
    int64_t at_ms = side->boundary.time_ms;
    if (e->kind == EVENT_BASELINE || at_ms == e->until_ms)
        return mem_printf("U = %lld", (long long)side->boundary.energy);
    return mem_printf("U = %lld + ⌊(%lld − %lld) × %lld / %lld⌋ = %lld", (long long)e->from_energy,
        (long long)e->until_energy, (long long)e->from_energy, (long long)(at_ms - e->from_ms),
        (long long)(e->until_ms - e->from_ms), (long long)side->boundary.energy);
}

static const char *manner(const struct retrace_side *side)
{
    const struct event *e = &side->event;
    return e->kind == EVENT_BASELINE               ? "by_first_reading"
           : side->boundary.time_ms == e->until_ms ? "by_reading"
           : e->kind == EVENT_STATED               ? "by_stated"
                                                   : "by_interpolation";
}

static void add_boundary(
    struct table *table, const char *which, int64_t time_ms, const struct retrace_side *side, int carrier)
{
    table_begin(table);
    table_code(table, which);
    table_time(table, time_ms);
    table_code(table, side->is_known ? manner(side) : "not_known");
    char *text = side->is_known ? reckoning(side) : NULL;
    table_text(table, text);
    free(text);
    table_maybe(table, side->is_known, side->boundary.energy, 0);
    table_text(table, base_unit(carrier));
    table_code(table, !side->is_known ? NULL : side->is_in_books ? "agrees" : "differs");
}

static void add_boundaries(struct tables *tables, const struct retrace *found, int64_t start_ms, int carrier)
{
    static const char *const columns[] = {
        "boundary", "at", "manner", "reckoning", "u", "base_unit", "in_books", NULL};
    struct table *table = tables_add(tables, "drill_boundaries", columns);
    if (!found->is_whole)
        return;
    add_boundary(table, "boundary_begin", start_ms, &found->begin, carrier);
    add_boundary(table, "boundary_end", start_ms + BOUNDARY_MS, &found->end, carrier);
}

/* ---- readings ---- */

static enum status point_name(struct db *db, int64_t point, char **ret, struct error *err)
{
    struct db_stmt *find = db_keep(db, "SELECT name FROM ledger_point WHERE id = ?1");
    bool has_row;
    db_bind_int(find, 1, point);
    enum status status = db_step(find, &has_row, err);
    struct span name = status == ST_OK && has_row ? db_text(find, 0) : (struct span){0};
    *ret = name.len > 0 ? mem_strndup(name.at, name.len) : NULL;
    db_reset(find);
    return status;
}

static enum status add_reading(const struct drill *d, struct table *table, const char *which,
    const char *place, const struct retrace_reading *r, int64_t u, struct error *err)
{
    char *point, *ratio;
    if (!r->is_there)
        return ST_OK;
    enum status status = point_name(d->db, r->reading.point, &point, err);
    ratio = r->q == 1 ? mem_printf("%lld", (long long)r->p)
                      : mem_printf("%lld/%lld", (long long)r->p, (long long)r->q);
    table_begin(table);
    table_code(table, which);
    table_code(table, place);
    table_instant(table, r->reading.time_ms);
    table_number(table, r->reading.count, 0);
    table_text(table, r->p != 0 ? ratio : NULL);
    table_number(table, u, 0);
    table_code(table, r->reading.is_manual ? "by_hand" : "by_device");
    table_text(table, point);
    if (status == ST_OK)
        status = add_batch(
            d->db, table, &(struct drill_source){r->reading.journal, point, r->reading.time_ms}, err);
    free(ratio);
    free(point);
    return status;
}

static enum status add_side(const struct drill *d, struct table *table, const char *which,
    const struct retrace_side *side, struct error *err)
{
    const struct event *e = &side->event;
    bool is_at = side->boundary.time_ms == e->until_ms;
    if (!side->is_known)
        return ST_OK;
    enum status status = ST_OK;
    if (!is_at)
        status = add_reading(d, table, which, "before", &side->from, e->from_energy, err);
    return status == ST_OK
               ? add_reading(d, table, which, is_at ? "there" : "after", &side->until, e->until_energy, err)
               : status;
}

static enum status add_readings(
    const struct drill *d, struct tables *tables, const struct retrace *found, struct error *err)
{
    static const char *const columns[] = {
        "boundary", "place", "read_at", "register", "ratio", "u", "source", "point", BATCH_COLUMNS, NULL};
    struct table *table = tables_add(tables, "drill_readings", columns);
    if (!found->is_whole)
        return ST_OK;
    enum status status = add_side(d, table, "boundary_begin", &found->begin, err);
    return status == ST_OK ? add_side(d, table, "boundary_end", &found->end, err) : status;
}

/* ---- the page ---- */

/* The amount from both boundaries, in whole base units. */
static void about_amount(struct table *about, const struct drill *d, const struct retrace *found, int carrier)
{
    const struct boundary *begin = &found->begin.boundary, *end = &found->end.boundary;
    if (!found->is_whole) {
        drill_about_text(about, "reckoning", words_of(d->language, "too_long_ago"));
        return;
    }
    if (!found->begin.is_known || !found->end.is_known || begin->baseline_ms != end->baseline_ms) {
        drill_about_text(about, "reckoning", words_of(d->language, "no_difference"));
        return;
    }
    char *text = mem_printf("%lld − %lld = %lld %s", (long long)end->energy, (long long)begin->energy,
        (long long)(end->energy - begin->energy), base_unit(carrier));
    drill_about_text(about, "reckoning", text);
    free(text);
}

static enum status retrace(const struct drill *d, const struct park_meter *meter, int64_t number,
    int64_t start_ms, struct retrace *ret, struct error *err)
{
    struct meters_item item;
    *ret = (struct retrace){.is_whole = true};
    if (number == 0)
        return ST_OK;
    enum status status = meters_look(&item, meter, number, d->db, err);
    if (status != ST_OK)
        return status;
    status = retrace_quarter(d->db, &item.books, start_ms, ret, err);
    meters_release_item(&item);
    return status;
}

static enum status add_all(const struct drill *d, const struct park_meter *meter, int64_t number,
    struct periods_span span, struct tables *tables, struct error *err)
{
    struct retrace found;
    enum status status = retrace(d, meter, number, span.begin_ms, &found, err);
    if (status != ST_OK)
        return status;
    about_amount(&tables->items[0], d, &found, meter->carrier);
    add_boundaries(tables, &found, span.begin_ms, meter->carrier);
    status = add_readings(d, tables, &found, err);
    if (status == ST_OK)
        status = add_versions(d, meter, number, span.begin_ms, tables, err);
    return status == ST_OK ? drill_add_happened(d, meter, number, span, tables, err) : status;
}

enum status drill_quarter(const struct drill *d, const char *id, int64_t start_ms, struct tables *ret,
    bool *ret_is_found, struct error *err)
{
    const struct park_meter *meter = drill_find(d, id);
    struct periods_span span = {start_ms, start_ms + PERIODS_QUARTER_HOUR_MS};
    struct series series;
    struct amount amount;
    int64_t number;
    *ret_is_found = meter != NULL && span.begin_ms >= d->span.begin_ms && span.end_ms <= d->span.end_ms;
    if (!*ret_is_found)
        return ST_OK;
    drill_about(d, id, d->language == PAGE_ZH ? meter->name : meter->name_en, span, ret);
    enum status status = drill_series(d, meter, span, &series, &number, err);
    if (status == ST_OK) {
        amounts_of(&series, &(struct steps){.spans = &span, .count = 1}, &amount);
        drill_add_total(drill_begin_total(ret), meter->carrier, &amount);
        status = add_all(d, meter, number, span, ret, err);
    }
    series_release(&series);
    return status;
}
