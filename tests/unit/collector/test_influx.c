/* The policy of the raw series: what is asked of the store, and what is known of it afterwards. */
#include "collector/store/influx.h"
#include "tests/unit/collector/fake_influx.h"

static int never(int n, const char *body, const char **ret_error)
{
    (void)n, (void)body, (void)ret_error;
    fail_msg("nothing is written");
    return 0;
}

static void test_how_long_readings_are_kept_is_what_the_policy_has_when_it_cannot_be_changed(void **state)
{
    (void)state;
    static const struct {
        const char *present;
        int64_t wanted_days;
        int alter_code;
        int64_t kept_days;
        int queries;
    } cases[] = {
        {"720h0m0s", 30, 403, 30, 1}, /* is as it should be: nothing is changed */
        {"720h0m0s", 400, 0, 400, 2},
        {"720h0m0s", 400, 403, 30, 2},
        {"0s", 400, 401, 0, 2},
        {"1h0m0s", 0, 403, 1, 2},
        {"0s", 0, 403, 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_influx server;
        fake_influx_start(&server, never);
        server.raw_duration = cases[i].present;
        server.alter_code = cases[i].alter_code;
        char url[64];
        snprintf(url, sizeof url, "http://127.0.0.1:%d", server.port);
        struct influx *influx = influx_create(&(struct influx_options){
            .url = url, .database = "p", .raw_retention_days = cases[i].wanted_days, .timeout_ms = 5000});
        assert_int_equal(influx_prepare(influx).action, ANSWER_ACCEPTED);
        assert_int_equal(influx_raw_kept_days(influx), cases[i].kept_days);
        assert_int_equal(server.queries, cases[i].queries);
        influx_destroy(influx);
        fake_influx_stop(&server);
        buf_release(&server.query);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_how_long_readings_are_kept_is_what_the_policy_has_when_it_cannot_be_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
