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

static enum status place_open(struct db *db, const struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, enum hours_user user, enum told_news *ret, struct error *err)
{
    struct told_session before, after;
    enum status status = told_session_around(db, t->id, time_ms, &before, &after, err);
    bool is_within = status == ST_OK && before.id != 0 && told_over_ms(&before) > time_ms;
    *ret = TOLD_TAKEN;
    if (is_within && !has_own_close(&before)) {
        status = told_session_over(db, t, &before, time_ms, EVIDENCE_DECLARED, err);
        *ret = TOLD_TWICE_OPEN;
    }
    if (status != ST_OK)
        return status;
    struct told_session placed;
    told_session_begin(t, &placed, e, time_ms, user, EVIDENCE_DECLARED);
    if (is_within && has_own_close(&before)) /* sessions do not overlap */
        placed.opened_ms = told_over_ms(&before) < after.opened_ms ? told_over_ms(&before) : after.opened_ms;
    status = told_session_insert(db, t->id, &placed, err);
    return status == ST_OK ? told_session_over(db, t, &placed, after.opened_ms, after.evidence, err) : status;
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
