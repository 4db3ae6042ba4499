#include "collector/instrument/outage.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

const char outage_schema[] =
    "CREATE TABLE outage("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, target_kind INTEGER NOT NULL,"
    "  target TEXT NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, category TEXT NOT NULL,"
    "  note TEXT NOT NULL, opened_ms INTEGER NOT NULL, opened_by TEXT NOT NULL,"
    "  closed_ms INTEGER NOT NULL DEFAULT 0, closed_by TEXT, closed_note TEXT,"
    "  is_cancelled INTEGER NOT NULL DEFAULT 0, CHECK(from_ms < until_ms OR closed_ms != 0)) STRICT;"
    "CREATE INDEX outage_target ON outage(target_kind, target, kind, from_ms) WHERE is_cancelled = 0;"
    "CREATE INDEX outage_until ON outage(until_ms) WHERE is_cancelled = 0;"
    "CREATE TRIGGER outage_stays BEFORE DELETE ON outage BEGIN"
    "  SELECT RAISE(ABORT, 'an outage stays'); END;"
    "CREATE TABLE outage_touched("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, target_kind INTEGER NOT NULL, target TEXT NOT NULL,"
    "  from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL) STRICT;";

const char *const outage_kinds[] = {"broken", "planned", "problem", NULL};
const char *const outage_targets[] = {"instrument", "resource", "space", NULL};
const char *const outage_states[] = {"ahead", "now", "over", "cancelled", NULL};

const struct outage_category outage_categories[] = {{"fault", "故障", "Fault"}, {"repair", "维修", "Repair"},
    {"maintenance", "维护保养", "Maintenance"}, {"calibration", "检定校准", "Calibration"},
    {"upgrade", "升级改造", "Upgrade"}, {"relocation", "搬迁", "Relocation"},
    {"supply", "水电气中断", "Supply interrupted"}, {"conditions", "环境条件不符", "Room conditions"},
    {"consumables", "耗材短缺", "Consumables missing"}, {"staff", "无操作人员", "No operator"},
    {"safety", "安全", "Safety"}, {"other", "其他", "Other"}, {0}};

const struct outage_category *outage_category_find(const char *code)
{
    for (const struct outage_category *c = outage_categories; c->code != NULL; c++)
        if (strcmp(c->code, code) == 0)
            return c;
    return NULL;
}

void outage_release(struct outage *o)
{
    free(o->target);
    free(o->note);
    free(o->opened_by);
    free(o->closed_by);
    free(o->closed_note);
    *o = (struct outage){0};
}

void outage_list_release(struct outage_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        outage_release(&list->items[i]);
    free(list->items);
    *list = (struct outage_list){0};
}

enum outage_state outage_state_at(const struct outage *o, int64_t now_ms)
{
    if (o->is_cancelled)
        return OUTAGE_CANCELLED;
    if (o->until_ms == OUTAGE_UNKNOWN_END)
        return OUTAGE_NOW;
    if (o->kind != OUTAGE_PLANNED || now_ms >= o->until_ms)
        return OUTAGE_OVER;
    return now_ms < o->from_ms ? OUTAGE_AHEAD : OUTAGE_NOW;
}

/* ---- rows ---- */

#define COLUMNS                                                                                          \
    "id, kind, target_kind, target, from_ms, until_ms, category, note, opened_ms, opened_by, closed_ms," \
    " closed_by, closed_note, is_cancelled"

static char *text_of(struct db_stmt *row, int column)
{
    struct span text = db_text(row, column);
    return db_is_null(row, column) ? NULL : mem_strndup(text.at, text.len);
}

static enum status read_row(struct db_stmt *row, struct outage *ret, struct error *err)
{
    char *code = text_of(row, 6);
    const struct outage_category *category = outage_category_find(code);
    enum status status = category != NULL ? ST_OK
                                          : error_set(err, ST_INVALID,
                                                "outage %lld has a category that is none of ours: %.40s",
                                                (long long)db_int(row, 0), code);
    free(code);
    if (status != ST_OK)
        return status;
    *ret = (struct outage){.id = db_int(row, 0),
        .kind = (enum outage_kind)db_int(row, 1),
        .target_kind = (enum outage_target)db_int(row, 2),
        .target = text_of(row, 3),
        .from_ms = db_int(row, 4),
        .until_ms = db_int(row, 5),
        .category = category,
        .note = text_of(row, 7),
        .opened_ms = db_int(row, 8),
        .opened_by = text_of(row, 9),
        .closed_ms = db_int(row, 10),
        .closed_by = text_of(row, 11),
        .closed_note = text_of(row, 12),
        .is_cancelled = db_int(row, 13) != 0};
    return ST_OK;
}

