#include "collector/spaces.h"

#include "collector/occupancy_rows.h"
#include "collector/spaces_private.h"

#include <string.h>

void spaces_init(struct spaces *s, struct db *db, const struct park *park)
{
    *s = (struct spaces){.follower = {.db = db,
                             .journal = db,
                             .until = INT64_MAX,
                             .cursor = "space",
                             .step_ms = SPACES_STEP_MS,
                             .rest_ms = SPACES_REST_MS,
                             .take = spaces_take},
        .park = park};
}

void spaces_use(struct spaces *s, const struct park *park)
{
    spaces_forget(s);
    s->park = park;
}

void spaces_release(struct spaces *s)
{
    spaces_forget(s);
    follower_release(&s->follower);
    *s = (struct spaces){0};
}

enum status spaces_reset(struct spaces *s, struct error *err)
{
    spaces_forget(s);
    return follower_reset(&s->follower, spaces_count_feeds(s->park) > 0, err);
}

void spaces_rest(struct spaces *s, const struct clock *clock)
{
    follower_rest(&s->follower, clock);
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
    spaces_make_due(doors, count->time_ms - 1, count->time_ms);
    s->has_more = true;
    s->follower.due_mono_ms = 0;
    return status == ST_OK ? spaces_keep_due(db, doors, err) : status;
}

enum status spaces_step(struct spaces *s, const struct clock *clock, bool *ret_is_changed, struct error *err)
{
    s->follower.user_data = s;
    s->clock = clock;
    if (clock->mono_ms() < s->follower.due_mono_ms)
        return ST_OK;
    enum status status = s->is_loaded ? ST_OK : spaces_take_up(s, ret_is_changed, err);
    if (status == ST_OK)
        status = follower_step(&s->follower, clock, ret_is_changed, err);
    if (status == ST_OK)
        status = spaces_reckon(s, clock, ret_is_changed, err);
    if (status == ST_OK && !s->has_more)
        status = spaces_prune(s, clock, ret_is_changed, err);
    if (status == ST_OK)
        status = occupancy_rows_put(s->follower.db, s->park, clock->wall_ms(), ret_is_changed, err);
    if (s->has_more || s->has_more_to_prune)
        s->follower.due_mono_ms = 0;
    return status;
}
