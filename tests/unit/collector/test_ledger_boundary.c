/* E5 to E7: U at quarter hours, quarters, and sums of them. */
#include "collector/ledger/quarters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <inttypes.h>
#include <string.h>

#define QUARTER BOUNDARY_MS
#define GAP (20 * INT64_C(60000))
#define MOST 64

static struct boundary emitted[MOST];
static size_t count;

static void take(void *context, const struct boundary *boundary)
{
    (void)context;
    assert_true(count < MOST);
    emitted[count++] = *boundary;
}

static void follow(const struct event *event)
{
    count = 0;
    boundary_follow(event, GAP, take, NULL);
}

static void step(int64_t from_ms, int64_t from_energy, int64_t until_ms, int64_t until_energy)
{
    struct event event = {.kind = EVENT_STEP,
        .from_ms = from_ms,
        .until_ms = until_ms,
        .from_energy = from_energy,
        .until_energy = until_energy,
        .baseline_ms = 7};
    follow(&event);
}

static void assert_boundary(size_t i, int64_t time_ms, int64_t energy, enum quality quality)
{
    assert_true(i < count);
    if (emitted[i].time_ms != time_ms || emitted[i].energy != energy || emitted[i].quality != quality)
        fail_msg("boundary %zu: %" PRId64 ", %" PRId64 ", quality %d", i, emitted[i].time_ms,
            emitted[i].energy, (int)emitted[i].quality);
}

static void test_a_step_between_boundaries_says_nothing(void **state)
{
    (void)state;
    step(1, 0, QUARTER - 1, 100);
    assert_int_equal(count, 0);
    step(QUARTER, 0, 2 * QUARTER - 1, 100); /* the first boundary was told by the step before */
    assert_int_equal(count, 0);
}

static void test_a_reading_at_the_boundary_is_its_u(void **state)
{
    (void)state;
    step(QUARTER, 100, 2 * QUARTER, 200);
    assert_int_equal(count, 1);
    assert_boundary(0, 2 * QUARTER, 200, QUALITY_MEASURED);
    assert_int_equal(emitted[0].baseline_ms, 7);
    step(QUARTER, 100, 4 * QUARTER, 400); /* it is measured where the way there is not */
    assert_int_equal(count, 3);
    assert_boundary(0, 2 * QUARTER, 200, QUALITY_ESTIMATED);
    assert_boundary(1, 3 * QUARTER, 300, QUALITY_ESTIMATED);
    assert_boundary(2, 4 * QUARTER, 400, QUALITY_MEASURED);
}

static void test_u_between_readings_is_rounded_down(void **state)
{
    (void)state;
    step(QUARTER - 300000, 10, QUARTER + 600000, 11); /* a third of 1 */
    assert_boundary(0, QUARTER, 10, QUALITY_MEASURED);
    step(QUARTER - 600000, 10, QUARTER + 300000, 12); /* two thirds of 2 */
    assert_boundary(0, QUARTER, 11, QUALITY_MEASURED);
    step(QUARTER - 1, 0, QUARTER + 899999, 899999); /* 1 of 900 000 */
    assert_boundary(0, QUARTER, 0, QUALITY_MEASURED);
    step(QUARTER - 1, -1, QUARTER + 1, 0); /* U may be below 0, and down is down */
    assert_boundary(0, QUARTER, -1, QUALITY_MEASURED);
}

static void test_neighbours_up_to_max_gap_apart_are_measured(void **state)
{
    (void)state;
    step(QUARTER - 1, 0, QUARTER - 1 + GAP, 0);
    assert_boundary(0, QUARTER, 0, QUALITY_MEASURED);
    step(QUARTER - 1, 0, QUARTER + GAP, 0);
    assert_boundary(0, QUARTER, 0, QUALITY_ESTIMATED);
}

static void test_times_before_1970_have_quarters_too(void **state)
{
    (void)state;
    step(-QUARTER - 1, 0, QUARTER / 2, 100);
    assert_int_equal(count, 2);
    assert_int_equal(emitted[0].time_ms, -QUARTER);
    assert_int_equal(emitted[1].time_ms, 0);
    step(-QUARTER, 0, 0, 100);
    assert_int_equal(count, 1);
    assert_boundary(0, 0, 100, QUALITY_MEASURED);
}

