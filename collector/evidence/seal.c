#include "collector/evidence/seal.h"

#include "collector/intake/journal.h"
#include "lib/calendar.h"

#define EXPIRE_CHUNKS 100 /* deleted at once: some megabytes */

static void write_hash(struct buf *text, const char *name, const struct hash *hash)
{
    char digits[HASH_TEXT_SIZE];
    hash_format(hash, digits);
    buf_printf(text, "%s %s\n", name, digits);
}

void seal_write_head(struct buf *text, const struct seal *seal)
{
    char month[CALENDAR_MONTH_SIZE];
    calendar_month_format(seal->month, month);
    buf_printf(text, "parkmon seal 1\nnumber %lld\n", (long long)seal->number);
    write_hash(text, "previous", &seal->previous);
    buf_printf(text, "month %s\nsupplement %lld\nreadings %lld\n", month, (long long)seal->supplement,
        (long long)seal->readings);
}

void seal_write_chunk(struct buf *text, const struct hash *chunk)
{
    if (chunk != NULL)
        write_hash(text, "chunk", chunk);
    else
        buf_add_str(text, "chunk unreadable\n");
}

/* ---- sealing ---- */

/* One row with one number; `otherwise` where there is none or it is NULL. */
static enum status ask(struct db_stmt *s, int64_t otherwise, int64_t *ret, struct error *err)
{
    bool has_row;
    *ret = otherwise;
    enum status status = db_step(s, &has_row, err);
    if (status == ST_OK && has_row && !db_is_null(s, 0))
        *ret = db_int(s, 0);
    db_reset(s);
    return status;
}

static enum status read_last(struct db *db, struct seal *ret, struct error *err)
{
    struct db_stmt *last = db_keep(db, "SELECT number, hash FROM seal ORDER BY number DESC LIMIT 1");
    bool has_row;
    enum status status = db_step(last, &has_row, err);
    if (status == ST_OK && has_row) {
        ret->number = db_int(last, 0);
        hash_read(db_text(last, 1), &ret->previous); /* one that is damaged stays so, for `verify` to find */
    }
    db_reset(last);
    ret->number++;
    return status;
}

static enum status read_chunks(
    struct db *db, int64_t month, int64_t *ret_readings, struct buf *chunks, struct error *err)
{
    struct db_stmt *read =
        db_keep(db, "SELECT readings, hash FROM archive WHERE seal IS NULL AND month = ? ORDER BY id");
    bool has_row;
    enum status status;
    db_bind_int(read, 1, month);
    while ((status = db_step(read, &has_row, err)) == ST_OK && has_row) {
        struct hash hash;
        *ret_readings += db_int(read, 0);
        seal_write_chunk(chunks, hash_read(db_text(read, 1), &hash) ? &hash : NULL);
    }
    return status;
}

static enum status put_seal(
    struct db *db, const struct seal *seal, const struct hash *hash, int64_t now_ms, struct error *err)
{
    struct db_stmt *add = db_keep(db, "INSERT INTO seal(number, month, supplement, readings, hash, sealed_ms)"
                                      " VALUES(?, ?, ?, ?, ?, ?)");
    struct db_stmt *mark = db_keep(db, "UPDATE archive SET seal = ? WHERE seal IS NULL AND month = ?");
    db_bind_int(add, 1, seal->number);
    db_bind_int(add, 2, seal->month);
    db_bind_int(add, 3, seal->supplement);
    db_bind_int(add, 4, seal->readings);
    db_bind_blob(add, 5, hash_bytes(hash));
    db_bind_int(add, 6, now_ms);
    db_bind_int(mark, 1, seal->number);
    db_bind_int(mark, 2, seal->month);
    enum status status = db_run(add, err);
    return status == ST_OK ? db_run(mark, err) : status;
}

/* The next link of the chain: all of the month that is not sealed. */
static enum status seal_month(struct db *db, int64_t month, int64_t now_ms, struct error *err)
{
    struct db_stmt *supplement = db_keep(db, "SELECT count(*) FROM seal WHERE month = ?");
    struct seal seal = {.month = month};
    struct buf text = {0}, chunks = {0};
    db_bind_int(supplement, 1, month);
    enum status status = ask(supplement, 0, &seal.supplement, err);
    if (status == ST_OK)
        status = read_last(db, &seal, err);
    if (status == ST_OK)
        status = read_chunks(db, month, &seal.readings, &chunks, err);
    if (status == ST_OK) {
        seal_write_head(&text, &seal);
        buf_add(&text, chunks.data, chunks.len);
        struct hash hash = hash_of((struct span){text.data, text.len});
        status = put_seal(db, &seal, &hash, now_ms, err);
    }
    buf_release(&chunks);
    buf_release(&text);
    return status;
}

static enum status seal_supplements(struct db *db, int64_t now_ms, struct error *err)
{
    struct db_stmt *next = db_keep(db, "SELECT min(a.month) FROM archive a WHERE a.seal IS NULL"
                                       " AND EXISTS (SELECT 1 FROM seal s WHERE s.month = a.month)");
    int64_t month = 0;
    enum status status;
    while ((status = ask(next, -1, &month, err)) == ST_OK && month >= 0)
        if ((status = seal_month(db, month, now_ms, err)) != ST_OK)
            break;
    return status;
}

