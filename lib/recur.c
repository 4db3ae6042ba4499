#include "lib/recur.h"

#include "lib/calendar.h"
#include "lib/mem.h"

#include <stdlib.h>

#define DAY_S INT64_C(86400)
#define YEAR_MAX 9999
#define TIMES_OF_DAY_MAX 1440
#define STEPS_OF_A_RULE 100 /* for what it costs by itself */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* 1970-01-01 was a Thursday. */
static int weekday_of(int64_t day)
{
    return (int)((day % 7 + 10) % 7);
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int year_length(int64_t year)
{
    return is_leap(year) ? 366 : 365;
}

struct day {
    int64_t number; /* from 1970-01-01 */
    int64_t year;
    int month, day, length; /* from 1; days of the month */
    int day_of_year;        /* from 1 */
};

static struct day day_of(int64_t number)
{
    int64_t month = calendar_month(number * CALENDAR_DAY_MS);
    int64_t begin = calendar_month_begin_ms(month) / CALENDAR_DAY_MS;
    struct day d = {.number = number, .year = 1970 + floor_div(month, 12), .day = (int)(number - begin) + 1};
    d.month = (int)(month - floor_div(month, 12) * 12) + 1;
    d.length = (int)(calendar_month_begin_ms(month + 1) / CALENDAR_DAY_MS - begin);
    d.day_of_year = (int)(number - calendar_days(d.year, 1, 1)) + 1;
    return d;
}

static void next_day(struct day *d)
{
    d->number++;
    d->day_of_year++;
    if (++d->day > d->length)
        *d = day_of(d->number);
}

/* ---- which days ---- */

static bool has_bit(const uint64_t sets[2], int number, int from_end)
{
    return (sets[0] >> number & 1) != 0 || (sets[1] >> from_end & 1) != 0;
}

/* A week belongs to the year in which its middle day lies: the first with four days in the year is its first. */
static bool is_in_weeks(const struct recur *rule, const struct day *d)
{
    int in_week = (weekday_of(d->number) - rule->week_start + 7) % 7;
    struct day middle = day_of(d->number - in_week + 3);
    return has_bit(rule->weeks, (middle.day_of_year - 1) / 7 + 1,
        (year_length(middle.year) - middle.day_of_year) / 7 + 1);
}

static bool is_listed(const int16_t *list, int count, int number, int from_end)
{
    for (int i = 0; i < count; i++)
        if (list[i] == number || list[i] == -from_end)
            return true;
    return false;
}

static bool is_weekday(const struct recur *rule, const struct day *d)
{
    int weekday = weekday_of(d->number);
    if ((rule->weekdays >> weekday & 1) != 0)
        return true;
    bool is_of_month = rule->frequency == RECUR_MONTHLY || rule->months != 0;
    int number = is_of_month ? d->day : d->day_of_year;
    int length = is_of_month ? d->length : year_length(d->year);
    for (int i = 0; i < rule->nth_count; i++)
        if (rule->nths[i].weekday == weekday &&
            (rule->nths[i].nth == (number - 1) / 7 + 1 || rule->nths[i].nth == -((length - number) / 7 + 1)))
            return true;
    return false;
}

static bool matches(const struct recur *rule, const struct day *d)
{
    const uint64_t month_days[2] = {rule->month_days[0], rule->month_days[1]};
    if (rule->months != 0 && (rule->months >> d->month & 1) == 0)
        return false;
    if ((month_days[0] | month_days[1]) != 0 && !has_bit(month_days, d->day, d->length - d->day + 1))
        return false;
    if ((rule->weekdays != 0 || rule->nth_count > 0) && !is_weekday(rule, d))
        return false;
    if (rule->year_day_count > 0 && !is_listed(rule->year_days, rule->year_day_count, d->day_of_year,
                                        year_length(d->year) - d->day_of_year + 1))
        return false;
    return (rule->weeks[0] | rule->weeks[1]) == 0 || is_in_weeks(rule, d);
}

/* What the rule does not say is the start's. */
static struct recur complete(const struct recur *rule, int64_t start_s)
{
    struct recur r = *rule;
    struct day d = day_of(floor_div(start_s, DAY_S));
    int64_t of_day_s = start_s - d.number * DAY_S;
    if (r.hours == 0)
        r.hours = UINT32_C(1) << (of_day_s / 3600);
    if (r.minutes == 0)
        r.minutes = UINT64_C(1) << (of_day_s / 60 % 60);
    if (r.seconds == 0)
        r.seconds = UINT64_C(1) << (of_day_s % 60);
    bool says_weekday = r.weekdays != 0 || r.nth_count > 0, says_weeks = (r.weeks[0] | r.weeks[1]) != 0;
    bool says_days = says_weekday || (r.month_days[0] | r.month_days[1]) != 0 || r.year_day_count > 0;
    if (says_days || r.frequency == RECUR_DAILY)
        return r;
    if (r.frequency == RECUR_WEEKLY || says_weeks) {
        r.weekdays = (uint8_t)(1 << weekday_of(d.number));
        return r;
    }
    if (r.frequency == RECUR_YEARLY && r.months == 0)
        r.months = (uint16_t)(1 << d.month);
    r.month_days[0] = UINT32_C(1) << d.day;
    return r;
}

/* ---- periods ---- */

struct expansion {
    struct recur rule;
    int64_t start_s, from_s, to_s;
    int64_t *steps;
    size_t max;
    struct recur_times *out;
    int64_t left; /* of the count */
    int64_t of_day_s[TIMES_OF_DAY_MAX];
    int64_t of_day_count;
    int64_t days[366]; /* of the period */
    int day_count;
};

/* The days of the k-th period: [begin, end). */
static void period_days(const struct expansion *x, int64_t k, int64_t *ret_begin, int64_t *ret_end)
{
    int64_t start = floor_div(x->start_s, DAY_S), by = k * x->rule.interval;
    int64_t month = calendar_month(start * CALENDAR_DAY_MS), year = 1970 + floor_div(month, 12);
    switch (x->rule.frequency) {
    case RECUR_DAILY:
        *ret_begin = start + by;
        *ret_end = *ret_begin + 1;
        return;
    case RECUR_WEEKLY:
        *ret_begin = start - (weekday_of(start) - x->rule.week_start + 7) % 7 + 7 * by;
        *ret_end = *ret_begin + 7;
        return;
    case RECUR_MONTHLY:
        *ret_begin = calendar_month_begin_ms(month + by) / CALENDAR_DAY_MS;
        *ret_end = calendar_month_begin_ms(month + by + 1) / CALENDAR_DAY_MS;
        return;
    case RECUR_YEARLY:
        *ret_begin = calendar_days(year + by, 1, 1);
        *ret_end = calendar_days(year + by + 1, 1, 1);
        return;
    }
}

/* A period at or before the one that holds `from_s`: those before need not be looked at where nothing is counted. */
static int64_t first_period(const struct expansion *x)
{
    static const int longest[] = {1, 7, 31, 366};
    int64_t days = floor_div(x->from_s - x->start_s, DAY_S);
    int64_t k = days / longest[x->rule.frequency] / x->rule.interval - 1;
    return x->rule.count > 0 || k < 0 ? 0 : k;
}

static bool emit(struct expansion *x, int64_t day, int64_t of_day_s)
{
    int64_t time_s = day * DAY_S + of_day_s;
    if (time_s < x->start_s || time_s >= x->to_s || (x->rule.count > 0 && x->left == 0))
        return true;
    x->left--;
    if (time_s < x->from_s)
        return true;
    if (x->out->count >= x->max)
        return false;
    MEM_GROW(x->out->items, x->out->count, x->out->capacity);
    x->out->items[x->out->count++] = time_s;
    return true;
}

/* What the period has, in order; false where a limit is reached, with the time from which on something may be missing. */
static bool expand_period(struct expansion *x, int64_t begin, int64_t end, int64_t *ret_until_s)
{
    *ret_until_s = begin * DAY_S > x->start_s ? begin * DAY_S : x->start_s;
    x->day_count = 0;
    *x->steps -= end - begin;
    struct day d = day_of(begin);
    for (; d.number < end; next_day(&d))
        if (matches(&x->rule, &d))
            x->days[x->day_count++] = d.number;
    int64_t count = x->day_count * x->of_day_count;
    *x->steps -= count;
    if (*x->steps < 0)
        return false;
    for (int64_t i = 0; i < count; i++) {
        if (x->rule.position_count > 0 &&
            !is_listed(x->rule.positions, x->rule.position_count, (int)i + 1, (int)(count - i)))
            continue;
        int64_t day = x->days[i / x->of_day_count], of_day_s = x->of_day_s[i % x->of_day_count];
        if (!emit(x, day, of_day_s)) {
            *ret_until_s = day * DAY_S + of_day_s;
            return false;
        }
    }
    return true;
}

/* False where a day has more times than a booking calendar could mean. */
static bool list_times(struct expansion *x)
{
    for (int minute = 0; minute < 24 * 60; minute++) {
        if ((x->rule.hours >> (minute / 60) & 1) == 0 || (x->rule.minutes >> (minute % 60) & 1) == 0)
            continue;
        for (int second = 0; second < 60; second++) {
            if ((x->rule.seconds >> second & 1) == 0)
                continue;
            if (x->of_day_count == TIMES_OF_DAY_MAX)
                return false;
            x->of_day_s[x->of_day_count++] = minute * 60 + second;
        }
    }
    return true;
}

bool recur_expand(const struct recur *rule, int64_t start_s, int64_t from_s, int64_t to_s, int64_t *steps,
    size_t max, struct recur_times *out, int64_t *ret_until_s)
{
    struct expansion *x = mem_zalloc(sizeof *x);
    x->rule = complete(rule, start_s);
    x->start_s = start_s;
    x->from_s = from_s;
    x->to_s = to_s;
    x->steps = steps;
    x->max = max;
    x->out = out;
    x->left = rule->count;
    *steps -= STEPS_OF_A_RULE;
    bool is_whole = list_times(x);
    int64_t last = calendar_days(YEAR_MAX, 12, 31), begin = 0, end = 0, until_s = start_s;
    for (int64_t k = first_period(x); is_whole; k++) {
        period_days(x, k, &begin, &end);
        if (end > last || begin * DAY_S >= to_s || (rule->count > 0 && x->left == 0))
            break;
        is_whole = expand_period(x, begin, end, &until_s);
    }
    free(x);
    if (!is_whole)
        *ret_until_s = until_s;
    return is_whole;
}
