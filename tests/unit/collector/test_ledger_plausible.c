/* E3 for single pairs, by a table with the answers worked out by hand. */
#include "collector/ledger/plausible.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <inttypes.h>

#define HOUR INT64_C(3600000)
#define QUARTER (HOUR / 4)
#define E15 INT64_C(1000000000000000)
#define NOT INT64_C(-1)

static void test_each_pair_of_the_table(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int64_t modulus, resolution, max_rate, p, q, time_ms, from, to, counts;
    } pairs[] = {
        /* 1.2 x 100 x 1 h + 2 x 1 = 122 */
        {"nothing", 0, 1, 100, 1, 1, HOUR, 500, 500, 0},
        {"a usual step", 0, 1, 100, 1, 1, HOUR, 500, 540, 40},
        {"the limit itself", 0, 1, 100, 1, 1, HOUR, 500, 622, 122},
        {"one above the limit", 0, 1, 100, 1, 1, HOUR, 500, 623, NOT},
        {"the limit of a quarter hour is 32", 0, 1, 100, 1, 1, QUARTER, 0, 32, 32},
        {"above that", 0, 1, 100, 1, 1, QUARTER, 0, 33, NOT},
        {"a fraction of the limit is no count: 1.2 x 100 x 29 s = 0.97", 0, 1, 100, 1, 1, 29000, 0, 2, 2},
        {"... so 3 is above 2.97", 0, 1, 100, 1, 1, 29000, 0, 3, NOT},
        {"... and within 3 in 30 s", 0, 1, 100, 1, 1, 30000, 0, 3, 3},
        {"no time: the resolution alone", 0, 5, 100, 1, 1, 0, 0, 10, 10},
        {"... and not one more", 0, 5, 100, 1, 1, 0, 0, 11, NOT},
        {"a meter that never moves", 0, 1, 0, 1, 1, HOUR, 0, 2, 2},
        {"a fall of one resolution is the earlier count", 0, 10, 100, 1, 1, HOUR, 500, 490, 0},
        {"a fall of two", 0, 10, 100, 1, 1, HOUR, 500, 480, 0},
        {"a fall of more", 0, 10, 100, 1, 1, HOUR, 500, 479, NOT},
        {"below zero without a modulus", 0, 1, 100, 1, 1, HOUR, -30, 10, 40},
        /* Modulus. */
        {"a wrap", 1000, 1, 100, 1, 1, HOUR, 990, 30, 40},
        {"a wrap to the limit", 1000, 1, 100, 1, 1, HOUR, 990, 112, 122},
        {"a wrap above the limit", 1000, 1, 100, 1, 1, HOUR, 990, 113, NOT},
        {"from the last count to 0", 1000, 1, 100, 1, 1, HOUR, 999, 0, 1},
        {"a small fall is no wrap", 1000, 1, 100, 1, 1, HOUR, 500, 498, 0},
        {"a step without a wrap", 1000, 1, 100, 1, 1, HOUR, 500, 540, 40},
        /* 9 h: L = 1082. */
        {"one wrap or none", 1000, 1, 100, 1, 1, 9 * HOUR, 500, 582, NOT},
        {"none, since with one it would be above", 1000, 1, 100, 1, 1, 9 * HOUR, 500, 583, 83},
        {"a small fall where a wrap is possible too", 1000, 1, 100, 1, 1, 9 * HOUR, 500, 499, NOT},
        {"one wrap or two", 1000, 1, 100, 1, 1, 18 * HOUR, 500, 499, NOT},
        {"row 28: 6 553.6 kWh, 80 h at 90 kW", 6553600, 10, 100000, 1, 1, 80 * HOUR, 1800000, 2446400, NOT},
        /* Ratios: L on the primary side. CT 40 = 1000/25, 10 MW: a quarter hour is 3 000 kWh = 75 000 of ours. */
        {"a ratio, the limit", 0, 10, 10000000, 40, 1, QUARTER, 0, 75020, 75020},
        {"a ratio, above", 0, 10, 10000000, 40, 1, QUARTER, 0, 75021, NOT},
        /* p/q = 2/3: 120 primary are 180 counts, and 2 x resolution x 2/3 are 2 counts. */
        {"a ratio below one", 0, 1, 100, 2, 3, HOUR, 0, 182, 182},
        {"a ratio below one, above the limit", 0, 1, 100, 2, 3, HOUR, 0, 183, NOT},
        /* p/q = 7/3: 120 x 3/7 = 51.4 counts, and 2. */
        {"a ratio that is no whole number", 0, 1, 100, 7, 3, HOUR, 0, 53, 53},
        {"... above", 0, 1, 100, 7, 3, HOUR, 0, 54, NOT},
        /* The ends of what is possible: nothing overflows. */
        {"from end to end", 0, 1, 1000000000000, 1, 1, INT64_MAX, -E15, E15, 2 * E15},
        {"from end to end at the highest ratio in an hour", 0, 1, 1000000000000, 1000000000, 1, HOUR, -E15,
            E15, NOT},
        {"1.2 x 10^12 / 10^9 in an hour", 0, 1, 1000000000000, 1000000000, 1, HOUR, E15 - 1202, E15, 1202},
        {"... one more", 0, 1, 1000000000000, 1000000000, 1, HOUR, E15 - 1203, E15, NOT},
        {"the lowest ratio", 0, 1, 1000000000000, 1, 1000000000, HOUR, -E15, E15, 2 * E15},
        {"the highest modulus", E15 + 1, 1, 1000000000000, 1, 1, HOUR, E15, 0, 1},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct segment s = {.modulus = pairs[i].modulus,
            .resolution = pairs[i].resolution,
            .max_rate = pairs[i].max_rate,
            .p = pairs[i].p,
            .q = pairs[i].q};
        int64_t counts = NOT;
        bool is_plausible = plausible_counts(&s, pairs[i].time_ms, pairs[i].from, pairs[i].to, &counts);
        if (is_plausible != (pairs[i].counts != NOT) || counts != pairs[i].counts)
            fail_msg("%s: %d, %" PRId64 " counts", pairs[i].what, is_plausible, counts);
    }
}

