/*
 * Makes the board of instruments (collector/instrument/board.h): in the core's transaction it works out every answer, and notes
 * what changed; after the commit the board is shown. Core thread.
 *
 *   availability_now   one row for each instrument: status, reason and activity as noted last, and since when the status is so
 *
 * Each change of status, reason or activity is a line of the measurement `availability` in the outbox, at the instant at
 * which it was seen: tags site, building, instrument; fields status, reason, activity, all texts. While nothing is to be
 * written (a limit, a doubtful clock) answers are shown all the same, and what is so by the end of it is noted then.
 *
 * `since` of an answer is since when its status is so: across restarts as noted, else what the rule goes by
 * (collector/instrument/availability.h) where it is out of service, or where that lies after the status before it
 * began, else the instant at which it was seen first.
 */
#pragma once

#include "collector/board_facts.h"
#include "lib/clock.h"

extern const char board_schema[];

#define BOARD_MS 1000      /* between boards where nothing is new: answers age */
#define BOARD_LEAST_MS 250 /* where something is */
#define BOARD_HOLD_MS \
    10000 /* as long the last one stands while what instruments told is read again after a failed commit */

struct board_maker {
    struct db *db;
    struct board_box *box; /* where it is shown; borrowed; NULL = nowhere */
    struct board_facts facts;
    struct board_kept {
        int status; /* enum availability_status; -1 = none yet */
        int64_t since_ms;
        const char *reason; /* of a rule; NULL = none */
        enum activity_state activity;
        bool is_noted;  /* the row says so */
    } * kept;           /* by instrument; NULL = to be read */
    struct board *next; /* made, and not shown */
    uint64_t number;
    int64_t made_mono_ms; /* of the last one; 0 = never */
    int64_t looked_mono_ms;
    bool is_touched; /* something is new since */
    char **
        left; /* instruments that the model names no more, and have a row; once it is deleted, for board_maker_left */
    size_t left_count, left_capacity;
    bool is_let_go;
};

void board_maker_init(struct board_maker *m, struct db *db);
void board_maker_release(struct board_maker *m); /* accepts a zeroed struct */
/* Another model, from the next step on. */
void board_maker_use(struct board_maker *m, const struct model *model);
/* After a failed commit: what was made is not shown, and what is noted is read again. */
void board_maker_reset(struct board_maker *m);

struct board_making {
    const struct clock *clock;
    const struct watch *watch;
    const struct calendar_desk *calendars;
    bool is_clock_right; /* else no source is fresh, and nothing is noted */
    bool may_write;
    bool is_touched; /* the transaction holds something new */
};
/* Within the core's transaction, after all that instruments tell is in it. Makes a board where one is due; sets
 * *ret_is_changed where it wrote. */
enum status board_maker_step(
    struct board_maker *m, const struct board_making *now, bool *ret_is_changed, struct error *err);
/* After the transaction, committed or without anything in it: shows what was made. */
void board_maker_show(struct board_maker *m);
/* When a step has something to do; INT64_MAX = never. */
int64_t board_maker_due_mono_ms(const struct board_maker *m);
/* One that left the model, whose public answer is to go; the caller frees it. NULL = no more. */
char *board_maker_left(struct board_maker *m);
