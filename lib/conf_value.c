#include "lib/conf_private.h"

#include "lib/file.h"
#include "lib/id.h"
#include "lib/mem.h"
#include "lib/text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(object, key, type) (*(type *)((char *)(object) + (key)->offset))

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

static void refuse(struct conf *c, const struct conf_where *where, const struct conf_key *key,
    config_setting_t *setting, const char *expected)
{
    conf_problem(c, where, key->name, "is %s; expected %s", type_name(setting), expected);
}

static bool check_range(struct conf *c, const struct conf_where *where, const struct conf_key *key, int64_t value)
{
    if (value >= key->min && (key->max == 0 || value <= key->max))
        return true;
    const char *space = key->unit ? " " : "", *unit = key->unit ? key->unit : "";
    if (key->max == 0)
        conf_problem(c, where, key->name, "%lld is out of range; expected at least %lld%s%s", (long long)value,
            (long long)key->min, space, unit);
    else
        conf_problem(c, where, key->name, "%lld is out of range; expected %lld to %lld%s%s", (long long)value,
            (long long)key->min, (long long)key->max, space, unit);
    return false;
}

static void check_seconds(struct conf *c, const struct conf_where *where, const struct conf_key *key, double seconds,
    void *object)
{
    double ms = seconds * 1000, whole = round(ms);
    if (!(fabs(ms - whole) < 1e-6) || fabs(whole) > 1e15)
        conf_problem(c, where, key->name, "%g s is not a whole number of milliseconds; expected seconds such as 0.5",
            seconds);
    else if (whole < (double)key->min || (key->max > 0 && whole > (double)key->max))
        conf_problem(c, where, key->name, "%g s is out of range; expected %g to %g s", seconds,
            (double)key->min / 1000, key->max > 0 ? (double)key->max / 1000 : 1e9);
    else
        FIELD(object, key, int64_t) = (int64_t)whole;
}

static void read_text(struct conf *c, const struct conf_where *where, const struct conf_key *key, const char *text,
    void *object)
{
    if (!text_is_utf8(span_of(text)) || text_has_control(span_of(text))) {
        conf_problem(c, where, key->name, "holds bytes that are not printable UTF-8; expected text");
    } else if (key->type == CONF_ID && !id_is_valid(text)) {
        conf_problem(c, where, key->name,
            "\"%s\" is not an id; expected 1 to %d of a-z 0-9 and -, not starting with -", text, ID_MAX);
    } else if (key->type == CONF_POINT && !point_is_valid(text)) {
        conf_problem(c, where, key->name,
            "\"%s\" is not a point; expected 1 to %d of a-z 0-9 . _ -, starting with a letter or digit", text,
            POINT_MAX);
    } else if (key->max > 0 && (int64_t)strlen(text) > key->max) {
        conf_problem(c, where, key->name, "has %zu bytes; expected at most %lld", strlen(text),
            (long long)key->max);
    } else if (key->is_required && text[0] == '\0') {
        conf_problem(c, where, key->name, "is empty; expected %s", key->help);
    } else if (key->type == CONF_PATH) {
        char *path = file_beside(where->file, text);
        FIELD(object, key, char *) = conf_strdup(c, path);
        free(path);
    } else {
        FIELD(object, key, char *) = conf_strdup(c, text);
    }
}

static void read_choice(struct conf *c, const struct conf_where *where, const struct conf_key *key,
    const char *text, void *object)
{
    struct buf names = {0};
    for (int i = 0; key->choices[i] != NULL; i++) {
        if (strcmp(key->choices[i], text) == 0) {
            FIELD(object, key, int) = i;
            buf_release(&names);
            return;
        }
        buf_printf(&names, "%s%s", i ? ", " : "", key->choices[i]);
    }
    conf_problem(c, where, key->name, "\"%s\" is not known; expected one of %s", text, names.data);
    buf_release(&names);
}

