#include "collector/bundle/csv.h"
#include "collector/bundle/writer.h"
#include "collector/evidence/archive.h"
#include "collector/evidence/archive_lines.h"
#include "lib/calendar.h"
#include "lib/mem.h"
#include "lib/program.h"

#include <stdlib.h>
#include <string.h>

#define PART_BYTES ((size_t)32 << 20) /* another part is begun behind so much */

/* One pass through the archive's chunks. A batch is told by the first of its readings that the books have of it. */
struct pass {
    struct writer *w;
    bool *is_here; /* by meter: are its readings in the bundle? */
    int64_t last;  /* number of the batch that was told last, of the month: they stand in their order */
    struct archive_origin told;
    int64_t part; /* the number of the one in hand; 0 = none */
    enum status status;
    struct error *err;
};

static enum status put_part(struct pass *p)
{
    char *name = mem_printf("archived/%lld.csv", (long long)p->part);
    enum status status = writer_put(p->w, name, &p->w->part, p->err);
    free(name);
    return status;
}

static void add_row(struct pass *p)
{
    struct buf *out = &p->w->part;
    if (p->part > 0 && out->len > PART_BYTES)
        p->status = put_part(p);
    if (p->part == 0 || out->len > PART_BYTES) {
        p->part++;
        buf_reset(out);
        csv_begin(out, BUNDLE_ARCHIVED);
    }
    csv_int(out, p->last);
    csv_text(out, span_of(p->told.gateway));
    csv_text(out, span_of(p->told.epoch));
    csv_int(out, p->told.seq);
    csv_end(out);
}

static bool is_told(const struct pass *p, const struct archived *r)
{
    return p->last != 0 && r->seq == p->told.seq && span_is(r->epoch, p->told.epoch) &&
           span_is(r->gateway, p->told.gateway);
}

/* A reading that stands twice was brought by the first: of the second the books have a lower number. */
static void take(void *pass, const struct archived *r)
{
    struct pass *p = pass;
    struct writer *w = p->w;
    struct books_reading held;
    size_t count;
    if (p->status != ST_OK || r->is_of_wrong_clock || is_told(p, r) || r->time_ms <= w->after_ms ||
        r->time_ms > w->until_ms)
        return;
    const struct meters_point *point = meters_point(&w->refold.meters, r->gateway, r->point);
    if (point == NULL || !p->is_here[point->meter])
        return;
    p->status = books_evidence(
        w->evidence, &w->refold.meters.items[point->meter].books, r->time_ms - 1, &held, 1, &count, p->err);
    bool is_its_own = p->status == ST_OK && count == 1 && held.time_ms == r->time_ms &&
                      held.point == point->number && held.count == r->count && held.journal > p->last;
    if (!is_its_own || r->gateway.len >= sizeof p->told.gateway || r->epoch.len >= sizeof p->told.epoch)
        return;
    p->last = held.journal;
    p->told = (struct archive_origin){.seq = r->seq};
    memcpy(p->told.gateway, r->gateway.at, r->gateway.len);
    memcpy(p->told.epoch, r->epoch.at, r->epoch.len);
    add_row(p);
}

/* The statement stands on the chunk. What is damaged `verify` tells. */
static enum status go_through(struct pass *p, struct db_stmt *chunk, struct buf *text, struct error *err)
{
    struct hash hash;
    bool is_sound = hash_read(db_text(chunk, 1), &hash);
    buf_reset(text);
    enum status status =
        is_sound ? archive_read(p->w->subject.db, db_int(chunk, 0), &hash, text, &is_sound, err) : ST_OK;
    if (status == ST_OK && is_sound)
        archive_lines_each((struct span){text->data != NULL ? text->data : "", text->len}, take, p);
    progress_show(&p->w->progress, "chunk %lld of the archive", (long long)db_int(chunk, 0));
    if (status == ST_OK && program_is_asked_to_end())
        return error_set(err, ST_TIMEOUT, "stopped");
    return status == ST_OK ? p->status : status;
}

static enum status each_chunk(struct pass *p, struct error *err)
{
    struct db_stmt *next = db_keep(p->w->subject.db,
        "SELECT id, hash, month FROM archive WHERE month BETWEEN ?1 AND ?2 ORDER BY month, id");
    struct buf text = {0};
    int64_t month = INT64_MIN;
    bool has_row;
    enum status status;
    db_bind_int(next, 1, p->w->after_ms < 0 ? 0 : calendar_month(p->w->after_ms));
    db_bind_int(next, 2, p->w->until_ms == INT64_MAX ? INT64_MAX : calendar_month(p->w->until_ms));
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        if (db_int(next, 2) != month)
            p->last = 0;
        month = db_int(next, 2);
        if ((status = go_through(p, next, &text, err)) != ST_OK)
            break;
    }
    db_reset(next);
    buf_release(&text);
    return status;
}

enum status writer_put_archived(struct writer *w, struct error *err)
{
    size_t count = w->refold.meters.count;
    struct pass pass = {.w = w, .is_here = mem_zalloc(count + 1), .err = err};
    for (size_t i = 0; i < count; i++)
        pass.is_here[i] = writer_needs(w, w->refold.meters.items[i].park);
    enum status status = each_chunk(&pass, err);
    if (status == ST_OK && pass.part > 0)
        status = put_part(&pass);
    free(pass.is_here);
    return status;
}
