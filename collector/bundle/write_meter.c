#include "collector/bundle/csv.h"
#include "collector/bundle/writer.h"
#include "collector/ledger/latest.h"
#include "collector/ledger/rows.h"
#include "collector/report/part.h"
#include "lib/mem.h"
#include "lib/program.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define CHUNK 4096
#define NO_ROW 0xff

/* ---- which meters ---- */

static bool stands_here(const struct writer *w, const struct park_meter *meter, int64_t time_ms)
{
    return meter != NULL && park_tags_at(meter, time_ms).building->site == w->subject.site;
}

/* What stands on the site, and what its meters' energy goes on to. Members of virtual meters are of their site. */
bool writer_needs(const struct writer *w, const struct park_meter *meter)
{
    struct periods_span stretch = {0};
    while (part_next(w->subject.accepted->model->park, w->subject.span, &stretch))
        if (stands_here(w, meter, stretch.begin_ms) ||
            stands_here(w, part_parent(meter, stretch.begin_ms), stretch.begin_ms))
            return true;
    return false;
}

/* ---- how much of its readings ---- */

/* Readings before the period and behind it: what the fold remembers is mostly of the last 28 days (E3) and 24 hours (E4),
 * but of a ratio, a hold or a gap it may be more. */
static const struct stretch {
    int64_t before_days, after_days; /* -1: all */
} stretches[] = {{62, 3}, {400, 35}, {-1, -1}};
#define STRETCHES (sizeof stretches / sizeof stretches[0])

static bool on_readings(void *writer, const struct books_reading *readings, size_t count)
{
    struct writer *w = writer;
    (void)readings, (void)count;
    progress_show(&w->progress, "meter %zu of %zu", w->done + 1, w->refold.meters.count);
    return !program_is_asked_to_end();
}

static struct refold_source source_of(struct writer *w, const struct stretch *s)
{
    const struct periods_span *span = &w->subject.span;
    return (struct refold_source){.books = w->evidence,
        .after_ms = s->before_days < 0 ? INT64_MIN : span->begin_ms - s->before_days * DAY_MS - 1,
        .until_ms = s->after_days < 0 ? INT64_MAX : span->end_ms + s->after_days * DAY_MS,
        .on_readings = on_readings,
        .context = w};
}

static enum status read_quarters(const struct writer *w, struct db *db, int64_t meter, int64_t *amounts,
    uint8_t *qualities, struct error *err)
{
    const struct periods_span *span = &w->subject.span;
    size_t count = (size_t)((span->end_ms - span->begin_ms) / BOUNDARY_MS);
    memset(amounts, 0, count * sizeof *amounts);
    memset(qualities, NO_ROW, count);
    return latest_read_rows(db, meter, span->begin_ms, span->end_ms, amounts, qualities, err);
}

static size_t leave_touching(const struct periods_span *span, struct rows_events *events)
{
    size_t kept = 0;
    for (size_t i = 0; i < events->count; i++) {
        const struct event *e = &events->items[i];
        if (e->from_ms < span->end_ms && (e->until_ms > span->begin_ms || e->from_ms >= span->begin_ms))
            events->items[kept++] = *e;
    }
    return events->count = kept;
}

static enum status hold_events(const struct writer *w, int64_t meter, bool *ret_is_same, struct error *err)
{
    struct rows_events books = {0}, folded = {0};
    enum status status = rows_events(w->subject.db, meter, &books, err);
    if (status == ST_OK)
        status = rows_events(w->refold.db, meter, &folded, err);
    if (status == ST_OK) {
        *ret_is_same = leave_touching(&w->subject.span, &books) == leave_touching(&w->subject.span, &folded);
        for (size_t i = 0; i < books.count && *ret_is_same; i++)
            *ret_is_same = books.items[i].kind == folded.items[i].kind &&
                           books.items[i].from_ms == folded.items[i].from_ms &&
                           books.items[i].until_ms == folded.items[i].until_ms;
    }
    rows_events_release(&books);
    rows_events_release(&folded);
    return status;
}

/* Of the period: is what was folded what the books say? What was decided once and is no longer stays unknown there (E8). */
static enum status hold_against(struct writer *w, int64_t meter, bool *ret_is_same, struct error *err)
{
    size_t count = (size_t)((w->subject.span.end_ms - w->subject.span.begin_ms) / BOUNDARY_MS);
    int64_t *amounts = mem_alloc((2 * count + 1) * sizeof *amounts);
    uint8_t *qualities = mem_alloc(2 * count + 1);
    enum status status = read_quarters(w, w->subject.db, meter, amounts, qualities, err);
    if (status == ST_OK)
        status = read_quarters(w, w->refold.db, meter, amounts + count, qualities + count, err);
    bool is_same = true;
    for (size_t i = 0; i < count && is_same; i++) {
        bool is_left = qualities[count + i] == NO_ROW && qualities[i] == QUALITY_UNKNOWN;
        is_same = is_left || (qualities[i] == qualities[count + i] && amounts[i] == amounts[count + i]);
    }
    free(amounts);
    free(qualities);
    *ret_is_same = is_same;
    return status == ST_OK && is_same ? hold_events(w, meter, ret_is_same, err) : status;
}

/* The shortest stretch of readings that gives what the books say. */
static enum status find_source(
    struct writer *w, const struct meters_item *item, struct refold_source *ret, struct error *err)
{
    bool is_same = false;
    enum status status = ST_OK;
    for (size_t i = 0; i < STRETCHES && !is_same && status == ST_OK; i++) {
        int64_t count;
        *ret = source_of(w, &stretches[i]);
        status = refold_meter(&w->refold, item, ret, &count, err);
        if (status == ST_OK)
            status = hold_against(w, item->books.id, &is_same, err);
        if (status == ST_OK)
            status = refold_forget(&w->refold, item, NULL, err);
    }
    w->differs = w->differs || !is_same;
    return status;
}

