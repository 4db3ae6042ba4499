/*
 * InfluxDB line protocol: a writer that emits only strict, canonical lines (tags sorted by key, no empty
 * tag, no NaN, no unsigned, no newline, one space between parts, shortest floats), and a reader for lines
 * that others wrote. Times are integers in the unit of the caller's precision (milliseconds in Parkmon).
 * Source of the grammar: InfluxDB 1.x "Line protocol reference"; conformance by the InfluxData
 * line-protocol corpus (tests/unit/lib/test_line_corpus.c).
 */
#pragma once

#include "lib/buf.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A byte range in someone else's memory; not NUL-terminated. */
struct span {
    const char *at;
    size_t len;
};
#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})
struct span span_of(const char *text);
bool span_is(struct span s, const char *text);

enum line_type { LINE_FLOAT, LINE_INT, LINE_UINT, LINE_BOOL, LINE_STRING };

struct line_value {
    enum line_type type;
    union {
        double f;
        int64_t i;
        uint64_t u;
        bool b;
        struct span s; /* writer: plain text. reader: still escaped, see line_unescape_string */
    };
};

struct line_tag {
    struct span key;
    struct span value; /* writer: plain; an empty value leaves the tag out */
};
struct line_field {
    struct span key;
    struct line_value value;
};

#define LINE_TAGS_MAX 32
#define LINE_FIELDS_MAX 64

/* ---- writing ---- */

/* Appends one line with its '\n', or appends nothing and returns ST_INVALID with the reason: an empty
 * measurement or key, no field, a duplicate key, NaN or infinity, an unsigned value, a control character in a
 * name or tag or (a tab apart) in a string, text that is not UTF-8, a name or tag value that ends in a
 * backslash (it would escape what follows), a measurement that starts with '#', a tag or field named "time".
 * `tags` may come in any order. */
enum status line_write(struct buf *out, struct span measurement, const struct line_tag *tags,
    size_t tag_count, const struct line_field *fields, size_t field_count, int64_t time, struct error *err);

/* Appends an escaped measurement, a tag part (key or value), or a quoted string, for callers that build
 * the fixed head of a series once and reuse it. */
void line_escape_measurement(struct buf *out, struct span name);
void line_escape_tag(struct buf *out, struct span text);
void line_quote_string(struct buf *out, struct span text);

/* ---- reading ---- */

struct line {
    struct span measurement; /* spans point into the input, still escaped */
    struct line_tag tags[LINE_TAGS_MAX];
    size_t tag_count;
    struct line_field fields[LINE_FIELDS_MAX];
    size_t field_count;
    bool has_time;
    int64_t time;
};

/* Reads one line, `text` without its line feed. ST_INVALID names the column (of bytes, from 1) and what was
 * expected; `ret` is then undefined. Empty lines and '#' comments are the caller's to skip. Borrows `text`
 * for as long as `ret` is used. */
enum status line_read(struct span text, struct line *ret, struct error *err);

/* Takes the next line (without '\n' or a trailing '\r\n') off the front of `rest`; a line feed inside a
 * quoted string does not end it. False at the end. */
bool line_next(struct span *rest, struct span *ret_line);

/* Appends the plain text of an escaped measurement, of a tag part or field key, or of a string field. */
void line_unescape_measurement(struct buf *out, struct span escaped);
void line_unescape(struct buf *out, struct span escaped);
void line_unescape_string(struct buf *out, struct span escaped);
