#include "collector/backup/lineage.h"

#include "collector/schema.h"
#include "lib/db.h"
#include "lib/mem.h"
#include "lib/program.h"
#include "lib/progress.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHOW_EVERY 4096

static enum status read_int(struct db *db, const char *sql, int64_t *ret, struct error *err)
{
    struct db_stmt *read = db_prepare(db, sql);
    bool has_row;
    enum status status = db_step(read, &has_row, err);
    if (status == ST_OK)
        *ret = has_row ? db_int(read, 0) : 0;
    db_finish(read);
    return status;
}

static enum status read_cursor(struct db *db, int64_t *ret, struct error *err)
{
    return read_int(db, "SELECT position FROM cursor WHERE name = 'raw'", ret, err);
}

static bool is_same_text(struct span a, struct span b)
{
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

static bool is_same_batch(struct db_stmt *a, struct db_stmt *b)
{
    bool is_same = is_same_text(db_text(a, 1), db_text(b, 1));
    for (int column = 2; column <= 4 && is_same; column++)
        is_same = db_int(a, column) == db_int(b, column);
    return is_same;
}

/* Whatever ails the replaced one: it is not needed, and no reason to give up. */
static enum status is_unreadable(struct error *err)
{
    return error_prefix(err, ST_INVALID, "it cannot be read");
}

/* The newest batch that has the same place in both, 0 = none. */
static enum status find_fork(struct db *restored, struct db *replaced, int64_t *ret, struct error *err)
{
#define BATCHES \
    "SELECT j.id, g.name, j.epoch, j.seq, j.received_ms FROM journal j JOIN gateway g ON g.id = j.gateway"
    struct db_stmt *batches = db_prepare(restored, BATCHES " ORDER BY j.id DESC");
    struct db_stmt *same = db_prepare(replaced, BATCHES " WHERE j.id = ?");
#undef BATCHES
    struct progress progress;
    bool has_row, is_found = false;
    int64_t seen = 0;
    enum status status;
    *ret = 0;
    progress_begin(&progress);
    while (!is_found && (status = db_step(batches, &has_row, err)) == ST_OK && has_row) {
        db_bind_int(same, 1, db_int(batches, 0));
        if (db_step(same, &is_found, err) != ST_OK)
            status = is_unreadable(err);
        else if (program_is_asked_to_end())
            status = error_set(err, ST_TIMEOUT, "interrupted");
        if (status != ST_OK)
            break;
        is_found = is_found && is_same_batch(batches, same);
        db_reset(same);
        if (++seen % SHOW_EVERY == 0)
            progress_show(&progress, "compared %lld batches with what is here", (long long)seen);
    }
    progress_end(&progress);
    if (is_found)
        *ret = db_int(batches, 0);
    db_finish(batches);
    db_finish(same);
    return status;
}

/* How far the replaced one had settled what the restored one holds. */
static enum status find_settled(struct db *restored, const char *path, int64_t *ret, struct error *err)
{
    struct db *replaced;
    int64_t fork, settled;
    if (db_open_reader_own(path, COLLECTOR_APPLICATION_ID, collector_schema.count, &replaced, err) != ST_OK)
        return is_unreadable(err);
    enum status status = read_cursor(replaced, &settled, err);
    if (status != ST_OK)
        status = is_unreadable(err);
    else if ((status = find_fork(restored, replaced, &fork, err)) == ST_OK)
        *ret = fork < settled ? fork : settled;
    db_close(replaced);
    return status;
}

static enum status set_cursor(const char *path, int64_t position, struct error *err)
{
    struct db *db;
    char *lock = mem_printf("%s.lock", path);
    enum status status = db_open_own(path, COLLECTOR_APPLICATION_ID, &collector_schema, &db, err);
    if (status == ST_OK) {
        char *sql = mem_printf("UPDATE cursor SET position = %lld WHERE name = 'raw'", (long long)position);
        if ((status = db_exec(db, sql, err)) == ST_OK)
            status = db_checkpoint(db, err);
        free(sql);
        db_close(db);
    }
    unlink(lock);
    free(lock);
    return status;
}

enum status lineage_rewind(const char *restored, const char *replaced, int64_t *ret_again, struct error *err)
{
    struct db *db;
    int64_t cursor, settled = 0;
    *ret_again = 0;
    enum status status =
        db_open_reader_own(restored, COLLECTOR_APPLICATION_ID, collector_schema.count, &db, err);
    if (status != ST_OK)
        return status;
    status = read_cursor(db, &cursor, err);
    if (status == ST_OK && replaced != NULL)
        status = find_settled(db, replaced, &settled, err);
    if (status == ST_OK && settled < cursor) {
        char *count = mem_printf("SELECT count(*) FROM journal WHERE id > %lld AND id <= %lld",
            (long long)settled, (long long)cursor);
        status = read_int(db, count, ret_again, err);
        free(count);
    }
    db_close(db);
    if (status == ST_OK && *ret_again > 0)
        status = set_cursor(restored, settled, err);
    return status;
}
