#include "collector/baseline/temperature.h"
#include "collector/schema.h"
#include "collector/thermometer.h"
#include "collector/verify/verify_private.h"
#include "lib/clock.h"
#include "lib/id.h"
#include "lib/program.h"

#include <inttypes.h>
#include <stdio.h>

struct row {
    bool is_there;
    int64_t start_ms, time_ms, mc;
};

static enum status read_number(struct db *db, const char *sql, int64_t *ret, struct error *err)
{
    struct db_stmt *s = db_prepare(db, sql);
    bool has_row;
    enum status status = db_step(s, &has_row, err);
    if (status == ST_OK)
        *ret = has_row ? db_int(s, 0) : 0;
    db_finish(s);
    return status;
}

/* Takes the journal anew, into a database in memory. */
static enum status take_anew(struct verify *v, struct thermometer *t, struct error *err)
{
    enum status status = ST_OK;
    do {
        bool is_changed = false;
        if ((status = db_begin(t->follower.db, err)) != ST_OK)
            return status;
        status = thermometer_step(t, &clock_system, &is_changed, err);
        if (status == ST_OK)
            status = db_commit(t->follower.db, err);
        else
            db_rollback(t->follower.db);
        progress_show(&v->progress, "took temperatures up to batch %lld of the journal",
            (long long)t->follower.position);
        if (status == ST_OK && program_is_asked_to_end())
            status = error_set(err, ST_TIMEOUT, "stopped");
    } while (status == ST_OK && t->follower.due_mono_ms == 0);
    return status;
}

static struct db_stmt *rows_of(struct db *db, const struct verify *v, int64_t point, int64_t after_ms)
{
    struct db_stmt *rows =
        db_prepare(db, "SELECT start_ms, time_ms, mc FROM temperature WHERE point = ?1"
                       " AND start_ms > ?2 AND start_ms >= ?3 AND start_ms < ?4 ORDER BY start_ms");
    db_bind_int(rows, 1, point);
    db_bind_int(rows, 2, after_ms);
    db_bind_int(rows, 3, v->from_ms);
    db_bind_int(rows, 4, v->until_ms);
    return rows;
}

static enum status next_row(struct db_stmt *rows, struct row *ret, struct error *err)
{
    enum status status = db_step(rows, &ret->is_there, err);
    if (status != ST_OK || !ret->is_there) {
        *ret = (struct row){.start_ms = INT64_MAX};
        return status;
    }
    *ret = (struct row){true, db_int(rows, 0), db_int(rows, 1), db_int(rows, 2)};
    return ST_OK;
}

static void describe(const struct row *row, char text[static 64])
{
    char when[CLOCK_TEXT_SIZE];
    if (!row->is_there) {
        snprintf(text, 64, "nothing");
        return;
    }
    clock_format_utc(row->time_ms, when);
    snprintf(text, 64, "%" PRId64 " mC of %s", row->mc, when);
}

static void compare(struct verify *v, const char *point, const struct row *held, const struct row *given)
{
    char what[64], gives[64], when[CLOCK_TEXT_SIZE];
    bool is_same =
        held->start_ms == given->start_ms && held->time_ms == given->time_ms && held->mc == given->mc;
    if (is_same)
        return;
    static const struct row none = {0};
    int64_t start_ms = held->start_ms < given->start_ms ? held->start_ms : given->start_ms;
    describe(held->start_ms == start_ms ? held : &none, what);
    describe(given->start_ms == start_ms ? given : &none, gives);
    clock_format_utc(start_ms, when);
    verify_differs(v, "temperature %s, quarter hour %s: the database says %s, the journal gives %s", point,
        when, what, gives);
}

static enum status compare_point(struct verify *v, const struct thermometer *t, const char *name, int64_t id,
    int64_t after_ms, int64_t *count, struct error *err)
{
    int64_t own = 0;
    enum status status = temperature_point(v->db, name, &own, err);
    if (status != ST_OK || own == 0)
        return status;
    struct db_stmt *held = rows_of(v->db, v, own, after_ms),
                   *given = rows_of(t->follower.db, v, id, after_ms);
    struct row a, b;
    status = next_row(held, &a, err);
    if (status == ST_OK)
        status = next_row(given, &b, err);
    while (status == ST_OK && (a.is_there || b.is_there)) {
        compare(v, name, &a, &b);
        ++*count;
        int64_t a_ms = a.start_ms, b_ms = b.start_ms;
        if (a_ms <= b_ms)
            status = next_row(held, &a, err);
        if (status == ST_OK && b_ms <= a_ms)
            status = next_row(given, &b, err);
    }
    db_finish(held);
    db_finish(given);
    return status;
}

static enum status compare_all(struct verify *v, const struct thermometer *t, struct error *err)
{
    int64_t pruned_ms = 0, count = 0;
    enum status status = read_number(v->db, "SELECT coalesce(max(to_ms), -1) FROM pruned", &pruned_ms, err);
    for (size_t i = 0; i < t->count && status == ST_OK; i++) {
        status = compare_point(v, t, t->points[i].name, t->points[i].id, pruned_ms, &count, err);
    }
    progress_end(&v->progress);
    if (status == ST_OK && count > 0 && !v->has_difference)
        printf("temperatures: %" PRId64 " quarter hours are what the journal says\n", count);
    return status;
}

enum status verify_temperatures(struct verify *v, const struct park *park, struct error *err)
{
    struct thermometer t;
    struct db *memory;
    enum status status = db_open_scratch(&collector_schema, &memory, err);
    if (status != ST_OK)
        return status;
    thermometer_init(&t, memory, park);
    t.follower.journal = v->db;
    status =
        read_number(v->db, "SELECT position FROM cursor WHERE name = 'temperature'", &t.follower.until, err);
    if (status == ST_OK)
        status = take_anew(v, &t, err);
    if (status == ST_OK)
        status = compare_all(v, &t, err);
    thermometer_release(&t);
    db_close(memory);
    return status;
}
