/* Acknowledgements as they arrive at a real broker; the times are the test's own. */
#include "collector/intake/acks.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "tests/unit/broker.h"

static char folder[] = "/tmp/parkmon-test-acks-XXXXXX";
static struct broker broker;
static struct mqtt *mqtt;

static int set_up(void **state)
{
    (void)state;
    log_open(LOG_LEVEL_ERROR);
    broker = broker_start(folder, BROKER_OPEN);
    mqtt = mqtt_create(&(struct mqtt_options){.host = "127.0.0.1",
        .port = broker.port,
        .client_id = "collector",
        .keep_alive_s = 30,
        .retry_min_ms = 20});
    int64_t deadline = clock_system.mono_ms() + 10000;
    while (mqtt_state(mqtt) != MQTT_READY && clock_system.mono_ms() < deadline)
        mqtt_tick(mqtt, clock_system.mono_ms());
    return mqtt_state(mqtt) == MQTT_READY ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    mqtt_destroy(mqtt);
    broker_stop(&broker);
    return 0;
}

static void settle(void)
{
    int64_t deadline = clock_system.mono_ms() + 10000;
    while (mqtt_unconfirmed(mqtt) > 0 && clock_system.mono_ms() < deadline)
        mqtt_tick(mqtt, clock_system.mono_ms());
    assert_int_equal(mqtt_unconfirmed(mqtt), 0);
}

/* What acks_send publishes, by what is retained afterwards; "-" = nothing new. */
static const char *sent(struct acks *a, int64_t now_ms, int64_t *ret_due)
{
    broker_publish(&broker, "park/v1/gw/gw-a/ack", "-", true);
    *ret_due = acks_send(a, mqtt, now_ms);
    settle();
    return broker_retained(&broker, "park/v1/gw/gw-a/ack");
}

static void note(struct acks *a, uint64_t epoch, int64_t seq, bool is_refusal)
{
    acks_note(a, "gw-a", &(struct ack){epoch, seq, is_refusal});
}

#define ASSERT_SENT(now, text, due)                           \
    do {                                                      \
        int64_t due_;                                         \
        assert_string_equal(sent(&a, now, &due_), "1 " text); \
        assert_int_equal(due_, due);                          \
    } while (0)

static void test_the_newest_answer_is_retained_with_the_epoch_of_its_batch(void **state)
{
    (void)state;
    struct acks a = {0};
    ASSERT_SENT(1000, "-", INT64_MAX);
    note(&a, 0xab, 4, false);
    note(&a, 0xab, 5, false);
    ASSERT_SENT(1000, "epoch=00000000000000ab seq=5", INT64_MAX);
    ASSERT_SENT(1001, "-", INT64_MAX);
    note(&a, 0xab, 5, false); /* duplicates came */
    ASSERT_SENT(1002, "epoch=00000000000000ab seq=5", INT64_MAX);
    acks_release(&a);
}

static void test_a_refusal_goes_out_once_a_second_and_the_one_held_back_when_it_is_over(void **state)
{
    (void)state;
    struct acks a = {0};
    note(&a, 1, 4, true);
    note(&a, 1, 4, true);
    ASSERT_SENT(5000, "epoch=0000000000000001 seq=4 again=1", INT64_MAX);
    note(&a, 1, 4, true);
    ASSERT_SENT(5001, "-", 6000);
    ASSERT_SENT(5999, "-", 6000);
    ASSERT_SENT(6000, "epoch=0000000000000001 seq=4 again=1", INT64_MAX);
    ASSERT_SENT(9000, "-", INT64_MAX);
    acks_release(&a);
}

static void test_a_mark_that_moved_does_not_wait_for_a_refusal_that_is_held_back(void **state)
{
    (void)state;
    struct acks a = {0};
    note(&a, 1, 4, true);
    ASSERT_SENT(5000, "epoch=0000000000000001 seq=4 again=1", INT64_MAX);
    note(&a, 1, 7, false);
    note(&a, 1, 7, true);
    ASSERT_SENT(5100, "epoch=0000000000000001 seq=7", 6000);
    ASSERT_SENT(6000, "epoch=0000000000000001 seq=7 again=1", INT64_MAX);
    acks_release(&a);
}

static void test_a_refusal_is_dropped_when_what_it_asks_for_came_but_not_for_a_duplicate(void **state)
{
    (void)state;
    struct acks a = {0};
    note(&a, 1, 4, true);
    ASSERT_SENT(5000, "epoch=0000000000000001 seq=4 again=1", INT64_MAX);
    note(&a, 1, 4, true);
    note(&a, 1, 4, false); /* an old batch again */
    ASSERT_SENT(5100, "epoch=0000000000000001 seq=4", 6000);
    ASSERT_SENT(6000, "epoch=0000000000000001 seq=4 again=1", INT64_MAX);
    note(&a, 1, 4, true);
    note(&a, 1, 5, false);
    ASSERT_SENT(6100, "epoch=0000000000000001 seq=5", INT64_MAX);
    ASSERT_SENT(9000, "-", INT64_MAX);
    acks_release(&a);
}

static void test_gateways_do_not_share_their_limit(void **state)
{
    (void)state;
    struct acks a = {0};
    acks_note(&a, "gw-b", &(struct ack){1, 2, true});
    int64_t due;
    sent(&a, 5000, &due);
    assert_string_equal(
        broker_retained(&broker, "park/v1/gw/gw-b/ack"), "1 epoch=0000000000000001 seq=2 again=1");
    note(&a, 1, 4, true);
    ASSERT_SENT(5100, "epoch=0000000000000001 seq=4 again=1", INT64_MAX);
    acks_release(&a);
}

static void test_without_a_connection_what_is_due_stays_due(void **state)
{
    (void)state;
    struct acks a = {0};
    struct mqtt *down = mqtt_create(
        &(struct mqtt_options){.host = "127.0.0.1", .port = 1, .client_id = "x", .keep_alive_s = 30});
    note(&a, 1, 4, false);
    assert_int_equal(acks_send(&a, down, 1000), INT64_MAX);
    mqtt_destroy(down);
    ASSERT_SENT(1000, "epoch=0000000000000001 seq=4", INT64_MAX);
    acks_release(&a);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
#define BROKER_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        BROKER_TEST(test_the_newest_answer_is_retained_with_the_epoch_of_its_batch),
        BROKER_TEST(test_a_refusal_goes_out_once_a_second_and_the_one_held_back_when_it_is_over),
        BROKER_TEST(test_a_mark_that_moved_does_not_wait_for_a_refusal_that_is_held_back),
        BROKER_TEST(test_a_refusal_is_dropped_when_what_it_asks_for_came_but_not_for_a_duplicate),
        BROKER_TEST(test_gateways_do_not_share_their_limit),
        BROKER_TEST(test_without_a_connection_what_is_due_stays_due),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
