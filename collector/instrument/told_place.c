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
    if (status == ST_OK && placed->id == 0)
        status = told_session_insert(db, t->id, placed, err);
    return status == ST_OK ? end_at(db, t, placed, &over, err) : status;
}

static enum status place_close(struct db *db, const struct told_instrument *t, struct told_session *before,
    const struct told_over *here, struct error *err)
{
    struct told_session ended = *before;
    if (before->close_event[0] == '\0')
        return end_at(db, t, before, here, err);
    const struct told_over over = over_of(before);
    told_session_lone(before, over.time_ms, over.evidence);
    enum status status = told_session_update(db, before, err);
    if (status == ST_OK)
        status = told_session_insert(db, t->id, &ended, err);
    return status == ST_OK ? end_at(db, t, &ended, here, err) : status;
}

enum status told_place(struct db *db, struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, enum hours_user user, bool *ret_is_placed, enum told_news *ret, struct error *err)
{
    struct told_session before, next, placed = {0};
    *ret_is_placed = t->last.id != 0 && time_ms < told_floor_ms(t);
    if (!*ret_is_placed)
        return ST_OK;
    enum status status = told_session_around(db, t->id, time_ms, &before, &next, err);
    if (status != ST_OK)
        return status;
    bool is_open = is_open_at(&before, time_ms);
    *ret = e->is_open == is_open ? (e->is_open ? TOLD_TWICE_OPEN : TOLD_NOT_OPEN) : TOLD_TAKEN;
    if (e->is_open) {
        told_session_begin(t, &placed, e, time_ms, user, EVIDENCE_DECLARED);
        status = place_open(db, t, &before, &next, &placed, err);
    } else if (is_open) {
        status = place_close(db, t, &before, &(struct told_over){time_ms, e->id, EVIDENCE_DECLARED}, err);
    } else {
        memcpy(placed.close_event, e->id, sizeof placed.close_event);
        told_session_lone(&placed, time_ms, EVIDENCE_DECLARED);
        status = told_session_insert(db, t->id, &placed, err);
    }
    return status == ST_OK ? told_session_newest(db, t->id, &t->last, err) : status;
}
