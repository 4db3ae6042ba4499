/* Opening a spool: format, soundness, owner. */
#include "agent/deliver/spool_private.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <unistd.h>

#define CHECKED_BYTES (64 * 1024 * 1024) /* a larger spool is not read through at each start */
#define RESERVE_BYTES (2 * 1024 * 1024)
#define LOG_PAGES "256" /* the write-ahead log stays smaller than what the reserve can take up */

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

    /* Gauges apart, because they are given up first: only rows side by side give whole pages back. The ids of
     * both tables together tell the order in which readings were added. boot and mono_ms: of a reading that
     * was taken while the clock was not synchronised. */
    "CREATE TABLE boot(id INTEGER PRIMARY KEY, boot TEXT NOT NULL UNIQUE) STRICT;"
    "ALTER TABLE reading RENAME TO record;"
    "ALTER TABLE record ADD COLUMN boot INTEGER;"
    "ALTER TABLE record ADD COLUMN mono_ms INTEGER;"
    "CREATE TABLE gauge(id INTEGER PRIMARY KEY, point INTEGER NOT NULL, quality INTEGER NOT NULL,"
    "  time_ms INTEGER NOT NULL, value REAL NOT NULL, boot INTEGER, mono_ms INTEGER) STRICT;"
    "INSERT INTO gauge SELECT id, point, quality, time_ms, value, NULL, NULL FROM record WHERE kind = 1;"
    "DELETE FROM record WHERE kind = 1;"
    "CREATE VIEW reading AS"
    "  SELECT id, point, kind, quality, time_ms, value, boot, mono_ms FROM record"
    "  UNION ALL SELECT id, point, 1, quality, time_ms, value, boot, mono_ms FROM gauge;"
    /* Given up uncut, and not yet said by a batch. */
    "ALTER TABLE spool ADD COLUMN uncut INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE spool ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE spool ADD COLUMN dropped_from_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE spool ADD COLUMN dropped_to_ms INTEGER NOT NULL DEFAULT 0;"
    "UPDATE spool SET uncut = (SELECT count(*) FROM reading);"
    /* Holds pages for a moment, on a full disk. */
    "CREATE TABLE room(filler BLOB NOT NULL) STRICT;"
    /* Said by this batch. */
    "ALTER TABLE batch ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE batch ADD COLUMN dropped_from_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE batch ADD COLUMN dropped_to_ms INTEGER NOT NULL DEFAULT 0;",
};

const struct db_schema spool_schema = {scripts, sizeof scripts / sizeof scripts[0]};

