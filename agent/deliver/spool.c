#include "agent/deliver/spool.h"

#include "agent/deliver/window.h"
#include "lib/db.h"
#include "lib/id.h"
#include "lib/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Room for the header line, whose `first` and `prev` are set at each publish. */
#define HEADER_MAX 256
#define FREE_AT_ONCE 8
/* Kept free of readings, so that a whole window can always be cut: a batch takes more room than its readings.
 */
#define RESERVE_MIN_BYTES (WINDOW_BYTES + WINDOW_BYTES / 2)
#define SLICE_READINGS 4096
#define CHECKED_BYTES (64 * 1024 * 1024) /* a larger spool is not read through at each start */
#define APPLICATION_ID 0x7061726b        /* "park" */

static const char *const scripts[] = {
    "CREATE TABLE spool(gateway TEXT NOT NULL, mark INTEGER NOT NULL) STRICT;"
    "CREATE TABLE point(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE reading(id INTEGER PRIMARY KEY, point INTEGER NOT NULL, kind INTEGER NOT NULL,"
    "  quality INTEGER NOT NULL, time_ms INTEGER NOT NULL, value ANY NOT NULL) STRICT;"
    "CREATE TABLE epoch(number INTEGER PRIMARY KEY, epoch INTEGER NOT NULL UNIQUE, first_seq INTEGER NOT "
    "NULL,"
    "  last_seq INTEGER NOT NULL) STRICT;"
    /* end_bytes: the sum of all bodies up to this one, so that the size of any range is a difference. */
    "CREATE TABLE batch(seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, oldest_ms INTEGER NOT NULL,"
    "  end_bytes INTEGER NOT NULL, body BLOB NOT NULL) STRICT;",
};

static const struct db_schema schema = {scripts, sizeof scripts / sizeof scripts[0]};

struct spool {
    struct db *db;
    int64_t limit_bytes, reserve_bytes;
    struct spool_state state;
    bool is_mark_saved;
    uint64_t run_epoch; /* of this start; drawn when its first batch is cut, 0 before */
    const char *const *points;
    size_t point_count;
    int64_t *point_ids; /* by the caller's index */
    struct db_stmt *add, *uncut, *forget, *cut, *read, *free_old, *save_mark, *new_epoch, *grow_epoch,
        *prev_epoch, *find_epoch, *first, *sizes, *oldest_uncut, *oldest_cut, *count_uncut;
};

static enum status query_int(struct db_stmt *stmt, int64_t fallback, int64_t *ret, struct error *err)
{
    bool has_row;
    enum status status = db_step(stmt, &has_row, err);
    if (status != ST_OK)
        return status;
    *ret = has_row && !db_is_null(stmt, 0) ? db_int(stmt, 0) : fallback;
    db_reset(stmt);
    return ST_OK;
}

/* Moves with the mark as well as with cutting. */
static enum status refresh_bytes(struct spool *s, struct error *err)
{
    db_bind_int(s->sizes, 1, s->state.mark);
    return query_int(s->sizes, 0, &s->state.unacknowledged_bytes, err);
}

/* The truth is on disk; `state` is its copy, refreshed after every transaction. */
static enum status refresh(struct spool *s, struct error *err)
{
    struct spool_state *now = &s->state;
    enum status status;
    int64_t cut_ms = 0, uncut_ms = 0;
    if ((status = query_int(s->first, now->last + 1, &now->first, err)) != ST_OK ||
        (status = query_int(s->count_uncut, 0, &now->uncut, err)) != ST_OK ||
        (status = query_int(s->oldest_uncut, 0, &uncut_ms, err)) != ST_OK ||
        (status = refresh_bytes(s, err)) != ST_OK)
        return status;
    db_bind_int(s->oldest_cut, 1, now->mark);
    if ((status = query_int(s->oldest_cut, 0, &cut_ms, err)) != ST_OK)
        return status;
    now->oldest_ms = cut_ms != 0 ? cut_ms : uncut_ms;
    return ST_OK;
}

