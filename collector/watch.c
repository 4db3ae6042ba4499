#include "collector/watch.h"

#include "collector/intake/journal.h"
#include "collector/model/version.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_MS 1000

static void forget(struct watch *w)
{
    follower_clear(&w->follower);
    free(w->instruments);
    free(w->resources);
    free(w->items);
    w->instruments = NULL;
    w->resources = NULL;
    w->items = NULL;
    w->instrument_count = w->resource_count = w->item_count = 0;
    model_put(w->former);
    w->former = NULL;
    w->is_loaded = w->is_at_end = false;
}

void watch_init(struct watch *w, struct db *db, const struct park *park)
{
    *w = (struct watch){.follower = {.db = db,
                            .journal = db,
                            .until = INT64_MAX,
                            .cursor = "watch",
                            .step_ms = WATCH_STEP_MS,
                            .rest_ms = 0,
                            .take = watch_take},
        .until = INT64_MAX,
        .park = park};
}

void watch_use(struct watch *w, const struct park *park)
{
    forget(w);
    w->park = park;
}

void watch_release(struct watch *w)
{
    forget(w);
    follower_release(&w->follower);
    *w = (struct watch){0};
}

/* ---- the model ---- */

static void follow(struct watch *w, const char *address, enum reading_kind kind,
    struct watch_instrument *instrument, struct watch_resource *resource)
{
    if (address == NULL)
        return;
    struct watch_item *item = &w->items[w->item_count++];
    *item = (struct watch_item){instrument, resource};
    follower_add(&w->follower, address, kind, item);
}

static void tell_other(const struct watch_instrument *n, bool is_other, const char *source, const char *point)
{
    if (is_other)
        log_info("watch",
            "instrument %s: what was told last of its %s was told by another point, or before a time that "
            "nobody followed; it says nothing of now until point %s speaks",
            n->park->id, source, point);
}

static enum status take_up_instrument(
    struct watch *w, const struct park_instrument *park, bool *ret_is_changed, struct error *err)
{
    struct watch_instrument *n = &w->instruments[w->instrument_count++];
    *n = (struct watch_instrument){.park = park,
        .limits = {.off_mw = park->off_mw,
            .exit_mw = park->exit_mw,
            .enter_mw = park->enter_mw,
            .enter_ms = park->enter_ms,
            .exit_ms = park->exit_ms,
            .gap_ms = activity_gap_ms(park->power_period_ms)}};
    follow(w, park->power_point, READING_GAUGE, n, NULL);
    follow(w, park->session, READING_STATE, n, NULL);
    enum status status = told_take_up(w->follower.db, park, &n->told, ret_is_changed, err);
    tell_other(n, n->told.is_power_other, "power", park->power_point);
    tell_other(n, n->told.is_session_other, "sessions", park->session);
    return status;
}

static enum status take_up_resource(
    struct watch *w, const struct park_resource *park, bool *ret_is_changed, struct error *err)
{
    struct watch_resource *r = &w->resources[w->resource_count++];
    *r = (struct watch_resource){.park = park};
    follow(w, park->point, READING_STATE, NULL, r);
    return told_resource_take_up(w->follower.db, park->id, park->point, &r->told, ret_is_changed, err);
}

/* Of what a version that cannot be read any more had, nothing is known: as of one that names nothing. */
static enum status read_version(struct watch *w, int64_t number, const struct model **ret, struct error *err)
{
    struct version v;
    struct error why;
    *ret = NULL;
    enum status status = version_read(w->follower.journal, number, &v, &why);
    if (status == ST_INVALID) {
        log_error(
            "watch", "%s; what instruments told while it counted is taken by the next version", why.text);
        return ST_OK;
    }
    if (status != ST_OK)
        return error_set(err, status, "%s", why.text);
    *ret = version_model(&v);
    version_release(&v);
    return ST_OK;
}

static bool names_nothing(const struct park *park)
{
    CONF_EACH (const struct park_instrument, n, park->instruments)
        if (n->power_point != NULL || n->session != NULL)
            return false;
    CONF_EACH (const struct park_resource, r, park->resources)
        if (r->point != NULL)
            return false;
    return true;
}