static enum status is_due(
    const struct sealer *s, struct db *db, int64_t month, int64_t closed_ms, bool *ret, struct error *err)
{
    struct db_stmt *sealed = db_keep(db, "SELECT 1 FROM seal WHERE month = ?");
    struct db_stmt *begun =
        db_keep(db, "SELECT begun_ms FROM archive WHERE seal IS NULL AND month = ? ORDER BY id LIMIT 1");
    int64_t from_ms = calendar_month_begin_ms(month), to_ms = calendar_month_begin_ms(month + 1);
    int64_t is_sealed, begun_ms;
    bool is_awaited = false;
    *ret = false;
    db_bind_int(sealed, 1, month);
    enum status status = ask(sealed, 0, &is_sealed, err);
    if (status != ST_OK || is_sealed || to_ms > closed_ms)
        return status;
    db_bind_int(begun, 1, month);
    status = ask(begun, 0, &begun_ms, err);
    int64_t closing_ms = to_ms + s->evidence_ms;
    bool is_long_enough = closed_ms >= closing_ms && closed_ms >= begun_ms;
    if (status == ST_OK && !is_long_enough)
        status = journal_reaches_into(db, from_ms, to_ms, &is_awaited, err);
    *ret = status == ST_OK && !is_awaited;
    return status;
}

enum status seal_step(struct sealer *s, struct db *db, int64_t closed_ms, int64_t now_ms,
    bool *ret_is_changed, struct error *err)
{
    struct db_stmt *next = db_keep(db, "SELECT min(month) FROM archive WHERE seal IS NULL AND month >= ?");
    int64_t month;
    bool is_ready = false;
    db_bind_int(next, 1, s->looked_at);
    enum status status = ask(next, -1, &month, err);
    if (status == ST_OK && month >= 0)
        status = is_due(s, db, month, closed_ms, &is_ready, err);
    s->looked_at = month >= 0 ? month + 1 : 0;
    if (status != ST_OK || !is_ready)
        return status;
    *ret_is_changed = true;
    status = seal_supplements(db, now_ms, err);
    return status == ST_OK ? seal_month(db, month, now_ms, err) : status;
}

/* ---- what is too old ---- */

static enum status mark_expired(
    const struct sealer *s, struct db *db, int64_t closed_ms, int64_t now_ms, bool *ret, struct error *err)
{
    struct db_stmt *oldest = db_keep(db, "SELECT min(month) FROM seal WHERE deleted_ms IS NULL");
    struct db_stmt *newest = db_keep(db, "SELECT max(deleted_ms) FROM seal");
    struct db_stmt *mark =
        db_keep(db, "UPDATE seal SET deleted_ms = ? WHERE month = ? AND deleted_ms IS NULL");
    int64_t month, deleted_ms;
    *ret = false;
    enum status status = ask(oldest, -1, &month, err);
    if (status == ST_OK)
        status = ask(newest, INT64_MIN, &deleted_ms, err);
    if (status != ST_OK || month < 0)
        return status;
    /* A clock that was ahead, and was set right, holds nothing up. */
    bool is_soon = deleted_ms != INT64_MIN && deleted_ms <= now_ms && now_ms - deleted_ms < CALENDAR_DAY_MS;
    if (is_soon || calendar_month_begin_ms(month + 1 + 12 * s->audit_years) > closed_ms + s->evidence_ms)
        return ST_OK;
    *ret = true;
    db_bind_int(mark, 1, now_ms);
    db_bind_int(mark, 2, month);
    return db_run(mark, err);
}

static enum status delete_some(struct db *db, bool *ret, struct error *err)
{
#define EXPIRED                                                                                         \
    "(SELECT a.id FROM seal s CROSS JOIN archive a ON a.seal = s.number WHERE s.deleted_ms IS NOT NULL" \
    " ORDER BY s.number, a.id LIMIT ?)"
    struct db_stmt *content = db_keep(db, "DELETE FROM archive_content WHERE id IN " EXPIRED);
    struct db_stmt *chunks = db_keep(db, "DELETE FROM archive WHERE id IN " EXPIRED);
#undef EXPIRED
    db_bind_int(content, 1, EXPIRE_CHUNKS);
    db_bind_int(chunks, 1, EXPIRE_CHUNKS);
    enum status status = db_run(content, err);
    if (status == ST_OK)
        status = db_run(chunks, err);
    *ret = status == ST_OK && db_changes(db) > 0;
    return status;
}

enum status seal_expire(struct sealer *s, struct db *db, int64_t closed_ms, int64_t now_ms,
    bool *ret_is_changed, struct error *err)
{
    bool has_marked, has_deleted = false;
    enum status status = mark_expired(s, db, closed_ms, now_ms, &has_marked, err);
    if (status == ST_OK)
        status = delete_some(db, &has_deleted, err);
    *ret_is_changed = *ret_is_changed || has_marked || has_deleted;
    return status;
}