static void prepare(struct spool *s)
{
    struct db *db = s->db;
    s->add =
        db_prepare(db, "INSERT INTO reading(point, kind, quality, time_ms, value) VALUES(?, ?, ?, ?, ?)");
    s->uncut = db_prepare(db, "SELECT r.id, p.name, r.kind, r.quality, r.time_ms, r.value FROM reading r"
                              " JOIN point p ON p.id = r.point ORDER BY r.id LIMIT ?");
    s->forget = db_prepare(db, "DELETE FROM reading WHERE id <= ?");
    s->cut = db_prepare(db, "INSERT INTO batch SELECT ?1, ?2, ?3, length(?4) +"
                            " ifnull((SELECT end_bytes FROM batch ORDER BY seq DESC LIMIT 1), 0), ?4");
    s->read = db_prepare(db, "SELECT epoch, body FROM batch WHERE seq = ?");
    s->free_old = db_prepare(db, "DELETE FROM batch WHERE seq IN"
                                 " (SELECT seq FROM batch WHERE seq <= ? ORDER BY seq LIMIT ?)");
    s->save_mark = db_prepare(db, "UPDATE spool SET mark = ?");
    s->new_epoch = db_prepare(db, "INSERT INTO epoch(epoch, first_seq, last_seq) VALUES(?, ?, ?)");
    s->grow_epoch = db_prepare(db, "UPDATE epoch SET last_seq = ? WHERE epoch = ?");
    s->prev_epoch =
        db_prepare(db, "SELECT b.epoch, b.last_seq FROM epoch a JOIN epoch b ON b.number = a.number - 1"
                       " WHERE a.epoch = ?");
    s->find_epoch = db_prepare(db, "SELECT last_seq FROM epoch WHERE epoch = ?");
    s->first = db_prepare(db, "SELECT min(seq) FROM batch");
    s->sizes =
        db_prepare(db, "SELECT (SELECT end_bytes FROM batch ORDER BY seq DESC LIMIT 1)"
                       " - (SELECT end_bytes - length(body) FROM batch WHERE seq > ? ORDER BY seq LIMIT 1)");
    s->oldest_cut = db_prepare(db, "SELECT oldest_ms FROM batch WHERE seq > ? ORDER BY seq LIMIT 1");
    s->oldest_uncut = db_prepare(db, "SELECT time_ms FROM reading ORDER BY id LIMIT 1");
    /* Ids of readings have no holes: they are added and forgotten in order. */
    s->count_uncut =
        db_prepare(db, "SELECT (SELECT max(id) FROM reading) - (SELECT min(id) FROM reading) + 1");
}

/* Damage that SQLite meets only where it reads; better at the start, by name, than in the middle of a night.
 */
static enum status check_soundness(struct spool *s, const char *path, struct error *err)
{
    if (db_used_bytes(s->db) > CHECKED_BYTES)
        return ST_OK;
    struct db_stmt *check = db_prepare(s->db, "PRAGMA quick_check(1)");
    bool has_row;
    enum status status = db_step(check, &has_row, err);
    if (status == ST_OK && has_row && !span_is(db_text(check, 0), "ok")) {
        struct span what = db_text(check, 0);
        status = error_set(err, ST_INVALID, "%s is not a sound spool (%.*s)", path, (int)what.len, what.at);
    }
    db_finish(check);
    return status;
}

static enum status claim(struct spool *s, const struct spool_options *options, struct error *err)
{
    struct db_stmt *own = db_prepare(s->db, "SELECT gateway, mark FROM spool");
    bool has_row;
    enum status status = db_step(own, &has_row, err);
    if (status != ST_OK)
        return status;
    if (!has_row) {
        struct db_stmt *create = db_prepare(s->db, "INSERT INTO spool VALUES(?, 0)");
        db_bind_text(create, 1, span_of(options->gateway));
        return db_run(create, err);
    }
    if (!span_is(db_text(own, 0), options->gateway)) {
        struct span gateway = db_text(own, 0);
        return error_set(err, ST_INVALID, "%s is the spool of gateway \"%.*s\"; expected \"%s\"",
            options->path, (int)gateway.len, gateway.at, options->gateway);
    }
    s->state.mark = db_int(own, 1);
    db_reset(own);
    struct db_stmt *newest =
        db_prepare(s->db, "SELECT epoch, last_seq FROM epoch ORDER BY number DESC LIMIT 1");
    status = db_step(newest, &has_row, err);
    if (status == ST_OK && has_row) {
        s->state.epoch = (uint64_t)db_int(newest, 0);
        s->state.last = db_int(newest, 1);
        db_reset(newest);
    }
    if (status == ST_OK && (s->state.mark < 0 || s->state.mark > s->state.last))
        status =
            error_set(err, ST_INVALID, "%s is not a sound spool (batch %lld acknowledged, last one %lld)",
                options->path, (long long)s->state.mark, (long long)s->state.last);
    return status;
}

