#include "lib/file.h"

#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Non-blocking, so that a pipe without a writer is refused instead of waited for. */
static enum status open_regular(const char *path, int *ret_fd, struct stat *ret_stat, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return error_set(err, ST_INVALID, "%s: %s", path, strerror(errno));
    if (fstat(fd, ret_stat) != 0 || !S_ISREG(ret_stat->st_mode)) {
        close(fd);
        return error_set(err, ST_INVALID, "%s: not a regular file", path);
    }
    *ret_fd = fd;
    return ST_OK;
}

/* Reads up to `max` bytes; beyond them is a failure. Takes `fd`. The size that stat tells is only a hint: the
 * kernel's own files say 0. */
static enum status read_all(
    int fd, const char *path, size_t max, char **ret, size_t *ret_len, struct error *err)
{
    size_t len = 0, cap = max < 4096 ? max + 2 : 4096;
    char *data = mem_alloc(cap);
    for (;;) {
        ssize_t got = read(fd, data + len, cap - 1 - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            int cause = got < 0 ? errno : 0;
            close(fd);
            if (cause != 0) {
                free(data);
                return error_set(err, ST_INVALID, "%s: %s", path, strerror(cause));
            }
            break;
        }
        len += (size_t)got;
        if (len > max) {
            close(fd);
            free(data);
            return error_set(err, ST_INVALID, "%s: larger than %zu bytes", path, max);
        }
        if (len == cap - 1) {
            cap = cap > max / 2 ? max + 2 : cap * 2;
            data = mem_realloc(data, cap);
        }
    }
    data[len] = '\0';
    *ret = data;
    if (ret_len != NULL)
        *ret_len = len;
    return ST_OK;
}

enum status file_read(const char *path, size_t max, char **ret, size_t *ret_len, struct error *err)
{
    int fd;
    struct stat about;
    enum status status = open_regular(path, &fd, &about, err);
    return status == ST_OK ? read_all(fd, path, max, ret, ret_len, err) : status;
}

enum status file_read_secret(const char *path, char **ret, struct error *err)
{
    int fd;
    struct stat about;
    enum status status = open_regular(path, &fd, &about, err);
    if (status != ST_OK)
        return status;
    if (about.st_mode & S_IRWXO) {
        close(fd);
        return error_set(err, ST_INVALID, "%s: open to every user of this machine (mode %03o)", path,
            (unsigned)(about.st_mode & 0777));
    }
    char *text;
    size_t len;
    status = read_all(fd, path, FILE_SECRET_MAX, &text, &len, err);
    if (status != ST_OK)
        return status;
    if (strlen(text) != len) {
        free(text);
        return error_set(err, ST_INVALID, "%s: holds a NUL byte", path);
    }
    text[strcspn(text, "\r\n")] = '\0';
    if (text[0] == '\0') {
        free(text);
        return error_set(err, ST_INVALID, "%s: empty first line", path);
    }
    *ret = text;
    return ST_OK;
}

enum status file_sync_folder_of(const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL   ? mem_strdup(".")
                   : slash == path ? mem_strdup("/")
                                   : mem_strndup(path, (size_t)(slash - path));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum status status = ST_OK;
    if (fd < 0 || fsync(fd) != 0)
        status = error_set(err, ST_STORAGE, "cannot sync %s: %s", folder, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(folder);
    return status;
}

/* 0, or the errno. */
static int write_synced(const char *path, const char *data, size_t len)
{
    unlink(path); /* what a crash left there */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), cause = fd < 0 ? errno : 0;
    while (cause == 0 && len > 0) {
        ssize_t put = write(fd, data, len);
        if (put < 0 && errno == EINTR)
            continue;
        cause = put < 0 ? errno : put == 0 ? ENOSPC : 0;
        data += put > 0 ? put : 0;
        len -= put > 0 ? (size_t)put : 0;
    }
    if (cause == 0 && fsync(fd) != 0)
        cause = errno;
    if (fd >= 0 && close(fd) != 0 && cause == 0)
        cause = errno;
    return cause;
}

enum status file_replace(const char *path, const void *data, size_t len, struct error *err)
{
    char *part = mem_printf("%s.part", path);
    int cause = write_synced(part, data, len);
    if (cause == 0 && rename(part, path) != 0)
        cause = errno;
    if (cause != 0)
        unlink(part);
    free(part);
    if (cause != 0)
        return error_set(err, cause == ENOSPC || cause == EDQUOT ? ST_FULL : ST_STORAGE,
            "%s: cannot be written: %s", path, strerror(cause));
    return file_sync_folder_of(path, err);
}

enum status file_give_to_owner_of(const char *other, const char *path, struct error *err)
{
    struct stat owner, about;
    if (stat(path, &about) != 0)
        return ST_OK;
    if (stat(other, &owner) != 0) {
        char *folder = file_beside(other, ".");
        int missing = stat(folder, &owner);
        int cause = errno;
        if (missing != 0)
            error_set(err, ST_STORAGE, "%s: %s", folder, strerror(cause));
        free(folder);
        if (missing != 0)
            return ST_STORAGE;
    }
    bool is_same = about.st_uid == owner.st_uid && about.st_gid == owner.st_gid;
    if (is_same || chown(path, owner.st_uid, owner.st_gid) == 0)
        return ST_OK;
    return error_set(
        err, ST_STORAGE, "cannot give %s to the user whose %s is: %s", path, other, strerror(errno));
}

char *file_beside(const char *base, const char *path)
{
    const char *slash = strrchr(base, '/');
    if (path[0] == '/' || slash == NULL)
        return mem_strdup(path);
    return mem_printf("%.*s/%s", (int)(slash - base), base, path);
}

#define LINKS_MAX 40 /* as many as Linux follows */

/* A link to nothing is followed by hand: what is made there is made where it leads. */
static char *follow(const char *path, int links)
{
    char text[PATH_MAX];
    char *real = realpath(path, NULL);
    if (real != NULL)
        return real;
    ssize_t len = links < LINKS_MAX ? readlink(path, text, sizeof text - 1) : -1;
    if (len > 0) {
        text[len] = '\0';
        char *next = file_beside(path, text);
        real = follow(next, links + 1);
        free(next);
        return real;
    }
    const char *slash = strrchr(path, '/');
    char *beside = file_beside(path, "."), *folder = realpath(beside, NULL);
    real = folder != NULL ? mem_printf("%s/%s", folder, slash != NULL ? slash + 1 : path) : mem_strdup(path);
    free(folder);
    free(beside);
    return real;
}

char *file_real_path(const char *path)
{
    return follow(path, 0);
}

enum status file_lock(const char *path, int *ret_fd, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set(err, ST_STORAGE, "cannot open %s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *ret_fd = fd;
        return ST_OK;
    }
    enum status status = errno == EWOULDBLOCK
                             ? error_set(err, ST_UNREACHABLE, "%s is in use by another process", path)
                             : error_set(err, ST_STORAGE, "cannot lock %s: %s", path, strerror(errno));
    close(fd);
    return status;
}

enum status file_disk_used(const char *path, int64_t *ret_permille, struct error *err)
{
    struct statvfs disk;
    if (statvfs(path, &disk) != 0)
        return error_set(err, ST_INVALID, "%s: %s", path, strerror(errno));
    int64_t used = (int64_t)(disk.f_blocks - disk.f_bfree), all = used + (int64_t)disk.f_bavail;
    *ret_permille = all > 0 ? used * 1000 / all : 0;
    return ST_OK;
}
