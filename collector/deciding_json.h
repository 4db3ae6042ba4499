/* What a person says of a decision, as the members of a JSON object: of the API, and of the control socket. Pure. */
#pragma once

#include "collector/deciding_words.h"
#include "lib/json.h"
#include "lib/number.h"

/* Adds the members to `words`: texts are borrowed of the object, whole numbers are written into `numbers`. ST_INVALID: one that is
 * unknown, or in `words` already, or of another type. */
enum status deciding_json_read(const json_t *object, struct deciding_words *words,
    char numbers[WORDS][NUMBER_INT64_SIZE], struct error *err);
/* The object of words; the caller's reference. */
json_t *deciding_json_write(const struct deciding_words *words);
