#include "collector/intake/journal.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define CONTENT_MAX 4096

/* Buckets of time by which batches are found again: a batch lies in each bucket of the finest width of which it needs at most
 * BUCKETS_MAX. The last width is one bucket for all. */
#define BUCKETS_MAX 32
static const int64_t widths_ms[] = {HOUR_MS, DAY_MS, INT64_MAX};
#define WIDTHS (sizeof widths_ms / sizeof widths_ms[0])

static enum status add_spans(struct db *db, const struct journal_batch *batch, int64_t id, struct error *err)
{
    size_t w = 0;
    while (w < WIDTHS - 1 && batch->to_ms / widths_ms[w] - batch->from_ms / widths_ms[w] >= BUCKETS_MAX)
        w++;
    struct db_stmt *add = db_keep(db, "INSERT INTO journal_span VALUES(?, ?, ?, ?, ?, ?)");
    enum status status = ST_OK;
    for (int64_t bucket = batch->from_ms / widths_ms[w];
         bucket <= batch->to_ms / widths_ms[w] && status == ST_OK; bucket++) {
        db_bind_int(add, 1, batch->gateway);
        db_bind_int(add, 2, widths_ms[w]);
        db_bind_int(add, 3, bucket);
        db_bind_int(add, 4, id);
        db_bind_int(add, 5, batch->from_ms);
        db_bind_int(add, 6, batch->to_ms);
        status = db_run(add, err);
    }
    return status;
}

enum status journal_add(struct db *db, const struct journal_batch *batch, struct error *err)
{
    struct db_stmt *add = db_keep(db,
        "INSERT INTO journal(gateway, epoch, seq, received_ms, lines, payload, skipped) VALUES(?, ?, ?, ?, ?, ?, ?)");
    db_bind_int(add, 1, batch->gateway);
    db_bind_int(add, 2, (int64_t)batch->header->epoch);
    db_bind_int(add, 3, batch->header->seq);
    db_bind_int(add, 4, batch->received_ms);
    db_bind_int(add, 5, batch->lines);
    db_bind_blob(add, 6, batch->payload);
    if (batch->skipped != NULL)
        db_bind_text(add, 7, span_of(batch->skipped));
    else
        db_bind_null(add, 7);
    enum status status = db_run(add, err);
    if (status != ST_OK || batch->from_ms > batch->to_ms)
        return status;
    return add_spans(db, batch, db_last_id(db), err);
}

static void visit_batch(struct span payload, struct span skipped, int64_t from_ms, int64_t to_ms, journal_visit *visit,
    void *context)
{
    struct batch_header header;
    struct span body, line;
    if (batch_read_header(payload, &header, &body, NULL) != ST_OK)
        return;
    char *list = mem_strndup(skipped.at ? skipped.at : "", skipped.len), *rest = list;
    long next_skipped = *rest != '\0' ? strtol(rest, &rest, 10) : -1;
    for (long number = 0; batch_next_line(&body, &line); number++) {
        if (number == next_skipped) {
            next_skipped = *rest == ',' ? strtol(rest + 1, &rest, 10) : -1;
            continue;
        }
        struct reading reading;
        if (batch_read_reading(line, &reading, NULL) == ST_OK && reading.time_ms >= from_ms && reading.time_ms <= to_ms)
            visit(context, &reading);
    }
    free(list);
}

enum status journal_find(struct db *db, int64_t gateway, int64_t from_ms, int64_t to_ms, journal_visit *visit,
    void *context, struct error *err)
{
    /* A batch lies in several buckets; DISTINCT visits it once. */
    struct db_stmt *find = db_keep(db,
        "SELECT payload, skipped FROM journal WHERE id IN (SELECT DISTINCT journal FROM journal_span WHERE gateway = ?"
        " AND width_ms = ? AND bucket BETWEEN ? AND ? AND to_ms >= ? AND from_ms <= ?) ORDER BY id");
    enum status status = ST_OK;
    for (size_t w = 0; w < WIDTHS && status == ST_OK; w++) {
        db_bind_int(find, 1, gateway);
        db_bind_int(find, 2, widths_ms[w]);
        db_bind_int(find, 3, from_ms / widths_ms[w]);
        db_bind_int(find, 4, to_ms / widths_ms[w]);
        db_bind_int(find, 5, from_ms);
        db_bind_int(find, 6, to_ms);
        bool has_row;
        while ((status = db_step(find, &has_row, err)) == ST_OK && has_row)
            visit_batch(db_text(find, 0), db_text(find, 1), from_ms, to_ms, visit, context);
    }
    return status;
}

