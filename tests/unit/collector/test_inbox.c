#include "collector/intake/inbox.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(struct inbox *b, const char *topic, size_t len, bool is_retained)
{
    char *payload = mem_zalloc(len + 1);
    memset(payload, 'x', len);
    struct mqtt_message m = {span_of(topic), {payload, len}, is_retained};
    inbox_put(b, &m, 1234);
    free(payload);
}

static int count_of(struct inbox *b, const char *gateway)
{
    int count = 0;
    for (struct inbox_message *m; (m = inbox_take(b)) != NULL; free(m))
        count += strcmp(m->gateway, gateway) == 0;
    return count;
}

static void test_messages_come_out_in_order_with_what_they_are(void **state)
{
    (void)state;
    struct inbox *b = inbox_create();
    put(b, "park/v1/gw/gw-a/up", 3, false);
    put(b, "park/v1/gw/gw-b/state", 0, true);
    struct inbox_message *m = inbox_take(b);
    assert_string_equal(m->gateway, "gw-a");
    assert_int_equal(m->topic, INBOX_UP);
    assert_false(m->is_retained);
    assert_int_equal(m->received_ms, 1234);
    assert_int_equal(m->len, 3);
    assert_string_equal(m->payload, "xxx");
    free(m);
    m = inbox_take(b);
    assert_string_equal(m->gateway, "gw-b");
    assert_int_equal(m->topic, INBOX_STATE);
    assert_true(m->is_retained);
    free(m);
    assert_null(inbox_take(b));
    inbox_destroy(b);
    inbox_destroy(NULL);
}

static void test_other_topics_are_ignored(void **state)
{
    (void)state;
    static const char *const topics[] = {"", "park/v1/gw/", "park/v1/gw/gw-a", "park/v1/gw/gw-a/",
        "park/v1/gw/gw-a/upx", "park/v1/gw/gw-a/ack", "park/v1/gw/gw-a/up/x", "park/v1/gw//up",
        "park/v1/gw/GW/up", "park/v1/gw/-a/up", "park/v2/gw/gw-a/up", "xpark/v1/gw/gw-a/up",
        "park/v1/gw/a23456789012345678901234567890123/up"};
    struct inbox *b = inbox_create();
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
        put(b, topics[i], 10, false);
    assert_null(inbox_take(b));
    put(b, "park/v1/gw/a2345678901234567890123456789012/up", 10, false); /* 32 characters are an id */
    struct inbox_message *m = inbox_take(b);
    assert_non_null(m);
    free(m);
    assert_int_equal(inbox_discarded_bytes(b), 0);
    inbox_destroy(b);
}

static void test_a_gateway_has_two_mebibytes_and_what_is_more_is_counted_and_gone(void **state)
{
    (void)state;
    struct inbox *b = inbox_create();
    for (int i = 0; i < 30; i++)
        put(b, "park/v1/gw/flood/up", 100000, false);
    put(b, "park/v1/gw/quiet/up", 100000, false);
    assert_int_equal(
        inbox_discarded_bytes(b), 10 * 100000); /* 20 of a little more than 100 000 fit into 2 097 152 */
    int flood = 0, quiet = 0;
    for (struct inbox_message *m; (m = inbox_take(b)) != NULL; free(m))
        *(strcmp(m->gateway, "flood") == 0 ? &flood : &quiet) += 1;
    assert_int_equal(flood, 20);
    assert_int_equal(quiet, 1);
    /* What was taken out makes room again. */
    for (int i = 0; i < 20; i++)
        put(b, "park/v1/gw/flood/up", 100000, false);
    assert_int_equal(count_of(b, "flood"), 20);
    inbox_destroy(b);
}

static void test_many_that_flood_leave_room_for_the_others_and_keep_below_the_sum(void **state)
{
    (void)state;
    struct inbox *b = inbox_create();
    for (int round = 0; round < 100; round++)
        for (int i = 0; i < 30; i++) {
            char topic[64];
            snprintf(topic, sizeof topic, "park/v1/gw/flood%d/up", i);
            put(b, topic, 100000, false);
        }
    /* A window of an honest gateway: 16 batches of 20 KB. */
    int64_t before = inbox_discarded_bytes(b);
    for (int i = 0; i < 16; i++)
        put(b, "park/v1/gw/honest/up", 20000, false);
    assert_int_equal(inbox_discarded_bytes(b), before);
    int64_t sum = 0;
    int honest = 0;
    for (struct inbox_message *m; (m = inbox_take(b)) != NULL; free(m)) {
        sum += (int64_t)m->len;
        honest += strcmp(m->gateway, "honest") == 0;
    }
    assert_int_equal(honest, 16);
    assert_true(sum <= INBOX_BYTES_MAX);
    assert_true(sum > INBOX_BYTES_MAX / 2); /* and the room is used */
    inbox_destroy(b);
}

