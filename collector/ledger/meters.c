#include "collector/ledger/meters.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

void meters_check(struct park *park)
{
    if (conf_problem_count(park->conf) > 0)
        return;
    CONF_EACH (struct park_meter, park_meter, park->meters) {
        struct meter meter;
        struct error err;
        if (meter_init(&meter, park_meter, &err) == ST_OK)
            meter_release(&meter);
        else
            conf_problem(park->conf, &park_meter->where, NULL, "%s", err.text);
    }
}

void meters_release_item(struct meters_item *item)
{
    meter_release(&item->meter);
    overlay_release(&item->overlay);
    free(item->numbers);
}

void meters_release(struct meters *m)
{
    struct meters_point *p;
    for (size_t i = 0; (p = name_map_next(&m->points, &i)) != NULL;) {
        free(p->gateway);
        free(p->point);
        free(p);
    }
    name_map_release(&m->points);
    for (size_t i = 0; i < m->count; i++)
        meters_release_item(&m->items[i]);
    free(m->items);
    *m = (struct meters){0};
}

const struct meters_point *meters_point(const struct meters *m, struct span gateway, struct span point)
{
    return name_map_find(&m->points, gateway, point);
}

/* ---- what the database knows ---- */

struct load {
    struct meters *m;
    const struct meters_aside *aside;
    struct db *db;
    int64_t cursor; /* where it stood */
    int64_t back;   /* where it is to go on from */
    bool is_settled, is_changed;
};

static enum status read_cursor(struct load *l, struct error *err)
{
    struct db_stmt *read = db_keep(l->db, "SELECT position FROM cursor WHERE name = 'ledger'");
    bool has_row;
    enum status status = db_step(read, &has_row, err);
    l->cursor = l->back = status == ST_OK && has_row ? db_int(read, 0) : 0;
    db_reset(read);
    return status;
}

/* The point's number, and since when its readings are not taken; number 0: there is none yet. */
static enum status find_point(struct db *db, int64_t meter, struct span name, int64_t *ret_number,
    int64_t *ret_since, bool *ret_is_used, struct error *err)
{
    struct db_stmt *find =
        db_keep(db, "SELECT id, since, is_used FROM ledger_point WHERE meter = ?1 AND name = ?2");
    db_bind_int(find, 1, meter);
    db_bind_text(find, 2, name);
    bool has_row;
    enum status status = db_step(find, &has_row, err);
    bool is_found = status == ST_OK && has_row;
    *ret_number = is_found ? db_int(find, 0) : 0;
    *ret_since = is_found ? db_int(find, 1) : 0;
    *ret_is_used = is_found && db_int(find, 2) != 0;
    db_reset(find);
    return status;
}

/* Before anything is taken up or let go: what those in use had is theirs. */
static enum status settle_points(struct load *l, struct error *err)
{
    if (l->is_settled)
        return ST_OK;
    l->is_settled = l->is_changed = true;
    struct db_stmt *settle =
        db_keep(l->db, "UPDATE ledger_point SET since = ?1 WHERE is_used = 1 AND since < ?1");
    db_bind_int(settle, 1, l->cursor);
    return db_run(settle, err);
}

static enum status take_up_point(
    struct load *l, int64_t meter, struct span name, int64_t *ret_number, struct error *err)
{
    enum status status = settle_points(l, err);
    if (status != ST_OK)
        return status;
    struct db_stmt *add = db_keep(l->db, "INSERT INTO ledger_point(meter, name, is_used, since)"
                                         " VALUES(?1, ?2, 1, 0) ON CONFLICT DO UPDATE SET is_used = 1"
                                         " RETURNING id, since");
    db_bind_int(add, 1, meter);
    db_bind_text(add, 2, name);
    bool has_row;
    status = db_step(add, &has_row, err);
    if (status == ST_OK) {
        *ret_number = db_int(add, 0);
        if (db_int(add, 1) < l->back)
            l->back = db_int(add, 1);
    }
    db_reset(add);
    return status;
}

