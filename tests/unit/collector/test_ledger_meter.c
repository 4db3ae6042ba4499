/* From the park model to what the ledger folds. */
#include "collector/ledger/meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static struct park_segment segment(int64_t from_ms, int64_t until_ms, char *point)
{
    return (struct park_segment){.from_ms = from_ms,
        .until_ms = until_ms,
        .point = point,
        .start_register = -1,
        .end_register = -1,
        .resolution = 10,
        .max_rate = 100000,
        .ct = {1, 1},
        .pt = {1, 1},
        .registers = REGISTERS_UNSAID};
}

static struct park_meter meter_of(struct park_segment *segments, size_t count)
{
    return (struct park_meter){.max_gap_ms = 1200000, .segments = {segments, count}};
}

static void test_segments_are_in_order_of_time_whatever_the_files(void **state)
{
    (void)state;
    char a[] = "gw/a", b[] = "gw/b";
    struct park_segment segments[] = {
        segment(200, INT64_MAX, b), segment(0, 100, a), segment(100, 200, NULL)};
    segments[1].end_register = 0; /* a register that was 0 was logged */
    segments[2].start_register = 5;
    segments[2].modulus = 1000;
    struct park_meter park = meter_of(segments, 3);
    struct meter m;
    struct error err;
    assert_int_equal(meter_init(&m, &park, &err), ST_OK);
    assert_int_equal(m.segments.count, 3);
    assert_int_equal(m.max_gap_ms, 1200000);
    const struct segment *s = m.segments.items;
    assert_int_equal(s[0].from_ms, 0);
    assert_true(s[0].has_end && s[0].end == 0 && !s[0].has_start);
    assert_true(s[1].has_start && s[1].start == 5 && !s[1].has_end && s[1].modulus == 1000);
    assert_int_equal(s[2].until_ms, INT64_MAX);
    assert_int_equal(s[0].point, meter_point(&m, "gw/a"));
    assert_int_equal(s[1].point, meter_point(&m, NULL));
    assert_int_equal(s[2].point, meter_point(&m, "gw/b"));
    assert_int_equal(meter_point(&m, "gw/c"), -1);
    assert_int_equal(m.point_count, 3);
    meter_release(&m);
    meter_release(&m);
}

static void test_a_ratio_counts_for_secondary_registers_alone(void **state)
{
    (void)state;
    char a[] = "gw/a";
    struct park_segment segments[] = {segment(0, 100, a), segment(100, INT64_MAX, a)};
    for (int i = 0; i < 2; i++) {
        segments[i].ct = (struct fraction){200, 1};
        segments[i].pt = (struct fraction){100, 3};
    }
    segments[0].registers = REGISTERS_SECONDARY;
    segments[1].registers = REGISTERS_PRIMARY;
    struct park_meter park = meter_of(segments, 2);
    struct meter m;
    struct error err;
    assert_int_equal(meter_init(&m, &park, &err), ST_OK);
    assert_int_equal(m.segments.items[0].p, 20000);
    assert_int_equal(m.segments.items[0].q, 3);
    assert_int_equal(m.segments.items[1].p, 1);
    assert_int_equal(m.segments.items[1].q, 1);
    assert_int_equal(m.point_count, 1);
    meter_release(&m);
}

static void test_what_cannot_be_reckoned_with_is_refused(void **state)
{
    (void)state;
    char a[] = "gw/a";
    struct park_segment segments[] = {segment(0, 100, a), segment(100, INT64_MAX, a)};
    struct park_meter park = meter_of(segments, 2);
    struct meter m;
    struct error err = {""};
    segments[1].max_rate = SEGMENT_RATE_MAX + 1;
    assert_int_equal(meter_init(&m, &park, &err), ST_INVALID);
    assert_string_equal(err.text, "segments[1]: has a max_rate that is not from 0 to 10^12");
    segments[1].max_rate = 1;
    segments[0].registers = REGISTERS_SECONDARY;
    segments[0].ct = (struct fraction){SEGMENT_RATIO_MAX, 1};
    segments[0].pt = (struct fraction){2, 1};
    assert_int_equal(meter_init(&m, &park, &err), ST_INVALID);
    assert_string_equal(err.text, "segments[0]: has a ratio whose parts are not from 1 to 10^9");
    segments[0].pt = (struct fraction){INT64_MAX, 1};
    assert_int_equal(meter_init(&m, &park, &err), ST_INVALID);
    assert_string_equal(err.text, "segments[0]: has a ratio beyond 18 digits");
}

static void test_a_meter_may_have_no_register(void **state)
{
    (void)state;
    struct park_meter park = meter_of(NULL, 0);
    struct meter m;
    struct error err;
    assert_int_equal(meter_init(&m, &park, &err), ST_OK);
    assert_int_equal(m.segments.count, 0);
    assert_int_equal(meter_point(&m, NULL), -1);
    meter_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments_are_in_order_of_time_whatever_the_files),
        cmocka_unit_test(test_a_ratio_counts_for_secondary_registers_alone),
        cmocka_unit_test(test_what_cannot_be_reckoned_with_is_refused),
        cmocka_unit_test(test_a_meter_may_have_no_register),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