/* Does any version name anything that was in force since the cursor, or the model in use? */
static enum status find_any(struct watch *w, bool *ret_is_any, struct error *err)
{
    struct version_reign reign;
    *ret_is_any = !names_nothing(w->park);
    enum status status = version_reign_at(w->follower.journal, w->follower.position, &reign, err);
    while (status == ST_OK && !*ret_is_any && reign.number != 0) {
        const struct model *m;
        status = read_version(w, reign.number, &m, err);
        *ret_is_any = m != NULL && !names_nothing(m->park);
        model_put(m);
        if (reign.until == INT64_MAX)
            break;
        if (status == ST_OK)
            status = version_reign_next(w->follower.journal, &reign, err);
    }
    return status;
}

enum status watch_reset(struct watch *w, struct error *err)
{
    forget(w);
    bool is_any;
    enum status status = follower_reset(&w->follower, true, err);
    if (status == ST_OK)
        status = find_any(w, &is_any, err);
    if (status == ST_OK && !is_any)
        w->follower.position = INT64_MAX;
    return status;
}

/* Those that were in force for no batch, before the version `number` that is for the next one: what they did not follow is left
 * also where nobody took them up, so that it is a function of the versions alone. */
static enum status leave_between(struct watch *w, int64_t number, bool *ret_is_changed, struct error *err)
{
    struct db *db = w->follower.journal;
    int64_t between = 0;
    enum status status;
    while ((status = version_unused_next(db, w->follower.position, &between, err)) == ST_OK &&
           between < number) {
        const struct model *m;
        status = read_version(w, between, &m, err);
        if (status == ST_OK && m != NULL && !names_nothing(m->park))
            status = told_leave(w->follower.db, m->park, ret_is_changed, err);
        model_put(m);
        if (status != ST_OK)
            break;
    }
    return status;
}

/* Which version the next batch is of: w->former, up to the follower's `until`, or the one in use. */
static enum status find_former(struct watch *w, bool *ret_is_changed, struct error *err)
{
    struct db *db = w->follower.journal;
    struct version_reign reign;
    enum status status = version_reign_at(db, w->follower.position, &reign, err);
    while (status == ST_OK && reign.until != INT64_MAX) {
        status = read_version(w, reign.number, &w->former, err);
        if (w->former != NULL && !names_nothing(w->former->park))
            break;
        model_put(w->former);
        w->former = NULL;
        if (status == ST_OK)
            status = version_reign_next(db, &reign, err);
    }
    w->follower.until = reign.until < w->until ? reign.until : w->until;
    return status == ST_OK ? leave_between(w, reign.number, ret_is_changed, err) : status;
}

static enum status take_up_model(struct watch *w, bool *ret_is_changed, struct error *err)
{
    forget(w);
    enum status status = follower_reset(&w->follower, true, err);
    if (status == ST_OK)
        status = find_former(w, ret_is_changed, err);
    const struct park *park = w->former != NULL ? w->former->park : w->park;
    const struct conf_list *instruments = &park->instruments, *resources = &park->resources;
    w->instruments = mem_zalloc((instruments->count + 1) * sizeof *w->instruments);
    w->resources = mem_zalloc((resources->count + 1) * sizeof *w->resources);
    w->items = mem_zalloc((2 * instruments->count + resources->count + 1) * sizeof *w->items);
    if (status == ST_OK && !names_nothing(park))
        status = told_leave(w->follower.db, park, ret_is_changed, err);
    CONF_EACH (const struct park_instrument, n, *instruments)
        if (status == ST_OK)
            status = take_up_instrument(w, n, ret_is_changed, err);
    CONF_EACH (const struct park_resource, r, *resources)
        if (status == ST_OK)
            status = take_up_resource(w, r, ret_is_changed, err);
    if (status != ST_OK)
        forget(w);
    w->is_loaded = status == ST_OK && w->former == NULL;
    if (w->is_loaded && w->item_count == 0)
        w->follower.position = INT64_MAX;
    return status;
}

/* ---- steps ---- */

