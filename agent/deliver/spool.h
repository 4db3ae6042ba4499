/*
 * The spool: what keeps readings on the gateway's disk until the collector has them on its own. A SQLite file
 * with
 *
 *   gauge, record   readings that are committed, not yet cut into a batch; both together are the view `reading`
 *   batch           cut: numbered for ever; published until acknowledged; kept afterwards while the limit
 *                   allows, so that a restored collector can ask again
 *   epoch           one row per start of the agent that cut something: the chain that `prev` tells
 *   note            (of a gateway with sources) what a source must know again after a restart, committed with the reading that it came with
 *   spool           one row: the gateway, the mark, and what was given up uncut and no batch has said yet
 *
 * At its limit, or where the disk is full, it gives readings up rather than stand still: uncut gauges first,
 * then the oldest uncut of anything, then whole batches. The next batch says what was given up uncut, and again
 * what batches had said that were given up themselves; `first` says which batches. A reserve file
 * ("<path>.reserve") keeps room on the disk for doing so.
 *
 * One thread. Every call that writes is one transaction; on failure nothing changed. The laws:
 * CONTRIBUTING.md, "The wire contract".
 */
#pragma once

#include "lib/batch.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stdint.h>

struct spool;

struct spool_options {
    const char *path;
    const char *gateway; /* a spool belongs to one gateway for ever */
    int64_t limit_bytes;
    const char *const *points; /* names by index; readings name them by that index */
    size_t point_count;
    const struct clock *clock; /* NULL = clock_trusted */
    bool may_drop;             /* false: at the limit it refuses instead */
};

/* A reading on its way to disk. */
struct spool_reading {
    uint32_t point;
    enum reading_kind kind;
    enum reading_quality quality;
    int64_t time_ms;
    int64_t count; /* register */
    double value;  /* gauge */
    char *text;    /* state; owned by whoever holds the reading */
    bool has_mono; /* QUALITY_CLOCK: when it was taken on the monotonic clock, to be dated when it is cut */
    int64_t mono_ms;
    /* A note of its source, which takes the place of an earlier one of that key; NULL = none. Owned as `text` is. */
    char *note_key, *note;
};

struct spool_state {
    int64_t mark;                 /* acknowledged */
    int64_t last;                 /* cut */
    int64_t first;                /* lowest batch held; last + 1 when none */
    int64_t uncut;                /* readings not yet cut */
    int64_t unacknowledged_bytes; /* of cut batches */
    int64_t oldest_ms;            /* time of the oldest reading not acknowledged; 0 = none */
    uint64_t epoch;               /* of the newest batch; 0 = nothing was ever cut */
    bool is_dropping;             /* readings are given up, and what nobody has yet is still near the limit */
    bool is_disk_full;            /* it makes do with the room that it has */
    int64_t dropped_readings;     /* given up uncut since the start */
    int64_t dropped_batches;      /* given up unacknowledged since the start */
};

/* ST_UNREACHABLE: in use by another process. ST_INVALID: not a sound spool, or another gateway's; nothing of
 * it was changed. */
enum status spool_open(const struct spool_options *options, struct spool **ret, struct error *err);
void spool_close(struct spool *s); /* accepts NULL */

void spool_state(const struct spool *s, struct spool_state *ret);
/* What was found at the start and a person must know; NULL = nothing. */
const char *spool_warning(const struct spool *s);
/* Uncut readings that can never be dated: taken while the clock was wrong, before this run of the machine. They go as
 * they were taken, and say so (QUALITY_CLOCK). Reads all that is uncut; 0 where that fails. */
int64_t spool_undatable(const struct spool *s);

/* Calls back for each note whose key begins so, in order of the keys. To be called before a reading with a note is
 * added: only a spool with sources has a place for them. */
enum status spool_notes(struct spool *s, const char *prefix, void *user_data,
    void (*on_note)(void *user_data, struct span key, struct span note), struct error *err);

/* How many of the readings, from the front, one transaction should take: few enough that an empty spool has
 * room for them. */
size_t spool_slice(const struct spool *s, const struct spool_reading *readings, size_t count);
/* Commits the readings (which batch_write_reading must accept), and the mark if it moved. Where the spool is
 * at its limit the oldest acknowledged batches are freed first, then others are given up, as above: the mark
 * rises where batches are. ST_FULL when that does not suffice or is not allowed. */
enum status spool_add(struct spool *s, const struct spool_reading *readings, size_t count, struct error *err);
/* Readings that were lost before they came here, for want of room: the next batch says them, too. On disk with the
 * next call that writes, or at the end. */
void spool_note_loss(struct spool *s, int64_t count, int64_t from_ms, int64_t to_ms);
/* Cuts uncut readings, oldest first, into at most `batches` batches of at most `payload_max` bytes each,
 * while at most WINDOW_BYTES are unacknowledged. Cuts a new epoch's first batch only when everything before
 * is acknowledged or given up. Readings that were taken while the clock was wrong are dated now, if it is right
 * and the machine has not been started again since; else they say so (QUALITY_CLOCK). Cutting nothing is ST_OK; ST_INVALID: not even one reading fits into `payload_max`. */
enum status spool_cut(struct spool *s, int64_t batches, size_t payload_max, struct error *err);
/* spool_add and spool_cut in one transaction. */
enum status spool_commit(struct spool *s, const struct spool_reading *readings, size_t count, int64_t batches,
    size_t payload_max, struct error *err);

/* The payload of a batch, as published now (with today's `first`). ST_INVALID: not held. */
enum status spool_payload(struct spool *s, int64_t seq, struct buf *ret, struct error *err);

/* What an acknowledgement means for this spool: *ret_seq, or ST_INVALID with the reason to ignore it (an
 * unknown epoch; beyond what was cut in this start's epoch). Beyond the end of an earlier epoch it counts as
 * that end: the spool is older than the collector's memory. */
enum status spool_resolve(struct spool *s, const struct ack *ack, int64_t *ret_seq, struct error *err);
/* Remembers the mark; on disk with the next commit. May be lower than before (a refusal). */
void spool_set_mark(struct spool *s, int64_t mark);
