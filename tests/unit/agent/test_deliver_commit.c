/* What is at risk when an agent is killed: a commit interval of readings, and no change of state. */
#include "tests/unit/agent/deliver_fixture.h"

static int64_t committed(struct deliver *d)
{
    struct deliver_progress progress;
    deliver_progress(d, &progress);
    return progress.committed;
}

static bool is_all_committed(int64_t d)
{
    return committed((struct deliver *)(intptr_t)d) == 3;
}

static void put_number(struct deliver *d, int64_t n)
{
    struct spool_reading r = {.point = 0, .kind = READING_GAUGE, .time_ms = T0 + n, .value = (double)n};
    assert_true(deliver_put(d, &r, false));
}

static void test_readings_wait_for_the_interval_and_a_change_of_state_does_not(void **state)
{
    (void)state;
    new_spool(64);
    start_collector(true); /* which the agent does not reach: what is committed does not depend on it */
    settings.spool.commit_ms = 60000;
    settings.broker.port = 1; /* nobody there */
    struct deliver *d = start_agent(false);
    put_number(d, 1);
    put_number(d, 2);
    assert_false(await(is_committed, (intptr_t)d, 300));
    assert_int_equal(committed(d), 0);
    char text[] = "open";
    struct spool_reading r = {.point = 1, .kind = READING_STATE, .time_ms = T0, .text = text};
    assert_true(deliver_put(d, &r, true));
    /* Long before the interval is over; what was put before goes with it. */
    AWAIT(is_all_committed, (intptr_t)d);
    stop_agent(d);
    stop_collector();
}

static void test_the_interval_is_counted_from_the_first_reading_that_waits(void **state)
{
    (void)state;
    new_spool(64);
    start_collector(true); /* which the agent does not reach: what is committed does not depend on it */
    settings.spool.commit_ms = 1500;
    settings.broker.port = 1;
    struct deliver *d = start_agent(false);
    int64_t begun = mono_ms();
    put_number(d, 1);
    /* One that comes again and again does not put it off. */
    for (int64_t n = 2; committed(d) == 0 && mono_ms() < begun + PATIENCE_MS; n++) {
        put_number(d, n);
        await(is_committed, (intptr_t)d, 100);
    }
    assert_true(committed(d) > 0);
    assert_true(mono_ms() - begun >= 1500);
    stop_agent(d);
    stop_collector();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_readings_wait_for_the_interval_and_a_change_of_state_does_not, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_the_interval_is_counted_from_the_first_reading_that_waits, forget_acks, end_all),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
