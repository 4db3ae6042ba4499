#include "collector/report/compare.h"

#include "lib/calendar.h"

const char *const compare_reasons[] = {
    "good",
    "unknown_now",
    "unknown_then",
    "coverage_now",
    "coverage_then",
    "other_meters",
    "no_period",
    "too_large",
};

bool compare_before(struct period period, struct period *ret)
{
    *ret = (struct period){period.kind, period.number - 1};
    return ret->number >= 0;
}

/* The date a year before, by its text: what does not read back is no date. */
static bool day_of_year_before(struct period period, struct period *ret)
{
    char text[PERIODS_TEXT_SIZE];
    periods_format(period, text);
    int64_t year = periods_within(period, PERIODS_YEAR).number + 1970;
    int month = (int)(periods_within(period, PERIODS_MONTH).number % 12) + 1;
    int day = (text[8] - '0') * 10 + (text[9] - '0');
    int64_t number = calendar_days(year - 1, month, day);
    *ret = (struct period){PERIODS_DAY, number};
    return number >= 0 && periods_within(*ret, PERIODS_MONTH).number % 12 + 1 == month;
}

bool compare_year_before(struct period period, struct period *ret)
{
    static const int64_t in_a_year[] = {[PERIODS_MONTH] = 12, [PERIODS_QUARTER] = 4, [PERIODS_YEAR] = 1};
    if (period.kind == PERIODS_DAY)
        return day_of_year_before(period, ret);
    *ret = (struct period){period.kind, period.number - in_a_year[period.kind]};
    return ret->number >= 0;
}

int compare_coverage_permille(const struct amount *amount)
{
    int64_t due = amount_due(amount);
    return due > 0 ? (int)(amount_covered(amount) * 1000 / due) : 0;
}

static enum compare_reason reason_of(
    const struct amount *now, const struct amount *then, bool is_same, int64_t *ret_now, int64_t *ret_then)
{
    if (!amount_is_known(now, ret_now))
        return COMPARE_UNKNOWN_NOW;
    if (!amount_is_known(then, ret_then))
        return COMPARE_UNKNOWN_THEN;
    if (!is_same)
        return COMPARE_OTHER_METERS;
    if (compare_coverage_permille(now) < COMPARE_COVERAGE_PERMILLE)
        return COMPARE_COVERAGE_NOW;
    if (compare_coverage_permille(then) < COMPARE_COVERAGE_PERMILLE)
        return COMPARE_COVERAGE_THEN;
    return COMPARE_GOOD;
}

struct comparison compare(const struct amount *now, const struct amount *then, bool is_same)
{
    int64_t new_amount, old_amount;
    struct comparison c = {.reason = reason_of(now, then, is_same, &new_amount, &old_amount)};
    if (c.reason != COMPARE_GOOD)
        return c;
    if (__builtin_sub_overflow(new_amount, old_amount, &c.difference)) {
        c.reason = COMPARE_TOO_LARGE;
        return c;
    }
    if (old_amount <= 0)
        return c;
    __int128 size = c.difference < 0 ? -(__int128)c.difference : c.difference;
    __int128 rounded = (2000 * size + old_amount) / (2 * (__int128)old_amount);
    c.has_ratio = rounded <= INT64_MAX;
    c.permille = c.has_ratio ? (int64_t)(c.difference < 0 ? -rounded : rounded) : 0;
    return c;
}
