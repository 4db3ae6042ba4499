/* The mistakes of a struct conf: told, deduplicated, printed. */
#include "lib/conf_private.h"

#include "lib/mem.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

/* Whether a check complains about what could not even be read: the key itself, or an entry of its list. */
static bool is_follow_up(const struct conf_problem_line *of, const struct conf_problem_line *new)
{
    if (!of->is_of_reading || new->is_of_reading || new->place == NULL)
        return false;
    size_t length = strlen(new->place);
    return strncmp(of->place, new->place, length) == 0 &&
           (of->place[length] == '\0' || of->place[length] == '[');
}

static bool is_told(const struct conf *c, const struct conf_problem_line *new)
{
    for (size_t i = 0; i < c->problem_count; i++) {
        const struct conf_problem_line *p = &c->problems[i];
        if (strcmp(p->file, new->file) == 0 &&
            ((p->line == new->line &&strcmp(p->text, new->text) == 0) || is_follow_up(p, new)))
            return true;
    }
    return false;
}

/* Takes the problem's text. */
static void add(struct conf *c, struct conf_problem_line problem)
{
    bool is_full = c->problem_count == CONF_PROBLEMS_MAX;
    if (is_full || is_told(c, &problem)) {
        c->problems_untold += is_full;
        free(problem.text);
        return;
    }
    problem.order = c->problem_count;
    MEM_GROW(c->problems, c->problem_count, c->problem_capacity);
    c->problems[c->problem_count++] = problem;
}

static __attribute__((format(printf, 1, 0))) char *format_text(const char *format, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        abort();
    text_clean(text); /* the file's own words may be in it, cut anywhere */
    return text;
}

int conf_line(const struct conf_where *where, const char *key)
{
    const config_setting_t *member = NULL;
    if (key != NULL && where->setting != NULL)
        member = config_setting_get_member((config_setting_t *)where->setting, key);
    return member != NULL ? (int)config_setting_source_line(member) : where->line;
}

static __attribute__((format(printf, 5, 0))) void add_at_key(struct conf *c, const struct conf_where *where,
    const char *key, bool is_of_reading, const char *format, va_list args)
{
    char *what = format_text(format, args);
    char *place =
        mem_printf("%s%s%s", where->path, where->path[0] != '\0' && key != NULL ? "." : "", key ? key : "");
    struct conf_problem_line problem = {.file = where->file,
        .line = conf_line(where, key),
        .place = key != NULL || is_of_reading ? conf_strdup(c, place) : NULL,
        .is_of_reading = is_of_reading,
        .text = mem_printf("%s%s%s", place, place[0] != '\0' ? ": " : "", what)};
    free(what);
    free(place);
    add(c, problem);
}

void conf_problem(struct conf *c, const struct conf_where *where, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_at_key(c, where, key, false, format, args);
    va_end(args);
}

void conf_refuse(struct conf *c, const struct conf_where *where, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_at_key(c, where, key, true, format, args);
    va_end(args);
}

void conf_problem_at(struct conf *c, const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(c, (struct conf_problem_line){.file = file, .line = line, .text = format_text(format, args)});
    va_end(args);
}

size_t conf_problem_count(const struct conf *c)
{
    return c->problem_count;
}

static int by_place(const void *a, const void *b)
{
    const struct conf_problem_line *p = a, *q = b;
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
    struct conf_problem_line *sorted = memcpy(mem_alloc(size), c->problems, size);
    qsort(sorted, c->problem_count, sizeof *sorted, by_place);
    for (size_t i = 0; i < c->problem_count; i++) {
        const struct conf_problem_line *p = &sorted[i];
        if (p->line > 0)
            fprintf(out, "%s:%d: %s\n", p->file, p->line, p->text);
        else
            fprintf(out, "%s: %s\n", p->file, p->text);
    }
    if (c->problems_untold > 0)
        fprintf(out, "%s: and %zu more\n", sorted[0].file, c->problems_untold);
    free(sorted);
}
