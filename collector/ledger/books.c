#include "collector/ledger/books.h"

#include "collector/ledger/books_private.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 256

struct books {
    struct db *db;
    struct books_state *states;
    size_t count;
    /* Places that this transaction changed. */
    size_t *touched;
    size_t touched_count, touched_capacity;
    struct unwrap_reading *fresh; /* room for a call's readings */
    size_t fresh_capacity;
    books_on_row *on_row;
    void *on_row_context;
    struct books_memory memory;
};

struct books *books_create(struct db *db, size_t states)
{
    struct books *b = mem_zalloc(sizeof *b);
    b->db = db;
    b->count = states;
    b->states = mem_zalloc(states * sizeof *b->states);
    return b;
}

void books_destroy(struct books *b)
{
    if (b == NULL)
        return;
    free(b->states);
    free(b->touched);
    free(b->fresh);
    books_release_memory(&b->memory);
    free(b);
}

void books_tell_rows(struct books *b, books_on_row *on_row, void *context)
{
    b->on_row = on_row;
    b->on_row_context = context;
}

void books_begin(struct books *b)
{
    for (size_t i = 0; i < b->touched_count; i++)
        b->states[b->touched[i]].meter = 0;
    b->touched_count = 0;
}

void books_committed(struct books *b)
{
    b->touched_count = 0;
}

static void take_event(void *context, const struct event *event)
{
    struct books_call *c = context;
    if (event->from_ms < c->spoilt_ms)
        c->spoilt_ms = event->from_ms;
    if (event->kind == EVENT_BASELINE && c->state->first_ms == BOOKS_NONE)
        c->state->first_ms = event->from_ms;
    books_tell_event(c, event);
    boundary_follow(event, c->meter->max_gap_ms, books_tell_boundary, c);
}

/* False: what is to be pushed again begins before the first of them. */
static bool push(struct books_call *c, const struct unwrap_reading *readings, size_t count)
{
    struct unwrap *u = &c->state->unwrap;
    struct event_sink sink = {take_event, c};
    for (size_t i = 0; i < count && c->status == ST_OK;) {
        if (readings[i].time_ms > c->furthest_ms)
            c->furthest_ms = readings[i].time_ms;
        if (unwrap_push(u, &c->meter->segments, &readings[i], &sink)) {
            i++;
            if (u->last_ms == c->furthest_ms)
                books_keep_snapshot(c);
            continue;
        }
        if (u->last_ms < readings[0].time_ms)
            return false;
        while (i > 0 && readings[i - 1].time_ms > u->last_ms)
            i--;
    }
    return true;
}

/* All of the set after the last reading that was pushed, up to c->until_ms. */
static void push_evidence(struct books_call *c)
{
    struct unwrap_reading readings[CHUNK];
    size_t count;
    while ((count = books_next_readings(c, c->state->unwrap.last_ms, readings, CHUNK)) > 0) {
        while (count > 0 && readings[count - 1].time_ms > c->until_ms)
            count--;
        if (count == 0)
            return;
        push(c, readings, count);
    }
}

/* Back to before a time. */
static void restore(struct books_call *c, int64_t before_ms)
{
    struct books_state *s = c->state;
    int64_t first_ms;
    books_restore_snapshot(c, before_ms);
    int64_t reach_ms = unwrap_reach_ms(&s->unwrap);
    s->endless_ms = BOOKS_NONE;
    books_doubt_all(c, reach_ms, s->unwrap.last_ms);
    books_find_quarters(c, &first_ms, &s->written_ms);
    books_forget_boundaries(c, reach_ms);
    c->is_whole = reach_ms == BOOKS_NONE;
    if (c->is_whole && first_ms != BOOKS_NONE && first_ms < c->dirty_ms)
        c->dirty_ms = first_ms;
}

static void fold(struct books_call *c, bool is_cold, const struct unwrap_reading *fresh, size_t count)
{
    if (c->status != ST_OK || (count == 0 && !is_cold))
        return;
    if (is_cold || fresh[0].time_ms <= c->state->unwrap.last_ms) {
        restore(c, count > 0 ? fresh[0].time_ms : INT64_MAX);
        push_evidence(c);
    } else if (!push(c, fresh, count)) {
        push_evidence(c);
    }
    books_end_events(c);
    books_write_quarters(c);
}

/* The meter's place, marked as changed. *ret_is_cold: it holds nothing of use. */
static struct books_state *touch(struct books *b, const struct books_meter *meter, bool *ret_is_cold)
{
    size_t place = (size_t)meter->id % b->count;
    struct books_state *s = &b->states[place];
    *ret_is_cold = s->meter != meter->id || !hash_is_equal(&s->hash, &meter->hash);
    if (*ret_is_cold)
        *s = (struct books_state){.meter = meter->id, .hash = meter->hash};
    MEM_GROW(b->touched, b->touched_count, b->touched_capacity);
    b->touched[b->touched_count++] = place;
    return s;
}

