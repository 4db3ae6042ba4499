/*
 * When a session is over that was open for longer than it may be. It lasts for as long as a run goes on that holds the end of
 * its greatest length, by the park model in which it was opened; told over by then, it ends as it was told. Else it was
 * forgotten: it ends with that run, or at its greatest length where nothing ran. That is a function of when it was opened,
 * when it was told over, and of power; power that comes later may change it, another park model does not.
 */
#include "collector/instrument/told_private.h"
#include "lib/mem.h"

#include <stdlib.h>

struct verdict {
    bool is_forgotten;
    int64_t until_ms; /* where it is */
};

/* Until when it ran on without a break from `from_ms`: that itself where it did not run then. INT64_MAX = it still did at
 * at_ms, for all that was heard up to heard_ms; TOLD_NONE = what was heard says nothing of then. */
static enum status ran_on_until(struct db *db, const struct told_instrument *t, int64_t from_ms,
    int64_t at_ms, int64_t heard_ms, int64_t *ret, struct error *err)
{
    struct activity_span open;
    bool has_row;
    *ret = from_ms;
    if (activity_open(&t->activity, &open) && open.from_ms <= from_ms) {
        if (open.state == ACTIVITY_RUNNING)
            *ret = heard_ms != TOLD_NONE && at_ms - heard_ms <= t->gap_ms
                       ? INT64_MAX
                       : told_later_of(from_ms, open.until_ms);
        return ST_OK;
    }
    struct db_stmt *ran = db_keep(db, "SELECT until_ms, state FROM activity_span WHERE instrument = ?1"
                                      " AND from_ms <= ?2 ORDER BY from_ms DESC LIMIT 1");
    db_bind_int(ran, 1, t->id);
    db_bind_int(ran, 2, from_ms);
    enum status status = db_step(ran, &has_row, err);
    if (status == ST_OK && has_row && db_int(ran, 1) == ACTIVITY_RUNNING)
        *ret = told_later_of(from_ms, db_int(ran, 0));
    db_reset(ran);
    return status;
}

/* Of one that was told over, or is looked at, at at_ms. */
static enum status judge(struct db *db, const struct told_instrument *t, int64_t limit_ms, int64_t at_ms,
    int64_t heard_ms, struct verdict *ret, struct error *err)
{
    *ret = (struct verdict){.is_forgotten = false};
    if (at_ms <= limit_ms)
        return ST_OK;
    enum status status = ran_on_until(db, t, limit_ms, at_ms, heard_ms, &ret->until_ms, err);
    ret->is_forgotten = at_ms > ret->until_ms;
    return status;
}

static bool set_end(
    struct told_session *s, int64_t closed_ms, enum told_end end, enum hours_evidence evidence)
{
    bool is_other = s->closed_ms != closed_ms || s->end != end || s->closed_evidence != evidence;
    s->closed_ms = closed_ms;
    s->end = end;
    s->closed_evidence = evidence;
    return is_other;
}

/* As it is judged now; whether that is news. */
static bool end_told(struct told_session *s, const struct verdict *v, int64_t told_ms)
{
    bool is_next = s->close_event[0] == '\0';
    if (v->is_forgotten)
        return set_end(s, v->until_ms, TOLD_FORGOTTEN, EVIDENCE_INFERRED);
    return set_end(
        s, told_ms, is_next ? TOLD_NEXT : TOLD_CLOSED, is_next ? EVIDENCE_INFERRED : s->told_evidence);
}

enum status told_session_over(struct db *db, const struct told_instrument *t, struct told_session *s,
    int64_t told_ms, enum hours_evidence evidence, struct error *err)
{
    struct verdict verdict;
    if (s->limit_ms == TOLD_NONE) /* of a program of before limits were noted */
        s->limit_ms = s->opened_ms + t->max_session_ms;
    enum status status = judge(db, t, s->limit_ms, told_ms, t->activity.last_ms, &verdict, err);
    s->told_evidence = evidence;
    if (status == ST_OK)
        end_told(s, &verdict, told_ms);
    s->told_ms = told_ms > s->limit_ms ? told_ms : TOLD_NONE;
    return status == ST_OK ? told_session_update(db, s, err) : status;
}

enum status told_look(
    struct db *db, struct told_instrument *t, int64_t now_ms, bool *ret_is_changed, struct error *err)
{
    struct told_session *s = &t->last;
    struct verdict verdict;
    if (!told_is_session_open(t))
        return ST_OK;
    enum status status =
        judge(db, t, s->limit_ms, now_ms, told_is_power_good(t) ? t->power_ms : TOLD_NONE, &verdict, err);
    if (status != ST_OK)
        return status;
    bool is_changed = verdict.is_forgotten ? set_end(s, verdict.until_ms, TOLD_FORGOTTEN, EVIDENCE_INFERRED)
                                           : set_end(s, TOLD_NONE, TOLD_OPEN, EVIDENCE_NONE);
    if (!is_changed)
        return ST_OK;
    *ret_is_changed = true;
    return told_session_update(db, s, err);
}

/* ---- what its power says since ---- */

static enum status settle_one(
    struct db *db, struct told_instrument *t, struct told_session *s, struct error *err)
{
    struct verdict verdict;
    enum status status = judge(db, t, s->limit_ms, s->told_ms, t->activity.last_ms, &verdict, err);
    if (status != ST_OK || !end_told(s, &verdict, s->told_ms))
        return status;
    if (s->id == t->last.id)
        t->last = *s;
    return told_session_update(db, s, err);
}

enum status told_settle(struct db *db, struct told_instrument *t, struct error *err)
{
    if (t->unsettled_ms == INT64_MAX)
        return ST_OK;
    struct told_session *sessions;
    size_t count;
    enum status status = told_sessions_late(db, t->id, t->unsettled_ms, &sessions, &count, err);
    for (size_t i = 0; i < count && status == ST_OK; i++)
        status = settle_one(db, t, &sessions[i], err);
    free(sessions);
    t->unsettled_ms = INT64_MAX;
    return status;
}
