#include "lib/line.h"

#include "lib/number.h"
#include "lib/text.h"

#include <math.h>
#include <string.h>

/* What a byte means to the grammar. One look-up a byte keeps reading a line well below a microsecond. */
enum {
    IS_COMMA = 1,
    IS_SPACE = 2,
    IS_EQUALS = 4,
    IS_BACKSLASH = 8,
    IS_CONTROL = 16,
    IS_QUOTE = 32,
};
static const unsigned char meaning[256] = {
    [0x00 ... 0x1f] = IS_CONTROL,
    [0x7f] = IS_CONTROL,
    [','] = IS_COMMA,
    [' '] = IS_SPACE,
    ['='] = IS_EQUALS,
    ['\\'] = IS_BACKSLASH,
    ['"'] = IS_QUOTE,
};
#define IN_MEASUREMENT (IS_COMMA | IS_SPACE)
#define IN_NAME (IS_COMMA | IS_SPACE | IS_EQUALS)
#define IN_STRING (IS_BACKSLASH | IS_QUOTE)

static unsigned meaning_of(char c)
{
    return meaning[(unsigned char)c];
}

struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

static bool span_equals(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool span_is(struct span s, const char *text)
{
    return span_equals(s, span_of(text));
}

/* ---- writing ---- */

static void add_escaped(struct buf *out, struct span text, unsigned escaped)
{
    size_t done = 0;
    for (size_t i = 0; i < text.len; i++) {
        if ((meaning_of(text.at[i]) & escaped) == 0)
            continue;
        buf_add(out, text.at + done, i - done);
        buf_add_char(out, '\\');
        done = i;
    }
    if (text.len > done)
        buf_add(out, text.at + done, text.len - done);
}

void line_escape_measurement(struct buf *out, struct span name)
{
    add_escaped(out, name, IN_MEASUREMENT);
}

void line_escape_tag(struct buf *out, struct span text)
{
    add_escaped(out, text, IN_NAME);
}

void line_quote_string(struct buf *out, struct span text)
{
    buf_add_char(out, '"');
    add_escaped(out, text, IN_STRING);
    buf_add_char(out, '"');
}

static enum status check_name(struct span name, const char *what, struct error *err)
{
    if (name.len == 0)
        return error_set(err, ST_INVALID, "an empty %s", what);
    if (text_has_control(name))
        return error_set(err, ST_INVALID, "a control character in a %s", what);
    if (!text_is_utf8(name))
        return error_set(err, ST_INVALID, "a %s that is not UTF-8", what);
    if (name.at[name.len - 1] == '\\')
        return error_set(err, ST_INVALID, "a %s that ends in a backslash", what);
    return ST_OK;
}

static enum status check_key(struct span key, const char *what, struct error *err)
{
    enum status status = check_name(key, what, err);
    if (status != ST_OK)
        return status;
    if (span_is(key, "time"))
        return error_set(err, ST_INVALID, "a %s \"time\", which the store keeps for itself", what);
    return ST_OK;
}

static bool string_is_writable(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (meaning_of(s.at[i]) == IS_CONTROL && s.at[i] != '\t')
            return false;
    return text_is_utf8(s);
}

static int compare_keys(struct span a, struct span b)
{
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static enum status write_tags(struct buf *out, const struct line_tag *tags, size_t count, struct error *err)
{
    const struct line_tag *sorted[LINE_TAGS_MAX];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct line_tag *tag = &tags[i];
        if (tag->value.len == 0)
            continue;
        if (used == LINE_TAGS_MAX)
            return error_set(err, ST_INVALID, "more than %d tags", LINE_TAGS_MAX);
        enum status status = check_key(tag->key, "tag key", err);
        if (status == ST_OK)
            status = check_name(tag->value, "tag value", err);
        if (status != ST_OK)
            return status;
        size_t place = used++;
        int order = 1;
        while (place > 0 && (order = compare_keys(sorted[place - 1]->key, tag->key)) > 0) {
            sorted[place] = sorted[place - 1];
            place--;
        }
        if (place > 0 && order == 0)
            return error_set(err, ST_INVALID, "tag key \"%.*s\" twice", (int)tag->key.len, tag->key.at);
        sorted[place] = tag;
    }
    for (size_t i = 0; i < used; i++) {
        buf_add_char(out, ',');
        line_escape_tag(out, sorted[i]->key);
        buf_add_char(out, '=');
        line_escape_tag(out, sorted[i]->value);
    }
    return ST_OK;
}

static enum status write_value(struct buf *out, const struct line_value *value, struct error *err)
{
    char digits[NUMBER_DOUBLE_SIZE > NUMBER_INT64_SIZE ? NUMBER_DOUBLE_SIZE : NUMBER_INT64_SIZE];
    switch (value->type) {
    case LINE_FLOAT:
        if (!isfinite(value->f))
            return error_set(err, ST_INVALID, "a value that is not finite");
        buf_add(out, digits, number_format_double(value->f, digits));
        return ST_OK;
    case LINE_INT:
        buf_add(out, digits, number_format_int64(value->i, digits));
        buf_add_char(out, 'i');
        return ST_OK;
    case LINE_UINT:
        return error_set(err, ST_INVALID, "an unsigned value, which the store does not take");
    case LINE_BOOL:
        buf_add_str(out, value->b ? "true" : "false");
        return ST_OK;
    case LINE_STRING:
        if (!string_is_writable(value->s))
            return error_set(err, ST_INVALID, "a string with a control character or not in UTF-8");
        line_quote_string(out, value->s);
        return ST_OK;
    }
    return error_set(err, ST_INVALID, "a value of an unknown type");
}

static enum status write_fields(
    struct buf *out, const struct line_field *fields, size_t count, struct error *err)
{
    if (count == 0)
        return error_set(err, ST_INVALID, "no field");
    if (count > LINE_FIELDS_MAX)
        return error_set(err, ST_INVALID, "more than %d fields", LINE_FIELDS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct span key = fields[i].key;
        enum status status = check_key(key, "field key", err);
        if (status != ST_OK)
            return status;
        for (size_t j = 0; j < i; j++)
            if (span_equals(fields[j].key, key))
                return error_set(err, ST_INVALID, "field key \"%.*s\" twice", (int)key.len, key.at);
        buf_add_char(out, i == 0 ? ' ' : ',');
        line_escape_tag(out, key);
        buf_add_char(out, '=');
        status = write_value(out, &fields[i].value, err);
        if (status != ST_OK)
            return error_prefix(err, status, "field \"%.*s\"", (int)key.len, key.at);
    }
    return ST_OK;
}

enum status line_write(struct buf *out, struct span measurement, const struct line_tag *tags,
    size_t tag_count, const struct line_field *fields, size_t field_count, int64_t time, struct error *err)
{
    size_t before = out->len;
    enum status status = check_name(measurement, "measurement", err);
    if (status == ST_OK && measurement.at[0] == '#')
        status = error_set(err, ST_INVALID, "a measurement that starts with '#' would be a comment");
    if (status == ST_OK) {
        line_escape_measurement(out, measurement);
        status = write_tags(out, tags, tag_count, err);
    }
    if (status == ST_OK)
        status = write_fields(out, fields, field_count, err);
    if (status != ST_OK) {
        if (out->data != NULL)
            out->data[out->len = before] = '\0';
        return status;
    }
    char digits[NUMBER_INT64_SIZE];
    buf_add_char(out, ' ');
    buf_add(out, digits, number_format_int64(time, digits));
    buf_add_char(out, '\n');
    return ST_OK;
}

/* ---- reading ---- */

struct reader {
    const char *start, *at, *end;
};

#define FAIL(r, err, ...) fail_at((size_t)((r)->at - (r)->start) + 1, err, __VA_ARGS__)

static enum status fail_at(size_t column, struct error *err, const char *what)
{
    return error_set(err, ST_INVALID, "column %zu: %s", column, what);
}

/* Takes a name up to an unescaped stop, a control character or the end. A backslash escapes a comma, space or
 * equals sign and is itself otherwise, as InfluxDB has it. */
static struct span take_name(struct reader *r, unsigned stops)
{
    const char *begin = r->at, *at = begin, *end = r->end;
    for (; at < end; at++) {
        unsigned m = meaning_of(*at);
        if (m & (stops | IS_CONTROL))
            break;
        if (m == IS_BACKSLASH && end - at > 1 && (meaning_of(at[1]) & IN_NAME))
            at++;
    }
    r->at = at;
    return (struct span){begin, (size_t)(at - begin)};
}

static bool is_at(const struct reader *r, char c)
{
    return r->at < r->end && *r->at == c;
}

static void skip_spaces(struct reader *r)
{
    while (is_at(r, ' '))
        r->at++;
}

static enum status read_tags(struct reader *r, struct line *ret, struct error *err)
{
    ret->tag_count = 0;
    while (is_at(r, ',')) {
        if (ret->tag_count == LINE_TAGS_MAX)
            return FAIL(r, err, "too many tags");
        struct line_tag *tag = &ret->tags[ret->tag_count];
        r->at++;
        const char *key_at = r->at;
        tag->key = take_name(r, IN_NAME);
        if (tag->key.len == 0)
            return FAIL(r, err, "expected a tag key");
        if (!is_at(r, '='))
            return FAIL(r, err, "expected '=' after the tag key");
        r->at++;
        tag->value = take_name(r, IN_NAME);
        if (tag->value.len == 0)
            return FAIL(r, err, "expected a tag value");
        for (size_t i = 0; i < ret->tag_count; i++)
            if (span_equals(ret->tags[i].key, tag->key))
                return fail_at((size_t)(key_at - r->start) + 1, err, "a tag key for the second time");
        ret->tag_count++;
    }
    if (r->at == r->end)
        return FAIL(r, err, "expected a field, not the end of the line");
    if (*r->at != ' ')
        return FAIL(r, err, "expected ',' or a space after the measurement and its tags");
    return ST_OK;
}

static bool read_bool(struct span word, bool *ret)
{
    static const char *const yes[] = {"t", "T", "true", "True", "TRUE"};
    static const char *const no[] = {"f", "F", "false", "False", "FALSE"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (span_is(word, yes[i]) || span_is(word, no[i])) {
            *ret = span_is(word, yes[i]);
            return true;
        }
    }
    return false;
}

static enum status read_string(struct reader *r, struct span *ret, struct error *err)
{
    const char *begin = ++r->at;
    while (r->at < r->end && *r->at != '"') {
        if (*r->at == '\\' && r->end - r->at > 1 && (meaning_of(r->at[1]) & IN_STRING))
            r->at++;
        r->at++;
    }
    if (r->at == r->end)
        return FAIL(r, err, "expected a closing quote");
    *ret = (struct span){begin, (size_t)(r->at - begin)};
    r->at++;
    return ST_OK;
}

static enum status read_value(struct reader *r, struct line_value *ret, struct error *err)
{
    if (is_at(r, '"')) {
        ret->type = LINE_STRING;
        return read_string(r, &ret->s, err);
    }
    struct reader before = *r;
    struct span word = take_name(r, IN_NAME);
    if (word.len == 0)
        return FAIL(r, err, "expected a field value");
    switch (word.at[word.len - 1]) {
    case 'i':
        ret->type = LINE_INT;
        if (number_parse_int64(word.at, word.len - 1, &ret->i))
            return ST_OK;
        return FAIL(&before, err, "expected a signed 64-bit integer before 'i'");
    case 'u':
        ret->type = LINE_UINT;
        if (number_parse_uint64(word.at, word.len - 1, &ret->u))
            return ST_OK;
        return FAIL(&before, err, "expected an unsigned 64-bit integer before 'u'");
    default:
        ret->type = LINE_FLOAT;
        if (number_parse_double(word.at, word.len, &ret->f))
            return ST_OK;
        ret->type = LINE_BOOL;
        if (read_bool(word, &ret->b))
            return ST_OK;
        return FAIL(
            &before, err, "expected a finite number, an integer with 'i', true, false or a quoted string");
    }
}

static enum status read_fields(struct reader *r, struct line *ret, struct error *err)
{
    ret->field_count = 0;
    for (;;) {
        if (ret->field_count == LINE_FIELDS_MAX)
            return FAIL(r, err, "too many fields");
        struct line_field *field = &ret->fields[ret->field_count];
        field->key = take_name(r, IN_NAME);
        if (field->key.len == 0)
            return FAIL(r, err, "expected a field key");
        if (!is_at(r, '='))
            return FAIL(r, err, "expected '=' after the field key");
        r->at++;
        enum status status = read_value(r, &field->value, err);
        if (status != ST_OK)
            return status;
        ret->field_count++;
        if (r->at == r->end || *r->at == ' ')
            return ST_OK;
        if (*r->at != ',')
            return FAIL(r, err, "expected ',' or a space after the field");
        r->at++;
    }
}

static enum status read_time(struct reader *r, struct line *ret, struct error *err)
{
    ret->has_time = false;
    ret->time = 0;
    skip_spaces(r);
    if (r->at == r->end)
        return ST_OK;
    struct reader before = *r;
    struct span word = take_name(r, IN_NAME);
    if (!number_parse_int64(word.at, word.len, &ret->time))
        return FAIL(&before, err, "expected a time stamp of 64 bits");
    ret->has_time = true;
    skip_spaces(r);
    if (r->at != r->end)
        return FAIL(r, err, "expected nothing after the time stamp");
    return ST_OK;
}

static bool is_ascii(struct span s)
{
    unsigned char high = 0;
    for (size_t i = 0; i < s.len; i++)
        high |= (unsigned char)s.at[i];
    return high < 0x80;
}

enum status line_read(struct span text, struct line *ret, struct error *err)
{
    struct reader r = {text.at, text.at, text.at + text.len};
    ret->measurement = take_name(&r, IN_MEASUREMENT);
    if (ret->measurement.len == 0)
        return FAIL(&r, err, "expected a measurement");
    enum status status = read_tags(&r, ret, err);
    if (status != ST_OK)
        return status;
    skip_spaces(&r);
    status = read_fields(&r, ret, err);
    if (status == ST_OK)
        status = read_time(&r, ret, err);
    if (status == ST_OK && !is_ascii(text) && !text_is_utf8(text))
        return error_set(err, ST_INVALID, "the line is not UTF-8");
    return status;
}

/* Where the line at the front of `text` ends: at a line feed that no quoted string holds, or at the end. A
 * quote opens a string only right after the '=' of a field; elsewhere it is a character of a name. */
static const char *find_line_end(struct span text)
{
    const char *end = text.at + text.len;
    const char *feed = memchr(text.at, '\n', text.len);
    if (feed == NULL)
        return end;
    if (*text.at == '#' || memchr(text.at, '"', (size_t)(feed - text.at)) == NULL)
        return feed;
    bool in_fields = false, in_string = false;
    for (const char *at = text.at; at < end; at++) {
        if (*at == '\\' && end - at > 1 && (meaning_of(at[1]) & (in_string ? IN_STRING : IN_NAME))) {
            at++;
        } else if (in_string) {
            in_string = *at != '"';
        } else if (*at == '=' && in_fields && end - at > 1 && at[1] == '"') {
            in_string = true;
            at++;
        } else if (*at == ' ') {
            in_fields = true;
        } else if (*at == '\n') {
            return at;
        }
    }
    return end;
}

bool line_next(struct span *rest, struct span *ret_line)
{
    if (rest->len == 0)
        return false;
    const char *end = rest->at + rest->len, *line_end = find_line_end(*rest);
    const char *next = line_end < end ? line_end + 1 : end;
    *ret_line = (struct span){rest->at, (size_t)(line_end - rest->at)};
    if (ret_line->len > 0 && line_end[-1] == '\r')
        ret_line->len--;
    *rest = (struct span){next, (size_t)(end - next)};
    return true;
}

/* Drops each backslash that stands before one of `escaped`. */
static void add_unescaped(struct buf *out, struct span text, unsigned escaped)
{
    size_t done = 0;
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.at[i] != '\\' || (meaning_of(text.at[i + 1]) & escaped) == 0)
            continue;
        buf_add(out, text.at + done, i - done);
        done = ++i;
    }
    if (text.len > done)
        buf_add(out, text.at + done, text.len - done);
}

void line_unescape_measurement(struct buf *out, struct span escaped)
{
    add_unescaped(out, escaped, IN_MEASUREMENT);
}

void line_unescape(struct buf *out, struct span escaped)
{
    add_unescaped(out, escaped, IN_NAME);
}

void line_unescape_string(struct buf *out, struct span escaped)
{
    add_unescaped(out, escaped, IN_STRING);
}
