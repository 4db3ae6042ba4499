/* agent/deliver/announce with an MQTT client that only remembers: this program's mqtt_publish takes the
 * library's place. */
#include "agent/deliver/announce.h"
#include "agent/deliver/deliver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct {
    int count;
    char topic[128], payload[2048];
    bool is_retained;
    int expiry_s;
} sent;
static size_t payload_max;

enum status mqtt_publish(
    struct mqtt *m, const char *topic, struct span payload, bool is_retained, int expiry_s, struct error *err)
{
    (void)m;
    if (payload.len > payload_max)
        return error_set(err, ST_INVALID, "takes at most %zu bytes", payload_max);
    sent.count++;
    snprintf(sent.topic, sizeof sent.topic, "%s", topic);
    snprintf(sent.payload, sizeof sent.payload, "%.*s", (int)payload.len, payload.at);
    sent.is_retained = is_retained;
    sent.expiry_s = expiry_s;
    return ST_OK;
}

static bool is_synchronised;

static int64_t wall_ms(void)
{
    return INT64_C(1764000000123);
}

static int64_t mono_ms(void)
{
    return 0;
}

static bool is_clock_right(void)
{
    return is_synchronised;
}

static const struct clock test_clock = {
    .wall_ms = wall_ms, .mono_ms = mono_ms, .is_synchronised = is_clock_right};
static struct agent_settings settings = {.gateway = (char[]){"gw-a"}};
static const char *const points[] = {"b3.main", "b3.main.power"};
static const int64_t periods_ms[] = {900000, 1000};
static const struct spool_state spool = {.mark = 10,
    .last = 14,
    .first = 3,
    .uncut = 5,
    .unacknowledged_bytes = 4711,
    .oldest_ms = 1763999999000,
    .epoch = 0x9f2c4e1b77aa0d31};

static int set_up(void **state)
{
    static struct announce a;
    struct deliver_options options = {.settings = &settings,
        .version = "1.2.3",
        .clock = &test_clock,
        .points = points,
        .periods_ms = periods_ms,
        .point_count = 2};
    memset(&sent, 0, sizeof sent);
    payload_max = sizeof sent.payload;
    is_synchronised = true;
    announce_init(&a, &options);
    announce_reset(&a);
    *state = &a;
    return 0;
}

static int tear_down(void **state)
{
    announce_release(*state);
    return 0;
}

static void test_the_message_is_that_of_the_contract(void **state)
{
    announce_online(*state, NULL, &spool, 1000);
    assert_int_equal(sent.count, 1);
    assert_string_equal(sent.topic, "park/v1/gw/gw-a/state");
    assert_true(sent.is_retained);
    assert_int_equal(sent.expiry_s, 180);
    assert_string_equal(sent.payload,
        "{\"state\":\"online\",\"since\":1764000000123,\"version\":\"1.2.3\",\"epoch\":\"9f2c4e1b77aa0d31\","
        "\"spooled\":{\"batches\":5,\"bytes\":5031,\"oldest\":1763999999000},\"clock\":\"synchronised\","
        "\"points\":{\"b3.main\":900000,\"b3.main.power\":1000}}");
}

static void test_it_is_told_at_once_and_then_every_minute(void **state)
{
    announce_online(*state, NULL, &spool, 1000);
    assert_int_equal(announce_due(*state), 61000);
    announce_online(*state, NULL, &spool, 60999);
    assert_int_equal(sent.count, 1);
    announce_online(*state, NULL, &spool, 61000);
    assert_int_equal(sent.count, 2);
    announce_reset(*state); /* a new session */
    announce_online(*state, NULL, &spool, 61001);
    assert_int_equal(sent.count, 3);
}

static void test_a_clock_that_loses_its_reference_is_told_at_once(void **state)
{
    announce_online(*state, NULL, &spool, 1000);
    is_synchronised = false;
    announce_online(*state, NULL, &spool, 1001);
    assert_int_equal(sent.count, 2);
    assert_non_null(strstr(sent.payload, "\"clock\":\"unsynchronised\""));
    announce_online(*state, NULL, &spool, 1002);
    assert_int_equal(sent.count, 2);
}

static void test_a_spool_that_never_cut_anything_has_no_epoch(void **state)
{
    struct spool_state fresh = {.first = 1};
    announce_online(*state, NULL, &fresh, 1000);
    assert_null(strstr(sent.payload, "epoch"));
    assert_non_null(strstr(sent.payload, "\"spooled\":{\"batches\":0,\"bytes\":0,\"oldest\":0}"));
}

/* A collector that starts meanwhile asks by it for what it lacks. */
static void test_the_first_epoch_and_a_new_one_are_told_at_once(void **state)
{
    struct spool_state fresh = {.first = 1};
    announce_online(*state, NULL, &fresh, 1000);
    announce_online(*state, NULL, &spool, 1001);
    assert_int_equal(sent.count, 2);
    assert_non_null(strstr(sent.payload, "\"epoch\":\"9f2c4e1b77aa0d31\""));
    fresh.epoch = 7;
    announce_online(*state, NULL, &fresh, 1002);
    announce_online(*state, NULL, &fresh, 1003);
    assert_int_equal(sent.count, 3);
}

static void test_a_replay_tells_no_points(void **state)
{
    (void)state;
    struct announce a;
    struct deliver_options options = {.settings = &settings,
        .version = "1.2.3",
        .clock = &test_clock,
        .points = points,
        .periods_ms = periods_ms,
        .point_count = 2,
        .is_replay = true};
    announce_init(&a, &options);
    announce_online(&a, NULL, &spool, 1000);
    assert_non_null(strstr(sent.payload, "\"points\":{}"));
    announce_release(&a);
}

static void test_what_waits_is_counted_cut_or_not(void **state)
{
    struct spool_state full = spool;
    full.uncut = 1000001;
    announce_online(*state, NULL, &full, 1000);
    assert_non_null(strstr(sent.payload, "\"spooled\":{\"batches\":1005,\"bytes\":64004775,"));
}

static void test_a_state_too_large_for_the_broker_goes_without_its_points(void **state)
{
    payload_max = 180;
    announce_online(*state, NULL, &spool, 1000);
    assert_int_equal(sent.count, 1);
    assert_null(strstr(sent.payload, "points"));
    assert_non_null(strstr(sent.payload, "\"state\":\"online\""));
}

static void test_going_away_says_what_the_will_says(void **state)
{
    announce_offline(*state, NULL);
    assert_string_equal(sent.payload, "{\"state\":\"offline\"}");
    assert_true(sent.is_retained);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_message_is_that_of_the_contract, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_it_is_told_at_once_and_then_every_minute, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_clock_that_loses_its_reference_is_told_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_spool_that_never_cut_anything_has_no_epoch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_the_first_epoch_and_a_new_one_are_told_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_replay_tells_no_points, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_waits_is_counted_cut_or_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_state_too_large_for_the_broker_goes_without_its_points, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_going_away_says_what_the_will_says, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
