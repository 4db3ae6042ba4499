#include "collector/spaces.h"

#include "collector/occupancy_rows.h"
#include "collector/space/reckon.h"
#include "lib/buf.h"
#include "lib/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define THOUSAND 1000
#define MOST_MS INT64_C(120000) /* design 8: not fresh any more after max(3 periods, 120 s) */
#define GAUGE_MAX 1e9

/* What is to be reckoned anew of a feed, by the day of UTC in which it begins. */
struct span_due {
    int64_t day, from_ms, until_ms; /* both ends included */
};

struct spaces_feed {
    const struct park_space *space;
    const struct park_sensor *sensor; /* NULL = the doors */
    int64_t source;                   /* by which it is known: "live" of doors */
    struct reckon_doors doors;
    struct door_points *door_points; /* owned */
    struct reckon_sensor reckoned;
    int64_t newest_ms; /* of all its points */
    struct span_due *dues;
    size_t due_count, due_capacity;
};

struct spaces_point {
    char *name;                      /* <gateway>/<point>; owned */
    int64_t id, first_ms, newest_ms; /* of what is held: INT64_MAX and INT64_MIN where nothing is */
    bool is_door;
    struct spaces_feed **feeds; /* owned list */
    size_t feed_count, feed_capacity;
};

/* ---- life ---- */

static void forget(struct spaces *s)
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
    s->is_loaded = s->has_more = false;
}

static enum status take(void *user_data, void *item, const struct follower_reading *r, struct error *err);

void spaces_init(struct spaces *s, struct db *db, const struct park *park)
{
    *s = (struct spaces){.follower = {.db = db,
                             .journal = db,
                             .until = INT64_MAX,
                             .cursor = "space",
                             .step_ms = SPACES_STEP_MS,
                             .rest_ms = SPACES_REST_MS,
                             .take = take},
        .park = park};
}

void spaces_use(struct spaces *s, const struct park *park)
{
    forget(s);
    s->park = park;
}

void spaces_release(struct spaces *s)
{
    forget(s);
    follower_release(&s->follower);
    *s = (struct spaces){0};
}

enum status spaces_reset(struct spaces *s, struct error *err)
{
    forget(s);
    return follower_reset(&s->follower, err);
}

void spaces_rest(struct spaces *s, const struct clock *clock)
{
    follower_rest(&s->follower, clock);
}

/* ---- what is to be reckoned ---- */

static int64_t day_of(int64_t time_ms)
{
    return time_ms / DAY_MS - (time_ms % DAY_MS < 0);
}

static void make_due(struct spaces_feed *f, int64_t from_ms, int64_t until_ms)
{
    int64_t day = day_of(from_ms);
    for (size_t i = f->due_count; i > 0; i--) {
        struct span_due *d = &f->dues[i - 1];
        if (d->day == day) {
            d->from_ms = from_ms < d->from_ms ? from_ms : d->from_ms;
            d->until_ms = until_ms > d->until_ms ? until_ms : d->until_ms;
            return;
        }
    }
    MEM_GROW(f->dues, f->due_count, f->due_capacity);
    f->dues[f->due_count++] = (struct span_due){day, from_ms, until_ms};
}

/* Two times that are far apart are reckoned by themselves: nothing is known between them. */
static void make_both_due(struct spaces_feed *f, int64_t a_ms, int64_t b_ms)
{
    if (b_ms - a_ms <= DAY_MS) {
        make_due(f, a_ms, b_ms);
        return;
    }
    make_due(f, a_ms, a_ms);
    make_due(f, b_ms, b_ms);
}

/* A reading says something of the time since the one before it and up to the one after it. With the first reading of all
 * doors at or after an anchor what lies before that is known to be over. */
static void touch(struct spaces_feed *f, int64_t time_ms, int64_t before_ms, int64_t after_ms)
{
    make_due(f, time_ms, time_ms);
    if (before_ms != INT64_MIN)
        make_both_due(f, before_ms, time_ms);
    if (after_ms != INT64_MAX)
        make_both_due(f, time_ms, after_ms);
    if (f->newest_ms != INT64_MIN && f->newest_ms < time_ms)
        make_both_due(f, f->newest_ms, time_ms);
    f->newest_ms = time_ms > f->newest_ms ? time_ms : f->newest_ms;
}

static enum status keep_due(struct db *db, struct spaces_feed *f, struct error *err)
{
    struct db_stmt *keep =
        db_keep(db, "INSERT INTO space_dirty VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET"
                    " from_ms = min(from_ms, excluded.from_ms), until_ms = max(until_ms, excluded.until_ms)");
    enum status status = ST_OK;
    for (size_t i = 0; i < f->due_count && status == ST_OK; i++) {
        db_bind_int(keep, 1, f->source);
        db_bind_int(keep, 2, f->dues[i].day);
        db_bind_int(keep, 3, f->dues[i].from_ms);
        db_bind_int(keep, 4, f->dues[i].until_ms);
        status = db_run(keep, err);
    }
    f->due_count = 0;
    return status;
}

