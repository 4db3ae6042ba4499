#include "collector/verify/verify_ledger.h"

#include "collector/model/version.h"
#include "lib/mem.h"
#include "lib/program.h"

#include <stdio.h>
#include <stdlib.h>

/* The books' rows of a meter against the same folded anew. */
static enum status verify_meter(struct verify_ledger *l, size_t at, struct error *err)
{
    const struct meters_item *item = &l->refold.meters.items[at];
    const struct refold_source source = {.books = l->evidence,
        .after_ms = INT64_MIN,
        .until_ms = INT64_MAX,
        .on_readings = verify_note_readings,
        .context = l};
    int64_t count;
    l->at = at;
    enum status status = refold_meter(&l->refold, item, &source, &count, err);
    if (status == ST_INVALID) { /* what cannot be read is told, and the others go on */
        verify_differs(l->v, "meter %s: %s", item->park->id, err->text);
        status = ST_OK;
    } else if (status == ST_OK) {
        status = verify_folded(l, item, err);
        if (status == ST_OK)
            status = verify_rows(l, item, err);
    }
    l->v->meters++;
    return status == ST_OK ? refold_forget(&l->refold, item, NULL, err) : status;
}

static enum status verify_meters(struct verify_ledger *l, struct error *err)
{
    enum status status = ST_OK;
    l->matched = mem_zalloc((l->refold.meters.count + 1) * sizeof *l->matched);
    l->held = mem_zalloc((l->refold.meters.count + 1) * sizeof *l->held);
    for (size_t i = 0; i < l->refold.meters.count && status == ST_OK; i++)
        status = verify_meter(l, i, err);
    if (status == ST_OK)
        status = verify_readings(l, err);
    free(l->matched);
    free(l->held);
    return status;
}

bool verify_note_readings(void *ledger, const struct books_reading *readings, size_t count)
{
    struct verify_ledger *l = ledger;
    for (size_t i = 0; i < count; i++)
        if (readings[i].journal >= l->oldest)
            l->held[l->at]++;
    l->readings += (int64_t)count;
    progress_show(&l->v->progress, "folded %zu of %zu meters, %lld readings", l->at, l->refold.meters.count,
        (long long)l->readings);
    return !program_is_asked_to_end();
}

/* Meters that have books, but that the model does not name any more. */
static enum status count_unnamed(struct verify_ledger *l, int64_t *ret, struct error *err)
{
    struct db_stmt *count = db_keep(l->v->db, "SELECT count(*) FROM ledger_meter");
    bool has_row;
    enum status status = db_step(count, &has_row, err);
    *ret = status == ST_OK ? db_int(count, 0) : 0;
    db_reset(count);
    for (size_t i = 0; i < l->refold.meters.count; i++)
        *ret -= l->refold.meters.items[i].books.id > 0;
    return status;
}

static enum status verify_by(struct verify_ledger *l, const struct model *model, struct error *err)
{
    int64_t unnamed = 0;
    enum status status = refold_open(&l->refold, err);
    if (status == ST_OK)
        status = refold_copy(&l->refold, l->v->db, err);
    if (status == ST_OK)
        status = refold_use(&l->refold, model->park, err);
    if (status == ST_OK)
        status = verify_meters(l, err);
    if (status == ST_OK)
        status = verify_closings(l, model->park, err);
    if (status == ST_OK)
        status = count_unnamed(l, &unnamed, err);
    progress_end(&l->v->progress);
    if (status == ST_OK && l->v->meters > 0 && l->v->quarters == 0 && l->v->from_ms != INT64_MIN)
        printf("ledger: no evidence of this period\n");
    else if (status == ST_OK && !l->v->has_difference && l->v->meters > 0)
        printf(
            "ledger: %lld meters folded anew from %lld readings: %lld quarter hours are what the books say\n",
            (long long)l->v->meters, (long long)l->readings, (long long)l->v->quarters);
    if (status == ST_OK && !l->v->has_difference && l->v->bookings > 0)
        printf("closings: %lld figures of meters and months are what the versions give that they name\n",
            (long long)l->v->bookings);
    if (status == ST_OK && unnamed > 0)
        printf("ledger: %lld meters are not looked at: the park model does not name them any more\n",
            (long long)unnamed);
    refold_close(&l->refold);
    return status;
}

enum status verify_ledger(struct verify *v, struct error *err)
{
    struct version version;
    struct verify_ledger l = {.v = v};
    progress_begin(&v->progress);
    enum status status = version_newest(v->db, &version, err);
    if (status != ST_OK || version.number == 0) /* no model: there are no books */
        return status;
    status = verify_decisions(&l, err);
    if (status == ST_OK)
        status = verify_closing_seals(&l, err);
    if (status == ST_OK)
        status = verify_find_oldest(&l, err);
    struct model *model = version_model(&version);
    l.evidence = books_create(v->db, 1);
    if (status == ST_OK)
        status = verify_by(&l, model, err);
    if (status == ST_OK)
        status = verify_temperatures(v, model->park, err);
    if (status == ST_OK)
        status = verify_told(v, model->park, err);
    books_destroy(l.evidence);
    model_put(model);
    version_release(&version);
    return status;
}
