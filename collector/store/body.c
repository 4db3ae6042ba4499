#include "collector/store/body.h"

#include "collector/intake/journal.h"
#include "lib/cursor.h"
#include "lib/mem.h"
#include "lib/number.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

/* Of a batch's body: it has fewer lines than bytes. */
#define SKIPPED_BYTES (BATCH_BYTES_MAX / 8)

struct line_set {
    bool is_used;
    unsigned char bits[SKIPPED_BYTES]; /* one per line */
};

struct body_reader {
    struct series_cache series;
    struct db *db;
    struct db_stmt *journal, *outbox;
    const struct body_hour *only; /* NULL = every reading */
    struct buf scratch;
    struct line_set skipped, refused; /* of the batch at hand */
};

struct body_reader *body_reader_create(struct db *db, const struct park *park)
{
    struct body_reader *r = mem_zalloc(sizeof *r);
    r->series.park = park;
    r->db = db;
    r->journal = db_prepare(db,
        "SELECT j.id, g.name, j.lines, j.payload, j.skipped FROM journal j JOIN gateway g ON g.id = j.gateway"
        " WHERE j.id > ? ORDER BY j.id");
    r->outbox = db_prepare(db,
        "SELECT id, line, series, time_ms, clears_ms FROM outbox WHERE id > ? AND sent_ms IS NULL"
        " ORDER BY id LIMIT ?");
    return r;
}

void body_reader_use(struct body_reader *r, const struct park *park)
{
    series_cache_release(&r->series);
    r->series.park = park;
}

void body_reader_destroy(struct body_reader *r)
{
    if (!r)
        return;
    series_cache_release(&r->series);
    buf_release(&r->scratch);
    free(r);
}

void body_release(struct body *body)
{
    buf_release(&body->text);
    free(body->lines);
    reject_list_release(&body->rejects);
    hour_list_release(&body->hours);
    free(body->clearings);
    *body = (struct body){0};
}

void body_reset(struct body *body, int64_t position)
{
    buf_reset(&body->text);
    reject_list_release(&body->rejects);
    body->hours.count = 0;
    body->clearing_count = 0;
    for (size_t i = 0; i <= READING_STATE; i++)
        body->hour_of_kind[i] = INT64_MIN;
    body->count = 0;
    body->refused = 0;
    body->position = position;
}

struct span body_lines(const struct body *body, size_t from, size_t to)
{
    size_t begin = body->lines[from].begin;
    size_t end = to < body->count ? body->lines[to].begin : body->text.len;
    return (struct span){body->text.data + begin, end - begin};
}

void body_begin_line(struct body *body, int64_t journal, int line)
{
    MEM_GROW(body->lines, body->count, body->capacity);
    body->lines[body->count++] =
        (struct body_line){.begin = body->text.len, .journal = journal, .line = line};
}

static void note_hour(struct body *body, const struct reading *reading)
{
    int64_t hour = reading->time_ms / HOUR_MS;
    if (body->hour_of_kind[reading->kind] == hour)
        return;
    body->hour_of_kind[reading->kind] = hour;
    hour_list_add(&body->hours, span_of(reading_kind_name(reading->kind)), hour);
}

enum status body_read_cursor(struct body_reader *r, int64_t *ret, struct error *err)
{
    return cursor_read(r->db, "raw", ret, err);
}

static void clear_lines(struct line_set *set)
{
    if (set->is_used)
        memset(set->bits, 0, sizeof set->bits);
    set->is_used = false;
}

static void add_line(struct line_set *set, int64_t line)
{
    if (line < 0 || line / 8 >= SKIPPED_BYTES)
        return;
    set->bits[line / 8] |= (unsigned char)(1u << line % 8);
    set->is_used = true;
}

static bool has_line(const struct line_set *set, int line)
{
    return set->is_used && line / 8 < SKIPPED_BYTES && (set->bits[line / 8] >> line % 8 & 1) != 0;
}

