#include "lib/conf.h"

#include "lib/buf.h"

static const char *const type_names[] = {
    [CONF_STRING] = "string",   [CONF_ID] = "id",           [CONF_POINT] = "point",
    [CONF_PATH] = "path",       [CONF_INT] = "integer",     [CONF_SECONDS] = "seconds",
    [CONF_BOOL] = "boolean",    [CONF_FRACTION] = "exact number", [CONF_CHOICE] = "one of",
    [CONF_STRINGS] = "strings", [CONF_GROUP] = "group",     [CONF_LIST] = "list of groups",
};

static void describe(const struct conf_key *key, struct buf *out)
{
    buf_add_str(out, type_names[key->type]);
    for (int i = 0; key->type == CONF_CHOICE && key->choices[i] != NULL; i++)
        buf_printf(out, "%s%s", i ? " | " : " ", key->choices[i]);
    double scale = key->type == CONF_SECONDS ? 1000 : 1;
    if ((key->type == CONF_INT || key->type == CONF_SECONDS) && key->max > 0)
        buf_printf(out, " %.15g to %.15g", (double)key->min / scale, (double)key->max / scale);
    else if ((key->type == CONF_INT || key->type == CONF_SECONDS) && key->min != 0)
        buf_printf(out, " from %.15g", (double)key->min / scale);
    if (key->unit != NULL)
        buf_printf(out, " %s", key->unit);
    if (key->is_required)
        buf_add_str(out, ", required");
    else if (key->fallback != NULL)
        buf_printf(out, ", default %s", key->fallback);
}

static void print_keys(const struct conf_section *section, int depth, FILE *out)
{
    for (const struct conf_key *key = section->keys; key->name != NULL; key++) {
        struct buf what = {0};
        describe(key, &what);
        fprintf(out, "%*s%-*s  %s. %s.\n", 2 * depth, "", 22 - 2 * depth, key->name, what.data, key->help);
        buf_release(&what);
        if (key->section != NULL)
            print_keys(key->section, depth + 1, out);
    }
    for (int i = 0; section->alternatives != NULL && section->alternatives[i] != NULL; i++) {
        fprintf(out, "%*s-- %s:\n", 2 * depth, "", section->alternatives[i]->name);
        print_keys(section->alternatives[i], depth, out);
    }
}

void conf_print_help(const struct conf_section *section, FILE *out)
{
    print_keys(section, 0, out);
}
