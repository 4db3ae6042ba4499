#include "collector/thermometer.h"

#include "collector/baseline/temperature.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static enum status take(void *user_data, void *item, const struct follower_reading *r, struct error *err)
{
    struct thermometer *t = user_data;
    const struct thermometer_point *p = item;
    int32_t mc;
    if (!temperature_of(r->reading->value, &mc))
        return ST_OK;
    return temperature_put(t->follower.db, p->id, r->reading->time_ms, mc, err);
}

void thermometer_init(struct thermometer *t, struct db *db, const struct park *park)
{
    *t = (struct thermometer){.follower = {.db = db,
                                  .journal = db,
                                  .until = INT64_MAX,
                                  .cursor = "temperature",
                                  .step_ms = THERMOMETER_STEP_MS,
                                  .rest_ms = THERMOMETER_REST_MS,
                                  .take = take},
        .park = park};
}

static void forget_points(struct thermometer *t)
{
    follower_clear(&t->follower);
    free(t->points);
    t->points = NULL;
    t->count = 0;
    t->is_loaded = false;
}

void thermometer_use(struct thermometer *t, const struct park *park)
{
    forget_points(t);
    t->park = park;
}

void thermometer_release(struct thermometer *t)
{
    forget_points(t);
    follower_release(&t->follower);
    *t = (struct thermometer){0};
}

static bool names_any(const struct park *park)
{
    CONF_EACH (const struct park_baseline, b, park->baselines)
        if (b->temperature != NULL)
            return true;
    return false;
}

enum status thermometer_reset(struct thermometer *t, struct error *err)
{
    forget_points(t);
    return follower_reset(&t->follower, names_any(t->park), err);
}

/* ---- the model's points ---- */

static enum status run(struct db *db, const char *sql, int64_t value, struct error *err)
{
    struct db_stmt *statement = db_keep(db, sql);
    db_bind_int(statement, 1, value);
    return db_run(statement, err);
}

/* A point that was not used is read from the begin of the journal on. */
static enum status take_up_point(
    struct thermometer *t, const char *name, int64_t *ret_id, bool *ret_is_changed, struct error *err)
{
    struct db_stmt *use = db_keep(t->follower.db,
        "INSERT INTO temperature_point(name, is_used) VALUES(?1, 1) ON CONFLICT DO UPDATE SET is_used = 1"
        " WHERE is_used = 0 RETURNING id");
    bool is_new;
    db_bind_text(use, 1, span_of(name));
    enum status status = db_step(use, &is_new, err);
    db_reset(use);
    if (status == ST_OK && is_new) {
        *ret_is_changed = true;
        status = follower_move(&t->follower, 0, err);
    }
    return status == ST_OK ? temperature_point(t->follower.db, name, ret_id, err) : status;
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
    if (is_taken_up(t, id))
        return;
    t->points[t->count] = (struct thermometer_point){.name = name, .id = id};
    follower_add(&t->follower, name, READING_GAUGE, &t->points[t->count++]);
}

/* What the model does not name any more is to be read again should it come back. */
static enum status let_go(struct thermometer *t, bool *ret_is_changed, struct error *err)
{
    struct db_stmt *used = db_keep(t->follower.db, "SELECT id FROM temperature_point WHERE is_used = 1");
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
        status = run(t->follower.db, "UPDATE temperature_point SET is_used = 0 WHERE id = ?1", ids[i], err);
    }
    free(ids);
    return status;
}

static enum status take_up_model(struct thermometer *t, bool *ret_is_changed, struct error *err)
{
    enum status status = follower_reset(&t->follower, names_any(t->park), err);
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
    return status;
}

enum status thermometer_step(
    struct thermometer *t, const struct clock *clock, bool *ret_is_changed, struct error *err)
{
    t->follower.user_data = t;
    if (clock->mono_ms() < t->follower.due_mono_ms)
        return ST_OK;
    enum status status = t->is_loaded ? ST_OK : take_up_model(t, ret_is_changed, err);
    return status == ST_OK ? follower_step(&t->follower, clock, ret_is_changed, err) : status;
}

void thermometer_rest(struct thermometer *t, const struct clock *clock)
{
    follower_rest(&t->follower, clock);
}
