/*
 * What a person fills in about a meter, as fields of a form: which there are for each kind of decision, and each read and
 * said to be wrong by itself, in the person's language. What comes of them is the JSON of /api/v1/decisions. Pure.
 */
#pragma once

#include "collector/deciding_words.h"
#include "collector/model/zone.h"
#include "collector/web/form.h"
#include "lib/json.h"

enum ops_field_type { OPS_METER, OPS_TIME, OPS_QUANTITY, OPS_RATIO, OPS_TEXT, OPS_CHECK, OPS_NUMBER };

struct ops_field {
    enum deciding_word word;
    enum ops_field_type type;
    bool is_needed;
    const char *help; /* key of a text; NULL = none */
};

struct ops_kind {
    const char *name; /* as the API has it */
    struct ops_field fields[10];
    size_t count;
};

/* NULL: there is none of that name. */
const struct ops_kind *ops_kind_find(const char *name);

/* By word: the key of a text, NULL = nothing wrong. */
struct ops_wrong {
    const char *of[WORDS];
};

/* What stands in the fields, as JSON (`kind` and all but `why`); what is wrong with each, beside. `scale`: how many decimals
 * the carrier's unit has of its base unit; -1 = no meter was chosen. Times without an offset are the zone's. */
json_t *ops_fields_read(const struct ops_kind *kind, const struct web_form *form, const struct zone *zone,
    int scale, struct ops_wrong *ret);

/* Which field the refusal of the API is about, and its words in the pages' texts: NULL = it is none that we know. */
const char *ops_refusal(const char *message, enum deciding_word *ret_word);

/* A time as it was typed: RFC 3339, or what the zone's clocks show, 2026-03-02 18:06 (a T, seconds and three decimals may be
 * there). False: neither, or the clocks do not show it. Of a time that they show twice it is the first. */
bool ops_time_read(const char *text, const struct zone *zone, int64_t *ret_ms);
/* An amount such as 1234.56 in base units. False: it is none, has more decimals, or is beyond int64. */
bool ops_quantity_read(const char *text, int scale, int64_t *ret);
