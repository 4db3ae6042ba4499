#include "collector/thermometer.h"

#include "collector/baseline/temperature.h"
#include "collector/intake/journal.h"
#include "lib/cursor.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

void thermometer_init(struct thermometer *t, struct db *db, const struct park *park)
{
    *t = (struct thermometer){.db = db, .journal = db, .until = INT64_MAX, .park = park};
}

static void forget_points(struct thermometer *t)
{
    for (size_t i = 0; i < t->count; i++) {
        free(t->points[i].gateway);
        free(t->points[i].point);
    }
    free(t->points);
    t->points = NULL;
    t->count = 0;
    name_map_release(&t->gateways);
    t->is_loaded = false;
}

void thermometer_use(struct thermometer *t, const struct park *park)
{
    forget_points(t);
    t->park = park;
    t->due_mono_ms = 0;
}

void thermometer_release(struct thermometer *t)
{
    forget_points(t);
    *t = (struct thermometer){0};
}

enum status thermometer_reset(struct thermometer *t, struct error *err)
{
    forget_points(t);
    t->due_mono_ms = 0;
    return cursor_read(t->db, "temperature", &t->position, err);
}

/* ---- the model's points ---- */

static enum status run(struct db *db, const char *sql, int64_t value, struct error *err)
{
    struct db_stmt *statement = db_keep(db, sql);
    db_bind_int(statement, 1, value);
    return db_run(statement, err);
}

static enum status move_cursor(struct thermometer *t, int64_t position, struct error *err)
{
    t->position = position;
    return cursor_move(t->db, "temperature", position, err);
}

/* A point that was not used is read from the begin of the journal on. */
static enum status take_up_point(
    struct thermometer *t, const char *name, int64_t *ret_id, bool *ret_is_changed, struct error *err)
{
    struct db_stmt *use = db_keep(t->db,
        "INSERT INTO temperature_point(name, is_used) VALUES(?1, 1) ON CONFLICT DO UPDATE SET is_used = 1"
        " WHERE is_used = 0 RETURNING id");
    bool is_new;
    db_bind_text(use, 1, span_of(name));
    enum status status = db_step(use, &is_new, err);
    db_reset(use);
    if (status == ST_OK && is_new) {
        *ret_is_changed = true;
        status = move_cursor(t, 0, err);
    }
    return status == ST_OK ? temperature_point(t->db, name, ret_id, err) : status;
}

static bool is_taken_up(const struct thermometer *t, int64_t id)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->points[i].id == id)
            return true;
    return false;
}

static void add_point(struct thermometer *t, const char *name, int64_t id)
{
    const char *slash = strchr(name, '/'); /* the park's check has seen to it */
    if (is_taken_up(t, id) || slash == NULL)
        return;
    struct thermometer_point *p = &t->points[t->count++];
    *p = (struct thermometer_point){
        .gateway = mem_strndup(name, (size_t)(slash - name)), .point = mem_strdup(slash + 1), .id = id};
    struct thermometer_point *first = name_map_put(&t->gateways, SPAN(""), span_of(p->gateway), p);
    if (first != NULL) {
        p->next = first->next;
        first->next = p;
    }
}

/* What the model does not name any more is to be read again should it come back. */
static enum status let_go(struct thermometer *t, bool *ret_is_changed, struct error *err)
{
    struct db_stmt *used = db_keep(t->db, "SELECT id FROM temperature_point WHERE is_used = 1");
    int64_t *ids = NULL;
    size_t count = 0, capacity = 0;
    bool has_row;
    enum status status;
    while ((status = db_step(used, &has_row, err)) == ST_OK && has_row)
        if (!is_taken_up(t, db_int(used, 0))) {
            MEM_GROW(ids, count, capacity);
            ids[count++] = db_int(used, 0);
        }
    db_reset(used);
    for (size_t i = 0; i < count && status == ST_OK; i++) {
        *ret_is_changed = true;
        status = run(t->db, "UPDATE temperature_point SET is_used = 0 WHERE id = ?1", ids[i], err);
    }
    free(ids);
    return status;
}

