#include "lib/ical.h"

#include "lib/number.h"

#include <libical/ical.h>
#include <stdlib.h>
#include <string.h>

#define RULE_BYTES_MAX 2048

/* libical reads numbers into shorts and ints, and does not look whether they fit. */
static bool has_short_numbers(struct span s)
{
    int digits = 0;
    for (size_t i = 0; i < s.len; i++) {
        digits = s.at[i] >= '0' && s.at[i] <= '9' ? digits + 1 : 0;
        if (digits > 3)
            return false;
    }
    return true;
}

static bool is_in_range(struct span s, int64_t max)
{
    int64_t value;
    return number_parse_int64(s.at, s.len, &value) && value >= 1 && value <= max;
}

/* Copies the rule without its UNTIL, which we read ourselves. False where a part is unknown or twice. */
static bool split_rule(struct span text, char *word, size_t size, struct ical_rule *rule)
{
    static const char *const names[] = {"FREQ", "UNTIL", "COUNT", "INTERVAL", "BYSECOND", "BYMINUTE",
        "BYHOUR", "BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS", "WKST"};
    enum { UNTIL = 1, COUNT = 2, INTERVAL = 3, NAMES = sizeof names / sizeof names[0] };
    unsigned seen = 0;
    struct span part, key;
    size_t len = 0;
    while (ical_next_part(&text, ';', &part)) {
        struct span value = part;
        int which = 0;
        if (!ical_next_part(&value, '=', &key) || value.len == 0)
            return false;
        while (which < NAMES && !ical_is(key, names[which]))
            which++;
        if (which == NAMES || (seen >> which & 1) != 0)
            return false;
        seen |= 1u << which;
        if (which == UNTIL) {
            if (!ical_time_read(value, &rule->until))
                return false;
            continue;
        }
        bool is_number = which == COUNT || which == INTERVAL;
        if (len + part.len + 2 > size ||
            (is_number && !is_in_range(value, which == COUNT ? INT32_MAX : INT16_MAX)) ||
            (!is_number && !has_short_numbers(value)))
            return false;
        if (len > 0)
            word[len++] = ';';
        memcpy(word + len, part.at, part.len);
        len += part.len;
        word[len] = '\0';
    }
    rule->has_until = (seen >> UNTIL & 1) != 0;
    return (seen & 1) != 0 && !(rule->has_until && (seen >> COUNT & 1) != 0);
}

/* A list of libical's as a set, or two: those from the end are negative. False beyond `max`. */
static bool to_set(const short *list, size_t size, int min, int max, uint64_t *ret, uint64_t *ret_from_end)
{
    for (size_t i = 0; i < size && list[i] != ICAL_RECURRENCE_ARRAY_MAX; i++) {
        int value = list[i];
        bool is_from_end = value < 0 && ret_from_end != NULL;
        int number = is_from_end ? -value : value;
        if (number < min || number > max)
            return false;
        *(is_from_end ? ret_from_end : ret) |= UINT64_C(1) << number;
    }
    return true;
}

static bool to_list(const short *list, size_t size, int16_t *ret, int *ret_count)
{
    for (size_t i = 0; i < size && list[i] != ICAL_RECURRENCE_ARRAY_MAX; i++) {
        if (*ret_count == RECUR_LIST_MAX || list[i] == 0 || list[i] < -366 || list[i] > 366)
            return false;
        ret[(*ret_count)++] = list[i];
    }
    return true;
}

/* libical counts weekdays from Sunday, which is 1. */
static int weekday(int libicals)
{
    return (libicals + 5) % 7;
}

static bool to_days(const struct icalrecurrencetype *from, struct recur *r)
{
    for (size_t i = 0; i < ICAL_BY_DAY_SIZE && from->by_day[i] != ICAL_RECURRENCE_ARRAY_MAX; i++) {
        int day = (int)icalrecurrencetype_day_day_of_week(from->by_day[i]);
        int nth = icalrecurrencetype_day_position(from->by_day[i]);
        if (day < 1 || day > 7 || nth < -53 || nth > 53)
            return false;
        if (nth == 0) {
            r->weekdays |= (uint8_t)(1 << weekday(day));
            continue;
        }
        if (r->nth_count == RECUR_LIST_MAX)
            return false;
        r->nths[r->nth_count++] = (struct recur_nth){(int8_t)weekday(day), (int16_t)nth};
    }
    return true;
}

