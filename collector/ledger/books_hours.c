#include "collector/ledger/books_private.h"

#include "lib/clock.h"

#include <inttypes.h>

#define HOURS (INT64_C(1) << 32) /* room for so many of a meter, half of them before 1970 */

int64_t books_hour(int64_t time_ms)
{
    int64_t hour = time_ms / READINGS_HOUR_MS - (time_ms % READINGS_HOUR_MS < 0);
    return hour > -HOURS / 2 ? hour : -HOURS / 2;
}

static int64_t id_of(const struct books_call *c, int64_t hour)
{
    return c->meter->id * HOURS + hour;
}

static void note_damage(struct books_call *c, int64_t hour, const struct error *err)
{
    char when[CLOCK_TEXT_SIZE];
    clock_format_utc(hour * READINGS_HOUR_MS, when);
    c->status = error_set(c->err, ST_INVALID,
        "evidence of the ledger's meter %" PRId64 ", hour of %s: %s; only a backup has it still",
        c->meter->id, when, err->text);
}

static void unpack(struct books_call *c, int64_t hour, struct span packed, struct readings *ret)
{
    struct error err;
    if (readings_unpack(ret, hour * READINGS_HOUR_MS, packed, &err) != ST_OK)
        note_damage(c, hour, &err);
}

static struct span pack(struct books_call *c, int64_t hour, const struct books_reading *items, size_t count)
{
    struct buf *packed = &c->memory->packed;
    buf_reset(packed);
    readings_pack(packed, hour * READINGS_HOUR_MS, items, count);
    return (struct span){packed->data, packed->len};
}

/* True: done, or it failed; false: there is a row of the hour already. */
static bool begin_hour(struct books_call *c, int64_t hour, struct span packed)
{
    struct db_stmt *put =
        db_keep(c->db, "INSERT INTO ledger_hour(id, readings) VALUES(?1, ?2) ON CONFLICT DO NOTHING");
    db_bind_int(put, 1, id_of(c, hour));
    db_bind_blob(put, 2, packed);
    books_run(c, put);
    return c->status != ST_OK || db_changes(c->db) > 0;
}

static bool pass_on(struct books_call *c, int64_t hour, struct span packed)
{
    struct error err;
    if (readings_check(packed, &err) == ST_OK)
        return begin_hour(c, hour, packed);
    note_damage(c, hour, &err);
    return true;
}

void books_load_latest(struct books_call *c, int64_t hour)
{
    struct books_memory *m = c->memory;
    struct db_stmt *find = db_keep(c->db, "SELECT hour, readings FROM ledger_latest WHERE meter = ?1");
    db_bind_int(find, 1, c->meter->id);
    m->latest.count = 0;
    if (books_step(c, find)) {
        m->latest_hour = db_int(find, 0);
        if (m->latest_hour >= hour || !pass_on(c, m->latest_hour, db_text(find, 1)))
            unpack(c, m->latest_hour, db_text(find, 1), &m->latest);
    }
    db_reset(find);
}

void books_store_latest(struct books_call *c)
{
    struct books_memory *m = c->memory;
    struct db_stmt *put =
        db_keep(c->db, "INSERT OR REPLACE INTO ledger_latest(meter, hour, readings) VALUES(?1, ?2, ?3)");
    db_bind_int(put, 1, c->meter->id);
    db_bind_int(put, 2, m->latest_hour);
    db_bind_blob(put, 3, pack(c, m->latest_hour, m->latest.items, m->latest.count));
    books_run(c, put);
}

void books_load_hour(struct books_call *c, int64_t hour)
{
    struct db_stmt *find = db_keep(c->db, "SELECT readings FROM ledger_hour WHERE id = ?1");
    db_bind_int(find, 1, id_of(c, hour));
    c->memory->hour.count = 0;
    if (books_step(c, find))
        unpack(c, hour, db_text(find, 0), &c->memory->hour);
    db_reset(find);
}

void books_store_hour(struct books_call *c, int64_t hour, const struct books_reading *items, size_t count)
{
    struct db_stmt *put = db_keep(c->db, "INSERT OR REPLACE INTO ledger_hour(id, readings) VALUES(?1, ?2)");
    if (c->status != ST_OK) /* what is to be stored may not be whole */
        return;
    db_bind_int(put, 1, id_of(c, hour));
    db_bind_blob(put, 2, pack(c, hour, items, count));
    books_run(c, put);
}

void books_add_to_hour(struct books_call *c, int64_t hour, const struct books_reading *items, size_t count)
{
    struct readings *had = &c->memory->hour;
    if (c->status != ST_OK || begin_hour(c, hour, pack(c, hour, items, count)))
        return;
    books_load_hour(c, hour);
    readings_add(had, items, count);
    books_store_hour(c, hour, had->items, had->count);
}

bool books_find_hour(struct books_call *c, int64_t hour, bool is_back, int64_t *ret_hour)
{
    struct db_stmt *find = db_keep(c->db,
        is_back ? "SELECT id, readings FROM ledger_hour WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1"
                : "SELECT id, readings FROM ledger_hour WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1");
    db_bind_int(find, 1, id_of(c, is_back ? -HOURS / 2 : hour));
    db_bind_int(find, 2, id_of(c, is_back ? hour : HOURS / 2 - 1));
    c->memory->hour.count = 0;
    bool is_found = books_step(c, find);
    if (is_found) {
        *ret_hour = db_int(find, 0) - id_of(c, 0);
        unpack(c, *ret_hour, db_text(find, 1), &c->memory->hour);
    }
    db_reset(find);
    return is_found && c->status == ST_OK;
}

void books_release_memory(struct books_memory *m)
{
    struct readings *all[] = {&m->given, &m->latest, &m->hour, &m->rest};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        readings_release(all[i]);
    buf_release(&m->packed);
    *m = (struct books_memory){0};
}
