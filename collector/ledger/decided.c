#include "collector/ledger/decided.h"

#include "lib/mem.h"

#include <assert.h>
#include <stdlib.h>

static_assert(RULING_WITHDRAWAL == 0 && RULING_OUTLIER == 1 && RULING_RESET == 2 && RULING_REPLACED == 3 &&
                  RULING_ENERGY == 4 && RULING_READING == 5,
    "these numbers lie in databases");

const char decided_schema[] =
    "CREATE TABLE ledger_decision("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, meter INTEGER NOT NULL, kind INTEGER NOT NULL,"
    "  from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, end_count INTEGER, start_count INTEGER,"
    "  modulus INTEGER, resolution INTEGER, max_rate INTEGER, p INTEGER, q INTEGER, serial TEXT, energy "
    "INTEGER,"
    "  count INTEGER, forced INTEGER NOT NULL, withdraws INTEGER UNIQUE REFERENCES ledger_decision(id),"
    "  time_ms INTEGER NOT NULL, token INTEGER, who TEXT NOT NULL, why TEXT NOT NULL) STRICT;"
    "CREATE INDEX ledger_decision_meter ON ledger_decision(meter);"
    "CREATE TABLE ledger_decision_time("
    "  decision INTEGER NOT NULL, time_ms INTEGER NOT NULL, PRIMARY KEY(decision, time_ms)) STRICT,"
    "  WITHOUT ROWID;"
    "CREATE TRIGGER ledger_decision_stays BEFORE DELETE ON ledger_decision BEGIN"
    "  SELECT RAISE(ABORT, 'a decision stays'); END;"
    "CREATE TRIGGER ledger_decision_is_final BEFORE UPDATE ON ledger_decision BEGIN"
    "  SELECT RAISE(ABORT, 'a decision stays'); END;"
    "CREATE TRIGGER ledger_decision_time_stays BEFORE DELETE ON ledger_decision_time BEGIN"
    "  SELECT RAISE(ABORT, 'a decision stays'); END;"
    "CREATE TRIGGER ledger_decision_time_is_final BEFORE UPDATE ON ledger_decision_time BEGIN"
    "  SELECT RAISE(ABORT, 'a decision stays'); END;";

const char *decided_kind_name(enum ruling_kind kind)
{
    switch (kind) {
    case RULING_WITHDRAWAL:
        return "undo";
    case RULING_OUTLIER:
        return "outlier";
    case RULING_RESET:
        return "reset";
    case RULING_REPLACED:
        return "replacement";
    case RULING_ENERGY:
        return "energy";
    case RULING_READING:
        return "reading";
    }
    abort();
}

static void bind_some(struct db_stmt *s, int index, bool is_there, int64_t value)
{
    if (is_there)
        db_bind_int(s, index, value);
    else
        db_bind_null(s, index);
}

static enum status add_times(struct db *db, const struct ruling *ruling, struct error *err)
{
    struct db_stmt *add = db_keep(db, "INSERT INTO ledger_decision_time(decision, time_ms) VALUES(?1, ?2)");
    enum status status = ST_OK;
    for (size_t i = 0; i < ruling->time_count && status == ST_OK; i++) {
        db_bind_int(add, 1, ruling->id);
        db_bind_int(add, 2, ruling->times[i]);
        status = db_run(add, err);
    }
    return status;
}

enum status decided_add(struct db *db, struct decided *d, struct error *err)
{
    struct ruling *r = &d->ruling;
    bool is_segment = r->kind == RULING_RESET || r->kind == RULING_REPLACED;
    struct db_stmt *add = db_keep(db,
        "INSERT INTO ledger_decision(meter, kind, from_ms, until_ms, end_count, start_count, modulus,"
        "  resolution, max_rate, p, q, serial, energy, count, forced, withdraws, time_ms, token, who, why)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)");
    db_bind_int(add, 1, d->meter);
    db_bind_int(add, 2, r->kind);
    db_bind_int(add, 3, r->from_ms);
    db_bind_int(add, 4, r->until_ms);
    bind_some(add, 5, is_segment, r->end);
    bind_some(add, 6, is_segment, r->next.start);
    bind_some(add, 7, is_segment, r->next.modulus);
    bind_some(add, 8, is_segment, r->next.resolution);
    bind_some(add, 9, is_segment, r->next.max_rate);
    bind_some(add, 10, is_segment, r->next.p);
    bind_some(add, 11, is_segment, r->next.q);
    if (d->serial != NULL)
        db_bind_text(add, 12, span_of(d->serial));
    else
        db_bind_null(add, 12);
    bind_some(add, 13, r->kind == RULING_ENERGY, r->energy);
    bind_some(add, 14, r->kind == RULING_READING, r->count);
    db_bind_int(add, 15, d->is_forced);
    bind_some(add, 16, r->kind == RULING_WITHDRAWAL, d->withdraws);
    db_bind_int(add, 17, d->time_ms);
    bind_some(add, 18, d->token != 0, d->token);
    db_bind_text(add, 19, span_of(d->who));
    db_bind_text(add, 20, span_of(d->why));
    enum status status = db_run(add, err);
    if (status != ST_OK)
        return status;
    r->id = db_last_id(db);
    return add_times(db, r, err);
}

