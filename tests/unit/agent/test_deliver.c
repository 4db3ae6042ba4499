/* Delivery while the disk has room: order, acknowledgements, refusals, the window, the end. */
#include "tests/unit/agent/deliver_fixture.h"

static void test_readings_arrive_in_order_and_the_end_is_quick(void **state)
{
    (void)state;
    new_spool(64);
    start_collector(true);
    struct deliver *d = start_agent(false);
    for (int64_t n = 1; n <= 5000; n++)
        put(d, n);
    AWAIT(has_lines, 5000);
    AWAIT(is_empty, (intptr_t)d);
    int64_t next = 1;
    for (int i = 0; i < collector.batch_count; i++) {
        assert_int_equal(collector.batches[i].header.seq, i + 1);
        struct span body = span_of(collector.batches[i].body), line;
        while (batch_next_line(&body, &line)) {
            struct reading r;
            assert_int_equal(batch_read_reading(line, &r, NULL), ST_OK);
            assert_int_equal(r.count, next);
            assert_int_equal(r.time_ms, T0 + next++);
        }
    }
    int64_t begun = mono_ms();
    stop_agent(d);
    int64_t took_ms = mono_ms() - begun;
    AWAIT(is_offline, 1);
    for (int i = 1; i < TRIES_MAX && took_ms >= 1000; i++) {
        d = start_agent(false);
        put(d, next);
        AWAIT(has_lines, next++);
        AWAIT(is_empty, (intptr_t)d);
        begun = mono_ms();
        stop_agent(d);
        took_ms = mono_ms() - begun;
    }
    assert_true(took_ms < 1000);
    stop_collector();
}

static void test_a_time_that_repeats_is_bumped_by_a_millisecond(void **state)
{
    (void)state;
    new_spool(64);
    start_collector(true);
    struct deliver *d = start_agent(false);
    int64_t times[] = {0, 0, 0, 5, 4, 5, 100, 20}, wanted[] = {0, 1, 2, 5, 6, 7, 100, 20};
    for (int i = 0; i < 8; i++)
        put(d, times[i]);
    AWAIT(has_lines, 8);
    int seen = 0;
    for (int i = 0; i < collector.batch_count; i++) {
        struct span body = span_of(collector.batches[i].body), line;
        for (struct reading r; batch_next_line(&body, &line); seen++) {
            assert_int_equal(batch_read_reading(line, &r, NULL), ST_OK);
            assert_int_equal(r.time_ms, T0 + wanted[seen]);
        }
    }
    assert_int_equal(seen, 8);
    stop_agent(d);
    stop_collector();
}

static void test_a_silent_collector_is_probed_with_the_lowest_alone(void **state)
{
    (void)state;
    new_spool(64);
    start_collector(false);
    struct deliver *d = start_agent(false);
    for (int64_t n = 1; n <= 3; n++) {
        put(d, n);
        AWAIT(has_batches, n);
    }
    AWAIT(has_probes, 0);
    put(d, 4); /* committed, but not sent while nobody answers */
    AWAIT(is_committed, (intptr_t)d);
    /* A slow machine may be silent, and probed, before all three are out. */
    int before = collector.batch_count, first = 0;
    while (first < 3 && collector.batches[first].header.seq == first + 1)
        first++;
    for (int i = first; i < before; i++) {
        assert_int_equal(collector.batches[i].header.seq, 1);
        assert_string_equal(collector.batches[i].body, collector.batches[0].body);
    }
    send_ack((struct ack){collector.batches[0].header.epoch, 1, false}, false);
    AWAIT(has_the_rest, before);
    send_ack((struct ack){collector.batches[0].header.epoch, 4, false}, false);
    AWAIT(is_empty, (intptr_t)d);
    stop_agent(d);
    stop_collector();
}

static void test_a_refusal_goes_back_and_a_stored_one_does_not(void **state)
{
    (void)state;
    new_spool(64);
    settings.spool.probe_ms = 60000;
    start_collector(true);
    struct deliver *d = start_agent(false);
    for (int64_t n = 1; n <= 5; n++) {
        put(d, n);
        AWAIT(has_batches, n);
    }
    AWAIT(is_empty, (intptr_t)d);
    collector.acknowledges = false;
    uint64_t epoch = collector.batches[0].header.epoch;
    send_ack((struct ack){epoch, 2, true}, true);
    AWAIT(has_batches, 8);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(collector.batches[5 + i].header.seq, 3 + i);
        assert_string_equal(collector.batches[5 + i].body, collector.batches[2 + i].body);
    }
    send_ack((struct ack){epoch, 5, false}, false);
    AWAIT(is_empty, (intptr_t)d);
    /* The broker keeps the refusal, and gives it to the next start. */
    stop_agent(d);
    int before = collector.batch_count;
    d = start_agent(false);
    put(d, 6);
    AWAIT(has_batches, before + 1);
    assert_int_equal(collector.batches[before].header.seq, 6);
    assert_true(
        collector.batches[before].header.has_prev && collector.batches[before].header.prev_epoch == epoch);
    assert_false(await(has_batches, before + 2, 300));
    collector.acknowledges = true;
    send_ack((struct ack){collector.batches[before].header.epoch, 6, false}, true);
    AWAIT(is_empty, (intptr_t)d);
    stop_agent(d);
    stop_collector();
}

