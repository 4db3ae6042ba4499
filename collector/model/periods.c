#include "collector/model/periods.h"

#include "lib/calendar.h"

#include <stdio.h>
#include <string.h>

#define DAY_S INT64_C(86400)
#define HOUR_S INT64_C(3600)
#define QUARTER_HOUR_S INT64_C(900)
/* More than any offset from UTC, either way. */
#define OFFSET_MAX_S (16 * HOUR_S)

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t periods_quarter_hour(int64_t time_ms)
{
    return floor_divide(time_ms, PERIODS_QUARTER_HOUR_MS) * PERIODS_QUARTER_HOUR_MS;
}

/* What the clocks show at the begin of that quarter hour, as seconds since 1970-01-01 00:00 of the place. */
static int64_t wall_s(const struct zone *zone, int64_t time_ms)
{
    int64_t begin_ms = periods_quarter_hour(time_ms);
    return begin_ms / 1000 + zone_offset_s(zone, begin_ms);
}

/* The first quarter hour at whose begin the clocks show this day or a later one. */
static int64_t day_begin_ms(const struct zone *zone, int64_t day)
{
    int64_t midnight_s = day * DAY_S;
    int64_t early_ms = (midnight_s - OFFSET_MAX_S) * 1000, late_ms = (midnight_s + OFFSET_MAX_S) * 1000;
    int32_t offset_s = zone_offset_s(zone, early_ms);
    /* No zone changes its offset and takes that back within 32 hours. */
    if (offset_s == zone_offset_s(zone, late_ms))
        return -floor_divide(offset_s - midnight_s, QUARTER_HOUR_S) * PERIODS_QUARTER_HOUR_MS;
    int64_t time_ms = early_ms;
    while (wall_s(zone, time_ms) < midnight_s)
        time_ms += PERIODS_QUARTER_HOUR_MS;
    return time_ms;
}

static int64_t day_of(const struct zone *zone, int64_t time_ms)
{
    int64_t day = floor_divide(wall_s(zone, time_ms), DAY_S);
    /* Clocks that went back over midnight do not bring the day before back. */
    while (day_begin_ms(zone, day + 1) <= time_ms)
        day++;
    return day;
}

/* ---- the calendar ---- */

static int64_t months_of(enum periods_kind kind)
{
    return kind == PERIODS_YEAR ? 12 : kind == PERIODS_QUARTER ? 3 : 1;
}

static int64_t first_day_of(struct period period)
{
    if (period.kind == PERIODS_DAY)
        return period.number;
    return floor_divide(calendar_month_begin_ms(period.number * months_of(period.kind)), CALENDAR_DAY_MS);
}

struct period periods_within(struct period period, enum periods_kind kind)
{
    int64_t day = first_day_of(period);
    if (kind == PERIODS_DAY)
        return (struct period){kind, day};
    return (struct period){kind, floor_divide(calendar_month(day * CALENDAR_DAY_MS), months_of(kind))};
}

bool periods_has_month(struct period period, int64_t month)
{
    return period.kind != PERIODS_DAY &&
           periods_within((struct period){PERIODS_MONTH, month}, period.kind).number == period.number;
}

struct period periods_of(const struct zone *zone, enum periods_kind kind, int64_t time_ms)
{
    return periods_within((struct period){PERIODS_DAY, day_of(zone, time_ms)}, kind);
}

struct periods_span periods_span(const struct zone *zone, struct period period)
{
    struct period next = {period.kind, period.number + 1};
    return (struct periods_span){
        day_begin_ms(zone, first_day_of(period)), day_begin_ms(zone, first_day_of(next))};
}

/* ---- hours ---- */

static bool is_of_hour(const struct zone *zone, int64_t time_ms, int64_t wall_hour, int32_t offset_s)
{
    return zone_offset_s(zone, time_ms) == offset_s &&
           floor_divide(wall_s(zone, time_ms), HOUR_S) == wall_hour;
}

struct periods_hour periods_hour(const struct zone *zone, int64_t time_ms)
{
    int64_t begin_ms = periods_quarter_hour(time_ms), end_ms = begin_ms + PERIODS_QUARTER_HOUR_MS;
    int32_t offset_s = zone_offset_s(zone, begin_ms);
    int64_t wall_hour = floor_divide(wall_s(zone, begin_ms), HOUR_S);
    while (is_of_hour(zone, begin_ms - PERIODS_QUARTER_HOUR_MS, wall_hour, offset_s))
        begin_ms -= PERIODS_QUARTER_HOUR_MS;
    while (is_of_hour(zone, end_ms, wall_hour, offset_s))
        end_ms += PERIODS_QUARTER_HOUR_MS;
    return (struct periods_hour){.span = {begin_ms, end_ms},
        .day = day_of(zone, begin_ms),
        .hour = (int)(wall_hour - floor_divide(wall_hour, 24) * 24),
        .offset_s = offset_s};
}

int periods_quarter_of_day(const struct zone *zone, int64_t time_ms)
{
    int64_t wall = wall_s(zone, time_ms);
    return (int)((wall - floor_divide(wall, DAY_S) * DAY_S) / QUARTER_HOUR_S);
}

/* ---- names ---- */

static bool take_number(const char **text, int digits, int min, int max, int *ret)
{
    *ret = 0;
    for (int i = 0; i < digits; i++, ++*text) {
        if (**text < '0' || **text > '9')
            return false;
        *ret = *ret * 10 + (**text - '0');
    }
    return *ret >= min && *ret <= max;
}

bool periods_parse(const char *text, struct period *ret)
{
    int year, part, day;
    if (!take_number(&text, 4, 1970, 9999, &year))
        return false;
    if (*text == '\0') {
        *ret = (struct period){PERIODS_YEAR, year - 1970};
        return true;
    }
    if (strncmp(text, "-Q", 2) == 0) {
        text += 2;
        if (!take_number(&text, 1, 1, 4, &part) || *text != '\0')
            return false;
        *ret = (struct period){PERIODS_QUARTER, (year - 1970) * 4 + part - 1};
        return true;
    }
    if (*text++ != '-' || !take_number(&text, 2, 1, 12, &part))
        return false;
    struct period month = {PERIODS_MONTH, (year - 1970) * 12 + part - 1};
    if (*text == '\0') {
        *ret = month;
        return true;
    }
    if (*text++ != '-' || !take_number(&text, 2, 1, 31, &day) || *text != '\0')
        return false;
    struct period named = {PERIODS_DAY, calendar_days(year, part, day)};
    if (periods_within(named, PERIODS_MONTH).number != month.number) /* 2026-02-30 */
        return false;
    *ret = named;
    return true;
}

void periods_format(struct period period, char text[static PERIODS_TEXT_SIZE])
{
    struct period year = periods_within(period, PERIODS_YEAR), month = periods_within(period, PERIODS_MONTH);
    char month_text[CALENDAR_MONTH_SIZE];
    calendar_month_format(month.number, month_text);
    long long number = 1970 + year.number;
    switch (period.kind) {
    case PERIODS_DAY:
        snprintf(text, PERIODS_TEXT_SIZE, "%.20s-%02d", month_text,
            (int)(period.number - first_day_of(month)) + 1);
        break;
    case PERIODS_MONTH:
        snprintf(text, PERIODS_TEXT_SIZE, "%s", month_text);
        break;
    case PERIODS_QUARTER:
        snprintf(text, PERIODS_TEXT_SIZE, "%04lld-Q%d", number, (int)(period.number - year.number * 4) + 1);
        break;
    case PERIODS_YEAR:
        snprintf(text, PERIODS_TEXT_SIZE, "%04lld", number);
        break;
    }
}
