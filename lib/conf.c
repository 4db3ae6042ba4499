#include "lib/conf.h"

#include "lib/conf_private.h"
#include "lib/conf_scan.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (16 * 1024 * 1024)

struct problem {
    const char *file;
    int line;
    size_t order;
    char *text;
};

struct conf {
    config_t **files; /* kept: conf_problem looks up lines in them */
    size_t file_count, file_capacity;
    void **blocks;
    size_t block_count, block_capacity;
    struct problem *problems;
    size_t problem_count, problem_capacity;
};

void *conf_alloc(struct conf *c, size_t size)
{
    MEM_GROW(c->blocks, c->block_count, c->block_capacity);
    return c->blocks[c->block_count++] = mem_zalloc(size);
}

char *conf_strdup(struct conf *c, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(conf_alloc(c, size), text, size);
}

static void add_problem(struct conf *c, const char *file, int line, char *text)
{
    for (size_t i = 0; i < c->problem_count; i++) {
        const struct problem *p = &c->problems[i];
        if (p->line == line && strcmp(p->file, file) == 0 && strcmp(p->text, text) == 0) {
            free(text);
            return;
        }
    }
    MEM_GROW(c->problems, c->problem_count, c->problem_capacity);
    c->problems[c->problem_count] = (struct problem){file, line, c->problem_count, text};
    c->problem_count++;
}

void conf_problem_at(struct conf *c, const char *file, int line, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    assert(length >= 0);
    add_problem(c, file, line, text);
}

void conf_problem(struct conf *c, const struct conf_where *where, const char *key, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    assert(length >= 0);
    int line = where->line;
    if (key != NULL && where->setting != NULL) {
        const config_setting_t *member =
            config_setting_get_member((config_setting_t *)where->setting, key);
        if (member != NULL)
            line = (int)config_setting_source_line(member);
    }
    const char *dot = where->path[0] != '\0' && key != NULL ? "." : "";
    add_problem(c, where->file, line, mem_printf("%s%s%s: %s", where->path, dot, key ? key : "", text));
    free(text);
}

static const struct conf_key *find_key(const struct conf_section *section, const char *name)
{
    if (section != NULL)
        for (const struct conf_key *key = section->keys; key->name != NULL; key++)
            if (strcmp(key->name, name) == 0)
                return key;
    return NULL;
}

static void refuse_unknown(struct conf *c, const struct conf_where *where, config_setting_t *group,
    const struct conf_section *section, const struct conf_section *extra)
{
    for (int i = 0; i < config_setting_length(group); i++) {
        config_setting_t *member = config_setting_get_elem(group, (unsigned)i);
        const char *name = config_setting_name(member);
        if (strncmp(name, CONF_SCAN_DUPLICATE, strlen(CONF_SCAN_DUPLICATE)) == 0)
            continue;
        if (find_key(section, name) != NULL || find_key(extra, name) != NULL)
            continue;
        struct buf names = {0};
        const struct conf_section *const both[] = {section, extra};
        for (size_t s = 0; s < 2; s++)
            for (const struct conf_key *key = both[s] ? both[s]->keys : NULL; key && key->name; key++)
                buf_printf(&names, "%s%s", names.len ? ", " : "", key->name);
        conf_problem(c, where, name, "unknown key; expected one of %s", names.data);
        buf_release(&names);
    }
}

static bool is_plain(enum conf_type type)
{
    return type != CONF_GROUP && type != CONF_LIST;
}

static void read_section(struct conf *c, const struct conf_where *where, config_setting_t *group,
    const struct conf_section *section, void *object, const void *parent);

static void read_plain(struct conf *c, const struct conf_where *where, config_setting_t *group,
    const struct conf_section *section, void *object)
{
    for (const struct conf_key *key = section->keys; key->name != NULL; key++) {
        if (!is_plain(key->type))
            continue;
        config_setting_t *setting = group ? config_setting_get_member(group, key->name) : NULL;
        if (setting != NULL)
            conf_read_value(c, where, key, setting, object);
        else if (key->is_required)
            conf_problem(c, where, key->name, "is missing; expected %s", key->help);
        else
            conf_use_fallback(c, where, key, object);
    }
}

