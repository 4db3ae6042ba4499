/* Delivery and the disk: what is on it after the end, a spool at its limit, a disk that fails. */
#include "tests/unit/agent/deliver_fixture.h"

#include <sys/resource.h>

static void test_what_was_put_is_on_disk_after_the_end_and_sent_by_the_next_start(void **state)
{
    (void)state;
    new_spool(64);
    settings.spool.commit_ms = 60000;
    settings.broker.port = 1; /* nobody there */
    struct deliver *d = start_agent(false);
    struct spool_reading r = {.point = 0, .kind = READING_REGISTER, .time_ms = T0, .count = 7};
    assert_true(deliver_put(d, &r, false));
    assert_false(deliver_wait_empty(d, mono_ms() + 50));
    int64_t begun = mono_ms();
    stop_agent(d);
    int64_t took_ms = mono_ms() - begun;
    for (int i = 1; i < TRIES_MAX && took_ms >= 1000; i++) {
        d = start_agent(false);
        begun = mono_ms();
        stop_agent(d);
        took_ms = mono_ms() - begun;
    }
    assert_true(took_ms < 1000); /* without a broker nothing can be drained */
    settings.broker.port = broker.port;
    start_collector(true);
    d = start_agent(false);
    AWAIT(has_lines, 1);
    assert_string_equal(collector.batches[0].body, "register,point=b3.main value=7i 1764000000000\n");
    stop_agent(d);
    stop_collector();
}

static void test_a_full_spool_gives_up_the_oldest_and_says_how_many(void **state)
{
    (void)state;
    new_spool(2);
    settings.broker.port = 1;
    capture_log();
    struct deliver *d = start_agent(false);
    char text[STATE_TEXT_MAX + 1];
    memset(text, 'x', STATE_TEXT_MAX);
    text[STATE_TEXT_MAX] = '\0';
    int64_t taken = 0, deadline = mono_ms() + PATIENCE_MS;
    struct spool_reading r = {.point = 1, .kind = READING_STATE, .text = text};
    bool is_taken = true, is_said = false;
    while (!is_said && mono_ms() < deadline) {
        r.time_ms = T0 + taken * 20;
        is_taken = deliver_put(d, &r, true);
        taken += is_taken;
        is_said = taken % 500 == 0 && has_said("readings and 0 batches given up since the start");
        if (!is_taken)
            deliver_wait_empty(d, mono_ms() + 20);
    }
    assert_true(is_said);
    struct error err;
    assert_int_equal(end_agent(d, 0, &err), ST_OK); /* and all the rest was taken */

    settings.broker.port = broker.port;
    start_collector(true);
    d = start_agent(false);
    AWAIT(has_lines_or_loss, taken);
    assert_true(collector.dropped > 0);
    assert_int_equal(collector.batches[0].header.dropped_from_ms, T0);
    AWAIT(is_empty, (intptr_t)d);
    r.time_ms = T0 + taken * 20;
    assert_true(deliver_put(d, &r, true));
    AWAIT(has_lines_or_loss, taken + 1);
    stop_agent(d);
    stop_collector();
    release_log();
    assert_int_equal(collector.lines + collector.dropped, taken + 1);
    assert_int_equal(failures, 0);
}

