#include "collector/backup/backup.h"

#include "collector/backup/database_file.h"
#include "collector/schema.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long long mebibytes(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 ? (long long)((about.st_size + (1 << 20) - 1) >> 20) : 0;
}

/* Whoever opens the backup would take the log of another database for a part of it. */
static bool lies_beside(const char *target, const char *suffix)
{
    struct stat about;
    char *name = mem_printf("%s%s", target, suffix);
    bool is_there = lstat(name, &about) == 0;
    if (is_there)
        fprintf(stderr,
            "park-collector: %s is there, and would be taken for a part of the backup; expected another "
            "name, or that "
            "to be moved away\n",
            name);
    free(name);
    return is_there;
}

/* A rename would put the copy in the place of a device, a fifo or a link as well. */
static bool is_good_target(const char *target, bool may_replace)
{
    struct stat about;
    if (*target == '\0' || target[strlen(target) - 1] == '/')
        fprintf(stderr, "park-collector: \"%s\" names no file; expected the name of a new one\n", target);
    else if (lstat(target, &about) != 0) /* what else is wrong with it making the copy will say */
        return !lies_beside(target, "-wal") && !lies_beside(target, "-journal");
    else if (!S_ISREG(about.st_mode))
        fprintf(stderr,
            "park-collector: %s is not a regular file; expected a new name, or a file to replace\n", target);
    else if (!may_replace)
        fprintf(stderr, "park-collector: %s exists; expected a new name, or --force to replace it\n", target);
    else if (db_check_owner(target, COLLECTOR_APPLICATION_ID, collector_schema.count, NULL) != ST_OK)
        fprintf(stderr,
            "park-collector: %s is not a backup, nor a database of this program; expected a new name, or one "
            "to replace\n",
            target);
    else
        return !lies_beside(target, "-wal") && !lies_beside(target, "-journal");
    return false;
}

/* Of an older format it may be: a collector that is given the copy brings it up to date. */
static enum status check_source(const char *database, struct error *err)
{
    struct db *db;
    enum status status =
        db_open_reader_own(database, COLLECTOR_APPLICATION_ID, collector_schema.count, &db, err);
    if (status == ST_OK)
        db_close(db);
    return status;
}

/* What some collector uses is not replaced under it; nor does one start on it meanwhile. */
static enum status hold_target(const char *target, int *ret_fd, struct error *err)
{
    struct stat about;
    if (stat(target, &about) != 0)
        return ST_OK;
    enum status status = file_lock(target, ret_fd, err);
    return status == ST_UNREACHABLE ? error_set(err, status, "%s is in use by another process", target)
                                    : status;
}

static enum status back_up(const char *database, const char *part, const char *target, struct error *err)
{
    int held = -1;
    enum status status = check_source(database, err);
    if (status == ST_OK)
        status = hold_target(target, &held, err);
    if (status != ST_OK)
        return status;
    unlink(part); /* of a backup that was killed */
    if ((status = database_copy(database, false, part, err)) == ST_OK &&
        (status = database_move(part, target, err)) != ST_OK)
        unlink(part);
    if (held >= 0)
        close(held);
    return status;
}

/* Two backups to one target would write to one file: the second is refused (ST_UNREACHABLE). The lock's file is
 * removed while it is held: who gets the lock of one that has no name any more comes too late for it. */
static enum status lock_target(const char *part, const char *target, int *ret_fd, struct error *err)
{
    char *name = mem_printf("%s.lock", part);
    struct stat named, held;
    int fd;
    enum status status = file_lock(name, &fd, err);
    if (status == ST_OK && (fstat(fd, &held) != 0 || lstat(name, &named) != 0 ||
                               held.st_dev != named.st_dev || held.st_ino != named.st_ino)) {
        close(fd);
        status = ST_UNREACHABLE;
    }
    if (status == ST_UNREACHABLE)
        error_set(err, status, "another backup to %s is being made", target);
    if (status == ST_OK)
        *ret_fd = fd;
    free(name);
    return status;
}

static void unlock_target(const char *part, int fd)
{
    char *name = mem_printf("%s.lock", part);
    unlink(name);
    close(fd);
    free(name);
}

int backup_run(const struct collector_settings *settings, const char *target, bool may_replace)
{
    const char *database = settings->database.path;
    struct error err;
    int lock, code = EXIT_USAGE;
    char *part = mem_printf("%s.part", target);
    if (database_is_apart(target, database, "another name") &&
        database_is_apart(part, database, "another name") && is_good_target(target, may_replace)) {
        enum status status = lock_target(part, target, &lock, &err);
        bool is_locked = status == ST_OK;
        /* Another one may have ended in between. */
        bool is_good = is_locked && is_good_target(target, may_replace);
        if (is_good && (status = back_up(database, part, target, &err)) == ST_OK)
            printf("%s: sound, %lld MiB\n", target, mebibytes(target));
        if (is_locked)
            unlock_target(part, lock);
        if (!is_locked || is_good)
            code = database_exit_code(status, &err);
    }
    free(part);
    return code;
}
