/*
 * From which to which day a row of the settings counts: `from` and `through` as local days of the site, both included.
 * Rows about the same thing follow one another without a hole and never overlap, so that each day has one answer.
 */
#pragma once

#include "lib/conf.h"

#include <stdint.h>

/* Half-open, in days since 1970-01-01; from INT64_MIN and until INT64_MAX where there is no end. Empty (both 0) where
 * the row was refused. */
struct validity {
    int64_t from_day, until_day;
};

/* "2026-07-01"; tells a mistake at that key. */
bool validity_read_day(
    struct conf *c, const struct conf_where *where, const char *key, const char *text, int64_t *ret_day);
/* `from` and `through` as written, NULL = not given. */
struct validity validity_read(
    struct conf *c, const struct conf_where *where, const char *from, const char *through);
/* A whole year. */
struct validity validity_of_year(int64_t year);

static inline bool validity_holds(struct validity validity, int64_t day)
{
    return validity.from_day <= day && day < validity.until_day;
}

static inline bool validity_overlaps(struct validity a, struct validity b)
{
    return a.from_day < b.until_day && b.from_day < a.until_day;
}

/* One row among those about the same thing. */
struct validity_row {
    const struct conf_where *where;
    struct validity validity;
};
/* Tells each overlap and each hole, at the later row; `what` is said of a hole: "a factor", "prices". Sorts the
 * rows. */
void validity_check(struct conf *c, struct validity_row *rows, size_t count, const char *what);

/* "2026-07-01"; "ever" or "for ever" where there is no end. Of an `until_day` give the day before. */
#define VALIDITY_TEXT_SIZE 48
void validity_format_day(int64_t day, char text[static VALIDITY_TEXT_SIZE]);
