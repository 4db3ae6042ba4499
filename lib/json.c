#include "lib/json.h"

#include "lib/buf.h"

#include <assert.h>
#include <string.h>

char *json_text(json_t *value)
{
    assert(value != NULL);
    char *text = json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(JSON_DIGITS));
    assert(text != NULL);
    json_decref(value);
    return text;
}

static bool is_digit(struct span s, size_t at)
{
    return at < s.len && s.at[at] >= '0' && s.at[at] <= '9';
}

static size_t skip_digits(struct span s, size_t at)
{
    while (is_digit(s, at))
        at++;
    return at;
}

/* The end of a number as RFC 8259 (section 6) has it; `at` itself where there is none. */
static size_t number_end(struct span s, size_t at)
{
    size_t from = at;
    at += at < s.len && s.at[at] == '-';
    if (!is_digit(s, at))
        return from;
    at = s.at[at] == '0' ? at + 1 : skip_digits(s, at);
    if (at < s.len && s.at[at] == '.' && is_digit(s, at + 1))
        at = skip_digits(s, at + 1);
    if (at < s.len && (s.at[at] == 'e' || s.at[at] == 'E')) {
        size_t digits = at + 1 + (at + 1 < s.len && (s.at[at + 1] == '+' || s.at[at + 1] == '-'));
        if (is_digit(s, digits))
            at = skip_digits(s, digits);
    }
    return at;
}

static size_t string_end(struct span s, size_t at)
{
    for (at++; at < s.len && s.at[at] != '"'; at++)
        at += s.at[at] == '\\';
    return at < s.len ? at + 1 : s.len;
}

json_t *json_read_exact(struct span text, struct error *err)
{
    if (text.len > JSON_EXACT_MAX) {
        error_set(err, ST_INVALID, "%zu bytes are too many; expected at most %d", text.len, JSON_EXACT_MAX);
        return NULL;
    }
    struct buf quoted = {0};
    for (size_t at = 0, end; at < text.len; at = end) {
        bool is_string = text.at[at] == '"';
        end = is_string ? string_end(text, at) : number_end(text, at);
        bool is_number = !is_string && end > at;
        end += end == at;
        if (is_number)
            buf_add_char(&quoted, '"');
        buf_add(&quoted, text.at + at, end - at);
        if (is_number)
            buf_add_char(&quoted, '"');
    }
    json_error_t why;
    json_t *value =
        json_loadb(quoted.data != NULL ? quoted.data : "", quoted.len, JSON_REJECT_DUPLICATES, &why);
    buf_release(&quoted);
    if (value == NULL)
        error_set(err, ST_INVALID, "is not JSON: %s", why.text);
    return value;
}
