#include "collector/evidence/archive.h"
#include "collector/ledger/readings.h"
#include "collector/evidence/archive_lines.h"
#include "collector/verify/verify_ledger.h"
#include "lib/calendar.h"
#include "lib/clock.h"
#include "lib/cursor.h"
#include "lib/mem.h"
#include "lib/program.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define CHUNK 4096

/* Of a meter, the evidence of the hour that was looked at last. */
struct hour {
    int64_t begin_ms; /* INT64_MIN: none */
    struct readings readings;
};

/* A reading that stands otherwise in the archive than in the books. Where it stands there twice, because the journal had let
 * the first one go when the second came, only the first counts. */
struct doubt {
    const struct meters_point *point;
    int64_t time_ms, told, held;
    bool is_settled;
};

struct look {
    struct verify_ledger *l;
    struct hour *hours; /* by meter */
    struct doubt *doubts;
    size_t doubt_count, doubt_capacity;
    int64_t month;      /* the one that was looked up last, */
    bool has_evidence;  /* and whether the books have any of it */
    int64_t not_taken;  /* archived readings that the books do not have */
    enum status status; /* of what is done in a callback */
    struct error *err;
};

enum status verify_find_oldest(struct verify_ledger *l, struct error *err)
{
    struct db_stmt *find = db_keep(l->v->db, "SELECT min(id) FROM journal");
    bool has_row;
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK)
        l->oldest = db_is_null(find, 0) ? INT64_MAX : db_int(find, 0);
    db_reset(find);
    return status == ST_OK ? cursor_read(l->v->db, "ledger", &l->position, err) : status;
}

static const char *name_of(const struct look *k, const struct meters_point *point)
{
    return k->l->refold.meters.items[point->meter].park->id;
}

/* ---- evidence, by time ---- */

static enum status load_hour(struct look *k, size_t meter, int64_t begin_ms)
{
    struct hour *hour = &k->hours[meter];
    const struct meters_item *item = &k->l->refold.meters.items[meter];
    size_t count = CHUNK;
    hour->begin_ms = begin_ms;
    hour->readings.count = 0;
    for (int64_t after_ms = begin_ms - 1; count == CHUNK && k->status == ST_OK;) {
        struct readings *r = &hour->readings;
        readings_reserve(r, CHUNK);
        k->status = books_evidence(
            k->l->evidence, &item->books, after_ms, &r->items[r->count], CHUNK, &count, k->err);
        r->count += k->status == ST_OK ? count : 0;
        while (r->count > 0 && r->items[r->count - 1].time_ms >= begin_ms + READINGS_HOUR_MS) {
            r->count--;
            count = 0;
        }
        after_ms = r->count > 0 ? r->items[r->count - 1].time_ms : after_ms;
    }
    if (k->status == ST_INVALID) /* it was told when the meter was folded */
        k->status = ST_OK;
    return k->status;
}

/* NULL: there is none of that time, or it failed. */
static const struct books_reading *find(struct look *k, size_t meter, int64_t time_ms)
{
    struct hour *hour = &k->hours[meter];
    int64_t begin_ms = time_ms - (time_ms % READINGS_HOUR_MS + READINGS_HOUR_MS) % READINGS_HOUR_MS;
    if (hour->begin_ms != begin_ms && load_hour(k, meter, begin_ms) != ST_OK)
        return NULL;
    size_t at = readings_find(&hour->readings, time_ms);
    bool is_there = at < hour->readings.count && hour->readings.items[at].time_ms == time_ms;
    return is_there ? &hour->readings.items[at] : NULL;
}

static bool is_asked_for(const struct look *k, int64_t time_ms)
{
    return time_ms >= k->l->v->from_ms && time_ms < k->l->v->until_ms;
}

