/* SHA-256 (FIPS 180-4), as libcrypto computes it. Pure. */
#pragma once

#include "lib/line.h"

#include <stdbool.h>

#define HASH_SIZE 32
#define HASH_TEXT_SIZE 65

struct hash {
    unsigned char bytes[HASH_SIZE];
};

struct hash hash_of(struct span bytes);
/* HMAC-SHA256 (RFC 2104). */
struct hash hash_hmac(struct span key, struct span text);
bool hash_is_equal(const struct hash *a, const struct hash *b);
/* The same in constant time: how long it takes tells nobody where they differ. */
bool hash_is_same_secret(const struct hash *a, const struct hash *b);
/* 64 lower-case hexadecimal digits. */
void hash_format(const struct hash *hash, char text[static HASH_TEXT_SIZE]);
/* False where `text`, of which no more is read than those 64, does not begin with them. */
bool hash_parse(const char *text, struct hash *ret);
/* As it lies in a database; false where it is not HASH_SIZE bytes long. */
bool hash_read(struct span bytes, struct hash *ret);
struct span hash_bytes(const struct hash *hash);
