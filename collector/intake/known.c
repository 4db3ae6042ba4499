#include "collector/intake/known.h"

#include "collector/intake/journal.h"
#include "lib/cursor.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct known_gateway *new_gateway(struct known *k, int64_t id, struct span name)
{
    struct known_gateway *g = mem_zalloc(sizeof *g);
    g->id = id;
    snprintf(g->name, sizeof g->name, "%.*s", (int)name.len, name.at);
    name_map_put(&k->gateways, SPAN(""), span_of(g->name), g);
    return g;
}

static struct known_point *new_point(struct known *k, struct known_gateway *g, struct span name)
{
    struct known_point *p = mem_zalloc(sizeof *p);
    g->points++;
    p->gateway = g;
    p->time_ms = INT64_MIN;
    snprintf(p->name, sizeof p->name, "%.*s", (int)name.len, name.at);
    name_map_put(&k->points, span_of(g->name), span_of(p->name), p);
    return p;
}

static struct known_epoch *new_epoch(struct known_gateway *g, uint64_t epoch)
{
    MEM_GROW(g->epochs, g->epoch_count, g->epoch_capacity);
    struct known_epoch *e = &g->epochs[g->epoch_count++];
    *e = (struct known_epoch){epoch, 0};
    return e;
}

static enum status load_gateways(struct known *k, struct db *db, struct error *err)
{
    struct db_stmt *all = db_prepare(db, "SELECT id, name, epoch, lost, lost_ms FROM gateway");
    struct db_stmt *epochs = db_prepare(db, "SELECT epoch, mark FROM epoch WHERE gateway = ? ORDER BY id");
    bool has_row;
    enum status status;
    while ((status = db_step(all, &has_row, err)) == ST_OK && has_row) {
        struct known_gateway *g = new_gateway(k, db_int(all, 0), db_text(all, 1));
        g->epoch = (uint64_t)db_int(all, 2);
        g->lost = db_int(all, 3);
        g->lost_ms = db_int(all, 4);
        db_bind_int(epochs, 1, g->id);
        while ((status = db_step(epochs, &has_row, err)) == ST_OK && has_row)
            new_epoch(g, (uint64_t)db_int(epochs, 0))->mark = db_int(epochs, 1);
        if (status != ST_OK)
            break;
    }
    db_finish(all);
    db_finish(epochs);
    return status;
}

static enum status load_points(struct known *k, struct db *db, struct error *err)
{
    struct db_stmt *all =
        db_prepare(db, "SELECT p.id, g.name, p.name, p.kind, p.quality, p.time_ms, p.arrived_ms,"
                       " p.count, p.value, p.text FROM point p JOIN gateway g ON g.id = p.gateway");
    bool has_row;
    enum status status;
    while ((status = db_step(all, &has_row, err)) == ST_OK && has_row) {
        struct known_point *p = new_point(k, known_gateway_find(k, db_text(all, 1)), db_text(all, 2));
        p->id = db_int(all, 0);
        p->kind = (enum reading_kind)db_int(all, 3);
        p->quality = (enum reading_quality)db_int(all, 4);
        p->time_ms = db_int(all, 5);
        if (p->time_ms > p->gateway->newest_ms)
            p->gateway->newest_ms = p->time_ms;
        p->arrived_ms = db_int(all, 6);
        p->count = db_int(all, 7);
        p->value = db_double(all, 8);
        struct span text = db_text(all, 9);
        p->text = db_is_null(all, 9) ? NULL : mem_strndup(text.at, text.len);
    }
    db_finish(all);
    return status;
}

static void take_again(void *context, struct span gateway, int64_t received_ms, const struct reading *reading)
{
    struct known *k = context;
    struct known_point *p = known_point_get(k, known_gateway_find(k, gateway), reading->point);
    if (p != NULL && reading->time_ms > p->time_ms)
        known_point_update(k, p, reading, received_ms);
}

enum status known_load(struct known *k, struct db *db, struct error *err)
{
    *k = (struct known){0};
    enum status status = load_gateways(k, db, err);
    if (status == ST_OK)
        status = load_points(k, db, err);
    if (status == ST_OK)
        status = cursor_read(db, "points", &k->saved, err);
    return status == ST_OK ? journal_replay(db, k->saved, take_again, k, err) : status;
}

