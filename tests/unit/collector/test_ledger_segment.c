/* E1 and E2: what a register can read, which segment a reading is of, and U from counts. */
#include "collector/ledger/segment.h"
#include "collector/ledger/step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <inttypes.h>

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define E15 INT64_C(1000000000000000)

static void test_a_register_reads_from_0_to_its_modulus(void **state)
{
    (void)state;
    struct segment rolling = {.modulus = 1000}, plain = {0};
    assert_true(segment_takes(&rolling, 0));
    assert_true(segment_takes(&rolling, 999));
    assert_false(segment_takes(&rolling, 1000));
    assert_false(segment_takes(&rolling, -1));
    assert_true(segment_takes(&plain, E15));
    assert_true(segment_takes(&plain, -E15));
    assert_false(segment_takes(&plain, E15 + 1));
    assert_false(segment_takes(&plain, -E15 - 1));
    assert_false(segment_takes(&plain, INT64_MIN));
    assert_false(segment_takes(&plain, INT64_MAX));
}

static void test_u_is_rounded_down_from_the_segments_start(void **state)
{
    (void)state;
    static const struct {
        int64_t p, q, start, counts, energy;
    } cases[] = {
        {1, 1, 0, 7, 7},
        {200, 1, 50, 7, 1450},
        {2, 3, 0, 1, 0},
        {2, 3, 0, 2, 1},
        {2, 3, 0, 3, 2},
        {2, 3, 10, 3, 12},
        {7, 2, 0, 3, 10},
        {2, 3, 0, -1, -1},
        {2, 3, 0, -3, -2},
        {1, 1000000000, 0, E15, 1000000},
        {1, 1000000000, 0, E15 - 1, 999999},
        {9000, 1, 0, E15, 9000 * E15},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct segment s = {.p = cases[i].p, .q = cases[i].q};
        int64_t energy;
        assert_true(segment_energy(&s, cases[i].start, cases[i].counts, &energy));
        if (energy != cases[i].energy)
            fail_msg("%" PRId64 " counts x %" PRId64 "/%" PRId64 ": %" PRId64, cases[i].counts, cases[i].p,
                cases[i].q, energy);
    }
}

static void test_u_beyond_64_bits_is_refused_not_wrapped(void **state)
{
    (void)state;
    struct segment s = {.p = 10000, .q = 1};
    int64_t energy = 5;
    assert_false(segment_energy(&s, 0, E15, &energy)); /* 10^19 */
    assert_false(segment_energy(&s, 0, -E15, &energy));
    assert_false(segment_energy(&s, INT64_MAX, 1, &energy));
    assert_false(segment_energy(&s, INT64_MIN, -1, &energy));
    s.p = 1000000000;
    assert_false(segment_energy(&s, 0, INT64_MAX, &energy));
    assert_int_equal(energy, 5);
    s.p = 1;
    assert_true(segment_energy(&s, INT64_MAX - 1, 1, &energy));
    assert_int_equal(energy, INT64_MAX);
}

/* Old until 10:00 at 5 000, new from 500 on; L in 30 min = 62. */
#define JOINED(has_old, has_new)                                                               \
    {                                                                                          \
        {.from_ms = 0,                                                                         \
            .until_ms = 10 * HOUR,                                                             \
            .has_end = (has_old),                                                              \
            .end = 5000,                                                                       \
            .resolution = 1,                                                                   \
            .max_rate = 100,                                                                   \
            .p = 1,                                                                            \
            .q = 1},                                                                           \
        {                                                                                      \
            .from_ms = 10 * HOUR, .until_ms = INT64_MAX, .has_start = (has_new), .start = 500, \
            .resolution = 1, .max_rate = 100, .p = 1, .q = 1                                   \
        }                                                                                      \
    }

