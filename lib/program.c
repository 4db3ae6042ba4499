#include "lib/program.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static sigset_t end_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

void program_begin(void)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    sigset_t ends = end_signals();
    sigprocmask(SIG_BLOCK, &ends, NULL);
}

void program_wait_for_end(void)
{
    sigset_t ends = end_signals();
    int signal;
    sigwait(&ends, &signal);
}

enum program_wish program_wait(void)
{
    sigset_t all = end_signals();
    int signal;
    sigwait(&all, &signal);
    return signal == SIGHUP ? PROGRAM_RELOAD : PROGRAM_END;
}

bool program_is_asked_to_end(void)
{
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT) || sigismember(&pending, SIGHUP);
}

void program_ask_to_end(void)
{
    kill(getpid(), SIGTERM);
}

int program_finish(int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "cannot write what was to be printed: %s\n",
        errno != 0 ? strerror(errno) : "an earlier write failed");
    return code == EXIT_OK ? EXIT_IO : code;
}

int program_exit_code(enum status status)
{
    switch (status) {
    case ST_OK:
        return EXIT_OK;
    case ST_INVALID:
        return EXIT_CONFIG;
    case ST_FULL:
    case ST_STORAGE:
        return EXIT_IO;
    case ST_TIMEOUT:
    case ST_UNREACHABLE:
    case ST_PROTOCOL:
        return EXIT_UNAVAILABLE;
    }
    return EXIT_INTERNAL;
}