static enum status take_up_model(struct thermometer *t, bool *ret_is_changed, struct error *err)
{
    enum status status = cursor_read(t->db, "temperature", &t->position, err);
    t->points = mem_zalloc((t->park->baselines.count + 1) * sizeof *t->points);
    CONF_EACH (const struct park_baseline, b, t->park->baselines) {
        int64_t id = 0;
        if (status != ST_OK || b->temperature == NULL)
            continue;
        status = take_up_point(t, b->temperature, &id, ret_is_changed, err);
        if (status == ST_OK)
            add_point(t, b->temperature, id);
    }
    if (status == ST_OK)
        status = let_go(t, ret_is_changed, err);
    t->is_loaded = status == ST_OK;
    if (t->is_loaded && t->count == 0)
        t->position = INT64_MAX;
    return status;
}

/* ---- the journal ---- */

/* Spares reading most other lines: each begins so. */
static bool may_be_of(struct span line, const struct thermometer_point *p)
{
    static const char head[] = "gauge,point=";
    size_t size = sizeof head - 1, length = strlen(p->point);
    return line.len > size + length && memcmp(line.at, head, size) == 0 &&
           memcmp(line.at + size, p->point, length) == 0 && line.at[size + length] == ' ';
}

static enum status take_line(
    struct thermometer *t, const struct thermometer_point *first, struct span line, struct error *err)
{
    for (const struct thermometer_point *p = first; p != NULL; p = p->next) {
        struct reading reading;
        int32_t mc;
        if (may_be_of(line, p) && batch_read_reading(line, &reading, NULL) == ST_OK &&
            reading.quality != QUALITY_CLOCK && temperature_of(reading.value, &mc))
            return temperature_put(t->db, p->id, reading.time_ms, mc, err);
    }
    return ST_OK;
}

static enum status take_batch(struct thermometer *t, const struct thermometer_point *first,
    struct span payload, struct span skipped, struct error *err)
{
    struct journal_lines lines;
    struct span line;
    enum status status = ST_OK;
    journal_lines_begin(&lines, payload, skipped);
    while (status == ST_OK && journal_lines_next(&lines, &line))
        status = take_line(t, first, line, err);
    return status;
}

/* *ret_end: up to this batch it came; *ret_is_done: that is the journal's end. */
static enum status take_journal(struct thermometer *t, const struct clock *clock, int64_t until_mono_ms,
    int64_t *ret_end, bool *ret_is_done, struct error *err)
{
    struct db_stmt *next = db_keep(t->journal,
        "SELECT j.id, g.name, j.payload, j.skipped FROM journal j"
        " JOIN gateway g ON g.id = j.gateway WHERE j.id > ?1 AND j.id <= ?2 ORDER BY j.id");
    bool has_row = true;
    enum status status = ST_OK;
    *ret_end = t->position;
    db_bind_int(next, 1, t->position);
    db_bind_int(next, 2, t->until);
    do {
        if ((status = db_step(next, &has_row, err)) != ST_OK || !has_row)
            break;
        *ret_end = db_int(next, 0);
        const struct thermometer_point *first = name_map_find(&t->gateways, SPAN(""), db_text(next, 1));
        if (first != NULL) /* only then is the batch itself read from the disk */
            status = take_batch(t, first, db_text(next, 2), db_text(next, 3), err);
    } while (status == ST_OK && clock->mono_ms() < until_mono_ms);
    db_reset(next);
    *ret_is_done = !has_row;
    return status;
}

enum status thermometer_step(
    struct thermometer *t, const struct clock *clock, bool *ret_is_changed, struct error *err)
{
    int64_t now_mono_ms = clock->mono_ms();
    if (now_mono_ms < t->due_mono_ms)
        return ST_OK;
    enum status status = t->is_loaded ? ST_OK : take_up_model(t, ret_is_changed, err);
    bool is_done = true;
    int64_t end = t->position;
    if (status == ST_OK && t->count > 0)
        status = take_journal(t, clock, now_mono_ms + THERMOMETER_STEP_MS, &end, &is_done, err);
    if (status == ST_OK && end != t->position) {
        *ret_is_changed = true;
        status = move_cursor(t, end, err);
    }
    t->due_mono_ms = is_done ? now_mono_ms + THERMOMETER_REST_MS : 0;
    return status;
}

void thermometer_rest(struct thermometer *t, const struct clock *clock)
{
    t->due_mono_ms = clock->mono_ms() + THERMOMETER_REST_MS;
}
