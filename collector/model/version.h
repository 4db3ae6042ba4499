/*
 * The versions of the park model that were accepted, in the collector's database (table model_version). One is written
 * only where what counts differs (model.h: the hash of the facts), but its texts are kept as they were, byte by byte,
 * packed: what this program says of an old version it reads from them again, so that a program which knows more keys
 * compares like with like. Rows are only added.
 */
#pragma once

#include "collector/model/model.h"
#include "lib/db.h"

struct version {
    int64_t number; /* 1, 2, 3, ...; 0 = there is none */
    int64_t accepted_ms;
    struct hash hash;          /* as it was computed then */
    char *names[MODEL_FILES];  /* of the files, as they were called then; NULL = none */
    char *texts[MODEL_FILES];  /* NUL-terminated; NULL = none */
    size_t sizes[MODEL_FILES]; /* of the texts */
    char *who, *why;           /* of the decision that allowed it; NULL = none was needed */
};

/* The newest; ret->number is 0 where there is none. ST_INVALID: its row is damaged. */
enum status version_newest(struct db *db, struct version *ret, struct error *err);
/* The one of that number. ST_INVALID: there is none, or its row is damaged. */
enum status version_read(struct db *db, int64_t number, struct version *ret, struct error *err);
/* The number of the newest alone. */
enum status version_newest_number(struct db *db, int64_t *ret, struct error *err);
/* What it says, as this program reads it. The caller puts it back. */
struct model *version_model(const struct version *v);
void version_release(struct version *v);
/* Within a transaction, which also notes what the journal has by then. `who` and `why` may be NULL. */
enum status version_add(struct db *db, int64_t number, int64_t now_ms, const struct model *m, const char *who,
    const char *why, struct error *err);

/* A version in force for batches of the journal: those that came after it was accepted, and not after `until`. */
struct version_reign {
    int64_t number; /* 0 = none is recorded */
    int64_t until;  /* INT64_MAX: it is the newest */
};
/* Of the next batch that the journal has after `position`: of before the first version, that one. */
enum status version_reign_at(struct db *db, int64_t position, struct version_reign *ret, struct error *err);
/* The next after it; not of the newest. */
enum status version_reign_next(struct db *db, struct version_reign *reign, struct error *err);
/* The next after number *number that was accepted when the journal had the batch at `position`, or later; INT64_MAX: none. */
enum status version_unused_next(struct db *db, int64_t position, int64_t *number, struct error *err);
