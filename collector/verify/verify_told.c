/*
 * What instruments and resources told (collector/instrument/told.h), taken anew from the journal by the versions of the park
 * model that were in force (collector/watch.h), and held against the rows:
 *
 *   activity_span, session_unseen  and the newest state and words of each instrument: always. Where the beginning of the journal is not
 *                                  there any more, from the first gap in the instrument's power on that both have, after which nothing
 *                                  before counts (rule I1)
 *   session, resource_down         only where all of the journal is there, and no person said anything of the instrument or resource,
 *                                  and no session of it was ended by inference: when that was, between which batches, is not noted
 *
 * Up to cursor 'watch_noted' nobody knows which version was in use: what came before is as if it were not there any more.
 */
#include "collector/schema.h"
#include "collector/verify/verify_private.h"
#include "collector/watch.h"
#include "lib/clock.h"
#include "lib/cursor.h"
#include "lib/id.h"
#include "lib/mem.h"
#include "lib/program.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct told_again {
    struct verify *v;
    struct db *memory;
    struct watch watch;
    bool is_whole;    /* all of the journal is there */
    int64_t begin_ms; /* when the first batch of it arrived that is taken anew; INT64_MAX: there is none */
    int64_t rows;     /* that were compared */
};

/* Rows of one of the tables, of one instrument or resource: from when, until when (NULL: it is not over), and what else the row says.
 * ?1 = its id, ?2 = after that time, ?3 to ?4 the period. */
struct rows {
    const char *of, *name, *sql;
};
#define OF(id) "WHERE " id " = ?1 AND from_ms > ?2 AND from_ms >= ?3 AND from_ms < ?4 ORDER BY from_ms"
static const struct rows activity = {"instrument", "activity",
    "SELECT from_ms, until_ms, CASE state WHEN 0 THEN 'unknown' WHEN 1 THEN 'off' WHEN 2 THEN 'standby'"
    " WHEN 3 THEN 'running' ELSE state END FROM activity_span " OF("instrument")};
static const struct rows unseen = {"instrument", "point of its sessions",
    "SELECT from_ms, until_ms, 'not heard' FROM session_unseen " OF("instrument")};
static const struct rows sessions = {"instrument", "sessions",
    "SELECT opened_ms, closed_ms, 'user ' || user || ', class ' || class || ', organisation ' ||"
    " ifnull(organisation, '-') || ', purpose ' || ifnull(purpose, '-') || ', events ' || ifnull(open_event, "
    "'-') ||"
    " ' ' || ifnull(close_event, '-') || ', evidence ' || evidence || ' ' || closed_evidence || ', end ' || "
    "why"
    " FROM session WHERE instrument = ?1 AND opened_ms > ?2 AND opened_ms >= ?3 AND opened_ms < ?4"
    " ORDER BY opened_ms, id"};
static const struct rows down = {"resource", "state",
    "SELECT from_ms, until_ms, 'down, evidence ' || evidence FROM resource_down " OF("resource")};

/* No session is ended by inference. */
static bool is_never_synchronised(void)
{
    return false;
}

static enum status read_number(
    struct db *db, const char *sql, const char *text, int64_t *ret, struct error *err)
{
    struct db_stmt *s = db_keep(db, sql);
    bool has_row;
    if (text != NULL)
        db_bind_text(s, 1, span_of(text));
    enum status status = db_step(s, &has_row, err);
    *ret = status == ST_OK && has_row && !db_is_null(s, 0) ? db_int(s, 0) : 0;
    db_reset(s);
    return status;
}

static enum status take_step(
    struct told_again *t, const struct clock *clock, bool *ret_is_changed, struct error *err)
{
    *ret_is_changed = false;
    enum status status = db_begin(t->memory, err);
    if (status != ST_OK)
        return status;
    status = watch_step(&t->watch, clock, ret_is_changed, err);
    if (status == ST_OK)
        status = db_commit(t->memory, err);
    else
        db_rollback(t->memory);
    progress_show(&t->v->progress, "took what instruments told up to batch %lld of the journal",
        (long long)t->watch.follower.position);
    return status == ST_OK && program_is_asked_to_end() ? error_set(err, ST_TIMEOUT, "stopped") : status;
}

static enum status take_anew(struct told_again *t, int64_t from, struct error *err)
{
    const struct clock clock = {.wall_ms = clock_system.wall_ms,
        .mono_ms = clock_system.mono_ms,
        .is_synchronised = is_never_synchronised};
    bool is_changed = true;
    enum status status = cursor_move(t->memory, "watch", from, err);
    while (status == ST_OK && is_changed)
        status = take_step(t, &clock, &is_changed, err);
    progress_end(&t->v->progress);
    return status;
}