static void test_the_highest_u_does_not_overflow(void **state)
{
    (void)state;
    step(0, 0, 40 * QUARTER, INT64_MAX);
    assert_int_equal(count, 40);
    assert_boundary(19, 20 * QUARTER, INT64_MAX / 2, QUALITY_ESTIMATED);
    step(0, INT64_MIN, 2 * QUARTER, INT64_MAX);
    assert_boundary(0, QUARTER, -1, QUALITY_ESTIMATED); /* -0.5 */
}

static void test_a_manual_neighbour_makes_a_manual_boundary(void **state)
{
    (void)state;
    struct event event = {.kind = EVENT_STEP, .from_ms = 1, .until_ms = 2 * QUARTER, .is_from_manual = true};
    follow(&event);
    assert_boundary(0, QUARTER, 0, QUALITY_MANUAL);
    assert_boundary(1, 2 * QUARTER, 0, QUALITY_MEASURED);
    event.is_from_manual = false;
    event.is_until_manual = true;
    follow(&event);
    assert_boundary(0, QUARTER, 0, QUALITY_MANUAL);
    assert_boundary(1, 2 * QUARTER, 0, QUALITY_MANUAL);
}

static void test_an_exception_takes_away_what_is_inside(void **state)
{
    (void)state;
    static const enum event_kind kinds[] = {EVENT_EXCEPTION, EVENT_LIMIT, EVENT_CONFIRM, EVENT_WITHDRAWN};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct event event = {.kind = kinds[i], .from_ms = QUARTER, .until_ms = 3 * QUARTER};
        follow(&event);
        assert_int_equal(count, 1);
        assert_boundary(0, 2 * QUARTER, 0, QUALITY_UNKNOWN);
    }
    struct event event = {
        .kind = EVENT_BASELINE, .from_ms = 3 * QUARTER, .until_ms = 3 * QUARTER, .until_energy = 9};
    follow(&event);
    assert_boundary(0, 3 * QUARTER, 9, QUALITY_MEASURED);
    event.until_ms++;
    follow(&event);
    assert_int_equal(count, 0);
}

static struct boundary at(int64_t number, int64_t energy, enum quality quality, int64_t baseline_ms)
{
    return (struct boundary){
        .time_ms = number * QUARTER, .energy = energy, .quality = quality, .baseline_ms = baseline_ms};
}

static void test_a_quarter_has_the_worse_quality_of_its_ends(void **state)
{
    (void)state;
    for (int a = QUALITY_MEASURED; a <= QUALITY_UNKNOWN; a++) {
        for (int b = QUALITY_MEASURED; b <= QUALITY_UNKNOWN; b++) {
            struct boundary begin = at(1, 100, (enum quality)a, 0), end = at(2, 130, (enum quality)b, 0);
            struct quarter quarter = quarter_between(&begin, &end);
            assert_int_equal(quarter.start_ms, QUARTER);
            assert_int_equal(quarter.quality, a > b ? a : b);
            assert_int_equal(quarter.amount, quarter.quality == QUALITY_UNKNOWN ? 0 : 30);
        }
    }
}

static void test_between_two_baselines_nothing_is_known(void **state)
{
    (void)state;
    struct boundary begin = at(1, 100, QUALITY_MEASURED, 5), end = at(2, 130, QUALITY_MEASURED, 6);
    assert_int_equal(quarter_between(&begin, &end).quality, QUALITY_UNKNOWN);
    assert_int_equal(quarter_between(&begin, &end).amount, 0);
}

static void test_an_amount_beyond_64_bits_is_unknown(void **state)
{
    (void)state;
    struct boundary begin = at(1, INT64_MIN, QUALITY_MEASURED, 5), end = at(2, 1, QUALITY_MEASURED, 5);
    assert_int_equal(quarter_between(&begin, &end).quality, QUALITY_UNKNOWN);
}