/* Those in use that the model does not name any more. */
static enum status let_points_go(struct load *l, struct error *err)
{
    struct db_stmt *used = db_keep(l->db, "SELECT id, name, meter FROM ledger_point WHERE is_used = 1");
    struct db_stmt *let_go = db_keep(l->db, "UPDATE ledger_point SET is_used = 0 WHERE id = ?1");
    int64_t *gone = NULL;
    size_t count = 0, capacity = 0;
    bool has_row;
    enum status status;
    while ((status = db_step(used, &has_row, err)) == ST_OK && has_row) {
        struct span name = db_text(used, 1);
        const char *slash = memchr(name.at, '/', name.len);
        size_t gateway = slash != NULL ? (size_t)(slash - name.at) : name.len;
        size_t rest = gateway < name.len ? gateway + 1 : gateway;
        const struct meters_point *p = meters_point(
            l->m, (struct span){name.at, gateway}, (struct span){name.at + rest, name.len - rest});
        if (p != NULL && l->m->items[p->meter].books.id == db_int(used, 2))
            continue;
        MEM_GROW(gone, count, capacity);
        gone[count++] = db_int(used, 0);
    }
    db_reset(used);
    if (status == ST_OK && count > 0)
        status = settle_points(l, err);
    for (size_t i = 0; i < count && status == ST_OK; i++) {
        db_bind_int(let_go, 1, gone[i]);
        status = db_run(let_go, err);
    }
    free(gone);
    return status;
}

/* Read again when all is written. */
static enum status read_since(struct load *l, struct error *err)
{
    struct db_stmt *read = db_keep(l->db, "SELECT since FROM ledger_point WHERE id = ?1");
    enum status status = ST_OK;
    struct meters_point *p;
    for (size_t i = 0; status == ST_OK && (p = name_map_next(&l->m->points, &i)) != NULL;) {
        db_bind_int(read, 1, p->number);
        bool has_row;
        status = db_step(read, &has_row, err);
        p->since = status == ST_OK && has_row ? db_int(read, 0) : 0;
        db_reset(read);
    }
    return status;
}

static enum status go_back(struct load *l, struct error *err)
{
    struct db_stmt *move = db_keep(l->db, "INSERT INTO cursor VALUES('ledger', ?1)"
                                          " ON CONFLICT DO UPDATE SET position = excluded.position");
    db_bind_int(move, 1, l->back);
    return db_run(move, err);
}

static enum status is_folded(struct load *l, const struct books_meter *meter, bool *ret, struct error *err)
{
    struct db_stmt *find = db_keep(l->db, "SELECT 1 FROM ledger_folded WHERE meter = ?1 AND hash = ?2");
    db_bind_int(find, 1, meter->id);
    db_bind_blob(find, 2, hash_bytes(&meter->hash));
    enum status status = db_step(find, ret, err);
    db_reset(find);
    return status;
}

enum status meters_note_folded(struct meters_item *item, struct db *db, struct error *err)
{
    struct db_stmt *note = db_keep(db, "INSERT INTO ledger_folded(meter, hash) VALUES(?1, ?2)"
                                       " ON CONFLICT DO UPDATE SET hash = excluded.hash");
    db_bind_int(note, 1, item->books.id);
    db_bind_blob(note, 2, hash_bytes(&item->books.hash));
    enum status status = db_run(note, err);
    if (status == ST_OK)
        item->is_due = false;
    return status;
}

/* ---- a meter ---- */

static enum status add_point(struct load *l, size_t meter, int64_t number, struct error *err)
{
    struct meters_item *item = &l->m->items[meter];
    const char *name = item->meter.points[number], *slash = name != NULL ? strchr(name, '/') : NULL;
    item->numbers[number] = 0;
    if (slash == NULL) /* read by hand */
        return ST_OK;
    int64_t since;
    bool is_used;
    enum status status =
        find_point(l->db, item->books.id, span_of(name), &item->numbers[number], &since, &is_used, err);
    if (status == ST_OK && !is_used)
        status = take_up_point(l, item->books.id, span_of(name), &item->numbers[number], err);
    if (status != ST_OK)
        return status;
    struct meters_point *p = mem_zalloc(sizeof *p);
    *p = (struct meters_point){.gateway = mem_strndup(name, (size_t)(slash - name)),
        .point = mem_strdup(slash + 1),
        .meter = meter,
        .number = item->numbers[number]};
    name_map_put(&l->m->points, span_of(p->gateway), span_of(p->point), p);
    return ST_OK;
}

static bool is_read_by_hand(const struct meter *m)
{
    return m->point_count == 1 && m->points[0] == NULL;
}

