#include "tests/unit/collector/made_up.h"

#include <pthread.h>

static struct snapshot *numbered(uint64_t number)
{
    struct snapshot *s = snapshot_create(number % 3, number % 2);
    s->number = number;
    return s;
}

static void test_before_the_first_publish_there_is_none(void **state)
{
    (void)state;
    struct snapshot_box *box = snapshot_box_create();
    assert_null(snapshot_get(box));
    snapshot_put(NULL);
    snapshot_box_destroy(box);
    snapshot_box_destroy(NULL);
}

static void test_a_reader_keeps_its_snapshot_when_a_newer_one_is_published(void **state)
{
    (void)state;
    struct snapshot_box *box = snapshot_box_create();
    snapshot_publish(box, numbered(1));
    const struct snapshot *old = snapshot_get(box);
    snapshot_publish(box, numbered(2));
    assert_int_equal(old->number, 1);
    assert_int_equal(old->point_count, 1);
    const struct snapshot *newest = snapshot_get(box);
    assert_int_equal(newest->number, 2);
    snapshot_put(old);
    snapshot_box_destroy(box);
    assert_int_equal(newest->number, 2); /* a reference outlives the box */
    snapshot_put(newest);
}

static void count_call(void *user_data)
{
    ++*(int *)user_data;
}

static void test_the_listener_hears_every_publish_until_it_is_taken_off(void **state)
{
    (void)state;
    struct snapshot_box *box = snapshot_box_create();
    int calls = 0;
    snapshot_listen(box, count_call, &calls);
    snapshot_publish(box, numbered(1));
    snapshot_publish(box, numbered(2));
    assert_int_equal(calls, 2);
    snapshot_listen(box, NULL, NULL);
    snapshot_publish(box, numbered(3));
    assert_int_equal(calls, 2);
    snapshot_box_destroy(box);
}

struct reader {
    struct snapshot_box *box;
    uint64_t last;
};

static void *read_until_last(void *argument)
{
    struct reader *r = argument;
    uint64_t number = 0;
    while (number < r->last) {
        const struct snapshot *s = snapshot_get(r->box);
        if (!s || s->number < number || s->point_count != s->number % 3) {
            snapshot_put(s);
            return r; /* it went backwards, or was torn */
        }
        number = s->number;
        snapshot_put(s);
    }
    return NULL;
}

static void test_readers_on_other_threads_see_whole_snapshots_in_order(void **state)
{
    (void)state;
    struct snapshot_box *box = snapshot_box_create();
    snapshot_publish(box, numbered(1));
    struct reader reader = {box, 5000};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_until_last, &reader), 0);
    for (uint64_t number = 2; number <= reader.last; number++)
        snapshot_publish(box, numbered(number));
    for (int i = 0; i < 3; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    snapshot_box_destroy(box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_the_first_publish_there_is_none),
        cmocka_unit_test(test_a_reader_keeps_its_snapshot_when_a_newer_one_is_published),
        cmocka_unit_test(test_the_listener_hears_every_publish_until_it_is_taken_off),
        cmocka_unit_test(test_readers_on_other_threads_see_whole_snapshots_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
