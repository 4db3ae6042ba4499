#include "collector/access/changes.h"
#include "collector/telling.h"
#include "lib/mem.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

static bool is_sentence(const char *why)
{
    struct span s = span_of(why != NULL ? why : "");
    return s.len > 0 && s.len <= TELLING_WHY_MAX && text_is_utf8(s) && !text_has_control(s) &&
           strspn(s.at, " ") < s.len;
}

static enum status check(
    const struct watch_resource *r, const struct telling_resource *request, struct error *err)
{
    if (r == NULL)
        return error_set(err, ST_INVALID,
            "resource \"%s\" is not in the park model; expected the id of one of its resources",
            request->resource);
    if (r->park->point == NULL)
        return error_set(err, ST_INVALID,
            "resource %s has no point that tells it; expected an outage of it to be closed", r->park->id);
    if (!is_sentence(request->why))
        return error_set(err, ST_INVALID,
            "why is missing, or not a text of 1 to %d bytes; expected a sentence that says how it is known",
            TELLING_WHY_MAX);
    if (!r->told.is_down)
        return error_set(
            err, ST_INVALID, "resource %s is not down; nothing is to be said of it", r->park->id);
    return ST_OK;
}

static enum status log_change(struct db *db, const struct telling_resource *request,
    const struct told_resource *before, int64_t now_ms, struct error *err)
{
    char since[CLOCK_TEXT_SIZE];
    clock_format_utc(before->since_ms, since);
    char *object = mem_printf("resource %s", request->resource), *was = mem_printf("down since %s", since);
    enum status status = changes_add(db,
        &(struct change){.token = request->token,
            .who = request->who,
            .action = "resource up",
            .object = object,
            .before = was,
            .after = "up",
            .note = request->why},
        now_ms, err);
    free(object);
    free(was);
    return status;
}

enum status telling_resource_run(struct watch *w, const struct clock *clock,
    const struct telling_resource *request, struct told_resource *ret, struct error *err)
{
    if (!w->is_loaded)
        return error_set(err, ST_UNREACHABLE, "the resources are not watched yet; try again");
    struct watch_resource *r = watch_find_own_resource(w, request->resource);
    enum status status = check(r, request, err);
    if (status == ST_OK)
        status = db_begin(w->follower.db, err);
    if (status != ST_OK)
        return status;
    const struct told_resource before = r->told;
    int64_t now_ms = clock->wall_ms();
    const struct told_word up = {true, true, now_ms, now_ms, EVIDENCE_MANUAL};
    status = told_resource_say(w->follower.db, &r->told, &up, err);
    if (status == ST_OK)
        status = log_change(w->follower.db, request, &before, now_ms, err);
    if (status == ST_OK)
        status = db_commit(w->follower.db, err);
    else
        db_rollback(w->follower.db);
    if (status != ST_OK)
        r->told = before;
    *ret = r->told;
    return status;
}