/* Not by the view `reading`: it would be read to its end and sorted, where this merges two tables in order. */
static void prepare(struct spool *s)
{
    struct db *db = s->db;
    s->add_record =
        db_prepare(db, "INSERT INTO record(id, point, quality, time_ms, value, boot, mono_ms, kind)"
                       " VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
    s->add_gauge = db_prepare(db, "INSERT INTO gauge(id, point, quality, time_ms, value, boot, mono_ms)"
                                  " VALUES(?, ?, ?, ?, ?, ?, ?)");
    s->uncut = db_prepare(db,
        "SELECT r.id, p.name, r.kind, r.quality, r.time_ms, r.value, p.id, r.boot, r.mono_ms"
        " FROM record r CROSS JOIN point p ON p.id = r.point"
        " UNION ALL SELECT r.id, p.name, 1, r.quality, r.time_ms, r.value, p.id, r.boot, r.mono_ms"
        " FROM gauge r CROSS JOIN point p ON p.id = r.point ORDER BY 1 LIMIT ?");
    s->forget_gauges = db_prepare(db, "DELETE FROM gauge WHERE id <= ?");
    s->forget_records = db_prepare(db, "DELETE FROM record WHERE id <= ?");
    s->oldest_gauges = db_prepare(db, "SELECT count(*), min(time_ms), max(time_ms), max(id) FROM"
                                      " (SELECT id, time_ms FROM gauge ORDER BY id LIMIT ?)");
    s->oldest_records = db_prepare(db, "SELECT count(*), min(time_ms), max(time_ms), max(id) FROM"
                                       " (SELECT id, time_ms FROM record ORDER BY id LIMIT ?)");
    s->lowest_batch =
        db_prepare(db, "SELECT seq, dropped, dropped_from_ms, dropped_to_ms FROM batch ORDER BY seq LIMIT 1");
    s->drop_batch = db_prepare(db, "DELETE FROM batch WHERE seq = ?");
    s->cut =
        db_prepare(db, "INSERT INTO batch SELECT ?1, ?2, ?3, length(?4) +"
                       " ifnull((SELECT end_bytes FROM batch ORDER BY seq DESC LIMIT 1), 0), ?4, ?5, ?6, ?7");
    s->read = db_prepare(
        db, "SELECT epoch, body, dropped, dropped_from_ms, dropped_to_ms FROM batch WHERE seq = ?");
    s->free_old = db_prepare(db, "DELETE FROM batch WHERE seq IN"
                                 " (SELECT seq FROM batch WHERE seq <= ? ORDER BY seq LIMIT ?)");
    s->save = db_prepare(
        db, "UPDATE spool SET mark = ?, uncut = ?, dropped = ?, dropped_from_ms = ?, dropped_to_ms = ?");
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
    s->oldest_uncut = db_prepare(db, "SELECT time_ms FROM (SELECT id, time_ms FROM record"
                                     " UNION ALL SELECT id, time_ms FROM gauge ORDER BY 1 LIMIT 1)");
    s->grow = db_prepare(db, "INSERT INTO room VALUES(zeroblob(?))");
    s->shrink = db_prepare(db, "DELETE FROM room");
    s->last_id = db_prepare(
        db, "SELECT max(ifnull((SELECT max(id) FROM gauge), 0), ifnull((SELECT max(id) FROM record), 0))");
}

/* Damage that SQLite meets only where it reads; better at the start, by name, than in the middle of a night.
 */
static enum status check_soundness(struct spool *s, struct error *err)
{
    char *suspect = mem_printf("%s.suspect", s->path);
    bool is_suspect = access(suspect, F_OK) == 0;
    enum status status = ST_OK;
    if (is_suspect || db_used_bytes(s->db) <= CHECKED_BYTES) {
        struct db_stmt *check = db_prepare(s->db, "PRAGMA quick_check(1)");
        bool has_row;
        status = db_step(check, &has_row, err);
        if (status == ST_OK && has_row && !span_is(db_text(check, 0), "ok")) {
            s->is_suspect = true;
            struct span what = db_text(check, 0);
            status =
                error_set(err, ST_INVALID, "%s is not a sound spool (%.*s)", s->path, (int)what.len, what.at);
        }
        db_finish(check);
    }
    if (status == ST_OK && is_suspect)
        unlink(suspect);
    free(suspect);
    return status;
}

static enum status claim(struct spool *s, const struct spool_options *options, struct error *err)
{
    struct spool_memory *now = &s->now;
    struct db_stmt *own =
        db_prepare(s->db, "SELECT gateway, mark, uncut, dropped, dropped_from_ms, dropped_to_ms FROM spool");
    bool has_row;
    enum status status = db_step(own, &has_row, err);
    if (status != ST_OK)
        return status;
    if (!has_row) {
        struct db_stmt *create = db_prepare(s->db, "INSERT INTO spool(gateway, mark) VALUES(?, 0)");
        db_bind_text(create, 1, span_of(options->gateway));
        return db_run(create, err);
    }
    if (!span_is(db_text(own, 0), options->gateway)) {
        struct span gateway = db_text(own, 0);
        return error_set(err, ST_INVALID, "%s is the spool of gateway \"%.*s\"; expected \"%s\"",
            options->path, (int)gateway.len, gateway.at, options->gateway);
    }
    now->state.mark = db_int(own, 1);
    now->state.uncut = db_int(own, 2);
    now->dropped = db_int(own, 3);
    now->dropped_from_ms = db_int(own, 4);
    now->dropped_to_ms = db_int(own, 5);
    db_reset(own);
    struct db_stmt *newest =
        db_prepare(s->db, "SELECT epoch, last_seq FROM epoch ORDER BY number DESC LIMIT 1");
    status = db_step(newest, &has_row, err);
    if (status == ST_OK && has_row) {
        now->state.epoch = (uint64_t)db_int(newest, 0);
        now->state.last = db_int(newest, 1);
        db_reset(newest);
    }
    if (status == ST_OK && (now->state.mark < 0 || now->state.mark > now->state.last)) {
        s->is_suspect = true;
        status =
            error_set(err, ST_INVALID, "%s is not a sound spool (batch %lld acknowledged, last one %lld)",
                options->path, (long long)now->state.mark, (long long)now->state.last);
    }
    if (status == ST_OK)
        status = spool_query_int(s->last_id, 0, &now->next_id, err);
    now->next_id++;
    return status;
}

static enum status intern(struct spool *s, const char *table_add, const char *table_find, const char *name,
    int64_t *ret_id, struct error *err)
{
    struct db_stmt *add = db_keep(s->db, table_add), *find = db_keep(s->db, table_find);
    db_bind_text(add, 1, span_of(name));
    db_bind_text(find, 1, span_of(name));
    enum status status = db_run(add, err);
    return status == ST_OK ? spool_query_int(find, 0, ret_id, err) : status;
}

static enum status intern_names(struct spool *s, struct error *err)
{
    static const char add_point[] = "INSERT OR IGNORE INTO point(name) VALUES(?)",
                      find_point[] = "SELECT id FROM point WHERE name = ?",
                      add_boot[] = "INSERT OR IGNORE INTO boot(boot) VALUES(?)",
                      find_boot[] = "SELECT id FROM boot WHERE boot = ?";
    enum status status = db_begin(s->db, err);
    for (size_t i = 0; i < s->point_count && status == ST_OK; i++)
        status = intern(s, add_point, find_point, s->points[i], &s->point_ids[i], err);
    const char *boot = s->clock->boot_id();
    if (status == ST_OK && boot[0] != '\0')
        status = intern(s, add_boot, find_boot, boot, &s->boot, err);
    if (status == ST_OK)
        return db_commit(s->db, err);
    db_rollback(s->db);
    return status;
}

static enum status make_stamps(struct spool *s, struct error *err)
{
    int64_t highest;
    enum status status = spool_query_int(db_keep(s->db, "SELECT max(id) FROM point"), 0, &highest, err);
    if (status == ST_OK)
        s->stamped_ms = mem_zalloc((size_t)(highest + 1) * sizeof *s->stamped_ms);
    return status;
}

static enum status open_tables(struct spool *s, const struct spool_options *options, struct error *err)
{
    enum status status = db_exec(s->db, "PRAGMA wal_autocheckpoint = " LOG_PAGES, err);
    if (status == ST_OK)
        status = check_soundness(s, err);
    if (status != ST_OK)
        return status;
    prepare(s);
    db_limit_bytes(s->db, s->limit_bytes);
    if ((status = claim(s, options, err)) == ST_OK && (status = intern_names(s, err)) == ST_OK &&
        (status = make_stamps(s, err)) == ST_OK)
        status = spool_refresh(s, err);
    return status;
}

/* *ret_is_damaged: it is our spool, and broken. */
static enum status open_file(
    const struct spool_options *options, struct spool **ret, bool *ret_is_damaged, struct error *err)
{
    struct db *db;
    enum status status = db_open_own(options->path, SPOOL_APPLICATION_ID, &spool_schema, &db, err);
    *ret_is_damaged = status == ST_INVALID && spool_header_is_ours(options->path);
    if (status != ST_OK)
        return status;
    struct spool *s = mem_zalloc(sizeof *s);
    s->db = db;
    s->path = mem_strdup(options->path);
    s->clock = options->clock != NULL ? options->clock : &clock_trusted;
    s->may_drop = options->may_drop;
    s->limit_bytes = options->limit_bytes;
    s->disk_limit_bytes = INT64_MAX;
    s->points = options->points;
    s->point_count = options->point_count;
    s->point_ids = mem_zalloc(s->point_count * sizeof *s->point_ids);
    s->is_saved = true;
    reserve_init(&s->reserve, options->path, RESERVE_BYTES);
    status = open_tables(s, options, err);
    if (status == ST_OK) {
        *ret = s;
        return ST_OK;
    }
    *ret_is_damaged = s->is_suspect || db_is_corrupt(db);
    s->is_suspect = false;
    spool_close(s);
    return status;
}

/* Opening may write. */
static enum status open_on_full_disk(
    const struct spool_options *options, struct spool **ret, bool *ret_is_damaged, struct error *err)
{
    enum status status = open_file(options, ret, ret_is_damaged, err);
    if (status != ST_FULL)
        return status;
    struct reserve reserve;
    reserve_init(&reserve, options->path, RESERVE_BYTES);
    if (reserve_give_up(&reserve))
        status = open_file(options, ret, ret_is_damaged, err);
    reserve_release(&reserve);
    return status;
}

enum status spool_open(const struct spool_options *options, struct spool **ret, struct error *err)
{
    struct spool *s;
    struct error why, warning = {""};
    bool is_damaged;
    spool_finish_setting_aside(options->path);
    enum status status = open_on_full_disk(options, &s, &is_damaged, &why);
    if (status != ST_OK && !is_damaged)
        return error_set(err, status, "%s", why.text);
    if (is_damaged && ((status = spool_set_aside(options, &why, &warning, err)) != ST_OK ||
                          (status = open_on_full_disk(options, &s, &is_damaged, err)) != ST_OK))
        return status;
    s->warning = warning;
    spool_look_at_disk(s);
    *ret = s;
    return ST_OK;
}
