/* The next free slot against a model that goes from minute to minute. */
#include "collector/instrument/next_free.h"
#include "tests/unit/random.h"

#include <string.h>

#define MINUTE INT64_C(60000)
#define MINUTES 3000
#define INSTRUMENTS 3

static const struct busy all = {INT64_MIN, INT64_MAX};

static struct busy_list list_of(const bool *minutes)
{
    struct busy_list list = {0};
    for (int i = 0; i < MINUTES; i++)
        if (minutes[i])
            busy_list_add(&list, i * MINUTE, (i + 1) * MINUTE, all);
    busy_list_merge(&list);
    return list;
}

static void draw(bool *minutes, int spans, int longest)
{
    memset(minutes, 0, MINUTES);
    for (int i = 0; i < spans; i++) {
        size_t begin = random_below(MINUTES), length = random_below((size_t)longest) + 1;
        for (size_t j = begin; j < begin + length && j < MINUTES; j++)
            minutes[j] = true;
    }
}

static void test_the_next_slot_is_the_first_whose_every_minute_is_free(void **state)
{
    (void)state;
    static bool busy[INSTRUMENTS][MINUTES], open[INSTRUMENTS][MINUTES], is_free[MINUTES];
    int found = 0, none = 0;
    for (int turn = 0; turn < 3000; turn++) {
        struct busy_list busy_lists[INSTRUMENTS], open_lists[INSTRUMENTS];
        struct next_free_of of[INSTRUMENTS];
        size_t count = 1 + random_below(INSTRUMENTS);
        memset(is_free, 1, sizeof is_free);
        for (size_t i = 0; i < count; i++) {
            bool is_always_open = random_below(3) == 0;
            draw(busy[i], (int)random_below(12), 400);
            draw(open[i], 2 + (int)random_below(12), 900);
            busy_lists[i] = list_of(busy[i]);
            open_lists[i] = list_of(open[i]);
            of[i] = (struct next_free_of){&busy_lists[i], is_always_open ? NULL : &open_lists[i]};
            for (int j = 0; j < MINUTES; j++)
                is_free[j] = is_free[j] && !busy[i][j] && (is_always_open || open[i][j]);
        }
        int from = (int)random_below(MINUTES), until = (int)random_below(MINUTES + 1),
            length = 1 + (int)random_below(300);
        int wanted = -1;
        for (int at = from, run = 0; at < until && wanted < 0; at++) {
            run = is_free[at] ? run + 1 : 0;
            if (run == length)
                wanted = at - length + 1;
        }
        int64_t begin_ms = -1;
        bool is_found = next_free(of, count, from * MINUTE, until * MINUTE, length * MINUTE, &begin_ms);
        assert_int_equal(is_found, wanted >= 0);
        if (is_found)
            assert_int_equal(begin_ms, wanted * MINUTE);
        found += is_found;
        none += !is_found;
        int free_until = from;
        while (free_until < until && is_free[free_until])
            free_until++;
        assert_int_equal(next_free_until(of, count, from * MINUTE, until * MINUTE),
            (free_until > from ? free_until : from) * MINUTE);
        for (size_t i = 0; i < count; i++) {
            busy_list_release(&busy_lists[i]);
            busy_list_release(&open_lists[i]);
        }
    }
    assert_true(found > 300 && none > 300);
}

static void test_a_slot_ends_within_the_bound_and_may_touch_what_is_busy(void **state)
{
    (void)state;
    struct busy_list busy = {0};
    busy_list_add(&busy, 100, 200, all);
    busy_list_add(&busy, 300, 400, all);
    busy_list_merge(&busy);
    struct next_free_of one = {&busy, NULL};
    int64_t begin_ms;
    assert_true(next_free(&one, 1, 100, 1000, 100, &begin_ms));
    assert_int_equal(begin_ms, 200);
    assert_true(next_free(&one, 1, 100, 1000, 101, &begin_ms));
    assert_int_equal(begin_ms, 400);
    assert_true(next_free(&one, 1, 100, 501, 101, &begin_ms));
    assert_false(next_free(&one, 1, 100, 500, 101, &begin_ms));
    assert_false(next_free(&one, 1, 100, 100, 1, &begin_ms));
    struct busy_list never = {0};
    one.open = &never;
    assert_false(next_free(&one, 1, 0, INT64_MAX, 1, &begin_ms));
    assert_true(next_free(NULL, 0, 5, 1000, 1, &begin_ms));
    assert_int_equal(begin_ms, 5);
    busy_list_release(&busy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_next_slot_is_the_first_whose_every_minute_is_free),
        cmocka_unit_test(test_a_slot_ends_within_the_bound_and_may_touch_what_is_busy),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