/* ---- its parts ---- */

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void sort_batches(struct writer *w)
{
    size_t kept = 0;
    if (w->batch_count > 0)
        qsort(w->batches, w->batch_count, sizeof *w->batches, by_number);
    for (size_t i = 0; i < w->batch_count; i++)
        if (kept == 0 || w->batches[i] != w->batches[kept - 1])
            w->batches[kept++] = w->batches[i];
    w->batch_count = kept;
}

static void note_batch(struct writer *w, int64_t journal)
{
    if (journal < w->oldest || (w->batch_count > 0 && w->batches[w->batch_count - 1] == journal))
        return;
    MEM_GROW(w->batches, w->batch_count, w->batch_capacity);
    w->batches[w->batch_count++] = journal;
}

static void add_reading(struct writer *w, const struct books_reading *r)
{
    csv_time(&w->part, r->time_ms);
    csv_int(&w->part, r->point);
    csv_int(&w->part, r->count);
    csv_int(&w->part, r->is_manual);
    csv_some(&w->part, r->journal != 0, r->journal);
    csv_end(&w->part);
    note_batch(w, r->journal);
}

static enum status add_readings(struct writer *w, const struct meters_item *item,
    const struct refold_source *source, int64_t *ret_count, struct error *err)
{
    struct books_reading *readings = mem_alloc(CHUNK * sizeof *readings);
    int64_t after_ms = source->after_ms;
    size_t count = CHUNK;
    enum status status = ST_OK;
    buf_reset(&w->part);
    csv_begin(&w->part, BUNDLE_READINGS);
    *ret_count = 0;
    while (status == ST_OK && count == CHUNK) {
        status = books_evidence(w->evidence, &item->books, after_ms, readings, CHUNK, &count, err);
        for (size_t i = 0; status == ST_OK && i < count; i++) {
            if (readings[i].time_ms > source->until_ms)
                count = 0;
            else {
                add_reading(w, &readings[i]);
                after_ms = readings[i].time_ms;
                ++*ret_count;
            }
        }
        if (status == ST_OK && w->part.len > ZIP_PART_MAX)
            status = error_set(err, ST_INVALID,
                "meter %s has too many readings for one bundle; take a shorter period", item->park->id);
    }
    free(readings);
    return status;
}

static enum status add_points(struct writer *w, const struct meters_item *item, struct error *err)
{
    struct db_stmt *next =
        db_keep(w->subject.db, "SELECT id, name FROM ledger_point WHERE meter = ?1 ORDER BY id");
    bool has_row;
    enum status status;
    db_bind_int(next, 1, item->books.id);
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        csv_int(&w->points, db_int(next, 0));
        csv_text(&w->points, span_of(item->park->id));
        csv_text(&w->points, db_text(next, 1));
        csv_end(&w->points);
    }
    db_reset(next);
    return status;
}

static enum status put_of(
    struct writer *w, const char *folder, const struct meters_item *item, struct error *err)
{
    char *name = mem_printf("%s/%s.csv", folder, item->park->id);
    enum status status = writer_put(w, name, &w->part, err);
    free(name);
    return status;
}

static enum status put_quarters(struct writer *w, const struct meters_item *item, struct error *err)
{
    size_t count = (size_t)((w->subject.span.end_ms - w->subject.span.begin_ms) / BOUNDARY_MS);
    int64_t *amounts = mem_alloc((count + 1) * sizeof *amounts);
    uint8_t *qualities = mem_alloc(count + 1);
    enum status status = read_quarters(w, w->subject.db, item->books.id, amounts, qualities, err);
    buf_reset(&w->part);
    csv_begin(&w->part, BUNDLE_QUARTERS);
    for (size_t i = 0; status == ST_OK && i < count; i++) {
        if (qualities[i] == NO_ROW)
            continue;
        csv_time(&w->part, w->subject.span.begin_ms + (int64_t)i * BOUNDARY_MS);
        csv_some(&w->part, qualities[i] != QUALITY_UNKNOWN, amounts[i]);
        csv_text(&w->part, span_of(quality_names[qualities[i]]));
        csv_end(&w->part);
    }
    free(amounts);
    free(qualities);
    return status == ST_OK ? put_of(w, "quarters", item, err) : status;
}

static void add_row(
    struct writer *w, const struct meters_item *item, const struct refold_source *source, int64_t count)
{
    w->after_ms = source->after_ms < w->after_ms ? source->after_ms : w->after_ms;
    w->until_ms = source->until_ms > w->until_ms ? source->until_ms : w->until_ms;
    csv_int(&w->meters, item->books.id);
    csv_text(&w->meters, span_of(item->park->id));
    if (source->after_ms == INT64_MIN)
        csv_none(&w->meters);
    else
        csv_time(&w->meters, source->after_ms);
    if (source->until_ms == INT64_MAX)
        csv_none(&w->meters);
    else
        csv_time(&w->meters, source->until_ms);
    csv_int(&w->meters, count);
    csv_end(&w->meters);
}

enum status writer_add_meter(struct writer *w, const struct meters_item *item, struct error *err)
{
    struct refold_source source;
    int64_t count;
    enum status status = find_source(w, item, &source, err);
    if (status == ST_OK)
        status = add_readings(w, item, &source, &count, err);
    if (status == ST_OK)
        status = put_of(w, "readings", item, err);
    if (status != ST_OK)
        return status;
    add_row(w, item, &source, count);
    sort_batches(w);
    status = add_points(w, item, err);
    return status == ST_OK ? put_quarters(w, item, err) : status;
}
