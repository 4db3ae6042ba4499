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

/* Every feed that it is of has its own newest reading. */
static bool is_late(const struct spaces_point *p, int64_t time_ms)
{
    for (size_t i = 0; i < p->feed_count; i++)
        if (p->feeds[i]->newest_ms != INT64_MIN && time_ms < p->feeds[i]->newest_ms - SPACES_LATE_MS)
            return true;
    return false;
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
    if (is_late(p, reading.time_ms)) {
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

/* Before it nothing is reckoned of the point any more, in no feed; INT64_MIN = all is held. */
static int64_t held_from(const struct spaces_point *p)
{
    int64_t newest_ms = INT64_MAX;
    for (size_t i = 0; i < p->feed_count; i++)
        newest_ms = p->feeds[i]->newest_ms < newest_ms ? p->feeds[i]->newest_ms : newest_ms;
    return newest_ms == INT64_MIN ? INT64_MIN : newest_ms - SPACES_HELD_MS;
}

struct pruning {
    struct spaces *s;
    const struct clock *clock;
    int64_t until_mono_ms;
    bool *ret_is_changed;
};

/* One portion after the other, until the time is over. Point 0: those that the model does not name. */
static enum status prune(const struct pruning *g, int64_t point, int64_t from_ms, struct error *err)
{
    struct db *db = g->s->follower.db;
    int64_t count = SPACES_PRUNED_AT_ONCE;
    enum status status = ST_OK;
    while (count == SPACES_PRUNED_AT_ONCE && status == ST_OK && !g->s->has_more_to_prune) {
        status = point == 0 ? samples_prune_unused(db, from_ms, SPACES_PRUNED_AT_ONCE, &count, err)
                            : samples_prune(db, point, from_ms, SPACES_PRUNED_AT_ONCE, &count, err);
        *g->ret_is_changed |= status == ST_OK && count > 0;
        g->s->has_more_to_prune = count == SPACES_PRUNED_AT_ONCE && g->clock->mono_ms() >= g->until_mono_ms;
    }
    return status;
}

enum status spaces_prune(struct spaces *s, const struct clock *clock, bool *ret_is_changed, struct error *err)
{
    struct pruning g = {s, clock, clock->mono_ms() + SPACES_STEP_MS, ret_is_changed};
    enum status status = ST_OK;
    int64_t newest_ms = INT64_MIN;
    s->has_more_to_prune = false;
    for (size_t i = 0; i < s->point_count && status == ST_OK && !s->has_more_to_prune; i++) {
        struct spaces_point *p = s->points[i];
        int64_t from_ms = held_from(p);
        newest_ms = p->newest_ms > newest_ms ? p->newest_ms : newest_ms;
        if (p->first_ms == INT64_MAX || from_ms == INT64_MIN || from_ms - p->first_ms <= SPACES_DAY_MS)
            continue;
        status = prune(&g, p->id, from_ms, err);
        if (!s->has_more_to_prune)
            p->first_ms = from_ms; /* but for the last before it */
    }
    if (status != ST_OK || s->has_more_to_prune || newest_ms == INT64_MIN ||
        newest_ms - SPACES_DAY_MS <= s->unused_pruned_ms)
        return status;
    status = prune(&g, 0, newest_ms - SPACES_HELD_MS, err);
    if (!s->has_more_to_prune)
        s->unused_pruned_ms = newest_ms;
    return status;
}