static struct conf_where where_of(struct conf *c, const struct conf_where *parent, config_setting_t *setting,
    const char *name, int index)
{
    char *path = index < 0 ? mem_printf("%s%s%s", parent->path, parent->path[0] ? "." : "", name)
                           : mem_printf("%s%s%s[%d]", parent->path, parent->path[0] ? "." : "", name, index);
    struct conf_where where = {
        parent->file, setting ? (int)config_setting_source_line(setting) : parent->line, conf_strdup(c, path), setting};
    free(path);
    return where;
}

static void read_list(struct conf *c, const struct conf_where *where, config_setting_t *setting,
    const struct conf_key *key, void *object)
{
    struct conf_list *list = (struct conf_list *)((char *)object + key->offset);
    *list = (struct conf_list){0};
    int type = config_setting_type(setting);
    bool is_list = type == CONFIG_TYPE_LIST || (type == CONFIG_TYPE_ARRAY && config_setting_length(setting) == 0);
    if (!is_list) {
        conf_problem(c, where, key->name, "is not a list; expected ( { ... }, { ... } )");
        return;
    }
    size_t count = (size_t)config_setting_length(setting);
    if ((int64_t)count < key->min || (key->max > 0 && (int64_t)count > key->max)) {
        conf_problem(c, where, key->name, "has %zu entries; expected at least %lld%s", count,
            (long long)key->min, key->max > 0 ? " and fewer" : "");
        return;
    }
    list->items = conf_alloc(c, count * key->section->size);
    for (size_t i = 0; i < count; i++) {
        config_setting_t *item = config_setting_get_elem(setting, (unsigned)i);
        struct conf_where place = where_of(c, where, item, key->name, (int)i);
        if (!config_setting_is_group(item)) {
            conf_problem(c, &place, NULL, "is not a group; expected { key = value; ... }");
            continue;
        }
        void *element = (char *)list->items + list->count++ * key->section->size;
        read_section(c, &place, item, key->section, element, object);
    }
}

static void read_nested(struct conf *c, const struct conf_where *where, config_setting_t *group,
    const struct conf_section *section, void *object)
{
    for (const struct conf_key *key = section->keys; key->name != NULL; key++) {
        if (is_plain(key->type))
            continue;
        config_setting_t *setting = group ? config_setting_get_member(group, key->name) : NULL;
        if (setting == NULL && key->is_required) {
            conf_problem(c, where, key->name, "is missing; expected %s", key->help);
        } else if (key->type == CONF_LIST) {
            if (setting != NULL)
                read_list(c, where, setting, key, object);
        } else if (setting != NULL && !config_setting_is_group(setting)) {
            conf_problem(c, where, key->name, "is not a group; expected { key = value; ... }");
        } else {
            struct conf_where place = where_of(c, where, setting, key->name, -1);
            read_section(c, &place, setting, key->section, (char *)object + key->offset, object);
        }
    }
}

/* `group` is NULL for a group that is absent: its defaults count, its required keys are missing. */
static void read_section(struct conf *c, const struct conf_where *where, config_setting_t *group,
    const struct conf_section *section, void *object, const void *parent)
{
    if (section->has_where)
        *(struct conf_where *)((char *)object + section->where_offset) = *where;
    if (section->begin != NULL)
        section->begin(object, parent);
    read_plain(c, where, group, section, object);
    const struct conf_section *extra = section->extend != NULL ? section->extend(object) : NULL;
    void *extra_object = NULL;
    if (extra != NULL) {
        extra_object = conf_alloc(c, extra->size);
        *(void **)((char *)object + section->extra_offset) = extra_object;
        read_plain(c, where, group, extra, extra_object);
    }
    if (group != NULL)
        refuse_unknown(c, where, group, section, extra);
    read_nested(c, where, group, section, object);
    if (extra != NULL && extra->check != NULL)
        extra->check(c, extra_object, object);
    if (section->check != NULL)
        section->check(c, object, parent);
}

