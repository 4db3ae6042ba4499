#include "collector/ledger/books_private.h"

#include <stdlib.h>

enum status books_meter_id(struct db *db, struct span name, int64_t *ret_id, struct error *err)
{
    struct db_stmt *add = db_keep(
        db, "INSERT INTO ledger_meter(name) VALUES(?1) ON CONFLICT DO UPDATE SET name = name RETURNING id");
    db_bind_text(add, 1, name);
    bool has_row;
    enum status status = db_step(add, &has_row, err);
    if (status == ST_OK)
        *ret_id = db_int(add, 0);
    db_reset(add);
    return status;
}

/* -1 is the number of no point. */
int64_t books_point_number(const struct books_meter *meter, int64_t point)
{
    for (size_t i = 0; i < meter->point_count; i++)
        if (meter->points[i] == point)
            return (int64_t)i;
    return meter->point_count == 0 ? 0 : -1;
}

static int by_time(const void *a, const void *b)
{
    const struct unwrap_reading *x = a, *y = b;
    return (x->time_ms > y->time_ms) - (x->time_ms < y->time_ms);
}

void books_add_readings(struct books_call *c, const struct books_reading *readings, size_t count,
    struct unwrap_reading *ret, size_t *ret_count)
{
    struct db_stmt *add =
        db_keep(c->db, "INSERT INTO ledger_reading(meter, time_ms, point, count, journal, manual)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING");
    bool is_ordered = true;
    *ret_count = 0;
    db_bind_int(add, 1, c->meter->id);
    for (size_t i = 0; i < count; i++) {
        const struct books_reading *r = &readings[i];
        db_bind_int(add, 2, r->time_ms);
        db_bind_int(add, 3, r->point);
        db_bind_int(add, 4, r->count);
        db_bind_int(add, 5, r->journal);
        db_bind_int(add, 6, r->is_manual);
        books_run(c, add);
        if (c->status != ST_OK)
            return;
        if (r->journal > c->journal)
            c->journal = r->journal;
        if (db_changes(c->db) == 0)
            continue;
        is_ordered = is_ordered && (*ret_count == 0 || ret[*ret_count - 1].time_ms < r->time_ms);
        ret[(*ret_count)++] = (struct unwrap_reading){.time_ms = r->time_ms,
            .point = books_point_number(c->meter, r->point),
            .count = r->count,
            .is_manual = r->is_manual};
    }
    if (!is_ordered)
        qsort(ret, *ret_count, sizeof *ret, by_time);
}

size_t books_read_readings(struct books_call *c, int64_t after_ms, struct unwrap_reading *ret, size_t limit)
{
    struct db_stmt *next = db_keep(c->db, "SELECT time_ms, count, manual, point FROM ledger_reading"
                                          " WHERE meter = ?1 AND time_ms > ?2 ORDER BY time_ms LIMIT ?3");
    db_bind_int(next, 1, c->meter->id);
    db_bind_int(next, 2, after_ms);
    db_bind_int(next, 3, (int64_t)limit);
    size_t count = 0;
    while (books_step(c, next))
        ret[count++] = (struct unwrap_reading){.time_ms = db_int(next, 0),
            .point = books_point_number(c->meter, db_int(next, 3)),
            .count = db_int(next, 1),
            .is_manual = db_int(next, 2) != 0};
    db_reset(next);
    return count;
}

bool books_readings_between(
    struct books_call *c, int64_t from_ms, int64_t until_ms, int64_t *ret_first_ms, int64_t *ret_last_ms)
{
    struct db_stmt *find = db_keep(c->db, "SELECT min(time_ms), max(time_ms) FROM ledger_reading"
                                          " WHERE meter = ?1 AND time_ms > ?2 AND time_ms < ?3");
    db_bind_int(find, 1, c->meter->id);
    db_bind_int(find, 2, from_ms);
    db_bind_int(find, 3, until_ms);
    bool is_found = books_step(c, find) && !db_is_null(find, 0);
    if (is_found) {
        *ret_first_ms = db_int(find, 0);
        *ret_last_ms = db_int(find, 1);
    }
    db_reset(find);
    return is_found;
}
