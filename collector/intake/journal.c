#include "collector/intake/journal.h"

#include "lib/id.h"
#include "lib/number.h"

#include <stdio.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define CONTENT_MAX 4096

/* Buckets of time by which batches are found again: a batch lies in each bucket of the finest width of which
 * it needs at most BUCKETS_MAX. The last width is one bucket for all. */
#define BUCKETS_MAX 32
const int64_t journal_widths_ms[JOURNAL_WIDTHS] = {HOUR_MS, DAY_MS, INT64_MAX};
#define REACH_ROWS 1000     /* that journal_reaches_into looks at, of each width */
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

/* `skipped` is "3,17,20", ascending; -1 behind its end. */
static void find_next_skipped(struct journal_lines *l)
{
    const char *comma = l->skipped.len > 0 ? memchr(l->skipped.at, ',', l->skipped.len) : NULL;
    size_t len = comma != NULL ? (size_t)(comma - l->skipped.at) : l->skipped.len;
    if (!number_parse_int64(l->skipped.at, len, &l->next_skipped))
        l->next_skipped = -1;
    size_t used = comma != NULL ? len + 1 : len;
    l->skipped = (struct span){l->skipped.at + used, l->skipped.len - used};
}

void journal_lines_begin(struct journal_lines *l, struct span payload, struct span skipped)
{
    struct batch_header header;
    *l = (struct journal_lines){.skipped = skipped};
    if (batch_read_header(payload, &header, &l->body, NULL) != ST_OK)
        l->body = SPAN("");
    find_next_skipped(l);
}

bool journal_lines_next(struct journal_lines *l, struct span *ret_line)
{
    while (batch_next_line(&l->body, ret_line)) {
        if (l->number++ != l->next_skipped)
            return true;
        find_next_skipped(l);
    }
    return false;
}