/* `skipped` is "3,17,20", in any order. */
static void read_skipped(struct body_reader *r, struct span list)
{
    clear_lines(&r->skipped);
    clear_lines(&r->refused);
    for (size_t begin = 0; begin < list.len;) {
        const char *comma = memchr(list.at + begin, ',', list.len - begin);
        size_t end = comma ? (size_t)(comma - list.at) : list.len;
        int64_t line;
        if (number_parse_int64(list.at + begin, end - begin, &line))
            add_line(&r->skipped, line);
        begin = end + 1;
    }
}

static void add_value(struct body_reader *r, struct buf *text, const struct reading *reading)
{
    char number[NUMBER_DOUBLE_SIZE];
    switch (reading->kind) {
    case READING_REGISTER:
        buf_add(text, number, number_format_int64(reading->count, number));
        buf_add_char(text, 'i');
        break;
    case READING_GAUGE:
        buf_add(text, number, number_format_double(reading->value, number));
        break;
    case READING_STATE:
        buf_reset(&r->scratch);
        line_unescape_string(&r->scratch, reading->text);
        line_quote_string(text, (struct span){r->scratch.data, r->scratch.len});
        break;
    }
    switch (reading->quality) {
    case QUALITY_GOOD:
        break;
    case QUALITY_CLOCK:
        buf_add_str(text, ",quality=\"clock\"");
        break;
    }
}

static void add_reading(
    struct body_reader *r, struct buf *text, struct span gateway, const struct reading *reading)
{
    struct span head = series_head(&r->series, gateway, reading);
    buf_add(text, head.at, head.len);
    add_value(r, text, reading);
    char time[NUMBER_INT64_SIZE + 2];
    time[0] = ' ';
    size_t length = 1 + number_format_int64(reading->time_ms, time + 1);
    time[length++] = '\n';
    buf_add(text, time, length);
}

static void add_batch(
    struct body_reader *r, struct body *body, int64_t journal, struct span gateway, struct span payload)
{
    struct batch_header header;
    struct span rest, line;
    struct error err;
    if (batch_read_header(payload, &header, &rest, &err) != ST_OK) {
        if (r->only == NULL)
            reject_list_add(&body->rejects, journal, 0, err.text, payload);
        return;
    }
    for (int number = 0; batch_next_line(&rest, &line); number++) {
        if (line.len == 0 || line.at[0] == '#' || has_line(&r->skipped, number))
            continue;
        struct reading reading;
        if (batch_read_reading(line, &reading, &err) != ST_OK) {
            if (r->only == NULL) /* else it was told when it was met first */
                reject_list_add(&body->rejects, journal, number, err.text, line);
            continue;
        }
        if (r->only != NULL && (reading.kind != r->only->kind || reading.time_ms / HOUR_MS != r->only->hour))
            continue;
        if (has_line(&r->refused, number)) {
            body->refused++;
            continue;
        }
        note_hour(body, &reading);
        body_begin_line(body, journal, number);
        add_reading(r, &body->text, gateway, &reading);
    }
}

enum status body_read_journal(
    struct body_reader *r, int64_t position, size_t lines_max, struct body *ret, struct error *err)
{
    body_reset(ret, position);
    db_bind_int(r->journal, 1, position);
    enum status status;
    bool has_row;
    while ((status = db_step(r->journal, &has_row, err)) == ST_OK && has_row) {
        int64_t lines = db_int(r->journal, 2);
        if (ret->count > 0 && (lines < 0 || ret->count + (uint64_t)lines > lines_max))
            break;
        read_skipped(r, db_is_null(r->journal, 4) ? SPAN("") : db_text(r->journal, 4));
        ret->position = db_int(r->journal, 0);
        add_batch(r, ret, ret->position, db_text(r->journal, 1), db_text(r->journal, 3));
    }
    db_reset(r->journal); /* an open statement would keep the log of the database from being folded in */
    return status;
}

/* ---- one hour ---- */

#define HOUR_BATCHES 64 /* per slice */

