/*
 * From readings to the collector: a thread that owns the spool and the MQTT client. Pollers put readings into
 * its bounded queue; it commits them (every commit interval; changes of state at once), cuts batches,
 * publishes them and listens for acknowledgements.
 */
#pragma once

#include "agent/deliver/spool.h"
#include "agent/settings.h"
#include "lib/clock.h"

#include <stdbool.h>

struct deliver;

struct deliver_options {
    const struct agent_settings *settings;
    const char *password; /* of the broker; NULL = none; borrowed */
    const char *version;
    const struct clock *clock;
    const char *const *points; /* names by index, borrowed */
    const int64_t *periods_ms; /* by the same index, for `state` */
    size_t point_count;
    bool is_replay; /* readings of the past: their times stay as they are, and `state` tells no points */
    void (*on_failure)(
        void); /* called once, on the thread, when deliver_has_failed becomes true; may be NULL */
};

struct deliver_progress {
    int64_t committed;      /* readings, since start */
    int64_t waiting;        /* readings in the queue */
    int64_t uncut;          /* readings in the spool, not cut */
    int64_t unacknowledged; /* batches */
    bool is_connected;
};

/* Opens the spool. */
enum status deliver_create(const struct deliver_options *options, struct deliver **ret, struct error *err);
void deliver_destroy(struct deliver *d); /* accepts NULL; stopped */
void deliver_start(struct deliver *d);
/* Commits what was put, waits up to `drain_ms` for acknowledgements while connected, says goodbye; returns
 * when the thread is gone. ST_FULL or ST_STORAGE: something put before could not be committed; where
 * the disk allows that the next batch says how much. */
enum status deliver_stop(struct deliver *d, int64_t drain_ms, struct error *err);

/* Puts a reading that batch_write_reading accepts (`text` is copied). A time that repeats the point's last
 * one is bumped by a millisecond. False: the queue is full, because the spool takes nothing (said by a
 * complaint); the reading is not on the way, but counted as lost. Any thread; never blocks on the disk. */
bool deliver_put(struct deliver *d, const struct spool_reading *reading, bool is_urgent);
/* As deliver_put, urgent; the number that deliver_wait_committed takes, 0 where deliver_put gives false. */
int64_t deliver_put_numbered(struct deliver *d, const struct spool_reading *reading);
/* Waits until that reading and all that was put before it are on disk, or up to the deadline; true when they are. */
bool deliver_wait_committed(struct deliver *d, int64_t number, int64_t deadline_mono_ms);
/* The notes (spool.h) whose key begins so. Before deliver_start. */
enum status deliver_notes(struct deliver *d, const char *prefix, void *user_data,
    void (*on_note)(void *user_data, struct span key, struct span note), struct error *err);
/* As deliver_put, but waits for room up to the deadline; false where there was none, or after a failure that
 * ended the thread. */
bool deliver_put_patiently(struct deliver *d, const struct spool_reading *reading, int64_t deadline_mono_ms);
/* Waits until everything is acknowledged or the deadline passed; true when everything is. */
bool deliver_wait_empty(struct deliver *d, int64_t deadline_mono_ms);
void deliver_progress(struct deliver *d, struct deliver_progress *ret);
/* True after an I/O error of the spool: the program must end (74); `ret` says why. */
bool deliver_has_failed(struct deliver *d, struct error *ret);
