#include "collector/evidence/archive.h"

#include "collector/evidence/archive_lines.h"
#include "lib/calendar.h"
#include "lib/mem.h"
#include "lib/number.h"
#include "lib/pack.h"

#include <stdlib.h>
#include <string.h>

#define HEAD "registers 1\n"

static struct archive_month *find_month(struct archive *a, int64_t time_ms)
{
    if (a->last < a->count && time_ms >= a->months[a->last].from_ms && time_ms < a->months[a->last].to_ms)
        return &a->months[a->last];
    for (a->last = 0; a->last < a->count; a->last++)
        if (time_ms >= a->months[a->last].from_ms && time_ms < a->months[a->last].to_ms)
            return &a->months[a->last];
    MEM_GROW(a->months, a->count, a->capacity);
    struct archive_month *m = &a->months[a->count++];
    int64_t month = calendar_month(time_ms);
    *m = (struct archive_month){.month = month,
        .from_ms = calendar_month_begin_ms(month),
        .to_ms = calendar_month_begin_ms(month + 1)};
    return m;
}

static void add_number(struct buf *text, int64_t value)
{
    char number[NUMBER_INT64_SIZE];
    buf_add_char(text, ' ');
    buf_add(text, number, number_format_int64(value, number));
}

static void add_head(struct buf *text, const struct journal_entry *batch)
{
    char epoch[EPOCH_TEXT_SIZE];
    epoch_format(batch->epoch, epoch);
    buf_add_str(text, "batch ");
    buf_add(text, batch->gateway.at, batch->gateway.len);
    buf_add_char(text, ' ');
    buf_add_str(text, epoch);
    add_number(text, batch->seq);
    buf_add_char(text, '\n');
}

static void add_reading(struct archive *a, const struct journal_entry *batch, const struct reading *r)
{
    struct archive_month *m = find_month(a, r->time_ms);
    if (m->batch != a->batch) {
        m->batch = a->batch;
        m->last_ms = 0;
        m->first = m->readings == 0 ? batch->id : m->first;
        add_head(&m->text, batch);
    }
    buf_add(&m->text, r->point.at, r->point.len);
    add_number(&m->text, r->time_ms - m->last_ms);
    add_number(&m->text, r->count);
    switch (r->quality) {
    case QUALITY_GOOD:
        break;
    case QUALITY_CLOCK:
        buf_add_str(&m->text, " clock");
        break;
    }
    buf_add_char(&m->text, '\n');
    m->last_ms = r->time_ms;
    m->readings++;
}

void archive_add(struct archive *a, const struct journal_entry *batch)
{
    struct journal_lines lines;
    struct span line;
    a->batch++;
    journal_lines_begin(&lines, batch->payload, batch->skipped);
    while (journal_lines_next(&lines, &line)) {
        struct reading reading;
        if (batch_read_reading(line, &reading, NULL) == ST_OK && reading.kind == READING_REGISTER)
            add_reading(a, batch, &reading);
    }
}

void archive_release(struct archive *a)
{
    for (size_t i = 0; i < a->count; i++)
        buf_release(&a->months[i].text);
    free(a->months);
    *a = (struct archive){0};
}

/* ---- chunks ---- */

struct chunk {
    int64_t id, readings, first;
    struct buf text;
};

static struct span span_of_buf(const struct buf *b)
{
    return (struct span){b->data != NULL ? b->data : "", b->len};
}

enum status archive_read(struct db *db, int64_t id, const struct hash *written, struct buf *text,
    bool *ret_is_sound, struct error *err)
{
    struct db_stmt *read = db_keep(db, "SELECT packed FROM archive_content WHERE id = ?");
    size_t begin = text->len;
    bool has_row;
    db_bind_int(read, 1, id);
    enum status status = db_step(read, &has_row, err);
    if (status != ST_OK)
        return status;
    *ret_is_sound = has_row && pack_read(text, db_text(read, 0), ARCHIVE_TEXT_MAX, NULL) == ST_OK;
    db_reset(read);
    struct hash hash =
        hash_of((struct span){text->data != NULL ? text->data + begin : "", text->len - begin});
    *ret_is_sound = *ret_is_sound && hash_is_equal(&hash, written);
    return ST_OK;
}

/* The month's last chunk, where it is not sealed, not full and not damaged: damage stays as it is, for `verify` to
 * find. Else ret->id = 0. */
static enum status find_tail(struct db *db, int64_t month, struct chunk *ret, struct error *err)
{
    struct db_stmt *tail = db_keep(db, "SELECT id, readings, bytes, hash FROM archive"
                                       " WHERE seal IS NULL AND month = ? ORDER BY id DESC LIMIT 1");
    struct hash hash;
    bool has_row, is_sound = false;
    db_bind_int(tail, 1, month);
    enum status status = db_step(tail, &has_row, err);
    if (status != ST_OK || !has_row)
        return status;
    struct chunk chunk = {.id = db_int(tail, 0), .readings = db_int(tail, 1)};
    bool has_room = db_int(tail, 2) < ARCHIVE_CHUNK_BYTES && hash_read(db_text(tail, 3), &hash);
    db_reset(tail);
    if (has_room)
        status = archive_read(db, chunk.id, &hash, &chunk.text, &is_sound, err);
    if (status == ST_OK && is_sound)
        *ret = chunk;
    else
        buf_release(&chunk.text);
    return status;
}