static void visit_batch(const struct journal_search *s, struct span payload, struct span skipped,
    journal_visit *visit, void *context)
{
    struct journal_lines lines;
    struct span line;
    journal_lines_begin(&lines, payload, skipped);
    while (journal_lines_next(&lines, &line)) {
        struct reading reading;
        if (may_be_wanted(s, line) && batch_read_reading(line, &reading, NULL) == ST_OK &&
            is_wanted(s, reading.time_ms))
            visit(context, &reading);
    }
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
        struct journal_lines lines;
        struct span line, gateway = db_text(batches, 0);
        int64_t received_ms = db_int(batches, 1);
        struct reading reading;
        journal_lines_begin(&lines, db_text(batches, 2), db_text(batches, 3));
        while (journal_lines_next(&lines, &line))
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

enum status journal_omit(struct db *db, struct span gateway, int64_t count, struct error *err)
{
    struct db_stmt *omit = db_keep(db, "INSERT INTO quarantine_size(gateway, bytes, omitted) VALUES(?, 0, ?)"
                                       " ON CONFLICT DO UPDATE SET omitted = omitted + excluded.omitted");
    db_bind_text(omit, 1, gateway);
    db_bind_int(omit, 2, count);
    return db_run(omit, err);
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
        return status == ST_OK ? journal_omit(db, row->gateway, 1, err) : status;
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

static enum status delete_batch(struct db *db, int64_t id, struct error *err)
{
    struct db_stmt *spans = db_keep(db, "DELETE FROM journal_span WHERE journal = ?");
    struct db_stmt *batch = db_keep(db, "DELETE FROM journal WHERE id = ?");
    db_bind_int(spans, 1, id);
    db_bind_int(batch, 1, id);
    enum status status = db_run(spans, err);
    return status == ST_OK ? db_run(batch, err) : status;
}

/* Where *from_ms tells that it has come to: what is older stays, and is not looked at again for every batch. */
static enum status prune_oldest(struct db *db, const struct journal_pruning *p, int64_t *from_ms,
    int64_t *bytes, bool *ret_is_found, struct error *err)
{
    struct db_stmt *oldest = db_keep(db,
        "SELECT j.id, coalesce(g.name, '?'), j.epoch, j.seq, j.payload, j.skipped, j.received_ms"
        " FROM journal j LEFT JOIN gateway g ON g.id = j.gateway"
        " WHERE j.received_ms >= ? AND j.received_ms < ? AND j.id <= ? ORDER BY j.received_ms, j.id LIMIT 1");
    db_bind_int(oldest, 1, *from_ms);
    db_bind_int(oldest, 2, p->before_ms);
    db_bind_int(oldest, 3, p->settled);
    enum status status = db_step(oldest, ret_is_found, err);
    if (status != ST_OK || !*ret_is_found)
        return status;
    int64_t id = db_int(oldest, 0);
    struct journal_entry entry = {.id = id,
        .gateway = db_text(oldest, 1),
        .epoch = (uint64_t)db_int(oldest, 2),
        .seq = db_int(oldest, 3),
        .payload = db_text(oldest, 4),
        .skipped = db_text(oldest, 5)};
    *bytes += (int64_t)entry.payload.len;
    *from_ms = db_int(oldest, 6);
    p->take(p->context, &entry);
    db_reset(oldest);
    return delete_batch(db, id, err);
}

enum status journal_prune(struct db *db, const struct journal_pruning *p, int64_t *ret_deleted,
    bool *ret_is_done, struct error *err)
{
    enum status status = ST_OK;
    bool is_found = true;
    int64_t from_ms = INT64_MIN, bytes = 0;
    *ret_deleted = 0;
    while (*ret_deleted < p->batches && bytes < p->bytes && is_found && status == ST_OK) {
        status = prune_oldest(db, p, &from_ms, &bytes, &is_found, err);
        *ret_deleted += status == ST_OK && is_found;
    }
    *ret_is_done = !is_found;
    return status;
}

enum status journal_prune_quarantine(
    struct db *db, int64_t before_ms, int64_t limit, int64_t *ret_deleted, struct error *err)
{
    struct db_stmt *prune = db_keep(db, "DELETE FROM quarantine WHERE id IN"
                                        " (SELECT id FROM quarantine WHERE recorded_ms < ?"
                                        " ORDER BY recorded_ms LIMIT ?)");
    db_bind_int(prune, 1, before_ms);
    db_bind_int(prune, 2, limit);
    enum status status = db_run(prune, err);
    *ret_deleted = status == ST_OK ? db_changes(db) : 0;
    return status;
}

enum status journal_reaches_into(struct db *db, int64_t from_ms, int64_t to_ms, bool *ret, struct error *err)
{
    struct db_stmt *look =
        db_keep(db, "SELECT count(*), coalesce(sum(from_ms < ?5 AND to_ms >= ?4), 0) FROM"
                    " (SELECT s.from_ms, s.to_ms FROM gateway g CROSS JOIN journal_span s ON s.gateway = g.id"
                    "  AND s.width_ms = ?1 AND s.bucket BETWEEN ?2 AND ?3 LIMIT ?6)");
    enum status status = ST_OK;
    *ret = false;
    for (size_t w = 0; w < JOURNAL_WIDTHS && !*ret && status == ST_OK; w++) {
        db_bind_int(look, 1, journal_widths_ms[w]);
        db_bind_int(look, 2, from_ms / journal_widths_ms[w]);
        db_bind_int(look, 3, (to_ms - 1) / journal_widths_ms[w]);
        db_bind_int(look, 4, from_ms);
        db_bind_int(look, 5, to_ms);
        db_bind_int(look, 6, REACH_ROWS);
        bool has_row;
        status = db_step(look, &has_row, err);
        if (status == ST_OK)
            *ret = db_int(look, 0) == REACH_ROWS || db_int(look, 1) > 0;
        db_reset(look);
    }
    return status;
}

enum status journal_newest(struct db *db, int64_t *ret, int64_t *ret_received_ms, struct error *err)
{
    struct db_stmt *newest =
        db_keep(db, "SELECT max(id), (SELECT max(received_ms) FROM journal) FROM journal");
    bool has_row;
    enum status status = db_step(newest, &has_row, err);
    if (status != ST_OK)
        return status;
    *ret = has_row ? db_int(newest, 0) : 0;
    *ret_received_ms = has_row ? db_int(newest, 1) : 0;
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
