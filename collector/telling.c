#include "collector/telling.h"

#include "collector/access/changes.h"
#include "lib/mem.h"

#include <stdlib.h>

static enum status check_time(
    const struct watch_instrument *n, int64_t time_ms, int64_t now_ms, struct error *err)
{
    char newest[CLOCK_TEXT_SIZE];
    int64_t floor_ms = told_floor_ms(&n->told);
    if (time_ms > now_ms)
        return error_set(
            err, ST_INVALID, "time is in the future; expected when it happened, or none for now");
    if (time_ms < now_ms - TELLING_AGO_MS)
        return error_set(err, ST_INVALID, "time is more than 31 days ago; expected a later one");
    if (time_ms >= floor_ms)
        return ST_OK;
    clock_format_utc(floor_ms, newest);
    return error_set(err, ST_INVALID,
        "time is before the newest event of instrument %s, which is of %s; expected it or a later one",
        n->park->id, newest);
}

static enum status log_change(struct db *db, const struct telling *request, int64_t time_ms, int64_t now_ms,
    const struct told_session *session, struct error *err)
{
    const struct session_event *e = &request->event;
    char at[CLOCK_TEXT_SIZE];
    clock_format_utc(time_ms, at);
    char *object = mem_printf("instrument %s, session %lld", e->instrument, (long long)session->id);
    char *after = mem_printf("%s, at %s", e->text, at);
    enum status status = changes_add(db,
        &(struct change){.token = request->token,
            .who = request->who,
            .action = e->is_open ? "session open" : "session close",
            .object = object,
            .after = after},
        now_ms, err);
    free(object);
    free(after);
    return status;
}

static enum status tell(struct watch *w, struct watch_instrument *n, const struct telling *request,
    int64_t now_ms, struct telling_result *ret, struct error *err)
{
    const struct session_event *e = &request->event;
    int64_t time_ms = e->time_ms != 0 ? e->time_ms : now_ms;
    bool is_known, is_same = true;
    enum status status = told_is_known(w->follower.db, &n->told, e->id, time_ms, &is_known, err);
    if (status == ST_OK && is_known)
        status = told_is_same_action(w->follower.db, &n->told, e, &is_same, err);
    if (status == ST_OK && !is_same)
        return error_set(err, ST_INVALID,
            "event id \"%s\" was another event's, which did not %s a session of instrument %s; expected an "
            "id "
            "that is new",
            e->id, e->is_open ? "open" : "close", n->park->id);
    if (status != ST_OK || is_known) {
        ret->news = TOLD_KNOWN;
        return status;
    }
    if (check_time(n, time_ms, now_ms, err) != ST_OK)
        return ST_INVALID;
    status = told_event(
        w->follower.db, &n->told, e, time_ms, watch_user(n->park, e), EVIDENCE_MANUAL, &ret->news, err);
    ret->session = n->told.last;
    return status == ST_OK ? log_change(w->follower.db, request, time_ms, now_ms, &ret->session, err)
                           : status;
}

enum status telling_run(struct watch *w, const struct clock *clock, const struct telling *request,
    struct telling_result *ret, struct error *err)
{
    *ret = (struct telling_result){.news = TOLD_KNOWN};
    if (!w->is_loaded)
        return error_set(err, ST_UNREACHABLE, "the instruments are not watched yet; try again");
    struct watch_instrument *n = watch_find_own(w, request->event.instrument);
    if (n == NULL)
        return error_set(err, ST_INVALID,
            "instrument \"%s\" is not in the park model; expected the id of one of its instruments",
            request->event.instrument);
    enum status status = db_begin(w->follower.db, err);
    if (status != ST_OK)
        return status;
    /* Memory is what is committed: should that fail, it is what it was. */
    const struct told_session before = n->told.last;
    status = tell(w, n, request, clock->wall_ms(), ret, err);
    if (status == ST_OK)
        status = db_commit(w->follower.db, err);
    else
        db_rollback(w->follower.db);
    if (status != ST_OK)
        n->told.last = before;
    else
        watch_tell_news(n, &request->event, ret->news);
    return status;
}