/* ---- comparing ---- */

static struct db_stmt *rows_of(
    struct db *db, const struct verify *v, const struct rows *rows, int64_t id, int64_t after_ms)
{
    struct db_stmt *s = db_prepare(db, rows->sql);
    db_bind_int(s, 1, id);
    db_bind_int(s, 2, after_ms);
    db_bind_int(s, 3, v->from_ms);
    db_bind_int(s, 4, v->until_ms);
    return s;
}

static char *text_of(struct db_stmt *row, bool has_row)
{
    if (!has_row)
        return mem_strdup("nothing");
    char from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE] = "-";
    struct span text = db_text(row, 2);
    clock_format_utc(db_int(row, 0), from);
    if (!db_is_null(row, 1))
        clock_format_utc(db_int(row, 1), until);
    return mem_printf("%.*s from %s until %s", (int)text.len, text.at, from, until);
}

/* The first row that differs is told: those after it mostly follow from it. */
static enum status compare(struct told_again *t, const struct rows *rows, const char *name, int64_t held_id,
    int64_t given_id, int64_t after_ms, struct error *err)
{
    struct db_stmt *held = rows_of(t->v->db, t->v, rows, held_id, after_ms),
                   *given = rows_of(t->memory, t->v, rows, given_id, after_ms);
    bool has_held = true, has_given = true, is_same = true;
    enum status status = ST_OK;
    while (status == ST_OK && is_same && has_held) {
        status = db_step(held, &has_held, err);
        if (status == ST_OK)
            status = db_step(given, &has_given, err);
        if (status != ST_OK)
            break;
        char *is = text_of(held, has_held), *gives = text_of(given, has_given);
        is_same = strcmp(is, gives) == 0;
        t->rows += has_held;
        if (!is_same)
            verify_differs(t->v, "%s %s, %s: the database says %s, the journal gives %s", rows->of, name,
                rows->name, is, gives);
        free(is);
        free(gives);
    }
    db_finish(held);
    db_finish(given);
    return status;
}

/* ---- instruments ---- */

/* *ret_ms: from its end on what was before the journal's begin counts no more. INT64_MAX: nothing is known to. */
static enum status find_common_gap(
    struct told_again *t, int64_t held_id, int64_t given_id, int64_t *ret_ms, struct error *err)
{
    struct db_stmt *next = db_keep(t->memory,
        "SELECT from_ms, until_ms FROM activity_span WHERE instrument = ?1 AND state = 0 ORDER BY from_ms");
    struct db_stmt *same = db_keep(t->v->db,
        "SELECT 1 FROM activity_span WHERE instrument = ?1 AND from_ms = ?2 AND until_ms = ?3 AND state = 0");
    bool has_row, is_there = false;
    enum status status;
    *ret_ms = INT64_MAX;
    db_bind_int(next, 1, given_id);
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row && !is_there) {
        db_bind_int(same, 1, held_id);
        db_bind_int(same, 2, db_int(next, 0));
        db_bind_int(same, 3, db_int(next, 1));
        status = db_step(same, &is_there, err);
        db_reset(same);
        if (is_there)
            *ret_ms = db_int(next, 0);
        if (status != ST_OK)
            break;
    }
    db_reset(next);
    return status;
}

static void compare_newest(struct told_again *t, const char *name, const struct told_instrument *held,
    const struct told_instrument *given, int64_t power_from_ms)
{
    if (power_from_ms != INT64_MAX && memcmp(&held->activity, &given->activity, sizeof held->activity) != 0)
        verify_differs(t->v, "instrument %s: its newest activity is not what the journal gives", name);
    if (power_from_ms != INT64_MAX && held->power_ms != given->power_ms)
        verify_differs(
            t->v, "instrument %s: the newest word of its power is not what the journal gives", name);
    if ((t->is_whole || held->session_ms > t->begin_ms) && held->session_ms != given->session_ms)
        verify_differs(t->v,
            "instrument %s: the newest word of the point of its sessions is not what the journal gives",
            name);
}

static enum status compare_sessions(struct told_again *t, const char *name,
    const struct told_instrument *held, int64_t given_id, struct error *err)
{
    static const char by_others[] =
        "SELECT count(*) FROM session WHERE instrument = (SELECT id FROM instrument WHERE name = ?1)"
        " AND (evidence = 4 OR closed_evidence = 4 OR why = 3)";
    _Static_assert(EVIDENCE_MANUAL == 4 && TOLD_FORGOTTEN == 3, "as the query has them");
    int64_t others = 0;
    enum status status = t->is_whole ? read_number(t->v->db, by_others, name, &others, err) : ST_OK;
    if (status != ST_OK || !t->is_whole || others > 0)
        return status;
    return compare(t, &sessions, name, held->id, given_id, INT64_MIN, err);
}

