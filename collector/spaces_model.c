/* What there is to be followed and reckoned, by the park model. */
#include "collector/spaces_private.h"

#include "lib/buf.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define MOST_MS INT64_C(120000) /* design 8: not fresh any more after max(3 periods, 120 s) */

void spaces_forget(struct spaces *s)
{
    follower_clear(&s->follower);
    for (size_t i = 0; i < s->feed_count; i++) {
        free(s->feeds[i].door_points);
        free(s->feeds[i].dues);
    }
    for (size_t i = 0; i < s->point_count; i++) {
        free(s->points[i]->name);
        free(s->points[i]->feeds);
        free(s->points[i]);
    }
    for (size_t i = 0; s->zones != NULL && i < s->park->sites.count; i++)
        zone_destroy(s->zones[i]);
    free(s->feeds);
    free(s->points);
    free(s->zones);
    s->feeds = NULL;
    s->points = NULL;
    s->zones = NULL;
    s->feed_count = s->point_count = s->point_capacity = 0;
    s->is_loaded = s->has_more = s->has_more_to_prune = false;
    s->unused_pruned_ms = INT64_MIN;
}

static int64_t gap_of(int64_t period_ms)
{
    return 3 * period_ms > MOST_MS ? 3 * period_ms : MOST_MS;
}

static struct spaces_point *find_point(const struct spaces *s, const char *name)
{
    for (size_t i = 0; i < s->point_count; i++)
        if (strcmp(s->points[i]->name, name) == 0)
            return s->points[i];
    return NULL;
}

/* A point that was not used is read from the begin of the journal on. */
static enum status take_up_id(
    struct spaces *s, const char *name, int64_t *ret_id, bool *ret_is_changed, struct error *err)
{
    struct db_stmt *use = db_keep(s->follower.db,
        "INSERT INTO space_point(name, is_used) VALUES(?1, 1) ON CONFLICT DO UPDATE SET is_used = 1"
        " WHERE is_used = 0 RETURNING id");
    bool is_new, has_row;
    db_bind_text(use, 1, span_of(name));
    enum status status = db_step(use, &is_new, err);
    db_reset(use);
    if (status == ST_OK && is_new) {
        *ret_is_changed = true;
        status = follower_move(&s->follower, 0, err);
    }
    struct db_stmt *find = db_keep(s->follower.db, "SELECT id FROM space_point WHERE name = ?1");
    db_bind_text(find, 1, span_of(name));
    if (status == ST_OK)
        status = db_step(find, &has_row, err);
    *ret_id = status == ST_OK && has_row ? db_int(find, 0) : 0;
    db_reset(find);
    return status;
}

static enum status take_up_point(struct spaces *s, struct spaces_feed *f, const char *name, bool is_door,
    int64_t *ret_id, bool *ret_is_changed, struct error *err)
{
    struct spaces_point *p = find_point(s, name);
    enum status status = ST_OK;
    if (p == NULL) {
        p = mem_zalloc(sizeof *p);
        p->name = mem_strdup(name);
        p->is_door = is_door;
        MEM_GROW(s->points, s->point_count, s->point_capacity);
        s->points[s->point_count++] = p;
        status = take_up_id(s, name, &p->id, ret_is_changed, err);
        if (status == ST_OK)
            status = samples_ends(s->follower.db, p->id, &p->first_ms, &p->newest_ms, err);
        follower_add(&s->follower, name, READING_REGISTER, p);
        if (!is_door) {
            follower_add(&s->follower, name, READING_GAUGE, p);
            follower_add(&s->follower, name, READING_STATE, p);
        }
    }
    MEM_GROW(p->feeds, p->feed_count, p->feed_capacity);
    p->feeds[p->feed_count++] = f;
    f->newest_ms = p->newest_ms > f->newest_ms ? p->newest_ms : f->newest_ms;
    *ret_id = p->id;
    return status;
}

/* What is held of it is reckoned anew, day by day. */
static enum status make_all_due(struct spaces *s, struct spaces_feed *f, struct error *err)
{
    int64_t first_ms = INT64_MAX, last_ms = INT64_MIN;
    enum status status = ST_OK;
    for (size_t i = 0; i < s->point_count && status == ST_OK; i++)
        for (size_t k = 0; k < s->points[i]->feed_count && status == ST_OK; k++)
            if (s->points[i]->feeds[k] == f) {
                int64_t from_ms, until_ms;
                status = samples_ends(s->follower.db, s->points[i]->id, &from_ms, &until_ms, err);
                first_ms = from_ms < first_ms ? from_ms : first_ms;
                last_ms = until_ms > last_ms ? until_ms : last_ms;
            }
    if (last_ms != INT64_MIN && first_ms < last_ms - SPACES_LATE_MS)
        first_ms = last_ms - SPACES_LATE_MS;
    if (status == ST_OK)
        spaces_make_days_due(f, first_ms, last_ms);
    return status;
}

/* By `spec` it is known whether it is reckoned as before. */
static enum status take_up_source(struct spaces *s, struct spaces_feed *f, const char *name, const char *spec,
    int64_t *ret_id, bool *ret_is_changed, struct error *err)
{
    bool is_new;
    enum status status = rows_source(s->follower.db, f->space->id, name, spec, ret_id, &is_new, err);
    if (status != ST_OK || !is_new)
        return status;
    *ret_is_changed = true;
    return make_all_due(s, f, err);
}

static const struct zone *zone_of(const struct spaces *s, const struct park_space *space)
{
    const struct park_site *sites = s->park->sites.items;
    return s->zones[space->building->site - sites];
}

