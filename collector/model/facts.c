#include "collector/model/facts.h"

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/rfc3339.h"

#include <stdlib.h>
#include <string.h>

/* What an entry of a list is called by where that is not its id. */
static const struct {
    const char *section;
    const char *keys[5];
    bool may_repeat; /* two entries of one name: then their order counts */
} identities[] = {
    {"segment", {"from"}, false},
    {"change", {"from"}, false},
    {"move", {"from"}, false},
    {"factor", {"kind", "carrier", "region", "year", "from"}, false},
    {"schedule", {"from"}, false},
    {"prices", {"from"}, false},
    {"season", {"months"}, false},
    {"exception", {"on"}, true},
    {"sensor", {"point"}, false},
};

/* Texts that are instants: the same one may be written in many ways. */
static const struct {
    const char *section, *key;
} instants[] = {{"segment", "from"}, {"segment", "until"}, {"change", "from"}, {"move", "from"}};

struct walk {
    struct facts *facts;
    const struct conf_section *section;
    const struct conf_where *where; /* NULL at the top of a section without one */
    const char *path;
};

static bool is_instant(const struct conf_section *section, const char *key)
{
    for (size_t i = 0; i < sizeof instants / sizeof instants[0]; i++)
        if (strcmp(section->name, instants[i].section) == 0 && strcmp(key, instants[i].key) == 0)
            return true;
    return false;
}

static const void *at(const void *object, const struct conf_key *key)
{
    return (const char *)object + key->offset;
}

/* As it is written in a file, but for the quotes. False where it is absent. */
static bool write_value(struct buf *out, const struct conf_key *key, const void *object)
{
    const void *place = at(object, key);
    switch (key->type) {
    case CONF_STRING:
    case CONF_ID:
    case CONF_POINT:
    case CONF_PATH: {
        const char *text = *(char *const *)place;
        if (text != NULL)
            buf_add_str(out, text);
        return text != NULL;
    }
    case CONF_INT:
        buf_printf(out, "%lld", (long long)*(const int64_t *)place);
        return true;
    case CONF_SECONDS: {
        int64_t ms = *(const int64_t *)place;
        if (ms % 1000 == 0)
            buf_printf(out, "%lld", (long long)(ms / 1000));
        else
            buf_printf(out, "%lld.%03lld", (long long)(ms / 1000), (long long)(ms % 1000));
        return true;
    }
    case CONF_BOOL:
        buf_add_str(out, *(const bool *)place ? "true" : "false");
        return true;
    case CONF_FRACTION: {
        const struct fraction *f = place;
        if (f->den == 1)
            buf_printf(out, "%lld", (long long)f->num);
        else
            buf_printf(out, "%lld/%lld", (long long)f->num, (long long)f->den);
        return f->den != 0;
    }
    case CONF_CHOICE: {
        int choice = *(const int *)place;
        if (choice >= 0)
            buf_add_str(out, key->choices[choice]);
        return choice >= 0;
    }
    case CONF_STRINGS: {
        const struct conf_list *list = place;
        for (size_t i = 0; i < list->count; i++)
            buf_printf(out, "%s%s", i > 0 ? ", " : "", ((char *const *)list->items)[i]);
        return list->count > 0;
    }
    case CONF_GROUP:
    case CONF_LIST:
        break;
    }
    return false;
}

/* Whether the key holds what it would hold if it were not written, and has no default that could change. */
static bool is_absent(
    const struct conf_key *key, const struct buf *value, const struct conf_section *section, bool has_value)
{
    if (!has_value || key->fallback != NULL || key->is_required)
        return !has_value;
    struct buf empty = {0};
    void *fresh = mem_zalloc(section->size);
    if (section->begin != NULL)
        section->begin(fresh, NULL);
    bool is_same = write_value(&empty, key, fresh) && strcmp(empty.data, value->data) == 0;
    buf_release(&empty);
    free(fresh);
    return is_same;
}

/* Takes `path` and `value`; `written` is NULL where it is the same. */
static void add(const struct walk *w, const char *key, char *path, char *value, char *written)
{
    struct facts *f = w->facts;
    MEM_GROW(f->items, f->count, f->capacity);
    f->items[f->count++] = (struct fact){.path = path,
        .value = value,
        .written = written != NULL ? written : mem_strdup(value),
        .file = w->where != NULL ? w->where->file : NULL,
        .line = w->where != NULL ? conf_line(w->where, key) : 0};
}

static char *canonical_instant(const char *text)
{
    int64_t time_ms;
    char utc[CLOCK_TEXT_SIZE];
    if (!rfc3339_parse(text, &time_ms))
        return mem_strdup(text);
    clock_format_utc(time_ms, utc);
    return mem_strdup(utc);
}

