/* Content lines and times of iCalendar: what needs no library. */
#include "lib/calendar.h"
#include "lib/ical.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define FOLD_BYTES 75 /* RFC 5545, 3.1 */
#define DURATION_DAYS_MAX 3660

bool ical_is(struct span s, const char *text)
{
    return s.len == strlen(text) && strncasecmp(s.at, text, s.len) == 0;
}

bool ical_next_part(struct span *rest, char separator, struct span *ret_part)
{
    if (rest->at == NULL)
        return false;
    const char *end = rest->len > 0 ? memchr(rest->at, separator, rest->len) : NULL;
    *ret_part = (struct span){rest->at, end != NULL ? (size_t)(end - rest->at) : rest->len};
    *rest = end != NULL ? (struct span){end + 1, rest->len - ret_part->len - 1} : (struct span){NULL, 0};
    return true;
}

/* ---- lines ---- */

static bool is_name_byte(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* The colon outside of quotes; NULL = none. */
static const char *find_colon(const char *at, const char *end)
{
    for (bool is_quoted = false; at < end; at++) {
        if (*at == '"')
            is_quoted = !is_quoted;
        if (*at == ':' && !is_quoted)
            return at;
    }
    return NULL;
}

static bool is_wanted(struct span name, const char *const *wanted)
{
    while (*wanted != NULL && !ical_is(name, *wanted))
        wanted++;
    return *wanted != NULL;
}

static void add_line(
    struct ical_lines *lines, const char *const *wanted, const char *at, const char *end, int number)
{
    struct ical_line line = {.number = number};
    const char *name = at;
    while (at < end && is_name_byte(*at))
        at++;
    line.name = (struct span){name, (size_t)(at - name)};
    if (!is_wanted(line.name, wanted))
        return;
    const char *colon = at < end && (*at == ';' || *at == ':') ? find_colon(at, end) : NULL;
    line.is_malformed = colon == NULL;
    if (colon != NULL) {
        line.parameters = (struct span){at, (size_t)(colon - at)};
        at = colon + 1;
    }
    line.value = (struct span){at, (size_t)(end - at)};
    MEM_GROW(lines->items, lines->count, lines->capacity);
    lines->items[lines->count++] = line;
}

bool ical_lines_read(struct span text, const char *const *wanted, size_t max, struct ical_lines *ret)
{
    *ret = (struct ical_lines){.text = mem_alloc(text.len + 1)};
    char *to = ret->text, *begin = to;
    const char *at = text.at, *end = at + text.len;
    int number = 0, begun = 1;
    while (at < end && ret->count <= max) {
        const char *feed = memchr(at, '\n', (size_t)(end - at)), *line_end = feed != NULL ? feed : end;
        number++;
        const char *stop = line_end > at && line_end[-1] == '\r' ? line_end - 1 : line_end;
        if (*at == ' ' || *at == '\t')
            at++;
        else {
            add_line(ret, wanted, begin, to, begun);
            begin = to;
            begun = number;
        }
        memcpy(to, at, (size_t)(stop - at));
        to += stop - at;
        at = feed != NULL ? feed + 1 : end;
    }
    add_line(ret, wanted, begin, to, begun);
    if (ret->count <= max)
        return true;
    ical_lines_release(ret);
    return false;
}

void ical_lines_release(struct ical_lines *lines)
{
    free(lines->text);
    free(lines->items);
    *lines = (struct ical_lines){0};
}

bool ical_parameter(const struct ical_line *line, const char *name, struct span *ret)
{
    if (line->parameters.len == 0)
        return false;
    const char *at = line->parameters.at, *end = at + line->parameters.len;
    bool is_found = false;
    while (at < end) { /* at a ';' */
        const char *key = ++at;
        while (at < end && *at != '=' && *at != ';')
            at++;
        struct span key_span = {key, (size_t)(at - key)};
        const char *value = at < end && *at == '=' ? ++at : at;
        for (bool is_quoted = false; at < end && (is_quoted || *at != ';'); at++)
            if (*at == '"')
                is_quoted = !is_quoted;
        if (!ical_is(key_span, name))
            continue;
        struct span whole = {value, is_found ? 0 : (size_t)(at - value)};
        is_found = true;
        if (whole.len >= 2 && value[0] == '"' && at[-1] == '"')
            whole = (struct span){value + 1, whole.len - 2};
        *ret = whole;
    }
    return is_found;
}

/* ---- values ---- */

static bool take_digits(struct span *s, int count, int min, int max, int *ret)
{
    int value = 0;
    if (s->len < (size_t)count)
        return false;
    for (int i = 0; i < count; i++) {
        if (s->at[i] < '0' || s->at[i] > '9')
            return false;
        value = value * 10 + (s->at[i] - '0');
    }
    *s = (struct span){s->at + count, s->len - (size_t)count};
    *ret = value;
    return value >= min && value <= max;
}

bool ical_time_read(struct span text, struct ical_time *ret)
{
    int year, month, day, hour = 0, minute = 0, second = 0;
    if (!take_digits(&text, 4, 1601, 9999, &year) || !take_digits(&text, 2, 1, 12, &month) ||
        !take_digits(&text, 2, 1, 31, &day))
        return false;
    int64_t days = calendar_days(year, month, day);
    if (days >= (month == 12 ? calendar_days(year + 1, 1, 1) : calendar_days(year, month + 1, 1)))
        return false;
    struct ical_time time = {.is_date = text.len == 0};
    if (!time.is_date) {
        if (text.at[0] != 'T')
            return false;
        text = (struct span){text.at + 1, text.len - 1};
        if (!take_digits(&text, 2, 0, 23, &hour) || !take_digits(&text, 2, 0, 59, &minute) ||
            !take_digits(&text, 2, 0, 60, &second))
            return false;
        time.is_utc = span_is(text, "Z");
        if (text.len > 0 && !time.is_utc)
            return false;
    }
    time.local_s = days * 86400 + hour * 3600 + minute * 60 + (second == 60 ? 59 : second);
    *ret = time;
    return true;
}

bool ical_offset_read(struct span text, int32_t *ret_s)
{
    int hours, minutes, seconds = 0;
    if (text.len != 5 && text.len != 7)
        return false;
    int sign = text.at[0] == '-' ? -1 : 1;
    if (text.at[0] != '-' && text.at[0] != '+')
        return false;
    text = (struct span){text.at + 1, text.len - 1};
    if (!take_digits(&text, 2, 0, 23, &hours) || !take_digits(&text, 2, 0, 59, &minutes) ||
        (text.len > 0 && !take_digits(&text, 2, 0, 59, &seconds)))
        return false;
    *ret_s = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

/* "15D" off the front: at most 6 digits, and one of the units that are left; those before it are then over. */
static bool take_part(struct span *s, const char **units, int64_t *ret, char *ret_unit)
{
    int64_t value = 0;
    size_t len = 0;
    for (; len < s->len && len < 7 && s->at[len] >= '0' && s->at[len] <= '9'; len++)
        value = value * 10 + (s->at[len] - '0');
    if (len == 0 || len == 7 || len == s->len || s->at[len] == '\0')
        return false;
    const char *unit = strchr(*units, s->at[len]);
    if (unit == NULL)
        return false;
    *units = unit + 1;
    *ret_unit = *unit;
    *ret = value;
    *s = (struct span){s->at + len + 1, s->len - len - 1};
    return true;
}

bool ical_duration_read(struct span text, struct ical_duration *ret)
{
    struct ical_duration d = {0};
    const char *units = "WD";
    char unit;
    int64_t value;
    bool is_time = false, has_part = false;
    if (text.len > 0 && text.at[0] == '+')
        text = (struct span){text.at + 1, text.len - 1};
    if (text.len == 0 || text.at[0] != 'P')
        return false;
    text = (struct span){text.at + 1, text.len - 1};
    while (text.len > 0) {
        if (!is_time && text.at[0] == 'T') {
            text = (struct span){text.at + 1, text.len - 1};
            is_time = true;
            has_part = false;
            units = "HMS";
        }
        if (!take_part(&text, &units, &value, &unit))
            return false;
        has_part = true;
        if (is_time)
            d.exact_s += value * (unit == 'H' ? 3600 : unit == 'M' ? 60 : 1);
        else
            d.days += value * (unit == 'W' ? 7 : 1);
    }
    if (!has_part || d.days > DURATION_DAYS_MAX || d.exact_s > DURATION_DAYS_MAX * INT64_C(86400))
        return false;
    *ret = d;
    return true;
}

/* ---- writing ---- */

void ical_write(struct buf *out, const char *name, const char *value)
{
    struct buf line = {0};
    buf_printf(&line, "%s:%s", name, value);
    size_t room = FOLD_BYTES;
    for (size_t at = 0; at < line.len;) {
        size_t len = line.len - at < room ? line.len - at : room;
        while (at + len < line.len && len > 1 && ((unsigned char)line.data[at + len] & 0xc0) == 0x80)
            len--; /* the next line must not begin within a character */
        buf_add(out, line.data + at, len);
        buf_add_str(out, "\r\n");
        at += len;
        if (at < line.len)
            buf_add_char(out, ' ');
        room = FOLD_BYTES - 1; /* the space counts */
    }
    buf_release(&line);
}

void ical_write_text(struct buf *out, const char *name, const char *text)
{
    struct buf escaped = {0};
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\\' || *c == ';' || *c == ',')
            buf_add_char(&escaped, '\\');
        if (*c == '\n')
            buf_add_str(&escaped, "\\n");
        else if (((unsigned char)*c >= ' ' && *c != 0x7f) || *c == '\t')
            buf_add_char(&escaped, *c);
    }
    ical_write(out, name, escaped.data != NULL ? escaped.data : "");
    buf_release(&escaped);
}

void ical_write_time(struct buf *out, const char *name, int64_t time_ms)
{
    time_t seconds = (time_t)(time_ms / 1000 - (time_ms % 1000 < 0));
    struct tm tm;
    char text[32];
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &tm);
    ical_write(out, name, text);
}
