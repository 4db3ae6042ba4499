#include "collector/intake/journal.h"

#include "lib/id.h"
#include "lib/mem.h"
#include "lib/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define CONTENT_MAX 4096

/* Buckets of time by which batches are found again: a batch lies in each bucket of the finest width of which
 * it needs at most BUCKETS_MAX. The last width is one bucket for all. */
#define BUCKETS_MAX 32
const int64_t journal_widths_ms[JOURNAL_WIDTHS] = {HOUR_MS, DAY_MS, INT64_MAX};
#define SPAN_COST_BYTES 512 /* looking at a row of journal_span takes as long as reading so much */

static enum status add_spans(struct db *db, const struct journal_batch *batch, int64_t id, struct error *err)
{
    size_t w = 0;
    while (w < JOURNAL_WIDTHS - 1 &&
           batch->to_ms / journal_widths_ms[w] - batch->from_ms / journal_widths_ms[w] >= BUCKETS_MAX)
        w++;
    struct db_stmt *add = db_keep(db, "INSERT INTO journal_span VALUES(?, ?, ?, ?, ?, ?)");
    enum status status = ST_OK;
    for (int64_t bucket = batch->from_ms / journal_widths_ms[w];
         bucket <= batch->to_ms / journal_widths_ms[w] && status == ST_OK; bucket++) {
        db_bind_int(add, 1, batch->gateway);
        db_bind_int(add, 2, journal_widths_ms[w]);
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
    struct db_stmt *add = db_keep(db, "INSERT INTO journal(gateway, epoch, seq, received_ms, lines, payload, "
                                      "skipped) VALUES(?, ?, ?, ?, ?, ?, ?)");
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

/* The first of the times that is not before this one, by bisection. */
static size_t lower_bound(const struct journal_search *s, int64_t time_ms)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->times_ms[middle] < time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_wanted(const struct journal_search *s, int64_t time_ms)
{
    size_t i = lower_bound(s, time_ms);
    return i < s->count && s->times_ms[i] == time_ms;
}

/* Spares parsing most lines: the time stamp is the digits behind the last space. What it does not understand
 * it leaves to the parser. */
static bool may_be_wanted(const struct journal_search *s, struct span line)
{
    int64_t time_ms = 0, unit = 1;
    size_t digits = 0;
    while (digits < line.len && digits < 18) {
        char c = line.at[line.len - 1 - digits];
        if (c < '0' || c > '9')
            break;
        time_ms += (c - '0') * unit;
        unit *= 10;
        digits++;
    }
    bool is_understood = digits > 0 && digits < line.len && line.at[line.len - 1 - digits] == ' ';
    return !is_understood || is_wanted(s, time_ms);
}

/* The lines of a batch without those that are skipped. */
struct kept_lines {
    struct span body, skipped; /* what is left of them */
    int64_t number, next_skipped;
};

static void take_skipped(struct kept_lines *k)
{
    const char *comma = k->skipped.len > 0 ? memchr(k->skipped.at, ',', k->skipped.len) : NULL;
    size_t len = comma != NULL ? (size_t)(comma - k->skipped.at) : k->skipped.len;
    if (!number_parse_int64(k->skipped.at, len, &k->next_skipped))
        k->next_skipped = -1;
    len += comma != NULL;
    k->skipped = (struct span){k->skipped.at + len, k->skipped.len - len};
}

/* False where the payload is no batch. */
static bool open_kept_lines(struct span payload, struct span skipped, struct kept_lines *ret)
{
    struct batch_header header;
    *ret = (struct kept_lines){.skipped = skipped};
    take_skipped(ret);
    return batch_read_header(payload, &header, &ret->body, NULL) == ST_OK;
}

static bool next_kept_line(struct kept_lines *k, struct span *ret)
{
    while (batch_next_line(&k->body, ret)) {
        if (k->number++ != k->next_skipped)
            return true;
        take_skipped(k);
    }
    return false;
}

static void visit_batch(const struct journal_search *s, struct span payload, struct span skipped,
    journal_visit *visit, void *context)
{
    struct kept_lines lines;
    struct span line;
    struct reading reading;
    if (!open_kept_lines(payload, skipped, &lines))
        return;
    while (next_kept_line(&lines, &line))
        if (may_be_wanted(s, line) && batch_read_reading(line, &reading, NULL) == ST_OK &&
            is_wanted(s, reading.time_ms))
            visit(context, &reading);
}

static enum status read_batch(struct db *db, const struct journal_search *s, int64_t id, journal_visit *visit,
    void *context, int64_t *budget, struct error *err)
{
    struct db_stmt *read = db_keep(db, "SELECT payload, skipped FROM journal WHERE id = ?");
    db_bind_int(read, 1, id);
    bool has_row;
    enum status status = db_step(read, &has_row, err);
    if (status == ST_OK && has_row) {
        struct span payload = db_text(read, 0);
        *budget -= (int64_t)payload.len;
        visit_batch(s, payload, db_text(read, 1), visit, context);
        db_reset(read);
    }
    return status;
}

/* A batch lies in every bucket from its first reading to its last; it is read in the first of them in which a
 * time is looked for. */
static bool is_read_here(
    const struct journal_search *s, int64_t width_ms, int64_t bucket, int64_t from_ms, int64_t to_ms)
{
    size_t i = lower_bound(s, from_ms);
    return i < s->count && s->times_ms[i] <= to_ms && s->times_ms[i] / width_ms == bucket;
}

static enum status search_bucket(struct db *db, struct journal_search *s, int64_t bucket,
    journal_visit *visit, void *context, int64_t *budget, bool *ret_is_done, struct error *err)
{
    struct db_stmt *spans = db_keep(db,
        "SELECT journal, from_ms, to_ms FROM journal_span WHERE gateway = ? AND width_ms = ? AND bucket = ?"
        " AND journal > ? ORDER BY journal");
    int64_t width_ms = journal_widths_ms[s->width];
    db_bind_int(spans, 1, s->gateway);
    db_bind_int(spans, 2, width_ms);
    db_bind_int(spans, 3, bucket);
    db_bind_int(spans, 4, s->after);
    enum status status = ST_OK;
    bool has_row = true;
    while (*budget > 0 && (status = db_step(spans, &has_row, err)) == ST_OK && has_row) {
        s->after = db_int(spans, 0);
        *budget -= SPAN_COST_BYTES;
        if (is_read_here(s, width_ms, bucket, db_int(spans, 1), db_int(spans, 2)))
            status = read_batch(db, s, s->after, visit, context, budget, err);
        if (status != ST_OK)
            break;
    }
    db_reset(spans);
    *ret_is_done = !has_row;
    return status;
}

enum status journal_find(struct db *db, struct journal_search *s, int64_t budget, journal_visit *visit,
    void *context, bool *ret_is_done, struct error *err)
{
    *ret_is_done = false;
    for (; s->width < JOURNAL_WIDTHS; s->width++, s->at = 0)
        while (s->at < s->count) {
            int64_t width_ms = journal_widths_ms[s->width], bucket = s->times_ms[s->at] / width_ms;
            bool is_over;
            enum status status = search_bucket(db, s, bucket, visit, context, &budget, &is_over, err);
            if (status != ST_OK || !is_over)
                return status;
            s->after = 0;
            while (s->at < s->count && s->times_ms[s->at] / width_ms == bucket)
                s->at++;
        }
    *ret_is_done = true;
    return ST_OK;
}

enum status journal_replay(
    struct db *db, int64_t after, journal_on_reading *on_reading, void *context, struct error *err)
{
    struct db_stmt *batches = db_keep(db, "SELECT g.name, j.received_ms, j.payload, j.skipped"
                                          " FROM journal j JOIN gateway g ON g.id = j.gateway"
                                          " WHERE j.id > ? ORDER BY j.id");
    db_bind_int(batches, 1, after);
    bool has_row;
    enum status status;
    while ((status = db_step(batches, &has_row, err)) == ST_OK && has_row) {
        struct kept_lines lines;
        struct span line, gateway = db_text(batches, 0);
        int64_t received_ms = db_int(batches, 1);
        struct reading reading;
        if (!open_kept_lines(db_text(batches, 2), db_text(batches, 3), &lines))
            continue;
        while (next_kept_line(&lines, &line))
            if (batch_read_reading(line, &reading, NULL) == ST_OK)
                on_reading(context, gateway, received_ms, &reading);
    }
    return status;
}

static bool has_room(int64_t of_gateway, int64_t of_all)
{
    return of_gateway < QUARANTINE_SHARE_BYTES ||
           (of_gateway < QUARANTINE_GATEWAY_BYTES && of_all < QUARANTINE_BYTES);
}

static enum status check_room(struct db *db, struct span gateway, bool *ret, struct error *err)
{
    struct db_stmt *sizes =
        db_keep(db, "SELECT gateway = '*', bytes FROM quarantine_size WHERE gateway IN (?, '*')");
    db_bind_text(sizes, 1, gateway);
    int64_t bytes[2] = {0};
    bool has_row;
    enum status status;
    while ((status = db_step(sizes, &has_row, err)) == ST_OK && has_row)
        bytes[db_int(sizes, 0)] = db_int(sizes, 1);
    *ret = has_room(bytes[0], bytes[1]);
    return status;
}

static enum status count_omitted(struct db *db, struct span gateway, struct error *err)
{
    struct db_stmt *count = db_keep(db, "INSERT INTO quarantine_size(gateway, bytes, omitted) VALUES(?, 0, 1)"
                                        " ON CONFLICT DO UPDATE SET omitted = omitted + 1");
    db_bind_text(count, 1, gateway);
    return db_run(count, err);
}

struct quarantine_row {
    struct span gateway;
    bool has_seq;
    int64_t epoch, seq, line, journal; /* line -1, journal 0: none */
    const char *reason;
    struct span content;
    int64_t recorded_ms;
};

static enum status put_row(
    struct db *db, const struct quarantine_row *row, bool *ret_is_kept, struct error *err)
{
    enum status status = check_room(db, row->gateway, ret_is_kept, err);
    if (status != ST_OK || !*ret_is_kept)
        return status == ST_OK ? count_omitted(db, row->gateway, err) : status;
    struct db_stmt *add =
        db_keep(db, "INSERT INTO quarantine(gateway, epoch, seq, line, reason, content, recorded_ms, journal)"
                    " VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    struct span content = row->content;
    if (content.len > CONTENT_MAX)
        content.len = CONTENT_MAX;
    for (int i = 2; i <= 8; i++)
        db_bind_null(add, i);
    db_bind_text(add, 1, row->gateway);
    if (row->has_seq) {
        db_bind_int(add, 2, row->epoch);
        db_bind_int(add, 3, row->seq);
    }
    if (row->line >= 0)
        db_bind_int(add, 4, row->line);
    db_bind_text(add, 5, span_of(row->reason));
    db_bind_blob(add, 6, content);
    db_bind_int(add, 7, row->recorded_ms);
    if (row->journal != 0)
        db_bind_int(add, 8, row->journal);
    return db_run(add, err);
}

enum status journal_quarantine(
    struct db *db, const struct quarantine_entry *entry, bool *ret_is_kept, struct error *err)
{
    struct quarantine_row row = {.gateway = span_of(entry->gateway),
        .has_seq = entry->header != NULL,
        .epoch = entry->header != NULL ? (int64_t)entry->header->epoch : 0,
        .seq = entry->header != NULL ? entry->header->seq : 0,
        .line = entry->line,
        .reason = entry->reason,
        .content = entry->content,
        .recorded_ms = entry->recorded_ms};
    return put_row(db, &row, ret_is_kept, err);
}

enum status journal_reject(struct db *db, int64_t journal, int64_t line, const char *reason,
    struct span content, int64_t recorded_ms, bool *ret_is_kept, struct error *err)
{
    struct quarantine_row row = {.gateway = SPAN(""),
        .line = line,
        .journal = journal,
        .reason = reason,
        .content = content,
        .recorded_ms = recorded_ms};
    struct db_stmt *origin = db_keep(
        db, "SELECT g.name, j.epoch, j.seq FROM journal j JOIN gateway g ON g.id = j.gateway WHERE j.id = ?");
    db_bind_int(origin, 1, journal);
    enum status status = db_step(origin, &row.has_seq, err);
    if (status != ST_OK)
        return status;
    char name[ID_MAX + 1] = "";
    if (row.has_seq) {
        struct span found = db_text(origin, 0);
        snprintf(name, sizeof name, "%.*s", (int)found.len, found.at);
        row.gateway = span_of(name);
        row.epoch = db_int(origin, 1);
        row.seq = db_int(origin, 2);
    }
    db_reset(origin);
    return put_row(db, &row, ret_is_kept, err);
}

static void bind_known(struct db_stmt *s, int index, int64_t value)
{
    if (value != 0)
        db_bind_int(s, index, value);
    else
        db_bind_null(s, index);
}

static void bind_loss(struct db_stmt *s, const struct loss_entry *entry)
{
    db_bind_text(s, 1, span_of(entry->gateway));
    bind_known(s, 2, (int64_t)entry->epoch);
    bind_known(s, 3, entry->first_seq);
    bind_known(s, 4, entry->last_seq);
    bind_known(s, 5, entry->readings);
    bind_known(s, 6, entry->from_ms);
    bind_known(s, 7, entry->to_ms);
    db_bind_text(s, 8, span_of(entry->reason));
    db_bind_int(s, 9, entry->recorded_ms);
}

/* What is unknown of one of the two is unknown of both together: min, max and + of NULL are NULL. A sum ends at what
 * one entry may say: beyond 2^63 it would be no integer, and refused. */
static enum status widen_loss(
    struct db *db, const struct loss_entry *entry, bool *ret_is_done, struct error *err)
{
    struct db_stmt *widen = db_keep(db,
        "UPDATE loss SET epoch = ?2, first_seq = min(first_seq, ?3), last_seq = max(last_seq, ?4),"
        " readings = min(readings + ?5, 9007199254740991),"
        " from_ms = min(from_ms, ?6), to_ms = max(to_ms, ?7), recorded_ms = ?9"
        " WHERE id = (SELECT id FROM loss WHERE gateway = ?1 AND reason = ?8 ORDER BY id DESC LIMIT 1)");
    bind_loss(widen, entry);
    enum status status = db_run(widen, err);
    *ret_is_done = db_changes(db) > 0;
    return status;
}

enum status journal_loss(
    struct db *db, int64_t gateway, int64_t recorded, const struct loss_entry *entry, struct error *err)
{
    bool is_done = false;
    enum status status = recorded >= JOURNAL_LOSSES_MAX ? widen_loss(db, entry, &is_done, err) : ST_OK;
    if (status == ST_OK && !is_done) {
        struct db_stmt *add =
            db_keep(db, "INSERT INTO loss(gateway, epoch, first_seq, last_seq, readings, from_ms,"
                        " to_ms, reason, recorded_ms) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
        bind_loss(add, entry);
        status = db_run(add, err);
    }
    if (status != ST_OK || entry->is_history)
        return status;
    struct db_stmt *count = db_keep(db, "UPDATE gateway SET lost = lost + 1, lost_ms = ? WHERE id = ?");
    db_bind_int(count, 1, entry->recorded_ms);
    db_bind_int(count, 2, gateway);
    return db_run(count, err);
}

static enum status run_prune(struct db *db, struct db_stmt *s, int64_t before_ms, int64_t settled,
    int64_t limit, int64_t *deleted, struct error *err)
{
    db_bind_int(s, 1, before_ms);
    db_bind_int(s, 2, settled);
    db_bind_int(s, 3, limit);
    enum status status = db_run(s, err);
    int64_t changes = status == ST_OK ? db_changes(db) : 0;
    if (changes > *deleted)
        *deleted = changes;
    return status;
}

enum status journal_prune(
    struct db *db, int64_t before_ms, int64_t settled, int64_t limit, int64_t *ret_deleted, struct error *err)
{
#define OLD_BATCHES \
    "(SELECT id FROM journal WHERE received_ms < ?1 AND id <= ?2 ORDER BY received_ms LIMIT ?3)"
    struct db_stmt *spans = db_keep(db, "DELETE FROM journal_span WHERE journal IN " OLD_BATCHES);
    struct db_stmt *batches = db_keep(db, "DELETE FROM journal WHERE id IN " OLD_BATCHES);
#undef OLD_BATCHES
    struct db_stmt *quarantine = db_keep(db,
        "DELETE FROM quarantine WHERE id IN"
        " (SELECT id FROM quarantine WHERE recorded_ms < ?1 AND ?2 >= 0 ORDER BY recorded_ms LIMIT ?3)");
    int64_t spans_deleted = 0;
    *ret_deleted = 0;
    enum status status = run_prune(db, spans, before_ms, settled, limit, &spans_deleted, err);
    if (status == ST_OK)
        status = run_prune(db, batches, before_ms, settled, limit, ret_deleted, err);
    if (status == ST_OK)
        status = run_prune(db, quarantine, before_ms, settled, limit, ret_deleted, err);
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

enum status journal_oldest(struct db *db, int64_t *ret_ms, struct error *err)
{
    struct db_stmt *oldest = db_keep(db, "SELECT min(m) FROM (SELECT min(received_ms) AS m FROM journal"
                                         " UNION ALL SELECT min(recorded_ms) FROM quarantine)");
    bool has_row;
    enum status status = db_step(oldest, &has_row, err);
    if (status != ST_OK)
        return status;
    *ret_ms = has_row && !db_is_null(oldest, 0) ? db_int(oldest, 0) : INT64_MAX;
    db_reset(oldest);
    return ST_OK;
}
