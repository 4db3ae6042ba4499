#include "lib/hash.h"

#include "lib/buf.h"

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

#define BLOCK_SIZE 64 /* of SHA-256 */

/* H(key xor pad, bytes) */
static struct hash hash_padded(
    const unsigned char key[static BLOCK_SIZE], unsigned char pad, struct span bytes)
{
    struct buf text = {0};
    for (size_t i = 0; i < BLOCK_SIZE; i++)
        buf_add_char(&text, (char)(key[i] ^ pad));
    buf_add(&text, bytes.at, bytes.len);
    struct hash hash = hash_of((struct span){text.data, text.len});
    buf_release(&text);
    return hash;
}

struct hash hash_hmac(struct span key, struct span text)
{
    unsigned char block[BLOCK_SIZE] = {0};
    struct hash short_key;
    if (key.len > BLOCK_SIZE) {
        short_key = hash_of(key);
        key = hash_bytes(&short_key);
    }
    memcpy(block, key.at, key.len);
    struct hash inner = hash_padded(block, 0x36, text);
    return hash_padded(block, 0x5c, hash_bytes(&inner));
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

static int digit_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hash_parse(const char *text, struct hash *ret)
{
    for (size_t i = 0; i < HASH_SIZE; i++) {
        int high = digit_value(text[2 * i]), low = high < 0 ? -1 : digit_value(text[2 * i + 1]);
        if (low < 0)
            return false;
        ret->bytes[i] = (unsigned char)(16 * high + low);
    }
    return true;
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
