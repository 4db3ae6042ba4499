/* Checks of text that came from outside. */
#pragma once

#include "lib/line.h"

#include <stdbool.h>
#include <stddef.h>

bool text_is_utf8(struct span s);     /* well formed by RFC 3629: no overlong forms, no surrogates */
bool text_has_control(struct span s); /* any byte below 0x20, or 0x7f */

/* Makes any text fit for people, logs and JSON: control characters and what is not UTF-8 become '?', byte by
 * byte. */
void text_clean(char *text);
/* Copies as much as fits of a text (NUL-terminated), never half a character, and cleans it. */
void text_copy(char *to, size_t size, struct span s);
