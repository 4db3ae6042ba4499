/*
 * The ledger's books: what the fold of each meter's readings decides (collector/ledger/unwrap.h), as rows of the
 * collector's database. Called inside the core's transaction, by the core's thread; nothing is begun or committed
 * here. Latest quarters and standing events are a function of the set of readings, of the meter's segments, and of
 * what persons decided of it, however all that arrives; only which versions there were, and what wrote them when, tells of the arrival.
 *
 *   ledger_meter     the number of a meter
 *   ledger_hour      evidence: a meter's register readings by hours of their time, packed, each with the batch that
 *                    brought it (collector/ledger/readings.h). id = meter * 2^32 + hours since 1970. The first to
 *                    arrive of a time stands, whatever its point
 *   ledger_latest    those of the hour of its last reading, up to 64: of more, whole 64s, the earliest, are in
 *                    ledger_hour already. So a new reading writes a small row anew, which lies beside those of other
 *                    meters, and no page of its own. What both hold is a function of the readings
 *   ledger_boundary  U at quarter hours, where it is known, as it is known now
 *   ledger_quarter   amounts of quarter hours. The highest version is the latest, the former ones stay. amount NULL =
 *                    unknown (quality is then QUALITY_UNKNOWN). Written when it is decided: a reading at or after its
 *                    end is accepted, or an exception covers it; again where amount or quality is another. A quarter
 *                    without a row is not decided; one that was decided and no longer is, is unknown
 *   ledger_day       the same of a whole day in one row: a cache (collector/ledger/latest.h)
 *   ledger_event     outliers, frozen, rollovers, exceptions, refused readings: each once, by its kind (enum
 *                    event_kind) and its span. state 0 stands, 1 is withdrawn. until_ms = INT64_MAX: an exception that
 *                    has no end yet; when it gets one, that is another event, and this one is withdrawn. A rollover
 *                    inside an exception that stands is not to be shown
 *   ledger_snapshot  states of folding, to begin from when a reading is late. One that is of other segments, or of
 *                    another format, is deleted and never used
 *
 * `written_by`, `opened_by`, `withdrawn_by`: the newest batch (journal id) of the call that did it, 0 = none.
 *
 * Memory is a cache of what is committed: what a transaction changed is forgotten unless books_committed follows it.
 *
 * Evidence outlives the batches that brought it. A reading takes 4 bytes where a meter is read each minute: 500 of
 * them 1.04 GB a year, beside 1.1 GB of boundaries and quarter hours (bench_books, by dbstat).
 *
 * Its horizon is to be `audit_years`, as that of the archive (collector/evidence/seal.h), whole months, and nothing
 * here deletes it yet. That takes, of each meter, a state from before what is left, which a change of segments does
 * not give up and a later program can read: else what was decided from what is deleted would be decided again, as
 * unknown. Snapshots are no such state. And a reading from before it, a change of segments or a decision that
 * reaches there, is then to be refused.
 */
#pragma once

#include "collector/ledger/quarters.h"
#include "collector/ledger/ruling.h"
#include "collector/ledger/segment.h"
#include "lib/db.h"
#include "lib/hash.h"
#include "lib/status.h"

#include <stddef.h>

/* The tables: a script for struct db_schema. */
extern const char books_schema[];

/* A meter as it is to be folded. Made anew when its segments change; these are borrowed. */
struct books_meter {
    int64_t id;
    struct segments segments;
    int64_t max_gap_ms;
    /* By number (struct segment), what evidence knows the points by: numbers that stay when the model changes. None:
     * the meter is read at one place, or by hand. */
    const int64_t *points;
    size_t point_count;
    const struct overlay *overlay; /* what persons decided; NULL = nothing */
    struct hash hash;              /* of all this and of the format */
};

struct books_meter books_meter(
    int64_t id, struct segments segments, int64_t max_gap_ms, const int64_t *points, size_t point_count);
/* The same with what persons decided of it, which is borrowed: its segments are those of `overlay`. */
struct books_meter books_meter_decided(const struct books_meter *meter, const struct overlay *overlay);
/* The number of the meter of this name, given at its first call. */
enum status books_meter_id(struct db *db, struct span name, int64_t *ret_id, struct error *err);

