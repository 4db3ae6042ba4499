/*
 * A token as it is carried: "park_<id>_<64 hexadecimal digits>", of which the digits are 256 random bits. Only their
 * SHA-256 is kept. A slow hash such as crypt's would add nothing: those protect secrets that can be guessed. The id
 * finds the row, so that no search goes by the secret, and the hashes are compared in constant time. Pure, but for
 * token_draw.
 */
#pragma once

#include "collector/access/role.h"
#include "lib/hash.h"

#include <stdint.h>

#define TOKEN_TEXT_SIZE 96
#define TOKEN_NAME_MAX 64 /* bytes of UTF-8 */
#define TOKEN_LIFE_DEFAULT_MS (INT64_C(90) * 86400000)
#define TOKEN_LIFE_MAX_MS (INT64_C(1830) * 86400000)

struct token {
    int64_t id;
    char name[TOKEN_NAME_MAX + 1];
    enum role role;
    unsigned scopes;
    struct hash hash; /* of the secret's text */
    int64_t created_ms, expires_ms;
    int64_t used_ms;    /* the begin of the day (UTC) of its last use; 0 = never used */
    int64_t revoked_ms; /* 0 = it is not */
};

#define SECRET_TEXT_SIZE 65
/* 256 bits from getrandom(2) as lower-case hexadecimal digits. */
void secret_draw(char text[static SECRET_TEXT_SIZE]);
/* The hash of such a text. */
struct hash secret_hash(const char *text);

void token_format(int64_t id, const char *secret, char text[static TOKEN_TEXT_SIZE]);
/* False where the text has not exactly that form. */
bool token_parse(const char *text, int64_t *ret_id, struct hash *ret_hash);

enum token_state { TOKEN_VALID, TOKEN_EXPIRED, TOKEN_REVOKED };
enum token_state token_state(const struct token *token, int64_t now_ms);
const char *token_state_name(enum token_state state); /* valid, expired, revoked */

/* "90d" or "12h", from an hour to TOKEN_LIFE_MAX_MS. */
bool token_life_parse(const char *text, int64_t *ret_ms);
