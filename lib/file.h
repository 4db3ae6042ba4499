/* Small files and folders. Every failure is ST_INVALID, unless told otherwise, with a line that begins with the path. */
#pragma once

#include "lib/status.h"

#include <stddef.h>
#include <stdint.h>

#define FILE_SECRET_MAX 4096

/* The first line of a secret file (password, token) without its line end; at most FILE_SECRET_MAX bytes. The
 * error says what is wrong: missing, unreadable, not a file, empty, too long, open to others than owner and
 * group. The caller frees it. */
enum status file_read_secret(const char *path, char **ret, struct error *err);
/* The whole file, NUL-terminated, at most `max` bytes. The caller frees it. `ret_len` may be NULL. */
enum status file_read(const char *path, size_t max, char **ret, size_t *ret_len, struct error *err);
/* `path` holds these bytes, on the disk, and is its owner's alone; where that fails it is what it was. By way of
 * "<path>.part". ST_FULL: the disk has no room. ST_STORAGE: it cannot be written, or it may not last. */
enum status file_replace(const char *path, const void *data, size_t len, struct error *err);
/* Makes it last that `path` was created, renamed or removed: syncs its folder. ST_STORAGE where that fails. */
enum status file_sync_folder_of(const char *path, struct error *err);
/* Where `path` leads to through all links, also while nothing is there yet. The caller frees it. */
char *file_real_path(const char *path);
/* Locks the file `path` (flock), which is made where it is missing, until *ret_fd is closed. ST_UNREACHABLE: somebody
 * holds it. ST_STORAGE: it cannot be opened, or its file system has no such locks. */
enum status file_lock(const char *path, int *ret_fd, struct error *err);
/* What root makes for a program that runs as another user: `path` gets owner and group of `other` or, where that is
 * missing, of the folder in which it would stand. Nothing where `path` is not there. ST_STORAGE where it cannot. */
enum status file_give_to_owner_of(const char *other, const char *path, struct error *err);
/* `path` itself when absolute, else relative to the folder in which the file `base` stands. The caller frees
 * it. */
char *file_beside(const char *base, const char *path);
/* How much of the disk that `path` lies on is in use, in thousandths, of what this user may have. */
enum status file_disk_used(const char *path, int64_t *ret_permille, struct error *err);
