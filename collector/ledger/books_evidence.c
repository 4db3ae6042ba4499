#include "collector/ledger/books_private.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

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

/*
 * A meter's readings by hour: those of the hour of its last reading in ledger_latest, a small row that each new reading
 * writes again; those of other hours in ledger_hour. Of a latest hour with many, whole parts of LATEST readings, the
 * earliest, are in ledger_hour already. So what both tables hold is a function of the readings, however they came.
 */
#define LATEST 64

/* -1 is the number of no point. */
int64_t books_point_number(const struct books_meter *meter, int64_t point)
{
    for (size_t i = 0; i < meter->point_count; i++)
        if (meter->points[i] == point)
            return (int64_t)i;
    return meter->point_count == 0 ? 0 : -1;
}

static struct unwrap_reading to_push(const struct books_call *c, const struct books_reading *r)
{
    return (struct unwrap_reading){.time_ms = r->time_ms,
        .point = books_point_number(c->meter, r->point),
        .count = r->count,
        .is_manual = r->is_manual};
}

/* Those that are of no time yet, which are new. True: there are any. */
static bool merge(
    struct books_call *c, struct readings *into, const struct books_reading *given, size_t count)
{
    struct books_memory *m = c->memory;
    size_t at = readings_find(into, given[0].time_ms), fresh = m->fresh_count, i = 0;
    m->rest.count = 0;
    readings_add(&m->rest, &into->items[at], into->count - at);
    into->count = at;
    for (size_t k = 0; k < count; k++) {
        while (i < m->rest.count && m->rest.items[i].time_ms < given[k].time_ms)
            readings_add(into, &m->rest.items[i++], 1);
        if (i < m->rest.count && m->rest.items[i].time_ms == given[k].time_ms)
            continue;
        readings_add(into, &given[k], 1);
        m->fresh[m->fresh_count++] = to_push(c, &given[k]);
    }
    readings_add(into, &m->rest.items[i], m->rest.count - i);
    return m->fresh_count > fresh;
}

/* Of an hour that is not the latest. */
static void take_late(struct books_call *c, int64_t hour, const struct books_reading *given, size_t count)
{
    struct readings *had = &c->memory->hour;
    books_load_hour(c, hour);
    if (c->status == ST_OK && merge(c, had, given, count))
        books_store_hour(c, hour, had->items, had->count);
}

/* Of the latest hour. True: its row is another. */
static bool take(struct books_call *c, const struct books_reading *given, size_t count)
{
    struct books_memory *m = c->memory;
    struct readings *latest = &m->latest;
    bool is_whole = latest->count > 0 && given[0].time_ms < latest->items[0].time_ms;
    if (is_whole) { /* it may be of a time of the earlier parts */
        books_load_hour(c, m->latest_hour);
        readings_add(&m->hour, latest->items, latest->count);
        struct readings parts = *latest;
        *latest = m->hour;
        m->hour = parts;
    }
    if (c->status != ST_OK)
        return false;
    bool is_changed = merge(c, latest, given, count) || is_whole;
    size_t stays = (latest->count - 1) % LATEST + 1, parts = latest->count - stays;
    if (parts == 0)
        return is_changed;
    if (is_whole)
        books_store_hour(c, m->latest_hour, latest->items, parts);
    else
        books_add_to_hour(c, m->latest_hour, latest->items, parts);
    memmove(latest->items, &latest->items[parts], stays * sizeof *latest->items);
    latest->count = stays;
    return true;
}

/* Another hour is the latest. */
static void begin_hour(struct books_call *c, int64_t hour)
{
    struct books_memory *m = c->memory;
    if (m->latest.count > 0)
        books_add_to_hour(c, m->latest_hour, m->latest.items, m->latest.count);
    m->latest.count = 0;
    m->latest_hour = hour;
}

/* By time; of one time as they came. */
static int by_time(const void *a, const void *b)
{
    const struct books_reading *const *x = a, *const *y = b;
    if ((*x)->time_ms != (*y)->time_ms)
        return (*x)->time_ms < (*y)->time_ms ? -1 : 1;
    return (*x > *y) - (*x < *y);
}

/* In order of time, each time once: the first to arrive. */
static void order(struct readings *ret, const struct books_reading *readings, size_t count)
{
    bool is_ordered = true;
    for (size_t i = 1; i < count && is_ordered; i++)
        is_ordered = readings[i - 1].time_ms < readings[i].time_ms;
    ret->count = 0;
    if (is_ordered) {
        readings_add(ret, readings, count);
        return;
    }
    const struct books_reading **all = mem_alloc(count * sizeof(struct books_reading *));
    for (size_t i = 0; i < count; i++)
        all[i] = &readings[i];
    qsort(all, count, sizeof(struct books_reading *), by_time);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || all[i]->time_ms != all[i - 1]->time_ms)
            readings_add(ret, all[i], 1);
    free(all);
}

