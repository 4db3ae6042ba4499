/* --help-config: the tables as people read them. */
#include "lib/conf.h"

#include "lib/buf.h"
#include "lib/number.h"

#include <string.h>

#define INDENT 2
#define TEXT_COLUMN 22
#define COLUMNS 110

static const char *const type_names[] = {
    [CONF_STRING] = "string",
    [CONF_ID] = "id",
    [CONF_POINT] = "point",
    [CONF_PATH] = "path",
    [CONF_INT] = "integer",
    [CONF_SECONDS] = "seconds",
    [CONF_BOOL] = "true or false",
    [CONF_FRACTION] = "exact number",
    [CONF_CHOICE] = "one of",
    [CONF_STRINGS] = "list of strings",
    [CONF_GROUP] = "group",
    [CONF_LIST] = "list of groups",
};

static void describe_range(const struct conf_key *key, struct buf *out)
{
    double scale = key->type == CONF_SECONDS ? 1000 : 1;
    double min = (double)key->min / scale, max = (double)key->max / scale;
    bool is_number = key->type == CONF_INT || key->type == CONF_SECONDS;
    if (is_number && key->max > 0)
        buf_printf(out, " %.16g to %.16g", min, max);
    else if (is_number)
        buf_printf(out, " from %.16g", min);
    else if (key->type == CONF_STRING && key->max > 0)
        buf_printf(out, " of at most %.16g bytes", max);
    else if (key->type == CONF_LIST && key->min > 0)
        buf_printf(out, ", at least %.16g", min);
}

/* A default that nobody may write stands for "none". */
static bool is_none(const struct conf_key *key)
{
    int64_t value;
    return key->type == CONF_INT && number_parse_int64(key->fallback, strlen(key->fallback), &value) &&
           value < key->min;
}

static void describe(const struct conf_key *key, struct buf *out)
{
    buf_add_str(out, type_names[key->type]);
    for (int i = 0; key->type == CONF_CHOICE && key->choices[i] != NULL; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : " ", key->choices[i]);
    describe_range(key, out);
    if (key->unit != NULL)
        buf_printf(out, " %s", key->unit);
    if (key->is_required)
        buf_add_str(out, "; required");
    else if (key->fallback != NULL && key->fallback[0] != '\0' && !is_none(key))
        buf_printf(out, "; default %s", key->fallback);
    buf_printf(out, "; %s", key->help);
}

/* From TEXT_COLUMN on, where the cursor stands after `column` characters; breaks at spaces. */
static void print_wrapped(const char *text, size_t column, FILE *out)
{
    bool is_first = true;
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        if (!is_first && column + 1 + length > COLUMNS) {
            fputc('\n', out);
            column = 0;
            is_first = true;
        }
        while (column < TEXT_COLUMN) {
            fputc(' ', out);
            column++;
        }
        column += (size_t)fprintf(out, "%s%.*s", is_first ? "" : " ", (int)length, text);
        is_first = false;
        text += length + strspn(text + length, " ");
    }
    fputc('\n', out);
}

static void print_keys(const struct conf_section *section, int depth, FILE *out);

static void print_key(const struct conf_key *key, int depth, FILE *out)
{
    struct buf what = {0};
    describe(key, &what);
    int column = fprintf(out, "%*s%s  ", INDENT * depth, "", key->name);
    print_wrapped(what.data, (size_t)column, out);
    buf_release(&what);
    if (key->section != NULL)
        print_keys(key->section, depth + 1, out);
}

/* What nests comes last, so that the keys of one level stand together. */
static void print_keys(const struct conf_section *section, int depth, FILE *out)
{
    for (const struct conf_key *key = section->keys; key->name != NULL; key++)
        if (key->section == NULL)
            print_key(key, depth, out);
    const struct conf_section *more;
    for (size_t i = 0; section->alternative != NULL && (more = section->alternative(i)) != NULL; i++) {
        fprintf(out, "%*s-- %s:\n", INDENT * depth, "", more->name);
        print_keys(more, depth, out);
    }
    for (const struct conf_key *key = section->keys; key->name != NULL; key++)
        if (key->section != NULL)
            print_key(key, depth, out);
}

void conf_print_help(const struct conf_section *section, FILE *out)
{
    print_keys(section, 0, out);
}
