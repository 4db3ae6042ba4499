/*
 * The way of a source's readings to the spool, with the laws of the wire contract: the times of a point strictly
 * increase; a state goes on change, is committed at once, and is sent again at least every 300 s; what the contract
 * forbids never gets into the spool. Sending again is for devices that speak on change only, and says "it is still
 * so": it ends when nothing was heard of the device for `alive_ms`, so that a dead one ages.
 *
 * Belongs to the source's thread.
 */
#pragma once

#include "agent/sources/source.h"
#include "lib/buf.h"
#include "lib/log.h"

#define FEED_STATE_REPEAT_MS 300000

struct feed_point {
    const char *name;
    enum reading_kind kind;
    int64_t repeat_ms; /* its last value is sent again after so long without another; 0 = never */
    int64_t alive_ms;  /* after it was heard; INT64_MAX = for ever */

    /* The feed's own. */
    bool is_known;
    union driver_value value; /* `text` is owned */
    int64_t sent_mono_ms, heard_mono_ms;
    int64_t last_ms; /* newest time */
};

struct feed {
    const struct source_context *context;
    const char *name; /* of the source, in messages */
    struct feed_point *points;
    size_t count;
    int64_t repeat_due_mono_ms;
    struct buf line; /* scratch */
    struct complaint refused;
};

/* What a reading came with; zeroed: it was just now, and there is no note. */
struct feed_circumstance {
    int64_t time_ms;      /* when it was, as the device tells; 0 = now */
    const char *note_key; /* committed with it (agent/deliver/spool.h); NULL = none */
    const char *note;
};

/* Everything is borrowed; `points` are filled in by the caller, their own part zeroed. */
void feed_init(struct feed *f, const struct source_context *context, const char *name,
    struct feed_point *points, size_t count);
void feed_release(struct feed *f); /* frees what the points own */

/* What this point belongs to lived so long ago: a message of it, whatever it said. */
void feed_hear(struct feed *f, size_t point, int64_t age_ms);
/* A value. A state that is no change is not sent, and nor is its note; *ret_number (may be NULL) is then 0, else what
 * deliver_wait_committed takes. ST_INVALID: the contract forbids it. ST_FULL: the spool takes nothing; the reading is
 * counted as lost, and told. */
enum status feed_take(struct feed *f, size_t point, const union driver_value *value,
    const struct feed_circumstance *circumstance, int64_t *ret_number, struct error *err);
/* Sends again what is due; returns when to call it next, INT64_MAX = not before feed_take. */
int64_t feed_repeat(struct feed *f);
