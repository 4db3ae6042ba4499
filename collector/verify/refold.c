#include "collector/verify/refold.h"

#include "collector/schema.h"
#include "lib/mem.h"

#include <stdlib.h>

#define CHUNK 4096

enum status refold_open(struct refold *r, struct error *err)
{
    *r = (struct refold){0};
    return db_open_scratch(&collector_schema, &r->db, err);
}

void refold_close(struct refold *r)
{
    books_destroy(r->books);
    meters_release(&r->meters);
    db_close(r->db);
    *r = (struct refold){0};
}

/* ---- what goes by numbers ---- */

enum status refold_add_meter(struct refold *r, int64_t id, struct span name, struct error *err)
{
    struct db_stmt *add = db_keep(r->db, "INSERT INTO ledger_meter(id, name) VALUES(?1, ?2)");
    db_bind_int(add, 1, id);
    db_bind_text(add, 2, name);
    return db_run(add, err);
}

enum status refold_add_point(
    struct refold *r, int64_t id, int64_t meter, struct span name, int64_t since, struct error *err)
{
    struct db_stmt *add =
        db_keep(r->db, "INSERT INTO ledger_point(id, meter, name, is_used, since) VALUES(?1, ?2, ?3, 1, ?4)");
    db_bind_int(add, 1, id);
    db_bind_int(add, 2, meter);
    db_bind_text(add, 3, name);
    db_bind_int(add, 4, since);
    return db_run(add, err);
}

static enum status copy_meters(struct refold *r, struct db *from, struct error *err)
{
    struct db_stmt *next = db_keep(from, "SELECT id, name FROM ledger_meter ORDER BY id");
    bool has_row;
    enum status status;
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row)
        if ((status = refold_add_meter(r, db_int(next, 0), db_text(next, 1), err)) != ST_OK)
            break;
    db_reset(next);
    return status;
}

static enum status copy_points(struct refold *r, struct db *from, struct error *err)
{
    struct db_stmt *next = db_keep(from, "SELECT id, meter, name, since FROM ledger_point ORDER BY id");
    bool has_row;
    enum status status;
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row)
        if ((status = refold_add_point(
                 r, db_int(next, 0), db_int(next, 1), db_text(next, 2), db_int(next, 3), err)) != ST_OK)
            break;
    db_reset(next);
    return status;
}

static enum status copy_decisions(struct refold *r, struct db *from, struct error *err)
{
    struct decided_set set;
    enum status status = decided_load(from, 0, &set, err);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < set.count && status == ST_OK; i++) {
        struct decided decided = {.ruling = set.items[i], .meter = set.meters[i], .who = "", .why = ""};
        status = decided_add(r->db, &decided, err);
    }
    decided_release(&set);
    return status;
}

enum status refold_copy(struct refold *r, struct db *from, struct error *err)
{
    enum status status = copy_meters(r, from, err);
    if (status == ST_OK)
        status = copy_points(r, from, err);
    return status == ST_OK ? copy_decisions(r, from, err) : status;
}

enum status refold_use(struct refold *r, const struct park *park, struct error *err)
{
    static const struct meters_aside none;
    bool is_changed;
    enum status status = meters_load(&r->meters, park, &none, r->db, &is_changed, err);
    if (status == ST_OK)
        r->books = books_create(r->db, 1);
    return status;
}

/* ---- folding ---- */

enum status refold_push(struct refold *r, const struct meters_item *item,
    const struct books_reading *readings, size_t count, struct error *err)
{
    enum status status = db_begin(r->db, err);
    if (status != ST_OK)
        return status;
    books_begin(r->books);
    status = books_fold(r->books, &item->books, readings, count, 0, err);
    if (status != ST_OK) {
        db_rollback(r->db);
        return status;
    }
    status = db_commit(r->db, err);
    if (status == ST_OK)
        books_committed(r->books);
    return status;
}

static size_t up_to(const struct books_reading *readings, size_t count, int64_t until_ms)
{
    while (count > 0 && readings[count - 1].time_ms > until_ms)
        count--;
    return count;
}

enum status refold_meter(struct refold *r, const struct meters_item *item, const struct refold_source *source,
    int64_t *ret_count, struct error *err)
{
    struct books_reading *readings = mem_alloc(CHUNK * sizeof *readings);
    int64_t after_ms = source->after_ms;
    size_t count = CHUNK, read;
    enum status status = ST_OK;
    *ret_count = 0;
    for (bool is_first = true; status == ST_OK && count == CHUNK; is_first = false) {
        status = books_evidence(source->books, &item->books, after_ms, readings, CHUNK, &read, err);
        count = status == ST_OK ? up_to(readings, read, source->until_ms) : 0;
        /* Readings by hand are folded also where there are no others. */
        if (status == ST_OK && (count > 0 || is_first))
            status = refold_push(r, item, readings, count, err);
        if (status == ST_OK && !source->on_readings(source->context, readings, count))
            status = error_set(err, ST_TIMEOUT, "stopped");
        *ret_count += (int64_t)count;
        after_ms = count > 0 ? readings[count - 1].time_ms : after_ms;
    }
    free(readings);
    return status;
}

static enum status keep_quarters(
    struct refold *r, int64_t meter, const struct periods_span *kept, struct error *err)
{
    struct db_stmt *let_go =
        db_keep(r->db, "DELETE FROM ledger_quarter WHERE meter = ?1 AND (start_ms < ?2 OR start_ms >= ?3)");
    db_bind_int(let_go, 1, meter);
    db_bind_int(let_go, 2, kept->begin_ms);
    db_bind_int(let_go, 3, kept->end_ms);
    return db_run(let_go, err);
}

enum status refold_forget(
    struct refold *r, const struct meters_item *item, const struct periods_span *kept, struct error *err)
{
    static const char evidence[] = "DELETE FROM ledger_hour; DELETE FROM ledger_latest;"
                                   "DELETE FROM ledger_boundary; DELETE FROM ledger_snapshot";
    static const char rows[] = "DELETE FROM ledger_quarter; DELETE FROM ledger_day; DELETE FROM ledger_event";
    books_destroy(r->books);
    r->books = books_create(r->db, 1);
    enum status status = db_exec(r->db, evidence, err);
    if (status != ST_OK)
        return status;
    return kept != NULL ? keep_quarters(r, item->books.id, kept, err) : db_exec(r->db, rows, err);
}
