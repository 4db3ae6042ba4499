#include "collector/store/unfinished.h"

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX (1024 * 1024)

static char *path_of(const char *database)
{
    return mem_printf("%s.rebuild", database);
}

static enum status fail(const struct unfinished *u, struct error *err)
{
    return error_set(err, errno == ENOSPC || errno == EDQUOT ? ST_FULL : ST_STORAGE,
        "%s: %s; there it must be noted what is deleted", u->path, strerror(errno));
}

/* A line that a power loss tore names no hour, or one too many: it is looked at for nothing. */
static void read_hours(int fd, struct hour_list *ret)
{
    char *text = mem_zalloc(TEXT_MAX + 1), *at = text, *line;
    ssize_t len = pread(fd, text, TEXT_MAX, 0);
    while (len > 0 && (line = strsep(&at, "\n")) != NULL) {
        struct hour hour = {0};
        long long number;
        if (at != NULL && sscanf(line, "%31[a-z] %lld", hour.measurement, &number) == 2)
            hour_list_add(ret, span_of(hour.measurement), number);
    }
    free(text);
}

static enum status write_hours(const struct unfinished *u, struct error *err)
{
    struct buf text = {0};
    for (size_t i = 0; i < u->hours.count; i++)
        buf_printf(&text, "%s %lld\n", u->hours.items[i].measurement, (long long)u->hours.items[i].hour);
    enum status status = ST_OK;
    if ((text.len > 0 && pwrite(u->fd, text.data, text.len, 0) != (ssize_t)text.len) ||
        ftruncate(u->fd, (off_t)text.len) != 0 || fsync(u->fd) != 0)
        status = fail(u, err);
    buf_release(&text);
    return status;
}

enum status unfinished_open(struct unfinished *u, const char *database, struct error *err)
{
    *u = (struct unfinished){.path = path_of(database)};
    u->fd = open(u->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (u->fd < 0)
        return fail(u, err);
    if (flock(u->fd, LOCK_EX | LOCK_NB) != 0)
        return error_set(err, ST_UNREACHABLE, "%s is locked: a rebuild runs", u->path);
    /* Who rebuilds as root leaves what the collector can read. */
    struct stat owner, own;
    if (stat(database, &owner) == 0 && fstat(u->fd, &own) == 0 &&
        (owner.st_uid != own.st_uid || owner.st_gid != own.st_gid) &&
        fchown(u->fd, owner.st_uid, owner.st_gid) != 0)
        return fail(u, err);
    read_hours(u->fd, &u->hours);
    return ST_OK;
}

void unfinished_close(struct unfinished *u)
{
    if (u->path != NULL && u->fd >= 0)
        close(u->fd);
    free(u->path);
    hour_list_release(&u->hours);
    *u = (struct unfinished){0};
}

static bool is_same(const struct hour *a, const struct hour *b)
{
    return a->hour == b->hour && strcmp(a->measurement, b->measurement) == 0;
}

static bool is_noted(const struct unfinished *u, const struct hour *hour)
{
    for (size_t i = 0; i < u->hours.count; i++)
        if (is_same(&u->hours.items[i], hour))
            return true;
    return false;
}

enum status unfinished_add_span(
    struct unfinished *u, struct span measurement, int64_t from, int64_t to, struct error *err)
{
    size_t before = u->hours.count;
    for (struct hour hour = {.hour = from}; hour.hour < to; hour.hour++) {
        text_copy(hour.measurement, sizeof hour.measurement, measurement);
        if (is_noted(u, &hour))
            continue;
        MEM_GROW(u->hours.items, u->hours.count, u->hours.capacity);
        u->hours.items[u->hours.count++] = hour;
    }
    return u->hours.count > before ? write_hours(u, err) : ST_OK;
}

enum status unfinished_remove_span(
    struct unfinished *u, struct span measurement, int64_t from, int64_t to, struct error *err)
{
    struct hour_list *all = &u->hours;
    size_t kept = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct hour *hour = &all->items[i];
        bool is_done = hour->hour >= from && hour->hour < to &&
                       strlen(hour->measurement) == measurement.len &&
                       memcmp(hour->measurement, measurement.at, measurement.len) == 0;
        if (!is_done)
            all->items[kept++] = *hour;
    }
    all->count = kept;
    return write_hours(u, err);
}

enum status unfinished_add(struct unfinished *u, const struct hour *hour, struct error *err)
{
    return unfinished_add_span(u, span_of(hour->measurement), hour->hour, hour->hour + 1, err);
}

enum status unfinished_remove(struct unfinished *u, const struct hour *hour, struct error *err)
{
    return unfinished_remove_span(u, span_of(hour->measurement), hour->hour, hour->hour + 1, err);
}

/* -1: there is nothing, or a rebuild has it. */
static int open_at_rest(const char *database)
{
    char *path = path_of(database);
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    free(path);
    struct stat info;
    if (fd >= 0 && (fstat(fd, &info) != 0 || info.st_size == 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

bool unfinished_look(const char *database, struct hour_list *ret)
{
    int fd = open_at_rest(database);
    if (fd < 0)
        return false;
    read_hours(fd, ret);
    close(fd);
    return ret->count > 0;
}

void unfinished_forget(const char *database, const struct hour_list *hours)
{
    int fd = open_at_rest(database);
    if (fd < 0)
        return;
    struct hour_list noted = {0};
    read_hours(fd, &noted);
    bool is_known = noted.count == hours->count;
    for (size_t i = 0; i < noted.count && is_known; i++)
        is_known = is_same(&noted.items[i], &hours->items[i]);
    if (is_known && ftruncate(fd, 0) == 0)
        fsync(fd);
    hour_list_release(&noted);
    close(fd);
}
