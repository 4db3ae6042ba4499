#include "collector/ledger/books_private.h"
#include "collector/ledger/latest.h"

#include <assert.h>
#include <string.h>

#define CHUNK 96

/* These numbers lie in databases. */
static_assert(
    QUALITY_MEASURED == 0 && QUALITY_ESTIMATED == 1 && QUALITY_MANUAL == 2 && QUALITY_UNKNOWN == 3, "");

static void note_dirty(struct books_call *c, int64_t start_ms)
{
    if (start_ms < c->dirty_ms)
        c->dirty_ms = start_ms;
}

void books_forget_boundaries(struct books_call *c, int64_t after_ms)
{
    struct db_stmt *forget = db_keep(c->db, "DELETE FROM ledger_boundary WHERE meter = ?1 AND time_ms > ?2");
    db_bind_int(forget, 1, c->meter->id);
    db_bind_int(forget, 2, after_ms);
    books_run(c, forget);
    if (after_ms != BOOKS_NONE)
        note_dirty(c, books_floor(after_ms));
}

static void forget_boundary(struct books_call *c, int64_t time_ms)
{
    struct db_stmt *forget = db_keep(c->db, "DELETE FROM ledger_boundary WHERE meter = ?1 AND time_ms = ?2");
    db_bind_int(forget, 1, c->meter->id);
    db_bind_int(forget, 2, time_ms);
    books_run(c, forget);
}

void books_tell_boundary(void *context, const struct boundary *boundary)
{
    struct books_call *c = context;
    note_dirty(c, boundary->time_ms - BOUNDARY_MS);
    if (boundary->quality == QUALITY_UNKNOWN) {
        forget_boundary(c, boundary->time_ms);
        return;
    }
    struct db_stmt *put =
        db_keep(c->db, "INSERT INTO ledger_boundary(meter, time_ms, energy, quality, baseline_ms, stated)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET energy = excluded.energy,"
                       "  quality = excluded.quality, baseline_ms = excluded.baseline_ms,"
                       "  stated = excluded.stated");
    db_bind_int(put, 1, c->meter->id);
    db_bind_int(put, 2, boundary->time_ms);
    db_bind_int(put, 3, boundary->energy);
    db_bind_int(put, 4, boundary->quality);
    db_bind_int(put, 5, boundary->baseline_ms);
    db_bind_int(put, 6, boundary->is_stated);
    books_run(c, put);
}

void books_find_quarters(struct books_call *c, int64_t *ret_first_ms, int64_t *ret_end_ms)
{
    struct db_stmt *find =
        db_keep(c->db, "SELECT (SELECT min(start_ms) FROM ledger_quarter WHERE meter = ?1),"
                       "  (SELECT max(start_ms) FROM ledger_quarter WHERE meter = ?1)");
    db_bind_int(find, 1, c->meter->id);
    bool is_found = books_step(c, find) && !db_is_null(find, 0);
    *ret_first_ms = is_found ? db_int(find, 0) : BOOKS_NONE;
    *ret_end_ms = is_found ? db_int(find, 1) + BOUNDARY_MS : BOOKS_NONE;
    db_reset(find);
}

/* Of the quarters from `from_ms` on: what lies at their ends, and their latest rows. */
struct chunk {
    int64_t from_ms;
    size_t count;
    struct boundary boundaries[CHUNK + 1];
    struct row {
        int64_t version; /* 0: there is none */
        struct quarter quarter;
    } rows[CHUNK];
};

static void read_boundaries(struct books_call *c, struct chunk *chunk)
{
    struct db_stmt *next =
        db_keep(c->db, "SELECT time_ms, energy, quality, baseline_ms, stated FROM ledger_boundary"
                       " WHERE meter = ?1 AND time_ms >= ?2 AND time_ms <= ?3");
    for (size_t i = 0; i <= chunk->count; i++)
        chunk->boundaries[i] = (struct boundary){
            .time_ms = chunk->from_ms + (int64_t)i * BOUNDARY_MS, .quality = QUALITY_UNKNOWN};
    db_bind_int(next, 1, c->meter->id);
    db_bind_int(next, 2, chunk->from_ms);
    db_bind_int(next, 3, chunk->boundaries[chunk->count].time_ms);
    while (books_step(c, next)) {
        struct boundary *b = &chunk->boundaries[(db_int(next, 0) - chunk->from_ms) / BOUNDARY_MS];
        b->energy = db_int(next, 1);
        b->quality = (enum quality)db_int(next, 2);
        b->baseline_ms = db_int(next, 3);
        b->is_stated = db_int(next, 4) != 0;
    }
    db_reset(next);
}

