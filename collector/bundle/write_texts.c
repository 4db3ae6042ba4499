#include "collector/bundle/csv.h"
#include "collector/bundle/writer.h"
#include "collector/ledger/decided.h"
#include "lib/calendar.h"
#include "lib/clock.h"
#include "lib/id.h"

#include <stdlib.h>

/* ---- the park model ---- */

static void add_text_or_none(struct buf *out, const char *text)
{
    csv_text(out, text != NULL ? span_of(text) : SPAN(""));
}

static enum status put_file(struct writer *w, enum model_file file, struct error *err)
{
    const struct version *v = &w->subject.accepted->version;
    if (v->texts[file] == NULL)
        return ST_OK;
    buf_reset(&w->part);
    buf_add(&w->part, v->texts[file], v->sizes[file]);
    return writer_put(w, bundle_model_parts[file], &w->part, err);
}

enum status writer_put_model(struct writer *w, struct error *err)
{
    const struct version *v = &w->subject.accepted->version;
    char hash[HASH_TEXT_SIZE];
    hash_format(&v->hash, hash);
    buf_reset(&w->part);
    csv_begin(&w->part, BUNDLE_MODEL);
    csv_int(&w->part, v->number);
    csv_time(&w->part, v->accepted_ms);
    csv_text(&w->part, span_of(hash));
    for (int i = 0; i < MODEL_FILES; i++)
        add_text_or_none(&w->part, v->names[i]);
    add_text_or_none(&w->part, v->who);
    add_text_or_none(&w->part, v->why);
    csv_end(&w->part);
    enum status status = writer_put(w, "model.csv", &w->part, err);
    for (int i = 0; i < MODEL_FILES && status == ST_OK; i++)
        status = put_file(w, (enum model_file)i, err);
    return status;
}

/* ---- decisions ---- */

/* Is the meter of this number one whose readings are here? */
static const char *meter_of(const struct writer *w, int64_t number)
{
    for (size_t i = 0; i < w->refold.meters.count; i++)
        if (w->refold.meters.items[i].books.id == number)
            return writer_needs(w, w->refold.meters.items[i].park) ? w->refold.meters.items[i].park->id
                                                                   : NULL;
    return NULL;
}

/* Of an outlier: the times, parted by blanks. */
static enum status add_times(struct writer *w, int64_t decision, struct error *err)
{
    struct db_stmt *next = db_keep(
        w->subject.db, "SELECT time_ms FROM ledger_decision_time WHERE decision = ?1 ORDER BY time_ms");
    struct buf times = {0};
    bool has_row;
    enum status status;
    db_bind_int(next, 1, decision);
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        char time[CLOCK_TEXT_SIZE];
        clock_format_utc(db_int(next, 0), time);
        buf_printf(&times, "%s%s", times.len > 0 ? " " : "", time);
    }
    db_reset(next);
    csv_text(&w->part, (struct span){times.data != NULL ? times.data : "", times.len});
    buf_release(&times);
    return status;
}

static void add_numbers(struct buf *out, struct db_stmt *row, int from, int until)
{
    for (int column = from; column <= until; column++)
        csv_some(out, !db_is_null(row, column), db_int(row, column));
}

static enum status add_decision(struct writer *w, struct db_stmt *row, const char *meter, struct error *err)
{
    struct buf *out = &w->part;
    csv_int(out, db_int(row, 0));
    csv_text(out, span_of(meter));
    csv_text(out, span_of(decided_kind_name((enum ruling_kind)db_int(row, 2))));
    csv_time(out, db_int(row, 3));
    csv_time(out, db_int(row, 4));
    add_numbers(out, row, 5, 11);
    csv_text(out, db_text(row, 12));
    add_numbers(out, row, 13, 14);
    enum status status = add_times(w, db_int(row, 0), err);
    add_numbers(out, row, 15, 16);
    csv_time(out, db_int(row, 17));
    add_numbers(out, row, 18, 18);
    csv_text(out, db_text(row, 19));
    csv_text(out, db_text(row, 20));
    csv_end(out);
    return status;
}

enum status writer_put_decisions(struct writer *w, struct error *err)
{
    struct db_stmt *next = db_keep(w->subject.db, "SELECT id, meter, kind, from_ms, until_ms, end_count, "
                                                  "start_count, modulus, resolution, max_rate, p, q,"
                                                  "  serial, energy, count, withdraws, forced, time_ms, "
                                                  "token, who, why FROM ledger_decision ORDER BY id");
    bool has_row;
    enum status status;
    buf_reset(&w->part);
    csv_begin(&w->part, BUNDLE_DECISIONS);
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        const char *meter = meter_of(w, db_int(next, 1));
        if (meter != NULL && (status = add_decision(w, next, meter, err)) != ST_OK)
            break;
    }
    db_reset(next);
    return status == ST_OK ? writer_put(w, "decisions.csv", &w->part, err) : status;
}

/* ---- where it came from ---- */

enum status writer_put_batches(struct writer *w, struct error *err)
{
    struct db_stmt *find =
        db_keep(w->subject.db, "SELECT j.id, g.name, j.epoch, j.seq, j.received_ms"
                               " FROM journal j JOIN gateway g ON g.id = j.gateway WHERE j.id = ?1");
    enum status status = ST_OK;
    buf_reset(&w->part);
    csv_begin(&w->part, BUNDLE_BATCHES);
    for (size_t i = 0; i < w->batch_count && status == ST_OK; i++) {
        bool has_row;
        db_bind_int(find, 1, w->batches[i]);
        status = db_step(find, &has_row, err);
        if (status == ST_OK && has_row) {
            char epoch[EPOCH_TEXT_SIZE];
            epoch_format((uint64_t)db_int(find, 2), epoch);
            csv_int(&w->part, db_int(find, 0));
            csv_text(&w->part, db_text(find, 1));
            csv_text(&w->part, span_of(epoch));
            csv_int(&w->part, db_int(find, 3));
            csv_time(&w->part, db_int(find, 4));
            csv_end(&w->part);
        }
        db_reset(find);
    }
    return status == ST_OK ? writer_put(w, "batches.csv", &w->part, err) : status;
}

enum status writer_put_seals(struct writer *w, struct error *err)
{
    struct db_stmt *next =
        db_keep(w->subject.db, "SELECT number, month, supplement, readings, hash, sealed_ms FROM seal"
                               " WHERE month BETWEEN ?1 AND ?2 ORDER BY number");
    bool has_row;
    enum status status;
    buf_reset(&w->part);
    csv_begin(&w->part, BUNDLE_SEALS);
    db_bind_int(next, 1, calendar_month(w->subject.span.begin_ms));
    db_bind_int(next, 2, calendar_month(w->subject.span.end_ms - 1));
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        char month[CALENDAR_MONTH_SIZE], text[HASH_TEXT_SIZE] = "";
        struct hash hash;
        calendar_month_format(db_int(next, 1), month);
        if (hash_read(db_text(next, 4), &hash))
            hash_format(&hash, text);
        csv_int(&w->part, db_int(next, 0));
        csv_text(&w->part, span_of(month));
        csv_int(&w->part, db_int(next, 2));
        csv_int(&w->part, db_int(next, 3));
        csv_text(&w->part, span_of(text));
        csv_time(&w->part, db_int(next, 5));
        csv_end(&w->part);
    }
    db_reset(next);
    return status == ST_OK ? writer_put(w, "seals.csv", &w->part, err) : status;
}
