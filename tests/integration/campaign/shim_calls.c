/*
 * System calls of the C library in front of the real ones. SQLite calls through pointers that the dynamic linker
 * fills, so these come first.
 */
#define _GNU_SOURCE
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define FD_MAX 4096
#define NS_PER_S INT64_C(1000000000)
#define WALL_MIN_S 1000000000 /* a deadline beyond it is wall time: no machine runs that long */

#define REAL(name) ((__typeof__(&name))real(#name))

static volatile struct shim_control *control;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_bool is_database[FD_MAX]; /* by descriptor: a file of SQLite's */

static void map_control(void)
{
    const char *path = getenv("PARKMON_SHIM");
    if (path == NULL)
        return;
    int (*real_open)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
    int fd = real_open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        abort();
    void *at = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        abort();
    control = at;
    int (*real_close)(int) = (int (*)(int))dlsym(RTLD_NEXT, "close");
    real_close(fd);
}

volatile struct shim_control *shim_control(void)
{
    pthread_once(&once, map_control);
    return control;
}

/* The default version: a plain look-up may find the oldest. */
static void *real(const char *name)
{
    void *found = strcmp(name, "pthread_cond_timedwait") == 0 ? dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2") : NULL;
    if (found == NULL)
        found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    return found;
}

/* ---- calls that fail ---- */

static bool has_end(const char *path, const char *end)
{
    size_t length = strlen(path), end_length = strlen(end);
    return length >= end_length && strcmp(path + length - end_length, end) == 0;
}

static bool is_database_path(const char *path)
{
    static const char *const ends[] = {
        ".spool", ".spool-wal", ".spool-journal", ".db", ".db-wal", ".db-journal"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (has_end(path, ends[i]))
            return true;
    return false;
}

static bool is_watched(int fd)
{
    return fd >= 0 && fd < FD_MAX && atomic_load(&is_database[fd]);
}

/* Should this call fail? errno is set then. */
static bool fails(uint32_t call)
{
    volatile struct shim_control *c = shim_control();
    if (c == NULL || (c->fails & call) == 0)
        return false;
    if (__atomic_load_n(&c->skip, __ATOMIC_RELAXED) > 0 &&
        __atomic_fetch_sub(&c->skip, 1, __ATOMIC_RELAXED) > 0)
        return false;
    __atomic_fetch_add(&c->failed, 1, __ATOMIC_RELAXED);
    errno = c->error;
    return true;
}

static int opened(int fd, const char *path)
{
    if (fd >= 0 && fd < FD_MAX)
        atomic_store(&is_database[fd], is_database_path(path));
    return fd;
}

static bool is_creation_failing(const char *path, int flags)
{
    return (flags & O_CREAT) != 0 && is_database_path(path) && fails(SHIM_CREATE);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return is_creation_failing(path, flags) ? -1 : opened(REAL(open64)(path, flags, mode), path);
}

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return is_creation_failing(path, flags) ? -1 : opened(REAL(open)(path, flags, mode), path);
}

int close(int fd)
{
    if (fd >= 0 && fd < FD_MAX)
        atomic_store(&is_database[fd], false);
    return REAL(close)(fd);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    return is_watched(fd) && fails(SHIM_WRITE) ? -1 : REAL(pwrite64)(fd, data, size, offset);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return is_watched(fd) && fails(SHIM_WRITE) ? -1 : REAL(pwrite)(fd, data, size, offset);
}

ssize_t write(int fd, const void *data, size_t size)
{
    return is_watched(fd) && fails(SHIM_WRITE) ? -1 : REAL(write)(fd, data, size);
}

int fdatasync(int fd)
{
    return is_watched(fd) && fails(SHIM_SYNC) ? -1 : REAL(fdatasync)(fd);
}

int fsync(int fd)
{
    return is_watched(fd) && fails(SHIM_SYNC) ? -1 : REAL(fsync)(fd);
}

int ftruncate64(int fd, off64_t size)
{
    return is_watched(fd) && fails(SHIM_TRUNCATE) ? -1 : REAL(ftruncate64)(fd, size);
}

int ftruncate(int fd, off_t size)
{
    return is_watched(fd) && fails(SHIM_TRUNCATE) ? -1 : REAL(ftruncate)(fd, size);
}

/* ---- the wall clock; monotonic time goes on as it is ---- */

static int64_t offset_ns(void)
{
    volatile struct shim_control *c = shim_control();
    return c != NULL ? c->clock_offset_ms * 1000000 : 0;
}

static void shift(struct timespec *time, int64_t by_ns)
{
    int64_t ns = (int64_t)time->tv_sec * NS_PER_S + time->tv_nsec + by_ns;
    time->tv_sec = (time_t)(ns / NS_PER_S);
    time->tv_nsec = (long)(ns % NS_PER_S);
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
    int code = REAL(clock_gettime)(id, ret);
    if (code == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        shift(ret, offset_ns());
    return code;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    ret->tv_sec = now.tv_sec;
    ret->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *ret)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret != NULL)
        *ret = now.tv_sec;
    return now.tv_sec;
}

/* A deadline that was made with our wall time means the kernel's. A step during the wait is not played. */
int pthread_cond_timedwait(
    pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex, const struct timespec *restrict deadline)
{
    struct timespec kernels = *deadline;
    if (deadline->tv_sec > WALL_MIN_S)
        shift(&kernels, -offset_ns());
    return REAL(pthread_cond_timedwait)(cond, mutex, &kernels);
}

/* Whatever the machine's own clock: tests say whether it is synchronised. */
int ntp_adjtime(struct timex *ret)
{
    volatile struct shim_control *c = shim_control();
    if (c == NULL)
        return REAL(ntp_adjtime)(ret);
    return c->is_unsynchronised ? TIME_ERROR : TIME_OK;
}
