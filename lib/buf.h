/* A growing byte string, always followed by a NUL that `len` does not count. A zeroed struct is empty. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct buf {
    char *data; /* NULL while nothing was ever added */
    size_t len;
    size_t cap;
};

void buf_release(struct buf *b); /* frees and zeroes */
void buf_reset(struct buf *b);   /* empties, keeps the memory */
void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_str(struct buf *b, const char *text);
void buf_add_char(struct buf *b, char c);
void buf_add_html(
    struct buf *b, const char *text); /* safe as an element's text and within a quoted attribute */
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Hands the text over to the caller, who frees it; the buffer is empty afterwards. Never NULL. */
char *buf_take(struct buf *b);
