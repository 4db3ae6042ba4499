#include "lib/base64.h"

#include <stdint.h>

void base64_add(struct buf *out, struct span bytes)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t count = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t three = 0;
        for (size_t k = 0; k < 3; k++)
            three = three << 8 | (k < count ? (unsigned char)bytes.at[i + k] : 0);
        char four[4];
        for (size_t k = 0; k < 4; k++)
            four[k] = k <= count ? alphabet[three >> (18 - 6 * k) & 63] : '=';
        buf_add(out, four, sizeof four);
    }
}
