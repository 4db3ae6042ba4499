/* agent/deliver/queue: what waits, what is taken, what is refused. */
#include "agent/deliver/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define T0 INT64_C(1764000000000)

static bool put(struct queue *q, uint32_t point, int64_t time_ms)
{
    struct spool_reading r = {.point = point, .kind = READING_REGISTER, .time_ms = time_ms, .count = time_ms};
    return queue_put(q, &r);
}

static void see_taken(struct queue *q, const int64_t *times_ms, size_t count)
{
    struct spool_reading *readings;
    assert_int_equal(queue_taken(q, &readings), count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(readings[i].time_ms, times_ms[i]);
}

static void test_what_was_taken_is_committed_in_order_while_others_are_put(void **state)
{
    (void)state;
    struct queue q;
    queue_init(&q, 2, false);
    for (int i = 1; i <= 3; i++)
        assert_true(put(&q, 0, T0 + i * 100));
    queue_take(&q);
    assert_true(put(&q, 0, T0 + 400));
    see_taken(&q, (int64_t[]){T0 + 100, T0 + 200, T0 + 300}, 3);
    queue_committed(&q, 2);
    assert_int_equal(queue_waiting(&q), 4); /* nobody was told yet */
    queue_settle(&q);
    assert_int_equal(queue_waiting(&q), 2);
    queue_take(&q); /* there is one left of before */
    see_taken(&q, (int64_t[]){T0 + 300}, 1);
    queue_committed(&q, 1);
    queue_settle(&q);
    queue_take(&q);
    see_taken(&q, (int64_t[]){T0 + 400}, 1);
    queue_committed(&q, 1);
    queue_settle(&q);
    assert_int_equal(queue_waiting(&q), 0);
    queue_release(&q);
}

static void test_a_time_that_repeats_is_bumped_and_only_that(void **state)
{
    (void)state;
    struct queue q;
    queue_init(&q, 2, false);
    static const int64_t put_ms[] = {T0, T0, T0 - 8, T0 - 20, T0 + 50, T0},
                         kept_ms[] = {T0, T0 + 1, T0 + 2, T0 - 20, T0 + 50, T0};
    for (size_t i = 0; i < 6; i++)
        put(&q, 0, put_ms[i]);
    put(&q, 1, T0); /* another point */
    queue_take(&q);
    see_taken(&q, (int64_t[]){kept_ms[0], kept_ms[1], kept_ms[2], kept_ms[3], kept_ms[4], kept_ms[5], T0}, 7);
    queue_release(&q);
    queue_init(&q, 2, true); /* of the past */
    put(&q, 0, T0);
    put(&q, 0, T0);
    queue_take(&q);
    see_taken(&q, (int64_t[]){T0, T0}, 2);
    queue_release(&q);
}

static void test_what_finds_no_room_is_counted_with_its_times_once(void **state)
{
    (void)state;
    struct queue q;
    queue_init(&q, 1, false);
    for (int i = 0; i < QUEUE_MAX; i++) {
        assert_true(put(&q, 0, T0 + i * 20));
        if (i == 1000)
            queue_take(&q); /* what is taken still waits */
    }
    assert_int_equal(queue_refused(&q).count, 0);
    assert_false(put(&q, 0, T0 + 900));
    assert_false(put(&q, 0, T0 + 700));
    assert_false(put(&q, 0, T0 + 800));
    struct queue_loss refused = queue_refused(&q);
    assert_int_equal(refused.count, 3);
    assert_int_equal(refused.from_ms, T0 + 700);
    assert_int_equal(refused.to_ms, T0 + 900);
    assert_int_equal(queue_refused(&q).count, 0);
    queue_committed(&q, 1);
    assert_false(put(&q, 0, T0));
    queue_settle(&q);
    assert_true(put(&q, 0, T0 + QUEUE_MAX * 20));
    struct queue_loss rest = queue_rest(&q);
    assert_int_equal(rest.count, QUEUE_MAX);
    assert_int_equal(rest.from_ms, T0 + 20);
    assert_int_equal(rest.to_ms, T0 + QUEUE_MAX * 20);
    queue_release(&q);
}

static void test_a_text_is_its_own_copy(void **state)
{
    (void)state;
    struct queue q;
    struct spool_reading *readings;
    queue_init(&q, 1, false);
    char text[] = "open";
    queue_put(&q, &(struct spool_reading){.kind = READING_STATE, .time_ms = T0, .text = text});
    queue_put(&q, &(struct spool_reading){.kind = READING_STATE, .time_ms = T0 + 100, .text = text});
    memset(text, 'x', 4);
    queue_take(&q);
    assert_int_equal(queue_taken(&q, &readings), 2);
    assert_string_equal(readings[0].text, "open");
    queue_committed(&q, 1);
    queue_release(&q); /* the other one goes with it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_taken_is_committed_in_order_while_others_are_put),
        cmocka_unit_test(test_a_time_that_repeats_is_bumped_and_only_that),
        cmocka_unit_test(test_what_finds_no_room_is_counted_with_its_times_once),
        cmocka_unit_test(test_a_text_is_its_own_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
