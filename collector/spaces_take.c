/* From readings of the journal to those that are held (space_sample). */
#include "collector/spaces_private.h"

#include <math.h>

#define GAUGE_MAX 1e9

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
        ret->value = is_good && is_there ? SPACES_THOUSAND : 0;
        return is_good;
    }
    double value = r->kind == READING_GAUGE ? r->value : (double)r->count;
    if (!(value >= 0 && value <= most))
        return false;
    ret->value = llround(value * SPACES_THOUSAND);
    return true;
}

enum status spaces_take(void *user_data, void *item, const struct follower_reading *r, struct error *err)
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
        spaces_touch(p->feeds[i], reading.time_ms, before_ms, after_ms);
    return status;
}

/* A day's readings at a time. */
enum status spaces_prune(struct spaces *s, bool *ret_is_changed, struct error *err)
{
    enum status status = ST_OK;
    for (size_t i = 0; i < s->point_count && status == ST_OK; i++) {
        struct spaces_point *p = s->points[i];
        if (p->first_ms == INT64_MAX || p->newest_ms - p->first_ms <= SPACES_HELD_MS + SPACES_DAY_MS)
            continue;
        *ret_is_changed = true;
        status = samples_prune(s->follower.db, p->id, p->newest_ms - SPACES_HELD_MS, err);
        p->first_ms = p->newest_ms - SPACES_HELD_MS;
    }
    return status;
}