static enum status intern_points(struct spool *s, struct error *err)
{
    struct db_stmt *add = db_prepare(s->db, "INSERT OR IGNORE INTO point(name) VALUES(?)");
    struct db_stmt *find = db_prepare(s->db, "SELECT id FROM point WHERE name = ?");
    enum status status = db_begin(s->db, err);
    for (size_t i = 0; i < s->point_count && status == ST_OK; i++) {
        db_bind_text(add, 1, span_of(s->points[i]));
        db_bind_text(find, 1, span_of(s->points[i]));
        if ((status = db_run(add, err)) == ST_OK)
            status = query_int(find, 0, &s->point_ids[i], err);
    }
    if (status == ST_OK)
        return db_commit(s->db, err);
    db_rollback(s->db);
    return status;
}

enum status spool_open(const struct spool_options *options, struct spool **ret, struct error *err)
{
    struct db *db;
    enum status status = db_open_own(options->path, APPLICATION_ID, &schema, &db, err);
    if (status != ST_OK)
        return status;
    struct spool *s = mem_zalloc(sizeof *s);
    s->db = db;
    s->limit_bytes = options->limit_bytes;
    s->reserve_bytes = s->limit_bytes / 10 > RESERVE_MIN_BYTES ? s->limit_bytes / 10 : RESERVE_MIN_BYTES;
    s->points = options->points;
    s->point_count = options->point_count;
    s->point_ids = mem_zalloc(s->point_count * sizeof *s->point_ids);
    s->is_mark_saved = true;
    prepare(s);
    db_limit_bytes(db, s->limit_bytes);
    if ((status = check_soundness(s, options->path, err)) != ST_OK ||
        (status = claim(s, options, err)) != ST_OK || (status = intern_points(s, err)) != ST_OK ||
        (status = refresh(s, err)) != ST_OK) {
        spool_close(s);
        return status;
    }
    *ret = s;
    return ST_OK;
}

void spool_close(struct spool *s)
{
    if (s == NULL)
        return;
    if (!s->is_mark_saved) {
        /* Only a convenience: without it some batches are sent again and dropped as duplicates. */
        db_bind_int(s->save_mark, 1, s->state.mark);
        db_run(s->save_mark, NULL);
    }
    db_close(s->db);
    free(s->point_ids);
    free(s);
}

void spool_state(const struct spool *s, struct spool_state *ret)
{
    *ret = s->state;
}

void spool_set_mark(struct spool *s, int64_t mark)
{
    s->is_mark_saved = s->is_mark_saved && mark == s->state.mark;
    s->state.mark = mark;
    /* A disk that fails here fails the next commit too, and that one is heard. */
    refresh_bytes(s, NULL);
}

/* ---- adding ---- */

/* What a reading takes at most, in the table and, cut in the same transaction, in a batch. */
static int64_t reading_bytes(const struct spool_reading *r)
{
    return 200 + (r->text != NULL ? 3 * (int64_t)strlen(r->text) : 0);
}

/* Frees the oldest acknowledged batches until `need_bytes` more fit. Without enough of them it frees what
 * there is. */
static enum status make_room(struct spool *s, int64_t need_bytes, bool *ret_fits, struct error *err)
{
    int64_t allowed = s->limit_bytes - s->reserve_bytes - need_bytes;
    while (!(*ret_fits = db_used_bytes(s->db) <= allowed)) {
        db_bind_int(s->free_old, 1, s->state.mark);
        db_bind_int(s->free_old, 2, FREE_AT_ONCE);
        enum status status = db_run(s->free_old, err);
        if (status != ST_OK || db_changes(s->db) == 0)
            return status;
    }
    return ST_OK;
}

