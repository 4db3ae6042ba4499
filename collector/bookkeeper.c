#include "collector/bookkeeper.h"

#include "collector/energy_rows.h"
#include "collector/intake/journal.h"
#include "lib/cursor.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A slice: so many register readings or bytes of the journal at most, but one batch at least. */
#define SLICE_READINGS 32768
#define SLICE_BYTES (16 * 1024 * 1024)
/* A meter's batches that are folded in one piece: so many readings, and what is left of the last batch. */
#define PIECE_READINGS 256
/* States kept in memory: 16 MiB of them. Beyond it meters take each other's place. */
#define STATES_MAX 5461

void bookkeeper_init(struct bookkeeper *b, struct db *db, const struct park *park)
{
    *b = (struct bookkeeper){.db = db, .park = park, .slice_max = SLICE_READINGS};
}

static void forget_slice(struct bookkeeper *b)
{
    for (size_t i = 0; i < b->filled_count; i++)
        b->baskets[b->filled[i]].count = b->baskets[b->filled[i]].batch_count = 0;
    b->filled_count = b->at = b->at_batch = b->at_reading = 0;
    b->slice_readings = b->slice_bytes = 0;
    b->end = 0;
    b->is_read = false;
}

static void forget_model(struct bookkeeper *b)
{
    forget_slice(b);
    for (size_t i = 0; i < b->meters.count; i++) {
        free(b->baskets[i].readings);
        free(b->baskets[i].batches);
    }
    free(b->baskets);
    b->baskets = NULL;
    books_destroy(b->books);
    b->books = NULL;
    energy_lines_destroy(b->lines);
    b->lines = NULL;
    meters_release(&b->meters);
}

void bookkeeper_use(struct bookkeeper *b, const struct park *park, const struct rates *rates)
{
    forget_model(b);
    b->park = park;
    b->rates = rates;
}

void bookkeeper_release(struct bookkeeper *b)
{
    forget_model(b);
    free(b->filled);
    free(b->aside.ids);
    free(b->rows);
    *b = (struct bookkeeper){0};
}

enum status bookkeeper_reset(struct bookkeeper *b, struct error *err)
{
    forget_model(b);
    b->has_more = false;
    b->due_mono_ms = 0;
    return cursor_read(b->db, "ledger", &b->position, err);
}

static void note_row(
    void *bookkeeper, const struct books_meter *meter, const struct quarter *quarter, int64_t version)
{
    (void)meter;
    struct bookkeeper *b = bookkeeper;
    MEM_GROW(b->rows, b->row_count, b->row_capacity);
    b->rows[b->row_count++] = (struct bookkeeper_row){*quarter, version};
}

/* The transaction fails with it, and the next one goes on without the meter. */
static void set_aside(struct bookkeeper *b, const struct meters_item *item, const struct error *why)
{
    MEM_GROW(b->aside.ids, b->aside.count, b->aside.capacity);
    b->aside.ids[b->aside.count++] = item->books.id;
    size_t len = strlen(b->aside_names);
    snprintf(b->aside_names + len, sizeof b->aside_names - len, "%s%s", len > 0 ? ", " : "", item->park->id);
    log_error("ledger",
        "meter %s: its books fail, and it is set aside until the collector is started again: %s",
        item->park->id, why->text);
}

/* Some of the next batches; one without readings: to look at the meter again. */
static enum status fold(struct bookkeeper *b, const struct meters_item *item,
    const struct books_reading *readings, const struct books_batch *batches, size_t batch_count,
    size_t *ret_count, struct error *err)
{
    b->row_count = 0;
    enum status status =
        books_fold_batches(b->books, &item->books, readings, batches, batch_count, ret_count, err);
    if (status == ST_INVALID)
        set_aside(b, item, err);
    for (size_t i = 0; i < b->row_count && status == ST_OK; i++)
        status = energy_row_put(b->db, b->lines, item->park, &b->rows[i].quarter, b->rows[i].version, err);
    return status;
}

static enum status take_up_model(struct bookkeeper *b, bool *ret_is_changed, struct error *err)
{
    enum status status = meters_load(&b->meters, b->park, &b->aside, b->db, ret_is_changed, err);
    if (status != ST_OK)
        return status;
    int64_t highest = 0;
    for (size_t i = 0; i < b->meters.count; i++)
        if (b->meters.items[i].books.id > highest)
            highest = b->meters.items[i].books.id;
    b->books = books_create(b->db, highest < STATES_MAX ? (size_t)highest + 1 : STATES_MAX);
    books_tell_rows(b->books, note_row, b);
    b->lines = energy_lines_create(b->park, b->rates);
    b->baskets = mem_zalloc((b->meters.count + 1) * sizeof *b->baskets);
    b->due = 0;
    return cursor_read(b->db, "ledger", &b->position, err); /* it may have gone back */
}