/* The table of 3.3.10: what MUST NOT stand beside a frequency. */
static bool is_allowed(const struct recur *r)
{
    bool is_year = r->frequency == RECUR_YEARLY, has_weeks = (r->weeks[0] | r->weeks[1]) != 0;
    if ((has_weeks || r->year_day_count > 0) && !is_year)
        return false;
    if ((r->month_days[0] | r->month_days[1]) != 0 && r->frequency == RECUR_WEEKLY)
        return false;
    if (r->nth_count > 0 && ((!is_year && r->frequency != RECUR_MONTHLY) || has_weeks))
        return false;
    return r->position_count == 0 || r->months != 0 || r->hours != 0 || r->minutes != 0 || r->seconds != 0 ||
           (r->month_days[0] | r->month_days[1]) != 0 || has_weeks || r->weekdays != 0 || r->nth_count > 0 ||
           r->year_day_count > 0;
}

static bool to_recur(const struct icalrecurrencetype *from, struct recur *r)
{
    switch ((int)from->freq) {
    case ICAL_DAILY_RECURRENCE:
        r->frequency = RECUR_DAILY;
        break;
    case ICAL_WEEKLY_RECURRENCE:
        r->frequency = RECUR_WEEKLY;
        break;
    case ICAL_MONTHLY_RECURRENCE:
        r->frequency = RECUR_MONTHLY;
        break;
    case ICAL_YEARLY_RECURRENCE:
        r->frequency = RECUR_YEARLY;
        break;
    default:
        return false;
    }
    if (from->interval < 1 || from->count < 0 || from->week_start == ICAL_NO_WEEKDAY)
        return false;
    r->interval = from->interval;
    r->count = from->count;
    r->week_start = weekday((int)from->week_start);
    uint64_t months = 0, hours = 0, days = 0, days_from_end = 0;
    if (!to_set(from->by_month, ICAL_BY_MONTH_SIZE, 1, 12, &months, NULL) ||
        !to_set(from->by_hour, ICAL_BY_HOUR_SIZE, 0, 23, &hours, NULL) ||
        !to_set(from->by_minute, ICAL_BY_MINUTE_SIZE, 0, 59, &r->minutes, NULL) ||
        !to_set(from->by_second, ICAL_BY_SECOND_SIZE, 0, 59, &r->seconds, NULL) ||
        !to_set(from->by_month_day, ICAL_BY_MONTHDAY_SIZE, 1, 31, &days, &days_from_end) ||
        !to_set(from->by_week_no, ICAL_BY_WEEKNO_SIZE, 1, 53, &r->weeks[0], &r->weeks[1]) ||
        !to_list(from->by_year_day, ICAL_BY_YEARDAY_SIZE, r->year_days, &r->year_day_count) ||
        !to_list(from->by_set_pos, ICAL_BY_SETPOS_SIZE, r->positions, &r->position_count) ||
        !to_days(from, r))
        return false;
    r->months = (uint16_t)months;
    r->hours = (uint32_t)hours;
    r->month_days[0] = (uint32_t)days;
    r->month_days[1] = (uint32_t)days_from_end;
    return is_allowed(r);
}

bool ical_rule_read(struct span text, struct ical_rule *ret)
{
    char word[RULE_BYTES_MAX];
    struct ical_rule rule = {0};
    if (memchr(text.at, '\0', text.len) != NULL || !split_rule(text, word, sizeof word, &rule))
        return false;
    icalerror_set_errors_are_fatal(0);
    struct icalrecurrencetype from = icalrecurrencetype_from_string(word);
    if (from.freq == ICAL_NO_RECURRENCE || !to_recur(&from, &rule.recur))
        return false;
    *ret = rule;
    return true;
}