void known_release(struct known *k)
{
    size_t at = 0;
    for (struct known_gateway *g; (g = name_map_next(&k->gateways, &at)) != NULL;) {
        free(g->epochs);
        free(g);
    }
    at = 0;
    for (struct known_point *p; (p = name_map_next(&k->points, &at)) != NULL;) {
        free(p->text);
        free(p);
    }
    name_map_release(&k->gateways);
    name_map_release(&k->points);
    free(k->changed);
    free(k->sorted);
    *k = (struct known){0};
}

struct known_gateway *known_gateway_find(const struct known *k, struct span name)
{
    return name_map_find(&k->gateways, SPAN(""), name);
}

enum status known_gateway_add(struct known *k, struct db *db, struct span name, int64_t now_ms,
    struct known_gateway **ret, struct error *err)
{
    struct db_stmt *add = db_prepare(db, "INSERT INTO gateway(name, first_heard_ms) VALUES(?, ?)");
    db_bind_text(add, 1, name);
    db_bind_int(add, 2, now_ms);
    enum status status = db_run(add, err);
    db_finish(add);
    if (status == ST_OK)
        *ret = new_gateway(k, db_last_id(db), name);
    return status;
}

struct known_epoch *known_epoch_find(const struct known_gateway *g, uint64_t epoch)
{
    for (size_t i = g->epoch_count; i-- > 0;)
        if (g->epochs[i].epoch == epoch)
            return &g->epochs[i];
    return NULL;
}

static enum status forget_oldest(struct db *db, struct known_gateway *g, struct error *err)
{
    struct db_stmt *forget = db_keep(db, "DELETE FROM epoch WHERE gateway = ? AND epoch = ?");
    db_bind_int(forget, 1, g->id);
    db_bind_int(forget, 2, (int64_t)g->epochs[0].epoch);
    memmove(g->epochs, g->epochs + 1, --g->epoch_count * sizeof *g->epochs);
    return db_run(forget, err);
}

static enum status save_mark(
    struct db *db, const struct known_gateway *g, const struct known_epoch *e, struct error *err)
{
    struct db_stmt *save = db_keep(db, "UPDATE epoch SET mark = ? WHERE gateway = ? AND epoch = ?");
    db_bind_int(save, 1, e->mark);
    db_bind_int(save, 2, g->id);
    db_bind_int(save, 3, (int64_t)e->epoch);
    return db_run(save, err);
}

static enum status add_epoch(struct db *db, struct known_gateway *g, const struct batch_header *header,
    int64_t mark, struct error *err)
{
    new_epoch(g, header->epoch)->mark = mark;
    struct db_stmt *save =
        db_keep(db, "INSERT INTO epoch(gateway, epoch, prev_epoch, prev_seq, mark) VALUES(?, ?, ?, ?, ?)");
    db_bind_int(save, 1, g->id);
    db_bind_int(save, 2, (int64_t)header->epoch);
    if (header->has_prev) {
        db_bind_int(save, 3, (int64_t)header->prev_epoch);
        db_bind_int(save, 4, header->prev_seq);
    } else {
        db_bind_null(save, 3);
        db_bind_null(save, 4);
    }
    db_bind_int(save, 5, mark);
    enum status status = db_run(save, err);
    return status == ST_OK && g->epoch_count > KNOWN_EPOCHS_MAX ? forget_oldest(db, g, err) : status;
}

enum status known_mark(struct db *db, struct known_gateway *g, const struct batch_header *header,
    int64_t mark, struct error *err)
{
    struct known_epoch *e = known_epoch_find(g, header->epoch);
    enum status status;
    if (e != NULL) {
        e->mark = mark;
        status = save_mark(db, g, e, err);
    } else {
        status = add_epoch(db, g, header, mark, err);
    }
    if (status != ST_OK || g->epoch == header->epoch)
        return status;
    g->epoch = header->epoch;
    struct db_stmt *newest = db_keep(db, "UPDATE gateway SET epoch = ? WHERE id = ?");
    db_bind_int(newest, 1, (int64_t)g->epoch);
    db_bind_int(newest, 2, g->id);
    return db_run(newest, err);
}

enum status known_mark_prev(struct db *db, struct known_gateway *g, const struct batch_header *header,
    int64_t mark, struct error *err)
{
    struct known_epoch *e = known_epoch_find(g, header->prev_epoch);
    e->mark = mark;
    return save_mark(db, g, e, err);
}

