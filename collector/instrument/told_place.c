/*
 * Events of a point that come late, of before the newest session: each has the place of its time, as if it had come in order. What
 * is open now stays so.
 */
#include "collector/instrument/told_private.h"

#include <string.h>

/* When it was told over, however its end is judged. */
static int64_t told_over_ms(const struct told_session *s)
{
    return s->told_ms != TOLD_NONE ? s->told_ms : s->closed_ms;
}

static bool has_own_close(const struct told_session *s)
{
    return s->close_event[0] != '\0';
}

/* A late open of while another was, which somebody closed, begins where that one ends; where the next begins there it has no time:
 * it is noted at its own, so that no later one is hidden by it. */
static int64_t opening_of(
    const struct told_session *before, const struct told_session *after, int64_t time_ms, bool *ret_has_time)
{
    *ret_has_time = true;
    if (before->id == 0 || !has_own_close(before) || before->closed_ms <= time_ms)
        return time_ms;
    *ret_has_time = before->closed_ms < after->opened_ms;
    return *ret_has_time ? before->closed_ms : time_ms;
}

static enum status place_open(struct db *db, const struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, enum hours_user user, enum told_news *ret, struct error *err)
{
    struct told_session before, after, placed;
    enum status status = told_session_around(db, t->id, time_ms, &before, &after, err);
    *ret = TOLD_TAKEN;
    if (status == ST_OK && before.id != 0 && !has_own_close(&before) && told_over_ms(&before) > time_ms) {
        status = told_session_over(db, t, &before, time_ms, EVIDENCE_DECLARED, err);
        *ret = TOLD_TWICE_OPEN;
    }
    if (status != ST_OK)
        return status;
    bool has_time;
    int64_t open_ms = opening_of(&before, &after, time_ms, &has_time);
    told_session_begin(t, &placed, e, open_ms, user, EVIDENCE_DECLARED);
    status = told_session_insert(db, t->id, &placed, err);
    return status == ST_OK
               ? told_session_over(db, t, &placed, has_time ? after.opened_ms : open_ms, after.evidence, err)
               : status;
}

/* False, in *ret_is_placed: it is of no session. */
static enum status place_close(struct db *db, const struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, bool *ret_is_placed, struct error *err)
{
    struct told_session before, after;
    enum status status = told_session_around(db, t->id, time_ms, &before, &after, err);
    *ret_is_placed = status == ST_OK && before.id != 0 && !has_own_close(&before) &&
                     before.end != TOLD_OPEN && told_over_ms(&before) > time_ms;
    if (!*ret_is_placed)
        return status;
    memcpy(before.close_event, e->id, sizeof before.close_event);
    return told_session_over(db, t, &before, time_ms, EVIDENCE_DECLARED, err);
}

enum status told_place(struct db *db, const struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, enum hours_user user, bool *ret_is_placed, enum told_news *ret, struct error *err)
{
    *ret_is_placed = t->last.id != 0 && t->last.end != TOLD_UNOPENED && time_ms < t->last.opened_ms;
    if (!*ret_is_placed)
        return ST_OK;
    if (e->is_open)
        return place_open(db, t, e, time_ms, user, ret, err);
    *ret = TOLD_TAKEN;
    return place_close(db, t, e, time_ms, ret_is_placed, err);
}