static void tell(struct look *k, const struct meters_point *point, int64_t time_ms, int64_t told,
    const struct books_reading *held, const char *source)
{
    char when[CLOCK_TEXT_SIZE];
    if (!is_asked_for(k, time_ms))
        return;
    clock_format_utc(time_ms, when);
    if (held == NULL)
        verify_differs(k->l->v, "meter %s, reading of %s/%s at %s: %s has %" PRId64 ", the books have none",
            name_of(k, point), point->gateway, point->point, when, source, told);
    else
        verify_differs(k->l->v,
            "meter %s, reading of %s/%s at %s: %s has %" PRId64 ", the books have %" PRId64,
            name_of(k, point), point->gateway, point->point, when, source, told, held->count);
}

/* ---- the archive ---- */

static void look_at_archived(void *look, const struct archived *reading)
{
    struct look *k = look;
    const struct meters_point *point = meters_point(&k->l->refold.meters, reading->gateway, reading->point);
    if (k->status != ST_OK || point == NULL || reading->is_of_wrong_clock)
        return;
    const struct books_reading *held = find(k, point->meter, reading->time_ms);
    if (k->status != ST_OK)
        return;
    /* Of a point that the model named only later the books have what the journal held then (E9): that is no difference. */
    if (held == NULL) {
        k->not_taken++;
    } else if (held->point == point->number && held->count != reading->count) {
        MEM_GROW(k->doubts, k->doubt_count, k->doubt_capacity);
        k->doubts[k->doubt_count++] = (struct doubt){
            .point = point, .time_ms = reading->time_ms, .told = reading->count, .held = held->count};
    }
}

static void settle_doubts(void *look, const struct archived *reading)
{
    struct look *k = look;
    const struct meters_point *point = meters_point(&k->l->refold.meters, reading->gateway, reading->point);
    for (size_t i = 0; i < k->doubt_count && point != NULL; i++) {
        struct doubt *d = &k->doubts[i];
        d->is_settled = d->is_settled || (d->point == point && d->time_ms == reading->time_ms &&
                                             d->held == reading->count && !reading->is_of_wrong_clock);
    }
}

/* Months of which there is nothing to hold against them are not unpacked. */
static bool has_evidence_of(struct look *k, int64_t month)
{
    if (month == k->month)
        return k->has_evidence;
    int64_t begin_ms = calendar_month_begin_ms(month), end_ms = calendar_month_begin_ms(month + 1);
    k->month = month;
    k->has_evidence = false;
    for (size_t i = 0; i < k->l->refold.meters.count && !k->has_evidence && k->status == ST_OK; i++) {
        struct books_reading first;
        size_t count = 0;
        k->status = books_evidence(
            k->l->evidence, &k->l->refold.meters.items[i].books, begin_ms - 1, &first, 1, &count, k->err);
        /* What is damaged was told when the meter was folded. */
        k->has_evidence = k->status == ST_INVALID || (count > 0 && first.time_ms < end_ms);
        if (k->status == ST_INVALID)
            k->status = ST_OK;
    }
    return k->has_evidence;
}

/* Chunks that are damaged are told by who verifies the archive. */
static enum status each_archived(struct look *k, archive_lines_take *take)
{
    struct db_stmt *chunks = db_keep(
        k->l->v->db, "SELECT id, hash, month FROM archive WHERE month >= ?1 AND month < ?2 ORDER BY id");
    struct buf text = {0};
    bool has_row, is_sound;
    db_bind_int(chunks, 1, k->l->v->from);
    db_bind_int(chunks, 2, k->l->v->to);
    while (k->status == ST_OK && (k->status = db_step(chunks, &has_row, k->err)) == ST_OK && has_row) {
        struct hash hash;
        buf_reset(&text);
        if (!hash_read(db_text(chunks, 1), &hash) || !has_evidence_of(k, db_int(chunks, 2)))
            continue;
        k->status = archive_read(k->l->v->db, db_int(chunks, 0), &hash, &text, &is_sound, k->err);
        if (k->status == ST_OK && is_sound)
            archive_lines_each((struct span){text.data, text.len}, take, k);
        progress_show(&k->l->v->progress, "held the books against chunk %lld of the archive",
            (long long)db_int(chunks, 0));
        if (k->status == ST_OK && program_is_asked_to_end())
            k->status = error_set(k->err, ST_TIMEOUT, "stopped");
    }
    db_reset(chunks);
    buf_release(&text);
    return k->status;
}

