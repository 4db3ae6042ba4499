/* Kills the process before the n-th change of a name from now. In one file of a test only: these stand before libc's. */
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static int killed_at; /* 0: never */

static inline void maybe_die(void)
{
    if (killed_at > 0 && --killed_at == 0)
        raise(SIGKILL);
}

int rename(const char *from, const char *to)
{
    maybe_die();
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int link(const char *from, const char *to)
{
    maybe_die();
    return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
    maybe_die();
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
