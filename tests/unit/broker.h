/* A mosquitto of the test's own on a free loopback port, and its command-line clients: an oracle that is not
 * ours. */
#pragma once

#include "lib/clock.h"
#include "tests/unit/free_port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct broker {
    pid_t pid;
    int port;
    int log_fd;
};

#define BROKER_OPEN "allow_anonymous true\n"

/* Waits for the line that the child prints once it listens: so the listener is the child. */
static inline bool broker_is_running(int log_fd)
{
    char text[8192];
    size_t len = 0;
    while (len < sizeof text - 1) {
        ssize_t got = read(log_fd, text + len, sizeof text - 1 - len);
        if (got <= 0)
            return false;
        len += (size_t)got;
        text[len] = '\0';
        if (strstr(text, " running") != NULL)
            return true;
    }
    return false;
}

static inline void broker_stop(struct broker *b)
{
    kill(b->pid, SIGKILL);
    waitpid(b->pid, NULL, 0);
    close(b->log_fd);
}

/* Starts it on its port with these lines of settings beside the usual ones; false where it does not listen.
 * The folder is for its settings, which are gone when this returns. */
static inline bool broker_try(struct broker *b, const char *folder, const char *settings)
{
    char path[128];
    snprintf(path, sizeof path, "%s/broker.conf", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f,
        "listener %d 127.0.0.1\nuser root\npersistence false\nlog_dest stderr\nlog_type error\n"
        "log_type information\n%s",
        b->port, settings);
    fclose(f);
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    b->pid = fork();
    assert_true(b->pid >= 0);
    if (b->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], 2);
        execl("/usr/sbin/mosquitto", "mosquitto", "-c", path, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    b->log_fd = ends[0];
    bool is_running = broker_is_running(b->log_fd);
    unlink(path);
    if (!is_running)
        broker_stop(b);
    return is_running;
}

static inline struct broker broker_start(const char *folder, const char *settings)
{
    struct broker b;
    for (int i = 0; i < 5; i++) {
        b.port = free_port();
        if (broker_try(&b, folder, settings))
            return b;
    }
    fail_msg("no mosquitto: /usr/sbin/mosquitto does not start");
    return b;
}

/* Starts it again where it was. Clients of other programs may hold its port for a moment: the port is one of
 * those that the system hands out. */
static inline void broker_again(struct broker *b, const char *folder, const char *settings)
{
    int64_t deadline = clock_system.mono_ms() + 20000;
    while (!broker_try(b, folder, settings))
        if (clock_system.mono_ms() >= deadline)
            fail_msg("no mosquitto at port %d", b->port);
}

/* A mosquitto_sub of a topic: its lines are "<retained> <topic> <payload>". It ends by itself after 50 s. */
struct listener {
    pid_t pid;
    FILE *lines;
};

static inline struct listener broker_listen_to_both(
    const struct broker *b, const char *topic, const char *other_topic)
{
    char port[16];
    snprintf(port, sizeof port, "%d", b->port);
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct listener l = {.pid = fork()};
    assert_true(l.pid >= 0);
    if (l.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], 1);
        execlp("mosquitto_sub", "mosquitto_sub", "-V", "5", "-h", "127.0.0.1", "-p", port, "-q", "1", "-W",
            "50", "-t", topic, "-t", other_topic, "-F", "%r %t %p", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    l.lines = fdopen(ends[0], "re");
    assert_non_null(l.lines);
    return l;
}

static inline struct listener broker_listen(const struct broker *b, const char *topic)
{
    return broker_listen_to_both(b, topic, topic);
}

static inline void broker_unlisten(struct listener *l)
{
    kill(l->pid, SIGKILL);
    waitpid(l->pid, NULL, 0);
    fclose(l->lines);
}

static inline void broker_publish(
    const struct broker *b, const char *topic, const char *payload, bool is_retained)
{
    char command[256];
    snprintf(command, sizeof command, "mosquitto_pub -V 5 -h 127.0.0.1 -p %d -q 1 -t '%s' %s -s", b->port,
        topic, is_retained ? "-r" : "");
    FILE *f = popen(command, "we");
    assert_non_null(f);
    fputs(payload, f);
    assert_int_equal(pclose(f), 0);
}

/* What is retained there, as "1 <payload>"; "" = nothing. Valid until the next call. The broker answers a
 * subscription topic by topic: what is not there before the second one's message is not there. */
static inline const char *broker_retained(const struct broker *b, const char *topic)
{
    static char text[512];
    char line[1024], wanted[256];
    broker_publish(b, "test/end", "end", true);
    struct listener l = broker_listen_to_both(b, topic, "test/end");
    snprintf(wanted, sizeof wanted, "1 %s ", topic);
    text[0] = '\0';
    bool has_ended = false;
    while (!has_ended && fgets(line, sizeof line, l.lines) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        has_ended = strcmp(line, "1 test/end end") == 0;
        if (strncmp(line, wanted, strlen(wanted)) == 0)
            snprintf(text, sizeof text, "1 %.500s", line + strlen(wanted));
    }
    broker_unlisten(&l);
    assert_true(has_ended);
    return text;
}
