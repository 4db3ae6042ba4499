#include "collector/instrument/told_private.h"

const char told_resource_schema[] = "ALTER TABLE resource ADD COLUMN point TEXT;"
                                    "ALTER TABLE resource ADD COLUMN unread_ms INTEGER;";

enum status told_resource_find(
    struct db *db, const char *resource, struct told_resource *ret, struct error *err)
{
    struct db_stmt *find =
        db_keep(db, "SELECT id, is_down, since_ms, heard_ms, unread_ms FROM resource WHERE name = ?1");
    bool has_row;
    *ret = (struct told_resource){.since_ms = TOLD_NONE, .heard_ms = TOLD_NONE, .unread_ms = TOLD_NONE};
    db_bind_text(find, 1, span_of(resource));
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && has_row)
        *ret = (struct told_resource){.id = db_int(find, 0),
            .is_down = db_int(find, 1) != 0,
            .since_ms = told_time_of(find, 2),
            .heard_ms = told_time_of(find, 3),
            .unread_ms = told_time_of(find, 4)};
    db_reset(find);
    return status;
}

/* What the former point told says nothing of how fresh this one is; and that it is down is for a fresh word to end. */
static enum status use_point(
    struct db *db, const char *point, struct told_resource *r, bool *ret_is_changed, struct error *err)
{
    struct db_stmt *change = db_keep(
        db, "UPDATE resource SET point = ?2, " TOLD_RESOURCE_LEFT " WHERE id = ?1 AND point IS NOT ?2");
    db_bind_int(change, 1, r->id);
    told_bind_text(change, 2, point);
    enum status status = db_run(change, err);
    if (status != ST_OK || db_changes(db) == 0)
        return status;
    *ret_is_changed = true;
    r->unread_ms = told_later_of(r->heard_ms, r->unread_ms);
    r->heard_ms = TOLD_NONE;
    return ST_OK;
}

enum status told_resource_take_up(struct db *db, const char *name, const char *point,
    struct told_resource *ret, bool *ret_is_changed, struct error *err)
{
    enum status status = told_resource_find(db, name, ret, err);
    if (status != ST_OK || ret->id != 0)
        return status == ST_OK ? use_point(db, point, ret, ret_is_changed, err) : status;
    struct db_stmt *add = db_keep(db, "INSERT INTO resource(name, is_down, point) VALUES(?1, 0, ?2)");
    db_bind_text(add, 1, span_of(name));
    told_bind_text(add, 2, point);
    status = db_run(add, err);
    *ret_is_changed = true;
    ret->id = db_last_id(db);
    return status;
}

static enum status save(struct db *db, const struct told_resource *r, struct error *err)
{
    struct db_stmt *change = db_keep(
        db, "UPDATE resource SET is_down = ?2, since_ms = ?3, heard_ms = ?4, unread_ms = ?5 WHERE id = ?1");
    db_bind_int(change, 1, r->id);
    db_bind_int(change, 2, r->is_down);
    told_bind_time(change, 3, r->since_ms);
    told_bind_time(change, 4, r->heard_ms);
    told_bind_time(change, 5, r->unread_ms);
    return db_run(change, err);
}

/* As of now, by what arrived: availability_is_down. Clocks differ; what may not be used must never look as if it may: a `down`
 * that is fresh counts as at the newest change, and an `up` only as the newest word of all, also of those that nobody can read. */
static bool counts_now(
    const struct told_resource *r, const struct told_word *w, const struct told_word *newest)
{
    if (w->is_fresh && !w->says_up)
        return true;
    return !told_word_is_before(w, newest) && w->at_ms >= r->since_ms &&
           (!w->says_up || w->at_ms >= r->unread_ms);
}

/* A person's is newer than all that was told, also where that arrived before its time. */
static void put_last(const struct told_resource *r, struct told_word *w, const struct told_word *newest)
{
    w->at_ms =
        told_later_of(w->at_ms, told_later_of(told_later_of(newest->at_ms, r->since_ms), r->unread_ms));
    w->time_ms = w->at_ms;
    if (w->at_ms == newest->at_ms && w->time_ms <= newest->time_ms)
        w->time_ms = newest->time_ms + 1;
}

enum status told_resource_say(
    struct db *db, struct told_resource *r, const struct told_word *word, struct error *err)
{
    struct told_word w = *word;
    struct told_word newest;
    enum status status = told_word_newest(db, r->id, &newest, err);
    if (status == ST_OK && w.evidence == EVIDENCE_MANUAL)
        put_last(r, &w, &newest);
    if (status == ST_OK)
        status = told_word_add(db, r->id, &w, newest.at_ms, err);
    bool is_down = availability_is_down(r->is_down, w.says_up, w.is_fresh);
    if (status != ST_OK || !counts_now(r, &w, &newest) || (r->since_ms != TOLD_NONE && is_down == r->is_down))
        return status;
    r->is_down = is_down;
    r->since_ms = told_later_of(w.at_ms, r->since_ms);
    return save(db, r, err);
}

enum status told_resource_heard(struct db *db, struct told_resource *r, int64_t heard_ms, struct error *err)
{
    if (heard_ms <= r->heard_ms || heard_ms < r->unread_ms)
        return ST_OK;
    r->heard_ms = heard_ms;
    return save(db, r, err);
}

enum status told_resource_unread(struct db *db, struct told_resource *r, int64_t at_ms, struct error *err)
{
    if (at_ms < told_later_of(r->heard_ms, r->unread_ms))
        return ST_OK;
    r->unread_ms = at_ms;
    r->heard_ms = TOLD_NONE;
    return save(db, r, err);
}
