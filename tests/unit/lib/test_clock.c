#include "lib/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <time.h>

static void test_times_are_written_in_utc_with_milliseconds(void **state)
{
    (void)state;
    static const struct {
        int64_t time_ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1764000000123, "2025-11-24T16:00:00.123Z"},
        {951782399999, "2000-02-28T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-1000, "1969-12-31T23:59:59.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[CLOCK_TEXT_SIZE];
        clock_format_utc(cases[i].time_ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_a_time_beyond_the_calendar_is_written_as_a_number(void **state)
{
    (void)state;
    char text[CLOCK_TEXT_SIZE];
    clock_format_utc(INT64_MAX, text);
    assert_string_equal(text, "9223372036854775807 ms");
    clock_format_utc(INT64_MIN, text);
    assert_string_equal(text, "-9223372036854775808 ms");
}

static void test_the_systems_clocks_agree_with_its_seconds(void **state)
{
    (void)state;
    time_t before = time(NULL);
    int64_t now_ms = clock_system.wall_ms();
    assert_true(now_ms / 1000 >= (int64_t)before - 1 && now_ms / 1000 <= (int64_t)time(NULL) + 1);
    int64_t first = clock_system.mono_ms();
    assert_true(clock_system.mono_ms() >= first);
    assert_true(clock_trusted.is_synchronised());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_are_written_in_utc_with_milliseconds),
        cmocka_unit_test(test_a_time_beyond_the_calendar_is_written_as_a_number),
        cmocka_unit_test(test_the_systems_clocks_agree_with_its_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
