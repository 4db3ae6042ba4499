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

/* What its point told last, whatever people said since. By their times: a close of before an open session is noted after it, and is
 * no newer. */
struct newest {
    bool is_open;
    char event[SESSION_EVENT_ID_MAX + 1]; /* "" = it never told anything */
};
static enum status newest_of_point(
    struct db *db, const struct told_instrument *t, struct newest *ret, struct error *err)
{
#define OPENED_LAST "(close_event IS NULL OR " CLOSED_BY " = ?3)"
    struct db_stmt *find =
        db_keep(db, "SELECT " OPENED_LAST ", CASE WHEN " OPENED_LAST
                    " THEN open_event ELSE close_event END FROM session WHERE instrument = ?1"
                    "  AND (evidence = ?2 OR (close_event IS NOT NULL AND " CLOSED_BY " <> ?3))"
                    " ORDER BY opened_ms DESC, id DESC LIMIT 1");
    bool has_row;
    *ret = (struct newest){.is_open = false};
    db_bind_int(find, 1, t->id);
    db_bind_int(find, 2, EVIDENCE_DECLARED);
    db_bind_int(find, 3, EVIDENCE_MANUAL);
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && has_row) {
        ret->is_open = db_int(find, 0) != 0;
        told_copy_text(ret->event, sizeof ret->event, db_text(find, 1));
    }
    db_reset(find);
    return status;
}

static enum status is_newest(struct db *db, const struct told_instrument *t, const struct session_event *e,
    bool *ret, struct error *err)
{
    struct newest newest;
    enum status status = newest_of_point(db, t, &newest, err);
    *ret = status == ST_OK && newest.is_open == e->is_open && strcmp(newest.event, e->id) == 0;
    return status;
}

static enum hours_evidence newest_by(const struct told_instrument *t)
{
    const struct told_session *s = &t->last;
    return told_is_session_open(t)   ? s->evidence
           : s->told_ms != TOLD_NONE ? s->told_evidence
                                     : s->closed_evidence;
}

/* A person's time is that of this machine: what a point stamped before it was before it, however long it was under way. */
static bool is_before_a_person(const struct told_instrument *t, int64_t time_ms)
{
    return t->last.id != 0 && newest_by(t) == EVIDENCE_MANUAL && time_ms < told_floor_ms(t);
}

/* What it said before. Of one that is not known a session is its own where a point opened it. */
static bool said_open(const struct told_instrument *t, bool is_open, bool was_open)
{
    if (t->has_polled && !t->is_session_other)
        return t->says_open;
    return is_open ? was_open : t->last.evidence == EVIDENCE_DECLARED;
}

enum status told_polled(struct db *db, struct told_instrument *t, bool is_open, int64_t time_ms, bool is_late,
    enum told_word_news *ret, struct error *err)
{
    bool was_open = told_is_session_open(t), is_placed = is_late || is_before_a_person(t, time_ms);
    *ret = TOLD_NO_EVENT;
    if (!is_placed && !is_open && time_ms < t->last.opened_ms)
        return ST_OK;
    /* That it is over is of who was there before, where a person opened since it last said that it is open. */
    bool is_of_before =
        !is_placed && !is_open && t->last.evidence == EVIDENCE_MANUAL && t->session_ms < t->last.opened_ms;
    enum status status = is_placed ? told_was_open(db, t, time_ms, &was_open, err) : ST_OK;
    if (is_open != was_open && is_open != said_open(t, is_open, was_open) && !is_of_before)
        *ret = TOLD_EVENT;
    else if (is_open && !told_is_session_open(t))
        *ret = TOLD_CONTRADICTS;
    t->has_polled = true;
    t->says_open = is_open;
    return status;
}

/* Whether that close is of the session that is open: by its id (one for both), or noted while it was open, if a point opened it. */
static enum status is_its_close(
    struct db *db, const struct told_instrument *t, const char *event, bool *ret, struct error *err)
{
    *ret = strcmp(event, t->last.open_event) == 0;
    if (*ret || t->last.evidence != EVIDENCE_DECLARED)
        return ST_OK;
    struct db_stmt *find = db_keep(db,
        "SELECT 1 FROM session WHERE instrument = ?1 AND close_event = ?2 AND why = ?3 AND id > ?4"
        " AND is_displaced = 0 LIMIT 1");
    db_bind_int(find, 1, t->id);
    db_bind_text(find, 2, span_of(event));
    db_bind_int(find, 3, TOLD_UNOPENED);
    db_bind_int(find, 4, t->last.id);
    enum status status = db_step(find, ret, err);
    db_reset(find);
    return status;
}

