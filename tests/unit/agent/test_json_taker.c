/* agent/sources/json_taker and feed: each message once, times that increase, and what is sent again. */
#include "tests/unit/agent/source_fixture.h"

#define COUNTER                                                                                           \
    "{ name = \"d\"; prefix = \"d\"; topic = \"up\"; frame = \"n\"; time = \"t\"; every = 10; points = (" \
    "{ name = \"in\"; kind = \"register\"; path = \"in\"; unit = \"count\"; },"                           \
    "{ name = \"out\"; kind = \"register\"; path = \"out\"; unit = \"count\"; } ); }"

static void uplink(struct scene *s, int frame, int64_t second, int in)
{
    char *text = mem_printf("{\"n\":%d,\"t\":%lld,\"in\":%d}", frame, (long long)(W0 / 1000 + second), in);
    give(s, "up", text);
    free(text);
}

static void test_a_lost_repeated_or_late_uplink_changes_no_total(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, COUNTER);
    passed_ms = 60000;
    uplink(&s, 1, 1, 10);
    uplink(&s, 1, 1, 10);
    uplink(&s, 4, 4, 40); /* 2 and 3 are lost */
    uplink(&s, 3, 3, 30); /* 3 was late */
    uplink(&s, 4, 4, 40);
    uplink(&s, 1, 1, 10);
    uplink(&s, 5, 5, 50);
    expect_seen("d.in 10 +1000\nd.in 40 +4000\nd.in 50 +5000\n");
    scene_close(&s);
}

static void test_a_counter_that_goes_back_counts_from_there(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, COUNTER);
    passed_ms = 60000;
    uplink(&s, 500, 1, 10);
    uplink(&s, 0, 2, 11);
    uplink(&s, 501, 1, 10); /* of before it joined */
    uplink(&s, 1, 3, 12);
    expect_seen("d.in 10 +1000\nd.in 11 +2000\nd.in 12 +3000\n");
    assert_true(s.taker.devices[0].rejoined.is_open);
    scene_close(&s);
}

static void test_a_wrong_value_costs_no_other(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, COUNTER);
    passed_ms = 1000;
    give(&s, "up", "{\"n\":1,\"t\":1764000001,\"in\":\"12 people\",\"out\":7}");
    expect_seen("d.out 7 +1000\n");
    assert_true(s.taker.devices[0].bad[0].is_open);
    assert_false(s.taker.devices[0].bad[1].is_open);
    give(&s, "up", "{\"n\":2,\"t\":1764000001,\"in\":13,\"out\":8}");
    expect_seen("d.in 13 +1000\nd.out 8 +1001\n");
    assert_false(s.taker.devices[0].bad[0].is_open);
    give(&s, "up", "{\"n\":\"x\",\"t\":1764000002,\"in\":14}");
    give(&s, "up", "{\"n\":3,\"t\":1764000002,\"in\":14");
    give(&s, "up", "");
    expect_seen("");
    scene_close(&s);
}

static void test_a_time_that_cannot_be_is_not_believed(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, COUNTER);
    passed_ms = 5000;
    uplink(&s, 1, 5 + 61, 1);        /* a minute ahead */
    uplink(&s, 2, 5 - 8 * 86400, 2); /* older than a broker keeps it */
    is_clock_right = false;          /* ours is not right */
    uplink(&s, 3, 1, 3);
    is_clock_right = true;
    uplink(&s, 3, 1, 3); /* and without times the counter decides */
    expect_seen("d.in 1 +5000\nd.in 2 +5001\nd.in 3 +5002\n");
    scene_close(&s);
}

static void test_what_a_broker_kept_counts_only_with_its_own_time(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, COUNTER ", { name = \"p\"; prefix = \"p\"; topic = \"p\"; points = ("
                           "{ kind = \"gauge\"; path = \"w\"; unit = \"W\"; } ); }");
    passed_ms = 5000;
    give_retained(&s, "p", "{\"w\":7}");
    give_retained(&s, "up", "{\"n\":1,\"t\":1764000002,\"in\":3}");
    expect_seen("d.in 3 +2000\n");
    give(&s, "p", "{\"w\":8}");
    expect_seen("p 8 +5000\n");
    scene_close(&s);
}

#define SWITCH                                                                                              \
    "{ name = \"p\"; prefix = \"p\"; topic = \"p\"; every = 100; alive = 450; on_change = true; points = (" \
    "{ kind = \"register\"; path = \"wh\"; unit = \"Wh\"; }, { name = \"w\"; kind = \"gauge\"; path = "     \
    "\"w\"; unit = \"W\"; },"                                                                               \
    "{ name = \"on\"; kind = \"state\"; path = \"on\"; states = [\"off\", \"on\"]; } ); }"