static void read_strings(struct conf *c, const struct conf_where *where, const struct conf_key *key,
    config_setting_t *setting, void *object)
{
    int type = config_setting_type(setting);
    if (type != CONFIG_TYPE_LIST && type != CONFIG_TYPE_ARRAY) {
        refuse(c, where, key, setting, "a list of strings: [\"a\", \"b\"]");
        return;
    }
    struct conf_list *list = &FIELD(object, key, struct conf_list);
    size_t count = (size_t)config_setting_length(setting);
    char **items = conf_alloc(c, count * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        config_setting_t *item = config_setting_get_elem(setting, (unsigned)i);
        if (config_setting_type(item) != CONFIG_TYPE_STRING) {
            refuse(c, where, key, item, "a list of strings: [\"a\", \"b\"]");
            return;
        }
        items[i] = conf_strdup(c, config_setting_get_string(item));
    }
    *list = (struct conf_list){items, count};
}

void conf_read_value(struct conf *c, const struct conf_where *where, const struct conf_key *key,
    config_setting_t *setting, void *object)
{
    bool is_string = config_setting_type(setting) == CONFIG_TYPE_STRING;
    switch (key->type) {
    case CONF_STRING:
    case CONF_ID:
    case CONF_POINT:
    case CONF_PATH:
        if (is_string)
            read_text(c, where, key, config_setting_get_string(setting), object);
        else
            refuse(c, where, key, setting, "a string in double quotes");
        break;
    case CONF_INT:
        if (!is_integer(setting))
            refuse(c, where, key, setting, "an integer");
        else if (check_range(c, where, key, config_setting_get_int64(setting)))
            FIELD(object, key, int64_t) = config_setting_get_int64(setting);
        break;
    case CONF_SECONDS:
        if (is_integer(setting))
            check_seconds(c, where, key, (double)config_setting_get_int64(setting), object);
        else if (config_setting_type(setting) == CONFIG_TYPE_FLOAT)
            check_seconds(c, where, key, config_setting_get_float(setting), object);
        else
            refuse(c, where, key, setting, "a number of seconds");
        break;
    case CONF_BOOL:
        if (config_setting_type(setting) == CONFIG_TYPE_BOOL)
            FIELD(object, key, bool) = config_setting_get_bool(setting);
        else
            refuse(c, where, key, setting, "true or false");
        break;
    case CONF_FRACTION: {
        struct fraction f;
        if (is_integer(setting) && config_setting_get_int64(setting) > 0)
            FIELD(object, key, struct fraction) = (struct fraction){config_setting_get_int64(setting), 1};
        else if (!is_string)
            refuse(c, where, key, setting, "an exact number as a string, such as \"0.01\" or \"1000/5\"");
        else if (fraction_parse(config_setting_get_string(setting), &f) && f.num > 0)
            FIELD(object, key, struct fraction) = f;
        else
            conf_problem(c, where, key->name,
                "\"%s\" is not a positive number; expected one such as \"0.01\" or \"1000/5\"",
                config_setting_get_string(setting));
        break;
    }
    case CONF_CHOICE:
        if (is_string)
            read_choice(c, where, key, config_setting_get_string(setting), object);
        else
            refuse(c, where, key, setting, "a string in double quotes");
        break;
    case CONF_STRINGS:
        read_strings(c, where, key, setting, object);
        break;
    case CONF_GROUP:
    case CONF_LIST:
        assert(!"read by conf.c");
        break;
    }
}

void conf_use_fallback(struct conf *c, const struct conf_where *where, const struct conf_key *key, void *object)
{
    if (key->fallback == NULL)
        return;
    bool is_good = true;
    switch (key->type) {
    case CONF_STRING:
    case CONF_ID:
    case CONF_POINT:
    case CONF_PATH:
        read_text(c, where, key, key->fallback, object);
        break;
    case CONF_INT:
        is_good = number_parse_int64(key->fallback, strlen(key->fallback), &FIELD(object, key, int64_t));
        break;
    case CONF_SECONDS: {
        double seconds;
        is_good = number_parse_double(key->fallback, strlen(key->fallback), &seconds);
        if (is_good)
            check_seconds(c, where, key, seconds, object);
        break;
    }
    case CONF_BOOL:
        FIELD(object, key, bool) = strcmp(key->fallback, "true") == 0;
        break;
    case CONF_FRACTION:
        is_good = fraction_parse(key->fallback, &FIELD(object, key, struct fraction));
        break;
    case CONF_CHOICE:
        read_choice(c, where, key, key->fallback, object);
        break;
    case CONF_STRINGS:
    case CONF_GROUP:
    case CONF_LIST:
        is_good = false;
        break;
    }
    assert(is_good && "a fallback must be readable");
}