void decided_release(struct decided_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free((void *)set->items[i].times);
    free(set->items);
    free(set->meters);
    *set = (struct decided_set){0};
}

struct rulings decided_rulings(const struct decided_set *set)
{
    return (struct rulings){set->items, set->count};
}

static enum status load_times(struct db *db, struct ruling *ruling, struct error *err)
{
    struct db_stmt *next =
        db_keep(db, "SELECT time_ms FROM ledger_decision_time WHERE decision = ?1 ORDER BY time_ms");
    int64_t *times = NULL;
    size_t count = 0, capacity = 0;
    bool has_row;
    enum status status;
    db_bind_int(next, 1, ruling->id);
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(times, count, capacity);
        times[count++] = db_int(next, 0);
    }
    db_reset(next);
    ruling->times = times;
    ruling->time_count = count;
    return status;
}

/* NULL reads as 0. */
static struct ruling read_ruling(struct db_stmt *row)
{
    return (struct ruling){.id = db_int(row, 0),
        .kind = (enum ruling_kind)db_int(row, 2),
        .from_ms = db_int(row, 3),
        .until_ms = db_int(row, 4),
        .end = db_int(row, 5),
        .next = {.start = db_int(row, 6),
            .modulus = db_int(row, 7),
            .resolution = db_int(row, 8),
            .max_rate = db_int(row, 9),
            .p = db_int(row, 10),
            .q = db_int(row, 11)},
        .energy = db_int(row, 12),
        .count = db_int(row, 13)};
}

static void put(struct decided_set *set, const struct ruling *ruling, int64_t meter)
{
    if (set->count == set->capacity) {
        set->capacity = set->capacity > 0 ? 2 * set->capacity : 8;
        set->items = mem_realloc(set->items, set->capacity * sizeof *set->items);
        set->meters = mem_realloc(set->meters, set->capacity * sizeof *set->meters);
    }
    set->items[set->count] = *ruling;
    set->meters[set->count++] = meter;
}

enum status decided_load(struct db *db, int64_t meter, struct decided_set *ret, struct error *err)
{
    struct db_stmt *next = db_keep(db,
        "SELECT id, meter, kind, from_ms, until_ms, end_count, start_count, modulus, resolution, max_rate, "
        "p, q,"
        "  energy, count FROM ledger_decision AS d WHERE (?1 = 0 OR meter = ?1) AND kind != 0 AND NOT EXISTS("
        "  SELECT 1 FROM ledger_decision AS w WHERE w.withdraws = d.id) ORDER BY id");
    *ret = (struct decided_set){0};
    db_bind_int(next, 1, meter);
    bool has_row;
    enum status status;
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        struct ruling ruling = read_ruling(next);
        put(ret, &ruling, db_int(next, 1));
    }
    db_reset(next);
    for (size_t i = 0; i < ret->count && status == ST_OK; i++)
        if (ret->items[i].kind == RULING_OUTLIER)
            status = load_times(db, &ret->items[i], err);
    if (status != ST_OK)
        decided_release(ret);
    return status;
}

enum status decided_find(
    struct db *db, int64_t id, int64_t *ret_meter, bool *ret_is_withdrawn, struct error *err)
{
    struct db_stmt *find =
        db_keep(db, "SELECT meter, EXISTS(SELECT 1 FROM ledger_decision WHERE withdraws = ?1)"
                    " FROM ledger_decision WHERE id = ?1 AND kind != 0");
    bool has_row;
    db_bind_int(find, 1, id);
    enum status status = db_step(find, &has_row, err);
    bool is_found = status == ST_OK && has_row;
    *ret_is_withdrawn = is_found && db_int(find, 1) != 0;
    *ret_meter = is_found && !*ret_is_withdrawn ? db_int(find, 0) : 0;
    db_reset(find);
    return status;
}