struct books_call books_look(struct books *b, const struct books_meter *meter, struct error *err)
{
    return (struct books_call){.db = b->db, .meter = meter, .err = err};
}

enum status books_decided_since(struct books *b, const struct books_meter *meter, const struct hash *before,
    int64_t since_ms, struct error *err)
{
    /* Rule 2 looks half an hour around a replacement. */
    struct db_stmt *keep = db_keep(
        b->db, "UPDATE ledger_snapshot SET hash = ?3 WHERE meter = ?1 AND hash = ?2 AND last_ms < ?4");
    db_bind_int(keep, 1, meter->id);
    db_bind_blob(keep, 2, hash_bytes(before));
    db_bind_blob(keep, 3, hash_bytes(&meter->hash));
    db_bind_int(keep, 4, since_ms - 2 * SEGMENT_JOIN_MS);
    return db_run(keep, err);
}

static struct books_call begin(
    struct books *b, const struct books_meter *meter, struct books_state *state, struct error *err)
{
    return (struct books_call){.db = b->db,
        .memory = &b->memory,
        .meter = meter,
        .state = state,
        .on_row = b->on_row,
        .on_row_context = b->on_row_context,
        .furthest_ms = INT64_MIN,
        .until_ms = INT64_MAX,
        .dirty_ms = INT64_MAX,
        .rows_from_ms = INT64_MAX,
        .doubted_ms = INT64_MAX,
        .spoilt_ms = INT64_MAX,
        .err = err};
}

/* Of the readings of a batch, which has some, each is after the one before, the first after a time. */
static bool is_in_order(const struct books_reading *readings, size_t count, int64_t after_ms)
{
    for (size_t i = 0; i < count; i++) {
        if (readings[i].time_ms <= after_ms)
            return false;
        after_ms = readings[i].time_ms;
    }
    return count > 0;
}

/* How many of the batches, and of their readings, go together: those in order of time after all that was pushed. So
 * none of them depends on evidence of a later one. */
static size_t count_together(const struct books_state *s, const struct books_reading *readings,
    const struct books_batch *batches, size_t batch_count, size_t *ret_readings)
{
    size_t count = 0, end = 0;
    int64_t after_ms = s->unwrap.last_ms;
    while (count < batch_count && is_in_order(&readings[end], batches[count].count, after_ms)) {
        end += batches[count++].count;
        after_ms = readings[end - 1].time_ms;
    }
    *ret_readings = count > 0 ? end : batches[0].count;
    return count > 0 ? count : 1;
}

/* The new ones of the readings, in order of time, into b->fresh. */
static size_t add(struct books *b, struct books_call *c, const struct books_reading *readings, size_t count)
{
    if (count > b->fresh_capacity) {
        b->fresh = mem_realloc(b->fresh, count * sizeof *b->fresh);
        b->fresh_capacity = count;
    }
    size_t fresh = 0;
    books_add_readings(c, readings, count, b->fresh, &fresh);
    return books_leave_disregarded(c, b->fresh, fresh);
}

static int64_t newest_journal(const struct books_reading *readings, size_t count)
{
    int64_t newest = 0;
    for (size_t i = 0; i < count; i++)
        newest = readings[i].journal > newest ? readings[i].journal : newest;
    return newest;
}

enum status books_fold_batches(struct books *b, const struct books_meter *meter,
    const struct books_reading *readings, const struct books_batch *batches, size_t batch_count,
    size_t *ret_count, struct error *err)
{
    bool is_cold;
    struct books_state *state = touch(b, meter, &is_cold);
    size_t count = batches[0].count, together = 1;
    if (!is_cold)
        together = count_together(state, readings, batches, batch_count, &count);
    struct books_call c = begin(b, meter, state, err);
    size_t fresh = add(b, &c, readings, count), at = 0;
    enum status status = c.status;
    for (size_t i = 0; i < together && status == ST_OK; readings += batches[i++].count) {
        size_t from = at;
        c = begin(b, meter, state, err);
        c.now_ms = batches[i].now_ms;
        c.journal = newest_journal(readings, batches[i].count);
        if (i + 1 < together) {
            c.until_ms = readings[batches[i].count - 1].time_ms;
            while (at < fresh && b->fresh[at].time_ms <= c.until_ms)
                at++;
        } else {
            at = fresh;
        }
        fold(&c, is_cold, &b->fresh[from], at - from);
        status = c.status;
    }
    if (status != ST_OK)
        state->meter = 0;
    *ret_count = together;
    return status;
}

enum status books_fold(struct books *b, const struct books_meter *meter, const struct books_reading *readings,
    size_t count, int64_t now_ms, struct error *err)
{
    size_t taken;
    return books_fold_batches(
        b, meter, readings, &(struct books_batch){.count = count, .now_ms = now_ms}, 1, &taken, err);
}
