/* Mail by a program of this machine: one that hangs ends in its time, with all that it began, though no descriptor is left to wait by. */
#include "collector/couriers/mail.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "tests/unit/settings_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_without_pidfd;

/* In place of the C library's. */
int pidfd_open(pid_t pid, unsigned flags)
{
    if (!is_without_pidfd)
        return (int)syscall(SYS_pidfd_open, pid, flags);
    errno = EMFILE;
    return -1;
}

static enum status send_by(const char *script, int timeout_ms, struct error *err)
{
    char *path = settings_write("sendmail", script);
    assert_int_equal(chmod(path, 0700), 0);
    enum status status = mail_send(path, (struct span){"To: x\n\n", 7}, timeout_ms, -1, err);
    free(path);
    return status;
}

/* What it began holds a pipe open, which ends only with it. */
static void test_what_it_began_ends_with_it(void **state)
{
    (void)state;
    struct error err = {""};
    char said[64], *pipe_path = settings_write("pipe", "");
    assert_int_equal(unlink(pipe_path), 0);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    int fd = open(pipe_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    char *script = mem_printf("#!/bin/sh\n(echo begun; sleep 60) > '%s' &\nwait\n", pipe_path);
    assert_int_equal(send_by(script, 1000, &err), ST_TIMEOUT);
    struct pollfd polled = {fd, POLLIN, 0};
    do
        assert_int_equal(poll(&polled, 1, 20000), 1);
    while (read(fd, said, sizeof said) > 0);
    close(fd);
    free(script);
    free(pipe_path);
}

static void test_it_ends_in_its_time_with_and_without_a_descriptor_for_it(void **state)
{
    (void)state;
    static const bool withouts[] = {false, true};
    for (size_t i = 0; i < 2; i++) {
        struct error err = {""};
        is_without_pidfd = withouts[i];
        assert_int_equal(send_by("#!/bin/sh\ncat > /dev/null\n", 60000, &err), ST_OK);
        assert_int_equal(send_by("#!/bin/sh\ncat > /dev/null\nexit 3\n", 60000, &err), ST_PROTOCOL);
        assert_non_null(strstr(err.text, "ended with 3; expected 0"));
        int64_t begin_ms = clock_system.mono_ms();
        assert_int_equal(send_by("#!/bin/sh\ncat > /dev/null\nsleep 100\n", 300, &err), ST_TIMEOUT);
        assert_true(clock_system.mono_ms() - begin_ms < 50000);
    }
    is_without_pidfd = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_it_began_ends_with_it),
        cmocka_unit_test(test_it_ends_in_its_time_with_and_without_a_descriptor_for_it)};
    return cmocka_run_group_tests(tests, settings_make_folder, NULL);
}
