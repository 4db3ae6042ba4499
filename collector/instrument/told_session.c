#include "collector/instrument/told_private.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

const char *const told_ends[] = {"open", "closed", "next_opened", "forgotten", "never_opened", NULL};

#define COLUMNS                                                                                        \
    "id, opened_ms, closed_ms, user, class, organisation, purpose, open_event, close_event, evidence," \
    " closed_evidence, why"

static void copy_text(char *to, size_t size, struct span text)
{
    size_t length = text.len < size ? text.len : size - 1;
    if (length > 0)
        memcpy(to, text.at, length);
    to[length] = '\0';
}

static void read_row(struct db_stmt *row, struct told_session *ret)
{
    *ret = (struct told_session){.id = db_int(row, 0),
        .opened_ms = db_int(row, 1),
        .closed_ms = told_time_of(row, 2),
        .user = (enum hours_user)db_int(row, 3),
        .class = (enum session_class)db_int(row, 4),
        .evidence = (enum hours_evidence)db_int(row, 9),
        .closed_evidence = (enum hours_evidence)db_int(row, 10),
        .end = (enum told_end)db_int(row, 11)};
    copy_text(ret->organisation, sizeof ret->organisation, db_text(row, 5));
    copy_text(ret->purpose, sizeof ret->purpose, db_text(row, 6));
    copy_text(ret->open_event, sizeof ret->open_event, db_text(row, 7));
    copy_text(ret->close_event, sizeof ret->close_event, db_text(row, 8));
}

enum status told_session_newest(
    struct db *db, int64_t instrument, struct told_session *ret, struct error *err)
{
    struct db_stmt *newest = db_keep(
        db, "SELECT " COLUMNS " FROM session WHERE instrument = ?1 ORDER BY opened_ms DESC, id DESC LIMIT 1");
    bool has_row;
    *ret = (struct told_session){0};
    db_bind_int(newest, 1, instrument);
    enum status status = db_step(newest, &has_row, err);
    if (status == ST_OK && has_row)
        read_row(newest, ret);
    db_reset(newest);
    return status;
}

enum status told_is_known(struct db *db, const struct told_instrument *t, const char *event, int64_t time_ms,
    bool *ret, struct error *err)
{
    /* By the indexes of the ids: hence no index of time. */
    struct db_stmt *find = db_keep(db,
        "SELECT 1 FROM session WHERE instrument = ?1 AND open_event = ?2 AND +opened_ms >= ?3"
        " UNION ALL SELECT 1 FROM session WHERE instrument = ?1 AND close_event = ?2 AND +closed_ms >= ?3");
    db_bind_int(find, 1, t->id);
    db_bind_text(find, 2, span_of(event));
    db_bind_int(find, 3, time_ms - TOLD_KNOWN_MS);
    enum status status = db_step(find, ret, err);
    db_reset(find);
    return status;
}

