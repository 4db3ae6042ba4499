/* A spool that is damaged: what can still be counted in it, setting it aside, and the new one that says so. */
#include "agent/deliver/spool_private.h"
#include "lib/id.h"
#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEADER_BYTES 100 /* of a SQLite file: https://sqlite.org/fileformat.html, 1.3 */
#define MAGIC "SQLite format 3"
#define VERSION_AT 60
#define APPLICATION_AT 68
#define EPOCHS_MAX 64 /* of the chain that goes on; the rest is long acknowledged */

static uint32_t big_endian(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

bool spool_header_is_ours(const char *path)
{
    unsigned char header[HEADER_BYTES] = {0}, zero[HEADER_BYTES] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, header, sizeof header) : -1;
    if (fd >= 0)
        close(fd);
    if (got <= 0)
        return false;
    if (memcmp(header, zero, sizeof header) == 0)
        return true; /* nobody's file begins so: blocks that were never written */
    bool is_sqlite = got >= (ssize_t)sizeof MAGIC && memcmp(header, MAGIC, sizeof MAGIC) == 0;
    if (got < HEADER_BYTES)
        return is_sqlite;
    return big_endian(header + APPLICATION_AT) == SPOOL_APPLICATION_ID &&
           big_endian(header + VERSION_AT) <= (uint32_t)spool_schema.count;
}

/* ---- what can still be read ---- */

struct remains {
    bool is_partial;          /* something could not be read */
    char gateway[ID_MAX + 1]; /* "" where it cannot be read */
    bool has_chain;
    int64_t mark, last;
    uint64_t epochs[EPOCHS_MAX];
    int64_t first_seqs[EPOCHS_MAX], last_seqs[EPOCHS_MAX];
    int epoch_count;
    int64_t lost, from_ms, to_ms;
};

static void lose(struct remains *r, int64_t count, int64_t from_ms, int64_t to_ms)
{
    if (count <= 0)
        return;
    if (r->lost == 0 || from_ms < r->from_ms)
        r->from_ms = from_ms;
    if (r->lost == 0 || to_ms > r->to_ms)
        r->to_ms = to_ms;
    r->lost += count;
}

/* Calls back for each row, up to the first that cannot be read. */
static void each_row(
    struct db *db, const char *sql, void (*take)(struct remains *, struct db_stmt *), struct remains *r)
{
    struct db_stmt *rows = db_prepare(db, sql);
    bool has_row;
    enum status status;
    while ((status = db_step(rows, &has_row, NULL)) == ST_OK && has_row)
        take(r, rows);
    if (status != ST_OK)
        r->is_partial = true;
    db_finish(rows);
}

static void take_uncut(struct remains *r, struct db_stmt *row)
{
    lose(r, 1, db_int(row, 0), db_int(row, 0));
}

static void take_own(struct remains *r, struct db_stmt *row)
{
    struct span gateway = db_text(row, 4);
    snprintf(r->gateway, sizeof r->gateway, "%.*s", (int)gateway.len, gateway.at);
    r->mark = db_int(row, 0);
    lose(r, db_int(row, 1), db_int(row, 2), db_int(row, 3));
}

static void take_epoch(struct remains *r, struct db_stmt *row)
{
    if (r->epoch_count == EPOCHS_MAX) {
        r->epoch_count--;
        memmove(r->epochs, r->epochs + 1, sizeof r->epochs - sizeof r->epochs[0]);
        memmove(r->first_seqs, r->first_seqs + 1, sizeof r->first_seqs - sizeof r->first_seqs[0]);
        memmove(r->last_seqs, r->last_seqs + 1, sizeof r->last_seqs - sizeof r->last_seqs[0]);
    }
    r->epochs[r->epoch_count] = (uint64_t)db_int(row, 0);
    r->first_seqs[r->epoch_count] = db_int(row, 1);
    r->last_seqs[r->epoch_count++] = db_int(row, 2);
    if (db_int(row, 2) > r->last)
        r->last = db_int(row, 2);
}

static void take_seq(struct remains *r, struct db_stmt *row)
{
    if (db_int(row, 0) > r->last)
        r->last = db_int(row, 0);
}

/* The chain names the batch by its number, but not what that said of others. */
static void take_said(struct remains *r, struct db_stmt *row)
{
    lose(r, db_int(row, 0), db_int(row, 1), db_int(row, 2));
}

/* Only where no chain names it by its number. */
static void take_batch(struct remains *r, struct db_stmt *row)
{
    struct span body = db_text(row, 1), line;
    struct reading reading;
    if (db_int(row, 0) <= r->mark)
        return;
    lose(r, db_int(row, 2), db_int(row, 3), db_int(row, 4));
    while (batch_next_line(&body, &line))
        if (batch_read_reading(line, &reading, NULL) == ST_OK)
            lose(r, 1, reading.time_ms, reading.time_ms);
}

