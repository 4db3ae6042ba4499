#include "lib/conf.h"

#include "lib/conf_private.h"
#include "lib/conf_scan.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (16 * 1024 * 1024)

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

const struct conf_section conf_anything = {"anything", 0, .keys = (const struct conf_key[]){{0}}};

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
    if (extra == &conf_anything)
        return;
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *member = config_setting_get_elem(group, (unsigned)i);
        const char *name = config_setting_name(member);
        if (c->has_scan_problems && strncmp(name, CONF_SCAN_DUPLICATE, strlen(CONF_SCAN_DUPLICATE)) == 0)
            continue;
        if (find_key(section, name) != NULL || find_key(extra, name) != NULL)
            continue;
        struct buf names = {0};
        const struct conf_section *const both[] = {section, extra};
        for (size_t s = 0; s < 2; s++)
            for (const struct conf_key *key = both[s] ? both[s]->keys : NULL; key && key->name; key++)
                buf_printf(&names, "%s%s", names.len ? ", " : "", key->name);
        conf_refuse(c, where, name, "unknown key; expected one of %s", names.data);
        buf_release(&names);
    }
}

static bool is_plain(enum conf_type type)
{
    return type != CONF_GROUP && type != CONF_LIST;
}

static void read_section(struct conf *c, const struct conf_where *where, config_setting_t *group,
    const struct conf_section *section, void *object, const void *parent);

/* False where a choice is missing or was refused. */
static bool read_plain(struct conf *c, const struct conf_where *where, config_setting_t *group,
    const struct conf_section *section, void *object)
{
    bool has_choices = true;
    for (const struct conf_key *key = section->keys; key->name != NULL; key++) {
        if (!is_plain(key->type))
            continue;
        config_setting_t *setting = group ? config_setting_get_member(group, key->name) : NULL;
        bool is_missing = setting == NULL && key->is_required;
        if (is_missing)
            conf_refuse(c, where, key->name, "is missing; expected %s", key->help);
        else if (setting == NULL)
            conf_use_fallback(c, where, key, object);
        if (is_missing || (setting != NULL && !conf_read_value(c, where, key, setting, object)))
            has_choices = has_choices && key->type != CONF_CHOICE;
    }
    return has_choices;
}

static struct conf_where where_of(
    struct conf *c, const struct conf_where *parent, config_setting_t *setting, const char *name, int index)
{
    char *path = index < 0 ? mem_printf("%s%s%s", parent->path, parent->path[0] ? "." : "", name)
                           : mem_printf("%s%s%s[%d]", parent->path, parent->path[0] ? "." : "", name, index);
    struct conf_where where = {parent->file,
        setting ? (int)config_setting_source_line(setting) : parent->line, conf_strdup(c, path), setting};
    free(path);
    return where;
}

