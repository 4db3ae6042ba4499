#include "lib/conf_scan.h"

#include "lib/mem.h"
#include "lib/number.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The names seen so far in one group. */
struct group {
    char **names;
    int *lines;
    size_t count, capacity;
};

struct scan {
    const char *at;
    int line;
    struct buf *out;
    conf_scan_problem *problem;
    void *context;
    struct group *groups; /* innermost last; lists and arrays have an (empty) one too */
    size_t depth, capacity;
    int duplicates;
};

static void copy(struct scan *s, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (s->at[i] == '\n')
            s->line++;
    buf_add(s->out, s->at, length);
    s->at += length;
}

static void open_group(struct scan *s)
{
    MEM_GROW(s->groups, s->depth, s->capacity);
    s->groups[s->depth++] = (struct group){0};
}

static void close_group(struct scan *s)
{
    struct group *g = &s->groups[--s->depth];
    for (size_t i = 0; i < g->count; i++)
        free(g->names[i]);
    free(g->names);
    free(g->lines);
}

static size_t comment_length(const char *at)
{
    if (at[0] == '#' || (at[0] == '/' && at[1] == '/'))
        return strcspn(at, "\n");
    if (at[0] == '/' && at[1] == '*') {
        const char *end = strstr(at + 2, "*/");
        return end == NULL ? strlen(at) : (size_t)(end + 2 - at);
    }
    return 0;
}

static size_t string_length(const char *at)
{
    size_t i = 1;
    while (at[i] != '\0' && at[i] != '"')
        i += at[i] == '\\' && at[i + 1] != '\0' ? 2 : 1;
    return at[i] == '"' ? i + 1 : i;
}

static size_t name_length(const char *at)
{
    if (!isalpha((unsigned char)at[0]) && at[0] != '*')
        return 0;
    size_t i = 1;
    while (isalnum((unsigned char)at[i]) || at[i] == '-' || at[i] == '_' || at[i] == '*')
        i++;
    return i;
}

static bool is_key(const char *after_name)
{
    for (;;) {
        after_name += strspn(after_name, " \t\r\n\f");
        size_t comment = comment_length(after_name);
        if (comment == 0)
            return *after_name == '=' || *after_name == ':';
        after_name += comment;
    }
}

static void take_name(struct scan *s, size_t length)
{
    if (!is_key(s->at + length)) {
        copy(s, length);
        return;
    }
    struct group *g = &s->groups[s->depth - 1];
    for (size_t i = 0; i < g->count; i++) {
        if (strlen(g->names[i]) == length && memcmp(g->names[i], s->at, length) == 0) {
            char *text = mem_printf("%.*s: is set a second time (first in line %d); expected once", (int)length,
                s->at, g->lines[i]);
            s->problem(s->context, s->line, text);
            free(text);
            buf_printf(s->out, CONF_SCAN_DUPLICATE "%d", ++s->duplicates);
            s->at += length;
            return;
        }
    }
    size_t capacity = g->capacity;
    MEM_GROW(g->names, g->count, g->capacity);
    if (capacity != g->capacity)
        g->lines = mem_realloc(g->lines, g->capacity * sizeof *g->lines);
    g->names[g->count] = mem_strndup(s->at, length);
    g->lines[g->count++] = s->line;
    copy(s, length);
}

static void take_number(struct scan *s)
{
    size_t sign = s->at[0] == '-' || s->at[0] == '+';
    size_t digits = sign + strspn(s->at + sign, "0123456789");
    size_t length = sign + strspn(s->at + sign, "0123456789abcdefABCDEFxX.+-L");
    int64_t value;
    bool is_plain = digits == length && digits > sign;
    if (is_plain && !number_parse_int64(s->at + (s->at[0] == '+'), length - (s->at[0] == '+'), &value)) {
        char *text = mem_printf("%.*s is too large; expected an integer of at most 64 bits", (int)length, s->at);
        s->problem(s->context, s->line, text);
        free(text);
        buf_add_char(s->out, '0');
        s->at += length;
        return;
    }
    copy(s, length);
    if (is_plain && (value > INT32_MAX || value < INT32_MIN))
        buf_add_char(s->out, 'L');
}

void conf_scan(const char *text, struct buf *out, conf_scan_problem *problem, void *context)
{
    struct scan s = {.at = text, .line = 1, .out = out, .problem = problem, .context = context};
    open_group(&s);
    while (*s.at != '\0') {
        size_t length;
        if ((length = comment_length(s.at)) > 0)
            copy(&s, length);
        else if (*s.at == '"')
            copy(&s, string_length(s.at));
        else if ((length = name_length(s.at)) > 0)
            take_name(&s, length);
        else if (isdigit((unsigned char)*s.at) ||
                 ((*s.at == '-' || *s.at == '+') && isdigit((unsigned char)s.at[1])))
            take_number(&s);
        else {
            if (*s.at == '{')
                open_group(&s);
            else if (*s.at == '}' && s.depth > 1)
                close_group(&s);
            copy(&s, 1);
        }
    }
    while (s.depth > 0)
        close_group(&s);
    free(s.groups);
}