static enum status take_kept(struct db *db, struct spaces_feed *f, struct error *err)
{
    struct db_stmt *rows =
        db_keep(db, "DELETE FROM space_dirty WHERE source = ?1 RETURNING from_ms, until_ms");
    bool has_row;
    enum status status;
    db_bind_int(rows, 1, f->source);
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row)
        make_due(f, db_int(rows, 0), db_int(rows, 1));
    db_reset(rows);
    return status;
}

static enum status reckon(
    struct db *db, const struct spaces_feed *f, const struct span_due *d, struct error *err)
{
    return f->sensor != NULL ? reckon_sensor(db, &f->reckoned, d->from_ms, d->until_ms, err)
                             : reckon_doors(db, &f->doors, d->from_ms, d->until_ms, err);
}

/* For a while; what is left is kept for the next transaction. */
static enum status reckon_all(
    struct spaces *s, const struct clock *clock, bool *ret_is_changed, struct error *err)
{
    struct db *db = s->follower.db;
    int64_t until_mono_ms = clock->mono_ms() + SPACES_STEP_MS;
    bool had_more = s->has_more, is_over = false;
    enum status status = ST_OK;
    s->has_more = false;
    for (size_t i = 0; i < s->feed_count && status == ST_OK; i++) {
        struct spaces_feed *f = &s->feeds[i];
        if (had_more)
            status = take_kept(db, f, err);
        while (f->due_count > 0 && status == ST_OK && !is_over) {
            struct span_due d = f->dues[--f->due_count];
            *ret_is_changed = true;
            status = reckon(db, f, &d, err);
            is_over = clock->mono_ms() >= until_mono_ms;
        }
        if (status == ST_OK && f->due_count > 0) {
            s->has_more = true;
            status = keep_due(db, f, err);
        }
    }
    return status;
}

/* ---- readings ---- */

/* What a state says of a room; false: nothing. */
static bool is_somebody(struct span text, bool *ret)
{
    static const char *const nobody[] = {
        "clear", "idle", "off", "0", "false", "no", "none", "free", "empty", "vacant", "unoccupied", NULL};
    static const char *const somebody[] = {
        "motion", "occupied", "on", "1", "true", "yes", "presence", "busy", "detected", NULL};
    for (size_t i = 0; nobody[i] != NULL; i++)
        if (span_is(text, nobody[i]))
            return *ret = false, true;
    for (size_t i = 0; somebody[i] != NULL; i++)
        if (span_is(text, somebody[i]))
            return *ret = true, true;
    return false;
}

static bool value_of(const struct spaces_point *p, const struct reading *r, struct reading_of *ret)
{
    bool is_there;
    *ret = (struct reading_of){.time_ms = r->time_ms, .is_change = r->kind == READING_STATE};
    if (p->is_door) {
        ret->value = r->count;
        return r->count >= 0;
    }
    const struct park_sensor *sensor = p->feeds[0]->sensor;
    double most = sensor->kind == SENSING_COUNT ? (double)LEVEL_PERSONS_MAX : GAUGE_MAX;
    if (r->kind == READING_STATE) {
        bool is_good = sensor->kind == SENSING_BINARY && is_somebody(r->text, &is_there);
        ret->value = is_good && is_there ? THOUSAND : 0;
        return is_good;
    }
    double value = r->kind == READING_GAUGE ? r->value : (double)r->count;
    if (!(value >= 0 && value <= most))
        return false;
    ret->value = llround(value * THOUSAND);
    return true;
}

static enum status take(void *user_data, void *item, const struct follower_reading *r, struct error *err)
{
    struct spaces *s = user_data;
    struct spaces_point *p = item;
    struct reading_of reading;
    bool is_new;
    int64_t before_ms = p->newest_ms, after_ms = INT64_MAX;
    if (!value_of(p, r->reading, &reading)) {
        complain(&s->nonsense, s->clock->mono_ms(), LOG_LEVEL_WARN, "spaces",
            "%s: what it tells is no number of people, nor whether somebody is there; not counted", p->name);
        return ST_OK;
    }
    if (p->newest_ms != INT64_MIN && reading.time_ms < p->newest_ms - SPACES_LATE_MS) {
        complain(&s->late, s->clock->mono_ms(), LOG_LEVEL_WARN, "spaces",
            "%s: readings came more than 35 days after later ones; people of that time are not counted anew",
            p->name);
        return ST_OK;
    }
    enum status status = samples_put(s->follower.db, p->id, &reading, &is_new, err);
    if (status != ST_OK || !is_new)
        return status;
    if (reading.time_ms < p->newest_ms)
        status = samples_beside(s->follower.db, p->id, reading.time_ms, &before_ms, &after_ms, err);
    p->newest_ms = reading.time_ms > p->newest_ms ? reading.time_ms : p->newest_ms;
    p->first_ms = reading.time_ms < p->first_ms ? reading.time_ms : p->first_ms;
    for (size_t i = 0; i < p->feed_count; i++)
        touch(p->feeds[i], reading.time_ms, before_ms, after_ms);
    return status;
}