/* ---- a slice of the journal ---- */

static void put_reading(struct bookkeeper *b, const struct meters_point *point, int64_t journal,
    int64_t received_ms, const struct reading *reading)
{
    struct bookkeeper_basket *basket = &b->baskets[point->meter];
    if (basket->count == 0) {
        MEM_GROW(b->filled, b->filled_count, b->filled_capacity);
        b->filled[b->filled_count++] = point->meter;
    }
    if (basket->count == 0 || basket->readings[basket->count - 1].journal != journal) {
        MEM_GROW(basket->batches, basket->batch_count, basket->batch_capacity);
        basket->batches[basket->batch_count++] = (struct books_batch){.now_ms = received_ms};
    }
    basket->batches[basket->batch_count - 1].count++;
    MEM_GROW(basket->readings, basket->count, basket->capacity);
    basket->readings[basket->count++] = (struct books_reading){
        .time_ms = reading->time_ms, .count = reading->count, .point = point->number, .journal = journal};
}

/* Spares reading most other lines: each begins with its measurement. */
static bool may_be_register(struct span line)
{
    static const char name[] = "register,";
    return line.len > sizeof name - 1 && memcmp(line.at, name, sizeof name - 1) == 0;
}

/* Returns how many readings of meters the batch has. */
static size_t take_batch(struct bookkeeper *b, int64_t journal, struct span gateway, int64_t received_ms,
    struct span payload, struct span skipped)
{
    struct journal_lines lines;
    struct span line;
    size_t count = 0;
    journal_lines_begin(&lines, payload, skipped);
    while (journal_lines_next(&lines, &line)) {
        struct reading reading;
        if (!may_be_register(line) || batch_read_reading(line, &reading, NULL) != ST_OK ||
            reading.quality == QUALITY_CLOCK)
            continue;
        const struct meters_point *point = meters_point(&b->meters, gateway, reading.point);
        if (point == NULL || journal <= point->since)
            continue;
        put_reading(b, point, journal, received_ms, &reading);
        count++;
    }
    return count;
}

/* Goes on with the slice, until the time is over; b->end stays 0 where the journal has no more. */
static enum status read_slice(
    struct bookkeeper *b, const struct clock *clock, int64_t until_mono_ms, struct error *err)
{
    struct db_stmt *next = db_keep(b->db, "SELECT j.id, g.name, j.received_ms, j.payload, j.skipped"
                                          " FROM journal j JOIN gateway g ON g.id = j.gateway"
                                          " WHERE j.id > ?1 ORDER BY j.id");
    bool has_row = true, is_full = false;
    enum status status = ST_OK;
    db_bind_int(next, 1, b->end != 0 ? b->end : b->position);
    do {
        status = db_step(next, &has_row, err);
        if (status != ST_OK || !has_row)
            break;
        struct span payload = db_text(next, 3);
        b->end = db_int(next, 0);
        b->slice_bytes += payload.len;
        b->slice_readings +=
            take_batch(b, b->end, db_text(next, 1), db_int(next, 2), payload, db_text(next, 4));
        is_full = b->slice_readings >= b->slice_max || b->slice_bytes >= SLICE_BYTES;
    } while (!is_full && clock->mono_ms() < until_mono_ms);
    b->is_read = b->end != 0 && (is_full || !has_row);
    db_reset(next);
    return status;
}

static enum status move_cursor(struct bookkeeper *b, struct error *err)
{
    enum status status = cursor_move(b->db, "ledger", b->end, err);
    b->position = b->end;
    forget_slice(b);
    return status;
}

/* How many of a meter's next batches are folded in one piece: what comes of them is bounded, as the step's time is. */
static size_t count_piece(const struct bookkeeper_basket *basket, size_t from)
{
    size_t count = 1;
    for (size_t readings = basket->batches[from].count;
         from + count < basket->batch_count && readings < PIECE_READINGS; count++)
        readings += basket->batches[from + count].count;
    return count;
}

/* Some batches of one meter, or the end of the slice. */
static enum status fold_next(struct bookkeeper *b, struct error *err)
{
    if (b->at == b->filled_count)
        return move_cursor(b, err);
    size_t meter = b->filled[b->at], taken = 0;
    const struct bookkeeper_basket *basket = &b->baskets[meter];
    const struct books_batch *batches = &basket->batches[b->at_batch];
    enum status status = fold(b, &b->meters.items[meter], &basket->readings[b->at_reading], batches,
        count_piece(basket, b->at_batch), &taken, err);
    for (size_t i = 0; i < taken; i++)
        b->at_reading += batches[i].count;
    b->at_batch += taken;
    if (b->at_batch == basket->batch_count) {
        b->at++;
        b->at_batch = b->at_reading = 0;
    }
    return status;
}

