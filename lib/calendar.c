#include "lib/calendar.h"

#include <stdio.h>

#define MONTH_MS (CALENDAR_DAY_MS * 146097 / 4800) /* on the average of 400 years */

/* Years are counted from March, so that the leap day is the last. */
int64_t calendar_days(int64_t year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t era = (y >= 0 ? y : y - 399) / 400, year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static int64_t year_of(int64_t month)
{
    return 1970 + (month >= 0 ? month : month - 11) / 12;
}

static int month_of_year(int64_t month)
{
    return (int)(month - (year_of(month) - 1970) * 12) + 1;
}

int64_t calendar_month_begin_ms(int64_t month)
{
    return calendar_days(year_of(month), month_of_year(month), 1) * CALENDAR_DAY_MS;
}

int64_t calendar_month(int64_t time_ms)
{
    int64_t month = time_ms / MONTH_MS;
    while (calendar_month_begin_ms(month) > time_ms)
        month--;
    while (calendar_month_begin_ms(month + 1) <= time_ms)
        month++;
    return month;
}

void calendar_month_format(int64_t month, char text[static CALENDAR_MONTH_SIZE])
{
    snprintf(text, CALENDAR_MONTH_SIZE, "%04lld-%02d", (long long)year_of(month), month_of_year(month));
}
