#include "collector/bundle/checker.h"
#include "collector/ledger/latest.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 4096
#define NO_ROW 0xff

/* ---- readings ---- */

static enum status read_reading(
    const struct csv *csv, int64_t first_ms, int64_t last_ms, struct books_reading *ret, struct error *err)
{
    int64_t manual;
    if (!csv_read_time(csv, 0, &ret->time_ms) || !csv_read_int(csv, 1, &ret->point) ||
        !csv_read_int(csv, 2, &ret->count) || !csv_read_int(csv, 3, &manual) ||
        !csv_read_some(csv, 4, &ret->journal) || ret->count < -SEGMENT_COUNT_MAX ||
        ret->count > SEGMENT_COUNT_MAX || ret->journal < 0)
        return csv_refuse(csv, "no reading", err);
    ret->is_manual = manual != 0;
    if (first_ms != INT64_MIN && ret->time_ms - first_ms > CHECKER_REACH_MS)
        return csv_refuse(csv, "more than 60 years behind the first reading", err);
    return ret->time_ms > last_ms ? ST_OK : csv_refuse(csv, "readings are not in order of time", err);
}

static enum status fold_readings(
    struct checker *c, const struct meters_item *item, struct csv *csv, struct error *err)
{
    struct books_reading *readings = mem_alloc(CHUNK * sizeof *readings);
    int64_t first_ms = INT64_MIN, last_ms = INT64_MIN;
    size_t count = 0;
    bool has_row = true, is_first = true;
    enum status status = ST_OK;
    while (status == ST_OK && has_row) {
        status = csv_next(csv, &has_row, err);
        if (status == ST_OK && has_row)
            status = read_reading(csv, first_ms, last_ms, &readings[count], err);
        if (status == ST_OK && has_row)
            last_ms = readings[count++].time_ms;
        if (first_ms == INT64_MIN)
            first_ms = last_ms;
        /* Readings by hand are folded also where there are no others. */
        if (status != ST_OK || (has_row && count < CHUNK) || (count == 0 && !is_first))
            continue;
        status = refold_push(&c->refold, item, readings, count, err);
        c->readings += (int64_t)count;
        count = 0;
        is_first = false;
    }
    free(readings);
    return status;
}

/* ---- against what was published ---- */

static const char *say(int64_t amount, uint8_t quality, char text[static 64])
{
    if (quality == NO_ROW)
        return "nothing";
    if (quality >= QUALITY_UNKNOWN)
        return "unknown";
    snprintf(text, 64, "%" PRId64 " %s", amount, bundle_qualities[quality]);
    return text;
}

/* What was decided once and is no longer is unknown, and stays so (CONTRIBUTING.md, E8): the report is to know it. */
static enum status keep_unknown(struct checker *c, int64_t meter, int64_t start_ms, struct error *err)
{
    struct db_stmt *add =
        db_keep(c->refold.db, "INSERT INTO ledger_quarter(meter, start_ms, version, quality,"
                              " written_ms, written_by) VALUES(?1, ?2, 1, ?3, 0, 0)");
    db_bind_int(add, 1, meter);
    db_bind_int(add, 2, start_ms);
    db_bind_int(add, 3, QUALITY_UNKNOWN);
    return db_run(add, err);
}

/* One quarter hour; `published` NULL = there is none. */
static enum status hold(struct checker *c, const struct meters_item *item, const struct published *published,
    int64_t start_ms, int64_t amount, uint8_t quality, struct error *err)
{
    char when[CLOCK_TEXT_SIZE], said[64], gives[64];
    uint8_t told = published != NULL ? published->quality : NO_ROW;
    if (told == quality && (published == NULL || published->amount == amount))
        return ST_OK;
    if (told == QUALITY_UNKNOWN && quality == NO_ROW)
        return keep_unknown(c, item->books.id, start_ms, err);
    clock_format_utc(start_ms, when);
    checker_differs(c, "meter %s, quarter hour %s: published is %s, the readings give %s", item->park->id,
        when, say(published != NULL ? published->amount : 0, told, said), say(amount, quality, gives));
    return ST_OK;
}

static enum status hold_meter(struct checker *c, size_t meter, size_t *next, struct error *err)
{
    const struct meters_item *item = &c->refold.meters.items[meter];
    size_t count = (size_t)((c->subject.span.end_ms - c->subject.span.begin_ms) / BOUNDARY_MS);
    int64_t *amounts = mem_zalloc((count + 1) * sizeof *amounts);
    uint8_t *qualities = mem_alloc(count + 1);
    memset(qualities, NO_ROW, count);
    enum status status = latest_read_rows(c->refold.db, item->books.id, c->subject.span.begin_ms,
        c->subject.span.end_ms, amounts, qualities, err);
    for (size_t i = 0; i < count && status == ST_OK; i++) {
        int64_t start_ms = c->subject.span.begin_ms + (int64_t)i * BOUNDARY_MS;
        const struct published *p = *next < c->quarter_count ? &c->quarters[*next] : NULL;
        bool is_its = p != NULL && p->meter == meter && p->start_ms == start_ms;
        status = hold(c, item, is_its ? p : NULL, start_ms, amounts[i], qualities[i], err);
        *next += is_its;
    }
    free(amounts);
    free(qualities);
    return status;
}

enum status checker_fold(struct checker *c, struct error *err)
{
    size_t next = 0;
    enum status status = ST_OK;
    for (size_t i = 0; i < c->refold.meters.count && status == ST_OK; i++) {
        const struct meters_item *item = &c->refold.meters.items[i];
        char *name = mem_printf("readings/%s.csv", item->park->id);
        struct csv csv = {0};
        progress_show(&c->progress, "meter %zu of %zu, %lld readings", i + 1, c->refold.meters.count,
            (long long)c->readings);
        if (checker_has(c, name)) {
            status = checker_open(c, &csv, name, BUNDLE_READINGS, err);
            if (status == ST_OK)
                status = fold_readings(c, item, &csv, err);
        }
        csv_close(&csv);
        free(name);
        if (status == ST_OK)
            status = hold_meter(c, i, &next, err);
        if (status == ST_OK)
            status = refold_forget(&c->refold, true, err);
    }
    return status;
}