static enum status look_again(
    struct bookkeeper *b, const struct meters_item *item, int64_t now_ms, struct error *err)
{
    size_t taken;
    return fold(b, item, NULL, &(struct books_batch){.now_ms = now_ms}, 1, &taken, err);
}

enum status bookkeeper_redecide(
    struct bookkeeper *b, struct meters_item *item, int64_t since_ms, int64_t now_ms, struct error *err)
{
    struct hash before = item->books.hash;
    enum status status = meters_lay_over(item, b->db, err);
    if (status == ST_OK)
        status = books_decided_since(b->books, &item->books, &before, since_ms, err);
    if (status == ST_OK)
        status = look_again(b, item, now_ms, err);
    return status == ST_OK ? meters_note_folded(item, b->db, err) : status;
}

/* ---- a step ---- */

/* The next meter whose books were folded with other segments. False: there is none. */
static bool find_due(struct bookkeeper *b)
{
    while (b->due < b->meters.count && !b->meters.items[b->due].is_due)
        b->due++;
    return b->due < b->meters.count;
}

static enum status fold_due(struct bookkeeper *b, int64_t now_ms, struct error *err)
{
    struct meters_item *item = &b->meters.items[b->due];
    enum status status = look_again(b, item, now_ms, err);
    return status == ST_OK ? meters_note_folded(item, b->db, err) : status;
}

/* *ret_is_done: there was nothing left to do. */
static enum status work(struct bookkeeper *b, const struct clock *clock, int64_t until_mono_ms,
    bool *ret_is_done, struct error *err)
{
    *ret_is_done = false;
    if (find_due(b))
        return fold_due(b, clock->wall_ms(), err);
    if (b->is_read)
        return fold_next(b, err);
    enum status status = read_slice(b, clock, until_mono_ms, err);
    *ret_is_done = b->end == 0;
    return status;
}

enum status bookkeeper_step(
    struct bookkeeper *b, const struct clock *clock, bool *ret_is_changed, struct error *err)
{
    int64_t now_mono_ms = clock->mono_ms(), until_mono_ms = now_mono_ms + BOOKKEEPER_STEP_MS;
    b->has_more = false;
    if (b->done_mono_ms == 0)
        b->done_mono_ms = now_mono_ms;
    if (now_mono_ms < b->due_mono_ms)
        return ST_OK;
    enum status status = b->books == NULL ? take_up_model(b, ret_is_changed, err) : ST_OK;
    if (status != ST_OK)
        return status;
    books_begin(b->books);
    bool is_done = false;
    do {
        status = work(b, clock, until_mono_ms, &is_done, err);
        *ret_is_changed = *ret_is_changed || !is_done;
    } while (status == ST_OK && !is_done && clock->mono_ms() < until_mono_ms);
    b->has_more = !is_done;
    b->due_mono_ms = is_done ? now_mono_ms + BOOKKEEPER_REST_MS : 0;
    b->done_mono_ms = is_done ? now_mono_ms : b->done_mono_ms;
    return status;
}

int64_t bookkeeper_behind_ms(const struct bookkeeper *b, int64_t journal_end, int64_t now_mono_ms)
{
    return b->position < journal_end && b->done_mono_ms != 0 ? now_mono_ms - b->done_mono_ms : 0;
}

/* What is in memory is then not what is on disk. */
static enum status give_up_step(
    struct bookkeeper *b, enum status status, const struct error *why, struct error *err)
{
    db_rollback(b->db);
    enum status reset = bookkeeper_reset(b, err);
    if (reset != ST_OK)
        return reset;
    *err = *why;
    return status;
}

enum status bookkeeper_catch_up(
    struct bookkeeper *b, const struct clock *clock, int64_t until_mono_ms, struct error *err)
{
    do {
        bool is_changed = false;
        struct error why;
        b->due_mono_ms = 0;
        enum status status = db_begin(b->db, err);
        if (status != ST_OK)
            return status;
        status = bookkeeper_step(b, clock, &is_changed, &why);
        if (status == ST_OK)
            status = db_commit(b->db, &why);
        if (status != ST_OK)
            return give_up_step(b, status, &why, err);
        bookkeeper_committed(b);
    } while (b->has_more && clock->mono_ms() < until_mono_ms);
    return ST_OK;
}

void bookkeeper_rest(struct bookkeeper *b, const struct clock *clock)
{
    b->has_more = false;
    b->due_mono_ms = clock->mono_ms() + BOOKKEEPER_REST_MS;
}

void bookkeeper_committed(struct bookkeeper *b)
{
    if (b->books != NULL)
        books_committed(b->books);
}
