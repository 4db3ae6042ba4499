/*
 * The CSV of an evidence bundle (RFC 4180): UTF-8 with a byte order mark, by which spreadsheets know it, a heading of
 * codes, lines that end with CR LF. An empty field is none. Times are RFC 3339 in UTC. A text that a spreadsheet would take
 * for a formula, or that begins with ', has ' before it. Pure.
 */
#pragma once

#include "lib/buf.h"
#include "lib/line.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Fields of a row, one after the other, then its end. */
void csv_begin(struct buf *out, const char *heading);
void csv_none(struct buf *out);
void csv_int(struct buf *out, int64_t value);
void csv_some(struct buf *out, bool is_there, int64_t value); /* else none */
void csv_time(struct buf *out, int64_t time_ms);
void csv_text(struct buf *out, struct span text);
void csv_end(struct buf *out);

#define CSV_FIELDS 24

struct csv {
    const char *name; /* of the part, for messages; borrowed */
    struct span rest; /* borrowed */
    size_t columns, line;
    struct span fields[CSV_FIELDS];
    struct buf text; /* the row's fields, unescaped */
};

/* ST_INVALID where the text does not begin with this heading. */
enum status csv_open(
    struct csv *c, const char *name, struct span text, const char *heading, struct error *err);
void csv_close(struct csv *c);
/* ST_INVALID, with part and line: it is no row of so many fields. */
enum status csv_next(struct csv *c, bool *ret_has_row, struct error *err);
bool csv_is_none(const struct csv *c, size_t field);
/* The field; false: it is not of this kind. */
bool csv_read_int(const struct csv *c, size_t field, int64_t *ret);
bool csv_read_some(const struct csv *c, size_t field, int64_t *ret); /* none is 0 */
bool csv_read_time(const struct csv *c, size_t field, int64_t *ret_ms);
/* Lower-case hexadecimal digits, in pairs; appends. */
bool csv_read_bytes(const struct csv *c, size_t field, struct buf *ret);
struct span csv_read_text(const struct csv *c, size_t field); /* NUL-terminated; valid until the next row */
/* "<part>:<line>: <why>" */
enum status csv_refuse(const struct csv *c, const char *why, struct error *err);