static enum status put_chunk(
    struct db *db, int64_t month, const struct chunk *chunk, int64_t now_ms, struct error *err)
{
    struct db_stmt *row = db_keep(db,
        "INSERT INTO archive(id, month, begun_ms, readings, bytes, hash, first) VALUES(?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET readings = excluded.readings, bytes = excluded.bytes,"
        " hash = excluded.hash");
    struct db_stmt *content = db_keep(db, "INSERT INTO archive_content(id, packed) VALUES(?, ?)"
                                          " ON CONFLICT DO UPDATE SET packed = excluded.packed");
    struct buf packed = {0};
    struct hash hash = hash_of(span_of_buf(&chunk->text));
    pack_write(&packed, span_of_buf(&chunk->text));
    db_bind_null(row, 1);
    if (chunk->id != 0)
        db_bind_int(row, 1, chunk->id);
    db_bind_int(row, 2, month);
    db_bind_int(row, 3, now_ms);
    db_bind_int(row, 4, chunk->readings);
    db_bind_int(row, 5, (int64_t)chunk->text.len);
    db_bind_blob(row, 6, hash_bytes(&hash));
    db_bind_int(row, 7, chunk->first);
    enum status status = db_run(row, err);
    db_bind_int(content, 1, chunk->id != 0 ? chunk->id : db_last_id(db));
    db_bind_blob(content, 2, span_of_buf(&packed));
    if (status == ST_OK)
        status = db_run(content, err);
    buf_release(&packed);
    return status;
}

static enum status write_month(
    struct db *db, const struct archive_month *m, bool may_add, int64_t now_ms, struct error *err)
{
    struct chunk chunk = {0};
    enum status status = may_add ? find_tail(db, m->month, &chunk, err) : ST_OK;
    if (chunk.id == 0) {
        buf_add_str(&chunk.text, HEAD);
        chunk.first = m->first;
    }
    buf_add(&chunk.text, m->text.data, m->text.len);
    chunk.readings += m->readings;
    if (status == ST_OK)
        status = put_chunk(db, m->month, &chunk, now_ms, err);
    buf_release(&chunk.text);
    return status;
}

enum status archive_write(struct archive *a, struct db *db, int64_t now_ms, struct error *err)
{
    enum status status = ST_OK;
    for (size_t i = 0; i < a->count && status == ST_OK; i++)
        status = write_month(db, &a->months[i], i < ARCHIVE_TAILS, now_ms, err);
    return status;
}

/* ---- looking a reading up ---- */

#define FIND_CHUNKS \
    64 /* that are looked into at most: the first has it, where it is known with which batch each begins */

struct find {
    const char *point; /* behind "<gateway>/" */
    size_t gateway;    /* its length, before that */
    const char *name;
    int64_t time_ms;
    struct archive_origin *ret;
    bool is_found;
};

/* Where it stands twice the first counts. */
static void look_at(void *find, const struct archived *r)
{
    struct find *f = find;
    if (f->is_found || r->time_ms != f->time_ms || r->gateway.len != f->gateway ||
        memcmp(r->gateway.at, f->name, f->gateway) != 0 || !span_is(r->point, f->point) ||
        r->epoch.len >= sizeof f->ret->epoch)
        return;
    f->is_found = true;
    *f->ret = (struct archive_origin){.seq = r->seq};
    memcpy(f->ret->gateway, r->gateway.at, r->gateway.len);
    memcpy(f->ret->epoch, r->epoch.at, r->epoch.len);
}

enum status archive_find(struct db *db, int64_t journal, const char *point, int64_t time_ms,
    struct archive_origin *ret, bool *ret_is_found, struct error *err)
{
    struct db_stmt *next = db_keep(
        db, "SELECT id, hash FROM archive WHERE month = ?1 AND first <= ?2 ORDER BY id DESC LIMIT ?3");
    const char *slash = strchr(point, '/');
    *ret_is_found = false;
    if (slash == NULL || slash - point > ID_MAX)
        return ST_OK;
    struct find f = {.point = slash + 1,
        .gateway = (size_t)(slash - point),
        .name = point,
        .time_ms = time_ms,
        .ret = ret};
    struct buf text = {0};
    bool has_row;
    enum status status = ST_OK;
    db_bind_int(next, 1, calendar_month(time_ms));
    db_bind_int(next, 2, journal);
    db_bind_int(next, 3, FIND_CHUNKS);
    while (!f.is_found && (status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        struct hash hash;
        bool is_sound = hash_read(db_text(next, 1), &hash);
        buf_reset(&text);
        if (is_sound && (status = archive_read(db, db_int(next, 0), &hash, &text, &is_sound, err)) != ST_OK)
            break;
        if (is_sound)
            archive_lines_each(span_of_buf(&text), look_at, &f);
    }
    db_reset(next);
    buf_release(&text);
    *ret_is_found = f.is_found;
    return status;
}
