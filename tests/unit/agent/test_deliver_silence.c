/* A collector that does not answer: what is said, and when. */
#include "tests/unit/agent/deliver_fixture.h"

#define SECONDS 60 /* the wire contract, 3 */

static void test_a_collector_that_answers_nothing_for_a_minute_is_told_however_much_is_sent_meanwhile(
    void **state)
{
    (void)state;
    new_spool(64);
    settings.spool.probe_ms = 30000;
    capture_log();
    start_collector(false);
    struct deliver *d = start_agent(false);
    put(d, 1);
    AWAIT(has_batches, 1);
    /* A batch a second, a state message and a probe: each is confirmed by the broker. */
    int64_t begun = mono_ms();
    for (int64_t second = 1; second < SECONDS - 3; second++) {
        held_mono_ms = begun + second * 1000;
        put(d, second + 1);
        await(is_committed, (intptr_t)d, 20);
    }
    assert_false(has_said("nothing acknowledges"));
    int64_t deadline = mono_ms() + PATIENCE_MS;
    held_mono_ms = begun + (SECONDS + 3) * 1000;
    for (int64_t n = SECONDS; !has_said("nothing acknowledges") && mono_ms() < deadline; n++) {
        put(d, n);
        await(is_committed, (intptr_t)d, 100);
    }
    assert_true(has_said("the collector is down, or read permission on park/v1/gw/gw-a/ack is missing"));

    uint64_t epoch = collector.batches[0].header.epoch;
    send_ack((struct ack){epoch, 1, false}, false);
    deadline = mono_ms() + PATIENCE_MS;
    while (!has_said("the collector acknowledges again") && mono_ms() < deadline)
        await(is_committed, (intptr_t)d, 100);
    assert_true(has_said("the collector acknowledges again"));
    held_mono_ms = 0;
    struct error err;
    end_agent(d, 0, &err);
    stop_collector();
}

static int times_said(const char *part)
{
    FILE *f = fopen(log_path, "re");
    assert_non_null(f);
    char line[1024];
    int count = 0;
    while (fgets(line, sizeof line, f) != NULL)
        count += strstr(line, part) != NULL;
    fclose(f);
    return count;
}

static void test_what_is_no_acknowledgement_is_ignored_and_said_once(void **state)
{
    (void)state;
    new_spool(64);
    capture_log();
    start_collector(false);
    struct deliver *d = start_agent(false);
    put(d, 1);
    AWAIT(has_batches, 1);
    struct error err;
    for (int i = 0; i < 50; i++)
        assert_int_equal(
            mqtt_publish(collector.mqtt, ACK, SPAN("epoch=1 seq=all of them"), false, 0, &err), ST_OK);
    /* Behind them on the same way; nothing else comes after it. */
    send_ack((struct ack){collector.batches[0].header.epoch, 1, false}, false);
    AWAIT(is_empty, (intptr_t)d);
    assert_int_equal(times_said("ack: expected epoch="), 1);
    stop_agent(d);
    stop_collector();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_a_collector_that_answers_nothing_for_a_minute_is_told_however_much_is_sent_meanwhile,
            forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_what_is_no_acknowledgement_is_ignored_and_said_once, forget_acks, end_all),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
