#include "collector/bundle/checker.h"
#include "collector/ledger/latest.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/program.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 4096

/* ---- readings ---- */

static enum status read_reading(const struct checker *c, const struct csv *csv, int64_t last_ms,
    struct books_reading *ret, struct error *err)
{
    int64_t manual;
    if (!csv_read_time(csv, 0, &ret->time_ms) || !csv_read_int(csv, 1, &ret->point) ||
        !csv_read_int(csv, 2, &ret->count) || !csv_read_int(csv, 3, &manual) ||
        !csv_read_some(csv, 4, &ret->journal) || ret->count < -SEGMENT_COUNT_MAX ||
        ret->count > SEGMENT_COUNT_MAX || ret->journal < 0)
        return csv_refuse(csv, "no reading", err);
    ret->is_manual = manual != 0;
    if (!checker_is_near(c, ret->time_ms))
        return csv_refuse(csv, "more than 60 years from the period", err);
    return ret->time_ms > last_ms ? ST_OK : csv_refuse(csv, "readings are not in order of time", err);
}

static enum status fold_readings(
    struct checker *c, const struct meters_item *item, struct csv *csv, struct error *err)
{
    struct books_reading *readings = mem_alloc(CHUNK * sizeof *readings);
    int64_t last_ms = INT64_MIN;
    size_t count = 0;
    bool has_row = true, is_first = true;
    enum status status = ST_OK;
    while (status == ST_OK && has_row) {
        status = csv_next(csv, &has_row, err);
        if (status == ST_OK && has_row)
            status = read_reading(c, csv, last_ms, &readings[count], err);
        if (status == ST_OK && has_row)
            last_ms = readings[count++].time_ms;
        /* Readings by hand are folded also where there are no others. */
        if (status != ST_OK || (has_row && count < CHUNK) || (count == 0 && !is_first))
            continue;
        status = refold_push(&c->refold, item, readings, count, err);
        c->readings += (int64_t)count;
        count = 0;
        is_first = false;
        if (status == ST_OK && program_is_asked_to_end())
            status = error_set(err, ST_TIMEOUT, "stopped");
    }
    free(readings);
    return status;
}

static enum status fold_part(
    struct checker *c, const struct meters_item *item, const char *name, struct error *err)
{
    struct csv csv;
    enum status status = checker_open(c, &csv, name, BUNDLE_READINGS, err);
    if (status == ST_OK)
        status = fold_readings(c, item, &csv, err);
    csv_close(&csv);
    return status;
}

/* ---- against what was published ---- */

static const char *say(int64_t amount, uint8_t quality, char text[static 64])
{
    if (quality == CHECKER_NO_ROW)
        return "nothing";
    if (quality >= QUALITY_UNKNOWN)
        return "unknown";
    snprintf(text, 64, "%" PRId64 " %s", amount, quality_names[quality]);
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

/* Of the meter in hand, the i-th quarter hour of the period. */
static enum status hold(struct checker *c, const struct meters_item *item, size_t i, int64_t amount,
    uint8_t quality, struct error *err)
{
    char when[CLOCK_TEXT_SIZE], said[64], gives[64];
    int64_t start_ms = c->subject.span.begin_ms + (int64_t)i * BOUNDARY_MS, told = c->published.amounts[i];
    uint8_t told_quality = c->published.qualities[i];
    if (told_quality == quality && told == amount)
        return ST_OK;
    if (told_quality == QUALITY_UNKNOWN && quality == CHECKER_NO_ROW)
        return keep_unknown(c, item->books.id, start_ms, err);
    clock_format_utc(start_ms, when);
    checker_differs(c, "meter %s, quarter hour %s: published is %s, the readings give %s", item->park->id,
        when, say(told, told_quality, said), say(amount, quality, gives));
    return ST_OK;
}

static enum status hold_meter(struct checker *c, const struct meters_item *item, struct error *err)
{
    size_t count = c->published.count;
    int64_t *amounts = mem_zalloc((count + 1) * sizeof *amounts);
    uint8_t *qualities = mem_alloc(count + 1);
    memset(qualities, CHECKER_NO_ROW, count);
    enum status status = latest_read_rows(c->refold.db, item->books.id, c->subject.span.begin_ms,
        c->subject.span.end_ms, amounts, qualities, err);
    for (size_t i = 0; i < count && status == ST_OK; i++)
        status = hold(c, item, i, amounts[i], qualities[i], err);
    free(amounts);
    free(qualities);
    return status;
}

/* ---- what was published ---- */

bool checker_read_quality(struct span text, uint8_t *ret)
{
    for (uint8_t i = 0; quality_names[i] != NULL; i++)
        if (span_is(text, quality_names[i])) {
            *ret = i;
            return true;
        }
    return false;
}

static enum status take_quarter(struct checker *c, const struct csv *csv, struct error *err)
{
    const struct periods_span *span = &c->subject.span;
    int64_t start_ms, amount;
    uint8_t quality;
    bool is_good = csv_read_time(csv, 0, &start_ms) && csv_read_some(csv, 1, &amount) &&
                   checker_read_quality(csv_read_text(csv, 2), &quality) &&
                   csv_is_none(csv, 1) == (quality == QUALITY_UNKNOWN) && start_ms >= span->begin_ms &&
                   start_ms < span->end_ms && (start_ms - span->begin_ms) % BOUNDARY_MS == 0;
    size_t at = is_good ? (size_t)((start_ms - span->begin_ms) / BOUNDARY_MS) : 0;
    if (!is_good || c->published.qualities[at] != CHECKER_NO_ROW)
        return csv_refuse(csv, "no quarter hour of the period, or once more", err);
    c->published.amounts[at] = amount;
    c->published.qualities[at] = quality;
    c->quarters++;
    return ST_OK;
}

static enum status read_published(struct checker *c, const char *name, struct error *err)
{
    struct published *p = &c->published;
    memset(p->amounts, 0, p->count * sizeof *p->amounts);
    memset(p->qualities, CHECKER_NO_ROW, p->count);
    return checker_has(c, name) ? checker_each_row(c, name, BUNDLE_QUARTERS, take_quarter, err) : ST_OK;
}

/* ---- meter by meter ---- */

static enum status check_meter(struct checker *c, const struct meters_item *item, struct error *err)
{
    char *readings = mem_printf("readings/%s.csv", item->park->id);
    char *quarters = mem_printf("quarters/%s.csv", item->park->id);
    enum status status = checker_has(c, readings) ? fold_part(c, item, readings, err) : ST_OK;
    if (status == ST_OK)
        status = read_published(c, quarters, err);
    if (status == ST_OK)
        status = hold_meter(c, item, err);
    if (status == ST_OK)
        status = checker_booked(c, item, err);
    free(readings);
    free(quarters);
    return status == ST_OK ? refold_forget(&c->refold, item, &c->subject.span, err) : status;
}

enum status checker_fold(struct checker *c, struct error *err)
{
    struct published *p = &c->published;
    const struct periods_span *span = &c->subject.span;
    enum status status = ST_OK;
    p->count = (size_t)((span->end_ms - span->begin_ms) / BOUNDARY_MS);
    p->amounts = mem_alloc((p->count + 1) * sizeof *p->amounts);
    p->qualities = mem_alloc(p->count + 1);
    for (size_t i = 0; i < c->refold.meters.count && status == ST_OK; i++) {
        progress_show(&c->progress, "meter %zu of %zu, %lld readings", i + 1, c->refold.meters.count,
            (long long)c->readings);
        status = check_meter(c, &c->refold.meters.items[i], err);
    }
    free(p->amounts);
    free(p->qualities);
    return status;
}
