/* The highest daily mean of the 28 days before a long gap, by histories whose days are known by hand. */
#include "collector/ledger/daily.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define DAY INT64_C(86400000)
#define HOUR INT64_C(3600000)

static struct daily daily;
static int64_t now_ms, energy;

static void begin(int64_t time_ms)
{
    now_ms = time_ms;
    energy = 1000;
    daily_begin(&daily, now_ms, energy);
}

static void use(int64_t time_ms, int64_t amount)
{
    daily_step(&daily, now_ms, energy, time_ms, energy + amount);
    now_ms = time_ms;
    energy += amount;
}

/* The highest that is allowed in a gap of two days is four times the highest day. */
static void assert_highest(int64_t most)
{
    assert_true(daily_allows(&daily, now_ms, energy, now_ms + 2 * DAY, energy + 4 * most));
    assert_false(daily_allows(&daily, now_ms, energy, now_ms + 2 * DAY, energy + 4 * most + 1));
}

static void assert_anything(void)
{
    assert_true(daily_allows(&daily, now_ms, energy, now_ms + 2 * DAY, INT64_MAX));
}

static void test_a_day_counts_when_it_is_whole(void **state)
{
    (void)state;
    begin(100 * DAY + HOUR);
    use(101 * DAY, 5000); /* began too late */
    assert_anything();
    use(102 * DAY - 1, 700);
    assert_anything();
    use(102 * DAY, 0);
    assert_highest(700);
    begin(100 * DAY); /* at midnight */
    use(101 * DAY, 300);
    assert_highest(300);
}

static void test_the_highest_of_the_days_counts(void **state)
{
    (void)state;
    begin(100 * DAY);
    for (int64_t day = 101; day <= 110; day++)
        use(day * DAY, day == 105 ? 900 : 100);
    assert_highest(900);
    use(110 * DAY + 13 * HOUR, 5000); /* the day is not over */
    assert_highest(900);
}

static void test_a_day_is_forgotten_after_28(void **state)
{
    (void)state;
    begin(100 * DAY);
    use(101 * DAY, 900);
    for (int64_t day = 102; day <= 128; day++)
        use(day * DAY, 100);
    assert_highest(900); /* the 28th before */
    use(129 * DAY, 100);
    assert_highest(100);
}

static void test_between_readings_use_is_linear(void **state)
{
    (void)state;
    begin(100 * DAY);
    use(103 * DAY + 12 * HOUR, 3500);
    assert_highest(1000);
    begin(100 * DAY);
    use(200 * DAY, 10000); /* longer than what is kept */
    assert_highest(100);
}

static void test_days_with_an_exception_say_nothing(void **state)
{
    (void)state;
    begin(100 * DAY);
    use(101 * DAY, 900);
    use(101 * DAY + 6 * HOUR, 10);
    daily_break(&daily, now_ms, 103 * DAY + 6 * HOUR, energy);
    now_ms = 103 * DAY + 6 * HOUR;
    use(104 * DAY, 5000); /* the rest of a torn day */
    assert_highest(900);
    use(105 * DAY, 950);
    assert_highest(950);
    /* Until midnight: the day after is whole. */
    daily_break(&daily, now_ms, 106 * DAY, energy);
    now_ms = 106 * DAY;
    use(107 * DAY, 990);
    assert_highest(990);
    /* From before what was entered. */
    use(107 * DAY + HOUR, 1);
    daily_break(&daily, 106 * DAY + HOUR, 107 * DAY + 2 * HOUR, energy);
    now_ms = 107 * DAY + 2 * HOUR;
    assert_highest(950);
    /* A long one leaves nothing. */
    daily_break(&daily, now_ms, 300 * DAY, energy);
    now_ms = 300 * DAY;
    assert_anything();
}

/* What was not entered yet is a run of equal counts. */
static void test_a_run_counts_as_days_without_use(void **state)
{
    (void)state;
    begin(100 * DAY);
    use(101 * DAY, 900);
    now_ms = 110 * DAY;
    assert_highest(900);
    now_ms = 128 * DAY;
    assert_highest(900);
    now_ms = 129 * DAY;
    assert_highest(0);
    begin(100 * DAY + HOUR);
    now_ms = 101 * DAY;
    assert_anything();
    now_ms = 102 * DAY;
    assert_highest(0);
}

static void test_it_works_before_1970_and_at_the_ends_of_u(void **state)
{
    (void)state;
    begin(-40 * DAY);
    for (int64_t day = -39; day <= 5; day++)
        use(day * DAY, day == -10 ? 800 : 10);
    assert_highest(800);
    daily_begin(&daily, 0, INT64_MIN);
    daily_step(&daily, 0, INT64_MIN, DAY, INT64_MAX);
    assert_true(daily_allows(&daily, DAY, INT64_MIN, 2 * DAY, INT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_day_counts_when_it_is_whole),
        cmocka_unit_test(test_the_highest_of_the_days_counts),
        cmocka_unit_test(test_a_day_is_forgotten_after_28),
        cmocka_unit_test(test_between_readings_use_is_linear),
        cmocka_unit_test(test_days_with_an_exception_say_nothing),
        cmocka_unit_test(test_a_run_counts_as_days_without_use),
        cmocka_unit_test(test_it_works_before_1970_and_at_the_ends_of_u),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
