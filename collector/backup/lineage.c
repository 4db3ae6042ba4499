#include "collector/backup/lineage.h"

#include "collector/backup/database_file.h"
#include "collector/schema.h"
#include "lib/cursor.h"
#include "lib/db.h"
#include "lib/program.h"
#include "lib/progress.h"

#include <string.h>

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
        status = db_step(same, &is_found, err);
        if (status == ST_OK && program_is_asked_to_end())
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

/* Somebody may have made it who took our number: of what is not there no statement can be made. */
static enum status check_tables(struct db *db, const char *who, struct error *err)
{
    int64_t count;
    enum status status = read_int(db,
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('cursor', 'gateway', "
        "'journal')",
        &count, err);
    if (status == ST_OK && count != 3)
        status = error_set(err, ST_INVALID, "%s lacks tables of a collector's database", who);
    return status;
}

static enum status open_reader(const char *path, const char *who, struct db **ret, struct error *err)
{
    struct db *db;
    enum status status = db_open_reader_own(path, COLLECTOR_APPLICATION_ID, collector_schema.count, &db, err);
    if (status == ST_OK && (status = check_tables(db, who, err)) != ST_OK)
        db_close(db);
    else if (status == ST_OK)
        *ret = db;
    return status;
}

static enum status compare(struct db *restored, struct db *replaced, int64_t *ret, struct error *err)
{
    int64_t fork, settled;
    enum status status = cursor_read(replaced, "raw", &settled, err);
    if (status == ST_OK)
        status = find_fork(restored, replaced, &fork, err);
    if (status == ST_OK)
        *ret = fork < settled ? fork : settled;
    return status;
}

/* How far the replaced one had settled what the restored one holds. Where it is damaged that is not known, and no
 * failure: it is the usual reason for a restore. */
static enum status find_settled(
    struct db *restored, const char *path, struct lineage *lineage, int64_t *ret, struct error *err)
{
    struct db *replaced = NULL;
    enum status status = open_reader(path, "it", &replaced, err);
    if (status == ST_OK)
        status = compare(restored, replaced, ret, err);
    lineage->is_known = status == ST_OK;
    if (status == ST_INVALID || (status != ST_OK && replaced != NULL && db_is_corrupt(replaced))) {
        lineage->why = *err;
        status = ST_OK;
    }
    db_close(replaced);
    return status;
}

static enum status write_cursor(void *user_data, struct db *db, struct error *err)
{
    const int64_t *position = user_data;
    enum status status = cursor_move(db, "raw", *position, err);
    if (status == ST_OK && db_changes(db) != 1)
        status = error_set(err, ST_INVALID, "the backup has no cursor \"raw\"");
    return status;
}

static enum status count_between(struct db *db, int64_t after, int64_t until, int64_t *ret, struct error *err)
{
    struct db_stmt *count = db_keep(db, "SELECT count(*) FROM journal WHERE id > ? AND id <= ?");
    db_bind_int(count, 1, after);
    db_bind_int(count, 2, until);
    bool has_row;
    enum status status = db_step(count, &has_row, err);
    if (status == ST_OK)
        *ret = db_int(count, 0);
    db_reset(count);
    return status;
}

enum status lineage_rewind(const char *restored, const char *replaced, struct lineage *ret, struct error *err)
{
    struct db *db;
    int64_t cursor, settled = 0;
    *ret = (struct lineage){.is_known = true};
    enum status status = open_reader(restored, "the backup", &db, err);
    if (status != ST_OK)
        return status;
    status = cursor_read(db, "raw", &cursor, err);
    if (status == ST_OK && replaced != NULL)
        status = find_settled(db, replaced, ret, &settled, err);
    if (status == ST_OK && ret->is_known && settled < cursor)
        status = count_between(db, settled, cursor, &ret->again, err);
    db_close(db);
    if (status == ST_OK && ret->again > 0)
        status = database_change(restored, write_cursor, &settled, err);
    return status;
}
