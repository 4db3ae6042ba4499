#include "lib/reserve.h"

#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Of the right size, and all of it on the disk: not the holes of a copied one. */
static bool is_whole(const struct reserve *r, const struct stat *info)
{
    return S_ISREG(info->st_mode) && info->st_size == r->bytes && (int64_t)info->st_blocks * 512 >= r->bytes;
}

void reserve_init(struct reserve *r, const char *beside, int64_t bytes)
{
    *r = (struct reserve){
        .beside = mem_strdup(beside), .path = mem_printf("%s.reserve", beside), .bytes = bytes};
    struct stat info;
    r->is_held = lstat(r->path, &info) == 0 && is_whole(r, &info);
}

void reserve_release(struct reserve *r)
{
    free(r->beside);
    free(r->path);
    *r = (struct reserve){0};
}

static enum status fail(const struct reserve *r, int cause, struct error *err)
{
    bool is_full = cause == ENOSPC || cause == EDQUOT || cause == EFBIG;
    return error_set(err, is_full ? ST_FULL : ST_STORAGE, "%s: %s", r->path, strerror(cause));
}

static int allocate(int fd, int64_t bytes)
{
    if (ftruncate(fd, 0) != 0)
        return errno;
    int cause = posix_fallocate(fd, 0, bytes); /* where it is unknown, the library writes instead */
    return cause == 0 && fsync(fd) != 0 ? errno : cause;
}

int64_t reserve_needs_bytes(const struct reserve *r)
{
    return 2 * r->bytes;
}

static bool has_room(const struct reserve *r)
{
    struct statvfs disk;
    return statvfs(r->beside, &disk) != 0 ||
           (int64_t)disk.f_bavail >= reserve_needs_bytes(r) / (int64_t)disk.f_frsize;
}

enum status reserve_take(struct reserve *r, struct error *err)
{
    if (r->is_held)
        return ST_OK;
    if (!has_room(r))
        return fail(r, ENOSPC, err);
    int fd = open(r->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(r, errno, err);
    int cause = allocate(fd, r->bytes);
    close(fd);
    if (cause != 0) {
        unlink(r->path);
        return fail(r, cause, err);
    }
    r->is_held = true;
    return ST_OK;
}

bool reserve_give_up(struct reserve *r)
{
    if (!r->is_held)
        return false;
    r->is_held = false;
    /* A disk too full to change a folder may still shorten a file. */
    return unlink(r->path) == 0 || truncate(r->path, 0) == 0;
}
