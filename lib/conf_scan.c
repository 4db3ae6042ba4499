#include "lib/conf_scan.h"

#include "lib/mem.h"
#include "lib/number.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX 32
#define KEYS_MAX 256       /* in one group; libconfig takes the square of it in time */
#define ENTRIES_MAX 100000 /* in one list */
#define TOLD_MAX 1000      /* mistakes, after which the file is not worth reading on */
#define SHOWN_MAX 60       /* bytes of the file's text in a message */

#define SPACE " \t\r\n\f"

enum expected { EXPECT_KEY, EXPECT_EQUALS, EXPECT_VALUE, EXPECT_COMMA };

struct name {
    char *text;
    int line;
};

/* One bracket that is open, or the file itself. */
struct frame {
    char closer; /* '\0' for the file */
    int line;
    size_t path_len; /* of the path outside */
    enum expected expected;
    const char *key; /* groups: the key whose value is due; borrowed from the text */
    size_t key_len;
    size_t index;       /* lists: of the next entry */
    size_t comma_at;    /* lists: where the last comma stands in `out` */
    size_t value_at;    /* where the last plain value stands in `out` */
    struct name *names; /* groups: the keys so far */
    size_t name_count, name_capacity;
};

struct scan {
    const char *at;
    int line;
    struct buf *out;
    struct buf path; /* of the innermost frame */
    struct frame frames[DEPTH_MAX];
    size_t depth;
    size_t told;
    int duplicates;
    conf_scan_problem *problem;
    void *context;
};

static struct frame *innermost(struct scan *s)
{
    return &s->frames[s->depth - 1];
}

static bool is_group(const struct frame *f)
{
    return f->closer == '}' || f->closer == '\0';
}

static void copy(struct scan *s, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (s->at[i] == '\n')
            s->line++;
    buf_add(s->out, s->at, length);
    s->at += length;
}

/* ---- telling ---- */

/* Appends to a path what is due in this frame: the key's name, or the number of the entry. */
static void add_step(const struct frame *f, struct buf *path)
{
    if (!is_group(f))
        buf_printf(path, "[%zu]", f->index);
    else if (f->key_len > 0)
        buf_printf(path, "%s%.*s", path->len > 0 ? "." : "", (int)f->key_len, f->key);
}

__attribute__((format(printf, 2, 3))) static void tell(struct scan *s, const char *format, ...)
{
    s->told++;
    struct buf path = {0};
    if (s->path.len > 0)
        buf_add(&path, s->path.data, s->path.len);
    add_step(innermost(s), &path);
    va_list args;
    va_start(args, format);
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        abort();
    va_end(args);
    s->problem(s->context, s->line, path.data != NULL ? path.data : "", text);
    free(text);
    buf_release(&path);
}

static void replace(struct scan *s, size_t length)
{
    buf_add_str(s->out, "\"" CONF_SCAN_REPORTED "\"");
    s->at += length;
}

/* ---- the words of the language ---- */

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

static size_t name_length(const char *at)
{
    if (!isalpha((unsigned char)at[0]) && at[0] != '*')
        return 0;
    size_t i = 1;
    while (isalnum((unsigned char)at[i]) || at[i] == '-' || at[i] == '_' || at[i] == '*')
        i++;
    return i;
}

/* Up to the closing quote, which must stand in the same line; 0 where it does not. */
static size_t string_length(const char *at)
{
    for (size_t i = 1; at[i] != '\0' && at[i] != '\n'; i++) {
        if (at[i] == '"')
            return i + 1;
        if (at[i] == '\\' && at[i + 1] != '\0' && at[i + 1] != '\n')
            i++;
    }
    return 0;
}

/* A value that is not a string: up to a space, a bracket, a terminator or a comment. */
static size_t word_length(const char *at)
{
    size_t i = 0;
    while (at[i] != '\0' && strchr(SPACE ";,(){}[]\"", at[i]) == NULL && comment_length(at + i) == 0)
        i++;
    return i;
}

static int shown(size_t length)
{
    return length < SHOWN_MAX ? (int)length : SHOWN_MAX;
}

