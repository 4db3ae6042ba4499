/* Months and days against the C library's own calendar. */
#include "lib/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <time.h>

static void test_every_day_of_four_centuries_is_in_its_month(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 146097 + 366; day++) {
        time_t time_s = (time_t)day * 86400;
        struct tm tm;
        assert_non_null(gmtime_r(&time_s, &tm));
        int64_t month = (tm.tm_year - 70) * 12 + tm.tm_mon;
        assert_int_equal(calendar_days(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday), day);
        assert_int_equal(calendar_month(day * CALENDAR_DAY_MS), month);
        assert_int_equal(calendar_month((day + 1) * CALENDAR_DAY_MS - 1), month);
        if (tm.tm_mday == 1)
            assert_true(calendar_month_begin_ms(month) == day * CALENDAR_DAY_MS);
    }
}

static void test_months_have_names_also_at_the_ends_of_time(void **state)
{
    (void)state;
    static const struct {
        int64_t time_ms;
        const char *name;
    } rows[] = {{0, "1970-01"}, {1764000000000, "2025-11"}, {951782400000, "2000-02"}, {-1, "1969-12"},
        {INT64_C(253402300799999), "9999-12"}, {INT64_C(1) << 53, "287396-10"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char name[CALENDAR_MONTH_SIZE];
        calendar_month_format(calendar_month(rows[i].time_ms), name);
        assert_string_equal(name, rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_day_of_four_centuries_is_in_its_month),
        cmocka_unit_test(test_months_have_names_also_at_the_ends_of_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
