#include "collector/store/period.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_periods_are_whole_hours_of_utc(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t from, to;
    } cases[] = {
        {"1970-01", 0, 31 * 24},
        {"2026-12", 498912, 499656},
        {"2026-10-05", 497544, 497568},
        {"2028-02-29", 509832, 509856},
        {"2026-10-05T00:00:00Z/2026-10-05T01:00:00Z", 497544, 497545},
        {"2026-10-05T08:00:00+08:00/2026-10-06T00:00:00Z", 497544, 497568},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t from = -1, to = -1;
        if (!period_parse(cases[i].text, &from, &to) || from != cases[i].from || to != cases[i].to)
            fail_msg("%s: %lld to %lld", cases[i].text, (long long)from, (long long)to);
    }
}

static void test_what_is_no_period_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"", "2026", "2026-13", "2026-00", "2026-1-", "26-10-1", "-026-10",
        " 026-10", "2026-02-29", "2026-10-05T00:00:00Z", "2026-10-05/2026-10-06",
        "2026-10-05T00:30:00Z/2026-10-05T01:00:00Z", "2026-10-05T01:00:00Z/2026-10-05T01:00:00Z",
        "2026-10-05T02:00:00Z/2026-10-05T01:00:00Z", "2026-10-05T00:00:00+05:30/2026-10-05T01:00:00Z",
        "9999-99", "2026-10-05T00:00:00ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ/2026-10-05T01:00:00Z"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t from, to;
        if (period_parse(cases[i], &from, &to))
            fail_msg("\"%s\" was taken", cases[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_periods_are_whole_hours_of_utc),
        cmocka_unit_test(test_what_is_no_period_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