static void test_empty_messages_cost_room_too(void **state)
{
    (void)state;
    struct inbox *b = inbox_create();
    for (int i = 0; i < 100000; i++)
        put(b, "park/v1/gw/flood/state", 0, false);
    assert_true(count_of(b, "flood") < 40000);
    inbox_destroy(b);
}

static void *wake(void *b)
{
    inbox_wake(b);
    return NULL;
}

static void *close_it(void *b)
{
    inbox_close(b);
    return NULL;
}

static void test_waiting_ends_by_a_message_a_wake_or_the_deadline(void **state)
{
    (void)state;
    struct inbox *b = inbox_create();
    int64_t begin = clock_system.mono_ms();
    inbox_wait(b, begin + 30);
    assert_true(clock_system.mono_ms() >= begin + 30);
    pthread_t thread;
    thread_start(&thread, wake, b);
    inbox_wait(b, begin + 60000);
    pthread_join(thread, NULL);
    put(b, "park/v1/gw/a/up", 1, false);
    inbox_wait(b, begin + 60000);
    assert_true(clock_system.mono_ms() < begin + 30000);
    /* A pause goes on over messages and wakes: after a failed commit the core must not spin. */
    int64_t pause = clock_system.mono_ms();
    inbox_wake(b);
    inbox_pause(b, pause + 50, SIZE_MAX);
    assert_true(clock_system.mono_ms() >= pause + 50);
    inbox_pause(b, pause + 60000, 2); /* ... or until there is enough for a group: a byte costs more */
    thread_start(&thread, close_it, b);
    inbox_pause(b, pause + 60000, SIZE_MAX);
    pthread_join(thread, NULL);
    free(inbox_take(b));
    inbox_wait(b, pause + 60000);
    inbox_wait(b, pause + 60000);
    assert_true(clock_system.mono_ms() < pause + 30000);
    inbox_destroy(b);
}

static void test_what_is_discarded_is_told_of_whose_it_is(void **state)
{
    (void)state;
    struct inbox *b = inbox_create();
    char gateway[ID_MAX + 1];
    int64_t bytes;
    put(b, "park/v1/gw/gw-b/up", 10, false);
    assert_false(inbox_take_discarded(b, gateway, &bytes));
    for (int i = 0; i < 5; i++)
        put(b, "park/v1/gw/gw-a/up", INBOX_GATEWAY_BYTES_MAX / 2 - 1000, false);
    assert_true(inbox_take_discarded(b, gateway, &bytes));
    assert_string_equal(gateway, "gw-a");
    assert_int_equal(bytes, 3 * (INBOX_GATEWAY_BYTES_MAX / 2 - 1000));
    assert_false(inbox_take_discarded(b, gateway, &bytes));
    /* It is told also when nothing of the gateway waits any more. */
    put(b, "park/v1/gw/gw-a/up", INBOX_GATEWAY_BYTES_MAX / 2, false);
    assert_int_equal(count_of(b, "gw-a"), 2);
    assert_true(inbox_take_discarded(b, gateway, &bytes));
    assert_int_equal(bytes, INBOX_GATEWAY_BYTES_MAX / 2);
    assert_false(inbox_take_discarded(b, gateway, &bytes));
    inbox_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_come_out_in_order_with_what_they_are),
        cmocka_unit_test(test_other_topics_are_ignored),
        cmocka_unit_test(test_a_gateway_has_two_mebibytes_and_what_is_more_is_counted_and_gone),
        cmocka_unit_test(test_many_that_flood_leave_room_for_the_others_and_keep_below_the_sum),
        cmocka_unit_test(test_empty_messages_cost_room_too),
        cmocka_unit_test(test_what_is_discarded_is_told_of_whose_it_is),
        cmocka_unit_test(test_waiting_ends_by_a_message_a_wake_or_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