static enum status read_rows(struct db_stmt *rows, struct outage_list *ret, struct error *err)
{
    bool has_row;
    enum status status;
    *ret = (struct outage_list){0};
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(ret->items, ret->count, ret->capacity);
        if ((status = read_row(rows, &ret->items[ret->count], err)) != ST_OK)
            break;
        ret->count++;
    }
    db_reset(rows);
    if (status != ST_OK)
        outage_list_release(ret);
    return status;
}

enum status outage_find(struct db *db, int64_t id, struct outage *ret, struct error *err)
{
    struct db_stmt *find = db_keep(db, "SELECT " COLUMNS " FROM outage WHERE id = ?1");
    bool has_row;
    *ret = (struct outage){0};
    db_bind_int(find, 1, id);
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && has_row)
        status = read_row(find, ret, err);
    db_reset(find);
    return status;
}

enum status outage_list_read(
    struct db *db, int64_t before, int64_t limit, struct outage_list *ret, struct error *err)
{
    struct db_stmt *rows =
        db_keep(db, "SELECT " COLUMNS " FROM outage WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
    db_bind_int(rows, 1, before);
    db_bind_int(rows, 2, limit);
    return read_rows(rows, ret, err);
}

/* Of those that are not cancelled. ?1 is now. */
#define STANDS "(until_ms > ?1 AND (kind = 1 OR until_ms = 9223372036854775807))"

enum status outage_standing(struct db *db, int64_t now_ms, struct outage_list *ret, struct error *err)
{
    struct db_stmt *rows = db_keep(
        db, "SELECT " COLUMNS " FROM outage WHERE is_cancelled = 0 AND " STANDS " ORDER BY from_ms, id");
    db_bind_int(rows, 1, now_ms);
    return read_rows(rows, ret, err);
}

enum status outage_over(
    struct db *db, int64_t now_ms, int64_t before, int64_t limit, struct outage_list *ret, struct error *err)
{
    struct db_stmt *rows = db_keep(db, "SELECT " COLUMNS " FROM outage"
                                       " WHERE id < ?2 AND (is_cancelled = 1 OR NOT " STANDS ")"
                                       " ORDER BY id DESC LIMIT ?3");
    db_bind_int(rows, 1, now_ms);
    db_bind_int(rows, 2, before);
    db_bind_int(rows, 3, limit);
    return read_rows(rows, ret, err);
}

/* Each act adds a row to outage_touched, whose numbers are never used again. */
enum status outage_act_number(struct db *db, int64_t *ret, struct error *err)
{
    struct db_stmt *find = db_keep(db, "SELECT seq FROM sqlite_sequence WHERE name = 'outage_touched'");
    bool has_row;
    enum status status = db_step(find, &has_row, err);
    *ret = status == ST_OK && has_row ? db_int(find, 0) : 0;
    db_reset(find);
    return status;
}

int64_t outage_next_edge(const struct outage_list *standing, int64_t now_ms)
{
    int64_t edge_ms = INT64_MAX;
    for (size_t i = 0; i < standing->count; i++) {
        const struct outage *o = &standing->items[i];
        int64_t next_ms = o->from_ms > now_ms ? o->from_ms : o->until_ms;
        if (next_ms > now_ms && next_ms < edge_ms)
            edge_ms = next_ms;
    }
    return edge_ms;
}

/* ---- whom they concern ---- */

bool outage_place_find(
    const struct park *park, enum outage_target kind, const char *id, struct outage_place *ret)
{
    const struct park_instrument *instrument =
        kind == OUTAGE_INSTRUMENT ? park_instrument_find(park, id) : NULL;
    const struct park_resource *resource = kind == OUTAGE_RESOURCE ? park_resource_find(park, id) : NULL;
    const struct park_space *space = kind == OUTAGE_SPACE ? park_space_find(park, id) : NULL;
    if (instrument != NULL)
        *ret = (struct outage_place){instrument->name, instrument->name_en, instrument->building};
    else if (resource != NULL)
        *ret = (struct outage_place){resource->name, resource->name_en, resource->building};
    else if (space != NULL)
        *ret = (struct outage_place){space->name, space->name_en, space->building};
    return instrument != NULL || resource != NULL || space != NULL;
}

bool outage_concerns(const struct outage *o, const struct park_instrument *instrument)
{
    switch (o->target_kind) {
    case OUTAGE_INSTRUMENT:
        return strcmp(o->target, instrument->id) == 0;
    case OUTAGE_SPACE:
        return instrument->space != NULL && strcmp(o->target, instrument->space->id) == 0;
    case OUTAGE_RESOURCE:
        break;
    }
    for (size_t i = 0; i < instrument->requires.count; i++)
        if (strcmp(o->target, instrument->required[i]->id) == 0)
            return true;
    return false;
}

int64_t outage_resource_since(const struct outage_list *standing, const struct park_resource *resource,
    enum outage_kind kind, int64_t now_ms)
{
    int64_t since_ms = INT64_MIN;
    for (size_t i = 0; i < standing->count; i++) {
        const struct outage *o = &standing->items[i];
        if (o->target_kind == OUTAGE_RESOURCE && o->kind == kind && strcmp(o->target, resource->id) == 0 &&
            outage_state_at(o, now_ms) == OUTAGE_NOW && (since_ms == INT64_MIN || o->from_ms < since_ms))
            since_ms = o->from_ms;
    }
    return since_ms;
}

/* ---- for the hours ---- */

void outage_spans_release(struct outage_spans *spans)
{
    free(spans->items);
    *spans = (struct outage_spans){0};
}

struct query {
    struct db *db;
    enum outage_kind kind;
    int64_t from_ms, until_ms;
    struct outage_spans *spans;
};

static enum status add_spans(
    const struct query *q, enum outage_target target_kind, const char *target, struct error *err)
{
    struct db_stmt *rows = db_keep(q->db,
        "SELECT from_ms, until_ms FROM outage WHERE target_kind = ?1 AND target = ?2 AND kind = ?3"
        " AND is_cancelled = 0 AND from_ms < ?5 AND until_ms > ?4 ORDER BY from_ms, id");
    struct outage_spans *to = q->spans;
    bool has_row;
    enum status status;
    db_bind_int(rows, 1, target_kind);
    db_bind_text(rows, 2, span_of(target));
    db_bind_int(rows, 3, q->kind);
    db_bind_int(rows, 4, q->from_ms);
    db_bind_int(rows, 5, q->until_ms);
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(to->items, to->count, to->capacity);
        to->items[to->count++] = (struct hours_span){db_int(rows, 0), db_int(rows, 1), EVIDENCE_MANUAL};
    }
    db_reset(rows);
    return status;
}

static int by_time(const void *a, const void *b)
{
    const struct hours_span *x = a, *y = b;
    if (x->from_ms != y->from_ms)
        return x->from_ms < y->from_ms ? -1 : 1;
    return (x->until_ms > y->until_ms) - (x->until_ms < y->until_ms);
}

enum status outage_spans_read(struct db *db, const struct park_instrument *instrument, enum outage_kind kind,
    int64_t from_ms, int64_t until_ms, struct outage_spans *ret, struct error *err)
{
    *ret = (struct outage_spans){0};
    struct query q = {db, kind, from_ms, until_ms, ret};
    enum status status = add_spans(&q, OUTAGE_INSTRUMENT, instrument->id, err);
    if (status == ST_OK && instrument->space != NULL)
        status = add_spans(&q, OUTAGE_SPACE, instrument->space->id, err);
    for (size_t i = 0; i < instrument->requires.count && status == ST_OK; i++)
        status = add_spans(&q, OUTAGE_RESOURCE, instrument->required[i]->id, err);
    if (status != ST_OK)
        outage_spans_release(ret);
    else if (ret->count > 0)
        qsort(ret->items, ret->count, sizeof ret->items[0], by_time);
    return status;
}
