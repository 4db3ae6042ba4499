/*
 * Quarter hours, hours, days, months, quarters and years of a site, as its bills and reports count them. Time is cut
 * into quarter hours of UTC; each belongs as a whole to the hour and the day that the site's clocks show at its
 * begin. Pure: times are arguments. UTC in milliseconds; tested from 1970 on.
 *
 * What that means where clocks are changed:
 *  - An hour is the quarter hours that share wall hour and offset from UTC: a day may have 23, 25 or 23.5 of them,
 *    and the hour that comes twice is two hours.
 *  - A day begins with the first quarter hour at whose begin the clocks show that date or a later one. A date that a
 *    zone left out (Pacific/Apia, 2011-12-30) is empty: it begins and ends where the next one begins. A zone that
 *    goes back over midnight (America/St_Johns until 2011: from 00:01 to 23:01) does not go back to the day before.
 *  - Midnight inside a quarter hour (an offset that is no multiple of 15 min; the last two such zones,
 *    Africa/Monrovia and Pacific/Kiritimati, gave that up in 1972 and 1979): the quarter hour belongs to the day in
 *    which it begins.
 * So days tile the axis: every quarter hour is in exactly one, and months, quarters and years are whole days.
 */
#pragma once

#include "collector/model/zone.h"

#include <stdbool.h>
#include <stdint.h>

#define PERIODS_QUARTER_HOUR_MS INT64_C(900000)

enum periods_kind { PERIODS_DAY, PERIODS_MONTH, PERIODS_QUARTER, PERIODS_YEAR };

/* A period of the calendar. `number` counts from 1970, which is 0: days from 1970-01-01, months from 1970-01,
 * quarters (three months) from 1970-Q1, years from 1970. */
struct period {
    enum periods_kind kind;
    int64_t number;
};

struct periods_span {
    int64_t begin_ms, end_ms; /* half-open, on whole quarter hours */
};

/* The begin of the quarter hour that holds this time. */
int64_t periods_quarter_hour(int64_t time_ms);
/* The period of that kind to which that quarter hour belongs. A NULL zone is UTC. */
struct period periods_of(const struct zone *zone, enum periods_kind kind, int64_t time_ms);
/* From when to when it lasts; empty for a day that the zone left out. */
struct periods_span periods_span(const struct zone *zone, struct period period);
/* The period of another kind in which the first day of this one lies: the month of a day, the year of a month. */
struct period periods_within(struct period period, enum periods_kind kind);
/* Is the month of this number one of the period's? A day has none. */
bool periods_has_month(struct period period, int64_t month);

struct periods_hour {
    struct periods_span span; /* 15 min to 60 min */
    int64_t day;              /* number of the day it belongs to */
    int hour;                 /* 0 to 23, as the clocks show */
    int32_t offset_s;         /* seconds east of UTC */
};
/* The hour to which the quarter hour that holds this time belongs. */
struct periods_hour periods_hour(const struct zone *zone, int64_t time_ms);
/* What the clocks show at the begin of that quarter hour, as a quarter of the day: 0 = 00:00, 95 = 23:45. */
int periods_quarter_of_day(const struct zone *zone, int64_t time_ms);

/* "2026-10-05", "2026-10", "2026-Q4", "2026": the whole text, of the years 1970 to 9999. */
bool periods_parse(const char *text, struct period *ret);
#define PERIODS_TEXT_SIZE 48
void periods_format(struct period period, char text[static PERIODS_TEXT_SIZE]);
/* What a person is told who named another. */
#define PERIODS_EXPECTED \
    "expected a day (2026-10-05), a month (2026-10), a quarter (2026-Q4) or a year (2026)"
