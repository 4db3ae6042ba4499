/*
 * Decisions that the park model may change what held in the past: who, when, why. In "<database>.access" (tokens.h), so
 * that one can be recorded whether or not a collector runs; with the version that it allowed, the collector's own
 * database keeps who and why (collector/model/version.h). Rows are only added, each with its row in the log of changes.
 *
 * A decision names the version that it starts from and the hash of what it allows: it allows that step, once, and
 * nothing else.
 */
#pragma once

#include "collector/access/tokens.h"
#include "lib/hash.h"

struct decision {
    int64_t id, time_ms; /* set by decisions_add and decisions_find */
    char *who, *why;
};

/* From which version, and to what. */
struct decision_step {
    int64_t base; /* number of the version, and its hash as it is stored */
    struct hash base_hash;
    struct hash hash;
};

/* `db` is of tokens_open. Borrows all. `changes`: what of the past it allows, one line each. */
enum status decisions_add(struct db *db, const struct decision_step *step, const char *who, const char *why,
    const char *changes, int64_t now_ms, struct error *err);
/* The newest of that step; ret->id is 0 where there is none, also where there is no such file yet. */
enum status decisions_find(
    const char *database, const struct decision_step *step, struct decision *ret, struct error *err);
void decision_release(struct decision *d);

/* The script of its table (tokens.c). */
#define DECISIONS_SCRIPT                                                                                   \
    "CREATE TABLE model_decision("                                                                         \
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL, who TEXT NOT NULL, why TEXT NOT "   \
    "NULL,"                                                                                                \
    "  base INTEGER NOT NULL, base_hash BLOB NOT NULL, hash BLOB NOT NULL, changes TEXT NOT NULL) STRICT;" \
    "CREATE TRIGGER model_decision_stays BEFORE DELETE ON model_decision BEGIN"                            \
    "  SELECT RAISE(ABORT, 'a decision stays'); END;"                                                      \
    "CREATE TRIGGER model_decision_is_final BEFORE UPDATE ON model_decision BEGIN"                         \
    "  SELECT RAISE(ABORT, 'a decision stays'); END;"
#define DECISIONS_FORMAT 2 /* of the file: from this one on it has the table */