static void read_rows(struct books_call *c, struct chunk *chunk)
{
    struct db_stmt *next =
        db_keep(c->db, "SELECT start_ms, max(version), amount, quality FROM ledger_quarter"
                       " WHERE meter = ?1 AND start_ms >= ?2 AND start_ms < ?3 GROUP BY start_ms");
    memset(chunk->rows, 0, sizeof chunk->rows);
    if (c->state->written_ms == BOOKS_NONE || chunk->from_ms >= c->state->written_ms)
        return;
    db_bind_int(next, 1, c->meter->id);
    db_bind_int(next, 2, chunk->from_ms);
    db_bind_int(next, 3, chunk->boundaries[chunk->count].time_ms);
    while (books_step(c, next)) {
        struct row *row = &chunk->rows[(db_int(next, 0) - chunk->from_ms) / BOUNDARY_MS];
        row->version = db_int(next, 1);
        row->quarter.amount = db_is_null(next, 2) ? 0 : db_int(next, 2);
        row->quarter.quality = (enum quality)db_int(next, 3);
    }
    db_reset(next);
}

static void write_row(struct books_call *c, const struct quarter *quarter, int64_t version)
{
    struct db_stmt *add = db_keep(c->db,
        "INSERT INTO ledger_quarter(meter, start_ms, version, amount, quality, written_ms, written_by)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    db_bind_int(add, 1, c->meter->id);
    db_bind_int(add, 2, quarter->start_ms);
    db_bind_int(add, 3, version);
    if (quarter->quality == QUALITY_UNKNOWN)
        db_bind_null(add, 4);
    else
        db_bind_int(add, 4, quarter->amount);
    db_bind_int(add, 5, quarter->quality);
    db_bind_int(add, 6, c->now_ms);
    db_bind_int(add, 7, c->journal);
    books_run(c, add);
    if (c->rows_from_ms == INT64_MAX)
        c->rows_from_ms = quarter->start_ms;
    c->rows_until_ms = quarter->start_ms + BOUNDARY_MS; /* written in order */
    if (c->status == ST_OK && c->on_row != NULL)
        c->on_row(c->on_row_context, c->meter, quarter, version);
}

/* Days of which rows were written, and that have all they will have for now. */
static void pack_days(struct books_call *c)
{
    if (c->status != ST_OK || c->rows_from_ms == INT64_MAX)
        return;
    int64_t until_ms = c->rows_until_ms + LATEST_DAY_MS - 1;
    c->status = latest_pack(c->db, c->meter->id, c->rows_from_ms - LATEST_DAY_MS + 1,
        until_ms < c->state->written_ms ? until_ms : c->state->written_ms, c->err);
}

/* Those from `first_ms` up to `decided_ms` are decided; of the others only such rows are written as stand already. */
static void write_chunk(struct books_call *c, const struct chunk *chunk, int64_t first_ms, int64_t decided_ms)
{
    for (size_t i = 0; i < chunk->count && c->status == ST_OK; i++) {
        const struct row *row = &chunk->rows[i];
        struct quarter quarter = quarter_between(&chunk->boundaries[i], &chunk->boundaries[i + 1]);
        bool is_due = quarter.start_ms >= first_ms && quarter.start_ms < decided_ms;
        bool is_same = row->quarter.amount == quarter.amount && row->quarter.quality == quarter.quality;
        if (row->version > 0 ? !is_same : is_due)
            write_row(c, &quarter, row->version + 1);
    }
}

/* The end of the last quarter that is decided. */
static int64_t find_decided(const struct books_call *c)
{
    struct unwrap_pending pending = unwrap_pending(&c->state->unwrap, &c->meter->segments);
    bool is_covered = pending.kind != UNWRAP_DECIDED && pending.kind != UNWRAP_HELD;
    return books_floor(is_covered ? pending.until_ms : unwrap_reach_ms(&c->state->unwrap));
}

void books_write_quarters(struct books_call *c)
{
    struct books_state *s = c->state;
    bool is_begun = s->first_ms != BOOKS_NONE;
    int64_t first_ms = is_begun ? books_floor(s->first_ms) : INT64_MAX;
    int64_t decided_ms = is_begun ? find_decided(c) : INT64_MIN;
    if (is_begun && (c->is_whole || s->written_ms == BOOKS_NONE))
        note_dirty(c, first_ms);
    if (decided_ms > s->written_ms && s->written_ms != BOOKS_NONE)
        note_dirty(c, s->written_ms);
    int64_t end_ms = decided_ms > s->written_ms ? decided_ms : s->written_ms;
    struct chunk chunk;
    for (int64_t at_ms = c->dirty_ms; at_ms < end_ms && c->status == ST_OK; at_ms += CHUNK * BOUNDARY_MS) {
        int64_t left = (end_ms - at_ms) / BOUNDARY_MS;
        chunk.from_ms = at_ms;
        chunk.count = left < CHUNK ? (size_t)left : CHUNK;
        read_boundaries(c, &chunk);
        read_rows(c, &chunk);
        write_chunk(c, &chunk, first_ms, decided_ms);
    }
    if (decided_ms > first_ms && decided_ms > s->written_ms)
        s->written_ms = decided_ms;
    pack_days(c);
}