static void read_list(struct conf *c, const struct conf_where *where, config_setting_t *setting,
    const struct conf_key *key, void *object)
{
    struct conf_list *list = (struct conf_list *)((char *)object + key->offset);
    *list = (struct conf_list){0};
    if (!config_setting_is_list(setting)) {
        if (!conf_is_reported(c, setting))
            conf_refuse(c, where, key->name, "is not a list; expected ( { ... }, { ... } )");
        return;
    }
    size_t count = (size_t)config_setting_length(setting);
    if ((int64_t)count < key->min) {
        conf_refuse(
            c, where, key->name, "has %zu entries; expected at least %lld", count, (long long)key->min);
        return;
    }
    if (key->max > 0 && (int64_t)count > key->max) {
        conf_refuse(
            c, where, key->name, "has %zu entries; expected at most %lld", count, (long long)key->max);
        return;
    }
    list->items = conf_alloc(c, count * key->section->size);
    for (size_t i = 0; i < count; i++) {
        config_setting_t *item = config_setting_get_elem(setting, (unsigned)i);
        struct conf_where place = where_of(c, where, item, key->name, (int)i);
        if (!config_setting_is_group(item)) {
            if (!conf_is_reported(c, item))
                conf_refuse(c, &place, NULL, "is not a group; expected { key = value; ... }");
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
            conf_refuse(c, where, key->name, "is missing; expected %s", key->help);
        } else if (key->type == CONF_LIST) {
            if (setting != NULL)
                read_list(c, where, setting, key, object);
        } else if (setting != NULL && !config_setting_is_group(setting)) {
            if (!conf_is_reported(c, setting))
                conf_refuse(c, where, key->name, "is not a group; expected { key = value; ... }");
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
    bool has_choices = read_plain(c, where, group, section, object);
    const struct conf_section *extra = section->extend != NULL ? section->extend(object) : NULL;
    void *extra_object = NULL;
    if (extra != NULL) {
        extra_object = conf_alloc(c, extra->size);
        *(void **)((char *)object + section->extra_offset) = extra_object;
        if (extra->has_where)
            *(struct conf_where *)((char *)extra_object + extra->where_offset) = *where;
        has_choices &= read_plain(c, where, group, extra, extra_object);
    }
    if (group != NULL)
        refuse_unknown(c, where, group, section, extra);
    read_nested(c, where, group, section, object);
    if (extra != NULL)
        read_nested(c, where, group, extra, extra_object);
    if (extra != NULL && extra->check != NULL && has_choices)
        extra->check(c, extra_object, object);
    if (section->check != NULL)
        section->check(c, object, parent);
}

struct scanned {
    struct conf *c;
    const char *file;
};

static void scan_problem(void *context, int line, const char *path, const char *text)
{
    const struct scanned *scanned = context;
    struct conf_where where = {scanned->file, line, path, NULL};
    scanned->c->has_scan_problems = true;
    conf_refuse(scanned->c, &where, NULL, "%s", text);
}

/* NULL where it cannot be parsed, which was told. */
static config_t *parse(struct conf *c, const char *path, const char *text)
{
    struct buf mended = {0};
    struct scanned scanned = {c, path};
    config_t *file = NULL;
    if (conf_scan(text, &mended, scan_problem, &scanned)) {
        file = conf_alloc(c, sizeof *file);
        config_init(file);
        MEM_GROW(c->files, c->file_count, c->file_capacity);
        c->files[c->file_count++] = file;
        if (!config_read_string(file, mended.data != NULL ? mended.data : "")) {
            conf_problem_at(
                c, path, config_error_line(file), "%s; expected key = value;", config_error_text(file));
            file = NULL;
        }
    }
    buf_release(&mended);
    return file;
}

/* A byte that no text holds; -1 = none. */
static int foreign_byte(struct span line)
{
    for (size_t i = 0; i < line.len; i++) {
        unsigned char byte = (unsigned char)line.at[i];
        if ((byte < 0x20 && byte != '\t' && byte != '\r' && byte != '\f') || byte == 0x7f)
            return byte;
    }
    return -1;
}

/* Where the bytes are no text at all this is told, once: whatever follows from it would be noise. */
static bool is_text(struct conf *c, const char *path, const char *text, size_t length)
{
    int line = 1;
    for (const char *at = text, *end = text + length; at < end; line++) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        struct span one = {at, (size_t)((feed != NULL ? feed : end) - at)};
        int byte = foreign_byte(one);
        if (byte >= 0)
            conf_problem_at(c, path, line, "holds the byte 0x%02x; expected text in UTF-8", (unsigned)byte);
        else if (!text_is_utf8(one))
            conf_problem_at(c, path, line, "holds bytes that are not UTF-8; expected text in UTF-8");
        if (byte >= 0 || !text_is_utf8(one))
            return false;
        at += one.len + 1;
    }
    return true;
}

/* `name` lives as long as `c`. */
static void read_text(struct conf *c, const char *name, struct span text, const struct conf_section *section,
    void *object, const void *parent)
{
    /* Some editors begin UTF-8 with a mark of its byte order. */
    size_t mark = strncmp(text.at, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    config_t *file = is_text(c, name, text.at, text.len) ? parse(c, name, text.at + mark) : NULL;
    if (file != NULL) {
        struct conf_where where = {name, 1, "", config_root_setting(file)};
        read_section(c, &where, config_root_setting(file), section, object, parent);
    }
}

static void load(struct conf *c, const char *path, const struct conf_section *section, void *object,
    const void *parent, const struct conf_where *named_by, const char *key)
{
    char *text;
    size_t length;
    struct error err;
    const char *name = conf_strdup(c, path);
    if (file_read(path, FILE_BYTES_MAX, &text, &length, &err) != ST_OK) {
        /* The reason begins with the path, which a line without a place has in front anyway. */
        size_t own = strncmp(err.text, path, strlen(path)) == 0
                         ? strlen(path) + strspn(err.text + strlen(path), ": ")
                         : 0;
        if (named_by != NULL)
            conf_problem(c, named_by, key, "%s; expected a readable file", err.text);
        else
            conf_problem_at(c, name, 0, "%s; expected a readable settings file", err.text + own);
        return;
    }
    read_text(c, name, (struct span){text, length}, section, object, parent);
    if (c->text == NULL) {
        c->text = text;
        c->text_len = length;
    } else {
        free(text);
    }
}

struct conf *conf_load(const char *path, const struct conf_section *section, void *object)
{
    struct conf *c = mem_zalloc(sizeof *c);
    memset(object, 0, section->size);
    load(c, path, section, object, NULL, NULL, NULL);
    return c;
}

struct conf *conf_load_text(
    const char *name, struct span text, const struct conf_section *section, void *object)
{
    struct conf *c = mem_zalloc(sizeof *c);
    memset(object, 0, section->size);
    c->text = mem_zalloc(text.len + 1);
    memcpy(c->text, text.at, text.len);
    c->text_len = text.len;
    read_text(c, conf_strdup(c, name), (struct span){c->text, c->text_len}, section, object, NULL);
    return c;
}

struct span conf_text(const struct conf *c)
{
    return (struct span){c->text != NULL ? c->text : "", c->text_len};
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
    free(c->text);
    free(c);
}
