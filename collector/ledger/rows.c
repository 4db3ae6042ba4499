#include "collector/ledger/rows.h"

#include "lib/mem.h"

#include <stdlib.h>

enum status rows_span(struct db *db, int64_t meter, int64_t *ret_from_ms, int64_t *ret_until_ms,
    bool *ret_is_there, struct error *err)
{
    struct db_stmt *find = db_keep(db, "SELECT (SELECT min(start_ms) FROM ledger_quarter WHERE meter = ?1),"
                                       "  (SELECT max(start_ms) FROM ledger_quarter WHERE meter = ?1),"
                                       "  (SELECT min(time_ms) FROM ledger_boundary WHERE meter = ?1),"
                                       "  (SELECT max(time_ms) FROM ledger_boundary WHERE meter = ?1)");
    bool has_row;
    db_bind_int(find, 1, meter);
    enum status status = db_step(find, &has_row, err);
    *ret_is_there = false;
    for (int column = 0; status == ST_OK && column < 4; column += 2) {
        if (db_is_null(find, column))
            continue;
        int64_t from_ms = db_int(find, column), until_ms = db_int(find, column + 1) + BOUNDARY_MS;
        if (!*ret_is_there || from_ms < *ret_from_ms)
            *ret_from_ms = from_ms;
        if (!*ret_is_there || until_ms > *ret_until_ms)
            *ret_until_ms = until_ms;
        *ret_is_there = true;
    }
    db_reset(find);
    return status;
}

enum status rows_begin(struct db *db, int64_t *ret_ms, struct error *err)
{
    struct db_stmt *find =
        db_keep(db, "SELECT min(first) FROM (SELECT (SELECT min(start_ms) FROM ledger_quarter"
                    "  WHERE meter = m.id) AS first FROM ledger_meter m)");
    bool has_row;
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK)
        *ret_ms = has_row && !db_is_null(find, 0) ? db_int(find, 0) : INT64_MAX;
    db_reset(find);
    return status;
}

enum status rows_boundaries(
    struct db *db, int64_t meter, int64_t from_ms, size_t count, struct boundary *ret, struct error *err)
{
    struct db_stmt *next =
        db_keep(db, "SELECT time_ms, energy, quality, baseline_ms, stated FROM ledger_boundary"
                    " WHERE meter = ?1 AND time_ms >= ?2 AND time_ms < ?3");
    int64_t until_ms = from_ms + (int64_t)count * BOUNDARY_MS;
    for (size_t i = 0; i < count; i++)
        ret[i] = (struct boundary){.time_ms = from_ms + (int64_t)i * BOUNDARY_MS, .quality = QUALITY_UNKNOWN};
    db_bind_int(next, 1, meter);
    db_bind_int(next, 2, from_ms);
    db_bind_int(next, 3, until_ms);
    bool has_row;
    enum status status;
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row)
        ret[(db_int(next, 0) - from_ms) / BOUNDARY_MS] = (struct boundary){.time_ms = db_int(next, 0),
            .energy = db_int(next, 1),
            .quality = (enum quality)db_int(next, 2),
            .baseline_ms = db_int(next, 3),
            .is_stated = db_int(next, 4) != 0};
    db_reset(next);
    return status;
}

enum status rows_events(struct db *db, int64_t meter, struct rows_events *ret, struct error *err)
{
    struct db_stmt *next = db_keep(db, "SELECT kind, from_ms, until_ms FROM ledger_event"
                                       " WHERE meter = ?1 AND state = 0 ORDER BY from_ms, kind, until_ms");
    bool has_row;
    enum status status;
    ret->count = 0;
    db_bind_int(next, 1, meter);
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(ret->items, ret->count, ret->capacity);
        ret->items[ret->count++] = (struct event){.kind = (enum event_kind)db_int(next, 0),
            .from_ms = db_int(next, 1),
            .until_ms = db_int(next, 2)};
    }
    db_reset(next);
    return status;
}

void rows_events_release(struct rows_events *events)
{
    free(events->items);
    *events = (struct rows_events){0};
}
