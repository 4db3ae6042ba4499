/* Delivery and the disk: what is on it after the end, a spool at its limit, a disk that fails. */
#include "tests/unit/agent/deliver_fixture.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

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
    int64_t offered = 0, deadline = mono_ms() + PATIENCE_MS;
    struct spool_reading r = {.point = 1, .kind = READING_STATE, .text = text};
    bool is_said = false;
    while (!is_said && mono_ms() < deadline) {
        r.time_ms = T0 + offered++ * 20;
        bool is_taken = deliver_put(d, &r, true); /* what is refused is lost, and counted as well */
        is_said = offered % 500 == 0 && has_said("readings and 0 batches given up since the start");
        if (!is_taken)
            deliver_wait_empty(d, mono_ms() + 20);
    }
    assert_true(is_said);
    struct error err;
    assert_int_equal(end_agent(d, 0, &err), ST_OK); /* and all that was taken is in it */

    settings.broker.port = broker.port;
    start_collector(true);
    d = start_agent(false);
    AWAIT(has_lines_or_loss, offered);
    assert_true(collector.dropped > 0);
    assert_int_equal(collector.batches[0].header.dropped_from_ms, T0);
    AWAIT(is_empty, (intptr_t)d);
    r.time_ms = T0 + offered * 20;
    assert_true(deliver_put(d, &r, true));
    AWAIT(has_lines_or_loss, offered + 1);
    stop_agent(d);
    stop_collector();
    release_log();
    assert_int_equal(collector.lines + collector.dropped, offered + 1);
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

/* As another connection that is in the middle of a transaction holds it: the spool waits, and takes nothing. The
 * byte is SQLite's (https://sqlite.org/walformat.html, 2.3.1); a lock of this kind counts within one process, too. */
static struct flock write_lock(short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = 120, .l_len = 1};
}

static int hold_spool(void)
{
    char *path = mem_printf("%s-shm", settings.spool.path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    free(path);
    assert_true(fd >= 0);
    struct flock lock = write_lock(F_WRLCK);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
    return fd;
}

static void let_spool_go(int fd)
{
    struct flock lock = write_lock(F_UNLCK);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
}

static void test_what_the_full_queue_refused_is_counted_when_it_is_over(void **state)
{
    (void)state;
    new_spool(64);
    start_collector(true);
    capture_log();
    struct deliver *d = start_agent(false);
    put(d, 0);
    AWAIT(has_lines, 1);
    int fd = hold_spool();
    int64_t count = 1, refused = 0, first_refused = 0;
    for (; refused < 100; count++) {
        struct spool_reading r = {
            .point = 0, .kind = READING_REGISTER, .time_ms = T0 + count, .count = count};
        if (!deliver_put(d, &r, true) && refused++ == 0)
            first_refused = count;
        assert_true(count < 100000);
    }
    assert_int_equal(first_refused, count - refused);
    let_spool_go(fd);
    AWAIT(has_lines_or_loss, count);
    assert_int_equal(collector.dropped, refused);
    assert_int_equal(collector.lines, count - refused);
    int i = 0;
    while (collector.batches[i].header.dropped == 0)
        i++;
    assert_int_equal(collector.batches[i].header.dropped_from_ms, T0 + first_refused);
    assert_int_equal(collector.batches[i].header.dropped_to_ms, T0 + count - 1);
    assert_true(has_said("100 readings found no room in memory"));
    AWAIT(is_empty, (intptr_t)d);
    put(d, count);
    AWAIT(has_lines_or_loss, count + 1);
    assert_int_equal(collector.dropped, refused); /* once */
    stop_agent(d);
    close(fd);
    stop_collector();
}

/* The spool has room for nothing: what was put waits in memory, and is lost with it. */
static void test_what_could_not_be_committed_at_the_end_is_counted_by_the_next_start(void **state)
{
    (void)state;
    char *disk = mem_printf("%s/disk", folder), *filler = mem_printf("%s/filler", disk);
    mkdir(disk, 0700);
    if (mount("none", disk, "tmpfs", 0, "size=4m") != 0) {
        print_message("a small disk needs leave to mount one; tests/integration has it\n");
        free(disk);
        free(filler);
        return;
    }
    new_spool(64);
    free(settings.spool.path);
    settings.spool.path = mem_printf("%s/a.spool", disk);
    settings.broker.port = 1;
    int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(posix_fallocate(fd, 0, (4096 - 220) << 10), 0);
    close(fd);
    capture_log();
    struct deliver *d = start_agent(false);
    for (int i = 0; i < 3; i++)
        put(d, i);
    struct error err;
    assert_int_equal(end_agent(d, 0, &err), ST_FULL);
    assert_string_equal(err.text, "3 readings could not be committed to the spool; its next batch says so");
    unlink(filler);
    settings.broker.port = broker.port;
    start_collector(true);
    d = start_agent(false);
    put(d, 3);
    AWAIT(has_lines_or_loss, 4);
    assert_int_equal(collector.dropped, 3);
    assert_int_equal(collector.batches[0].header.dropped_from_ms, T0);
    assert_int_equal(collector.batches[0].header.dropped_to_ms, T0 + 2);
    stop_agent(d);
    stop_collector();
    umount(disk);
    free(disk);
    free(filler);
}

static int end_with_disk(void **state)
{
    char *disk = mem_printf("%s/disk", folder);
    int result = end_all(state);
    umount2(disk, MNT_DETACH); /* where the test failed */
    free(disk);
    return result;
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
    assert_null(strstr(err.text, "batch says so")); /* they are in the file yet */
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
        cmocka_unit_test_setup_teardown(
            test_what_the_full_queue_refused_is_counted_when_it_is_over, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_what_could_not_be_committed_at_the_end_is_counted_by_the_next_start, forget_acks,
            end_with_disk),
        cmocka_unit_test_setup_teardown(test_a_replay_waits_instead, forget_acks, end_all),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
