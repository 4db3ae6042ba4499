/*
 * What persons decided of meters, as rows: what the fold takes of it (collector/ledger/ruling.h), with who, when and why. Rows
 * are only ever added, and the database refuses to change one: a decision is undone by a further one that withdraws it. Called
 * inside the core's transaction, by the core's thread; nothing is begun or committed here.
 *
 *   ledger_decision       one row each; those that no other withdraws are in force
 *   ledger_decision_time  of an outlier: the times of its readings
 */
#pragma once

#include "collector/ledger/ruling.h"
#include "lib/db.h"
#include "lib/status.h"

/* The tables: a script for struct db_schema. */
extern const char decided_schema[];

/* Texts are borrowed. */
struct decided {
    struct ruling ruling; /* its id is set by decided_add */
    int64_t meter;        /* number in the books */
    int64_t withdraws;    /* of a RULING_WITHDRAWAL: the id of the other */
    bool is_forced;       /* although it is more than the meter can have counted */
    const char *serial;   /* of a replacement; NULL = not told */
    int64_t time_ms;      /* when it was decided */
    int64_t token;        /* 0 = a person at this machine's command line */
    const char *who, *why;
};

enum status decided_add(struct db *db, struct decided *d, struct error *err);

/* Those in force of one meter, or of all (meter 0), with the meter of each. */
struct decided_set {
    struct ruling *items; /* their times are owned by this struct */
    int64_t *meters;
    size_t count, capacity;
};

/* After a failure `ret` is empty. */
enum status decided_load(struct db *db, int64_t meter, struct decided_set *ret, struct error *err);
void decided_release(struct decided_set *set); /* accepts a zeroed struct */
struct rulings decided_rulings(const struct decided_set *set);

/* The meter of a decision that is in force; *ret_meter is 0 where there is none, and *ret_is_withdrawn says whether there was
 * one. */
enum status decided_find(
    struct db *db, int64_t id, int64_t *ret_meter, bool *ret_is_withdrawn, struct error *err);

/* "outlier", "reset", "replacement", "energy", "reading", "undo" */
const char *decided_kind_name(enum ruling_kind kind);
