/* What an instrument's power was, and what thresholds would have made of it. */
#include "collector/instrument/thresholds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_bins_follow_each_other_without_a_hole(void **state)
{
    (void)state;
    assert_int_equal(thresholds_edge_mw(0), INT64_MIN);
    assert_int_equal(thresholds_edge_mw(1), 0);
    assert_int_equal(thresholds_edge_mw(2), 1000);
    assert_int_equal(thresholds_edge_mw(9), 7500);
    assert_int_equal(thresholds_edge_mw(10), 10000);
    assert_int_equal(thresholds_edge_mw(THRESHOLDS_BINS - 1), INT64_C(10000000000));
    assert_int_equal(thresholds_edge_mw(THRESHOLDS_BINS), INT64_MAX);
    for (size_t i = 0; i < THRESHOLDS_BINS; i++) {
        assert_true(thresholds_edge_mw(i) < thresholds_edge_mw(i + 1));
        int64_t edges[] = {
            i > 0 ? thresholds_edge_mw(i) : INT64_MIN, thresholds_edge_mw(i + 1) - (i + 1 < THRESHOLDS_BINS)};
        for (size_t k = 0; k < 2; k++) {
            struct thresholds t;
            thresholds_init(&t, 120000);
            thresholds_read(&t, 1, edges[k]);
            assert_int_equal(t.bins[i].readings, 1);
        }
    }
}

static void test_power_holds_to_the_next_reading_and_limits_count_side_by_side(void **state)
{
    (void)state;
    struct thresholds t;
    thresholds_init(&t, 120000);
    struct activity_limits own = {10000, 30000, 40000, 10000, 60000, 0},
                           bare = {10000, 40000, 40000, 0, 0, 0};
    assert_int_equal(thresholds_add(&t, own), 0);
    assert_int_equal(thresholds_add(&t, bare), 1);
    static const struct {
        int64_t s, w;
    } readings[] = {{0, 15}, {10, 45}, {20, 35}, {20, 99}, {15, 99}, {30, 45}, {40, 45}, {50, 15}, {60, 45},
        {70, 15}, {191, 15}, {200, 15}};
    for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++)
        thresholds_read(&t, readings[i].s * 1000, readings[i].w * 1000);
    thresholds_end(&t);
    assert_int_equal(t.readings, 10);
    assert_int_equal(t.dropped, 2);
    assert_int_equal(t.bins[11].readings, 5);    /* 13 W to 18 W */
    assert_int_equal(t.bins[11].time_ms, 29000); /* the gap counts for nothing */
    assert_int_equal(t.bins[14].time_ms, 10000); /* 32 W to 42 W */
    assert_int_equal(t.bins[15].time_ms, 40000); /* 42 W to 56 W */
    assert_int_equal(t.trials[0].runs, 1);       /* from 30 on, as far as it was read */
    assert_int_equal(t.trials[0].state_ms[ACTIVITY_RUNNING], 40000);
    assert_int_equal(t.trials[0].state_ms[ACTIVITY_UNKNOWN], 121000);
    assert_int_equal(t.trials[0].state_ms[ACTIVITY_STANDBY], 39000);
    assert_int_equal(t.trials[1].runs, 3);
    assert_int_equal(t.trials[1].state_ms[ACTIVITY_RUNNING], 40000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bins_follow_each_other_without_a_hole),
        cmocka_unit_test(test_power_holds_to_the_next_reading_and_limits_count_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
