#include "agent/sources/pick.h"

#include "lib/batch.h"
#include "lib/decimal.h"
#include "lib/rfc3339.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 64 /* characters of a number that is worth reading */
#define DIGITS_MAX 18 /* that surely fit */

bool topic_matches(const char *filter, struct span topic)
{
    size_t at = 0;
    /* What begins with $ is the broker's own, and no wildcard's. */
    if (topic.len > 0 && topic.at[0] == '$' && filter[0] != '$')
        return false;
    for (; *filter != '\0'; filter++) {
        if (*filter == '#')
            return true;
        if (*filter == '+') {
            while (at < topic.len && topic.at[at] != '/')
                at++;
        } else if (at < topic.len && topic.at[at] == *filter) {
            at++;
        } else {
            return at == topic.len && strcmp(filter, "/#") == 0;
        }
    }
    return at == topic.len;
}

static json_t *child(json_t *value, const char *key, size_t len)
{
    if (json_is_object(value))
        return json_object_getn(value, key, len);
    uint64_t index;
    if (json_is_array(value) && number_parse_uint64(key, len, &index))
        return json_array_get(value, (size_t)index);
    return NULL;
}

json_t *pick_find(json_t *message, const char *path)
{
    while (message != NULL && *path != '\0') {
        size_t len = strcspn(path, ".");
        message = child(message, path, len);
        path += len + (path[len] == '.');
    }
    return json_is_null(message) ? NULL : message;
}

bool pick_integer(json_t *value, int64_t *ret)
{
    const char *text = json_string_value(value);
    return text != NULL && number_parse_int64(text, strlen(text), ret) && *ret >= 0;
}

/* RFC 3339 with more decimals than rfc3339_parse takes: they are cut. */
static bool parse_rfc3339(const char *text, int64_t *ret_ms)
{
    char cut[NUMBER_MAX];
    const char *point = strchr(text, '.');
    if (point == NULL)
        return rfc3339_parse(text, ret_ms);
    size_t digits = strspn(point + 1, "0123456789"), kept = digits < 3 ? digits : 3;
    int written =
        snprintf(cut, sizeof cut, "%.*s%s", (int)(point + 1 + kept - text), text, point + 1 + digits);
    return written > 0 && (size_t)written < sizeof cut && rfc3339_parse(cut, ret_ms);
}

/* Splits "-12.5e3" into its digits, and how many of them stand behind the point (below 0: zeros are to follow). */
static bool split_number(const char *text, char digits[static NUMBER_MAX], int *ret_count, int64_t *ret_scale)
{
    size_t length = strlen(text);
    double shape; /* its grammar is what counts */
    if (length >= NUMBER_MAX || !number_parse_double(text, length, &shape))
        return false;
    int64_t exponent = 0, behind = 0;
    bool has_point = false;
    int count = 0;
    for (text += *text == '-'; *text != '\0' && *text != 'e' && *text != 'E'; text++) {
        if (*text == '.') {
            has_point = true;
        } else {
            digits[count++] = *text;
            behind += has_point;
        }
    }
    if (*text != '\0') {
        text += 1 + (text[1] == '+');
        if (!number_parse_int64(text, strlen(text), &exponent) || exponent > NUMBER_MAX ||
            exponent < -NUMBER_MAX)
            return false;
    }
    *ret_count = count;
    *ret_scale = behind - exponent;
    return true;
}

/* False where it is no number, or far beyond what counts. */
static bool exact_number(const char *text, struct decimal *ret)
{
    char digits[NUMBER_MAX];
    int count;
    int64_t scale, value = 0;
    if (!split_number(text, digits, &count, &scale))
        return false;
    int first = 0;
    while (first < count && digits[first] == '0')
        first++;
    while (count > first && (scale > DECIMAL_SCALE_MAX || (scale > 0 && count - first > DIGITS_MAX))) {
        count--;
        scale--;
    }
    if (count == first)
        scale = 0;
    if (count - first - (scale < 0 ? scale : 0) > DIGITS_MAX)
        return false;
    for (int i = first; i < count; i++)
        value = 10 * value + (digits[i] - '0');
    for (; scale < 0; scale++)
        value *= 10;
    *ret = (struct decimal){*text == '-' ? -value : value, (int)scale};
    return true;
}