void books_add_readings(struct books_call *c, const struct books_reading *readings, size_t count,
    struct unwrap_reading *ret, size_t *ret_count)
{
    struct books_memory *m = c->memory;
    *ret_count = 0;
    if (count == 0)
        return;
    m->fresh = ret;
    m->fresh_count = 0;
    order(&m->given, readings, count);
    books_load_latest(c, books_hour(m->given.items[0].time_ms));
    bool is_changed = false;
    for (size_t i = 0, end; i < m->given.count && c->status == ST_OK; i = end) {
        int64_t hour = books_hour(m->given.items[i].time_ms);
        for (end = i + 1; end < m->given.count && books_hour(m->given.items[end].time_ms) == hour;)
            end++;
        if (m->latest.count > 0 && hour < m->latest_hour) {
            take_late(c, hour, &m->given.items[i], end - i);
            continue;
        }
        if (m->latest.count == 0 || hour > m->latest_hour)
            begin_hour(c, hour);
        is_changed |= take(c, &m->given.items[i], end - i);
    }
    if (is_changed && c->status == ST_OK)
        books_store_latest(c);
    *ret_count = m->fresh_count;
}

/* The next readings after a time: the rest of a row. Those of ledger_hour before an hour have none. */
static struct readings next_after(struct books_call *c, int64_t after_ms, int64_t hour)
{
    struct books_memory *m = c->memory;
    for (; books_find_hour(c, hour, false, &hour); hour++) {
        size_t at = readings_find(&m->hour, after_ms + 1);
        if (at < m->hour.count)
            return (struct readings){.items = &m->hour.items[at], .count = m->hour.count - at};
    }
    books_load_latest(c, INT64_MIN);
    size_t at = readings_find(&m->latest, after_ms + 1);
    if (c->status != ST_OK || at == m->latest.count)
        return (struct readings){0};
    return (struct readings){.items = &m->latest.items[at], .count = m->latest.count - at};
}

/* True: it is for so long. */
static bool lend(struct books_call *c, struct books_memory *own)
{
    if (c->memory != NULL)
        return false;
    c->memory = own;
    return true;
}

static void take_back(struct books_call *c, bool is_lent)
{
    if (!is_lent)
        return;
    books_release_memory(c->memory);
    c->memory = NULL;
}

size_t books_read_readings(struct books_call *c, int64_t after_ms, struct unwrap_reading *ret, size_t limit)
{
    struct books_memory own = {0};
    bool is_lent = lend(c, &own);
    size_t count = 0;
    for (int64_t hour = books_hour(after_ms); count < limit; hour = books_hour(after_ms) + 1) {
        struct readings next = next_after(c, after_ms, hour);
        if (next.count == 0)
            break;
        for (size_t i = 0; i < next.count && count < limit; i++)
            ret[count++] = to_push(c, &next.items[i]);
        after_ms = ret[count - 1].time_ms;
    }
    take_back(c, is_lent);
    return count;
}

enum status books_evidence(struct books *b, const struct books_meter *meter, int64_t after_ms,
    struct books_reading *ret, size_t limit, size_t *ret_count, struct error *err)
{
    struct books_call c = books_look(b, meter, err);
    struct books_memory own = {0};
    c.memory = &own;
    size_t count = 0;
    for (int64_t hour = books_hour(after_ms); count < limit; hour = books_hour(after_ms) + 1) {
        struct readings next = next_after(&c, after_ms, hour);
        if (next.count == 0)
            break;
        size_t more = next.count < limit - count ? next.count : limit - count;
        memcpy(&ret[count], next.items, more * sizeof *ret);
        count += more;
        after_ms = ret[count - 1].time_ms;
    }
    books_release_memory(&own);
    *ret_count = count;
    return c.status;
}

/* There is one. */
static int64_t last_before(struct books_call *c, int64_t before_ms)
{
    struct books_memory *m = c->memory;
    books_load_latest(c, INT64_MIN);
    size_t at = readings_find(&m->latest, before_ms);
    if (at > 0)
        return m->latest.items[at - 1].time_ms;
    for (int64_t hour = books_hour(before_ms); books_find_hour(c, hour, true, &hour); hour--) {
        at = readings_find(&m->hour, before_ms);
        if (at > 0)
            return m->hour.items[at - 1].time_ms;
    }
    return before_ms; /* it cannot be read */
}

bool books_readings_between(
    struct books_call *c, int64_t from_ms, int64_t until_ms, int64_t *ret_first_ms, int64_t *ret_last_ms)
{
    struct books_memory own = {0};
    bool is_lent = lend(c, &own);
    struct readings next = next_after(c, from_ms, books_hour(from_ms));
    bool is_found = next.count > 0 && next.items[0].time_ms < until_ms;
    if (is_found) {
        *ret_first_ms = next.items[0].time_ms;
        *ret_last_ms = last_before(c, until_ms);
    }
    take_back(c, is_lent);
    return is_found && c->status == ST_OK;
}