/* Within one run: it is told when it is over. */
static void test_giving_up_is_told_once_and_when_it_is_over(void **state)
{
    (void)state;
    new_spool(2);
    start_collector(false);
    capture_log();
    struct deliver *d = start_agent(false);
    put(d, 0);
    AWAIT(has_batches, 1);
    int64_t taken = 1, deadline = mono_ms() + PATIENCE_MS;
    bool is_said = false;
    while (!is_said && mono_ms() < deadline) {
        struct spool_reading r = {
            .point = 0, .kind = READING_REGISTER, .time_ms = T0 + taken, .count = taken};
        bool is_taken = deliver_put(d, &r, true);
        taken += is_taken;
        is_said = taken % 500 == 0 && has_said("given up since the start");
        if (!is_taken)
            deliver_wait_empty(d, mono_ms() + 20);
    }
    assert_true(is_said);
    assert_false(has_said("the spool has room again"));
    uint64_t epoch = collector.batches[0].header.epoch;
    pthread_mutex_lock(&collector.lock);
    collector.acknowledges = true;
    collector.mark = collector.batches[collector.batch_count - 1].header.seq;
    pthread_mutex_unlock(&collector.lock);
    send_ack((struct ack){epoch, collector.mark, false}, false);
    AWAIT(is_empty, (intptr_t)d);
    deadline = mono_ms() + PATIENCE_MS;
    while (!has_said("the spool has room again") && mono_ms() < deadline)
        await(never, 0, 20);
    assert_true(has_said("the spool has room again"));
    stop_agent(d);
    stop_collector();
}

static void test_a_replay_waits_instead(void **state)
{
    (void)state;
    new_spool(2);
    settings.broker.port = 1;
    capture_log();
    struct deliver *d = start_agent(true);
    int64_t put_count = 0;
    struct spool_reading r = {.point = 0, .kind = READING_REGISTER};
    int64_t deadline = mono_ms() + PATIENCE_MS;
    bool is_full = false, is_taken = true;
    while ((is_taken || !is_full) && put_count < 200000 && mono_ms() < deadline) {
        r.time_ms = T0 + put_count;
        is_full = !is_taken && has_said("readings wait in memory");
        is_taken = deliver_put_patiently(d, &r, mono_ms() + 100);
        put_count += is_taken;
    }
    assert_true(is_full);
    assert_true(put_count > 4096 && put_count < 200000);
    struct deliver_progress progress;
    deliver_progress(d, &progress);
    assert_int_equal(progress.committed + progress.waiting, put_count);
    assert_true(progress.waiting <= 4096);
    struct error err;
    assert_int_equal(end_agent(d, 0, &err), ST_FULL);
}

/* In a child: its files may not grow from a certain moment on. */
static int write_until_the_disk_fails(void)
{
    struct deliver *d = start_agent(false);
    put(d, 1);
    if (!await(has_batches, 1, PATIENCE_MS))
        return 7;
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit nothing = {1, 1};
    if (setrlimit(RLIMIT_FSIZE, &nothing) != 0)
        return 2;
    put(d, 2);
    int64_t deadline = mono_ms() + PATIENCE_MS;
    struct error err, stop_err;
    while (!deliver_has_failed(d, &err) && mono_ms() < deadline)
        await(never, 0, 20);
    if (!deliver_has_failed(d, &err) || failures != 1)
        return 3;
    struct spool_reading r = {.point = 0, .kind = READING_REGISTER, .time_ms = T0 + 3};
    if (deliver_put(d, &r, true) || deliver_put_patiently(d, &r, mono_ms() + 5000))
        return 4;
    if (await(has_batches, 2, 700) && collector.batches[1].header.seq != 1)
        return 5; /* published what is not on disk */
    if (deliver_stop(d, 3000, &stop_err) != ST_STORAGE)
        return 6;
    return 0;
}

static void test_an_error_of_the_disk_ends_it_and_nothing_uncommitted_is_sent(void **state)
{
    (void)state;
    new_spool(64);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        start_collector(false);
        _exit(write_until_the_disk_fails());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* The first one: it forks, and after the MQTT library has threads that is too late. */
        cmocka_unit_test(test_an_error_of_the_disk_ends_it_and_nothing_uncommitted_is_sent),
        cmocka_unit_test_setup_teardown(
            test_what_was_put_is_on_disk_after_the_end_and_sent_by_the_next_start, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_a_full_spool_gives_up_the_oldest_and_says_how_many, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_giving_up_is_told_once_and_when_it_is_over, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(test_a_replay_waits_instead, forget_acks, end_all),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