static bool has_all_tables(struct db *db)
{
    struct db_stmt *tables = db_prepare(db, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND"
                                            " name IN ('spool', 'epoch', 'batch', 'record', 'gauge')");
    bool has_row;
    return db_step(tables, &has_row, NULL) == ST_OK && has_row && db_int(tables, 0) == 5;
}

static void read_tables(struct db *db, struct remains *r)
{
    each_row(db, "SELECT mark, dropped, dropped_from_ms, dropped_to_ms, gateway FROM spool", take_own, r);
    each_row(db, "SELECT time_ms FROM gauge", take_uncut, r);
    each_row(db, "SELECT time_ms FROM record", take_uncut, r);
    bool was_partial = r->is_partial;
    r->is_partial = false;
    each_row(db, "SELECT epoch, first_seq, last_seq FROM epoch ORDER BY number", take_epoch, r);
    r->has_chain = !r->is_partial && r->epoch_count > 0 && r->last > 0 && r->last < BATCH_SEQ_MAX / 2;
    /* Numbers that were cut must not be cut again. What cannot be read of it the chain names. */
    each_row(db, "SELECT seq FROM batch ORDER BY seq DESC LIMIT 1", take_seq, r);
    if (r->has_chain)
        each_row(db,
            "SELECT dropped, dropped_from_ms, dropped_to_ms FROM batch"
            " WHERE seq > (SELECT mark FROM spool) AND dropped > 0 ORDER BY seq",
            take_said, r);
    r->is_partial = was_partial;
    if (!r->has_chain)
        each_row(db, "SELECT seq, body, dropped, dropped_from_ms, dropped_to_ms FROM batch", take_batch, r);
}

/* Readings of which nothing is known are at least one, from some time up to the file's last change. */
static void read_remains(const char *path, struct remains *r)
{
    *r = (struct remains){0};
    struct db *db;
    if (db_open_reader(path, &db, NULL) == ST_OK) {
        if (has_all_tables(db))
            read_tables(db, r);
        else
            r->is_partial = true;
        db_close(db);
    } else {
        r->is_partial = true;
    }
    struct stat info;
    int64_t changed_ms = stat(path, &info) == 0 ? (int64_t)info.st_mtime * 1000 : 0;
    if (changed_ms <= 0)
        changed_ms = 1;
    if (r->is_partial)
        lose(r, 1, r->lost > 0 ? r->from_ms : changed_ms, r->to_ms > changed_ms ? r->to_ms : changed_ms);
}

/* ---- the new one ---- */

static enum status fill_next(struct db *db, const char *gateway, const struct remains *r, struct error *err)
{
    struct db_stmt *own = db_prepare(db, "INSERT INTO spool(gateway, mark, dropped, dropped_from_ms,"
                                         " dropped_to_ms) VALUES(?, ?, ?, ?, ?)");
    struct db_stmt *epoch = db_prepare(db, "INSERT INTO epoch(epoch, first_seq, last_seq) VALUES(?, ?, ?)");
    enum status status = db_begin(db, err);
    if (status != ST_OK)
        return status;
    /* Numbers go on after the last that was cut: `first` of the next batch names those that are gone. */
    db_bind_text(own, 1, span_of(gateway));
    db_bind_int(own, 2, r->has_chain ? r->last : 0);
    db_bind_int(own, 3, r->lost);
    db_bind_int(own, 4, r->from_ms);
    db_bind_int(own, 5, r->to_ms);
    status = db_run(own, err);
    for (int i = 0; r->has_chain && i < r->epoch_count && status == ST_OK; i++) {
        db_bind_int(epoch, 1, (int64_t)r->epochs[i]);
        db_bind_int(epoch, 2, r->first_seqs[i]);
        db_bind_int(epoch, 3, i == r->epoch_count - 1 ? r->last : r->last_seqs[i]);
        status = db_run(epoch, err);
    }
    if (status == ST_OK)
        return db_commit(db, err);
    db_rollback(db);
    return status;
}

static void unlink_all(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char *name = mem_printf("%s%s", path, suffixes[i]);
        unlink(name);
        free(name);
    }
}

static enum status make_next(
    const char *path, const char *gateway, const struct remains *r, struct error *err)
{
    struct db *db;
    unlink_all(path);
    enum status status = db_open_own(path, SPOOL_APPLICATION_ID, &spool_schema, &db, err);
    if (status != ST_OK)
        return status;
    status = fill_next(db, gateway, r, err);
    db_close(db); /* the last connection: all of it is in the one file */
    char *lock = mem_printf("%s.lock", path);
    unlink(lock);
    free(lock);
    return status;
}

static void sync_folder(const char *path)
{
    char *folder = mem_strdup(path), *slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder] = '\0';
    int fd = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(folder);
}

