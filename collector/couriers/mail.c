#include "collector/couriers/mail.h"

#include "lib/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define LOOK_MS 50 /* between two looks whether it has ended, where nothing tells */

struct child {
    pid_t pid;
    int input_fd, pid_fd; /* -1 = closed */
};

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int spawn(const char *program, int input_fd, pid_t *ret)
{
    char *arguments[] = {(char *)(uintptr_t)program, (char[]){"-t"}, (char[]){"-i"}, NULL};
    char *environment[] = {(char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, ignored_here;
    sigemptyset(&none);
    sigemptyset(&ignored_here);
    sigaddset(&ignored_here, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input_fd, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &ignored_here);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    int code = posix_spawn(ret, program, &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return code;
}

static enum status begin(const char *program, struct child *ret, struct error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set(err, ST_UNREACHABLE, "%s: %s", program, strerror(errno));
    int code = spawn(program, ends[0], &ret->pid);
    close(ends[0]);
    ret->input_fd = ends[1];
    if (code != 0) {
        shut(&ret->input_fd);
        return error_set(err, ST_UNREACHABLE, "%s: %s", program, strerror(code));
    }
    fcntl(ret->input_fd, F_SETFL, O_NONBLOCK);
    ret->pid_fd = pidfd_open(ret->pid, 0);
    return ST_OK;
}

/* Until the descriptor is ready. */
static enum status wait_for(
    int fd, short events, int64_t deadline_mono_ms, int cancel_fd, const char *program, struct error *err)
{
    struct pollfd polled[] = {{fd, events, 0}, {cancel_fd, POLLIN, 0}};
    for (;;) {
        int64_t left_ms = deadline_mono_ms - clock_system.mono_ms();
        int ready = left_ms > 0 ? poll(polled, 2, (int)left_ms) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return error_set(err, ST_TIMEOUT, "%s did not end in its time", program);
        if (polled[1].revents != 0)
            return error_set(err, ST_TIMEOUT, "%s: cancelled", program);
        return ST_OK;
    }
}

/* Until it has ended, and can be asked how. */
static enum status wait_end(
    const struct child *c, int64_t deadline_mono_ms, int cancel_fd, const char *program, struct error *err)
{
    if (c->pid_fd >= 0)
        return wait_for(c->pid_fd, POLLIN, deadline_mono_ms, cancel_fd, program, err);
    for (;;) { /* no descriptor was left for it */
        siginfo_t end = {0};
        struct pollfd polled = {cancel_fd, POLLIN, 0};
        int64_t left_ms = deadline_mono_ms - clock_system.mono_ms();
        if (waitid(P_PID, (id_t)c->pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid == c->pid)
            return ST_OK;
        if (left_ms <= 0)
            return error_set(err, ST_TIMEOUT, "%s did not end in its time", program);
        if (poll(&polled, 1, left_ms < LOOK_MS ? (int)left_ms : LOOK_MS) > 0)
            return error_set(err, ST_TIMEOUT, "%s: cancelled", program);
    }
}

static enum status feed(struct child *c, struct span mail, int64_t deadline_mono_ms, int cancel_fd,
    const char *program, struct error *err)
{
    for (size_t at = 0; at < mail.len;) {
        ssize_t done = write(c->input_fd, mail.at + at, mail.len - at);
        if (done > 0)
            at += (size_t)done;
        else if (errno == EPIPE)
            break; /* how it ended says why */
        else if (errno != EINTR && errno != EAGAIN)
            return error_set(err, ST_TIMEOUT, "%s: %s", program, strerror(errno));
        else {
            enum status status = wait_for(c->input_fd, POLLOUT, deadline_mono_ms, cancel_fd, program, err);
            if (status != ST_OK)
                return status;
        }
    }
    shut(&c->input_fd);
    return ST_OK;
}

static enum status check_end(const char *program, const siginfo_t *end, struct error *err)
{
    if (end->si_code != CLD_EXITED)
        return error_set(err, ST_TIMEOUT, "%s was ended by signal %d", program, end->si_status);
    if (end->si_status != 0)
        return error_set(err, end->si_status == EX_TEMPFAIL ? ST_TIMEOUT : ST_PROTOCOL,
            "%s ended with %d; expected 0", program, end->si_status);
    return ST_OK;
}

enum status mail_send(const char *program, struct span mail, int timeout_ms, int cancel_fd, struct error *err)
{
    struct child c = {.input_fd = -1, .pid_fd = -1};
    int64_t deadline_mono_ms = clock_system.mono_ms() + timeout_ms;
    enum status status = begin(program, &c, err);
    if (status != ST_OK)
        return status;
    status = feed(&c, mail, deadline_mono_ms, cancel_fd, program, err);
    if (status == ST_OK)
        status = wait_end(&c, deadline_mono_ms, cancel_fd, program, err);
    if (status != ST_OK) /* it leads a group of its own: what it began ends with it */
        kill(-c.pid, SIGKILL);
    shut(&c.input_fd);
    siginfo_t end = {0};
    while (waitid(P_PID, (id_t)c.pid, &end, WEXITED) != 0 && errno == EINTR)
        ;
    shut(&c.pid_fd);
    return status == ST_OK ? check_end(program, &end, err) : status;
}