/* One with quality="clock" is none: it is not to be given. */
struct books_reading {
    int64_t time_ms; /* up to the year 9999 */
    int64_t count;
    int64_t
        point; /* as in struct books_meter; one that is not there is of no segment. Unused where there are none */
    int64_t journal; /* the batch that brought it; 0 = none */
    bool is_manual;
};

/* Up to `states` meters' states are kept in memory, of about 3 KiB each: meters beyond it, that is of ids that are equal
 * modulo `states`, share a place, and are read again by turns. Borrows `db`. */
struct books *books_create(struct db *db, size_t states);
void books_destroy(struct books *b); /* accepts NULL */

/* Told of each row of ledger_quarter in the call that writes it; it must not fold. */
typedef void books_on_row(
    void *context, const struct books_meter *meter, const struct quarter *quarter, int64_t version);
void books_tell_rows(struct books *b, books_on_row *on_row, void *context);

/* At the begin of each transaction, and after a commit that succeeded. After a failure or a rollback nothing need be
 * called: the next books_begin forgets. */
void books_begin(struct books *b);
void books_committed(struct books *b);

/*
 * Takes readings of a meter, in any order, and writes what follows. Without readings: after the meter's segments
 * changed, or to look again. `now_ms`: UTC, for the record alone. On failure (ST_FULL, ST_STORAGE, ST_TIMEOUT) the
 * transaction is to be rolled back; so it is with ST_INVALID: evidence of this meter that is needed is damaged, and
 * `err` says which hour of it. Other meters are not concerned.
 *
 * A late reading costs a fold of what is evidence after the snapshot before it: a day more at most, where it is at
 * most BOOKS_DAYS old; beyond that BOOKS_BUCKET_DAYS more. A meter's first call costs a fold of six hours at most.
 */
#define BOOKS_DAYS 35
#define BOOKS_BUCKET_DAYS 32
enum status books_fold(struct books *b, const struct books_meter *meter, const struct books_reading *readings,
    size_t count, int64_t now_ms, struct error *err);

/* The same for the next batches of a meter, in their order: what it writes is what books_fold of each alone writes, byte
 * for byte (CONTRIBUTING.md, E9). Those that are in order of time go together, and what is stored is read and written
 * once for them. *ret_count of them were taken, at least the first; come back with the rest. */
struct books_batch {
    size_t count;   /* of its readings, which follow those of the batch before; 0: alone, to look again */
    int64_t now_ms; /* as for books_fold */
};
enum status books_fold_batches(struct books *b, const struct books_meter *meter,
    const struct books_reading *readings, const struct books_batch *batches, size_t batch_count,
    size_t *ret_count, struct error *err);

/* ---- for whoever folds it anew elsewhere ---- */

/* Evidence itself, whatever was decided of it: the readings after a time, the first `limit` of them. */
enum status books_evidence(struct books *b, const struct books_meter *meter, int64_t after_ms,
    struct books_reading *ret, size_t limit, size_t *ret_count, struct error *err);

/* ---- for whoever decides ---- */

/* The readings that are folded, after a time and up to another one, that included: the first `limit` of them. */
enum status books_list(struct books *b, const struct books_meter *meter, int64_t after_ms, int64_t until_ms,
    struct unwrap_reading *ret, size_t limit, size_t *ret_count, struct error *err);
/* The last of them before a time; *ret_is_found is false where there is none. */
enum status books_last(struct books *b, const struct books_meter *meter, int64_t before_ms,
    struct unwrap_reading *ret, bool *ret_is_found, struct error *err);
/* Is there evidence of this time, whatever was decided of it? */
enum status books_has_reading(
    struct books *b, const struct books_meter *meter, int64_t time_ms, bool *ret, struct error *err);
/* Before a fold with what is decided now: it is as it was before, but for what is about `since_ms` or later, so states from
 * well before that stay good. `before`: the hash of the meter until now. */
enum status books_decided_since(struct books *b, const struct books_meter *meter, const struct hash *before,
    int64_t since_ms, struct error *err);
