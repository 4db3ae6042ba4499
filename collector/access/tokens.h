/*
 * The tokens of a collector and the log of their changes: a database of its own beside the collector's
 * ("<database>.access"). Apart from that one, whose only writer is the core: so that a token can be made and, above all,
 * revoked whatever the core is doing, on a full disk limit or where it hangs; and so that a restored backup brings no
 * revoked token back to life. A `backup` does not hold it.
 *
 *   token           one row each; none is ever deleted
 *   change_log      see changes.h
 *   model_decision  see decisions.h
 */
#pragma once

#include "collector/access/changes.h"
#include "collector/access/token.h"

#define TOKENS_APPLICATION_ID 0x504b4143 /* "PKAC" */
#define TOKENS_MAX 1000

/* "<database>.access"; the caller frees it. */
char *tokens_path(const char *database);

/* ---- changing them: whoever has the file for this moment ---- */

/* For writing; the caller closes it soon, and holds no tokens_reader open meanwhile. Makes the file where it is missing; it belongs to whom the collector's
 * database belongs, whoever runs this. ST_UNREACHABLE: another one is writing. */
enum status tokens_open(const char *database, struct db **ret, struct error *err);
/* Takes `token`'s name, role, scopes, hash and times, and sets its id; logs it. ST_FULL: TOKENS_MAX. */
enum status tokens_add(
    struct db *db, struct token *token, const char *who, int64_t now_ms, struct error *err);
/* *ret_token is the token as it was before. ST_INVALID: there is none with this id. One that is revoked stays as it is,
 * and nothing is logged. */
enum status tokens_revoke(
    struct db *db, int64_t id, const char *who, int64_t now_ms, struct token *ret_token, struct error *err);
/* Notes the day of its use. No change that is logged. */
enum status tokens_use(struct db *db, int64_t id, int64_t now_ms, struct error *err);

/* ---- looking them up ---- */

/* In the order in which they were made. */
enum status tokens_each(struct db *db, void (*each)(void *user_data, const struct token *token),
    void *user_data, struct error *err);

/* Looks into the file as it is now: a change is seen by the next call. One thread. */
struct tokens_reader {
    char *path;
    struct db *db;              /* NULL = not open */
    unsigned long device, file; /* which file that is: another may have taken its place */
};

void tokens_reader_init(struct tokens_reader *r, const char *database);
void tokens_reader_release(struct tokens_reader *r);
/* The file, for reading; *ret is NULL where there is none. */
enum status tokens_reader_db(struct tokens_reader *r, struct db **ret, struct error *err);
/* *ret_is_found is false where there is no such token. */
enum status tokens_reader_find(
    struct tokens_reader *r, int64_t id, struct token *ret, bool *ret_is_found, struct error *err);
/* After a failure: the next call opens the file anew. */
void tokens_reader_close(struct tokens_reader *r);
