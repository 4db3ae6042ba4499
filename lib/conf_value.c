#include "lib/conf_private.h"
#include "lib/conf_scan.h"

#include "lib/file.h"
#include "lib/id.h"
#include "lib/mem.h"
#include "lib/text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX 1e9 /* where a key sets no limit: exact in milliseconds, and some thirty years */

/* As in "is ...". */
static const char *type_name(const config_setting_t *setting)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return "an integer";
    case CONFIG_TYPE_FLOAT:
        return "a number with a fraction";
    case CONFIG_TYPE_STRING:
        return "a string";
    case CONFIG_TYPE_BOOL:
        return "a boolean";
    case CONFIG_TYPE_GROUP:
        return "a group";
    default:
        return "a list";
    }
}

static bool is_integer(const config_setting_t *setting)
{
    int type = config_setting_type(setting);
    return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

bool conf_is_reported(const struct conf *c, const config_setting_t *setting)
{
    return c->has_scan_problems && config_setting_type(setting) == CONFIG_TYPE_STRING &&
           strcmp(config_setting_get_string(setting), CONF_SCAN_REPORTED) == 0;
}

/* A key that is being read. */
struct reading {
    struct conf *c;
    const struct conf_where *where;
    const struct conf_key *key;
    void *object;
};

#define FIELD(r, type) (*(type *)((char *)(r)->object + (r)->key->offset))

/* All of these return false, so that a refusal is one statement. */
#define REFUSE(r, ...) (conf_refuse((r)->c, (r)->where, (r)->key->name, __VA_ARGS__), false)

static bool refuse_type(const struct reading *r, const config_setting_t *setting, const char *expected)
{
    return REFUSE(r, "is %s; expected %s", type_name(setting), expected);
}

static bool store_int(const struct reading *r, int64_t value)
{
    const struct conf_key *key = r->key;
    const char *space = key->unit ? " " : "", *unit = key->unit ? key->unit : "";
    if (value >= key->min && (key->max == 0 || value <= key->max)) {
        FIELD(r, int64_t) = value;
        return true;
    }
    if (key->max == 0)
        return REFUSE(r, "%lld is out of range; expected at least %lld%s%s", (long long)value,
            (long long)key->min, space, unit);
    return REFUSE(r, "%lld is out of range; expected %lld to %lld%s%s", (long long)value, (long long)key->min,
        (long long)key->max, space, unit);
}

static bool store_seconds(const struct reading *r, double seconds)
{
    double ms = seconds * 1000, whole = round(ms), min = (double)r->key->min, max = (double)r->key->max;
    if (whole < min && max == 0)
        return REFUSE(r, "%.15g s is out of range; expected at least %.15g s", seconds, min / 1000);
    if (whole < min || whole > (max > 0 ? max : SECONDS_MAX * 1000))
        return REFUSE(r, "%.15g s is out of range; expected %.15g to %.15g s", seconds, min / 1000,
            max > 0 ? max / 1000 : SECONDS_MAX);
    if (!(fabs(ms - whole) < 1e-6))
        return REFUSE(
            r, "%.15g s is finer than a millisecond; expected seconds such as 10, 0.5 or 0.025", seconds);
    FIELD(r, int64_t) = (int64_t)whole;
    return true;
}

static bool store_text(const struct reading *r, const char *text)
{
    const struct conf_key *key = r->key;
    size_t length = strlen(text);
    if (!text_is_utf8(span_of(text)) || text_has_control(span_of(text)))
        return REFUSE(r, "holds bytes that are not printable UTF-8; expected text");
    if (text[0] == '\0' && (key->is_required || key->min > 0 || key->type != CONF_STRING))
        return REFUSE(r, "is empty; expected %s", key->help);
    if (key->type == CONF_ID && !id_is_valid(text))
        return REFUSE(
            r, "\"%s\" is not an id; expected 1 to %d of a-z 0-9 and -, not starting with -", text, ID_MAX);
    if (key->type == CONF_POINT && !point_is_valid(text))
        return REFUSE(r,
            "\"%s\" is not a point; expected 1 to %d of a-z 0-9 . _ -, starting with a letter or digit", text,
            POINT_MAX);
    if (length < (size_t)key->min)
        return REFUSE(r, "has %zu bytes; expected at least %lld", length, (long long)key->min);
    if (key->max > 0 && length > (size_t)key->max)
        return REFUSE(r, "has %zu bytes; expected at most %lld", length, (long long)key->max);
    char *beside = key->type == CONF_PATH ? file_beside(r->where->file, text) : NULL;
    FIELD(r, char *) = conf_strdup(r->c, beside != NULL ? beside : text);
    free(beside);
    return true;
}

static bool store_fraction(const struct reading *r, const char *text)
{
    struct fraction f;
    if (!fraction_parse(text, &f) || f.num <= 0)
        return REFUSE(
            r, "\"%s\" is not a positive number; expected one such as \"0.01\" or \"1000/5\"", text);
    FIELD(r, struct fraction) = f;
    return true;
}

/* What else it is than a known text: "\"x\" is not known", or "is an integer". */
static bool refuse_choice(const struct reading *r, const config_setting_t *setting, const char *text)
{
    struct buf names = {0};
    for (int i = 0; r->key->choices[i] != NULL; i++)
        buf_printf(&names, "%s%s", i > 0 ? ", " : "one of ", r->key->choices[i]);
    if (text == NULL)
        refuse_type(r, setting, names.data);
    else
        conf_refuse(r->c, r->where, r->key->name, "\"%s\" is not known; expected %s", text, names.data);
    buf_release(&names);
    return false;
}

static bool store_choice(const struct reading *r, const char *text)
{
    for (int i = 0; r->key->choices[i] != NULL; i++) {
        if (strcmp(r->key->choices[i], text) == 0) {
            FIELD(r, int) = i;
            return true;
        }
    }
    return false;
}

static bool read_strings(const struct reading *r, const config_setting_t *setting)
{
    if (!config_setting_is_list(setting))
        return refuse_type(r, setting, "a list of strings: [\"a\", \"b\"]");
    size_t count = (size_t)config_setting_length(setting);
    if ((int64_t)count < r->key->min)
        return REFUSE(r, "has %zu entries; expected at least %lld", count, (long long)r->key->min);
    if (r->key->max > 0 && (int64_t)count > r->key->max)
        return REFUSE(r, "has %zu entries; expected at most %lld", count, (long long)r->key->max);
    char **items = conf_alloc(r->c, count * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        const config_setting_t *item = config_setting_get_elem(setting, (unsigned)i);
        if (conf_is_reported(r->c, item))
            return false;
        if (config_setting_type(item) != CONFIG_TYPE_STRING)
            return REFUSE(r, "holds %s; expected a list of strings: [\"a\", \"b\"]", type_name(item));
        items[i] = conf_strdup(r->c, config_setting_get_string(item));
    }
    FIELD(r, struct conf_list) = (struct conf_list){items, count};
    return true;
}

static bool read_number(const struct reading *r, const config_setting_t *setting)
{
    bool is_whole = is_integer(setting);
    int64_t value = is_whole ? config_setting_get_int64(setting) : 0;
    if (r->key->type == CONF_INT)
        return is_whole ? store_int(r, value) : refuse_type(r, setting, "an integer");
    if (is_whole)
        return store_seconds(r, (double)value);
    if (config_setting_type(setting) == CONFIG_TYPE_FLOAT)
        return store_seconds(r, config_setting_get_float(setting));
    return refuse_type(r, setting, "a number of seconds");
}

static bool read_fraction(const struct reading *r, const config_setting_t *setting, const char *text)
{
    int64_t value = is_integer(setting) ? config_setting_get_int64(setting) : 0;
    if (text != NULL)
        return store_fraction(r, text);
    if (!is_integer(setting))
        return refuse_type(r, setting, "an exact number as a string, such as \"0.01\" or \"1000/5\"");
    if (value <= 0)
        return REFUSE(
            r, "%lld is not a positive number; expected one such as 10 or \"0.01\"", (long long)value);
    FIELD(r, struct fraction) = (struct fraction){value, 1};
    return true;
}

static bool read_value(const struct reading *r, const config_setting_t *setting)
{
    bool is_string = config_setting_type(setting) == CONFIG_TYPE_STRING;
    const char *text = is_string ? config_setting_get_string(setting) : NULL;
    switch (r->key->type) {
    case CONF_STRING:
    case CONF_ID:
    case CONF_POINT:
    case CONF_PATH:
        return is_string ? store_text(r, text) : refuse_type(r, setting, "a string in double quotes");
    case CONF_CHOICE:
        return (is_string && store_choice(r, text)) || refuse_choice(r, setting, text);
    case CONF_INT:
    case CONF_SECONDS:
        return read_number(r, setting);
    case CONF_BOOL:
        if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
            return refuse_type(r, setting, "true or false");
        FIELD(r, bool) = config_setting_get_bool(setting);
        return true;
    case CONF_FRACTION:
        return read_fraction(r, setting, text);
    case CONF_STRINGS:
        return read_strings(r, setting);
    case CONF_GROUP:
    case CONF_LIST:
        break;
    }
    assert(!"groups and lists are read by conf.c");
    return false;
}

bool conf_read_value(struct conf *c, const struct conf_where *where, const struct conf_key *key,
    config_setting_t *setting, void *object)
{
    struct reading r = {c, where, key, object};
    bool is_good = !conf_is_reported(c, setting) && read_value(&r, setting);
    if (!is_good)
        conf_use_fallback(c, where, key, object);
    return is_good;
}

void conf_use_fallback(
    struct conf *c, const struct conf_where *where, const struct conf_key *key, void *object)
{
    struct reading r = {c, where, key, object};
    const char *text = key->fallback;
    if (text == NULL)
        return;
    bool is_good = false;
    int64_t whole;
    double seconds;
    switch (key->type) {
    case CONF_STRING:
    case CONF_ID:
    case CONF_POINT:
    case CONF_PATH:
        /* An empty default is one that need not be given. */
        if (text[0] == '\0')
            FIELD(&r, char *) = conf_strdup(c, "");
        is_good = text[0] == '\0' || store_text(&r, text);
        break;
    case CONF_INT:
        /* A default may lie outside the range, and so tell that nothing was said. */
        is_good = number_parse_int64(text, strlen(text), &whole);
        if (is_good)
            FIELD(&r, int64_t) = whole;
        break;
    case CONF_SECONDS:
        is_good = number_parse_double(text, strlen(text), &seconds) && store_seconds(&r, seconds);
        break;
    case CONF_BOOL:
        is_good = strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
        FIELD(&r, bool) = strcmp(text, "true") == 0;
        break;
    case CONF_FRACTION:
        is_good = store_fraction(&r, text);
        break;
    case CONF_CHOICE:
        is_good = store_choice(&r, text);
        break;
    case CONF_STRINGS:
    case CONF_GROUP:
    case CONF_LIST:
        break;
    }
    assert(is_good && "a fallback must be readable");
}
