/* JSON by jansson: the one place that includes it. Use json_pack and json_dumps; nothing prints JSON by hand.
 */
#pragma once

#include "lib/line.h"

#include <jansson.h>

/* A double gives back any decimal of up to 15 digits: so a number is written as the decimal that was meant. */
#define JSON_DIGITS 15

/* Compact text with the keys in the order in which they were set. Takes the reference to `value` (which may
 * not be NULL). The caller frees the text. */
char *json_text(json_t *value);

/* Reads one object or list of at most JSON_EXACT_MAX bytes. Numbers become strings of the text that they were written
 * with, since a double would change what a register counts. NULL says why; the caller owns what is returned. */
#define JSON_EXACT_MAX 65536
json_t *json_read_exact(struct span text, struct error *err);