bool pick_time(json_t *value, int64_t *ret_ms)
{
    const char *text = json_string_value(value);
    struct decimal seconds, ms;
    if (text == NULL)
        return false;
    if (!exact_number(text, &seconds))
        return parse_rfc3339(text, ret_ms);
    if (!decimal_multiply(seconds, (struct decimal){1000, 0}, 0, &ms) || ms.value <= 0)
        return false;
    *ret_ms = ms.value;
    return true;
}

static enum status refuse_text(const char *text, struct error *err)
{
    return error_set(err, ST_INVALID, "\"%.40s\" is no number; expected one", text);
}

static enum status pick_register(
    const char *text, const struct pick_meaning *meaning, union driver_value *ret, struct error *err)
{
    struct decimal d;
    if (!exact_number(text, &d))
        return refuse_text(text, err);
    int64_t unit = 1;
    for (int i = 0; i < d.scale; i++)
        unit *= 10;
    struct fraction factor;
    int64_t count;
    if (!fraction_multiply(meaning->factor, (struct fraction){1, unit}, &factor) ||
        !fraction_scale_int64(d.value, factor, &count) || count > REGISTER_MAX || count < -REGISTER_MAX)
        return error_set(err, ST_INVALID, "%.40s is too large; expected at most 10^15 in base units", text);
    ret->count = count;
    return ST_OK;
}

static enum status pick_gauge(
    const char *text, const struct pick_meaning *meaning, union driver_value *ret, struct error *err)
{
    double number;
    if (!number_parse_double(text, strlen(text), &number))
        return refuse_text(text, err);
    ret->number = number * (double)meaning->factor.num / (double)meaning->factor.den;
    return ST_OK;
}

static enum status pick_state(
    const char *text, const struct pick_meaning *meaning, union driver_value *ret, struct error *err)
{
    ret->text = text;
    if (meaning->state_count == 0)
        return ST_OK;
    uint64_t index;
    if (number_parse_uint64(text, strlen(text), &index) && index < meaning->state_count) {
        ret->text = meaning->states[index];
        return ST_OK;
    }
    for (size_t i = 0; i < meaning->state_count; i++)
        if (strcmp(meaning->states[i], text) == 0)
            return ST_OK;
    return error_set(err, ST_INVALID, "\"%.40s\" is none of its states", text);
}

enum status pick_text(
    const char *text, const struct pick_meaning *meaning, union driver_value *ret, struct error *err)
{
    switch (meaning->kind) {
    case READING_REGISTER:
        return pick_register(text, meaning, ret, err);
    case READING_GAUGE:
        return pick_gauge(text, meaning, ret, err);
    case READING_STATE:
        return pick_state(text, meaning, ret, err);
    }
    return ST_INVALID;
}

enum status pick_value(
    json_t *value, const struct pick_meaning *meaning, union driver_value *ret, struct error *err)
{
    if (json_is_string(value))
        return pick_text(json_string_value(value), meaning, ret, err);
    if (!json_is_boolean(value))
        return error_set(err, ST_INVALID, "is a list or an object; expected a single value");
    if (meaning->kind == READING_REGISTER)
        return error_set(err, ST_INVALID, "is true or false; expected a number");
    if (meaning->kind == READING_GAUGE || meaning->state_count == 0)
        return pick_text(meaning->kind == READING_GAUGE ? (json_is_true(value) ? "1" : "0")
                                                        : (json_is_true(value) ? "true" : "false"),
            meaning, ret, err);
    return pick_text(json_is_true(value) ? "1" : "0", meaning, ret, err);
}
