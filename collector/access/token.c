#include "collector/access/token.h"

#include "lib/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define PREFIX "park_"

void secret_draw(char text[static SECRET_TEXT_SIZE])
{
    struct hash random;
    if (getrandom(random.bytes, sizeof random.bytes, 0) != (ssize_t)sizeof random.bytes)
        abort();
    hash_format(&random, text);
}

struct hash secret_hash(const char *text)
{
    return hash_of(span_of(text));
}

void token_format(int64_t id, const char *secret, char text[static TOKEN_TEXT_SIZE])
{
    snprintf(text, TOKEN_TEXT_SIZE, PREFIX "%lld_%s", (long long)id, secret);
}

bool token_parse(const char *text, int64_t *ret_id, struct hash *ret_hash)
{
    if (strncmp(text, PREFIX, strlen(PREFIX)) != 0)
        return false;
    const char *number = text + strlen(PREFIX), *end = strchr(number, '_');
    int64_t id;
    if (end == NULL || number[0] == '0' || !number_parse_int64(number, (size_t)(end - number), &id) || id < 1)
        return false;
    const char *secret = end + 1;
    if (strspn(secret, "0123456789abcdef") != SECRET_TEXT_SIZE - 1 || secret[SECRET_TEXT_SIZE - 1] != '\0')
        return false;
    *ret_id = id;
    *ret_hash = secret_hash(secret);
    return true;
}

enum token_state token_state(const struct token *token, int64_t now_ms)
{
    if (token->revoked_ms != 0)
        return TOKEN_REVOKED;
    return now_ms < token->expires_ms ? TOKEN_VALID : TOKEN_EXPIRED;
}

const char *token_state_name(enum token_state state)
{
    switch (state) {
    case TOKEN_VALID:
        return "valid";
    case TOKEN_EXPIRED:
        return "expired";
    case TOKEN_REVOKED:
        return "revoked";
    }
    return "?";
}

bool token_life_parse(const char *text, int64_t *ret_ms)
{
    size_t len = strlen(text);
    int64_t number;
    if (len < 2 || !number_parse_int64(text, len - 1, &number) || number < 1 || number > 100000)
        return false;
    char unit = text[len - 1];
    int64_t life_ms = unit == 'd' ? number * 86400000 : unit == 'h' ? number * 3600000 : 0;
    if (life_ms == 0 || life_ms > TOKEN_LIFE_MAX_MS)
        return false;
    *ret_ms = life_ms;
    return true;
}
