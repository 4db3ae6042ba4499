#include "collector/ledger/books_private.h"

#include <string.h>

#define DAY_MS INT64_C(86400000)
#define EVERY_MS (DAY_MS / 4) /* how old the newest may be: what a start costs */

static void find_newest(struct books_call *c)
{
    struct db_stmt *find = db_keep(c->db, "SELECT last_ms, reach_ms FROM ledger_snapshot WHERE meter = ?1"
                                          " ORDER BY last_ms DESC LIMIT 1");
    db_bind_int(find, 1, c->meter->id);
    bool is_found = books_step(c, find);
    c->state->snapshot_last_ms = is_found ? db_int(find, 0) : BOOKS_NONE;
    c->state->snapshot_reach_ms = is_found ? db_int(find, 1) : BOOKS_NONE;
    db_reset(find);
}

/* Results that another hash led to stand no longer, so its snapshots never fit again: also not when that hash comes
 * back. */
static void delete_unfit(struct books_call *c, int64_t before_ms)
{
    struct db_stmt *remove =
        db_keep(c->db, "DELETE FROM ledger_snapshot WHERE meter = ?1 AND (last_ms >= ?2 OR hash != ?3)");
    db_bind_int(remove, 1, c->meter->id);
    db_bind_int(remove, 2, before_ms);
    db_bind_blob(remove, 3, hash_bytes(&c->meter->hash));
    books_run(c, remove);
}

bool books_read_state(struct unwrap *u, struct span bytes)
{
    unwrap_init(u);
    if (bytes.len > sizeof *u)
        return false;
    memcpy(u, bytes.at, bytes.len);
    return u->pasts.count >= 0 && u->pasts.count <= PAST_COUNT && unwrap_size(u) == bytes.len;
}

void books_restore_snapshot(struct books_call *c, int64_t before_ms)
{
    struct books_state *s = c->state;
    delete_unfit(c, before_ms);
    struct db_stmt *find = db_keep(c->db, "SELECT state, first_ms FROM ledger_snapshot WHERE meter = ?1"
                                          " ORDER BY last_ms DESC LIMIT 1");
    db_bind_int(find, 1, c->meter->id);
    bool is_found = books_step(c, find), is_good = is_found && books_read_state(&s->unwrap, db_text(find, 0));
    s->first_ms = is_good ? db_int(find, 1) : BOOKS_NONE;
    db_reset(find);
    if (!is_good)
        unwrap_init(&s->unwrap);
    if (is_found && !is_good)
        delete_unfit(c, INT64_MIN);
    find_newest(c);
}

/* Of those between two times, the first of each bucket stays. */
static void thin_out(struct books_call *c, int64_t from_ms, int64_t before_ms, int64_t bucket_ms)
{
    struct db_stmt *thin = db_keep(c->db,
        "DELETE FROM ledger_snapshot AS s WHERE meter = ?1 AND last_ms >= ?2 AND last_ms < ?3 AND EXISTS("
        "  SELECT 1 FROM ledger_snapshot AS o WHERE o.meter = ?1 AND o.last_ms < s.last_ms"
        "  AND o.last_ms > s.last_ms - ?4 AND o.last_ms / ?4 = s.last_ms / ?4)");
    db_bind_int(thin, 1, c->meter->id);
    db_bind_int(thin, 2, from_ms);
    db_bind_int(thin, 3, before_ms);
    db_bind_int(thin, 4, bucket_ms);
    books_run(c, thin);
}

/* Those before the former newest were thinned out when it was taken. */
static void thin_out_since(struct books_call *c, int64_t former_ms)
{
    int64_t last_ms = c->state->snapshot_last_ms, kept_ms = BOOKS_DAYS * DAY_MS;
    if (former_ms == BOOKS_NONE)
        return;
    thin_out(c, former_ms, last_ms, DAY_MS);
    thin_out(c, former_ms - kept_ms, last_ms - kept_ms, BOOKS_BUCKET_DAYS * DAY_MS);
}

static void take(struct books_call *c)
{
    struct books_state *s = c->state;
    struct db_stmt *put = db_keep(c->db,
        "INSERT OR REPLACE INTO ledger_snapshot(meter, last_ms, reach_ms, first_ms, hash, state)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
    int64_t former_ms = s->snapshot_last_ms;
    s->snapshot_last_ms = s->unwrap.last_ms;
    s->snapshot_reach_ms = unwrap_reach_ms(&s->unwrap);
    db_bind_int(put, 1, c->meter->id);
    db_bind_int(put, 2, s->snapshot_last_ms);
    db_bind_int(put, 3, s->snapshot_reach_ms);
    db_bind_int(put, 4, s->first_ms);
    db_bind_blob(put, 5, hash_bytes(&c->meter->hash));
    db_bind_blob(put, 6, (struct span){(const char *)&s->unwrap, unwrap_size(&s->unwrap)});
    books_run(c, put);
    thin_out_since(c, former_ms);
}

static void delete_spoilt(struct books_call *c)
{
    struct db_stmt *remove = db_keep(c->db, "DELETE FROM ledger_snapshot WHERE meter = ?1 AND reach_ms > ?2");
    db_bind_int(remove, 1, c->meter->id);
    db_bind_int(remove, 2, c->spoilt_ms);
    books_run(c, remove);
    find_newest(c);
}

void books_keep_snapshot(struct books_call *c)
{
    struct books_state *s = c->state;
    if (c->spoilt_ms < s->snapshot_reach_ms)
        delete_spoilt(c);
    c->spoilt_ms = INT64_MAX;
    if (s->snapshot_last_ms == BOOKS_NONE || s->unwrap.last_ms - s->snapshot_last_ms >= EVERY_MS)
        take(c);
}

void books_look_state(struct books_call *c, int64_t time_ms, struct unwrap *ret)
{
    struct db_stmt *find = db_keep(c->db,
        "SELECT state FROM ledger_snapshot WHERE meter = ?1 AND hash = ?2 AND reach_ms < ?3 AND last_ms < ?3"
        " ORDER BY last_ms DESC LIMIT 1");
    db_bind_int(find, 1, c->meter->id);
    db_bind_blob(find, 2, hash_bytes(&c->meter->hash));
    db_bind_int(find, 3, time_ms);
    if (!books_step(c, find) || !books_read_state(ret, db_text(find, 0)))
        unwrap_init(ret);
    db_reset(find);
}
