/*
 * The measurement `instrument`: what each quarter hour of an instrument went to (collector/timesheet_line.h), into the outbox,
 * inside the core's transaction. Core thread.
 *
 * A quarter hour is written when it is over and all that tells of it was heard, or would have been by then; and again when
 * something of it changed: with it the whole of the sessions and bookings that it lies in, because what a run makes effective, or
 * who comes at last, changes what was before. What is written last of it is what a statement of that quarter hour says then.
 *
 *   timesheet        of each instrument the quarter hours before written_ms are in the outbox, from begun_ms on or from before
 *                    that where it told of it, with what its power told up to power_ms, and its point of sessions up to session_ms;
 *                    NULL: nothing yet
 *   timesheet_meter  whose energy a meter of the ledger is
 *   timesheet_due    what of the past is to be worked out again: of an instrument, or of all that need a resource, stand in a space
 *                    or are booked in a calendar. Triggers write it, whoever changes what it depends on
 */
#pragma once

#include "collector/model/park.h"
#include "lib/clock.h"
#include "lib/db.h"

extern const char timesheet_schema[], timesheet_gone_schema[], timesheet_again_schema[];

struct timesheet {
    struct db *db;
    const struct park *park;
    struct zone **zones; /* by site, in the park's order */
    size_t zone_count;
    bool is_loaded; /* the park's instruments and their meters have their rows */
    size_t next;    /* the instrument that is looked at next */
    /* At hand; instrument NULL: nothing is. */
    struct timesheet_job {
        const struct park_instrument *instrument;
        int64_t at_ms, until_ms; /* what is left to be written; on quarter hours */
        int64_t now_ms;          /* what is known is known up to then */
        int64_t due;             /* the row that it works off, 0 = it is none */
        int64_t due_from_ms, due_until_ms;
        int64_t written_ms, power_ms, session_ms; /* when it is done, of its row in timesheet */
    } job;
    int64_t due_mono_ms;
};

/* Borrows both. */
void timesheet_init(struct timesheet *t, struct db *db, const struct park *park);
/* Another model, from the next step on: it counts for what is written then. */
void timesheet_use(struct timesheet *t, const struct park *park);
void timesheet_release(struct timesheet *t); /* accepts a zeroed struct */
/* After a failed commit: what is in memory is not what is on disk. */
void timesheet_reset(struct timesheet *t);
/* Works for about TIMESHEET_STEP_MS, and having looked at every instrument rests for TIMESHEET_REST_MS. Sets *ret_is_changed
 * where it wrote. In a park without instruments what is due concerns nobody, and is let go. */
#define TIMESHEET_STEP_MS 10
#define TIMESHEET_REST_MS 2000
enum status timesheet_step(
    struct timesheet *t, const struct clock *clock, bool *ret_is_changed, struct error *err);
/* When there is something to do though nothing arrives; INT64_MAX = never. */
int64_t timesheet_due_mono_ms(const struct timesheet *t);
/* Nothing is done for TIMESHEET_REST_MS. */
void timesheet_rest(struct timesheet *t, const struct clock *clock);