static enum status compare_instrument(struct told_again *t, const char *name, struct error *err)
{
    struct told_instrument held, given;
    int64_t from_ms = INT64_MIN;
    enum status status = told_find(t->v->db, name, &held, err);
    if (status == ST_OK)
        status = told_find(t->memory, name, &given, err);
    if (status == ST_OK && !t->is_whole)
        status = find_common_gap(t, held.id, given.id, &from_ms, err);
    if (status == ST_OK && from_ms != INT64_MAX)
        status = compare(t, &activity, name, held.id, given.id, from_ms, err);
    if (status == ST_OK)
        status = compare(t, &unseen, name, held.id, given.id, t->is_whole ? INT64_MIN : t->begin_ms, err);
    if (status == ST_OK)
        compare_newest(t, name, &held, &given, from_ms);
    return status == ST_OK ? compare_sessions(t, name, &held, given.id, err) : status;
}

/* ---- resources ---- */

static enum status compare_resource(struct told_again *t, const char *name, struct error *err)
{
    static const char by_people[] = "SELECT count(*) FROM change_log WHERE action <> 'restore' AND"
                                    " (object = 'resource ' || ?1 OR object LIKE 'resource ' || ?1 || ', %')";
    struct told_resource held, given;
    int64_t said = 0;
    enum status status = t->is_whole ? read_number(t->v->db, by_people, name, &said, err) : ST_OK;
    if (status != ST_OK || !t->is_whole || said > 0)
        return status;
    if ((status = told_resource_find(t->v->db, name, &held, err)) == ST_OK)
        status = told_resource_find(t->memory, name, &given, err);
    /* A restore makes the word of before no word of now; it comes between two batches, and is not noted. */
    bool is_heard_other = held.heard_ms != TOLD_NONE && held.heard_ms != given.heard_ms;
    if (status == ST_OK &&
        (held.is_down != given.is_down || held.since_ms != given.since_ms || is_heard_other))
        verify_differs(t->v, "resource %s: its newest state or word is not what the journal gives", name);
    return status == ST_OK ? compare(t, &down, name, held.id, given.id, INT64_MIN, err) : status;
}

static enum status each_name(struct told_again *t, const char *sql,
    enum status (*compare_one)(struct told_again *t, const char *name, struct error *err), struct error *err)
{
    struct db_stmt *next = db_prepare(t->v->db, sql);
    bool has_row;
    enum status status;
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row) {
        struct span text = db_text(next, 0);
        char *name = mem_strndup(text.at, text.len);
        status = compare_one(t, name, err);
        free(name);
        if (status != ST_OK)
            break;
    }
    db_finish(next);
    return status;
}

/* From where on the journal is taken anew. */
static enum status find_begin(struct told_again *t, int64_t *ret_from, struct error *err)
{
    int64_t pruned = 0;
    enum status status = read_number(t->v->db, "SELECT count(*) FROM pruned", NULL, &pruned, err);
    if (status == ST_OK)
        status = cursor_read(t->v->db, "watch_noted", ret_from, err);
    t->is_whole = pruned == 0 && *ret_from == 0;
    if (status == ST_OK)
        status = read_number(t->v->db,
            "SELECT coalesce((SELECT received_ms FROM journal WHERE id > (SELECT position FROM cursor WHERE"
            " name = 'watch_noted') ORDER BY id LIMIT 1), 9223372036854775807)",
            NULL, &t->begin_ms, err);
    return status;
}

enum status verify_told(struct verify *v, const struct park *park, struct error *err)
{
    struct told_again t = {.v = v};
    int64_t from = 0;
    enum status status = db_open_scratch(&collector_schema, &t.memory, err);
    if (status != ST_OK)
        return status;
    watch_init(&t.watch, t.memory, park);
    t.watch.follower.journal = v->db;
    status = cursor_read(v->db, "watch", &t.watch.until, err);
    if (status == ST_OK)
        status = find_begin(&t, &from, err);
    if (status == ST_OK)
        status = take_anew(&t, from, err);
    if (status == ST_OK)
        status = each_name(&t, "SELECT name FROM instrument ORDER BY name", compare_instrument, err);
    if (status == ST_OK)
        status = each_name(&t, "SELECT name FROM resource ORDER BY name", compare_resource, err);
    if (status == ST_OK && t.rows > 0 && !v->has_difference)
        printf("instruments: %" PRId64 " spans and sessions are what the journal says\n", t.rows);
    watch_release(&t.watch);
    db_close(t.memory);
    return status;
}
