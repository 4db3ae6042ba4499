#include "collector/web/ops_fields.h"

#include "lib/decimal.h"
#include "lib/mem.h"
#include "lib/number.h"
#include "lib/rfc3339.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ops_kind kinds[] = {
    {"outlier",
        {{WORD_METER, OPS_METER, true, NULL}, {WORD_FROM, OPS_TIME, true, NULL},
            {WORD_UNTIL, OPS_TIME, true, "help_outlier"}},
        3},
    {"reset",
        {{WORD_METER, OPS_METER, true, NULL}, {WORD_AT, OPS_TIME, true, NULL},
            {WORD_END, OPS_QUANTITY, true, NULL}, {WORD_START, OPS_QUANTITY, true, NULL},
            {WORD_FORCE, OPS_CHECK, false, NULL}},
        5},
    {"replacement",
        {{WORD_METER, OPS_METER, true, NULL}, {WORD_AT, OPS_TIME, true, NULL},
            {WORD_END, OPS_QUANTITY, true, NULL}, {WORD_START, OPS_QUANTITY, true, NULL},
            {WORD_SERIAL, OPS_TEXT, false, NULL}, {WORD_MODULUS, OPS_QUANTITY, false, "help_as_before"},
            {WORD_RESOLUTION, OPS_QUANTITY, false, "help_as_before"},
            {WORD_MAX_RATE, OPS_QUANTITY, false, "help_as_before"},
            {WORD_RATIO, OPS_RATIO, false, "help_as_before"}, {WORD_FORCE, OPS_CHECK, false, NULL}},
        10},
    {"energy",
        {{WORD_METER, OPS_METER, true, NULL}, {WORD_FROM, OPS_TIME, true, NULL},
            {WORD_UNTIL, OPS_TIME, true, "help_span"}, {WORD_ENERGY, OPS_QUANTITY, true, NULL},
            {WORD_FORCE, OPS_CHECK, false, NULL}},
        5},
    {"reading",
        {{WORD_METER, OPS_METER, true, NULL}, {WORD_AT, OPS_TIME, true, NULL},
            {WORD_REGISTER, OPS_QUANTITY, true, NULL}, {WORD_FORCE, OPS_CHECK, false, NULL}},
        4},
    {"undo", {{WORD_UNDO, OPS_NUMBER, true, NULL}}, 1},
};

