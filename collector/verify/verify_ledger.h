/* What the parts of `verify` share that are about the ledger. Private to collector/verify/. */
#pragma once

#include "collector/verify/refold.h"
#include "collector/verify/verify_private.h"

struct verify_ledger {
    struct verify *v;
    struct books *evidence; /* of v->db, to read from */
    struct refold refold;
    size_t at;        /* the meter in hand */
    int64_t readings; /* that were folded anew */
    int64_t oldest;   /* the oldest batch of the journal; INT64_MAX = it is empty */
    int64_t position; /* the batch up to which the books have the journal */
    /* By meter: readings of evidence that name a batch of the journal, and those that were found in it. */
    int64_t *held, *matched;
};

/* Told of the evidence of the meter in hand. False: the person asked to end. */
bool verify_note_readings(void *ledger, const struct books_reading *readings, size_t count);

/* Were the meter's books folded with the segments and decisions that are in force? */
enum status verify_folded(struct verify_ledger *l, const struct meters_item *item, struct error *err);
/* Its quarter hours, days, boundaries and events against the same folded anew. */
enum status verify_rows(struct verify_ledger *l, const struct meters_item *item, struct error *err);
/* Decisions are only ever added: is one missing? */
enum status verify_decisions(struct verify_ledger *l, struct error *err);
enum status verify_find_oldest(struct verify_ledger *l, struct error *err);
/* Closings, against their seals and the log of changes. */
enum status verify_closing_seals(struct verify_ledger *l, struct error *err);
/* What closings booked, against the versions of quarter hours that they name. */
enum status verify_closings(struct verify_ledger *l, const struct park *park, struct error *err);
/* The evidence of all meters against the journal and the archive. */
enum status verify_readings(struct verify_ledger *l, struct error *err);