static void test_a_sum_with_an_unknown_part_is_unknown_and_what_is_known_stands_beside(void **state)
{
    (void)state;
    static const struct quarter quarters[] = {
        {.start_ms = 0, .quality = QUALITY_MEASURED, .amount = 60},
        {.start_ms = 1, .quality = QUALITY_ESTIMATED, .amount = 30},
        {.start_ms = 2, .quality = QUALITY_MANUAL, .amount = 10},
        {.start_ms = 3, .quality = QUALITY_UNKNOWN},
    };
    struct quarters_sum sum = {0};
    int64_t amount = -5;
    for (size_t i = 0; i < 3; i++)
        quarters_add(&sum, &quarters[i]);
    assert_true(quarters_amount(&sum, &amount));
    assert_int_equal(amount, 100);
    assert_int_equal(sum.estimated, 30);
    assert_int_equal(sum.estimated_s, 900);
    assert_int_equal(sum.manual, 10);
    assert_int_equal(sum.manual_s, 900);
    assert_int_equal(quarters_estimated_permille(&sum), 300);
    quarters_add(&sum, &quarters[3]);
    amount = -5;
    assert_false(quarters_amount(&sum, &amount));
    assert_int_equal(amount, -5);
    assert_int_equal(sum.known, 100);
    assert_int_equal(sum.unknown_s, 900);
    assert_int_equal(sum.count, 4);
    assert_int_equal(quarters_estimated_permille(&sum), 300); /* of what is known */
}

static void test_where_nothing_was_used_the_estimated_share_is_of_time(void **state)
{
    (void)state;
    struct quarters_sum sum = {0};
    assert_int_equal(quarters_estimated_permille(&sum), 0);
    struct quarter quarter = {.quality = QUALITY_ESTIMATED};
    quarters_add(&sum, &quarter);
    quarter.quality = QUALITY_MEASURED;
    quarters_add(&sum, &quarter);
    quarters_add(&sum, &quarter);
    assert_int_equal(quarters_estimated_permille(&sum), 333);
}

static void test_a_sum_beyond_64_bits_is_no_amount(void **state)
{
    (void)state;
    struct quarters_sum sum = {0};
    struct quarter quarter = {.quality = QUALITY_MEASURED, .amount = INT64_MAX};
    int64_t amount;
    quarters_add(&sum, &quarter);
    assert_true(quarters_amount(&sum, &amount));
    quarters_add(&sum, &quarter);
    assert_false(quarters_amount(&sum, &amount));
}

static void test_net_may_be_negative(void **state)
{
    (void)state;
    struct quarter taken = {.start_ms = 5, .quality = QUALITY_MEASURED, .amount = 3};
    struct quarter given = {.start_ms = 5, .quality = QUALITY_ESTIMATED, .amount = 10};
    struct quarter net = quarter_net(&taken, &given);
    assert_int_equal(net.amount, -7);
    assert_int_equal(net.quality, QUALITY_ESTIMATED);
    assert_int_equal(net.start_ms, 5);
    given.quality = QUALITY_UNKNOWN;
    assert_int_equal(quarter_net(&taken, &given).quality, QUALITY_UNKNOWN);
    assert_int_equal(quarter_net(&taken, &given).amount, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_step_between_boundaries_says_nothing),
        cmocka_unit_test(test_a_reading_at_the_boundary_is_its_u),
        cmocka_unit_test(test_u_between_readings_is_rounded_down),
        cmocka_unit_test(test_neighbours_up_to_max_gap_apart_are_measured),
        cmocka_unit_test(test_times_before_1970_have_quarters_too),
        cmocka_unit_test(test_the_highest_u_does_not_overflow),
        cmocka_unit_test(test_a_manual_neighbour_makes_a_manual_boundary),
        cmocka_unit_test(test_an_exception_takes_away_what_is_inside),
        cmocka_unit_test(test_a_quarter_has_the_worse_quality_of_its_ends),
        cmocka_unit_test(test_between_two_baselines_nothing_is_known),
        cmocka_unit_test(test_an_amount_beyond_64_bits_is_unknown),
        cmocka_unit_test(test_a_sum_with_an_unknown_part_is_unknown_and_what_is_known_stands_beside),
        cmocka_unit_test(test_where_nothing_was_used_the_estimated_share_is_of_time),
        cmocka_unit_test(test_a_sum_beyond_64_bits_is_no_amount),
        cmocka_unit_test(test_net_may_be_negative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