const struct ops_kind *ops_kind_find(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

/* ---- times ---- */

/* "2026-03-02 18:06[:30[.500]]" as if it were UTC. */
static bool read_clock(const char *text, int64_t *ret_ms)
{
    size_t length = strlen(text);
    bool has_form = length >= 16 && length <= 23 && (text[10] == ' ' || text[10] == 'T');
    if (!has_form)
        return false;
    char *whole = mem_printf("%.10sT%s%sZ", text, text + 11, length == 16 ? ":00" : "");
    bool is_time = rfc3339_parse(whole, ret_ms);
    free(whole);
    return is_time;
}

bool ops_time_read(const char *text, const struct zone *zone, int64_t *ret_ms)
{
    int64_t clock_ms, found_ms = INT64_MAX;
    if (rfc3339_parse(text, ret_ms))
        return true;
    if (!read_clock(text, &clock_ms))
        return false;
    /* Whatever the clocks were put by, the offset is that of a day before or after. */
    for (int day = -1; day <= 1; day++) {
        int64_t at_ms = clock_ms - (int64_t)zone_offset_s(zone, clock_ms + day * INT64_C(86400000)) * 1000;
        if (at_ms + (int64_t)zone_offset_s(zone, at_ms) * 1000 == clock_ms && at_ms < found_ms)
            found_ms = at_ms;
    }
    *ret_ms = found_ms;
    return found_ms != INT64_MAX;
}

/* ---- amounts ---- */

bool ops_quantity_read(const char *text, int scale, int64_t *ret)
{
    struct decimal given, whole;
    if (!decimal_parse(text, &given) || given.scale > scale ||
        !decimal_multiply(given, (struct decimal){1, 0}, scale, &whole))
        return false;
    *ret = whole.value;
    return true;
}

/* ---- fields ---- */

static bool is_blank(const char *text)
{
    return text == NULL || strspn(text, " ") == strlen(text);
}

static const char *read_time(const char *text, const struct zone *zone, json_t **ret)
{
    int64_t time_ms;
    char shown[ZONE_TIME_SIZE];
    if (!ops_time_read(text, zone, &time_ms))
        return "wrong_time";
    zone_format_time(zone, time_ms, shown);
    *ret = json_string(shown);
    return NULL;
}

static const char *read_quantity(const char *text, int scale, json_t **ret)
{
    int64_t value;
    if (scale < 0)
        return NULL; /* of what, the field of the meter says */
    if (!ops_quantity_read(text, scale, &value))
        return "wrong_quantity";
    *ret = json_integer(value);
    return NULL;
}

static const char *read_number(const char *text, json_t **ret)
{
    int64_t value;
    if (!number_parse_int64(text, strlen(text), &value))
        return "wrong_number";
    *ret = json_integer(value);
    return NULL;
}

static const char *read_ratio(const char *text, json_t **ret)
{
    struct fraction ratio;
    if (!fraction_parse(text, &ratio) || ratio.num < 1)
        return "wrong_ratio";
    *ret = json_string(text);
    return NULL;
}

/* NULL: *ret is what is to be said; or it stays NULL, where nothing is. */
static const char *read_field(
    const struct ops_field *field, const char *text, const struct zone *zone, int scale, json_t **ret)
{
    if (field->type == OPS_CHECK) {
        *ret = text != NULL ? json_true() : NULL;
        return NULL;
    }
    if (is_blank(text))
        return field->is_needed ? "wrong_missing" : NULL;
    switch (field->type) {
    case OPS_METER:
        *ret = json_string(text);
        return scale < 0 ? "wrong_meter" : NULL;
    case OPS_TIME:
        return read_time(text, zone, ret);
    case OPS_QUANTITY:
        return read_quantity(text, scale, ret);
    case OPS_RATIO:
        return read_ratio(text, ret);
    case OPS_NUMBER:
        return read_number(text, ret);
    case OPS_TEXT:
    case OPS_CHECK:
        break;
    }
    *ret = json_string(text);
    return NULL;
}

json_t *ops_fields_read(const struct ops_kind *kind, const struct web_form *form, const struct zone *zone,
    int scale, struct ops_wrong *ret)
{
    json_t *object = json_object();
    *ret = (struct ops_wrong){{NULL}};
    /* A reading is of that kind where it is entered. */
    if (strcmp(kind->name, "reading") != 0)
        json_object_set_new(object, "kind", json_string(kind->name));
    for (size_t i = 0; i < kind->count; i++) {
        const struct ops_field *field = &kind->fields[i];
        const char *name = deciding_word_name(field->word);
        json_t *value = NULL;
        ret->of[field->word] = read_field(field, form_value(form, name), zone, scale, &value);
        if (value != NULL)
            json_object_set_new(object, name, value);
    }
    return object;
}

/* ---- refusals ---- */

/* A part of the sentence (collector/deciding.c, deciding_check.c, deciding_words.c), the field, and how pages say it. */
static const struct {
    const char *part;
    enum deciding_word word;
    const char *key;
} refusals[] = {
    {"and cannot have read", WORD_END, "refused_end"},
    {"is about this already", WORD_KIND, "refused_decided"},
    {"has no reading from", WORD_UNTIL, "refused_no_reading"},
    {"readings of meter", WORD_UNTIL, "refused_many"},
    {"has no segment", WORD_AT, "refused_segment"},
    {"the segment has a start register", WORD_START, "refused_register"},
    {"the segment has an end register", WORD_END, "refused_register"},
    {"the segment has a modulus", WORD_MODULUS, "refused_range"},
    {"the segment has a resolution", WORD_RESOLUTION, "refused_range"},
    {"the segment has a max_rate", WORD_MAX_RATE, "refused_range"},
    {"the segment has a ratio", WORD_RATIO, "refused_range"},
    {"are not plausible", WORD_START, "refused_implausible"},
    {"has no open exception", WORD_FROM, "refused_exception"},
    {"expected 0 or more", WORD_ENERGY, "refused_negative"},
    {"max_rate of meter", WORD_ENERGY, "refused_rate"},
    {"expected a meter without a point", WORD_METER, "refused_point"},
    {"cannot read", WORD_REGISTER, "refused_register"},
    {"is in the future", WORD_AT, "refused_future"},
    {"has a reading of", WORD_AT, "refused_taken"},
    {"is below the last reading", WORD_REGISTER, "refused_below"},
    {"is above the next reading", WORD_REGISTER, "refused_above"},
    {"until is before from", WORD_UNTIL, "refused_order"},
    {"why is not a text", WORD_WHY, "wrong_text"},
    {"serial is not a text", WORD_SERIAL, "wrong_text"},
    {"there is no decision", WORD_UNDO, "refused_no_decision"},
    {"undone already", WORD_UNDO, "refused_undone"},
};

const char *ops_refusal(const char *message, enum deciding_word *ret_word)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if (strstr(message, refusals[i].part) != NULL) {
            *ret_word = refusals[i].word;
            return refusals[i].key;
        }
    return NULL;
}