static void pass_to(struct scene *s, int64_t second)
{
    while (passed_ms < second * 1000) {
        passed_ms += 1000;
        json_taker_tick(&s->taker);
    }
}

static void test_states_and_gauges_are_sent_again_while_the_device_lives(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, SWITCH);
    give(&s, "p", "{\"wh\":5,\"w\":1,\"on\":true}");
    expect_seen("p 5 +0\np.w 1 +0\np.on on +0\n");
    pass_to(&s, 150);
    expect_seen("p.w 1 +100000\np.on on +100000\n"); /* never the register: it may have grown */
    give(&s, "p", "{\"on\":true}");                  /* no change, but it lives */
    expect_seen("");
    pass_to(&s, 599);
    expect_seen(
        "p.w 1 +200000\np.on on +200000\np.w 1 +300000\np.on on +300000\np.w 1 +400000\np.on on +400000\n"
        "p.w 1 +500000\np.on on +500000\n");
    assert_false(s.taker.devices[0].silence.silent.is_open);
    pass_to(&s, 5000); /* silent since 150 s for more than 450 s */
    expect_seen("p.w 1 +600000\np.on on +600000\n");
    assert_true(s.taker.devices[0].silence.silent.is_open);
    give(&s, "p", "{\"on\":true}");
    json_taker_tick(&s.taker);
    expect_seen("p.w 1 +5000000\np.on on +5000000\n");
    assert_false(s.taker.devices[0].silence.silent.is_open);
    scene_close(&s);
}

static void test_a_state_goes_at_least_every_300_s(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s,
        "{ name = \"p\"; prefix = \"p\"; topic = \"p\"; every = 3600; points = ( { kind = \"state\"; } ); }");
    give(&s, "p", "open");
    expect_seen("p open +0\n");
    pass_to(&s, 901);
    expect_seen("p open +300000\np open +600000\np open +900000\n");
    scene_close(&s);
}

static void test_times_of_a_point_strictly_increase(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "{ name = \"p\"; prefix = \"p\"; topic = \"p\"; points = ( { kind = \"state\"; } ); }");
    char text[16];
    struct buf expected = {0};
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "s%d", i);
        give(&s, "p", text);
        buf_printf(&expected, "p s%d +%d\n", i, i);
    }
    expect_seen(expected.data);
    buf_release(&expected);
    passed_ms = 50;
    give(&s, "p", "a");
    expect_seen("p a +100\n");
    passed_ms = -3600000; /* the clock was set back: where it allows, the law says */
    give(&s, "p", "b");
    expect_seen("p b -3600000\n");
    scene_close(&s);
}

static void test_what_the_contract_forbids_is_said_and_not_sent(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "{ name = \"p\"; prefix = \"p\"; topic = \"p\"; points = ( { kind = \"state\"; } ); }");
    char large[400];
    memset(large, 'x', sizeof large);
    large[257] = '\0';
    give(&s, "p", large);
    give(&s, "p", "a\nb");
    give(&s, "p", "\xff");
    struct json_message binary = {"p", {"ab\0c", 4}, false};
    json_taker_take(&s.taker, &binary);
    expect_seen("");
    assert_true(s.taker.devices[0].bad[0].is_open);
    large[256] = '\0';
    give(&s, "p", large);
    assert_int_equal(seen.len, strlen("p  +0\n") + 256);
    scene_close(&s);
}

static void test_a_message_that_waited_says_that_the_device_lived_then(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "{ name = \"p\"; prefix = \"p\"; topic = \"p\"; time = \"t\"; every = 60; points = ("
                   "{ kind = \"state\"; path = \"s\"; } ); }");
    passed_ms = 1000000;
    give(&s, "p", "{\"t\":1764000000,\"s\":\"open\"}");
    expect_seen("p open +0\n");
    pass_to(&s, 1500);
    expect_seen(""); /* it was heard 1000 s ago, and lives for 180 s */
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_lost_repeated_or_late_uplink_changes_no_total),
        cmocka_unit_test(test_a_counter_that_goes_back_counts_from_there),
        cmocka_unit_test(test_a_wrong_value_costs_no_other),
        cmocka_unit_test(test_a_time_that_cannot_be_is_not_believed),
        cmocka_unit_test(test_what_a_broker_kept_counts_only_with_its_own_time),
        cmocka_unit_test(test_states_and_gauges_are_sent_again_while_the_device_lives),
        cmocka_unit_test(test_a_state_goes_at_least_every_300_s),
        cmocka_unit_test(test_times_of_a_point_strictly_increase),
        cmocka_unit_test(test_what_the_contract_forbids_is_said_and_not_sent),
        cmocka_unit_test(test_a_message_that_waited_says_that_the_device_lived_then),
    };
    return cmocka_run_group_tests(tests, settings_make_folder, settings_remove_folder);
}
