/* Forms and cookies as browsers send them. Pure; whatever comes, memory is bounded by what came. */
#pragma once

#include "lib/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct web_param {
    const char *name, *value;
};

#define FORM_FIELDS_MAX 16

/* Strings are UTF-8 without control characters, decoded; they live in `text`. */
struct web_form {
    struct web_param fields[FORM_FIELDS_MAX];
    size_t count;
    char *text;            /* owned */
    const char *odd_field; /* the one that is not as it should be; NULL = none, or its name is none either */
};

/* application/x-www-form-urlencoded (WHATWG URL, "application/x-www-form-urlencoded parsing"). False: a bad escape, a
 * NUL or control character, not UTF-8, a name twice, too many fields. The caller releases it either way. */
bool form_parse(struct web_form *form, const char *body, size_t len);
void form_release(struct web_form *form);
const char *form_value(const struct web_form *form, const char *name); /* NULL = not there */

/* A name or value as it stands in a link (the same, "application/x-www-form-urlencoded serializing"). */
void form_add_encoded(struct buf *out, const char *text);

/* The value of a cookie in a Cookie header (RFC 6265, 5.4), if it is at most `size` - 1 bytes long; the first of
 * several. */
bool cookie_find(const char *header, const char *name, char *ret, size_t size);
