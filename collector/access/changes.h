/*
 * The log of who changed what. Rows are only ever added: the database itself refuses to change or delete one. A change
 * and its row are one transaction, so a change without its row, or a row without its change, cannot be.
 *
 * An id is the time in microseconds, raised by one where that is taken: ids of several databases sort by time.
 */
#pragma once

#include "lib/db.h"

/* Part of the schema of a database that has this log. */
#define CHANGES_SCRIPT                                                                                                                     \
    "CREATE TABLE change_log("                                                                                                             \
    "  id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, token INTEGER, who TEXT NOT NULL,"                                                \
    "  action TEXT NOT NULL, object TEXT NOT NULL, before TEXT, after TEXT, note TEXT) STRICT;"                                            \
    "CREATE TRIGGER change_log_stays BEFORE DELETE ON change_log BEGIN"                                                                    \
    "  SELECT RAISE(ABORT, 'the log of changes is only added to'); END;"                                                                   \
    "CREATE TRIGGER change_log_is_final BEFORE UPDATE ON change_log BEGIN"                                                                 \
    "  SELECT RAISE(ABORT, 'the log of changes is only added to'); END;" /* INSERT OR REPLACE deletes without asking the trigger above. */ \
    "CREATE TRIGGER change_log_once BEFORE INSERT ON change_log"                                                                           \
    "  WHEN EXISTS (SELECT 1 FROM change_log WHERE id = new.id) BEGIN"                                                                     \
    "  SELECT RAISE(ABORT, 'the log of changes is only added to'); END;"

/* Texts are borrowed. */
struct change {
    int64_t id, time_ms;               /* set by changes_add and changes_next */
    int64_t token;                     /* whose; 0 = a person at this machine's command line */
    const char *who;                   /* the token's name, or the user */
    const char *action;                /* route or command: "token add" */
    const char *object;                /* what was changed: "token 3" */
    const char *before, *after, *note; /* NULL = not said */
};

/* Within the transaction of the change itself. */
enum status changes_add(struct db *db, const struct change *change, int64_t now_ms, struct error *err);

/* Newest first: those with an id below `before`, at most `limit`. `each` borrows the change for the call. */
enum status changes_each(struct db *db, int64_t before, int64_t limit,
    void (*each)(void *user_data, const struct change *change), void *user_data, struct error *err);
