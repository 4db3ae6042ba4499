#include "collector/model/difference.h"

#include "collector/model/difference_private.h"
#include "lib/buf.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static bool is_entry(const char *path)
{
    size_t length = strlen(path);
    return length > 0 && path[length - 1] == ']';
}

static bool is_below(const char *path, const char *above)
{
    size_t length = strlen(above);
    return strncmp(path, above, length) == 0 && path[length] == '.';
}

/* Where what is gone would stand: at the innermost thing around it that is still there. */
static void place_gone(const struct facts *after, const struct fact *gone, struct difference *d)
{
    char *path = mem_strdup(gone->path);
    char *dot;
    d->file = gone->file;
    d->line = 0;
    while (d->line == 0 && (dot = strrchr(path, '.')) != NULL) {
        *dot = '\0';
        const struct fact *around = facts_find(after, path);
        if (around != NULL) {
            d->file = around->file;
            d->line = around->line;
        }
    }
    free(path);
}

static void add(struct differences *ret, const struct facts *before, const struct facts *after,
    const struct difference_now *now, const struct fact *old, const struct fact *new)
{
    struct difference d = {.path = new != NULL ? new->path : old->path,
        .before = old != NULL ? old->written : NULL,
        .after = new != NULL ? new->written : NULL};
    if (new != NULL) {
        d.file = new->file;
        d.line = new->line;
    } else {
        place_gone(after, old, &d);
    }
    d.weight = difference_weigh(&(struct difference_case){before, after, now, d.path, old, new}, &d.expected);
    ret->late += d.weight == DIFFERENCE_LATE;
    ret->past += d.weight == DIFFERENCE_PAST;
    MEM_GROW(ret->items, ret->count, ret->capacity);
    ret->items[ret->count++] = d;
}

/* Past an entry and all that is below it. */
static size_t skip(const struct facts *f, size_t i)
{
    const char *above = f->items[i].path;
    size_t next = i + 1;
    while (next < f->count && is_entry(above) && is_below(f->items[next].path, above))
        next++;
    return next;
}

void differences_find(const struct facts *before, const struct facts *after, const struct difference_now *now,
    struct differences *ret)
{
    *ret = (struct differences){0};
    size_t i = 0, j = 0;
    while (i < before->count || j < after->count) {
        const struct fact *old = i < before->count ? &before->items[i] : NULL;
        const struct fact *new = j < after->count ? &after->items[j] : NULL;
        int order = old == NULL ? 1 : new == NULL ? -1 : strcmp(old->path, new->path);
        if (order < 0) {
            add(ret, before, after, now, old, NULL);
            i = skip(before, i);
        } else if (order > 0) {
            add(ret, before, after, now, NULL, new);
            j = skip(after, j);
        } else {
            if (strcmp(old->value, new->value) != 0)
                add(ret, before, after, now, old, new);
            i++;
            j++;
        }
    }
}

void differences_release(struct differences *d)
{
    free(d->items);
    *d = (struct differences){0};
}

static const char *shown(const char *value)
{
    return value == NULL ? "absent" : value[0] == '\0' ? "\"\"" : value;
}

static void add_text(struct buf *out, const struct difference *d)
{
    if (d->file != NULL)
        buf_printf(out, "%s", d->file);
    if (d->file != NULL && d->line > 0)
        buf_printf(out, ":%d", d->line);
    buf_printf(out, "%s%s: ", d->file != NULL ? ": " : "", d->path);
    if (is_entry(d->path))
        buf_add_str(out, d->before != NULL ? "was there, now gone" : "is new");
    else
        buf_printf(out, "was %s, now %s", shown(d->before), shown(d->after));
}

char *difference_text(const struct difference *d)
{
    struct buf out = {0};
    add_text(&out, d);
    return buf_take(&out);
}

char *difference_sentence(const struct difference *d)
{
    struct buf out = {0};
    bool is_new = is_entry(d->path) && d->before == NULL;
    add_text(&out, d);
    if (d->weight == DIFFERENCE_LATE)
        buf_add_str(&out, " (entered late)");
    if (d->weight == DIFFERENCE_PAST)
        buf_printf(&out, "; this %s%s%sa decision",
            is_new ? "counts for days that have begun: expected "
                   : "held in the past: expected unchanged, or ",
            d->expected, d->expected[0] != '\0' ? ", or " : "");
    return buf_take(&out);
}
