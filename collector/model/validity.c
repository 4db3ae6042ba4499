#include "collector/model/validity.h"

#include "collector/model/periods.h"
#include "lib/calendar.h"

#include <stdio.h>
#include <stdlib.h>

bool validity_read_day(
    struct conf *c, const struct conf_where *where, const char *key, const char *text, int64_t *ret_day)
{
    struct period period;
    if (periods_parse(text, &period) && period.kind == PERIODS_DAY) {
        *ret_day = period.number;
        return true;
    }
    conf_problem(c, where, key, "\"%s\" is not a day; expected one such as 2026-07-01", text);
    return false;
}

struct validity validity_read(
    struct conf *c, const struct conf_where *where, const char *from, const char *through)
{
    struct validity v = {INT64_MIN, INT64_MAX};
    int64_t last_day = 0;
    bool is_good = from == NULL || validity_read_day(c, where, "from", from, &v.from_day);
    if (through != NULL) {
        if (!validity_read_day(c, where, "through", through, &last_day))
            is_good = false;
        v.until_day = last_day + 1;
    }
    if (is_good && v.from_day >= v.until_day) {
        conf_problem(c, where, "through", "is before from; expected %s or a later day", from);
        is_good = false;
    }
    return is_good ? v : (struct validity){0, 0};
}

struct validity validity_of_year(int64_t year)
{
    return (struct validity){calendar_days(year, 1, 1), calendar_days(year + 1, 1, 1)};
}

void validity_format_day(int64_t day, char text[static VALIDITY_TEXT_SIZE])
{
    char day_text[PERIODS_TEXT_SIZE];
    if (day == INT64_MIN || day >= INT64_MAX - 1) {
        snprintf(text, VALIDITY_TEXT_SIZE, day == INT64_MIN ? "ever" : "for ever");
        return;
    }
    periods_format((struct period){PERIODS_DAY, day}, day_text);
    snprintf(text, VALIDITY_TEXT_SIZE, "%s", day_text);
}

static int by_begin(const void *a, const void *b)
{
    const struct validity_row *p = a, *q = b;
    int64_t x = p->validity.from_day, y = q->validity.from_day;
    if (x != y)
        return x < y ? -1 : 1;
    return (p->where->line > q->where->line) - (p->where->line < q->where->line);
}

static void tell_overlap(struct conf *c, const struct validity_row *first, const struct validity_row *row)
{
    char from[VALIDITY_TEXT_SIZE], through[VALIDITY_TEXT_SIZE];
    validity_format_day(first->validity.from_day, from);
    validity_format_day(first->validity.until_day - 1, through);
    conf_problem(c, row->where, NULL, "overlaps %s (%s to %s); expected one row for each day",
        first->where->path, from, through);
}

void validity_check(struct conf *c, struct validity_row *rows, size_t count, const char *what)
{
    qsort(rows, count, sizeof *rows, by_begin);
    const struct validity_row *last = NULL; /* the one that lasts longest so far */
    for (struct validity_row *row = rows; row < rows + count; row++) {
        if (row->validity.from_day == row->validity.until_day)
            continue;
        if (last != NULL && row->validity.from_day < last->validity.until_day) {
            tell_overlap(c, last, row);
        } else if (last != NULL && row->validity.from_day > last->validity.until_day) {
            char hole[VALIDITY_TEXT_SIZE];
            validity_format_day(last->validity.until_day, hole);
            conf_problem(c, row->where, NULL,
                "leaves %s and after without %s (%s ends before); expected no hole", hole, what,
                last->where->path);
        }
        if (last == NULL || row->validity.until_day > last->validity.until_day)
            last = row;
    }
}
