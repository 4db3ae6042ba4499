#include "agent/deliver/spool_private.h"

#include "lib/id.h"
#include "lib/mem.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLICE_READINGS 4096

enum status spool_query_int(struct db_stmt *stmt, int64_t fallback, int64_t *ret, struct error *err)
{
    bool has_row;
    enum status status = db_step(stmt, &has_row, err);
    if (status != ST_OK)
        return status;
    *ret = has_row && !db_is_null(stmt, 0) ? db_int(stmt, 0) : fallback;
    db_reset(stmt);
    return ST_OK;
}

/* What waits moves with the mark as well as with cutting. */
static enum status refresh_waiting(struct spool *s, struct error *err)
{
    struct spool_state *now = &s->now.state;
    enum status status;
    int64_t cut_ms = 0, uncut_ms = 0;
    db_bind_int(s->sizes, 1, now->mark);
    db_bind_int(s->oldest_cut, 1, now->mark);
    if ((status = spool_query_int(s->sizes, 0, &now->unacknowledged_bytes, err)) != ST_OK ||
        (status = spool_query_int(s->oldest_cut, 0, &cut_ms, err)) != ST_OK ||
        (status = spool_query_int(s->oldest_uncut, 0, &uncut_ms, err)) != ST_OK)
        return status;
    now->oldest_ms = cut_ms != 0 ? cut_ms : uncut_ms;
    spool_note_room(s);
    return ST_OK;
}

enum status spool_refresh(struct spool *s, struct error *err)
{
    enum status status = spool_query_int(s->first, s->now.state.last + 1, &s->now.state.first, err);
    return status == ST_OK ? refresh_waiting(s, err) : status;
}

static enum status save(struct spool *s, struct error *err)
{
    const struct spool_memory *now = &s->now;
    db_bind_int(s->save, 1, now->state.mark);
    db_bind_int(s->save, 2, now->state.uncut);
    db_bind_int(s->save, 3, now->dropped);
    db_bind_int(s->save, 4, now->dropped_from_ms);
    db_bind_int(s->save, 5, now->dropped_to_ms);
    return db_run(s->save, err);
}

