#include "lib/text.h"

#include <stdint.h>
#include <string.h>

/* The length of the character at `at`, or 0 where there is none that RFC 3629 allows. */
static size_t character_length(const unsigned char *at, size_t len)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = *at < 0x80             ? 1
                  : (*at & 0xe0) == 0xc0 ? 2
                  : (*at & 0xf0) == 0xe0 ? 3
                  : (*at & 0xf8) == 0xf0 ? 4
                                         : 0;
    if (size == 0 || len < size)
        return 0;
    uint32_t code = size == 1 ? *at : *at & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3f);
    }
    bool is_allowed =
        size == 1 || (code >= smallest[size] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff));
    return is_allowed ? size : 0;
}

size_t text_characters(struct span s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++)
        count += ((unsigned char)s.at[i] & 0xc0) != 0x80;
    return count;
}

bool text_is_utf8(struct span s)
{
    for (size_t at = 0; at < s.len;) {
        size_t size = character_length((const unsigned char *)s.at + at, s.len - at);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}

static bool is_bidi_control(const unsigned char *at, size_t len)
{
    if (len >= 2 && at[0] == 0xd8 && at[1] == 0x9c)
        return true;
    if (len < 3 || at[0] != 0xe2)
        return false;
    return at[1] == 0x80   ? at[2] == 0x8e || at[2] == 0x8f || (at[2] >= 0xaa && at[2] <= 0xae)
           : at[1] == 0x81 ? at[2] >= 0xa6 && at[2] <= 0xa9
                           : false;
}

bool text_has_control(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.at[i] < 0x20 || s.at[i] == 0x7f ||
            is_bidi_control((const unsigned char *)s.at + i, s.len - i))
            return true;
    return false;
}

void text_clean(char *text)
{
    size_t len = strlen(text);
    for (size_t at = 0; at < len;) {
        size_t size = character_length((const unsigned char *)text + at, len - at);
        bool is_control = (unsigned char)text[at] < 0x20 || text[at] == 0x7f;
        bool is_bidi = size > 0 && is_bidi_control((const unsigned char *)text + at, len - at);
        for (size_t i = 0; i < size && is_bidi; i++)
            text[at + i] = '?';
        if (size == 0 || is_control)
            text[at] = '?';
        at += size > 0 ? size : 1;
    }
}

void text_copy(char *to, size_t size, struct span s)
{
    size_t len = s.len < size ? s.len : size - 1;
    while (len < s.len && len > 0 && ((unsigned char)s.at[len] & 0xc0) == 0x80)
        len--;
    memcpy(to, s.at, len);
    to[len] = '\0';
    text_clean(to);
}

int text_index(const char *const *words, const char *word)
{
    for (int i = 0; word != NULL && words[i] != NULL; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}
