#include "collector/ledger/books_private.h"

#include <assert.h>

/* These numbers lie in databases: a new kind is a further one. */
static_assert(EVENT_OUTLIERS == 2 && EVENT_FROZEN == 3 && EVENT_ROLLOVER == 4 && EVENT_EXCEPTION == 5 &&
                  EVENT_LIMIT == 6 && EVENT_CONFIRM == 7 && EVENT_OUTSIDE == 9 && EVENT_QUARANTINED == 10 &&
                  EVENT_STATED == 11,
    "");

/* States of the table: 0 stands, 1 withdrawn, 2 in doubt until the call ends. When one was withdrawn is only forgotten
 * where it stands in the end: folding again must not change what is the same. */

static void note_doubt(struct books_call *c, int64_t from_ms)
{
    if (from_ms < c->doubted_ms)
        c->doubted_ms = from_ms;
}

void books_doubt_all(struct books_call *c, int64_t reach_ms, int64_t last_ms)
{
    struct db_stmt *doubt =
        db_keep(c->db, "UPDATE ledger_event SET state = 2 WHERE meter = ?1 AND from_ms >= ?2 AND state = 0"
                       "  AND (kind NOT IN (?4, ?5) OR from_ms > ?3)");
    db_bind_int(doubt, 1, c->meter->id);
    db_bind_int(doubt, 2, reach_ms);
    db_bind_int(doubt, 3, last_ms);
    db_bind_int(doubt, 4, EVENT_OUTSIDE);
    db_bind_int(doubt, 5, EVENT_QUARANTINED);
    books_run(c, doubt);
    note_doubt(c, reach_ms);
}

static void tell(struct books_call *c, enum event_kind kind, int64_t from_ms, int64_t until_ms)
{
    struct db_stmt *add =
        db_keep(c->db, "INSERT INTO ledger_event(meter, from_ms, kind, until_ms, state, opened_ms, opened_by)"
                       " VALUES(?1, ?2, ?3, ?4, 0, ?5, ?6) ON CONFLICT DO UPDATE"
                       " SET state = 0 WHERE state != 0");
    db_bind_int(add, 1, c->meter->id);
    db_bind_int(add, 2, from_ms);
    db_bind_int(add, 3, kind);
    db_bind_int(add, 4, until_ms);
    db_bind_int(add, 5, c->now_ms);
    db_bind_int(add, 6, c->journal);
    books_run(c, add);
    note_doubt(c, from_ms);
}

/* Those between two times, neither included: from the first reading to the last. */
static void tell_outliers(struct books_call *c, int64_t after_ms, int64_t before_ms)
{
    int64_t first_ms, last_ms;
    if (books_next_between(c, after_ms, before_ms, &first_ms, &last_ms))
        tell(c, EVENT_OUTLIERS, first_ms, last_ms);
}

/* What refuses a reading depends on nothing but its segment, and stands. */
static void doubt_withdrawn(struct books_call *c, const struct event *event)
{
    struct db_stmt *doubt =
        db_keep(c->db, "UPDATE ledger_event SET state = 2 WHERE meter = ?1 AND from_ms >= ?2 AND state = 0"
                       "  AND (kind IN (?4, ?5, ?6, ?9) OR (kind NOT IN (?7, ?8) AND from_ms >= ?3))");
    db_bind_int(doubt, 1, c->meter->id);
    db_bind_int(doubt, 2, event->from_ms);
    db_bind_int(doubt, 3, event->stands_ms);
    db_bind_int(doubt, 4, EVENT_EXCEPTION);
    db_bind_int(doubt, 5, EVENT_LIMIT);
    db_bind_int(doubt, 6, EVENT_CONFIRM);
    db_bind_int(doubt, 7, EVENT_OUTSIDE);
    db_bind_int(doubt, 8, EVENT_QUARANTINED);
    db_bind_int(doubt, 9, EVENT_STATED);
    books_run(c, doubt);
    note_doubt(c, event->from_ms);
    tell_outliers(c, event->stands_ms, event->until_ms);
}

void books_tell_event(struct books_call *c, const struct event *event)
{
    switch (event->kind) {
    case EVENT_STEP:
    case EVENT_BASELINE:
        return;
    case EVENT_WITHDRAWN:
        doubt_withdrawn(c, event);
        return;
    case EVENT_OUTLIERS:
        tell_outliers(c, event->from_ms - 1, event->until_ms + 1);
        return;
    case EVENT_FROZEN:
    case EVENT_ROLLOVER:
    case EVENT_EXCEPTION:
    case EVENT_LIMIT:
    case EVENT_CONFIRM:
    case EVENT_OUTSIDE:
    case EVENT_QUARANTINED:
    case EVENT_STATED:
        tell(c, event->kind, event->from_ms, event->until_ms);
        return;
    }
}

/* The exception without an end, which no event tells. */
static void tell_endless(struct books_call *c)
{
    struct unwrap_pending pending = unwrap_pending(&c->state->unwrap, &c->meter->segments);
    switch (pending.kind) {
    case UNWRAP_DECIDED:
    case UNWRAP_HELD:
        return;
    case UNWRAP_EXCEPTION:
        tell(c, EVENT_EXCEPTION, pending.from_ms, INT64_MAX);
        break;
    case UNWRAP_LIMIT:
        tell(c, EVENT_LIMIT, pending.from_ms, INT64_MAX);
        break;
    case UNWRAP_CONFIRM:
        tell(c, EVENT_CONFIRM, pending.from_ms, INT64_MAX);
        break;
    }
    c->state->endless_ms = pending.from_ms;
}

static void doubt_endless(struct books_call *c)
{
    if (c->state->endless_ms == BOOKS_NONE)
        return;
    struct db_stmt *doubt =
        db_keep(c->db, "UPDATE ledger_event SET state = 2"
                       " WHERE meter = ?1 AND from_ms = ?2 AND until_ms = ?3 AND state = 0");
    db_bind_int(doubt, 1, c->meter->id);
    db_bind_int(doubt, 2, c->state->endless_ms);
    db_bind_int(doubt, 3, INT64_MAX);
    books_run(c, doubt);
    note_doubt(c, c->state->endless_ms);
    c->state->endless_ms = BOOKS_NONE;
}

void books_end_events(struct books_call *c)
{
    doubt_endless(c);
    tell_endless(c);
    if (c->doubted_ms == INT64_MAX)
        return;
    struct db_stmt *end = db_keep(c->db,
        "UPDATE ledger_event SET state = state != 0,"
        "  withdrawn_ms = CASE state WHEN 2 THEN ifnull(withdrawn_ms, ?3) END,"
        "  withdrawn_by = CASE state WHEN 2 THEN ifnull(withdrawn_by, ?4) END"
        " WHERE meter = ?1 AND from_ms >= ?2 AND (state = 2 OR (state = 0 AND withdrawn_ms IS NOT NULL))");
    db_bind_int(end, 1, c->meter->id);
    db_bind_int(end, 2, c->doubted_ms);
    db_bind_int(end, 3, c->now_ms);
    db_bind_int(end, 4, c->journal);
    books_run(c, end);
}