static enum status add(struct spool *s, const struct spool_reading *readings, size_t count, struct error *err)
{
    int64_t need_bytes = 0;
    for (size_t i = 0; i < count; i++)
        need_bytes += reading_bytes(&readings[i]);
    bool fits = true;
    enum status status = count > 0 ? make_room(s, need_bytes, &fits, err) : ST_OK;
    if (status == ST_OK && !fits)
        return error_set(err, ST_FULL,
            "the spool is at its limit of %lld MiB with nothing acknowledged to free",
            (long long)(s->limit_bytes >> 20));
    for (size_t i = 0; i < count && status == ST_OK; i++) {
        const struct spool_reading *r = &readings[i];
        assert(r->point < s->point_count);
        db_bind_int(s->add, 1, s->point_ids[r->point]);
        db_bind_int(s->add, 2, r->kind);
        db_bind_int(s->add, 3, r->quality);
        db_bind_int(s->add, 4, r->time_ms);
        if (r->kind == READING_REGISTER)
            db_bind_int(s->add, 5, r->count);
        else if (r->kind == READING_GAUGE)
            db_bind_double(s->add, 5, r->value);
        else
            db_bind_text(s->add, 5, span_of(r->text));
        status = db_run(s->add, err);
    }
    return status;
}

size_t spool_slice(const struct spool *s, const struct spool_reading *readings, size_t count)
{
    /* Several of them fit into the smallest spool, so that an empty one always takes the next. */
    int64_t left_bytes = s->limit_bytes / 8;
    size_t n = 0;
    while (n < count && n < SLICE_READINGS && (n == 0 || left_bytes >= reading_bytes(&readings[n])))
        left_bytes -= reading_bytes(&readings[n++]);
    return n;
}

/* ---- cutting ---- */

struct cutting {
    struct buf body;
    int64_t last_id; /* of the readings in it */
    int64_t oldest_ms;
    int64_t lines;
};

/* Takes readings from the front until the batch is full. Readings stay in the table; `forget` follows in the
 * same transaction. */
static enum status fill(struct spool *s, size_t payload_max, struct cutting *ret, struct error *err)
{
    size_t body_max = payload_max > HEADER_MAX ? payload_max - HEADER_MAX : 0;
    db_bind_int(s->uncut, 1, BATCH_LINES_MAX);
    bool has_row;
    enum status status;
    while ((status = db_step(s->uncut, &has_row, err)) == ST_OK && has_row) {
        struct reading r = {.kind = (enum reading_kind)db_int(s->uncut, 2),
            .quality = (enum reading_quality)db_int(s->uncut, 3),
            .point = db_text(s->uncut, 1),
            .time_ms = db_int(s->uncut, 4)};
        if (r.kind == READING_REGISTER)
            r.count = db_int(s->uncut, 5);
        else if (r.kind == READING_GAUGE)
            r.value = db_double(s->uncut, 5);
        else
            r.text = db_text(s->uncut, 5);
        size_t before = ret->body.len;
        struct error why;
        if (batch_write_reading(&ret->body, &r, &why) != ST_OK) {
            /* Readings are checked before they are put: this is not what was written. */
            status = error_set(err, ST_STORAGE, "the spool is damaged: reading %lld of point %.*s: %s",
                (long long)db_int(s->uncut, 0), (int)r.point.len, r.point.at, why.text);
            break;
        }
        if (ret->body.len > body_max) {
            if (ret->lines == 0)
                status = error_set(err, ST_INVALID,
                    "the broker takes messages of at most %zu bytes, too few for a single reading",
                    payload_max);
            ret->body.len = before;
            break;
        }
        if (ret->lines++ == 0)
            ret->oldest_ms = r.time_ms;
        ret->last_id = db_int(s->uncut, 0);
    }
    db_reset(s->uncut);
    return status;
}