/* The next start reads the file through, whatever its size. */
static void leave_suspicion(const struct spool *s)
{
    char *path = mem_printf("%s.suspect", s->path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    free(path);
}

void spool_close(struct spool *s)
{
    if (s == NULL)
        return;
    if (s->is_suspect || db_is_corrupt(s->db))
        leave_suspicion(s);
    else if (!s->is_saved) /* Only a convenience: without it some batches are sent again, as duplicates. */
        save(s, NULL);
    db_close(s->db);
    reserve_release(&s->reserve);
    free(s->path);
    free(s->point_ids);
    free(s->stamped_ms);
    free(s);
}

void spool_state(const struct spool *s, struct spool_state *ret)
{
    *ret = s->now.state;
}

const char *spool_warning(const struct spool *s)
{
    return s->warning.text[0] != '\0' ? s->warning.text : NULL;
}

int64_t spool_undatable(const struct spool *s)
{
    struct db_stmt *count =
        db_prepare(s->db, "SELECT (SELECT count(*) FROM record WHERE quality = ?1 AND boot IS NOT ?2)"
                          " + (SELECT count(*) FROM gauge WHERE quality = ?1 AND boot IS NOT ?2)");
    int64_t found = 0;
    db_bind_int(count, 1, QUALITY_CLOCK);
    db_bind_int(count, 2, s->boot); /* 0 is no boot's number */
    spool_query_int(count, 0, &found, NULL);
    db_finish(count);
    return found;
}

void spool_set_mark(struct spool *s, int64_t mark)
{
    s->is_saved = s->is_saved && mark == s->now.state.mark;
    s->now.state.mark = mark;
    /* A disk that fails here fails the next commit too, and that one is heard. */
    refresh_waiting(s, NULL);
}

/* ---- adding ---- */

/* What a reading takes at most, in the table and, cut in the same transaction, in a batch. */
static int64_t reading_bytes(const struct spool_reading *r)
{
    int64_t note = r->note_key != NULL ? 200 + (int64_t)(strlen(r->note_key) + strlen(r->note)) : 0;
    return 200 + note + (r->text != NULL ? 3 * (int64_t)strlen(r->text) : 0);
}

static enum status add_one(struct spool *s, const struct spool_reading *r, struct error *err)
{
    assert(r->point < s->point_count);
    bool is_gauge = r->kind == READING_GAUGE;
    struct db_stmt *add = is_gauge ? s->add_gauge : s->add_record;
    db_bind_int(add, 1, s->now.next_id++);
    db_bind_int(add, 2, s->point_ids[r->point]);
    db_bind_int(add, 3, r->quality);
    db_bind_int(add, 4, r->time_ms);
    if (is_gauge)
        db_bind_double(add, 5, r->value);
    else if (r->kind == READING_REGISTER)
        db_bind_int(add, 5, r->count);
    else
        db_bind_text(add, 5, span_of(r->text));
    if (r->quality == QUALITY_CLOCK && s->boot != 0 && r->has_mono) {
        db_bind_int(add, 6, s->boot);
        db_bind_int(add, 7, r->mono_ms);
    } else {
        db_bind_null(add, 6);
        db_bind_null(add, 7);
    }
    if (!is_gauge)
        db_bind_int(add, 8, r->kind);
    enum status status = db_run(add, err);
    if (status != ST_OK || r->note_key == NULL)
        return status;
    assert(s->add_note != NULL);
    db_bind_text(s->add_note, 1, span_of(r->note_key));
    db_bind_text(s->add_note, 2, span_of(r->note));
    return db_run(s->add_note, err);
}

enum status spool_notes(struct spool *s, const char *prefix, void *user_data,
    void (*on_note)(void *user_data, struct span key, struct span note), struct error *err)
{
    enum status status = db_exec(s->db,
        "CREATE TABLE IF NOT EXISTS note(key TEXT PRIMARY KEY, note TEXT NOT NULL) STRICT, WITHOUT ROWID",
        err);
    if (status != ST_OK)
        return status;
    if (s->add_note == NULL)
        s->add_note = db_prepare(s->db, "INSERT OR REPLACE INTO note(key, note) VALUES(?, ?)");
    struct db_stmt *all =
        db_keep(s->db, "SELECT key, note FROM note WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key");
    bool has_row;
    db_bind_text(all, 1, span_of(prefix));
    while ((status = db_step(all, &has_row, err)) == ST_OK && has_row)
        on_note(user_data, db_text(all, 0), db_text(all, 1));
    return status;
}

static enum status add(struct spool *s, const struct spool_reading *readings, size_t count, struct error *err)
{
    int64_t need_bytes = 0;
    for (size_t i = 0; i < count; i++)
        need_bytes += reading_bytes(&readings[i]);
    enum status status = count > 0 ? spool_make_room(s, need_bytes, err) : ST_OK;
    for (size_t i = 0; i < count && status == ST_OK; i++)
        status = add_one(s, &readings[i], err);
    if (status == ST_OK && count > 0) {
        s->now.state.uncut += (int64_t)count;
        s->is_saved = false;
    }
    return status;
}

size_t spool_slice(const struct spool *s, const struct spool_reading *readings, size_t count)
{
    /* Several of them fit into the smallest spool, so that an empty one always takes the next. */
    int64_t left_bytes = spool_limit(s) / 8;
    size_t n = 0;
    while (n < count && n < SLICE_READINGS && (n == 0 || left_bytes >= reading_bytes(&readings[n])))
        left_bytes -= reading_bytes(&readings[n++]);
    return n;
}

/* ---- the transaction ---- */

static enum status transact(struct spool *s, const struct spool_reading *readings, size_t count,
    int64_t batches, size_t payload_max, struct error *err)
{
    struct spool_memory before = s->now;
    bool is_saved = s->is_saved;
    s->is_refused = false;
    enum status status = db_begin(s->db, err);
    if (status != ST_OK)
        return status;
    status = add(s, readings, count, err);
    if (status == ST_OK && batches > 0)
        status = spool_cut_batches(s, batches, payload_max, err);
    if (status == ST_OK && !s->is_saved)
        status = save(s, err);
    if (status == ST_OK)
        status = db_commit(s->db, err);
    else
        db_rollback(s->db);
    if (status != ST_OK) {
        s->now = before;
        s->is_saved = is_saved;
        return status;
    }
    s->is_saved = true;
    /* It is committed: to call it a failure that changed nothing would bring the readings in again. */
    status = spool_refresh(s, err);
    return status == ST_OK ? ST_OK : ST_STORAGE;
}

enum status spool_commit(struct spool *s, const struct spool_reading *readings, size_t count, int64_t batches,
    size_t payload_max, struct error *err)
{
    spool_look_at_disk(s);
    enum status status = transact(s, readings, count, batches, payload_max, err);
    if (status == ST_FULL && spool_meet_full_disk(s))
        status = transact(s, readings, count, batches, payload_max, err);
    if (status == ST_OK)
        spool_keep_log_short(s);
    else if (status == ST_STORAGE)
        s->is_suspect = true;
    return status;
}

enum status spool_add(struct spool *s, const struct spool_reading *readings, size_t count, struct error *err)
{
    return spool_commit(s, readings, count, 0, 0, err);
}

enum status spool_cut(struct spool *s, int64_t batches, size_t payload_max, struct error *err)
{
    return spool_commit(s, NULL, 0, batches, payload_max, err);
}

/* ---- publishing ---- */

enum status spool_payload(struct spool *s, int64_t seq, struct buf *ret, struct error *err)
{
    bool has_row;
    db_bind_int(s->read, 1, seq);
    enum status status = db_step(s->read, &has_row, err);
    if (status != ST_OK)
        return status;
    if (!has_row)
        return error_set(err, ST_INVALID, "batch %lld is not held", (long long)seq);
    struct batch_header header = {.epoch = (uint64_t)db_int(s->read, 0),
        .seq = seq,
        .first = s->now.state.first,
        .dropped = db_int(s->read, 2),
        .dropped_from_ms = db_int(s->read, 3),
        .dropped_to_ms = db_int(s->read, 4)};
    db_bind_int(s->prev_epoch, 1, db_int(s->read, 0));
    status = db_step(s->prev_epoch, &has_row, err);
    if (status == ST_OK && has_row) {
        header.has_prev = true;
        header.prev_epoch = (uint64_t)db_int(s->prev_epoch, 0);
        header.prev_seq = db_int(s->prev_epoch, 1);
        db_reset(s->prev_epoch);
    }
    if (status == ST_OK) {
        struct span body = db_text(s->read, 1);
        buf_reset(ret);
        batch_write_header(ret, &header);
        buf_add(ret, body.at, body.len);
    }
    db_reset(s->read);
    return status;
}

enum status spool_resolve(struct spool *s, const struct ack *ack, int64_t *ret_seq, struct error *err)
{
    int64_t last;
    db_bind_int(s->find_epoch, 1, (int64_t)ack->epoch);
    enum status status = spool_query_int(s->find_epoch, -1, &last, err);
    if (status != ST_OK)
        return status;
    char epoch[EPOCH_TEXT_SIZE];
    epoch_format(ack->epoch, epoch);
    if (last < 0)
        return error_set(err, ST_INVALID, "epoch %s is not of this spool", epoch);
    if (ack->seq > last && ack->epoch == s->now.run_epoch)
        return error_set(err, ST_INVALID, "batch %lld of epoch %s was never cut (last: %lld)",
            (long long)ack->seq, epoch, (long long)last);
    *ret_seq = ack->seq < last ? ack->seq : last;
    return ST_OK;
}