struct known_point *known_point_find(const struct known *k, const struct known_gateway *g, struct span name)
{
    return name_map_find(&k->points, span_of(g->name), name);
}

struct known_point *known_point_get(struct known *k, struct known_gateway *g, struct span name)
{
    /* A gateway's points come in the same order again and again: the guess spares most look-ups. */
    struct known_point *p = k->last != NULL ? k->last->follower : NULL;
    if (p == NULL || p->gateway != g || !span_is(name, p->name)) {
        p = known_point_find(k, g, name);
        if (p == NULL && g->points < KNOWN_POINTS_MAX)
            p = new_point(k, g, name);
        if (p == NULL)
            return NULL;
        if (k->last != NULL)
            k->last->follower = p;
    }
    k->last = p;
    return p;
}

void known_point_update(struct known *k, struct known_point *p, const struct reading *r, int64_t arrived_ms)
{
    p->kind = r->kind;
    p->quality = r->quality;
    p->time_ms = r->time_ms;
    p->arrived_ms = arrived_ms;
    if (r->time_ms > p->gateway->newest_ms)
        p->gateway->newest_ms = r->time_ms;
    p->count = r->count;
    p->value = r->value;
    if (r->kind == READING_STATE) {
        struct buf text = {0};
        line_unescape_string(&text, r->text);
        free(p->text);
        p->text = buf_take(&text);
    }
    if (!p->is_changed) {
        p->is_changed = true;
        MEM_GROW(k->changed, k->changed_count, k->changed_capacity);
        k->changed[k->changed_count++] = p;
    }
}

static int by_gateway_and_name(const void *a, const void *b)
{
    const struct known_point *p = *(struct known_point *const *)a, *q = *(struct known_point *const *)b;
    int order = p->gateway == q->gateway ? 0 : strcmp(p->gateway->name, q->gateway->name);
    return order != 0 ? order : strcmp(p->name, q->name);
}

struct known_point **known_sorted(struct known *k)
{
    if (k->sorted_count == k->points.count)
        return k->sorted;
    k->sorted = mem_realloc(k->sorted, k->points.count * sizeof *k->sorted);
    size_t at = 0;
    k->sorted_count = 0;
    for (struct known_point *p; (p = name_map_next(&k->points, &at)) != NULL;)
        k->sorted[k->sorted_count++] = p;
    qsort(k->sorted, k->sorted_count, sizeof *k->sorted, by_gateway_and_name);
    return k->sorted;
}

static enum status save_point(struct db *db, struct known_point *p, struct error *err)
{
    struct db_stmt *save =
        p->id == 0
            ? db_keep(db,
                  "INSERT INTO point(kind, quality, time_ms, arrived_ms, count, value, text, gateway, name)"
                  " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)")
            : db_keep(db, "UPDATE point SET kind = ?, quality = ?, time_ms = ?, arrived_ms = ?, count = ?,"
                          " value = ?, text = ? WHERE id = ?");
    db_bind_int(save, 1, p->kind);
    db_bind_int(save, 2, p->quality);
    db_bind_int(save, 3, p->time_ms);
    db_bind_int(save, 4, p->arrived_ms);
    db_bind_int(save, 5, p->count);
    db_bind_double(save, 6, p->value);
    if (p->text != NULL)
        db_bind_text(save, 7, span_of(p->text));
    else
        db_bind_null(save, 7);
    db_bind_int(save, 8, p->id == 0 ? p->gateway->id : p->id);
    if (p->id == 0)
        db_bind_text(save, 9, span_of(p->name));
    enum status status = db_run(save, err);
    if (status == ST_OK && p->id == 0)
        p->id = db_last_id(db);
    return status;
}

enum status known_save(struct known *k, struct db *db, struct error *err)
{
    enum status status = ST_OK;
    for (size_t i = 0; i < k->changed_count && status == ST_OK; i++) {
        status = save_point(db, k->changed[i], err);
        k->changed[i]->is_changed = false;
    }
    k->changed_count = 0;
    int64_t received_ms;
    if (status == ST_OK)
        status = journal_newest(db, &k->saved, &received_ms, err);
    if (status != ST_OK)
        return status;
    return cursor_move(db, "points", k->saved, err);
}
