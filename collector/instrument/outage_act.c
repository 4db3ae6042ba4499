/* What people do with outages: each checked against the park model and its like, and written or refused in one sentence. */
#include "collector/instrument/outage.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

const char *const outage_acts[] = {"open", "change", "close", "cancel", NULL};

struct act {
    struct db *db;
    const struct park *park;
    const struct outage_request *request;
    int64_t now_ms;
};

struct shown {
    char text[CLOCK_TEXT_SIZE];
};

static struct shown show(int64_t time_ms)
{
    struct shown s = {"it is closed"};
    if (time_ms != OUTAGE_UNKNOWN_END)
        clock_format_utc(time_ms, s.text);
    return s;
}

/* ---- what it would be ---- */

static enum status check_note(const char *note, struct error *err)
{
    struct span s = span_of(note != NULL ? note : "");
    if (s.len == 0 || s.len > OUTAGE_NOTE_MAX || !text_is_utf8(s) || text_has_control(s) ||
        strspn(s.at, " ") == s.len)
        return error_set(err, ST_INVALID,
            "note is missing, or not a text of 1 to %d bytes; expected a sentence that says why",
            OUTAGE_NOTE_MAX);
    return ST_OK;
}

static enum status check_times(
    const struct act *a, const struct outage *before, const struct outage *o, struct error *err)
{
    if (o->kind != OUTAGE_PLANNED && o->from_ms > a->now_ms)
        return error_set(err, ST_INVALID,
            "from %s is in the future; expected when it began, or a planned outage", show(o->from_ms).text);
    if (o->kind != OUTAGE_PLANNED && o->until_ms != OUTAGE_UNKNOWN_END && o->until_ms > a->now_ms)
        return error_set(err, ST_INVALID,
            "until %s is in the future; expected none before it is over, or a planned outage",
            show(o->until_ms).text);
    bool is_new = before->id == 0 || o->from_ms != before->from_ms;
    if (is_new && o->from_ms < OUTAGE_FIRST_MS)
        return error_set(err, ST_INVALID, "from %s is before %s; expected a later time",
            show(o->from_ms).text, show(OUTAGE_FIRST_MS).text);
    if (is_new && o->from_ms < a->now_ms - OUTAGE_PAST_MS)
        return error_set(err, ST_INVALID, "from %s is more than 366 days ago; expected a later time",
            show(o->from_ms).text);
    if (o->until_ms != OUTAGE_UNKNOWN_END && o->until_ms > a->now_ms + OUTAGE_AHEAD_MS)
        return error_set(err, ST_INVALID, "until %s is more than five years ahead; expected an earlier time",
            show(o->until_ms).text);
    if (o->until_ms <= o->from_ms)
        return error_set(err, ST_INVALID, "until %s is not after from %s; expected a later time",
            show(o->until_ms).text, show(o->from_ms).text);
    return ST_OK;
}

/* Of one target two that are broken, or planned, do not overlap: the second is a mistake, or told twice. Problems may, but
 * not the same one twice. */
static enum status check_apart(const struct act *a, const struct outage *o, struct error *err)
{
    struct db_stmt *find = db_keep(a->db,
        "SELECT id, from_ms, until_ms FROM outage WHERE target_kind = ?1 AND target = ?2 AND kind = ?3"
        " AND is_cancelled = 0 AND id != ?4 AND from_ms < ?6 AND until_ms > ?5"
        " AND (kind != 2 OR (category = ?7 AND note = ?8)) ORDER BY from_ms LIMIT 1");
    db_bind_int(find, 1, o->target_kind);
    db_bind_text(find, 2, span_of(o->target));
    db_bind_int(find, 3, o->kind);
    db_bind_int(find, 4, o->id);
    db_bind_int(find, 5, o->from_ms);
    db_bind_int(find, 6, o->until_ms);
    db_bind_text(find, 7, span_of(o->category->code));
    db_bind_text(find, 8, span_of(o->note));
    bool has_row;
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK && has_row)
        status = error_set(err, ST_INVALID,
            "%s %s has outage %lld (%s) from %s until %s already; expected a time beside it, or a change of "
            "it",
            outage_targets[o->target_kind], o->target, (long long)db_int(find, 0), outage_kinds[o->kind],
            show(db_int(find, 1)).text, show(db_int(find, 2)).text);
    db_reset(find);
    return status;
}

