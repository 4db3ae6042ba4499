/*
 * What is known of the calendars of bookings that the park model names: what the fetchers hand over is put into the tables
 * (collector/instrument/booking_rows.h) inside the core's transaction, and what is in memory is what the tables say. Core
 * thread.
 *
 * A result that was taken is kept until it is committed: a transaction that fails costs no reading. Of a calendar that cannot be
 * read one line is logged, at growing intervals, and one when it can be again.
 */
#pragma once

#include "collector/calendars/calendar_rounds.h"
#include "collector/instrument/booking_rows.h"
#include "collector/model/name_map.h"
#include "lib/id.h"
#include "lib/log.h"

/* What a step takes at most: results, and bookings beyond which it takes no further one. */
#define CALENDAR_DESK_RESULTS 64
#define CALENDAR_DESK_BOOKINGS 20000

struct calendar_desk {
    struct db *db;
    const struct clock *clock;
    const struct park *park;        /* borrowed */
    struct calendar_rounds *rounds; /* borrowed, set by the owner; NULL = nobody reads */
    bool is_loaded, is_dirty;       /* dirty: memory has what is not committed */
    bool has_another;               /* a source, which is to be written */
    bool is_renewed;                /* the model, since it was loaded */
    struct calendar_item {
        char id[ID_MAX + 1];
        const struct park_calendar *calendar; /* where is_loaded */
        bool has_source;
        struct hash source; /* that it has now: calendar_rounds_source; has_source: it is known */
        struct booking_state state;
        struct bookings bookings;
        struct complaint complaint;
    } * items; /* in the order of the park model */
    size_t count;
    struct name_map names;
    /* Taken, and not committed. */
    struct calendar_note {
        struct calendar_result result;
        char id[ID_MAX + 1];
        bool is_of_another; /* source, which it has no more: it is passed over */
    } notes[CALENDAR_DESK_RESULTS];
    size_t note_count, applied; /* those before `applied` are in the transaction at hand */
};

/* Borrows all. */
void calendar_desk_init(
    struct calendar_desk *d, struct db *db, const struct clock *clock, const struct park *park);
void calendar_desk_release(struct calendar_desk *d); /* accepts a zeroed struct */
/* Another model, which is taken up with the next step. Until then nothing is found. */
void calendar_desk_use(struct calendar_desk *d, const struct park *park);
/* Before the first step, and after a failed commit: reads what is not as it is on disk. */
enum status calendar_desk_reset(struct calendar_desk *d, struct error *err);
/* Within a transaction: takes what there is, within its bounds; sets *ret_is_changed where it wrote. */
enum status calendar_desk_step(struct calendar_desk *d, bool *ret_is_changed, struct error *err);
/* After the commit of a step; true: it may have left something. */
bool calendar_desk_committed(struct calendar_desk *d);

/* NULL: the park model has no such calendar, or it was not taken up yet. Valid until the next of the above. */
const struct bookings *calendar_desk_find(const struct calendar_desk *d, const char *calendar);

/* What a person says of a calendar that comes without events: that it is empty indeed. */
#define CALENDAR_WHY_MAX 500
struct calendar_confirming {
    const char *calendar;
    int64_t token; /* 0 = a person at this machine's command line */
    const char *who,
        *why; /* who it is that says so, and on what grounds: a text of up to CALENDAR_WHY_MAX bytes */
};
/* One transaction, with its entry in the log of changes. ST_INVALID: refused, with why, and everything is as it was: there is no
 * such calendar, it does not come without events, or nobody says why. After any other failure: calendar_desk_reset. */
enum status calendar_desk_confirm(
    struct calendar_desk *d, const struct calendar_confirming *request, struct error *err);