static bool is_aside(const struct load *l, int64_t id)
{
    for (size_t i = 0; i < l->aside->count; i++)
        if (l->aside->ids[i] == id)
            return true;
    return false;
}

enum status meters_lay_over(struct meters_item *item, struct db *db, struct error *err)
{
    struct decided_set set;
    enum status status = decided_load(db, item->plain.id, &set, err);
    if (status != ST_OK)
        return status;
    struct rulings rulings = decided_rulings(&set);
    overlay_release(&item->overlay);
    if (set.count > 0)
        overlay_init(&item->overlay, &item->plain.segments, &rulings);
    item->books = set.count > 0 ? books_meter_decided(&item->plain, &item->overlay) : item->plain;
    decided_release(&set);
    return ST_OK;
}

/* What the books fold, of the meter and its points' numbers. */
static enum status describe(struct meters_item *item, int64_t id, struct db *db, struct error *err)
{
    size_t points = is_read_by_hand(&item->meter) ? 0 : (size_t)item->meter.point_count;
    item->plain = books_meter(id, item->meter.segments, item->meter.max_gap_ms, item->numbers, points);
    return meters_lay_over(item, db, err);
}

static enum status find_numbers(struct meters_item *item, int64_t id, struct db *db, struct error *err)
{
    enum status status = ST_OK;
    for (int64_t i = 0; i < item->meter.point_count && status == ST_OK; i++) {
        int64_t since;
        bool is_used;
        if (item->meter.points[i] != NULL)
            status =
                find_point(db, id, span_of(item->meter.points[i]), &item->numbers[i], &since, &is_used, err);
    }
    return status;
}

enum status meters_look(
    struct meters_item *ret, const struct park_meter *park, int64_t id, struct db *db, struct error *err)
{
    *ret = (struct meters_item){.park = park};
    enum status status = meter_init(&ret->meter, park, err);
    if (status != ST_OK)
        return status;
    ret->numbers = mem_zalloc(((size_t)ret->meter.point_count + 1) * sizeof *ret->numbers);
    status = find_numbers(ret, id, db, err);
    if (status == ST_OK)
        status = describe(ret, id, db, err);
    if (status != ST_OK)
        meters_release_item(ret);
    return status;
}

static enum status add_meter(struct load *l, const struct park_meter *park, struct error *err)
{
    struct meters_item *item = &l->m->items[l->m->count];
    *item = (struct meters_item){.park = park};
    enum status status = books_meter_id(l->db, span_of(park->id), &item->books.id, err);
    if (status != ST_OK || is_aside(l, item->books.id))
        return status;
    status = meter_init(&item->meter, park, err);
    if (status != ST_OK)
        return status;
    size_t meter = l->m->count++, points = (size_t)item->meter.point_count;
    item->numbers = mem_zalloc((points + 1) * sizeof *item->numbers);
    for (int64_t i = 0; i < item->meter.point_count && status == ST_OK; i++)
        status = add_point(l, meter, i, err);
    if (status != ST_OK)
        return status;
    status = describe(item, item->books.id, l->db, err);
    if (status != ST_OK)
        return status;
    bool was_folded;
    status = is_folded(l, &item->books, &was_folded, err);
    item->is_due = !was_folded;
    l->is_changed = l->is_changed || item->is_due;
    return status;
}

static enum status load(struct load *l, const struct park *park, struct error *err)
{
    enum status status = read_cursor(l, err);
    CONF_EACH (struct park_meter, meter, park->meters)
        if (status == ST_OK && meter->segments.count > 0)
            status = add_meter(l, meter, err);
    if (status == ST_OK)
        status = let_points_go(l, err);
    if (status == ST_OK)
        status = read_since(l, err);
    if (status == ST_OK && l->back != l->cursor)
        status = go_back(l, err);
    return status;
}

enum status meters_load(struct meters *m, const struct park *park, const struct meters_aside *aside,
    struct db *db, bool *ret_is_changed, struct error *err)
{
    *m = (struct meters){.items = mem_zalloc((park->meters.count + 1) * sizeof *m->items)};
    struct load l = {.m = m, .aside = aside, .db = db};
    enum status status = load(&l, park, err);
    if (status != ST_OK)
        meters_release(m);
    else if (l.is_changed)
        *ret_is_changed = true;
    return status;
}
