/*
 * The core: one thread that owns the state. It takes what arrived, makes one transaction of it, and only then
 * acknowledges, wakes the store and shows. Everything that changes the database happens here.
 */
#pragma once

#include "collector/accept.h"
#include "collector/alarming.h"
#include "collector/calendars/calendar_desk.h"
#include "collector/close_month.h"
#include "collector/counting.h"
#include "collector/deciding.h"
#include "collector/live/snapshot.h"
#include "collector/model/model_box.h"
#include "collector/outaging.h"
#include "collector/settings.h"
#include "collector/store/store.h"
#include "collector/telling.h"
#include "lib/clock.h"
#include "lib/status.h"

struct core;

struct core_options {
    const struct collector_settings *settings;
    const char *password;      /* of the broker; NULL = none; borrowed */
    const struct model *model; /* judged, recorded and used; the core takes references of its own */
    const struct clock *clock;
    struct snapshot_box *box;
    struct model_box *models; /* where the core puts the model in use */
    struct board_box *board;  /* and the board of instruments; NULL = nowhere, and none is published */
};

/* Opens the database, loads its state, and accepts the park model. ST_INVALID: the model changes the past, and nobody
 * decided that; each such change was logged. */
enum status core_create(const struct core_options *options, struct core **ret, struct error *err);
/* The store whose results the core records; before core_start. */
void core_attach(struct core *c, struct store *store);
void core_start(struct core *c);
/* Wakes the core: a store result waits. Any thread. */
void core_wake(struct core *c);
/* A person's decision: waits for its place between two turns, and for the answer. Any thread; as
 * asking_ask (collector/asking.h). */
enum status core_decide(
    void *core, const struct deciding *request, struct deciding_effect *ret, struct error *err);
/* A month that a person closes; the same. */
enum status core_close_month(
    void *core, const struct close_month *request, struct close_month_result *ret, struct error *err);
/* How many people a person counted in a space; the same. */
enum status core_count_people(void *core, const struct person_count *request, struct error *err);
/* An outage that a person opens, changes or ends; the same. */
enum status core_outage(
    void *core, const struct outaging *request, struct outaging_result *ret, struct error *err);
/* What a person says of a calendar; the same. */
enum status core_confirm_calendar(
    void *core, const struct calendar_confirming *request, struct error *err);
/* What one tells of a session; the same. */
enum status core_tell(
    void *core, const struct telling *request, struct telling_result *ret, struct error *err);
/* That a resource is up again; the same. */
enum status core_tell_resource(
    void *core, const struct telling_resource *request, struct told_resource *ret, struct error *err);
/* That a person has taken note of an alarm; the same. */
enum status core_ack_alarm(void *core, const struct alarming *request, struct alarm *ret, struct error *err);
/* Returns when the thread is gone. ST_STORAGE: it had ended by itself, nothing was acknowledged that is not
 * on disk. */
enum status core_stop(struct core *c, struct error *err);
/* A model that may take the place of the one in use (neither refused nor the same): recorded and used between two turns. Takes
 * what `a` has, and replaces an earlier one that still waits. Any thread. */
void core_offer(struct core *c, struct acceptance *a);
/* Rules of alarms, good ones, for between two turns; NULL = none. Takes them, and replaces earlier ones that still wait. Any
 * thread. */
void core_offer_alarms(struct core *c, struct alarm_rules *rules);
void core_destroy(struct core *c); /* accepts NULL; stopped */
/* Monotonic time of the thread's last turn. Any thread. */
int64_t core_heartbeat_mono_ms(void *core);