static void test_no_more_than_the_window_is_out(void **state)
{
    (void)state;
    new_spool(64);
    settings.spool.probe_ms = 60000;
    start_collector(false);
    struct deliver *d = start_agent(false);
    for (int64_t n = 1; n <= 40; n++) {
        put(d, n);
        if (n <= 16)
            AWAIT(has_batches, n);
    }
    AWAIT(is_committed, (intptr_t)d);
    assert_false(await(has_batches, 17, 300));
    assert_int_equal(collector.batch_count, 16);
    struct deliver_progress progress;
    deliver_progress(d, &progress);
    assert_int_equal(progress.unacknowledged, 16);
    assert_int_equal(progress.committed, 40);
    collector.acknowledges = true;
    collector.mark = 16;
    send_ack((struct ack){collector.batches[0].header.epoch, 16, false}, true);
    AWAIT(has_lines, 24);
    AWAIT(is_empty, (intptr_t)d);
    stop_agent(d);
    stop_collector();
}

static void test_the_end_waits_for_acknowledgements_as_long_as_told(void **state)
{
    (void)state;
    new_spool(64);
    start_collector(false);
    int64_t took_ms = INT64_MAX;
    for (int i = 0; i < TRIES_MAX && took_ms > 1500; i++) {
        struct deliver *d = start_agent(false);
        if (i == 0)
            put(d, 1);
        AWAIT(has_batches, collector.batch_count + 1);
        int64_t begun = mono_ms();
        struct error err;
        agent = NULL;
        assert_int_equal(deliver_stop(d, 400, &err), ST_OK);
        took_ms = mono_ms() - begun;
        deliver_destroy(d);
        assert_true(took_ms >= 390);
    }
    assert_true(took_ms <= 1500);
    stop_collector();
}

static void test_a_broker_that_restarts_gets_everything_from_behind_the_mark(void **state)
{
    (void)state;
    new_spool(64);
    settings.spool.probe_ms = 60000;
    start_collector(false);
    struct deliver *d = start_agent(false);
    for (int64_t n = 1; n <= 3; n++) {
        put(d, n);
        AWAIT(has_batches, n);
    }
    stop_collector();
    held_mono_ms = mono_ms(); /* so that the agent comes back after the collector has subscribed */
    broker_stop(&broker);
    put(d, 4);
    broker_again(&broker, folder, BROKER_OPEN);
    start_collector(true);
    held_mono_ms = 0;
    AWAIT(has_lines, 4);
    assert_int_equal(collector.batches[0].header.seq, 1);
    AWAIT(is_empty, (intptr_t)d);
    stop_agent(d);
    stop_collector();
}

static void test_batches_fit_a_broker_with_a_small_packet_limit(void **state)
{
    (void)state;
    restart_broker(BROKER_OPEN "max_packet_size 4000\n");
    new_spool(64);
    settings.broker.port = 1;
    struct deliver *d = start_agent(false); /* the readings are there before the broker is known */
    for (int64_t n = 1; n <= 500; n++)
        put(d, n);
    stop_agent(d);
    settings.broker.port = broker.port;
    start_collector(true);
    d = start_agent(false);
    AWAIT(has_lines, 500);
    assert_true(collector.batch_count > 5);
    stop_agent(d);
    stop_collector();
}

static void test_what_no_batch_for_this_broker_can_hold_is_kept_until_one_can(void **state)
{
    (void)state;
    restart_broker(BROKER_OPEN "max_packet_size 1000\n"); /* 500 bytes of payload */
    new_spool(64);
    start_collector(true);
    struct deliver *d = start_agent(false);
    AWAIT(is_online, 0);
    char *text = mem_alloc(251);
    memset(text, 'x', 250);
    text[250] = '\0';
    struct spool_reading r = {.point = 1, .kind = READING_STATE, .time_ms = T0, .text = text};
    assert_true(deliver_put(d, &r, true));
    free(text);
    AWAIT(is_committed, (int64_t)(intptr_t)d);
    assert_int_equal(collector.batch_count, 0);
    stop_agent(d);
    stop_collector();
    restart_broker(BROKER_OPEN);
    start_collector(true);
    d = start_agent(false);
    AWAIT(has_lines, 1);
    assert_non_null(strstr(collector.batches[0].body, "xxxxxxxxxx"));
    stop_agent(d);
    stop_collector();
}

static void test_the_state_says_what_is_there(void **state)
{
    (void)state;
    new_spool(64);
    start_collector(false);
    struct deliver *d = start_agent(false);
    AWAIT(is_online, 0);
    assert_non_null(strstr(collector.state, "\"points\":{\"b3.main\":1000,\"lab2.session\":1000}"));
    stop_agent(d);
    AWAIT(is_offline, 1);
    stop_collector();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_readings_arrive_in_order_and_the_end_is_quick, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_a_time_that_repeats_is_bumped_by_a_millisecond, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_a_silent_collector_is_probed_with_the_lowest_alone, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_a_refusal_goes_back_and_a_stored_one_does_not, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(test_no_more_than_the_window_is_out, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_the_end_waits_for_acknowledgements_as_long_as_told, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_a_broker_that_restarts_gets_everything_from_behind_the_mark, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_batches_fit_a_broker_with_a_small_packet_limit, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_what_no_batch_for_this_broker_can_hold_is_kept_until_one_can, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(test_the_state_says_what_is_there, forget_acks, end_all),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