/* Whether it is the newest that its point told: what a point repeats, whatever people said since. */
static enum status is_newest(struct db *db, const struct told_instrument *t, const struct session_event *e,
    bool *ret, struct error *err)
{
    struct db_stmt *find = db_keep(db,
        "SELECT ifnull(?2 = CASE WHEN ?3 THEN open_event ELSE close_event END, 0)"
        "  AND ?3 = (close_event IS NULL OR closed_evidence = ?5) FROM session WHERE instrument = ?1"
        "  AND (evidence = ?4 OR (close_event IS NOT NULL AND closed_evidence <> ?5))"
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

static void bind_word(struct db_stmt *s, int index, const char *word)
{
    if (word[0] == '\0')
        db_bind_null(s, index);
    else
        db_bind_text(s, index, span_of(word));
}

static enum status insert(struct db *db, int64_t instrument, struct told_session *s, struct error *err)
{
    struct db_stmt *add = db_keep(db, "INSERT INTO session(instrument, opened_ms, closed_ms, user, class, "
                                      "organisation, purpose, open_event,"
                                      " close_event, evidence, closed_evidence, why) VALUES(?1, ?2, ?3, ?4, "
                                      "?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
    db_bind_int(add, 1, instrument);
    db_bind_int(add, 2, s->opened_ms);
    told_bind_time(add, 3, s->closed_ms);
    db_bind_int(add, 4, s->user);
    db_bind_int(add, 5, s->class);
    bind_word(add, 6, s->organisation);
    bind_word(add, 7, s->purpose);
    bind_word(add, 8, s->open_event);
    bind_word(add, 9, s->close_event);
    db_bind_int(add, 10, s->evidence);
    db_bind_int(add, 11, s->closed_evidence);
    db_bind_int(add, 12, s->end);
    enum status status = db_run(add, err);
    s->id = db_last_id(db);
    return status;
}

static enum status update_end(struct db *db, const struct told_session *s, struct error *err)
{
    struct db_stmt *end = db_keep(db,
        "UPDATE session SET closed_ms = ?2, close_event = ?3, closed_evidence = ?4, why = ?5 WHERE id = ?1");
    db_bind_int(end, 1, s->id);
    told_bind_time(end, 2, s->closed_ms);
    bind_word(end, 3, s->close_event);
    db_bind_int(end, 4, s->closed_evidence);
    db_bind_int(end, 5, s->end);
    return db_run(end, err);
}

static enum status end(struct db *db, struct told_session *s, int64_t time_ms, enum told_end end,
    enum hours_evidence evidence, struct error *err)
{
    s->closed_ms = told_later_of(time_ms, s->opened_ms);
    s->end = end;
    s->closed_evidence = evidence;
    return update_end(db, s, err);
}

int64_t told_floor_ms(const struct told_instrument *t)
{
    const struct told_session *s = &t->last;
    if (s->id == 0)
        return TOLD_NONE;
    return told_is_session_open(t) ? s->opened_ms : s->closed_ms;
}

static enum status open_one(struct db *db, struct told_instrument *t, const struct session_event *e,
    int64_t time_ms, enum hours_user user, enum hours_evidence evidence, enum told_news *ret,
    struct error *err)
{
    bool is_over = t->last.end == TOLD_FORGOTTEN && t->last.closed_ms <= time_ms;
    bool is_second = told_is_session_open(t) && !is_over;
    enum status status = ST_OK;
    if (is_second)
        status = end(db, &t->last, time_ms, TOLD_NEXT, EVIDENCE_INFERRED, err);
    *ret = is_second ? TOLD_TWICE_OPEN : TOLD_TAKEN;
    struct told_session next = {.opened_ms = time_ms,
        .closed_ms = TOLD_NONE,
        .user = user,
        .class = e->class,
        .evidence = evidence,
        .end = TOLD_OPEN};
    memcpy(next.organisation, e->organisation, sizeof next.organisation);
    memcpy(next.purpose, e->purpose, sizeof next.purpose);
    memcpy(next.open_event, e->id, sizeof next.open_event);
    t->last = next;
    return status == ST_OK ? insert(db, t->id, &t->last, err) : status;
}

/* A close alone. */
static enum status note_close(struct db *db, int64_t instrument, const struct session_event *e,
    int64_t time_ms, enum hours_evidence evidence, struct told_session *ret, struct error *err)
{
    *ret = (struct told_session){.opened_ms = time_ms,
        .closed_ms = time_ms,
        .evidence = EVIDENCE_NONE,
        .closed_evidence = evidence,
        .end = TOLD_UNOPENED};
    memcpy(ret->close_event, e->id, sizeof ret->close_event);
    return insert(db, instrument, ret, err);
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
    bool is_late = t->last.end == TOLD_FORGOTTEN && t->last.closed_ms <= time_ms;
    *ret = is_late ? TOLD_CLOSED_LATE : TOLD_TAKEN;
    return is_late ? update_end(db, &t->last, err) : end(db, &t->last, time_ms, TOLD_CLOSED, evidence, err);
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

/* Until when it ran on without a break from `from_ms`: that itself where it did not run then. */
static enum status ran_on_until(
    struct db *db, const struct told_instrument *t, int64_t from_ms, int64_t *ret, struct error *err)
{
    struct activity_span open;
    struct db_stmt *ran =
        db_keep(db, "SELECT until_ms FROM activity_span WHERE instrument = ?1 AND state = ?2"
                    " AND from_ms <= ?3 AND until_ms > ?3");
    bool has_row;
    *ret = from_ms;
    if (activity_open(&t->activity, &open) && open.state == ACTIVITY_RUNNING && open.from_ms <= from_ms) {
        *ret = told_later_of(from_ms, open.until_ms);
        return ST_OK;
    }
    db_bind_int(ran, 1, t->id);
    db_bind_int(ran, 2, ACTIVITY_RUNNING);
    db_bind_int(ran, 3, from_ms);
    enum status status = db_step(ran, &has_row, err);
    if (status == ST_OK && has_row)
        *ret = db_int(ran, 0);
    db_reset(ran);
    return status;
}

enum status told_forget(struct db *db, struct told_instrument *t, int64_t until_ms, struct error *err)
{
    int64_t end_ms;
    enum status status = ran_on_until(db, t, until_ms, &end_ms, err);
    if (status != ST_OK)
        return status;
    return end(db, &t->last, end_ms, TOLD_FORGOTTEN, EVIDENCE_INFERRED, err);
}

/* ---- reading ---- */

enum status told_sessions(struct db *db, int64_t instrument, int64_t from_ms, int64_t until_ms,
    struct told_session **ret, size_t *ret_count, struct error *err)
{
    /* Sessions do not overlap: of those opened before, only the newest can reach in. */
    struct db_stmt *rows = db_keep(db,
        "SELECT " COLUMNS " FROM session WHERE instrument = ?1 AND opened_ms < ?3 AND opened_ms >="
        "  coalesce((SELECT max(opened_ms) FROM session WHERE instrument = ?1 AND opened_ms <= ?2 AND"
        "    (closed_ms IS NULL OR closed_ms > opened_ms)), ?2)"
        " AND (closed_ms IS NULL OR (closed_ms > ?2 AND closed_ms > opened_ms)) ORDER BY opened_ms, id");
    struct told_session *items = NULL;
    size_t count = 0, capacity = 0;
    bool has_row;
    enum status status;
    db_bind_int(rows, 1, instrument);
    db_bind_int(rows, 2, from_ms);
    db_bind_int(rows, 3, until_ms);
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row) {
        MEM_GROW(items, count, capacity);
        read_row(rows, &items[count++]);
    }
    db_reset(rows);
    *ret = items;
    *ret_count = count;
    return status;
}

static struct db_stmt *page_of(struct db *db, const char *instrument)
{
    if (instrument == NULL)
        return db_keep(db, "SELECT " COLUMNS ", (SELECT name FROM instrument WHERE id = session.instrument)"
                           " FROM session WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
    struct db_stmt *page =
        db_keep(db, "SELECT " COLUMNS ", ?3 FROM session WHERE id < ?1 AND instrument ="
                    " (SELECT id FROM instrument WHERE name = ?3) ORDER BY id DESC LIMIT ?2");
    db_bind_text(page, 3, span_of(instrument));
    return page;
}

enum status told_sessions_each(struct db *db, const char *instrument, int64_t before, int64_t limit,
    void (*each)(void *user_data, const char *instrument, const struct told_session *session),
    void *user_data, struct error *err)
{
    struct db_stmt *page = page_of(db, instrument);
    bool has_row;
    enum status status;
    db_bind_int(page, 1, before);
    db_bind_int(page, 2, limit);
    while ((status = db_step(page, &has_row, err)) == ST_OK && has_row) {
        struct told_session session;
        char name[ID_MAX + 1];
        read_row(page, &session);
        copy_text(name, sizeof name, db_text(page, 12));
        each(user_data, name, &session);
    }
    db_reset(page);
    return status;
}