/* A day's readings at a time. */
static enum status prune(struct spaces *s, bool *ret_is_changed, struct error *err)
{
    enum status status = ST_OK;
    for (size_t i = 0; i < s->point_count && status == ST_OK; i++) {
        struct spaces_point *p = s->points[i];
        if (p->first_ms == INT64_MAX || p->newest_ms - p->first_ms <= SPACES_HELD_MS + DAY_MS)
            continue;
        *ret_is_changed = true;
        status = samples_prune(s->follower.db, p->id, p->newest_ms - SPACES_HELD_MS, err);
        p->first_ms = p->newest_ms - SPACES_HELD_MS;
    }
    return status;
}

/* ---- the model ---- */

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
    for (int64_t at_ms = first_ms; at_ms <= last_ms; at_ms = (day_of(at_ms) + 1) * DAY_MS) {
        int64_t end_ms = (day_of(at_ms) + 1) * DAY_MS - 1;
        make_due(f, at_ms, end_ms < last_ms ? end_ms : last_ms);
    }
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
            .limit = limit * THOUSAND,
            .hold_ms = sensor->kind == SENSING_BINARY ? sensor->hold_ms : 0,
            .gap_ms = gap_of(sensor->period_ms)},
        .newest_ms = INT64_MIN};
    struct reckon_sensor *r = &f->reckoned;
    char *name = mem_printf("%s:%s", park_sensings[sensor->kind], sensor->point);
    char *spec = mem_printf("limit=%lld hold=%lld gap=%lld", (long long)r->limit, (long long)r->hold_ms,
        (long long)sample_gap_ms(
            sensor->kind == SENSING_BINARY ? SAMPLE_ON_CHANGE : SAMPLE_POLLED, r->gap_ms));
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

static enum status take_up_model(struct spaces *s, bool *ret_is_changed, struct error *err)
{
    enum status status = follower_reset(&s->follower, err);
    size_t count = 0;
    CONF_EACH (const struct park_space, space, s->park->spaces)
        count += (space->doors.count > 0) + space->sensors.count;
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
    if (s->is_loaded && s->point_count == 0)
        s->follower.position = INT64_MAX;
    return status;
}

/* It stands in space_dirty, so that a failed commit leaves nothing of it. */
enum status spaces_count(struct spaces *s, const struct person_count *count, struct error *err)
{
    struct db *db = s->follower.db;
    struct spaces_feed *doors = NULL;
    for (size_t i = 0; i < s->feed_count; i++)
        if (s->feeds[i].sensor == NULL && strcmp(s->feeds[i].space->id, count->space) == 0)
            doors = &s->feeds[i];
    if (!s->is_loaded)
        return error_set(err, ST_UNREACHABLE, "the spaces of the park model are not taken up yet; try again");
    if (doors == NULL)
        return error_set(
            err, ST_INVALID, "no space \"%s\" with doors that count; expected one", count->space);
    enum status status = anchors_put(db, count, err);
    make_due(doors, count->time_ms - 1, count->time_ms);
    s->has_more = true;
    s->follower.due_mono_ms = 0;
    return status == ST_OK ? keep_due(db, doors, err) : status;
}

enum status spaces_step(struct spaces *s, const struct clock *clock, bool *ret_is_changed, struct error *err)
{
    s->follower.user_data = s;
    s->clock = clock;
    if (clock->mono_ms() < s->follower.due_mono_ms)
        return ST_OK;
    enum status status = s->is_loaded ? ST_OK : take_up_model(s, ret_is_changed, err);
    if (status == ST_OK)
        status = follower_step(&s->follower, clock, ret_is_changed, err);
    if (status == ST_OK)
        status = reckon_all(s, clock, ret_is_changed, err);
    if (status == ST_OK && !s->has_more)
        status = prune(s, ret_is_changed, err);
    if (status == ST_OK)
        status = occupancy_rows_put(s->follower.db, s->park, clock->wall_ms(), ret_is_changed, err);
    if (s->has_more)
        s->follower.due_mono_ms = 0;
    return status;
}