static void test_near_a_logged_instant_the_registers_tell_the_segment(void **state)
{
    (void)state;
    static const struct segment logged[] = JOINED(true, true), half[] = JOINED(false, true);
    static const struct {
        const char *what;
        const struct segment *segments;
        int64_t time_ms, count, segment;
    } cases[] = {
        {"long before", logged, 2 * HOUR, 505, 0},
        {"before, by the old register", logged, 10 * HOUR - MINUTE, 4999, 0},
        {"before, by the new register", logged, 10 * HOUR - MINUTE, 505, 1},
        {"30 min before is near", logged, 10 * HOUR - 30 * MINUTE, 505, 1},
        {"more is not", logged, 10 * HOUR - 30 * MINUTE - 1, 505, 0},
        {"at the instant, by neither: the time tells", logged, 10 * HOUR, 100000, 1},
        {"after, by the old register", logged, 10 * HOUR + 20 * MINUTE, 4990, 0},
        {"30 min after is near", logged, 10 * HOUR + 30 * MINUTE, 4990, 0},
        {"more is not", logged, 10 * HOUR + 30 * MINUTE + 1, 4990, 1},
        {"after, by the new register", logged, 10 * HOUR + 20 * MINUTE, 505, 1},
        {"what the old one could not have used", logged, 10 * HOUR + 20 * MINUTE, 4937, 1},
        {"what it could", logged, 10 * HOUR + 20 * MINUTE, 4938, 0},
        {"above the old end", logged, 10 * HOUR - 20 * MINUTE, 5003, 0},
        {"one register was not logged: the time tells", half, 10 * HOUR - MINUTE, 505, 0},
        {"before the first segment", logged, -1, 505, SEGMENT_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct segments all = {cases[i].segments, 2};
        int64_t segment = segment_of(&all, 0, cases[i].time_ms, cases[i].count);
        if (segment != cases[i].segment)
            fail_msg("%s: segment %" PRId64, cases[i].what, segment);
    }
}

static void test_an_equal_register_on_both_sides_leaves_it_to_the_time(void **state)
{
    (void)state;
    struct segment segments[] = JOINED(true, true);
    segments[1].start = 5000; /* another ratio, the same meter */
    struct segments all = {segments, 2};
    assert_int_equal(segment_of(&all, 0, 10 * HOUR - 1, 5000), 0);
    assert_int_equal(segment_of(&all, 0, 10 * HOUR, 5000), 1);
    assert_int_equal(
        segment_of(&all, 0, 10 * HOUR - MINUTE, 5001), 0); /* a fall within the resolution of the old */
}

static void test_a_reading_shortly_outside_may_still_be_of_the_meter(void **state)
{
    (void)state;
    struct segment segments[] = JOINED(true, true);
    segments[0].has_start = true;
    segments[0].start = 4000;
    segments[1].until_ms = 20 * HOUR;
    segments[1].has_end = true;
    segments[1].end = 900;
    struct segments all = {segments, 2};
    assert_int_equal(segment_of(&all, 0, -10 * MINUTE, 4010), 0);
    assert_int_equal(segment_of(&all, 0, -10 * MINUTE, 3000), SEGMENT_NONE);
    assert_int_equal(segment_of(&all, 0, -31 * MINUTE, 4010), SEGMENT_NONE);
    assert_int_equal(segment_of(&all, 0, 20 * HOUR + 10 * MINUTE, 890), 1);
    assert_int_equal(segment_of(&all, 0, 20 * HOUR + 10 * MINUTE, 950), SEGMENT_NONE);
    assert_int_equal(segment_of(&all, 0, 20 * HOUR + 31 * MINUTE, 890), SEGMENT_NONE);
}

static void test_a_meter_read_elsewhere_is_told_by_where_it_is_read(void **state)
{
    (void)state;
    struct segment segments[] = JOINED(true, true);
    segments[0].point = 7;
    segments[1].point = 8;
    struct segments all = {segments, 2};
    assert_int_equal(segment_of(&all, 7, 2 * HOUR, 505), 0);
    assert_int_equal(segment_of(&all, 8, 2 * HOUR, 505), SEGMENT_NONE); /* not installed yet */
    assert_int_equal(segment_of(&all, 7, 10 * HOUR - MINUTE, 505), 0);
    assert_int_equal(segment_of(&all, 8, 10 * HOUR - MINUTE, 505), 1);
    assert_int_equal(segment_of(&all, 8, 10 * HOUR - MINUTE, 4999), SEGMENT_NONE);
    assert_int_equal(segment_of(&all, 8, 10 * HOUR + MINUTE, 4999), 1);
    assert_int_equal(segment_of(&all, 7, 10 * HOUR + MINUTE, 4999), 0);
    assert_int_equal(segment_of(&all, 7, 10 * HOUR + 31 * MINUTE, 4999), SEGMENT_NONE);
    assert_int_equal(segment_of(&all, 9, 2 * HOUR, 505), SEGMENT_NONE);
    /* The register of its side is enough. */
    segments[0].has_end = false;
    assert_int_equal(segment_of(&all, 8, 10 * HOUR - MINUTE, 505), 1);
}

/* Old until 10:00, new from 11:00 on. */
static void test_in_a_hole_between_two_segments_nothing_is_read(void **state)
{
    (void)state;
    struct segment segments[] = JOINED(true, true);
    segments[1].from_ms = 11 * HOUR;
    struct segments all = {segments, 2};
    assert_int_equal(segment_of(&all, 0, 10 * HOUR + 10 * MINUTE, 4990), 0);
    assert_int_equal(segment_of(&all, 0, 10 * HOUR + 10 * MINUTE, 505), SEGMENT_NONE);
    assert_int_equal(segment_of(&all, 0, 10 * HOUR + 50 * MINUTE, 505), 1);
    assert_int_equal(segment_of(&all, 0, 10 * HOUR + 50 * MINUTE, 4990), SEGMENT_NONE);
    assert_int_equal(segment_of(&all, 0, 10 * HOUR - MINUTE, 505), 0);
    assert_int_equal(segment_of(&all, 0, 11 * HOUR + MINUTE, 4990), 1);
    assert_false(segment_is_joined(&all, 0, 1));
}

static void test_a_step_across_a_logged_replacement_adds_up(void **state)
{
    (void)state;
    struct segment segments[] = JOINED(true, true);
    segments[0].p = 3;
    segments[0].q = 2;
    segments[1].p = 5;
    struct segments all = {segments, 2};
    struct step_point from = {.time_ms = 9 * HOUR, .segment = 0, .count = 4980};
    struct step_point to = {.time_ms = 11 * HOUR, .segment = 1, .count = 507};
    struct step_sum sum = {.start = 0, .counts = 1, .energy = 1}; /* floor(1.5) */
    struct step step;
    assert_true(step_try(&all, &from, &sum, &to, &step));
    assert_int_equal(step.sum.start, 31); /* floor(21 x 1.5) */
    assert_int_equal(step.sum.counts, 7);
    assert_int_equal(step.sum.energy, 31 + 35);
    assert_true(step.is_positive);
    assert_false(step.is_rollover);
    /* Each register must have moved plausibly. */
    from.count = 5010;
    assert_false(step_try(&all, &from, &sum, &to, &step));
    from.count = 4980;
    to.count = 499 - 2;
    assert_false(step_try(&all, &from, &sum, &to, &step));
    /* With a modulus it is a rollover, where one more wrap in any part is above L, which is 243: 30 + 17 + 600. */
    segments[1].modulus = 600;
    segments[1].p = 1;
    segments[1].start = 590;
    to.count = 7;
    assert_true(step_try(&all, &from, &sum, &to, &step));
    assert_true(step.is_rollover);
    assert_int_equal(step.sum.energy, 31 + 17);
    segments[1].modulus = 197; /* 30 + 17 + 197 = 244 */
    segments[1].start = 187;
    assert_true(step_try(&all, &from, &sum, &to, &step));
    segments[1].modulus = 196;
    segments[1].start = 186;
    assert_false(step_try(&all, &from, &sum, &to, &step));
    segments[1].modulus = 0;
    segments[1].start = 500;
    /* Not backwards, and not over a register that nobody logged. */
    struct step_point back = {.time_ms = 12 * HOUR, .segment = 0, .count = 4990};
    to.count = 507;
    assert_false(step_try(&all, &to, &sum, &back, &step));
    segments[0].has_end = false;
    assert_false(step_try(&all, &from, &sum, &to, &step));
}

/* 2 h: L = 242. */
static void test_across_a_replacement_the_limit_holds_for_the_sum(void **state)
{
    (void)state;
    struct segment segments[] = JOINED(true, true);
    struct segments all = {segments, 2};
    struct step_sum sum = {0};
    struct step step;
    struct step_point from = {.time_ms = 9 * HOUR, .segment = 0, .count = 4880};
    struct step_point to = {.time_ms = 11 * HOUR, .segment = 1, .count = 622};
    assert_true(step_try(&all, &from, &sum, &to, &step)); /* 120 + 122 */
    to.count = 623;
    assert_false(step_try(&all, &from, &sum, &to, &step));
    /* Of the segment where it is highest; in exact fractions: 242 and 2 x 1/3 more for another resolution. */
    segments[1].p = 1;
    segments[1].q = 3;
    segments[1].resolution = 4; /* L = 240 + 8/3 = 242 2/3 */
    to.count = 868;             /* 120 + 368/3 = 242 2/3 */
    assert_true(step_try(&all, &from, &sum, &to, &step));
    to.count = 869;
    assert_false(step_try(&all, &from, &sum, &to, &step));
    /* Fractions that have no common denominator within 10^18 are not guessed at. */
    struct segment three[] = {segments[0], segments[0], segments[0]};
    three[1].from_ms = three[0].until_ms;
    three[1].until_ms = three[2].from_ms = 10 * HOUR + 1;
    three[2].until_ms = INT64_MAX;
    for (int i = 0; i < 3; i++) {
        three[i].has_start = three[i].has_end = true;
        three[i].start = three[i].end = 4900;
        three[i].q = 999999937 - i;
    }
    struct segments chain = {three, 3};
    to = (struct step_point){.time_ms = 11 * HOUR, .segment = 2, .count = 4901};
    assert_false(step_try(&chain, &from, &sum, &to, &step));
    three[0].q = three[1].q = three[2].q;
    assert_true(step_try(&chain, &from, &sum, &to, &step));
}

static void test_what_a_person_wrote_is_checked(void **state)
{
    (void)state;
    const struct segment good = {
        .from_ms = 0, .until_ms = HOUR, .resolution = 1, .max_rate = 1, .p = 1, .q = 1};
    assert_null(segment_problem(&good));
    struct segment s = good;
    s.until_ms = 0;
    assert_non_null(segment_problem(&s));
    s = good;
    s.resolution = 0;
    assert_non_null(segment_problem(&s));
    s = good;
    s.modulus = -1;
    assert_non_null(segment_problem(&s));
    s = good;
    s.max_rate = SEGMENT_RATE_MAX + 1;
    assert_non_null(segment_problem(&s));
    s = good;
    s.q = 0;
    assert_non_null(segment_problem(&s));
    s = good;
    s.p = SEGMENT_RATIO_MAX + 1;
    assert_non_null(segment_problem(&s));
    s = good;
    s.modulus = 1000;
    s.has_end = true;
    s.end = 1000;
    assert_non_null(segment_problem(&s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_register_reads_from_0_to_its_modulus),
        cmocka_unit_test(test_u_is_rounded_down_from_the_segments_start),
        cmocka_unit_test(test_u_beyond_64_bits_is_refused_not_wrapped),
        cmocka_unit_test(test_near_a_logged_instant_the_registers_tell_the_segment),
        cmocka_unit_test(test_an_equal_register_on_both_sides_leaves_it_to_the_time),
        cmocka_unit_test(test_a_reading_shortly_outside_may_still_be_of_the_meter),
        cmocka_unit_test(test_a_meter_read_elsewhere_is_told_by_where_it_is_read),
        cmocka_unit_test(test_in_a_hole_between_two_segments_nothing_is_read),
        cmocka_unit_test(test_a_step_across_a_logged_replacement_adds_up),
        cmocka_unit_test(test_across_a_replacement_the_limit_holds_for_the_sum),
        cmocka_unit_test(test_what_a_person_wrote_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
