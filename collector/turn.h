/*
 * One turn of the core: what arrived becomes one transaction (raw batches, marks, points, what the store
 * settled, minute rows, the ledger's books, temperatures, bookings, what instruments told, which of them can be had now,
 * people in spaces, alarms, pruning), and only after its commit the answers are due (D1). Memory is a cache of what is committed: after a failure all
 * of it is read again (D7). No thread and no network of its own, so that a test can fail every single operation on the disk.
 * Core thread.
 */
#pragma once

#include "collector/alarm_desk.h"
#include "collector/alarming.h"
#include "collector/board_maker.h"
#include "collector/bookkeeper.h"
#include "collector/calendars/calendar_desk.h"
#include "collector/close_month.h"
#include "collector/counting.h"
#include "collector/deciding.h"
#include "collector/evidence/prune.h"
#include "collector/intake/acks.h"
#include "collector/intake/inbox.h"
#include "collector/intake/late.h"
#include "collector/intake/trouble.h"
#include "collector/live/presence.h"
#include "collector/live/show.h"
#include "collector/minute.h"
#include "collector/model/model.h"
#include "collector/outaging.h"
#include "collector/settings.h"
#include "collector/spaces.h"
#include "collector/store/store.h"
#include "collector/telling.h"
#include "collector/thermometer.h"
#include "collector/timesheet.h"
#include "collector/watch.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/reserve.h"

struct turn {
    /* Set by turn_open. */
    const struct clock *clock;
    struct db *db;
    struct inbox *inbox;
    struct store *store; /* whose results are recorded; NULL = none; borrowed, set by the owner */
    int64_t limit_bytes, outbox_limit_bytes;
    /* What is on disk, as it is in memory. */
    struct known known;
    int64_t points_due_mono_ms; /* when changed points are written next */
    int64_t journal_end;
    int64_t received_ms;  /* UTC, when the latest batch of the journal arrived */
    int64_t settled;      /* journal id that the store has */
    int64_t outbox_bytes; /* as committed last, or as the transaction that runs began with */
    struct minute minute;
    struct bookkeeper bookkeeper;
    struct thermometer thermometer;
    struct calendar_desk calendars; /* its `rounds` are set by the owner */
    struct watch watch;
    struct board_maker board; /* its `box` is set by the owner */
    struct timesheet timesheet;
    struct spaces spaces;
    struct alarm_desk alarms;  /* its post's `couriers` are set by the owner */
    const char *database_path; /* borrowed */
    const struct model *model; /* in use; NULL until turn_use */
    bool
        is_model_unrecorded; /* set by the owner: its version is yet to be written; what instruments tell waits for that */
    struct prune prune;
    /* What is not on disk: who was heard, what is shown, the answers that are due. */
    struct presence presence;
    struct show show;
    struct acks acks;
    struct store_result result; /* taken from the store, kept until it is committed */
    bool has_result;
    /* A batch whose search for what it repeats goes on in the next transaction, and that search. Nothing else
     * of its gateway is taken meanwhile: it comes again. */
    struct inbox_message *held;
    struct late search;
    int64_t taking_since_ms;    /* UTC, since when batches are taken; 0 = they are not */
    int64_t turned_away;        /* messages of gateways beyond the limit */
    bool is_commit_failing;     /* until one succeeds that wrote something */
    bool is_careful;            /* the last one failed: this one does only what makes room */
    int64_t rest_until_mono_ms; /* that had no room either: nobody writes before */
    struct reserve reserve;
    bool is_disk_full; /* it has no room for the reserve, or gave it up */
    int64_t reserve_due_mono_ms;
    struct troubles troubles;
    struct complaint storage, rejects, strangers, untimely, no_reserve;
};

/* Opens the database, creating it where it is missing, and loads what is known. Borrows all but `err`. */
enum status turn_open(struct turn *t, const struct collector_settings *settings, const struct park *park,
    const struct clock *clock, struct error *err);
/* Between two turns: another model, which is borrowed. */
void turn_use(struct turn *t, const struct model *model);
void turn_close(struct turn *t); /* accepts a zeroed struct */
/* Takes what is in the inbox, up to the bounds of one transaction, commits, and notes the answers in `acks`.
 * *ret_is_changed: something was written. ST_FULL, ST_TIMEOUT: nothing was, memory is what the disk says, try
 * again. ST_STORAGE: end without another word; nothing of this turn is acknowledged. */
enum status turn_run(struct turn *t, bool *ret_is_changed, struct error *err);
/* When there is something to do though nothing arrives; INT64_MAX = never. */
int64_t turn_due_mono_ms(const struct turn *t);
/* A decision, between two turns. ST_INVALID and ST_UNREACHABLE: refused, as deciding_run says; ST_FULL and ST_TIMEOUT: nothing
 * was changed, memory is what the disk says; ST_STORAGE: end without another word. */
enum status turn_decide(
    struct turn *t, const struct deciding *request, struct deciding_effect *ret, struct error *err);
/* The closing of a month; the same, as close_month_run says. */
enum status turn_close_month(
    struct turn *t, const struct close_month *request, struct close_month_result *ret, struct error *err);
/* How many people a person counted; the same, as counting_run says. */
enum status turn_count_people(struct turn *t, const struct person_count *request, struct error *err);
/* What a person does with an outage; the same, as outaging_run says. */
enum status turn_outage(
    struct turn *t, const struct outaging *request, struct outaging_result *ret, struct error *err);
/* What a person says of a calendar; the same, as calendar_desk_confirm says. */
enum status turn_confirm_calendar(
    struct turn *t, const struct calendar_confirming *request, struct error *err);
/* What one tells of a session; the same, as telling_run says. */
enum status turn_tell(
    struct turn *t, const struct telling *request, struct telling_result *ret, struct error *err);
enum status turn_tell_resource(
    struct turn *t, const struct telling_resource *request, struct told_resource *ret, struct error *err);
/* That a person has taken note of an alarm; the same, as alarming_run says. */
enum status turn_ack_alarm(
    struct turn *t, const struct alarming *request, struct alarm *ret, struct error *err);
/* Does it say less than when the latest batch arrived? One of the two was wrong, and nobody knows which: readings ahead
 * of it are not judged by it. */
bool turn_is_clock_behind(const struct turn *t);
