/*
 * Brings the lines of a body to the store, whatever it answers: again and again where it is away or asks for
 * time, in halves where one is bad or all are too large. One thread.
 */
#pragma once

#include "collector/store/body.h"
#include "collector/store/influx.h"
#include "collector/store/store.h"
#include "lib/log.h"

struct poster {
    struct influx *influx;
    size_t lines; /* per post; shrinks where the store says that a body is too large */
    bool is_prepared;
    void *user_data;
    /* The store did not take it: waits, at least as long as it asked for. False = give up. */
    bool (*pause)(void *user_data, enum store_health health, int64_t asked_ms, const char *text);
    void (*succeeded)(void *user_data);
    struct complaint uncleared;
};

struct tally {
    int64_t accepted, expired;
};

/* Database and policies are there. False when given up. */
bool poster_prepare(struct poster *p);
/* Deletes what the body's lines take the place of. A store that cannot, or may not, is told of once in a while, and
 * keeps it: then of rows without an amount their quality alone tells. False when given up. */
bool poster_clear(struct poster *p, const struct body *body);
/* Every line of the body is written, beyond the store's retention, or added to body->rejects; counts onto `tally`.
 * False when given up. `policy` NULL = the database's default. */
bool poster_deliver(struct poster *p, const char *policy, struct body *body, struct tally *tally);
