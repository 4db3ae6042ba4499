/* serve_calendars.py as a child, for the tests of calendars that are fetched. */
#pragma once

#include "lib/mem.h"
#include "tests/unit/random.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t calendar_server_pid;
static int calendar_server_port;

static inline int calendar_server_start(void **state)
{
    (void)state;
    int to[2], from[2];
    if (pipe(to) != 0 || pipe(from) != 0)
        return -1;
    const char *source = getenv("PARKMON_SOURCE");
    char *path = mem_printf("%s/tests/unit/collector/serve_calendars.py", source != NULL ? source : ".");
    calendar_server_pid = fork();
    if (calendar_server_pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        execl("/usr/bin/python3", "python3", path, (char *)NULL);
        _exit(127);
    }
    free(path);
    close(to[0]);
    close(from[1]);
    char text[16] = "";
    ssize_t got = read(from[0], text, sizeof text - 1);
    close(from[0]);
    calendar_server_port = got > 0 ? atoi(text) : 0;
    return calendar_server_port > 0 ? 0 : -1;
}

static inline int calendar_server_stop(void **state)
{
    (void)state;
    kill(calendar_server_pid, SIGKILL);
    waitpid(calendar_server_pid, NULL, 0);
    return 0;
}
