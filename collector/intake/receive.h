/*
 * A batch from the wire into the database: the laws of delivery D1 to D5, inside the core's transaction. Says
 * what to answer; the answer may be sent only after the commit.
 */
#pragma once

#include "collector/intake/inbox.h"
#include "collector/intake/known.h"
#include "collector/intake/late.h"
#include "collector/live/snapshot.h"

/* What a transaction may take for the late readings of one batch: some ten milliseconds. */
#define RECEIVE_SEARCH_BYTES (16 * 1024 * 1024)
#define RECEIVE_AHEAD_MAX_MS (5 * 60 * 1000) /* D5: a reading further ahead of our clock is quarantined */

/* What people should hear of a message: the first of each. */
struct receive_trouble {
    bool is_unreadable, is_quarantined;
    char quarantined[256]; /* why */
    const char *lost;      /* why; NULL = nothing is */
};

struct receive {
    struct db *db;
    struct known *known;
    struct late *search;    /* of the batch's late readings; empty, or as an unfinished batch left it */
    int64_t search_bytes;   /* how much of the journal it may read for one batch */
    bool is_clock_doubtful; /* ours may be wrong: what is ahead of it is not judged by it */
    struct snapshot_counters counters; /* of this transaction */
    struct receive_trouble trouble;    /* of the message received last */
    bool is_quarantine_full;           /* for its gateway; so many of its lines were not even offered: */
    int64_t unoffered;
};

struct receive_answer {
    bool has_ack; /* false: no answer (an unreadable header, unfinished, or turned away) */
    struct ack ack;
    /* The search is not done. Nothing of the batch is taken: give the same message again with the same
     * `search` in a next transaction, and none of its gateway in between; or forget both, and it comes again
     * by itself. */
    bool is_unfinished;
    /* It holds readings ahead of a doubtful clock. Nothing of it is taken, nothing answered: it comes again,
     * when the clock may be right. */
    bool is_untimely;
    bool is_turned_away; /* of one gateway more than KNOWN_GATEWAYS_MAX */
};

/* ST_INVALID never comes back: what is wrong with a message goes to quarantine. Any failure is the
 * database's: roll back. */
enum status receive_batch(
    struct receive *r, const struct inbox_message *message, struct receive_answer *ret, struct error *err);
