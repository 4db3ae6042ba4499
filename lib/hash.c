#include "lib/hash.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

struct hash hash_of(struct span bytes)
{
    struct hash hash;
    unsigned int length = 0;
    int is_done = EVP_Digest(bytes.at, bytes.len, hash.bytes, &length, EVP_sha256(), NULL);
    assert(is_done == 1 && length == HASH_SIZE); /* else out of memory */
    return hash;
}

bool hash_is_equal(const struct hash *a, const struct hash *b)
{
    return memcmp(a->bytes, b->bytes, HASH_SIZE) == 0;
}

bool hash_is_same_secret(const struct hash *a, const struct hash *b)
{
    return CRYPTO_memcmp(a->bytes, b->bytes, HASH_SIZE) == 0;
}

void hash_format(const struct hash *hash, char text[static HASH_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < HASH_SIZE; i++) {
        text[2 * i] = digits[hash->bytes[i] >> 4];
        text[2 * i + 1] = digits[hash->bytes[i] & 15];
    }
    text[2 * HASH_SIZE] = '\0';
}

bool hash_read(struct span bytes, struct hash *ret)
{
    if (bytes.len != HASH_SIZE)
        return false;
    memcpy(ret->bytes, bytes.at, HASH_SIZE);
    return true;
}

struct span hash_bytes(const struct hash *hash)
{
    return (struct span){(const char *)hash->bytes, HASH_SIZE};
}