static enum status check(
    const struct act *a, const struct outage *before, const struct outage *o, struct error *err)
{
    enum status status = check_note(o->note, err);
    if (status == ST_OK)
        status = check_times(a, before, o, err);
    return status == ST_OK ? check_apart(a, o, err) : status;
}

/* ---- rows ---- */

static enum status insert(const struct act *a, struct outage *o, struct error *err)
{
    struct db_stmt *add = db_keep(a->db,
        "INSERT INTO outage(kind, target_kind, target, from_ms, until_ms, category, note, opened_ms,"
        " opened_by) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    db_bind_int(add, 1, o->kind);
    db_bind_int(add, 2, o->target_kind);
    db_bind_text(add, 3, span_of(o->target));
    db_bind_int(add, 4, o->from_ms);
    db_bind_int(add, 5, o->until_ms);
    db_bind_text(add, 6, span_of(o->category->code));
    db_bind_text(add, 7, span_of(o->note));
    db_bind_int(add, 8, o->opened_ms);
    db_bind_text(add, 9, span_of(o->opened_by));
    enum status status = db_run(add, err);
    o->id = status == ST_OK ? db_last_id(a->db) : 0;
    return status;
}

static enum status update(const struct act *a, const struct outage *o, struct error *err)
{
    struct db_stmt *set =
        db_keep(a->db, "UPDATE outage SET from_ms = ?2, until_ms = ?3, category = ?4, note = ?5,"
                       " closed_ms = ?6, closed_by = ?7, closed_note = ?8, is_cancelled = ?9 WHERE id = ?1");
    db_bind_int(set, 1, o->id);
    db_bind_int(set, 2, o->from_ms);
    db_bind_int(set, 3, o->until_ms);
    db_bind_text(set, 4, span_of(o->category->code));
    db_bind_text(set, 5, span_of(o->note));
    db_bind_int(set, 6, o->closed_ms);
    db_bind_null(set, 7);
    db_bind_null(set, 8);
    if (o->closed_by != NULL) {
        db_bind_text(set, 7, span_of(o->closed_by));
        db_bind_text(set, 8, span_of(o->closed_note));
    }
    db_bind_int(set, 9, o->is_cancelled);
    return db_run(set, err);
}

/* All that either of the two covers; what is ahead is worked out when it is there. */
static enum status touch(
    const struct act *a, const struct outage *before, const struct outage *after, struct error *err)
{
    struct db_stmt *add = db_keep(
        a->db, "INSERT INTO outage_touched(target_kind, target, from_ms, until_ms) VALUES(?1, ?2, ?3, ?4)");
    bool is_new = before->id == 0;
    db_bind_int(add, 1, after->target_kind);
    db_bind_text(add, 2, span_of(after->target));
    db_bind_int(add, 3, !is_new && before->from_ms < after->from_ms ? before->from_ms : after->from_ms);
    db_bind_int(add, 4, !is_new && before->until_ms > after->until_ms ? before->until_ms : after->until_ms);
    return db_run(add, err);
}

/* ---- acts ---- */

static void replace(char **text, const char *with)
{
    free(*text);
    *text = mem_strdup(with);
}

static enum status open_it(const struct act *a, struct outage *o, struct error *err)
{
    const struct outage_request *r = a->request;
    struct outage_place place;
    if (r->target == NULL || !outage_place_find(a->park, r->target_kind, r->target, &place))
        return error_set(err, ST_INVALID, "%.40s: no %s of the park model; expected the id of one",
            r->target != NULL ? r->target : "", outage_targets[r->target_kind]);
    if (r->kind == OUTAGE_PROBLEM && r->target_kind != OUTAGE_INSTRUMENT)
        return error_set(err, ST_INVALID, "a problem is of a %s; expected one of an instrument",
            outage_targets[r->target_kind]);
    if (r->kind == OUTAGE_PLANNED && !(r->has_from && r->has_until))
        return error_set(err, ST_INVALID, "%s is missing; a planned outage has both from and until",
            r->has_from ? "until" : "from");
    if (r->category == NULL)
        return error_set(err, ST_INVALID, "category is missing; expected one");
    *o = (struct outage){.kind = r->kind,
        .target_kind = r->target_kind,
        .target = mem_strdup(r->target),
        .from_ms = r->has_from ? r->from_ms : a->now_ms,
        .until_ms = r->has_until ? r->until_ms : OUTAGE_UNKNOWN_END,
        .category = r->category,
        .note = mem_strdup(r->note),
        .opened_ms = a->now_ms,
        .opened_by = mem_strdup(r->who)};
    if (o->kind != OUTAGE_PLANNED && r->has_until) { /* it was over before it was told */
        o->closed_ms = a->now_ms;
        o->closed_by = mem_strdup(r->who);
        o->closed_note = mem_strdup(r->note);
    }
    enum status status = check(a, &(struct outage){0}, o, err);
    if (status == ST_OK)
        status = insert(a, o, err);
    return status == ST_OK && o->closed_ms != 0 ? update(a, o, err) : status;
}

static enum status change_it(
    const struct act *a, const struct outage *before, struct outage *o, struct error *err)
{
    const struct outage_request *r = a->request;
    if (r->has_until && before->until_ms == OUTAGE_UNKNOWN_END)
        return error_set(err, ST_INVALID,
            "outage %lld is not over; expected a change without until, or that it is closed",
            (long long)before->id);
    o->from_ms = r->has_from ? r->from_ms : o->from_ms;
    o->until_ms = r->has_until ? r->until_ms : o->until_ms;
    o->category = r->category != NULL ? r->category : o->category;
    if (r->note != NULL)
        replace(&o->note, r->note);
    if (o->from_ms == before->from_ms && o->until_ms == before->until_ms && o->category == before->category &&
        strcmp(o->note, before->note) == 0)
        return error_set(err, ST_INVALID,
            "outage %lld is so already; expected another from, until, category or note",
            (long long)before->id);
    enum status status = check(a, before, o, err);
    return status == ST_OK ? update(a, o, err) : status;
}

static enum status close_it(
    const struct act *a, const struct outage *before, struct outage *o, struct error *err)
{
    const struct outage_request *r = a->request;
    enum outage_state state = outage_state_at(before, a->now_ms);
    o->until_ms = r->has_until ? r->until_ms : a->now_ms;
    if (state == OUTAGE_AHEAD)
        return error_set(err, ST_INVALID,
            "outage %lld begins at %s; expected that it is cancelled, or changed", (long long)before->id,
            show(before->from_ms).text);
    if (state == OUTAGE_OVER)
        return error_set(err, ST_INVALID, "outage %lld is over since %s; expected one that is not",
            (long long)before->id, show(before->until_ms).text);
    if (o->until_ms > a->now_ms)
        return error_set(
            err, ST_INVALID, "until %s is in the future; expected when it was over", show(o->until_ms).text);
    if (o->until_ms < before->from_ms)
        return error_set(err, ST_INVALID, "until %s is before it began, at %s; expected a later time",
            show(o->until_ms).text, show(before->from_ms).text);
    return update(a, o, err);
}

static enum status end_it(
    const struct act *a, const struct outage *before, struct outage *o, struct error *err)
{
    enum status status = check_note(a->request->note, err);
    if (status != ST_OK)
        return status;
    o->closed_ms = a->now_ms;
    replace(&o->closed_by, a->request->who);
    replace(&o->closed_note, a->request->note);
    if (a->request->act == OUTAGE_CLOSE)
        return close_it(a, before, o, err);
    o->is_cancelled = true;
    return update(a, o, err);
}

static enum status do_with(
    const struct act *a, struct outage *before, struct outage *after, struct error *err)
{
    const struct outage_request *r = a->request;
    if (r->act == OUTAGE_OPEN)
        return open_it(a, after, err);
    enum status status = outage_find(a->db, r->id, before, err);
    if (status == ST_OK && before->id == 0)
        status =
            error_set(err, ST_INVALID, "there is no outage %lld; expected the id of one", (long long)r->id);
    if (status == ST_OK && before->is_cancelled)
        status = error_set(
            err, ST_INVALID, "outage %lld was cancelled; expected one that counts", (long long)r->id);
    if (status == ST_OK)
        status = outage_find(a->db, r->id, after, err);
    if (status != ST_OK)
        return status;
    return r->act == OUTAGE_CHANGE ? change_it(a, before, after, err) : end_it(a, before, after, err);
}

enum status outage_do(struct db *db, const struct park *park, const struct outage_request *request,
    int64_t now_ms, struct outage *ret_before, struct outage *ret_after, struct error *err)
{
    struct act a = {db, park, request, now_ms};
    *ret_before = *ret_after = (struct outage){0};
    enum status status = do_with(&a, ret_before, ret_after, err);
    if (status == ST_OK)
        status = touch(&a, ret_before, ret_after, err);
    if (status != ST_OK) {
        outage_release(ret_before);
        outage_release(ret_after);
    }
    return status;
}
