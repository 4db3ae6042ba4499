/*
 * The journal: raw batches as they came, kept as evidence and as the source of the raw series; and the tables
 * beside it for what may not enter the series (quarantine) and for what is missing (loss). All calls run
 * inside the core's transaction.
 */
#pragma once

#include "lib/batch.h"
#include "lib/db.h"

#include <stdbool.h>
#include <stdint.h>

struct journal_batch {
    int64_t gateway;
    const struct batch_header *header;
    int64_t received_ms;
    int64_t lines;
    int64_t from_ms, to_ms; /* of its readings; from > to: none */
    struct span payload;
    const char *skipped; /* line numbers not in the series; NULL = none */
};

/* journal_span: buckets of one of these widths, in each of which a batch lies from its first reading to its last. */
#define JOURNAL_WIDTHS 3
extern const int64_t journal_widths_ms[JOURNAL_WIDTHS];

enum status journal_add(struct db *db, const struct journal_batch *batch, struct error *err);

/*
 * The search for what late readings may repeat: every line that is journalled of the gateway with one of
 * these times, skipped lines left out. Only batches in whose span one of the times lies are read, each once.
 * It is done in pieces, because an agent that imports old readings may make it as large as the journal.
 */
struct journal_search {
    int64_t gateway;
    const int64_t *times_ms; /* ascending */
    size_t count;
    /* Where it has come to; zero at the begin. */
    size_t width, at;
    int64_t after;
};
typedef void journal_visit(void *context, const struct reading *reading);
/* Goes on until about `budget` bytes of the journal are read, at least by one step. */
enum status journal_find(struct db *db, struct journal_search *s, int64_t budget, journal_visit *visit,
    void *context, bool *ret_is_done, struct error *err);

typedef void journal_on_reading(
    void *context, struct span gateway, int64_t received_ms, const struct reading *reading);
/* Every reading of the batches after this id, in the order in which they were journalled, skipped lines left out. */
enum status journal_replay(
    struct db *db, int64_t after, journal_on_reading *on_reading, void *context, struct error *err);

/*
 * The quarantine is for people to look into, so a flood need not be kept whole: of each gateway up to
 * QUARANTINE_GATEWAY_BYTES are kept, of all together up to QUARANTINE_BYTES, beyond which each still may have
 * QUARANTINE_SHARE_BYTES, so that a flooder takes nothing from the others. What is more is counted
 * (quarantine_size.omitted), until pruning by age makes room; the intake records the readings among it as loss.
 */
#define QUARANTINE_BYTES (64 * 1024 * 1024)
#define QUARANTINE_GATEWAY_BYTES (4 * 1024 * 1024)
#define QUARANTINE_SHARE_BYTES (64 * 1024)

struct quarantine_entry {
    const char *gateway;
    const struct batch_header *header; /* NULL = unreadable */
    int64_t line;                      /* of the body, from 0; -1 = the whole payload */
    const char *reason;
    struct span content; /* kept up to 4 KiB */
    int64_t recorded_ms;
};
/* *ret_is_kept is false where it was only counted. */
enum status journal_quarantine(
    struct db *db, const struct quarantine_entry *entry, bool *ret_is_kept, struct error *err);

/* Counts `count` more that have no room either: once one of a gateway has none, nothing of it has in this transaction. */
enum status journal_omit(struct db *db, struct span gateway, int64_t count, struct error *err);

/* Quarantines a line that is journalled (id `journal`; 0 = a derived line of the outbox) but that the store
 * will never take. The same line of the journal is quarantined once, however often the store refuses it. */
enum status journal_reject(struct db *db, int64_t journal, int64_t line, const char *reason,
    struct span content, int64_t recorded_ms, bool *ret_is_kept, struct error *err);

/*
 * No loss is silent, and none can fill the disk: beyond JOURNAL_LOSSES_MAX of a gateway a new one widens the
 * gateway's newest entry of the same reason; only a reason not met before, and they are few, is still added.
 */
#define JOURNAL_LOSSES_MAX 10000

struct loss_entry {
    const char *gateway;
    uint64_t epoch;
    int64_t first_seq, last_seq; /* 0 = not batches */
    int64_t readings;            /* 0 = unknown */
    int64_t from_ms, to_ms;      /* 0 = unknown */
    const char *reason;
    int64_t recorded_ms;
    bool is_history; /* from before this gateway was first heard: not held here, but not lost; not counted */
};
/* `recorded`: how many losses of the gateway were counted before. */
enum status journal_loss(
    struct db *db, int64_t gateway, int64_t recorded, const struct loss_entry *entry, struct error *err);

/* A batch as it lies in the journal. */
struct journal_entry {
    int64_t id;
    struct span gateway;
    uint64_t epoch;
    int64_t seq;
    struct span payload, skipped;
};

/* The lines of a batch that the journal took: those that are not skipped. */
struct journal_lines {
    struct span body, skipped;
    int64_t number, next_skipped;
};
/* A batch whose header cannot be read has none. */
void journal_lines_begin(struct journal_lines *l, struct span payload, struct span skipped);
bool journal_lines_next(struct journal_lines *l, struct span *ret_line);

/* Called with each batch that goes; the entry is valid during the call. */
typedef void journal_take(void *context, const struct journal_entry *entry);

struct journal_pruning {
    int64_t before_ms;      /* of what arrived before */
    int64_t settled;        /* and what the store has: ids up to this one */
    int64_t batches, bytes; /* at most so many at once; the last of them may go beyond the bytes */
    journal_take *take;
    void *context;
};
/* Deletes batches, the oldest first. *ret_is_done: none is left to be deleted. */
enum status journal_prune(struct db *db, const struct journal_pruning *p, int64_t *ret_deleted,
    bool *ret_is_done, struct error *err);
/* Deletes quarantine recorded before `before_ms`, at most `limit` rows of it. */
enum status journal_prune_quarantine(
    struct db *db, int64_t before_ms, int64_t limit, int64_t *ret_deleted, struct error *err);
/* Does a batch reach into this time, half-open? It may have no reading there all the same; and where there are
 * too many of long span to look at, the answer is yes. */
enum status journal_reaches_into(struct db *db, int64_t from_ms, int64_t to_ms, bool *ret, struct error *err);
/* UTC: when the oldest that could be pruned arrived; INT64_MAX = nothing is there. */
enum status journal_oldest(struct db *db, int64_t *ret_ms, struct error *err);
/* The newest id, and UTC when the latest batch arrived, by the clock of then; 0 = none. */
enum status journal_newest(struct db *db, int64_t *ret, int64_t *ret_received_ms, struct error *err);