static void scan_problem(void *context, int line, const char *text)
{
    const struct conf_where *where = context;
    conf_problem_at((struct conf *)where->setting, where->file, line, "%s", text);
}

static config_t *parse(struct conf *c, const char *path, const char *text)
{
    struct buf mended = {0};
    struct conf_where place = {path, 0, "", c};
    conf_scan(text, &mended, scan_problem, &place);
    config_t *file = conf_alloc(c, sizeof *file);
    config_init(file);
    MEM_GROW(c->files, c->file_count, c->file_capacity);
    c->files[c->file_count++] = file;
    int is_good = config_read_string(file, mended.data ? mended.data : "");
    buf_release(&mended);
    if (!is_good) {
        conf_problem_at(c, path, config_error_line(file), "%s; expected libconfig syntax: key = value;",
            config_error_text(file));
        return NULL;
    }
    return file;
}

static void load(struct conf *c, const char *path, const struct conf_section *section, void *object,
    const void *parent, const struct conf_where *named_by, const char *key)
{
    char *text;
    size_t length;
    struct error err;
    if (file_read(path, FILE_BYTES_MAX, &text, &length, &err) != ST_OK) {
        if (named_by != NULL)
            conf_problem(c, named_by, key, "%s; expected a readable file", err.text);
        else
            conf_problem_at(c, conf_strdup(c, path), 0, "%s; expected a readable settings file", err.text);
        return;
    }
    const char *name = conf_strdup(c, path);
    if (strlen(text) != length) {
        conf_problem_at(c, name, 1, "holds a NUL byte; expected text in UTF-8");
    } else if (strstr(text, "@include") == text || strstr(text, "\n@include") != NULL) {
        conf_problem_at(c, name, 1, "uses @include; expected one file (share register maps with `map`)");
    } else {
        config_t *file = parse(c, name, text);
        if (file != NULL) {
            struct conf_where where = {name, 1, "", config_root_setting(file)};
            read_section(c, &where, config_root_setting(file), section, object, parent);
        }
    }
    free(text);
}

struct conf *conf_load(const char *path, const struct conf_section *section, void *object)
{
    struct conf *c = mem_zalloc(sizeof *c);
    memset(object, 0, section->size);
    load(c, path, section, object, NULL, NULL, NULL);
    return c;
}

void conf_load_more(struct conf *c, const char *path, const struct conf_section *section, void *object,
    const void *parent, const struct conf_where *where, const char *key)
{
    load(c, path, section, object, parent, where, key);
}

void conf_destroy(struct conf *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->file_count; i++)
        config_destroy(c->files[i]);
    for (size_t i = 0; i < c->block_count; i++)
        free(c->blocks[i]);
    for (size_t i = 0; i < c->problem_count; i++)
        free(c->problems[i].text);
    free(c->files);
    free(c->blocks);
    free(c->problems);
    free(c);
}

size_t conf_problem_count(const struct conf *c)
{
    return c->problem_count;
}

static int by_place(const void *a, const void *b)
{
    const struct problem *p = a, *q = b;
    int order = strcmp(p->file, q->file);
    if (order == 0)
        order = (p->line > q->line) - (p->line < q->line);
    return order != 0 ? order : (p->order > q->order) - (p->order < q->order);
}

void conf_print_problems(const struct conf *c, FILE *out)
{
    if (c->problem_count == 0)
        return;
    size_t size = c->problem_count * sizeof *c->problems;
    struct problem *sorted = memcpy(mem_alloc(size), c->problems, size);
    qsort(sorted, c->problem_count, sizeof *sorted, by_place);
    for (size_t i = 0; i < c->problem_count; i++) {
        if (sorted[i].line > 0)
            fprintf(out, "%s:%d: %s\n", sorted[i].file, sorted[i].line, sorted[i].text);
        else
            fprintf(out, "%s: %s\n", sorted[i].file, sorted[i].text);
    }
    free(sorted);
}
