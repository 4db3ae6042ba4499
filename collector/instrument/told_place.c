/*
 * Events of a point that come late, of before the newest that was told: each has the place of its time, as if all had come in
 * order. What lies around it is made so: an opening within a session takes over its end; a close within a session ends it, and the
 * one that had ended it is a close alone; an opening before a close alone has that for its end. None of it changes
 * whether a session is open now. Of events of one time the later told is the later.
 */
#include "collector/instrument/told_private.h"

#include <string.h>

/* How a session was told over. */
struct told_over {
    int64_t time_ms;
    const char *event; /* of its close; "" = the next was opened */
    enum hours_evidence evidence;
};

static struct told_over over_of(const struct told_session *s)
{
    bool is_judged = s->told_ms != TOLD_NONE;
    return (struct told_over){.time_ms = is_judged ? s->told_ms : s->closed_ms,
        .event = s->close_event,
        .evidence = is_judged ? s->told_evidence : s->closed_evidence};
}

static enum status end_at(struct db *db, const struct told_instrument *t, struct told_session *s,
    const struct told_over *over, struct error *err)
{
    memcpy(s->close_event, over->event, strlen(over->event) + 1);
    return told_session_over(db, t, s, over->time_ms, over->evidence, err);
}

/* Whether it was open then, for all that was told. */
static bool is_open_at(const struct told_session *s, int64_t time_ms)
{
    return s->id != 0 && over_of(s).time_ms > time_ms;
}

static enum status place_open(struct db *db, const struct told_instrument *t, struct told_session *before,
    const struct told_session *next, struct told_session *placed, struct error *err)
{
    const struct told_session whole = *before;
    const struct told_over here = {placed->opened_ms, "", placed->evidence};
    struct told_over over = {next->opened_ms, "", next->evidence};
    enum status status = ST_OK;
    if (is_open_at(&whole, here.time_ms)) {
        over = over_of(&whole);
        status = end_at(db, t, before, &here, err);
    } else if (next->end == TOLD_UNOPENED) {
        over = over_of(next);
        placed->id = next->id;
    }
    placed->closed_ms = over.time_ms;
    if (status == ST_OK && placed->id == 0)
        status = told_session_insert(db, t->id, placed, err);
    return status == ST_OK ? end_at(db, t, placed, &over, err) : status;
}

/* A session keeps its row: its number stays that of its opening. */
static enum status place_close(struct db *db, const struct told_instrument *t, struct told_session *before,
    const struct told_over *here, enum told_news *ret, struct error *err)
{
    const struct told_session whole = *before;
    const struct told_over over = over_of(&whole);
    struct told_session displaced;
    enum status status = end_at(db, t, before, here, err);
    if (status != ST_OK || over.event[0] == '\0')
        return status;
    *ret = TOLD_DISPLACES;
    told_session_lone(&displaced, over.event, over.time_ms, over.evidence);
    status = told_session_insert(db, t->id, &displaced, err);
    return status == ST_OK ? told_session_displace(db, displaced.id, err) : status;
}

static enum status note_close(
    struct db *db, const struct told_instrument *t, const struct told_over *here, struct error *err)
{
    struct told_session noted;
    told_session_lone(&noted, here->event, here->time_ms, here->evidence);
    return told_session_insert(db, t->id, &noted, err);
}

enum status told_was_open(
    struct db *db, const struct told_instrument *t, int64_t time_ms, bool *ret, struct error *err)
{
    struct told_session before, next;
    enum status status = told_session_around(db, t->id, time_ms, &before, &next, err);
    *ret = status == ST_OK &&
           (is_open_at(&before, time_ms) || (before.id == t->last.id && told_is_session_open(t)));
    return status;
}

/* A close of the instant at which the session that is open began is of what was before. */
static bool has_place(const struct told_instrument *t, const struct session_event *e, int64_t time_ms)
{
    int64_t floor_ms = told_floor_ms(t);
    return t->last.id != 0 &&
           (time_ms < floor_ms || (time_ms == floor_ms && !e->is_open && told_is_session_open(t)));
}

enum status told_place(struct db *db, struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, enum hours_user user, bool *ret_is_placed, enum told_news *ret, struct error *err)
{
    struct told_session before, next, placed;
    const struct told_over here = {time_ms, e->id, EVIDENCE_DECLARED};
    if (!(*ret_is_placed = has_place(t, e, time_ms)))
        return ST_OK;
    enum status status = told_session_around(db, t->id, time_ms, &before, &next, err);
    if (status != ST_OK)
        return status;
    bool is_open = is_open_at(&before, time_ms);
    *ret = e->is_open == is_open ? (e->is_open ? TOLD_TWICE_OPEN : TOLD_NOT_OPEN) : TOLD_TAKEN;
    told_session_begin(t, &placed, e, time_ms, user, EVIDENCE_DECLARED);
    if (e->is_open)
        status = place_open(db, t, &before, &next, &placed, err);
    else if (is_open)
        status = place_close(db, t, &before, &here, ret, err);
    else
        status = note_close(db, t, &here, err);
    return status == ST_OK ? told_session_newest(db, t->id, &t->last, err) : status;
}