static void add_plain(const struct walk *w, const struct conf_key *key, const void *object)
{
    struct buf value = {0};
    buf_add_str(&value, "");
    bool has_value = write_value(&value, key, object);
    if (!is_absent(key, &value, w->section, has_value)) {
        char *path = mem_printf("%s%s%s", w->path, w->path[0] != '\0' ? "." : "", key->name);
        if (is_instant(w->section, key->name))
            add(w, key->name, path, canonical_instant(value.data), mem_strdup(value.data));
        else
            add(w, key->name, path, mem_strdup(value.data), NULL);
    }
    buf_release(&value);
}

static const struct conf_key *find_key(const struct conf_section *section, const char *name)
{
    const struct conf_key *key = section->keys;
    while (key->name != NULL && strcmp(key->name, name) != 0)
        key++;
    return key->name != NULL ? key : NULL;
}

static void add_identity_part(
    struct buf *out, const struct conf_section *section, const char *name, const void *object)
{
    const struct conf_key *key = find_key(section, name);
    struct buf value = {0};
    buf_add_str(&value, "");
    if (key != NULL && !is_absent(key, &value, section, write_value(&value, key, object))) {
        char *text = is_instant(section, name) ? canonical_instant(value.data) : mem_strdup(value.data);
        buf_printf(out, "%s%s", out->len > 0 ? " " : "", text);
        free(text);
    }
    buf_release(&value);
}

/* The name of the i-th entry; the caller frees it. */
static char *identity(const struct conf_section *section, const struct conf_list *list, size_t i)
{
    const void *object = (const char *)list->items + i * section->size;
    struct buf out = {0};
    bool may_repeat = false;
    for (size_t n = 0; n < sizeof identities / sizeof identities[0]; n++)
        if (strcmp(section->name, identities[n].section) == 0) {
            may_repeat = identities[n].may_repeat;
            for (size_t k = 0; k < 5 && identities[n].keys[k] != NULL; k++)
                add_identity_part(&out, section, identities[n].keys[k], object);
        }
    if (out.len == 0)
        add_identity_part(&out, section, "id", object);
    if (may_repeat)
        buf_printf(&out, " #%zu", i + 1);
    return buf_take(&out);
}

static void add_section(struct facts *f, const struct conf_section *section, const void *object,
    const struct conf_where *above, const char *path);

static void add_list(const struct walk *w, const struct conf_key *key, const void *object)
{
    const struct conf_list *list = at(object, key);
    const struct conf_section *section = key->section;
    for (size_t i = 0; i < list->count; i++) {
        const void *item = (const char *)list->items + i * section->size;
        char *name = identity(section, list, i);
        char *path = mem_printf("%s%s%s[%s]", w->path, w->path[0] != '\0' ? "." : "", key->name, name);
        struct walk inner = *w;
        if (section->has_where)
            inner.where = (const struct conf_where *)((const char *)item + section->where_offset);
        add(&inner, NULL, mem_strdup(path), mem_strdup(""), NULL);
        add_section(w->facts, section, item, w->where, path);
        free(name);
        free(path);
    }
}

static void add_section(struct facts *f, const struct conf_section *section, const void *object,
    const struct conf_where *above, const char *path)
{
    struct walk w = {f, section, above, path};
    if (section->has_where)
        w.where = (const struct conf_where *)((const char *)object + section->where_offset);
    for (const struct conf_key *key = section->keys; key->name != NULL; key++) {
        if (key->type == CONF_LIST) {
            add_list(&w, key, object);
        } else if (key->type == CONF_GROUP) {
            char *inner = mem_printf("%s%s%s", path, path[0] != '\0' ? "." : "", key->name);
            add_section(f, key->section, at(object, key), w.where, inner);
            free(inner);
        } else {
            add_plain(&w, key, object);
        }
    }
}

void facts_add(struct facts *f, const struct conf_section *section, const void *object)
{
    add_section(f, section, object, NULL, "");
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct fact *)a)->path, ((const struct fact *)b)->path);
}

void facts_sort(struct facts *f)
{
    if (f->count > 0)
        qsort(f->items, f->count, sizeof *f->items, by_path);
}

size_t facts_from(const struct facts *f, const char *path)
{
    size_t low = 0, high = f->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(f->items[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct fact *facts_find(const struct facts *f, const char *path)
{
    size_t i = facts_from(f, path);
    return i < f->count && strcmp(f->items[i].path, path) == 0 ? &f->items[i] : NULL;
}

struct hash facts_hash(const struct facts *f)
{
    struct buf text = {0};
    for (size_t i = 0; i < f->count; i++) {
        buf_add(&text, f->items[i].path, strlen(f->items[i].path) + 1);
        buf_add(&text, f->items[i].value, strlen(f->items[i].value) + 1);
    }
    struct hash hash = hash_of((struct span){text.data, text.len});
    buf_release(&text);
    return hash;
}

void facts_release(struct facts *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->items[i].path);
        free(f->items[i].value);
        free(f->items[i].written);
    }
    free(f->items);
    *f = (struct facts){0};
}
