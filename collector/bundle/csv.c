#include "collector/bundle/csv.h"

#include "lib/clock.h"
#include "lib/number.h"
#include "lib/rfc3339.h"
#include "lib/text.h"

#include <string.h>

#define MARK "\xEF\xBB\xBF"
static const char guarded[] = "=+-@\t\r'";

/* ---- writing ---- */

static void begin_field(struct buf *out)
{
    if (out->len > 0 && out->data[out->len - 1] != '\n')
        buf_add_char(out, ',');
}

void csv_begin(struct buf *out, const char *heading)
{
    buf_add_str(out, MARK);
    buf_add_str(out, heading);
    csv_end(out);
}

/* Never the first field of a row: the comma of the next one must find something. */
void csv_none(struct buf *out)
{
    csv_text(out, SPAN(""));
}

void csv_int(struct buf *out, int64_t value)
{
    char number[NUMBER_INT64_SIZE];
    begin_field(out);
    buf_add(out, number, number_format_int64(value, number));
}

void csv_some(struct buf *out, bool is_there, int64_t value)
{
    if (is_there)
        csv_int(out, value);
    else
        csv_none(out);
}

void csv_time(struct buf *out, int64_t time_ms)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format_utc(time_ms, text);
    begin_field(out);
    buf_add_str(out, text);
}

void csv_text(struct buf *out, struct span text)
{
    bool is_guarded = text.len > 0 && strchr(guarded, text.at[0]) != NULL && text.at[0] != '\0';
    bool is_quoted = is_guarded;
    for (size_t i = 0; i < text.len && !is_quoted; i++)
        is_quoted = strchr(",\"\r\n", text.at[i]) != NULL;
    begin_field(out);
    if (!is_quoted) {
        buf_add(out, text.at, text.len);
        return;
    }
    buf_add_str(out, is_guarded ? "\"'" : "\"");
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"')
            buf_add_char(out, '"');
        buf_add_char(out, text.at[i]);
    }
    buf_add_char(out, '"');
}

void csv_end(struct buf *out)
{
    buf_add_str(out, "\r\n");
}

/* ---- reading ---- */

enum status csv_refuse(const struct csv *c, const char *why, struct error *err)
{
    return error_set(err, ST_INVALID, "%s:%zu: %s", c->name, c->line, why);
}

enum status csv_open(
    struct csv *c, const char *name, struct span text, const char *heading, struct error *err)
{
    size_t length = strlen(heading), mark = sizeof MARK - 1;
    *c = (struct csv){.name = name, .line = 1, .columns = 1};
    for (const char *at = heading; *at != '\0'; at++)
        c->columns += *at == ',';
    if (text.len < mark + length + 2 || memcmp(text.at, MARK, mark) != 0 ||
        memcmp(text.at + mark, heading, length) != 0 || memcmp(text.at + mark + length, "\r\n", 2) != 0)
        return error_set(err, ST_INVALID, "%s:1: expected the heading %s", name, heading);
    c->rest = (struct span){text.at + mark + length + 2, text.len - mark - length - 2};
    return ST_OK;
}

void csv_close(struct csv *c)
{
    buf_release(&c->text);
}

static char take(struct csv *c)
{
    char first = *c->rest.at;
    c->rest = (struct span){c->rest.at + 1, c->rest.len - 1};
    return first;
}

static bool is_next(const struct csv *c, char expected)
{
    return c->rest.len > 0 && *c->rest.at == expected;
}

/* Its text behind what there is of the row, with a NUL. False: a quote has no end. */
static bool take_field(struct csv *c)
{
    bool is_quoted = is_next(c, '"');
    if (is_quoted)
        take(c);
    while (c->rest.len > 0) {
        if (!is_quoted && (is_next(c, ',') || is_next(c, '\r')))
            break;
        char next = take(c);
        if (is_quoted && next == '"') {
            if (!is_next(c, '"')) {
                buf_add_char(&c->text, '\0');
                return true;
            }
            take(c);
        }
        buf_add_char(&c->text, next);
    }
    buf_add_char(&c->text, '\0');
    return !is_quoted;
}

enum status csv_next(struct csv *c, bool *ret_has_row, struct error *err)
{
    size_t begins[CSV_FIELDS + 1] = {0};
    *ret_has_row = c->rest.len > 0;
    if (!*ret_has_row)
        return ST_OK;
    c->line++;
    buf_reset(&c->text);
    for (size_t i = 0; i < c->columns; i++) {
        if (i > 0 && !(is_next(c, ',') && take(c)))
            return csv_refuse(c, "too few fields", err);
        if (!take_field(c))
            return csv_refuse(c, "a quote without an end", err);
        begins[i + 1] = c->text.len;
    }
    if (c->rest.len < 2 || memcmp(c->rest.at, "\r\n", 2) != 0)
        return csv_refuse(c, "too many fields, or no end of the line", err);
    c->rest = (struct span){c->rest.at + 2, c->rest.len - 2};
    for (size_t i = 0; i < c->columns; i++)
        c->fields[i] = (struct span){c->text.data + begins[i], begins[i + 1] - begins[i] - 1};
    return ST_OK;
}

bool csv_is_none(const struct csv *c, size_t field)
{
    return c->fields[field].len == 0;
}

bool csv_read_int(const struct csv *c, size_t field, int64_t *ret)
{
    return number_parse_int64(c->fields[field].at, c->fields[field].len, ret);
}

bool csv_read_some(const struct csv *c, size_t field, int64_t *ret)
{
    *ret = 0;
    return csv_is_none(c, field) || csv_read_int(c, field, ret);
}

bool csv_read_time(const struct csv *c, size_t field, int64_t *ret_ms)
{
    return rfc3339_parse(c->fields[field].at, ret_ms);
}

static int digit_of(char digit)
{
    return digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool csv_read_bytes(const struct csv *c, size_t field, struct buf *ret)
{
    struct span text = c->fields[field];
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        int high = digit_of(text.at[i]), low = digit_of(text.at[i + 1]);
        if (high < 0 || low < 0)
            return false;
        buf_add_char(ret, (char)(16 * high + low));
    }
    return text.len % 2 == 0;
}

struct span csv_read_text(const struct csv *c, size_t field)
{
    struct span text = c->fields[field];
    bool is_guarded = text.len > 1 && text.at[0] == '\'';
    return is_guarded ? (struct span){text.at + 1, text.len - 1} : text;
}
