/* Checks of text that came from outside. */
#pragma once

#include "lib/line.h"

#include <stdbool.h>
#include <stddef.h>

size_t text_characters(struct span s); /* of UTF-8 */
bool text_is_utf8(struct span s);      /* well formed by RFC 3629: no overlong forms, no surrogates */
/* Any byte below 0x20, or 0x7f; or a character that changes the order in which others are shown (the bidi controls of UAX
 * 9: U+061C, U+200E, U+200F, U+202A to 202E, U+2066 to 2069): what is read must be what is kept. */
bool text_has_control(struct span s);

/* Makes any text fit for people, logs and JSON: control characters (text_has_control) and what is not UTF-8 become '?', byte by
 * byte. */
void text_clean(char *text);
/* Copies as much as fits of a text (NUL-terminated), never half a character, and cleans it. */
void text_copy(char *to, size_t size, struct span s);
/* The place of a word in a NULL-terminated list; -1 = it is not there, or NULL. */
int text_index(const char *const *words, const char *word);