static enum status number_epoch(struct spool *s, int64_t seq, struct error *err)
{
    if (s->run_epoch != 0) {
        db_bind_int(s->grow_epoch, 1, seq);
        db_bind_int(s->grow_epoch, 2, (int64_t)s->run_epoch);
        return db_run(s->grow_epoch, err);
    }
    s->run_epoch = epoch_draw();
    db_bind_int(s->new_epoch, 1, (int64_t)s->run_epoch);
    db_bind_int(s->new_epoch, 2, seq);
    db_bind_int(s->new_epoch, 3, seq);
    return db_run(s->new_epoch, err);
}

static enum status cut_one(struct spool *s, size_t payload_max, int64_t *ret_bytes, struct error *err)
{
    struct cutting cutting = {0};
    enum status status = fill(s, payload_max, &cutting, err);
    if (status == ST_OK && cutting.lines > 0 && (status = number_epoch(s, s->state.last + 1, err)) == ST_OK) {
        db_bind_int(s->cut, 1, s->state.last + 1);
        db_bind_int(s->cut, 2, (int64_t)s->run_epoch);
        db_bind_int(s->cut, 3, cutting.oldest_ms);
        db_bind_blob(s->cut, 4, (struct span){cutting.body.data, cutting.body.len});
        db_bind_int(s->forget, 1, cutting.last_id);
        if ((status = db_run(s->cut, err)) == ST_OK && (status = db_run(s->forget, err)) == ST_OK) {
            s->state.last++;
            s->state.epoch = s->run_epoch;
        }
    }
    *ret_bytes = status == ST_OK && cutting.lines > 0 ? (int64_t)cutting.body.len : 0;
    buf_release(&cutting.body);
    return status;
}

static enum status cut(struct spool *s, int64_t batches, size_t payload_max, struct error *err)
{
    bool is_new_epoch = s->run_epoch == 0;
    if (is_new_epoch && s->state.mark < s->state.last)
        return ST_OK;
    bool fits; /* the reserve is for what does not */
    enum status status = make_room(s, 0, &fits, err);
    if (status != ST_OK)
        return status;
    int64_t out = s->state.unacknowledged_bytes;
    for (int64_t i = 0; i < batches && (out == 0 || out + (int64_t)payload_max <= WINDOW_BYTES); i++) {
        int64_t bytes;
        status = cut_one(s, payload_max, &bytes, err);
        if (status != ST_OK || bytes == 0)
            return status;
        out += bytes;
    }
    return ST_OK;
}

enum status spool_commit(struct spool *s, const struct spool_reading *readings, size_t count, int64_t batches,
    size_t payload_max, struct error *err)
{
    struct spool_state before = s->state;
    uint64_t run_epoch = s->run_epoch;
    enum status status = db_begin(s->db, err);
    if (status != ST_OK)
        return status;
    if (!s->is_mark_saved) {
        db_bind_int(s->save_mark, 1, s->state.mark);
        status = db_run(s->save_mark, err);
    }
    if (status == ST_OK)
        status = add(s, readings, count, err);
    if (status == ST_OK && batches > 0)
        status = cut(s, batches, payload_max, err);
    if (status == ST_OK)
        status = db_commit(s->db, err);
    else
        db_rollback(s->db);
    if (status != ST_OK) {
        s->state = before;
        s->run_epoch = run_epoch;
        return status;
    }
    s->is_mark_saved = true;
    /* It is committed: to call it a failure that changed nothing would bring the readings in again. */
    status = refresh(s, err);
    return status == ST_OK ? ST_OK : ST_STORAGE;
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
    struct batch_header header = {.epoch = (uint64_t)db_int(s->read, 0), .seq = seq, .first = s->state.first};
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
    enum status status = query_int(s->find_epoch, -1, &last, err);
    if (status != ST_OK)
        return status;
    char epoch[EPOCH_TEXT_SIZE];
    epoch_format(ack->epoch, epoch);
    if (last < 0)
        return error_set(err, ST_INVALID, "epoch %s is not of this spool", epoch);
    if (ack->seq > last && ack->epoch == s->run_epoch)
        return error_set(err, ST_INVALID, "batch %lld of epoch %s was never cut (last: %lld)",
            (long long)ack->seq, epoch, (long long)last);
    *ret_seq = ack->seq < last ? ack->seq : last;
    return ST_OK;
}