static bool is_above(const struct segment *s, int64_t time_ms, int64_t counts)
{
    struct plausible_legs legs = PLAUSIBLE_LEGS;
    assert_true(plausible_add_leg(&legs, s, time_ms, counts));
    return plausible_is_above_limit(&legs);
}

static void test_only_a_rise_is_above_the_limit(void **state)
{
    (void)state;
    struct segment s = {.modulus = 1000, .resolution = 1, .max_rate = 100, .p = 1, .q = 1};
    assert_true(is_above(&s, HOUR, 123));
    assert_false(is_above(&s, HOUR, 122));
    assert_false(is_above(&s, HOUR, -100));
    assert_false(is_above(&s, 9 * HOUR, 82)); /* one wrap or none: not the limit's doing */
}

static void test_legs_that_go_up_and_down_are_one_sum(void **state)
{
    (void)state;
    struct segment s = {.resolution = 1, .max_rate = 100, .p = 1, .q = 3}, t = s;
    t.q = 7;
    struct plausible_legs legs = PLAUSIBLE_LEGS;          /* L = 120 2/3 */
    assert_true(plausible_add_leg(&legs, &s, HOUR, 363)); /* 121 */
    assert_true(plausible_is_above_limit(&legs));
    assert_true(plausible_add_leg(&legs, &t, HOUR, -2)); /* 120 5/7 */
    assert_true(plausible_is_above_limit(&legs));
    assert_true(plausible_add_leg(&legs, &t, HOUR, -1)); /* 120 4/7 */
    assert_false(plausible_is_above_limit(&legs));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_pair_of_the_table),
        cmocka_unit_test(test_only_a_rise_is_above_the_limit),
        cmocka_unit_test(test_legs_that_go_up_and_down_are_one_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
