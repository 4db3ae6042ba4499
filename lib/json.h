/* JSON by jansson: the one place that includes it. Use json_pack and json_dumps; nothing prints JSON by hand.
 */
#pragma once

#include <jansson.h>

/* Compact text with the keys in the order in which they were set. Takes the reference to `value` (which may
 * not be NULL). The caller frees the text. */
char *json_text(json_t *value);
