/* Tokens for tests, in the file beside a collector's database. */
#pragma once

#include "collector/access/tokens.h"

/* Good for an hour; `text` is what its bearer shows. */
static inline int64_t made_up_token(const char *database_path, enum role role, unsigned scopes,
    int64_t now_ms, char text[static TOKEN_TEXT_SIZE])
{
    char secret[SECRET_TEXT_SIZE];
    struct token token = {.role = role,
        .scopes = scopes,
        .created_ms = now_ms,
        .expires_ms = now_ms + INT64_C(3600000),
        .name = "somebody"};
    struct db *db;
    struct error err;
    secret_draw(secret);
    token.hash = secret_hash(secret);
    assert_int_equal(tokens_open(database_path, &db, &err), ST_OK);
    assert_int_equal(tokens_add(db, &token, "me", now_ms, &err), ST_OK);
    db_close(db);
    token_format(token.id, secret, text);
    return token.id;
}

static inline void made_up_revoke(const char *database_path, int64_t id, int64_t now_ms)
{
    struct token token;
    struct db *db;
    struct error err;
    assert_int_equal(tokens_open(database_path, &db, &err), ST_OK);
    assert_int_equal(tokens_revoke(db, id, "me", now_ms, &token, &err), ST_OK);
    db_close(db);
}