static enum status take_up_doors(struct spaces *s, struct spaces_feed *f, const struct park_space *space,
    bool *ret_is_changed, struct error *err)
{
    struct buf spec = {0};
    enum status status = ST_OK;
    *f = (struct spaces_feed){.space = space,
        .door_points = mem_zalloc(space->doors.count * sizeof *f->door_points),
        .newest_ms = INT64_MIN};
    buf_printf(&spec, "zone=%s reset=%d", space->building->site->zone, space->reset_min);
    CONF_EACH (const struct park_door, door, space->doors) {
        struct door_points *p = &f->door_points[f->doors.count++];
        p->limits = (struct door_limits){.modulus = door->modulus, .max_per_hour = door->max_rate * 60};
        p->gap_ms = gap_of(door->period_ms > 0 ? door->period_ms : PARK_DOOR_PERIOD_MS);
        f->gap_ms = p->gap_ms > f->gap_ms ? p->gap_ms : f->gap_ms;
        buf_printf(&spec, " %s,%s,%lld,%lld,%lld", door->in, door->out, (long long)p->limits.max_per_hour,
            (long long)p->limits.modulus, (long long)p->gap_ms);
        if (status == ST_OK)
            status = take_up_point(s, f, door->in, true, &p->in, ret_is_changed, err);
        if (status == ST_OK)
            status = take_up_point(s, f, door->out, true, &p->out, ret_is_changed, err);
    }
    if (status == ST_OK)
        status = take_up_source(s, f, "corrected", spec.data, &f->doors.corrected, ret_is_changed, err);
    if (status == ST_OK)
        status = take_up_source(s, f, "live", spec.data, &f->source, ret_is_changed, err);
    buf_release(&spec);
    f->doors.space = space->id;
    f->doors.zone = zone_of(s, space);
    f->doors.reset_min = space->reset_min;
    f->doors.doors = f->door_points;
    f->doors.live = f->source;
    return status;
}

static enum status take_up_sensor(struct spaces *s, struct spaces_feed *f, const struct park_space *space,
    const struct park_sensor *sensor, bool *ret_is_changed, struct error *err)
{
    int64_t limit = sensor->kind == SENSING_CO2 && sensor->limit == 0 ? PARK_CO2_LIMIT : sensor->limit;
    *f = (struct spaces_feed){.space = space,
        .sensor = sensor,
        .reckoned = {.is_count = sensor->kind == SENSING_COUNT,
            .limit = limit * SPACES_THOUSAND,
            .hold_ms = sensor->kind == SENSING_BINARY ? sensor->hold_ms : 0,
            .gap_ms = gap_of(sensor->period_ms)},
        .newest_ms = INT64_MIN};
    struct reckon_sensor *r = &f->reckoned;
    f->gap_ms = sample_gap_ms(sensor->kind == SENSING_BINARY ? SAMPLE_ON_CHANGE : SAMPLE_POLLED, r->gap_ms);
    char *name = mem_printf("%s:%s", park_sensings[sensor->kind], sensor->point);
    char *spec = mem_printf(
        "limit=%lld hold=%lld gap=%lld", (long long)r->limit, (long long)r->hold_ms, (long long)f->gap_ms);
    enum status status = take_up_point(s, f, sensor->point, false, &r->point, ret_is_changed, err);
    if (status == ST_OK)
        status = take_up_source(s, f, name, spec, &r->source, ret_is_changed, err);
    f->source = r->source;
    free(name);
    free(spec);
    return status;
}

/* What the model does not name any more is to be read again should it come back. */
static enum status let_go(struct spaces *s, bool *ret_is_changed, struct error *err)
{
    struct db_stmt *none = db_keep(s->follower.db, "UPDATE space_point SET is_used = 0 WHERE is_used = 2");
    struct db_stmt *mark = db_keep(s->follower.db, "UPDATE space_point SET is_used = 2 WHERE is_used = 1");
    struct db_stmt *used = db_keep(s->follower.db, "UPDATE space_point SET is_used = 1 WHERE id = ?1");
    enum status status = db_run(mark, err);
    for (size_t i = 0; i < s->point_count && status == ST_OK; i++) {
        db_bind_int(used, 1, s->points[i]->id);
        status = db_run(used, err);
    }
    if (status == ST_OK)
        status = db_run(none, err);
    *ret_is_changed |= status == ST_OK && db_changes(s->follower.db) > 0;
    return status;
}

size_t spaces_count_feeds(const struct park *park)
{
    size_t count = 0;
    CONF_EACH (const struct park_space, space, park->spaces)
        count += (space->doors.count > 0) + space->sensors.count;
    return count;
}

enum status spaces_take_up(struct spaces *s, bool *ret_is_changed, struct error *err)
{
    size_t count = spaces_count_feeds(s->park);
    enum status status = follower_reset(&s->follower, count > 0, err);
    s->feeds = mem_zalloc((count + 1) * sizeof *s->feeds);
    s->zones = mem_zalloc((s->park->sites.count + 1) * sizeof *s->zones);
    const struct park_site *sites = s->park->sites.items;
    for (size_t i = 0; i < s->park->sites.count; i++)
        s->zones[i] = zone_create(sites[i].zone);
    CONF_EACH (const struct park_space, space, s->park->spaces) {
        if (space->doors.count > 0 && status == ST_OK)
            status = take_up_doors(s, &s->feeds[s->feed_count++], space, ret_is_changed, err);
        CONF_EACH (const struct park_sensor, sensor, space->sensors)
            if (status == ST_OK)
                status = take_up_sensor(s, &s->feeds[s->feed_count++], space, sensor, ret_is_changed, err);
    }
    if (status == ST_OK)
        status = let_go(s, ret_is_changed, err);
    s->is_loaded = status == ST_OK;
    s->has_more = true; /* what an earlier run left */
    return status;
}
