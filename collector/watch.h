/*
 * Takes what instruments and resources tell of themselves from the journal, from the cursor 'watch' on, into their rows
 * (collector/instrument/told.h), inside the core's transaction; and what people say of sessions. Core thread.
 *
 * Thresholds and points count from when a model is accepted on: what the journal has by then is folded by the version before
 * (collector/model/version.h, struct version_reign), also after a restart. What a version had that names nothing that tells is for the next one that
 * does. The result is a function of the journal's order, of the versions and of what people said in between; of a
 * session that nobody told over, of the clock as well.
 *
 * Where the model names nothing that tells, nothing is read, and nothing of the journal waits for it.
 */
#pragma once

#include "collector/follower.h"
#include "collector/instrument/told.h"
#include "collector/model/model.h"
#include "lib/log.h"

struct watch_instrument {
    const struct park_instrument *park;
    struct told_instrument told;
    struct activity_limits limits;
    bool is_changed;
    struct complaint garbled, backward, forgotten; /* its point of sessions; its power; its session */
};
struct watch_resource {
    const struct park_resource *park;
    struct told_resource told; /* id 0: it has no point, and nobody asked */
    struct complaint garbled;
};

struct watch {
    struct follower follower;
    const struct park *park; /* in use */
    const struct model
        *former;    /* what is folded is of this version; a reference. NULL: there is nothing left of one */
    int64_t until;  /* batches after it are not taken; INT64_MAX but for who verifies */
    bool is_loaded; /* all below is of the park in use; else of `former`, or empty until the next step */
    struct watch_instrument *instruments; /* in the order of the park model */
    struct watch_resource *resources;     /* the same */
    size_t instrument_count, resource_count;
    struct watch_item *items; /* what the follower hands over to */
    size_t item_count;
    int64_t look_due_mono_ms; /* for sessions that were forgotten */
    bool is_at_end;           /* of the journal, at the last step */
    int64_t now_mono_ms;      /* of the step */
};

/* Borrows both. */
void watch_init(struct watch *w, struct db *db, const struct park *park);
/* Another model, from the next step on; the newest version that is recorded, where one is. */
void watch_use(struct watch *w, const struct park *park);
void watch_release(struct watch *w); /* accepts a zeroed struct */
/* Before the first step, and after a failed commit. */
enum status watch_reset(struct watch *w, struct error *err);
/* Takes what there is, for about WATCH_STEP_MS, and ends sessions that were forgotten; sets *ret_is_changed where it wrote. */
#define WATCH_STEP_MS 10
enum status watch_step(struct watch *w, const struct clock *clock, bool *ret_is_changed, struct error *err);
/* Nothing is taken for a second. */
#define WATCH_PAUSE_MS 1000
void watch_pause(struct watch *w, const struct clock *clock);

/* A gauge in W, rounded to milliwatts; false: no machine has so much. */
bool watch_power_mw(double watts, int64_t *ret);

/* By id of the park model; NULL = absent, or not loaded. */
const struct watch_instrument *watch_find(const struct watch *w, const char *instrument);
const struct watch_resource *watch_find_resource(const struct watch *w, const char *resource);

/* ---- private to watch*.c and telling.c ---- */

/* One point of an instrument or of a resource: one of both is set. */
struct watch_item {
    struct watch_instrument *instrument;
    struct watch_resource *resource;
};

enum status watch_take(void *watch, void *item, const struct follower_reading *r, struct error *err);
struct watch_instrument *watch_find_own(struct watch *w, const char *instrument);
struct watch_resource *watch_find_own_resource(struct watch *w, const char *resource);
/* By the legal entity, where it was told; else by what the event calls itself. */
enum hours_user watch_user(const struct park_instrument *n, const struct session_event *e);
/* One line of the log of what was not as it should be. */
void watch_tell_news(const struct watch_instrument *n, const struct session_event *e, enum told_news news);
