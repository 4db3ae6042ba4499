#include "lib/rfc3339.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct sample {
    const char *text;
    int64_t time_ms; /* from `date -u -d ... +%s` */
};

static void test_times_with_an_offset_are_read_to_the_millisecond(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-01-01T00:00:00+08:00", INT64_C(1767196800000)},
        {"2024-02-29T23:59:59.250-03:30", INT64_C(1709263799250)},
        {"2000-02-29T12:00:00Z", INT64_C(951825600000)},
        {"2100-03-01T00:00:00Z", INT64_C(4107542400000)},
        {"2026-01-01T00:00:00.5Z", INT64_C(1767225600500)},
        {"2026-01-01T00:00:00.1239Z", INT64_C(1767225600123)}, /* finer than we keep: cut */
        {"2026-01-01T00:00:00.999999999+08:00", INT64_C(1767196800999)},
        {"2026-01-01T00:00:00.000000001Z", INT64_C(1767225600000)},
        {"9999-12-31T23:59:59Z", INT64_C(253402300799000)},
        {"1970-01-01T00:00:00+23:59", INT64_C(-86340000)},
    };
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        int64_t time_ms = -1;
        if (!rfc3339_parse(samples[i].text, &time_ms) || time_ms != samples[i].time_ms)
            fail_msg("%s gave %lld", samples[i].text, (long long)time_ms);
    }
}

static void test_what_is_no_time_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "2026",
        "2023-02-29T00:00:00Z", /* no leap year */
        "2100-02-29T00:00:00Z", /* nor this one */
        "2026-00-01T00:00:00Z", /* no such month */
        "2026-13-01T00:00:00Z",
        "2026-04-31T00:00:00Z", /* no such day */
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z", /* no such time */
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z", /* leap seconds cannot be told apart in milliseconds since 1970 */
        "2026-01-01T00:00:00",  /* whose noon? */
        "2026-01-01T00:00:00+0800",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+08:60",
        "2026-01-01T00:00:00+08:00 ",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.1234567890Z", /* finer than anybody tells */
        "2026-01-01T00:00:00.123 Z",
        "2026-01-01 00:00:00Z",
        "2026-1-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "+2026-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t time_ms = 42;
        if (rfc3339_parse(texts[i], &time_ms) || time_ms != 42)
            fail_msg("%s gave %lld", texts[i], (long long)time_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_with_an_offset_are_read_to_the_millisecond),
        cmocka_unit_test(test_what_is_no_time_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
