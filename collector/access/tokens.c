#include "collector/access/tokens.h"

#include "collector/access/decisions.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DAY_MS INT64_C(86400000)

static const char *const scripts[] = {
    CHANGES_SCRIPT
    "CREATE TABLE token("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, role TEXT NOT NULL, scopes INTEGER NOT NULL,"
    "  hash BLOB NOT NULL UNIQUE, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, used_ms INTEGER,"
    "  revoked_ms INTEGER) STRICT;"
    "CREATE TRIGGER token_stays BEFORE DELETE ON token BEGIN"
    "  SELECT RAISE(ABORT, 'a token is revoked, not deleted'); END;",
    DECISIONS_SCRIPT,
};
static const struct db_schema schema = {scripts, sizeof scripts / sizeof scripts[0]};

#define COLUMNS "id, name, role, scopes, hash, created_ms, expires_ms, used_ms, revoked_ms"

char *tokens_path(const char *database)
{
    return mem_printf("%s.access", database);
}

/* Who runs this as root leaves what the collector can read and write. */
static enum status give_to_owner_of(const char *database, const char *path, struct error *err)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    enum status status = ST_OK;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0] && status == ST_OK; i++) {
        char *name = mem_printf("%s%s", path, suffixes[i]);
        status = file_give_to_owner_of(database, name, err);
        free(name);
    }
    return status;
}

enum status tokens_open(const char *database, struct db **ret, struct error *err)
{
    char *path = tokens_path(database);
    struct db *db = NULL;
    enum status status = db_open_own(path, TOKENS_APPLICATION_ID, &schema, &db, err);
    if (status == ST_OK && (status = give_to_owner_of(database, path, err)) != ST_OK)
        db_close(db);
    free(path);
    if (status == ST_OK)
        *ret = db;
    return status;
}

/* ---- rows ---- */

static enum status read_row(struct db_stmt *s, struct token *ret, struct error *err)
{
    char role[16];
    *ret = (struct token){.id = db_int(s, 0),
        .scopes = (unsigned)db_int(s, 3),
        .created_ms = db_int(s, 5),
        .expires_ms = db_int(s, 6),
        .used_ms = db_int(s, 7),
        .revoked_ms = db_int(s, 8)};
    text_copy(ret->name, sizeof ret->name, db_text(s, 1));
    text_copy(role, sizeof role, db_text(s, 2));
    if (role_parse(role, &ret->role) && hash_read(db_text(s, 4), &ret->hash))
        return ST_OK;
    return error_set(err, ST_INVALID, "token %lld: its row is damaged", (long long)ret->id);
}

static enum status find(struct db *db, int64_t id, struct token *ret, bool *ret_is_found, struct error *err)
{
    struct db_stmt *s = db_keep(db, "SELECT " COLUMNS " FROM token WHERE id = ?1");
    db_bind_int(s, 1, id);
    enum status status = db_step(s, ret_is_found, err);
    if (status == ST_OK && *ret_is_found)
        status = read_row(s, ret, err);
    db_reset(s);
    return status;
}

static enum status count(struct db *db, int64_t *ret, struct error *err)
{
    struct db_stmt *s = db_keep(db, "SELECT count(*) FROM token");
    bool has_row;
    enum status status = db_step(s, &has_row, err);
    if (status == ST_OK)
        *ret = db_int(s, 0);
    db_reset(s);
    return status;
}

/* ---- changing ---- */

static enum status conclude(struct db *db, enum status status, struct error *err)
{
    if (status == ST_OK)
        return db_commit(db, err);
    db_rollback(db);
    return status;
}

