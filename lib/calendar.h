/* Days and months of the proleptic Gregorian calendar, in UTC. Pure. */
#pragma once

#include <stdint.h>

#define CALENDAR_DAY_MS INT64_C(86400000)

/* Days from 1970-01-01 to that day; month 1 to 12. */
int64_t calendar_days(int64_t year, int month, int day);

/* Months are counted from January 1970, which is 0. */
int64_t calendar_month(int64_t time_ms);
int64_t calendar_month_begin_ms(int64_t month);
#define CALENDAR_MONTH_SIZE 32
void calendar_month_format(int64_t month, char text[static CALENDAR_MONTH_SIZE]); /* 2026-10 */
