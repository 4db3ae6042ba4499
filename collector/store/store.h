/*
 * The time-series store's writer: a thread of its own that reads the journal and the outbox through a reader
 * connection, makes canonical lines with the park's tags, and posts them to an InfluxDB 1.x API. It writes
 * nothing to the database: what became of the lines is a result that the core thread takes and records in its
 * next transaction. Writing a line again changes nothing, so a crash in between costs nothing.
 *
 * Sources: InfluxDB 1.x "API reference", /write and /query; the answers are treated as
 * collector/store/answer.h says.
 */
#pragma once

#include "collector/model/model_box.h"
#include "collector/store/hours.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

struct store_options {
    const char *database_path; /* of the collector */
    const char *url, *database;
    const char *user, *password; /* NULL = none */
    int64_t raw_retention_days;  /* 0 = for ever */
    int body_lines;
    int timeout_ms;
    const struct park *park;  /* borrowed; outlives the store */
    struct model_box *models; /* borrowed: the park is that of the model in use; NULL = it is `park` */
    void *user_data;
    void (*on_result)(void *user_data); /* on the store's thread: a result waits; must only wake the core */
};

enum store_health { STORE_STARTING, STORE_OK, STORE_CONFIGURATION, STORE_UNAVAILABLE };

struct store_status {
    enum store_health health;
    char text[256];                      /* the reason where not OK */
    int64_t since_ms;                    /* UTC, of this health */
    int64_t accepted, expired, rejected; /* lines since start */
    int64_t raw_position;                /* journal id up to which all is settled */
    int64_t hours_counted, hours_mended; /* since start: compared and equal; of these after posting again */
    int64_t hours_due, hours_different;  /* now */
    char different[160];                 /* the newest that differs */
    int64_t uncounted_since_ms;          /* UTC, since when no count is answered; 0 = they are */
    char uncounted[256];                 /* what it says instead */
    int64_t waiting_since_ms; /* UTC, arrival of the oldest batch that is not settled; 0 = none waits */
};

/* A line that the store will never take. */
struct store_reject {
    int64_t journal; /* 0 = from the outbox */
    int64_t outbox;  /* id there, where it is from the outbox */
    int line;        /* of the batch's body, from 0 */
    char *reason;
    char *content; /* the line as posted, without its line end; of a journal line that could not be read: as
                      received */
};

/* What became of an hour of a measurement that was compared with the store. */
enum hour_outcome {
    HOUR_EQUAL,     /* it holds what it should */
    HOUR_DIFFERENT, /* it does not, also after everything was posted again */
    HOUR_GIVEN_UP,  /* cannot be judged: beyond retention, evidence pruned, or not counted by us */
};

struct hour_count {
    struct hour hour;
    int64_t touched; /* as read from table `hour`: what was touched since is judged anew */
    enum hour_outcome outcome;
    int64_t expected, found;
};

struct hour_count_list {
    struct hour_count *items;
    size_t count, capacity;
};

struct store_result {
    int64_t raw_position;              /* record as cursor 'raw' */
    int64_t repost_id, repost_done_ms; /* collector/store/repost.h: posted up to there; 0 = nothing was */
    bool has_lost_energy;              /* what the store held of it is gone, or may be */
    /* Rows of the outbox in (outbox_from, outbox_position] are sent, unless replaced since (ids grow). */
    int64_t outbox_from, outbox_position;
    int64_t expired; /* lines beyond the store's retention since the last result */
    struct store_reject *rejects;
    size_t reject_count;
    struct hour_list touched; /* lines went there, or may be missing there: to be counted */
    struct hour_count_list counted;
};

/* Creates the database and the retention policies where they are missing (and allowed). */
struct store *store_create(const struct store_options *options);
void store_start(struct store *s);
void store_wake(struct store *s); /* after a commit: there may be more to read; cheap, any thread */
/* False when nothing is new. The caller releases with store_result_release. Core thread. */
bool store_take_result(struct store *s, struct store_result *ret);
void store_result_release(struct store_result *r);
void store_status(struct store *s, struct store_status *ret); /* any thread */
void store_stop(struct store *s);    /* cancels a post under way; returns when the thread is gone */
void store_destroy(struct store *s); /* accepts NULL */