static enum status insert(struct db *db, struct token *token, struct error *err)
{
    struct db_stmt *s = db_keep(db, "INSERT INTO token(name, role, scopes, hash, created_ms, expires_ms)"
                                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
    db_bind_text(s, 1, span_of(token->name));
    db_bind_text(s, 2, span_of(role_name(token->role)));
    db_bind_int(s, 3, token->scopes);
    db_bind_blob(s, 4, hash_bytes(&token->hash));
    db_bind_int(s, 5, token->created_ms);
    db_bind_int(s, 6, token->expires_ms);
    enum status status = db_run(s, err);
    token->id = db_last_id(db);
    return status;
}

/* What the log says of a token; never its hash. */
static void describe(const struct token *token, char *text, size_t size)
{
    char scopes[SCOPES_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
    scopes_format(token->scopes, scopes);
    clock_format_utc(token->expires_ms, until);
    snprintf(text, size, "\"%s\", role %s, scopes %s, until %s", token->name, role_name(token->role),
        scopes[0] != '\0' ? scopes : "none", until);
}

static enum status log_change(struct db *db, const struct token *token, const char *action, const char *who,
    bool is_new, int64_t now_ms, struct error *err)
{
    char object[32], text[256];
    snprintf(object, sizeof object, "token %lld", (long long)token->id);
    describe(token, text, sizeof text);
    struct change change = {.who = who,
        .action = action,
        .object = object,
        .before = is_new ? NULL : text,
        .after = is_new ? text : "revoked"};
    return changes_add(db, &change, now_ms, err);
}

enum status tokens_add(struct db *db, struct token *token, const char *who, int64_t now_ms, struct error *err)
{
    int64_t held = 0;
    enum status status = db_begin(db, err);
    if (status != ST_OK)
        return status;
    status = count(db, &held, err);
    if (status == ST_OK && held >= TOKENS_MAX)
        status = error_set(err, ST_FULL, "there are %d tokens, as many as a collector keeps", TOKENS_MAX);
    if (status == ST_OK)
        status = insert(db, token, err);
    if (status == ST_OK)
        status = log_change(db, token, "token add", who, true, now_ms, err);
    return conclude(db, status, err);
}

static enum status set_revoked(struct db *db, int64_t id, int64_t now_ms, struct error *err)
{
    struct db_stmt *s = db_keep(db, "UPDATE token SET revoked_ms = ?2 WHERE id = ?1");
    db_bind_int(s, 1, id);
    db_bind_int(s, 2, now_ms);
    return db_run(s, err);
}

enum status tokens_revoke(
    struct db *db, int64_t id, const char *who, int64_t now_ms, struct token *ret_token, struct error *err)
{
    bool is_found = false;
    enum status status = db_begin(db, err);
    if (status != ST_OK)
        return status;
    status = find(db, id, ret_token, &is_found, err);
    if (status == ST_OK && !is_found)
        status = error_set(err, ST_INVALID, "there is no token %lld; `token list` names them", (long long)id);
    bool is_change = status == ST_OK && ret_token->revoked_ms == 0;
    if (is_change)
        status = set_revoked(db, id, now_ms, err);
    if (is_change && status == ST_OK)
        status = log_change(db, ret_token, "token revoke", who, false, now_ms, err);
    return conclude(db, status, err);
}

enum status tokens_use(struct db *db, int64_t id, int64_t now_ms, struct error *err)
{
    struct db_stmt *s = db_keep(db, "UPDATE token SET used_ms = ?2 WHERE id = ?1");
    db_bind_int(s, 1, id);
    db_bind_int(s, 2, now_ms / DAY_MS * DAY_MS);
    return db_run(s, err);
}

/* ---- looking up ---- */

enum status tokens_each(struct db *db, void (*each)(void *user_data, const struct token *token),
    void *user_data, struct error *err)
{
    struct db_stmt *s = db_keep(db, "SELECT " COLUMNS " FROM token ORDER BY id");
    bool has_row;
    enum status status;
    while ((status = db_step(s, &has_row, err)) == ST_OK && has_row) {
        struct token token;
        if ((status = read_row(s, &token, err)) != ST_OK)
            break;
        each(user_data, &token);
    }
    if (status != ST_OK)
        db_reset(s);
    return status;
}

void tokens_reader_init(struct tokens_reader *r, const char *database)
{
    *r = (struct tokens_reader){.path = tokens_path(database)};
}

void tokens_reader_close(struct tokens_reader *r)
{
    db_close(r->db);
    r->db = NULL;
}

void tokens_reader_release(struct tokens_reader *r)
{
    tokens_reader_close(r);
    free(r->path);
    *r = (struct tokens_reader){0};
}

enum status tokens_reader_db(struct tokens_reader *r, struct db **ret, struct error *err)
{
    struct stat about;
    bool is_there = stat(r->path, &about) == 0;
    if (r->db != NULL && (!is_there || about.st_dev != r->device || about.st_ino != r->file))
        tokens_reader_close(r);
    *ret = NULL;
    if (!is_there)
        return ST_OK;
    if (r->db == NULL) {
        enum status status = db_open_reader_own(r->path, TOKENS_APPLICATION_ID, schema.count, &r->db, err);
        if (status != ST_OK) {
            r->db = NULL;
            return status;
        }
        r->device = about.st_dev;
        r->file = about.st_ino;
    }
    *ret = r->db;
    return ST_OK;
}

enum status tokens_reader_find(
    struct tokens_reader *r, int64_t id, struct token *ret, bool *ret_is_found, struct error *err)
{
    struct db *db;
    enum status status = tokens_reader_db(r, &db, err);
    *ret_is_found = false;
    if (status != ST_OK || db == NULL)
        return status;
    status = find(db, id, ret, ret_is_found, err);
    if (status != ST_OK) {
        *ret_is_found = false;
        tokens_reader_close(r);
    }
    return status;
}
