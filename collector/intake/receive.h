/*
 * A batch from the wire into the database: the laws of delivery D1 to D5, inside the core's transaction. Says
 * what to answer; the answer may be sent only after the commit.
 */
#pragma once

#include "collector/intake/inbox.h"
#include "collector/intake/known.h"
#include "collector/live/snapshot.h"

#define RECEIVE_AHEAD_MAX_MS (5 * 60 * 1000) /* D5: a reading further ahead of our clock is quarantined */

struct receive {
    struct db *db;
    struct known *known;
    struct snapshot_counters counters; /* of this transaction */
};

struct receive_answer {
    bool has_ack; /* false: no answer (an unreadable header) */
    struct ack ack;
};

/* ST_INVALID never comes back: what is wrong with a message goes to quarantine. Any failure is the
 * database's: roll back. */
enum status receive_batch(
    struct receive *r, const struct inbox_message *message, struct receive_answer *ret, struct error *err);