enum status journal_quarantine(struct db *db, const struct quarantine_entry *entry, struct error *err)
{
    struct db_stmt *add = db_keep(db, "INSERT INTO quarantine(gateway, epoch, seq, line, reason, content, recorded_ms)"
                                      " VALUES(?, ?, ?, ?, ?, ?, ?)");
    struct span content = entry->content;
    if (content.len > CONTENT_MAX)
        content.len = CONTENT_MAX;
    db_bind_text(add, 1, span_of(entry->gateway));
    if (entry->header != NULL) {
        db_bind_int(add, 2, (int64_t)entry->header->epoch);
        db_bind_int(add, 3, entry->header->seq);
    } else {
        db_bind_null(add, 2);
        db_bind_null(add, 3);
    }
    if (entry->line >= 0)
        db_bind_int(add, 4, entry->line);
    else
        db_bind_null(add, 4);
    db_bind_text(add, 5, span_of(entry->reason));
    db_bind_blob(add, 6, content);
    db_bind_int(add, 7, entry->recorded_ms);
    return db_run(add, err);
}

enum status journal_reject(struct db *db, int64_t journal, int64_t line, const char *reason, struct span content,
    int64_t recorded_ms, struct error *err)
{
    struct db_stmt *add = db_keep(db,
        "INSERT INTO quarantine(gateway, epoch, seq, line, reason, content, recorded_ms)"
        " SELECT coalesce(g.name, ''), j.epoch, j.seq, ?2, ?3, ?4, ?5 FROM (SELECT ?1 AS id) r"
        " LEFT JOIN journal j ON j.id = r.id LEFT JOIN gateway g ON g.id = j.gateway");
    db_bind_int(add, 1, journal);
    db_bind_int(add, 2, line);
    db_bind_text(add, 3, span_of(reason));
    db_bind_blob(add, 4, content);
    db_bind_int(add, 5, recorded_ms);
    return db_run(add, err);
}

static void bind_known(struct db_stmt *s, int index, int64_t value)
{
    if (value != 0)
        db_bind_int(s, index, value);
    else
        db_bind_null(s, index);
}

enum status journal_loss(struct db *db, int64_t gateway, const struct loss_entry *entry, struct error *err)
{
    struct db_stmt *add = db_keep(db, "INSERT INTO loss(gateway, epoch, first_seq, last_seq, readings, from_ms, to_ms,"
                                      " reason, recorded_ms) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
    db_bind_text(add, 1, span_of(entry->gateway));
    bind_known(add, 2, (int64_t)entry->epoch);
    bind_known(add, 3, entry->first_seq);
    bind_known(add, 4, entry->last_seq);
    bind_known(add, 5, entry->readings);
    bind_known(add, 6, entry->from_ms);
    bind_known(add, 7, entry->to_ms);
    db_bind_text(add, 8, span_of(entry->reason));
    db_bind_int(add, 9, entry->recorded_ms);
    enum status status = db_run(add, err);
    if (status != ST_OK)
        return status;
    struct db_stmt *count = db_keep(db, "UPDATE gateway SET lost = lost + 1 WHERE id = ?");
    db_bind_int(count, 1, gateway);
    return db_run(count, err);
}

static enum status run_prune(struct db_stmt *s, int64_t before_ms, int64_t settled, int64_t limit, struct error *err)
{
    db_bind_int(s, 1, before_ms);
    db_bind_int(s, 2, settled);
    db_bind_int(s, 3, limit);
    return db_run(s, err);
}

enum status journal_prune(struct db *db, int64_t before_ms, int64_t settled, int64_t limit, struct error *err)
{
    /* Ids grow with arrival, so the oldest rows are the first. */
    static const char *const scripts[] = {
        "DELETE FROM journal_span WHERE journal IN (SELECT id FROM journal WHERE received_ms < ?1 AND id <= ?2"
        " ORDER BY id LIMIT ?3)",
        "DELETE FROM journal WHERE id IN (SELECT id FROM journal WHERE received_ms < ?1 AND id <= ?2"
        " ORDER BY id LIMIT ?3)",
        "DELETE FROM quarantine WHERE id IN (SELECT id FROM quarantine WHERE recorded_ms < ?1 AND ?2 >= 0"
        " ORDER BY id LIMIT ?3)",
    };
    enum status status = ST_OK;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0] && status == ST_OK; i++)
        status = run_prune(db_keep(db, scripts[i]), before_ms, settled, limit, err);
    return status;
}

enum status journal_newest(struct db *db, int64_t *ret, struct error *err)
{
    struct db_stmt *newest = db_keep(db, "SELECT max(id) FROM journal");
    bool has_row;
    enum status status = db_step(newest, &has_row, err);
    if (status != ST_OK)
        return status;
    *ret = has_row ? db_int(newest, 0) : 0;
    db_reset(newest);
    return ST_OK;
}
