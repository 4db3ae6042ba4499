/*
 * What is known of every instrument now, put together for a board: what it told of itself (collector/watch.h), its bookings
 * (collector/calendars/calendar_desk.h), and outages (collector/instrument/outage.h). Core thread, in its transaction; a few
 * look-ups in memory for each instrument. Outages are read, and worked out for each instrument, only where somebody did something
 * with one, or one begins or ends.
 *
 *  - Sessions that people tell, without a point, need no heartbeat: one that is open stands until it is closed, or forgotten.
 *  - A resource is down where its point said so last, or an outage of it is open. What is broken of a resource is told by the
 *    resource, not as an outage of the instrument.
 *  - Where the collector's own clock may be wrong nobody can say how old anything is: no source is fresh.
 */
#pragma once

#include "collector/calendars/calendar_desk.h"
#include "collector/instrument/board.h"
#include "collector/instrument/outage.h"
#include "collector/watch.h"

struct board_facts {
    struct board_ground *ground; /* of the model in use; NULL = none */
    struct board_told *told;     /* by instrument, as gathered last */
    struct board_resource *resources;
    struct board_calendar {
        const struct bookings *known;
        struct board_times *times; /* as they are in `known`, for boards */
    } * calendars;                 /* by calendar of the park */
    struct outage_list standing;   /* what follows, and what is told of outages, points into it */
    bool has_standing;
    int64_t standing_act, standing_ms,
        standing_due_ms; /* it holds from standing_ms on, before standing_due_ms */
    struct board_out {
        int64_t broken_ms, planned_ms; /* since when, by what people say; AVAILABILITY_NONE = it is not */
    } * out;                           /* by resource of the park */
    struct availability_busy *planned;
    struct board_outage *outages;
    size_t planned_count, planned_capacity, outage_count, outage_capacity;
};

struct board_sources {
    struct db *db;
    const struct watch *watch;             /* of the same model, else as if nothing were told */
    const struct calendar_desk *calendars; /* the same */
    int64_t now_ms;
    bool is_clock_right;
};

void board_facts_use(struct board_facts *f, const struct model *m); /* from a zeroed struct on */
void board_facts_release(struct board_facts *f);                    /* accepts a zeroed struct */
/* After a failed commit: what was read of outages is read again. */
void board_facts_forget(struct board_facts *f);
/* Fills f->told. It, and what it points to, lasts until the next call. */
enum status board_facts_gather(struct board_facts *f, const struct board_sources *s, struct error *err);