/* A start that was killed in `replace`, when the damaged database was aside already, and its log with it. */
void spool_finish_setting_aside(const char *path)
{
    struct db_lock lock;
    char *next = mem_printf("%s.next", path), *log = mem_printf("%s-wal", path);
    if (access(path, F_OK) != 0 && access(next, F_OK) == 0 && db_lock(path, &lock, NULL) == ST_OK) {
        if (access(path, F_OK) != 0) {
            unlink(log); /* not of the new one */
            if (rename(next, path) == 0)
                sync_folder(path);
        }
        db_unlock(&lock);
    }
    free(log);
    free(next);
}

static char *name_aside(const char *path)
{
    char when[32];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &utc);
    char *name = mem_printf("%s.damaged-%s", path, when);
    for (int i = 2; access(name, F_OK) == 0; i++) {
        free(name);
        name = mem_printf("%s.damaged-%s-%d", path, when, i);
    }
    return name;
}

static size_t count_aside(const char *path)
{
    char *pattern = mem_printf("%s.damaged-*Z*", path);
    glob_t found;
    size_t count = 0;
    if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            const char *name = found.gl_pathv[i];
            size_t length = strlen(name);
            bool is_beside = length > 4 && (strcmp(name + length - 4, "-wal") == 0 ||
                                               strcmp(name + length - 4, "-shm") == 0);
            count += !is_beside;
        }
        globfree(&found);
    }
    free(pattern);
    return count;
}

/* The log gets the other name too. */
static enum status link_log(const char *log, const char *aside, struct error *err)
{
    struct stat info;
    char *to = mem_printf("%s-wal", aside);
    enum status status = ST_OK;
    if (stat(log, &info) == 0 && info.st_size == 0)
        unlink(log); /* left by a reader */
    unlink(to);      /* of a start that was killed here */
    if (link(log, to) != 0 && errno != ENOENT)
        status = error_set(err, ST_STORAGE, "cannot link %s to %s: %s", log, to, strerror(errno));
    free(to);
    return status;
}

/* The database goes with its log at one instant, for without its log it may look sound, and be of an earlier time.
 * So a kill at any instant leaves the damaged spool in its place, or none there and what spool_finish_setting_aside
 * needs, or the new one with what it has to say. */
static enum status replace(const char *path, const char *next, const char *aside, struct error *err)
{
    char *log = mem_printf("%s-wal", path), *shared = mem_printf("%s-shm", path),
         *suspect = mem_printf("%s.suspect", path);
    enum status status = link_log(log, aside, err);
    sync_folder(path);
    if (status == ST_OK && rename(path, aside) != 0)
        status = error_set(err, ST_STORAGE, "cannot rename %s: %s", path, strerror(errno));
    if (status == ST_OK) {
        sync_folder(path);
        unlink(log);
        if (rename(next, path) != 0)
            status = error_set(err, ST_STORAGE, "cannot rename %s: %s", next, strerror(errno));
        unlink(shared);
        unlink(suspect);
    }
    sync_folder(path);
    free(suspect);
    free(shared);
    free(log);
    return status;
}

static void tell(const char *path, const char *aside, const struct remains *r, const struct error *why,
    struct error *ret_warning)
{
    char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE], loss[160];
    clock_format_utc(r->from_ms, from);
    clock_format_utc(r->to_ms, to);
    if (r->lost > 0)
        snprintf(loss, sizeof loss, "%s%lld readings are lost (%s to %s)", r->is_partial ? "at least " : "",
            (long long)r->lost, from, to);
    else
        snprintf(loss, sizeof loss, "no reading that was not cut is lost");
    const char *name = strrchr(aside, '/');
    error_set(ret_warning, ST_OK,
        "%.180s; it is set aside as %s (%zu lie there, to be looked at and deleted by a person), and a new "
        "one is "
        "begun: %s%s; its first batch says so",
        why->text, name != NULL ? name + 1 : aside, count_aside(path), loss,
        r->has_chain && r->last > r->mark ? ", besides what was cut and not acknowledged" : "");
}

enum status spool_set_aside(const struct spool_options *options, const struct error *why,
    struct error *ret_warning, struct error *err)
{
    const char *path = options->path;
    struct db_lock lock;
    enum status status = db_lock(path, &lock, err);
    if (status != ST_OK)
        return status;
    char *next = mem_printf("%s.next", path), *aside = name_aside(path);
    struct remains remains;
    read_remains(path, &remains);
    if (remains.gateway[0] != '\0' && strcmp(remains.gateway, options->gateway) != 0)
        status = error_set(err, ST_INVALID, "%s is the spool of gateway \"%s\", and damaged; expected \"%s\"",
            path, remains.gateway, options->gateway);
    if (status == ST_OK)
        status = make_next(next, options->gateway, &remains, err);
    if (status == ST_OK)
        status = replace(path, next, aside, err);
    if (status == ST_OK)
        tell(path, aside, &remains, why, ret_warning);
    free(next);
    free(aside);
    db_unlock(&lock);
    return status;
}