static enum status add_journals(
    struct body_reader *r, int64_t width_ms, int64_t until, struct body_hour *h, struct error *err)
{
    int64_t from_ms = h->hour * HOUR_MS, to_ms = from_ms + HOUR_MS;
    struct db_stmt *spans = db_keep(r->db,
        "SELECT s.journal FROM gateway g CROSS JOIN journal_span s ON s.gateway = g.id AND s.width_ms = ?1"
        " AND s.bucket = ?2 AND s.journal <= ?3 WHERE s.from_ms < ?5 AND s.to_ms >= ?4");
    db_bind_int(spans, 1, width_ms);
    db_bind_int(spans, 2, from_ms / width_ms);
    db_bind_int(spans, 3, until);
    db_bind_int(spans, 4, from_ms);
    db_bind_int(spans, 5, to_ms);
    bool has_row;
    enum status status;
    while ((status = db_step(spans, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(h->journals, h->count, h->capacity);
        h->journals[h->count++] = db_int(spans, 0);
    }
    return status;
}

static int by_id(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
    return one < other ? -1 : one > other;
}

enum status body_open_hour(struct body_reader *r, enum reading_kind kind, int64_t hour, int64_t until,
    struct body_hour *ret, struct error *err)
{
    ret->kind = kind;
    ret->hour = hour;
    ret->count = ret->at = 0;
    enum status status = ST_OK;
    /* A batch lies in buckets of one width only, so none is found twice. */
    for (size_t w = 0; w < JOURNAL_WIDTHS && status == ST_OK; w++)
        status = add_journals(r, journal_widths_ms[w], until, ret, err);
    if (ret->count > 0)
        qsort(ret->journals, ret->count, sizeof *ret->journals, by_id);
    return status;
}

static enum status read_refused(struct body_reader *r, int64_t journal, struct error *err)
{
    struct db_stmt *refused = db_keep(r->db, "SELECT line FROM refused WHERE journal = ?");
    db_bind_int(refused, 1, journal);
    bool has_row;
    enum status status;
    while ((status = db_step(refused, &has_row, err)) == ST_OK && has_row)
        add_line(&r->refused, db_int(refused, 0));
    return status;
}

enum status body_read_hour(
    struct body_reader *r, struct body_hour *h, size_t lines_max, struct body *ret, struct error *err)
{
    body_reset(ret, 0);
    struct db_stmt *batch = db_keep(r->db, "SELECT g.name, j.payload, j.skipped FROM journal j JOIN gateway "
                                           "g ON g.id = j.gateway WHERE j.id = ?");
    enum status status = ST_OK;
    r->only = h;
    for (size_t n = 0; n < HOUR_BATCHES && h->at < h->count && ret->count < lines_max && status == ST_OK;
         n++) {
        int64_t journal = h->journals[h->at];
        bool has_row;
        db_bind_int(batch, 1, journal);
        status = db_step(batch, &has_row, err);
        if (status == ST_OK && has_row) {
            read_skipped(r, db_is_null(batch, 2) ? SPAN("") : db_text(batch, 2));
            if (!h->takes_refused)
                status = read_refused(r, journal, err);
            if (status == ST_OK)
                add_batch(r, ret, journal, db_text(batch, 0), db_text(batch, 1));
        }
        db_reset(batch);
        h->at++;
    }
    r->only = NULL;
    return status;
}

void body_hour_release(struct body_hour *h)
{
    free(h->journals);
    *h = (struct body_hour){0};
}

enum status body_hour_is_held(struct body_reader *r, int64_t hour, bool *ret, struct error *err)
{
    struct db_stmt *pruned = db_keep(
        r->db, "SELECT 1 FROM pruned WHERE width_ms = ?1 AND bucket = ?2 AND from_ms < ?4 AND to_ms >= ?3");
    *ret = true;
    enum status status = ST_OK;
    for (size_t w = 0; w < JOURNAL_WIDTHS && *ret && status == ST_OK; w++) {
        bool has_row;
        db_bind_int(pruned, 1, journal_widths_ms[w]);
        db_bind_int(pruned, 2, hour * HOUR_MS / journal_widths_ms[w]);
        db_bind_int(pruned, 3, hour * HOUR_MS);
        db_bind_int(pruned, 4, (hour + 1) * HOUR_MS);
        status = db_step(pruned, &has_row, err);
        *ret = status == ST_OK && !has_row;
        db_reset(pruned);
    }
    return status;
}

/* ---- the outbox ---- */

/* What follows on the one before is one with it. */
void body_add_clearing(struct body *body, struct span measurement, struct span tag, struct span value,
    int64_t from_ms, int64_t to_ms)
{
    struct body_clearing c = {.from_ms = from_ms, .to_ms = to_ms};
    text_copy(c.measurement, sizeof c.measurement, measurement);
    text_copy(c.tag, sizeof c.tag, tag);
    text_copy(c.value, sizeof c.value, value);
    struct body_clearing *last = body->clearing_count > 0 ? &body->clearings[body->clearing_count - 1] : NULL;
    if (last != NULL && last->to_ms == c.from_ms && strcmp(last->value, c.value) == 0 &&
        strcmp(last->tag, c.tag) == 0 && strcmp(last->measurement, c.measurement) == 0) {
        last->to_ms = c.to_ms;
        return;
    }
    MEM_GROW(body->clearings, body->clearing_count, body->clearing_capacity);
    body->clearings[body->clearing_count++] = c;
}

/* "<measurement>,<tag>=<value>", by which it is cleared, and maybe ",..." that tells it from others with that value */
static void clear_series(struct body *body, struct span series, int64_t time_ms, int64_t clears_ms)
{
    const char *comma = memchr(series.at, ',', series.len);
    const char *equals = comma != NULL ? memchr(comma, '=', series.len - (size_t)(comma - series.at)) : NULL;
    if (equals == NULL)
        return;
    struct span value = {equals + 1, series.len - (size_t)(equals + 1 - series.at)};
    const char *more = memchr(value.at, ',', value.len);
    if (more != NULL)
        value.len = (size_t)(more - value.at);
    body_add_clearing(body, (struct span){series.at, (size_t)(comma - series.at)},
        (struct span){comma + 1, (size_t)(equals - comma - 1)}, value, time_ms, time_ms + clears_ms);
}

static enum status read_rows(struct db_stmt *rows, struct body *ret, struct error *err)
{
    enum status status;
    bool has_row;
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        struct span line = db_text(rows, 1);
        ret->position = db_int(rows, 0);
        body_begin_line(ret, 0, 0);
        ret->lines[ret->count - 1].outbox = ret->position;
        buf_add(&ret->text, line.at, line.len);
        if (line.len == 0 || line.at[line.len - 1] != '\n')
            buf_add_char(&ret->text, '\n');
        struct span series = db_text(rows, 2);
        if (!db_is_null(rows, 4))
            clear_series(ret, series, db_int(rows, 3), db_int(rows, 4));
        const char *comma = memchr(series.at, ',', series.len);
        if (comma != NULL)
            series.len = (size_t)(comma - series.at);
        hour_list_add(&ret->hours, series, db_int(rows, 3) / HOUR_MS);
    }
    db_reset(rows);
    return status;
}

enum status body_read_outbox(
    struct body_reader *r, int64_t position, size_t lines_max, struct body *ret, struct error *err)
{
    body_reset(ret, position);
    db_bind_int(r->outbox, 1, position);
    db_bind_int(r->outbox, 2, (int64_t)lines_max);
    return read_rows(r->outbox, ret, err);
}

enum status body_read_sent(struct body_reader *r, struct span measurement, int64_t hour, int64_t position,
    size_t lines_max, struct body *ret, struct error *err)
{
    body_reset(ret, position);
    struct db_stmt *rows =
        db_keep(r->db, "SELECT id, line, series, time_ms, NULL FROM outbox INDEXED BY outbox_sent_time"
                       " WHERE sent_ms IS NOT NULL AND time_ms >= ?1 AND time_ms < ?2 AND id > ?3"
                       " AND substr(series, 1, length(?4) + 1) = ?4 || ',' ORDER BY id LIMIT ?5");
    db_bind_int(rows, 1, hour * HOUR_MS);
    db_bind_int(rows, 2, (hour + 1) * HOUR_MS);
    db_bind_int(rows, 3, position);
    db_bind_text(rows, 4, measurement);
    db_bind_int(rows, 5, (int64_t)lines_max);
    return read_rows(rows, ret, err);
}
