#include "collector/instrument/told_private.h"

#include <string.h>

enum status told_is_known(struct db *db, const struct told_instrument *t, const char *event, int64_t time_ms,
    bool *ret, struct error *err)
{
    /* By the indexes of the ids: hence no index of time. */
    struct db_stmt *find =
        db_keep(db, "SELECT 1 FROM session WHERE instrument = ?1 AND open_event = ?2 AND +opened_ms >= ?3"
                    " UNION ALL SELECT 1 FROM session WHERE instrument = ?1 AND close_event = ?2"
                    "  AND ifnull(told_ms, closed_ms) >= ?3");
    db_bind_int(find, 1, t->id);
    db_bind_text(find, 2, span_of(event));
    db_bind_int(find, 3, time_ms - TOLD_KNOWN_MS);
    enum status status = db_step(find, ret, err);
    db_reset(find);
    return status;
}

/* An end that was inferred does not hide who told the close. */
#define CLOSED_BY "CASE WHEN told_ms IS NULL THEN closed_evidence ELSE told_evidence END"

/* Whether it is the newest that its point told: what a point repeats, whatever people said since. */
static enum status is_newest(struct db *db, const struct told_instrument *t, const struct session_event *e,
    bool *ret, struct error *err)
{
    struct db_stmt *find = db_keep(db,
        "SELECT ifnull(?2 = CASE WHEN ?3 THEN open_event ELSE close_event END, 0)"
        "  AND ?3 = (close_event IS NULL OR " CLOSED_BY " = ?5) FROM session WHERE instrument = ?1"
        "  AND (evidence = ?4 OR (close_event IS NOT NULL AND " CLOSED_BY " <> ?5))"
        " ORDER BY id DESC LIMIT 1");
    bool has_row;
    db_bind_int(find, 1, t->id);
    db_bind_text(find, 2, span_of(e->id));
    db_bind_int(find, 3, e->is_open);
    db_bind_int(find, 4, EVIDENCE_DECLARED);
    db_bind_int(find, 5, EVIDENCE_MANUAL);
    enum status status = db_step(find, &has_row, err);
    *ret = status == ST_OK && has_row && db_int(find, 0) != 0;
    db_reset(find);
    return status;
}

int64_t told_floor_ms(const struct told_instrument *t)
{
    const struct told_session *s = &t->last;
    if (s->id == 0)
        return TOLD_NONE;
    if (told_is_session_open(t))
        return s->opened_ms;
    return s->told_ms != TOLD_NONE ? s->told_ms : s->closed_ms;
}

static enum status open_one(struct db *db, struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, enum hours_user user, enum hours_evidence evidence, enum told_news *ret,
    struct error *err)
{
    enum status status = ST_OK;
    if (told_is_session_open(t))
        status = told_session_over(db, t, time_ms, evidence, err);
    *ret = t->last.end == TOLD_NEXT ? TOLD_TWICE_OPEN : TOLD_TAKEN;
    struct told_session next = {.opened_ms = time_ms,
        .closed_ms = TOLD_NONE,
        .told_ms = TOLD_NONE,
        .user = user,
        .class = e->class,
        .evidence = evidence,
        .end = TOLD_OPEN};
    memcpy(next.organisation, e->organisation, sizeof next.organisation);
    memcpy(next.purpose, e->purpose, sizeof next.purpose);
    memcpy(next.open_event, e->id, sizeof next.open_event);
    t->last = next;
    return status == ST_OK ? told_session_insert(db, t->id, &t->last, err) : status;
}

/* A close alone. */
static enum status note_close(struct db *db, int64_t instrument, const struct session_event *e,
    int64_t time_ms, enum hours_evidence evidence, struct told_session *ret, struct error *err)
{
    *ret = (struct told_session){.opened_ms = time_ms,
        .closed_ms = time_ms,
        .told_ms = TOLD_NONE,
        .evidence = EVIDENCE_NONE,
        .closed_evidence = evidence,
        .end = TOLD_UNOPENED};
    memcpy(ret->close_event, e->id, sizeof ret->close_event);
    return told_session_insert(db, instrument, ret, err);
}

static enum status close_one(struct db *db, struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, enum hours_evidence evidence, enum told_news *ret, struct error *err)
{
    struct told_session noted;
    *ret = TOLD_NOT_OPEN;
    if (!told_is_session_open(t))
        return note_close(db, t->id, e, told_later_of(time_ms, told_floor_ms(t)), evidence, &t->last, err);
    if (time_ms < t->last.opened_ms)
        return note_close(db, t->id, e, time_ms, evidence, &noted, err);
    memcpy(t->last.close_event, e->id, sizeof t->last.close_event);
    enum status status = told_session_over(db, t, time_ms, evidence, err);
    *ret = t->last.end == TOLD_FORGOTTEN ? TOLD_CLOSED_LATE : TOLD_TAKEN;
    return status;
}

enum status told_event(struct db *db, struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, enum hours_user user, enum hours_evidence evidence, enum told_news *ret,
    struct error *err)
{
    bool is_repeated = false, is_known = false;
    *ret = TOLD_KNOWN;
    enum status status = ST_OK;
    if (evidence == EVIDENCE_DECLARED)
        status = is_newest(db, t, e, &is_repeated, err);
    if (status == ST_OK && !is_repeated)
        status = told_is_known(db, t, e->id, time_ms, &is_known, err);
    bool is_another =
        evidence == EVIDENCE_DECLARED && e->is_open != told_is_session_open(t) && time_ms > told_floor_ms(t);
    if (status != ST_OK || is_repeated || (is_known && !is_another))
        return status;
    int64_t open_ms = told_later_of(time_ms, told_floor_ms(t));
    status = e->is_open ? open_one(db, t, e, open_ms, user, evidence, ret, err)
                        : close_one(db, t, e, time_ms, evidence, ret, err);
    if (is_known && *ret == TOLD_TAKEN)
        *ret = TOLD_USED_AGAIN;
    return status;
}