static enum status save(struct watch *w, bool *ret_is_changed, struct error *err)
{
    enum status status = ST_OK;
    for (size_t i = 0; i < w->instrument_count && status == ST_OK; i++) {
        struct watch_instrument *n = &w->instruments[i];
        if (!n->is_changed)
            continue;
        n->is_changed = false;
        *ret_is_changed = true;
        status = told_save(w->follower.db, &n->told, err);
    }
    return status;
}

/* One whose run comes in bursts is forgotten, and is not, time and again: that is said once. */
static enum status end_forgotten(struct watch *w, struct watch_instrument *n, const struct clock *clock,
    bool *ret_is_changed, struct error *err)
{
    bool was_open = n->told.last.end == TOLD_OPEN;
    enum status status = told_look(w->follower.db, &n->told, clock->wall_ms(), ret_is_changed, err);
    if (status == ST_OK && was_open && n->told.last.end == TOLD_FORGOTTEN)
        complain(&n->forgotten, clock->mono_ms(), LOG_LEVEL_WARN, "watch",
            "instrument %s: its session is open for longer than max_session: it was forgotten, and is ended "
            "by inference",
            n->park->id);
    if (status == ST_OK && !told_is_session_open(&n->told))
        complaint_clear(&n->forgotten, clock->mono_ms(), "watch",
            "instrument %s: its session that was forgotten is told over", n->park->id);
    return status;
}

/* Only where all is taken that arrived, and the clock can be right. */
static enum status look(struct watch *w, const struct clock *clock, bool *ret_is_changed, struct error *err)
{
    enum status status = ST_OK;
    if (!w->is_at_end || clock->mono_ms() < w->look_due_mono_ms || !clock->is_synchronised())
        return ST_OK;
    w->look_due_mono_ms = clock->mono_ms() + LOOK_MS;
    for (size_t i = 0; i < w->instrument_count && status == ST_OK; i++)
        status = end_forgotten(w, &w->instruments[i], clock, ret_is_changed, err);
    return status;
}

static enum status step(struct watch *w, const struct clock *clock, bool *ret_is_changed, struct error *err)
{
    w->follower.user_data = w;
    w->now_mono_ms = clock->mono_ms();
    enum status status = w->is_loaded || w->former != NULL ? ST_OK : take_up_model(w, ret_is_changed, err);
    int64_t newest = 0, received_ms;
    bool has_moved = false;
    if (status == ST_OK)
        status = follower_step(&w->follower, clock, &has_moved, err);
    *ret_is_changed = *ret_is_changed || has_moved;
    if (status == ST_OK)
        status = journal_newest(w->follower.journal, &newest, &received_ms, err);
    w->is_at_end = status == ST_OK && w->is_loaded && w->follower.position >= newest;
    if (status == ST_OK)
        status = save(w, ret_is_changed, err);
    if (status == ST_OK && w->former != NULL && (!has_moved || w->follower.position >= w->follower.until))
        forget(w);
    return status;
}

enum status watch_step(struct watch *w, const struct clock *clock, bool *ret_is_changed, struct error *err)
{
    if (clock->mono_ms() < w->follower.due_mono_ms)
        return ST_OK;
    enum status status = step(w, clock, ret_is_changed, err);
    return status == ST_OK ? look(w, clock, ret_is_changed, err) : status;
}

void watch_pause(struct watch *w, const struct clock *clock)
{
    w->follower.due_mono_ms = clock->mono_ms() + WATCH_PAUSE_MS;
}

/* ---- looking ---- */

struct watch_instrument *watch_find_own(struct watch *w, const char *instrument)
{
    for (size_t i = 0; i < w->instrument_count; i++)
        if (strcmp(w->instruments[i].park->id, instrument) == 0)
            return &w->instruments[i];
    return NULL;
}

const struct watch_instrument *watch_find(const struct watch *w, const char *instrument)
{
    return watch_find_own((struct watch *)w, instrument);
}

struct watch_resource *watch_find_own_resource(struct watch *w, const char *resource)
{
    for (size_t i = 0; i < w->resource_count; i++)
        if (strcmp(w->resources[i].park->id, resource) == 0)
            return &w->resources[i];
    return NULL;
}

const struct watch_resource *watch_find_resource(const struct watch *w, const char *resource)
{
    return watch_find_own_resource((struct watch *)w, resource);
}