/* Whether it closed a session whose opening had the id of that which is open: its reader began anew, and tells the same again. */
static enum status is_close_of_anew(
    struct db *db, const struct told_instrument *t, const char *event, bool *ret, struct error *err)
{
    struct db_stmt *find = db_keep(db, "SELECT 1 FROM session WHERE instrument = ?1 AND close_event = ?2 AND"
                                       " open_event = ?3 AND id <> ?4 LIMIT 1");
    db_bind_int(find, 1, t->id);
    db_bind_text(find, 2, span_of(event));
    db_bind_text(find, 3, span_of(t->last.open_event));
    db_bind_int(find, 4, t->last.id);
    enum status status = db_step(find, ret, err);
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

void told_session_begin(const struct told_instrument *t, struct told_session *ret,
    const struct session_event *e, int64_t time_ms, enum hours_user user, enum hours_evidence evidence)
{
    *ret = (struct told_session){.opened_ms = time_ms,
        .closed_ms = TOLD_NONE,
        .told_ms = TOLD_NONE,
        .limit_ms = time_ms + t->max_session_ms,
        .user = user,
        .class = e->class,
        .evidence = evidence,
        .end = TOLD_OPEN};
    memcpy(ret->organisation, e->organisation, sizeof ret->organisation);
    memcpy(ret->purpose, e->purpose, sizeof ret->purpose);
    memcpy(ret->open_event, e->id, sizeof ret->open_event);
}

static enum status open_one(struct db *db, struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, enum hours_user user, enum hours_evidence evidence, enum told_news *ret,
    struct error *err)
{
    enum status status = ST_OK;
    if (told_is_session_open(t))
        status = told_session_over(db, t, &t->last, time_ms, evidence, err);
    *ret = t->last.end == TOLD_NEXT ? TOLD_TWICE_OPEN : TOLD_TAKEN;
    told_session_begin(t, &t->last, e, time_ms, user, evidence);
    return status == ST_OK ? told_session_insert(db, t->id, &t->last, err) : status;
}

void told_session_lone(
    struct told_session *ret, const char *event, int64_t time_ms, enum hours_evidence evidence)
{
    *ret = (struct told_session){.opened_ms = time_ms,
        .closed_ms = time_ms,
        .told_ms = TOLD_NONE,
        .limit_ms = TOLD_NONE,
        .evidence = EVIDENCE_NONE,
        .closed_evidence = evidence,
        .end = TOLD_UNOPENED};
    memcpy(ret->close_event, event, strlen(event) + 1);
}

static enum status note_close(struct db *db, int64_t instrument, const struct session_event *e,
    int64_t time_ms, enum hours_evidence evidence, struct told_session *ret, struct error *err)
{
    told_session_lone(ret, e->id, time_ms, evidence);
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
    enum status status = told_session_over(db, t, &t->last, time_ms, evidence, err);
    *ret = t->last.end == TOLD_FORGOTTEN ? TOLD_CLOSED_LATE : TOLD_TAKEN;
    return status;
}

/* An event that a point told before, and others since: whether it counts, and what is to be said of it else. */
static enum status weigh_again(struct db *db, const struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, bool *ret_counts, enum told_news *ret, struct error *err)
{
    bool contradicts = e->is_open != told_is_session_open(t), is_later = time_ms > told_floor_ms(t);
    *ret = TOLD_OLDER;
    *ret_counts = e->is_open && contradicts && is_later;
    if (e->is_open || !contradicts || time_ms < t->last.opened_ms)
        return ST_OK;
    enum status status = is_its_close(db, t, e->id, ret_counts, err);
    if (status == ST_OK && !*ret_counts && is_later)
        status = is_close_of_anew(db, t, e->id, ret_counts, err);
    if (!*ret_counts && is_later)
        *ret = TOLD_DOUBTED;
    return status;
}

static enum status take(struct db *db, struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, bool is_late, enum hours_user user, enum hours_evidence evidence, enum told_news *ret,
    struct error *err)
{
    bool is_point = evidence == EVIDENCE_DECLARED, is_repeated = false, is_known = false;
    *ret = TOLD_KNOWN;
    enum status status = is_point ? is_newest(db, t, e, &is_repeated, err) : ST_OK;
    if (status == ST_OK && !is_repeated)
        status = told_is_known(db, t, e->id, time_ms, &is_known, err);
    bool counts = !is_repeated && !is_known;
    if (status == ST_OK && is_known && is_point)
        status = weigh_again(db, t, e, time_ms, &counts, ret, err);
    if (status != ST_OK || !counts)
        return status;
    bool is_placed = false;
    if (!is_known && (is_late || (is_point && is_before_a_person(t, time_ms))))
        status = told_place(db, t, e, time_ms, user, &is_placed, ret, err);
    /* A person closed what nobody had told, or another: whether that was of this one nobody knows. */
    bool is_over = false;
    if (status == ST_OK && is_placed && e->is_open && !told_is_session_open(t) &&
        newest_by(t) == EVIDENCE_MANUAL)
        status = is_newest(db, t, e, &is_over, err);
    if (is_over)
        *ret = TOLD_OVER;
    if (status != ST_OK || is_placed)
        return status;
    int64_t open_ms = told_later_of(time_ms, told_floor_ms(t));
    status = e->is_open ? open_one(db, t, e, open_ms, user, evidence, ret, err)
                        : close_one(db, t, e, time_ms, evidence, ret, err);
    if (is_known && e->is_open && *ret == TOLD_TAKEN)
        *ret = TOLD_USED_AGAIN;
    return status;
}

enum status told_event(struct db *db, struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, enum hours_user user, enum hours_evidence evidence, enum told_news *ret,
    struct error *err)
{
    return take(db, t, e, time_ms, false, user, evidence, ret, err);
}

enum status told_event_late(struct db *db, struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, enum hours_user user, enum told_news *ret, struct error *err)
{
    return take(db, t, e, time_ms, true, user, EVIDENCE_DECLARED, ret, err);
}