static enum status look_at_archive(struct look *k)
{
    enum status status = each_archived(k, look_at_archived);
    if (status == ST_OK && k->doubt_count > 0)
        status = each_archived(k, settle_doubts);
    for (size_t i = 0; i < k->doubt_count && status == ST_OK; i++) {
        const struct doubt *d = &k->doubts[i];
        struct books_reading held = {.count = d->held};
        if (!d->is_settled)
            tell(k, d->point, d->time_ms, d->told, &held, "the archive");
    }
    progress_end(&k->l->v->progress);
    if (status == ST_OK && k->not_taken > 0)
        printf("ledger: %" PRId64
               " readings of the archive are not in the books: as of points that the park model "
               "named only later\n",
            k->not_taken);
    return status;
}

/* ---- the journal ---- */

static void look_at_reading(
    struct look *k, int64_t journal, struct span gateway, const struct reading *reading)
{
    const struct meters_point *point = meters_point(&k->l->refold.meters, gateway, reading->point);
    if (point == NULL || reading->kind != READING_REGISTER || reading->quality == QUALITY_CLOCK)
        return;
    const struct books_reading *held = find(k, point->meter, reading->time_ms);
    if (k->status != ST_OK)
        return;
    bool is_its_own = held != NULL && held->journal == journal && held->point == point->number;
    if (is_its_own && held->count == reading->count)
        k->l->matched[point->meter]++;
    else if (is_its_own || (held == NULL && journal > point->since && journal <= k->l->position))
        tell(k, point, reading->time_ms, reading->count, held, "the journal");
}

static void look_at_batch(struct look *k, struct db_stmt *batch)
{
    struct journal_lines lines;
    struct span line;
    journal_lines_begin(&lines, db_text(batch, 2), db_text(batch, 3));
    while (k->status == ST_OK && journal_lines_next(&lines, &line)) {
        struct reading reading;
        if (batch_read_reading(line, &reading, NULL) == ST_OK)
            look_at_reading(k, db_int(batch, 0), db_text(batch, 1), &reading);
    }
}

static enum status look_at_journal(struct look *k)
{
    struct db_stmt *next =
        db_keep(k->l->v->db, "SELECT j.id, g.name, j.payload, j.skipped"
                             " FROM journal j JOIN gateway g ON g.id = j.gateway ORDER BY j.id");
    bool has_row;
    while (k->status == ST_OK && (k->status = db_step(next, &has_row, k->err)) == ST_OK && has_row) {
        look_at_batch(k, next);
        progress_show(&k->l->v->progress, "held the books against batch %lld of the journal",
            (long long)db_int(next, 0));
        if (k->status == ST_OK && program_is_asked_to_end())
            k->status = error_set(k->err, ST_TIMEOUT, "stopped");
    }
    db_reset(next);
    return k->status;
}

static void tell_made_up(struct look *k)
{
    for (size_t i = 0; i < k->l->refold.meters.count; i++)
        if (k->l->held[i] > k->l->matched[i])
            verify_differs(k->l->v,
                "meter %s: %" PRId64
                " readings of the books name batches of the journal that do not have them so",
                k->l->refold.meters.items[i].park->id, k->l->held[i] - k->l->matched[i]);
}

enum status verify_readings(struct verify_ledger *l, struct error *err)
{
    struct look k = {.l = l, .month = INT64_MIN, .err = err};
    k.hours = mem_zalloc((l->refold.meters.count + 1) * sizeof *k.hours);
    for (size_t i = 0; i < l->refold.meters.count; i++)
        k.hours[i].begin_ms = INT64_MIN;
    enum status status = look_at_archive(&k);
    if (status == ST_OK)
        status = look_at_journal(&k);
    if (status == ST_OK)
        tell_made_up(&k);
    for (size_t i = 0; i < l->refold.meters.count; i++)
        readings_release(&k.hours[i].readings);
    free(k.hours);
    free(k.doubts);
    return status;
}
