#include "collector/store/body.h"

#include "lib/mem.h"
#include "lib/number.h"

#include <stdlib.h>
#include <string.h>

/* Of a batch's body: it has fewer lines than bytes. */
#define SKIPPED_BYTES (BATCH_BYTES_MAX / 8)

struct body_reader {
    struct series_cache series;
    struct db_stmt *cursor, *journal, *outbox;
    struct buf scratch;
    unsigned char skipped[SKIPPED_BYTES]; /* a bit per line */
    bool has_skipped;
};

struct body_reader *body_reader_create(struct db *db, const struct park *park)
{
    struct body_reader *r = mem_zalloc(sizeof *r);
    r->series.park = park;
    r->cursor = db_prepare(db, "SELECT position FROM cursor WHERE name = 'raw'");
    r->journal = db_prepare(db,
        "SELECT j.id, g.name, j.lines, j.payload, j.skipped FROM journal j JOIN gateway g ON g.id = j.gateway"
        " WHERE j.id > ? ORDER BY j.id");
    r->outbox = db_prepare(db, "SELECT id, line FROM outbox WHERE id > ? ORDER BY id LIMIT ?");
    return r;
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
    *body = (struct body){0};
}

static void body_reset(struct body *body, int64_t position)
{
    buf_reset(&body->text);
    reject_list_release(&body->rejects);
    body->count = 0;
    body->position = position;
}

struct span body_lines(const struct body *body, size_t from, size_t to)
{
    size_t begin = body->lines[from].begin;
    size_t end = to < body->count ? body->lines[to].begin : body->text.len;
    return (struct span){body->text.data + begin, end - begin};
}

static void begin_line(struct body *body, int64_t journal, int line)
{
    MEM_GROW(body->lines, body->count, body->capacity);
    body->lines[body->count++] = (struct body_line){body->text.len, journal, line};
}

enum status body_read_cursor(struct body_reader *r, int64_t *ret, struct error *err)
{
    bool has_row;
    enum status status = db_step(r->cursor, &has_row, err);
    if (status == ST_OK)
        *ret = has_row ? db_int(r->cursor, 0) : 0;
    db_reset(r->cursor);
    return status;
}

/* `skipped` is "3,17,20", in any order. */
static void read_skipped(struct body_reader *r, struct span list)
{
    if (r->has_skipped)
        memset(r->skipped, 0, sizeof r->skipped);
    r->has_skipped = list.len > 0;
    for (size_t begin = 0; begin < list.len;) {
        const char *comma = memchr(list.at + begin, ',', list.len - begin);
        size_t end = comma ? (size_t)(comma - list.at) : list.len;
        int64_t line;
        if (number_parse_int64(list.at + begin, end - begin, &line) && line >= 0 && line / 8 < SKIPPED_BYTES)
            r->skipped[line / 8] |= (unsigned char)(1u << line % 8);
        begin = end + 1;
    }
}

static bool is_skipped(const struct body_reader *r, int line)
{
    return r->has_skipped && line / 8 < SKIPPED_BYTES && (r->skipped[line / 8] >> line % 8 & 1) != 0;
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
        reject_list_add(&body->rejects, journal, 0, err.text, payload);
        return;
    }
    for (int number = 0; batch_next_line(&rest, &line); number++) {
        if (line.len == 0 || line.at[0] == '#' || is_skipped(r, number))
            continue;
        struct reading reading;
        if (batch_read_reading(line, &reading, &err) != ST_OK) {
            reject_list_add(&body->rejects, journal, number, err.text, line);
            continue;
        }
        begin_line(body, journal, number);
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

enum status body_read_outbox(
    struct body_reader *r, int64_t position, size_t lines_max, struct body *ret, struct error *err)
{
    body_reset(ret, position);
    db_bind_int(r->outbox, 1, position);
    db_bind_int(r->outbox, 2, (int64_t)lines_max);
    enum status status;
    bool has_row;
    while ((status = db_step(r->outbox, &has_row, err)) == ST_OK && has_row) {
        struct span line = db_text(r->outbox, 1);
        ret->position = db_int(r->outbox, 0);
        begin_line(ret, 0, 0);
        buf_add(&ret->text, line.at, line.len);
        if (line.len == 0 || line.at[line.len - 1] != '\n')
            buf_add_char(&ret->text, '\n');
    }
    db_reset(r->outbox);
    return status;
}
