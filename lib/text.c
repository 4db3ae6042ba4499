#include "lib/text.h"

#include <stdint.h>
#include <string.h>

bool text_is_utf8(struct span s)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)s.at, *end = at + s.len;
    while (at < end) {
        size_t len = *at < 0x80             ? 1
                     : (*at & 0xe0) == 0xc0 ? 2
                     : (*at & 0xf0) == 0xe0 ? 3
                     : (*at & 0xf8) == 0xf0 ? 4
                                            : 0;
        if (len == 0 || (size_t)(end - at) < len)
            return false;
        uint32_t code = len == 1 ? *at : *at & (0x7fu >> len);
        for (size_t i = 1; i < len; i++) {
            if ((at[i] & 0xc0) != 0x80)
                return false;
            code = code << 6 | (at[i] & 0x3f);
        }
        if (len > 1 && (code < smallest[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)))
            return false;
        at += len;
    }
    return true;
}

bool text_has_control(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.at[i] < 0x20 || s.at[i] == 0x7f)
            return true;
    return false;
}

void text_copy(char *to, size_t size, struct span s)
{
    if (!text_is_utf8(s))
        s = SPAN("?");
    size_t len = s.len < size ? s.len : size - 1;
    while (len < s.len && len > 0 && ((unsigned char)s.at[len] & 0xc0) == 0x80)
        len--;
    memcpy(to, s.at, len);
    to[len] = '\0';
}
