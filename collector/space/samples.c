#include "collector/space/samples.h"

#include "lib/mem.h"

#include <stdlib.h>

enum status samples_put(
    struct db *db, int64_t point, const struct reading_of *reading, bool *ret_is_new, struct error *err)
{
    struct db_stmt *put =
        db_keep(db, "INSERT INTO space_sample VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING");
    db_bind_int(put, 1, point);
    db_bind_int(put, 2, reading->time_ms);
    db_bind_int(put, 3, reading->value);
    db_bind_int(put, 4, reading->is_change);
    enum status status = db_run(put, err);
    *ret_is_new = status == ST_OK && db_changes(db) > 0;
    return status;
}

/* Two numbers of one row, which may be NULL. */
static enum status read_two(struct db_stmt *row, int64_t no_first, int64_t no_second, int64_t *ret_first,
    int64_t *ret_second, struct error *err)
{
    bool has_row;
    enum status status = db_step(row, &has_row, err);
    if (status == ST_OK) {
        *ret_first = !has_row || db_is_null(row, 0) ? no_first : db_int(row, 0);
        *ret_second = !has_row || db_is_null(row, 1) ? no_second : db_int(row, 1);
    }
    db_reset(row);
    return status;
}

enum status samples_beside(struct db *db, int64_t point, int64_t time_ms, int64_t *ret_before_ms,
    int64_t *ret_after_ms, struct error *err)
{
    struct db_stmt *beside =
        db_keep(db, "SELECT (SELECT max(time_ms) FROM space_sample WHERE point = ?1 AND time_ms < ?2),"
                    " (SELECT min(time_ms) FROM space_sample WHERE point = ?1 AND time_ms > ?2)");
    db_bind_int(beside, 1, point);
    db_bind_int(beside, 2, time_ms);
    return read_two(beside, INT64_MIN, INT64_MAX, ret_before_ms, ret_after_ms, err);
}

enum status samples_ends(
    struct db *db, int64_t point, int64_t *ret_first_ms, int64_t *ret_last_ms, struct error *err)
{
    struct db_stmt *ends = db_keep(db, "SELECT (SELECT min(time_ms) FROM space_sample WHERE point = ?1),"
                                       " (SELECT max(time_ms) FROM space_sample WHERE point = ?1)");
    db_bind_int(ends, 1, point);
    return read_two(ends, INT64_MAX, INT64_MIN, ret_first_ms, ret_last_ms, err);
}

static enum status prune(struct db *db, struct db_stmt *prune, int64_t before_ms, int64_t most,
    int64_t *ret_count, struct error *err)
{
    db_bind_int(prune, 1, before_ms);
    db_bind_int(prune, 2, most);
    enum status status = db_run(prune, err);
    *ret_count = status == ST_OK ? db_changes(db) : 0;
    return status;
}

enum status samples_prune(
    struct db *db, int64_t point, int64_t before_ms, int64_t most, int64_t *ret_count, struct error *err)
{
    struct db_stmt *old =
        db_keep(db, "DELETE FROM space_sample WHERE point = ?3 AND time_ms IN (SELECT time_ms"
                    " FROM space_sample WHERE point = ?3 AND time_ms < (SELECT max(time_ms)"
                    " FROM space_sample WHERE point = ?3 AND time_ms < ?1) ORDER BY time_ms LIMIT ?2)");
    db_bind_int(old, 3, point);
    return prune(db, old, before_ms, most, ret_count, err);
}

enum status samples_prune_unused(
    struct db *db, int64_t before_ms, int64_t most, int64_t *ret_count, struct error *err)
{
    struct db_stmt *old =
        db_keep(db, "DELETE FROM space_sample WHERE (point, time_ms) IN (SELECT s.point, s.time_ms"
                    " FROM space_point p JOIN space_sample s ON s.point = p.id AND s.time_ms < ?1"
                    " WHERE p.is_used = 0 LIMIT ?2)");
    return prune(db, old, before_ms, most, ret_count, err);
}

enum status samples_read(struct db *db, int64_t point, int64_t from_ms, int64_t until_ms,
    struct readings_of *ret, struct error *err)
{
    struct db_stmt *rows = db_keep(db, "SELECT time_ms, value, is_change FROM space_sample WHERE point = ?1"
                                       " AND time_ms >= coalesce((SELECT max(time_ms) FROM space_sample "
                                       "WHERE point = ?1 AND time_ms < ?2), ?2)"
                                       " AND time_ms <= coalesce((SELECT min(time_ms) FROM space_sample "
                                       "WHERE point = ?1 AND time_ms >= ?3), "
                                       "?3)"
                                       " ORDER BY time_ms");
    bool has_row;
    enum status status;
    ret->count = 0;
    db_bind_int(rows, 1, point);
    db_bind_int(rows, 2, from_ms);
    db_bind_int(rows, 3, until_ms);
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(ret->items, ret->count, ret->capacity);
        ret->items[ret->count++] =
            (struct reading_of){db_int(rows, 0), db_int(rows, 1), db_int(rows, 2) != 0};
    }
    db_reset(rows);
    return status;
}

void samples_release(struct readings_of *r)
{
    free(r->items);
    *r = (struct readings_of){0};
}
