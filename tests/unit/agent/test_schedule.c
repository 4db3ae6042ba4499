#include "agent/poll/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define WALL_MS INT64_C(1764000000123) /* minus monotonic time, unless told */

static int64_t after(struct schedule *s, int64_t took_ms, bool is_success)
{
    int64_t now = s->due_mono_ms + took_ms;
    return schedule_next(s, now, now + WALL_MS, is_success);
}

static int64_t due_wall(const struct schedule *s)
{
    return s->due_mono_ms + WALL_MS;
}

static void test_the_first_poll_is_due_at_once_and_the_next_on_the_grid(void **state)
{
    (void)state;
    struct schedule s;
    schedule_init(&s, 900000, 5000);
    assert_int_equal(s.due_mono_ms, 5000);
    assert_int_equal(after(&s, 20, true), 0);
    assert_int_equal(due_wall(&s) % 900000, 0);
    assert_true(s.due_mono_ms > 5020 && s.due_mono_ms <= 5020 + 900000);
}

static void test_deadlines_do_not_drift(void **state)
{
    (void)state;
    struct schedule s;
    schedule_init(&s, 1000, 5000);
    after(&s, 20, true);
    int64_t first = s.due_mono_ms;
    for (int i = 0; i < 100; i++)
        assert_int_equal(after(&s, 7 * i, true), 0);
    assert_int_equal(s.due_mono_ms, first + 100 * 1000);
}

static void test_missed_deadlines_are_counted_and_left_out(void **state)
{
    (void)state;
    struct schedule s;
    schedule_init(&s, 1000, 5000);
    after(&s, 20, true);
    int64_t first = s.due_mono_ms;
    assert_int_equal(after(&s, 999, true), 0);
    assert_int_equal(after(&s, 1000, true), 1);
    assert_int_equal(s.due_mono_ms, first + 3000);
    assert_int_equal(after(&s, 2500, true), 2);
    assert_int_equal(s.due_mono_ms, first + 6000);
}

static void test_failures_in_a_row_double_the_distance_up_to_five_minutes(void **state)
{
    (void)state;
    struct schedule s;
    schedule_init(&s, 1000, 5000);
    after(&s, 20, true);
    int64_t distances[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300};
    for (size_t i = 0; i < sizeof distances / sizeof distances[0]; i++) {
        int64_t due = s.due_mono_ms;
        assert_int_equal(after(&s, 500, false), 0);
        assert_int_equal(s.due_mono_ms - due, distances[i] * 1000);
        assert_int_equal(due_wall(&s) % 1000, 0);
    }
    int64_t due = s.due_mono_ms;
    after(&s, 5, true);
    assert_int_equal(s.due_mono_ms - due, 1000);
    due = s.due_mono_ms;
    after(&s, 5, false);
    assert_int_equal(s.due_mono_ms - due, 1000);
}

static void test_a_slow_grid_is_never_skipped(void **state)
{
    (void)state;
    struct schedule s;
    schedule_init(&s, 900000, 5000);
    after(&s, 20, true);
    for (int i = 0; i < 5; i++) {
        int64_t due = s.due_mono_ms;
        after(&s, 500, false);
        assert_int_equal(s.due_mono_ms - due, 900000);
    }
}

static void test_a_step_of_the_clock_lays_the_grid_anew(void **state)
{
    (void)state;
    struct schedule s;
    schedule_init(&s, 60000, 5000);
    after(&s, 20, true);
    int64_t now = s.due_mono_ms + 10, offset = WALL_MS - 3600000 - 17000;
    assert_int_equal(schedule_next(&s, now, now + offset, true), 0);
    assert_int_equal((s.due_mono_ms + offset) % 60000, 0);
    assert_true(s.due_mono_ms > now && s.due_mono_ms <= now + 60000);
    /* A small step, as clock daemons make them, does not. */
    int64_t due = s.due_mono_ms;
    schedule_next(&s, due + 10, due + 10 + offset + 400, true);
    assert_int_equal(s.due_mono_ms, due + 60000);
}

static void test_forgiving_ends_a_back_off_on_the_grid(void **state)
{
    (void)state;
    struct schedule s;
    schedule_init(&s, 1000, 5000);
    for (int i = 0; i < 6; i++)
        after(&s, 20, false);
    int64_t now = s.due_mono_ms - 20500;
    schedule_forgive(&s, now);
    assert_true(s.due_mono_ms > now && s.due_mono_ms <= now + 1000);
    assert_int_equal(due_wall(&s) % 1000, 0);
    int64_t due = s.due_mono_ms;
    schedule_forgive(&s, now - 5000); /* nothing to forgive */
    assert_int_equal(s.due_mono_ms, due);
    after(&s, 20, false);
    assert_int_equal(s.due_mono_ms - due, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_poll_is_due_at_once_and_the_next_on_the_grid),
        cmocka_unit_test(test_deadlines_do_not_drift),
        cmocka_unit_test(test_missed_deadlines_are_counted_and_left_out),
        cmocka_unit_test(test_failures_in_a_row_double_the_distance_up_to_five_minutes),
        cmocka_unit_test(test_a_slow_grid_is_never_skipped),
        cmocka_unit_test(test_a_step_of_the_clock_lays_the_grid_anew),
        cmocka_unit_test(test_forgiving_ends_a_back_off_on_the_grid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
