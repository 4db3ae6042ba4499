#include "lib/rfc3339.h"

#include "lib/calendar.h"

#include <stddef.h>

#define MINUTE_MS INT64_C(60000)

/* Takes `digits` decimal digits and the literal that follows ('\0' = nothing to follow). */
static bool take(const char **text, int digits, char literal, int min, int max, int *ret)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        char c = **text;
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
        ++*text;
    }
    if (literal != '\0') {
        if (**text != literal)
            return false;
        ++*text;
    }
    *ret = value;
    return value >= min && value <= max;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

static bool take_offset(const char **text, int64_t *ret_ms)
{
    char sign = **text;
    if (sign == '\0')
        return false;
    ++*text;
    if (sign == 'Z') {
        *ret_ms = 0;
        return true;
    }
    int hours, minutes;
    if ((sign != '+' && sign != '-') || !take(text, 2, ':', 0, 23, &hours) ||
        !take(text, 2, '\0', 0, 59, &minutes))
        return false;
    *ret_ms = (sign == '-' ? -1 : 1) * (hours * 60 + minutes) * MINUTE_MS;
    return true;
}

bool rfc3339_parse(const char *text, int64_t *ret_ms)
{
    int year, month, day, hour, minute, second;
    if (!take(&text, 4, '-', 1970, 9999, &year) || !take(&text, 2, '-', 1, 12, &month) ||
        !take(&text, 2, 'T', 1, days_in_month(year, month), &day) || !take(&text, 2, ':', 0, 23, &hour) ||
        !take(&text, 2, ':', 0, 59, &minute) || !take(&text, 2, '\0', 0, 59, &second))
        return false;
    int millis = 0;
    if (*text == '.') {
        text++;
        int digits = 0;
        for (int unit = 100; *text >= '0' && *text <= '9'; text++, unit /= 10, digits++)
            millis += (*text - '0') * unit;
        if (digits < 1 || digits > 9)
            return false;
    }
    int64_t offset_ms;
    if (!take_offset(&text, &offset_ms) || *text != '\0')
        return false;
    *ret_ms = calendar_days(year, month, day) * CALENDAR_DAY_MS + (hour * 60 + minute) * MINUTE_MS +
              second * INT64_C(1000) + millis - offset_ms;
    return true;
}
