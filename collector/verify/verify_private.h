/* What the parts of `verify` share. Private to collector/verify/. */
#pragma once

#include "collector/evidence/seal.h"
#include "collector/model/park.h"
#include "lib/buf.h"
#include "lib/db.h"
#include "lib/progress.h"

struct verify {
    struct db *db; /* read-only */
    int64_t audit_years, now_ms;
    int64_t from, to; /* months that are asked for, half-open */
    struct progress progress;
    struct buf text, chunk; /* reused */
    int64_t seals;          /* in the chain */
    int64_t verified, without_evidence, readings;
    int64_t looked_at; /* readings, for the progress */
    struct hash last;
    int64_t *months; /* of which something was told; of those between nothing is held */
    size_t month_count, month_capacity;
    bool has_difference;
    /* Of the ledger: */
    int64_t from_ms, until_ms; /* the time that is asked for, half-open, on quarter hours */
    int64_t meters, quarters;  /* that were folded anew, and compared */
    int64_t bookings;          /* what closings booked of a meter and a month, and that comes out */
};

/* Says a difference on standard error, as one line, and notes that there is one. */
void verify_differs(struct verify *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
void verify_note_month(struct verify *v, int64_t month);
/* Shows how far the archive has come. ST_TIMEOUT: the person asked to end. */
enum status verify_go_on(struct verify *v, struct error *err);

/* Appends the line of a chunk as its contents make it. The statement stands on the chunk: id, hash, readings. */
enum status verify_add_chunk(struct verify *v, struct db_stmt *s, bool *ret_is_sound, struct error *err);
/* Each seal of the chain, up to the first that differs. */
enum status verify_chain(struct verify *v, struct error *err);
/* Chunks that no seal covers, also where their seal was taken away. */
enum status verify_open(struct verify *v, struct error *err);
/* Says of which months between those that are held, or of a period that was asked for, nothing is. */
void verify_tell_gaps(struct verify *v, bool has_period);

/* The ledger's books against the evidence. Each difference is told. */
enum status verify_ledger(struct verify *v, struct error *err);
/* Temperatures of baselines against the journal, as far back as it was never pruned. */
enum status verify_temperatures(struct verify *v, const struct park *park, struct error *err);
/* What instruments and resources told, against the journal: verify_told.c says what. */
enum status verify_told(struct verify *v, const struct park *park, struct error *err);