/* ---- numbers ---- */

static bool is_fraction(const char *word, size_t length)
{
    size_t i = word[0] == '-' || word[0] == '+', digits = 0, dots = 0;
    for (; i < length && (isdigit((unsigned char)word[i]) || word[i] == '.'); i++) {
        digits += word[i] != '.';
        dots += word[i] == '.';
    }
    return i == length && digits > 0 && dots == 1;
}

/* Whether the word has the form of an integer: decimal or 0x..., and perhaps libconfig's suffix L or LL. */
static bool is_integer(const char *word, size_t length, bool *ret_is_hex, size_t *ret_length)
{
    while (length > 1 && word[length - 1] == 'L')
        length--;
    size_t sign = word[0] == '-' || word[0] == '+';
    *ret_is_hex = length > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
    *ret_length = length;
    size_t i = *ret_is_hex ? 2 : sign, first = i;
    while (i < length && (*ret_is_hex ? isxdigit((unsigned char)word[i]) : isdigit((unsigned char)word[i])))
        i++;
    return i == length && i > first;
}

static bool integer_value(const char *word, size_t length, bool is_hex, int64_t *ret)
{
    if (!is_hex)
        return number_parse_int64(word + (word[0] == '+'), length - (word[0] == '+'), ret);
    uint64_t value = 0;
    for (size_t i = 2; i < length; i++) {
        if (value > INT64_MAX / 16)
            return false;
        int c = tolower((unsigned char)word[i]);
        value = value * 16 + (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *ret = (int64_t)value;
    return true;
}

static void take_word(struct scan *s)
{
    size_t length = word_length(s->at), digits;
    bool is_hex;
    int64_t value;
    if (length == 0) {
        tell(s, "\"%c\" is not a value; expected a number, true, false, or text in double quotes", *s->at);
        replace(s, 1);
    } else if ((length == 4 && strncasecmp(s->at, "true", 4) == 0) ||
               (length == 5 && strncasecmp(s->at, "false", 5) == 0) || is_fraction(s->at, length)) {
        copy(s, length);
    } else if (!is_integer(s->at, length, &is_hex, &digits)) {
        tell(s, "%.*s is neither a number nor in quotes; expected \"%.*s\" or a number such as 10, 0.5, 0x1f",
            shown(length), s->at, shown(length), s->at);
        replace(s, length);
    } else if (!integer_value(s->at, digits, is_hex, &value)) {
        tell(s, "%.*s is too large; expected an integer of at most 64 bits", shown(length), s->at);
        replace(s, length);
    } else {
        buf_printf(s->out, "%lld%s", (long long)value, value > INT32_MAX || value < INT32_MIN ? "L" : "");
        s->at += length;
    }
}

static void take_string(struct scan *s)
{
    size_t length = string_length(s->at);
    if (length > 0) {
        copy(s, length);
        return;
    }
    /* Most likely the quote is missing before the next semicolon: what follows that is read on. */
    length = strcspn(s->at, ";\r\n");
    tell(s, "%.*s is not closed; expected a second \" in the same line", shown(length), s->at);
    replace(s, length);
}

/* ---- values and keys ---- */

/* False where no value can stand here. */
static bool begin_value(struct scan *s)
{
    struct frame *f = innermost(s);
    if (f->expected == EXPECT_COMMA) {
        f->index++;
        tell(s, "a comma is missing before this entry; expected one between two entries");
        buf_add_char(s->out, ',');
    } else if (f->expected == EXPECT_KEY) {
        f->key_len = 0;
        size_t length = word_length(s->at);
        tell(s, "%.*s stands where a key should; expected key = value;", length > 0 ? shown(length) : 1,
            s->at);
        return false;
    }
    if (f->index == ENTRIES_MAX) {
        tell(s, "is one of more than %d entries; expected fewer", ENTRIES_MAX);
        return false;
    }
    return true;
}

static void end_value(struct scan *s)
{
    struct frame *f = innermost(s);
    f->expected = is_group(f) ? EXPECT_KEY : EXPECT_COMMA;
}

/* libconfig would join it to the first; which of them was meant cannot be known. */
static void refuse_second_string(struct scan *s)
{
    tell(s, "a second string follows; expected one, or a list: [\"a\", \"b\"]");
    size_t lines = 0, first_at = innermost(s)->value_at;
    for (size_t i = first_at; i < s->out->len; i++)
        lines += s->out->data[i] == '\n';
    s->out->len = first_at;
    size_t length = string_length(s->at);
    replace(s, length > 0 ? length : strcspn(s->at, ";\r\n"));
    while (lines-- > 0)
        buf_add_char(s->out, '\n');
}

static bool take_value(struct scan *s)
{
    struct frame *f = innermost(s);
    if (is_group(f) && f->expected == EXPECT_KEY && *s->at == '"' && f->key_len > 0) {
        refuse_second_string(s);
        return true;
    }
    if (!begin_value(s))
        return false;
    f->value_at = s->out->len;
    if (*s->at == '"')
        take_string(s);
    else
        take_word(s);
    end_value(s);
    return true;
}

static bool is_followed_by_equals(const char *at)
{
    for (size_t length; (length = strspn(at, SPACE)) > 0 || (length = comment_length(at)) > 0;)
        at += length;
    return *at == '=' || *at == ':';
}

/* Remembers the key; the line in which the group has it already, or 0. */
static int remember(struct frame *f, int line)
{
    for (size_t i = 0; i < f->name_count; i++)
        if (strlen(f->names[i].text) == f->key_len && memcmp(f->names[i].text, f->key, f->key_len) == 0)
            return f->names[i].line;
    MEM_GROW(f->names, f->name_count, f->name_capacity);
    f->names[f->name_count++] = (struct name){mem_strndup(f->key, f->key_len), line};
    return 0;
}

static bool take_key(struct scan *s, size_t length)
{
    struct frame *f = innermost(s);
    f->key = s->at;
    f->key_len = length;
    if (!is_followed_by_equals(s->at + length)) {
        tell(s, "has no = after it; expected key = value;");
        return false;
    }
    int first = remember(f, s->line);
    if (first > 0) {
        tell(s, "is set a second time (first in line %d); expected once", first);
        buf_printf(s->out, CONF_SCAN_DUPLICATE "%d", ++s->duplicates);
        s->at += length;
    } else if (f->name_count > KEYS_MAX) {
        tell(s, "is one of more than %d keys in one group; expected a list", KEYS_MAX);
        return false;
    } else {
        copy(s, length);
    }
    f->expected = EXPECT_EQUALS;
    return true;
}

/* ---- brackets and terminators ---- */

static bool open_bracket(struct scan *s)
{
    if (!begin_value(s))
        return false;
    if (s->depth == DEPTH_MAX) {
        tell(s, "is nested deeper than %d brackets; expected fewer", DEPTH_MAX - 1);
        return false;
    }
    char opener = *s->at;
    size_t path_len = s->path.len;
    add_step(innermost(s), &s->path);
    s->frames[s->depth++] = (struct frame){.closer = opener == '{'   ? '}'
                                                     : opener == '(' ? ')'
                                                                     : ']',
        .line = s->line,
        .path_len = path_len,
        .expected = opener == '{' ? EXPECT_KEY : EXPECT_VALUE};
    /* libconfig's arrays take one type only and stop at another; as lists they are checked like everything
     * else. */
    buf_add_char(s->out, opener == '[' ? '(' : opener);
    s->at++;
    return true;
}

static void frame_release(struct frame *f)
{
    for (size_t i = 0; i < f->name_count; i++)
        free(f->names[i].text);
    free(f->names);
}

static void leave(struct scan *s)
{
    struct frame *f = innermost(s);
    s->path.len = f->path_len;
    if (s->path.data != NULL)
        s->path.data[s->path.len] = '\0';
    frame_release(f);
    s->depth--;
}

static void end_setting(struct scan *s)
{
    struct frame *f = innermost(s);
    if (f->expected == EXPECT_VALUE) {
        tell(s, "has no value; expected key = value;");
        replace(s, 0);
        f->expected = EXPECT_KEY;
    }
    f->key_len = 0;
}

static bool close_bracket(struct scan *s)
{
    struct frame *f = innermost(s);
    char closer = *s->at;
    if (f->closer != closer) {
        f->key_len = 0;
        if (f->closer == '\0')
            tell(s, "%c closes nothing; expected key = value;", closer);
        else {
            int line = f->line;
            leave(s);
            tell(s, "%c does not close what line %d opened; expected %c", closer, line, f->closer);
        }
        return false;
    }
    if (is_group(f)) {
        end_setting(s);
    } else if (f->expected == EXPECT_VALUE && f->index > 0) {
        /* libconfig takes no comma after the last entry, and nothing is meant by it. */
        s->out->data[f->comma_at] = ' ';
    }
    leave(s);
    buf_add_char(s->out, closer == ']' ? ')' : closer);
    s->at++;
    end_value(s);
    return true;
}

static bool take_terminator(struct scan *s)
{
    struct frame *f = innermost(s);
    if (is_group(f) && f->expected == EXPECT_KEY && f->key_len == 0) {
        s->at++; /* one too many: libconfig stops there, and nothing is meant by it */
        return true;
    }
    if (is_group(f)) {
        end_setting(s);
    } else if (*s->at == ';') {
        tell(s, "; stands in a list; expected a comma, or %c", f->closer);
        return false;
    } else if (f->expected == EXPECT_VALUE) {
        tell(s, "an entry is missing before this comma; expected one comma between two entries");
        s->at++;
        return true;
    } else {
        f->expected = EXPECT_VALUE;
        f->index++;
        f->comma_at = s->out->len;
    }
    copy(s, 1);
    return true;
}

static bool take_comment(struct scan *s, size_t length)
{
    if (s->at[1] == '*' && (length < 4 || strncmp(s->at + length - 2, "*/", 2) != 0)) {
        innermost(s)->key_len = 0;
        tell(s, "the comment that begins here is never closed; expected */");
        return false;
    }
    copy(s, length);
    return true;
}

static bool take_include(struct scan *s)
{
    innermost(s)->key_len = 0;
    tell(s, "@include is not supported; expected one file (register maps are shared with `map`)");
    s->at += strcspn(s->at, "\r\n");
    return true;
}

/* Takes the next thing; false where nothing can be understood from here on. */
static bool take(struct scan *s)
{
    const struct frame *f = innermost(s);
    size_t length;
    if ((length = strspn(s->at, SPACE)) > 0) {
        copy(s, length);
        return true;
    }
    if ((length = comment_length(s->at)) > 0)
        return take_comment(s, length);
    if (f->expected == EXPECT_EQUALS) { /* take_key has seen that it comes */
        innermost(s)->expected = EXPECT_VALUE;
        copy(s, 1);
        return true;
    }
    if (s->at[0] == '@' && strncmp(s->at, "@include", strlen("@include")) == 0)
        return take_include(s);
    switch (*s->at) {
    case ';':
    case ',':
        return take_terminator(s);
    case '{':
    case '(':
    case '[':
        return open_bracket(s);
    case '}':
    case ')':
    case ']':
        return close_bracket(s);
    default:
        if (f->expected == EXPECT_KEY && (length = name_length(s->at)) > 0)
            return take_key(s, length);
        return take_value(s);
    }
}

bool conf_scan(const char *text, struct buf *out, conf_scan_problem *problem, void *context)
{
    struct scan s = {.at = text, .line = 1, .out = out, .problem = problem, .context = context, .depth = 1};
    bool is_good = true;
    while (is_good && *s.at != '\0')
        is_good = take(&s) && s.told < TOLD_MAX;
    if (is_good && s.depth > 1) {
        s.line = innermost(&s)->line;
        char closer = innermost(&s)->closer;
        leave(&s);
        tell(&s, "the bracket opened here is never closed; expected %c", closer);
        is_good = false;
    } else if (is_good) {
        end_setting(&s);
    }
    while (s.depth > 0)
        frame_release(&s.frames[--s.depth]);
    buf_release(&s.path);
    return is_good;
}
