#include "collector/backup.h"

#include "collector/schema.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/program.h"
#include "lib/progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int complain_and_code(enum status status, const struct error *err)
{
    if (status != ST_OK)
        fprintf(stderr, "park-collector: %s\n", err->text);
    return program_exit_code(status);
}

static bool on_slice(void *user_data, int64_t done, int64_t all)
{
    progress_show(user_data, "copied %lld of %lld MiB", (long long)(done >> 20), (long long)(all >> 20));
    return !program_is_asked_to_end();
}

/* A new file `to` with what the database `from` holds, synced and sound; nothing where it fails. */
static enum status copy(const char *from, bool is_at_rest, const char *to, struct error *err)
{
    struct progress progress;
    progress_begin(&progress);
    enum status status = db_copy(from, is_at_rest, to, on_slice, &progress, err);
    progress_show(&progress, "checking the copy");
    if (status == ST_OK)
        status = db_check(to, COLLECTOR_APPLICATION_ID, collector_schema.count, err);
    progress_end(&progress);
    if (status != ST_OK)
        unlink(to);
    return status;
}

static bool exists(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat one, other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

static const char *name_in_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static enum status move(const char *from, const char *to, struct error *err)
{
    if (rename(from, to) != 0)
        return error_set(err, ST_STORAGE, "cannot rename %s to %s: %s", from, to, strerror(errno));
    return file_sync_folder_of(to, err);
}

static long long mebibytes(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 ? (long long)((about.st_size + (1 << 20) - 1) >> 20) : 0;
}

/* ---- names that are refused ---- */

/* Does `path` lead to the file `other`, or would it if it were made? */
static bool is_same_place(const char *path, const char *other)
{
    if (is_same_file(path, other))
        return true;
    char *folder = file_beside(path, "."), *other_folder = file_beside(other, ".");
    bool is_same =
        strcmp(name_in_folder(path), name_in_folder(other)) == 0 && is_same_file(folder, other_folder);
    free(other_folder);
    free(folder);
    return is_same;
}

static bool stands_beside(const char *path, const char *database)
{
    /* SQLite's, lib/db.h, lib/reserve.h, collector/store/unfinished.h, a restore's, collector/access/tokens.h. */
    static const char *const suffixes[] = {"-wal", "-shm", "-journal", ".lock", ".reserve", ".rebuild",
        ".restoring", ".restoring.part", ".access", ".access-wal", ".access-shm", ".access.lock"};
    bool is_one = false;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0] && !is_one; i++) {
        char *name = mem_printf("%s%s", database, suffixes[i]);
        is_one = is_same_place(path, name);
        free(name);
    }
    return is_one;
}

/* Where the database is named by a link, SQLite's files stand beside what that leads to. */
static bool belongs_to_database(const char *path, const char *database)
{
    char *real = realpath(database, NULL);
    bool belongs = stands_beside(path, database) || (real != NULL && stands_beside(path, real));
    free(real);
    return belongs;
}

/* False where `path` may be neither source nor target of what is done with the database; says so. */
static bool is_apart(const char *path, const char *database, const char *expected)
{
    const char *why = is_same_place(path, database)         ? "is the database itself"
                      : belongs_to_database(path, database) ? "belongs to the database"
                                                            : NULL;
    if (why != NULL)
        fprintf(stderr, "park-collector: %s %s; expected %s\n", path, why, expected);
    return why == NULL;
}

/* A rename would put the copy in the place of a device, a fifo or a link as well. */
static bool is_good_target(const char *target, bool may_replace)
{
    struct stat about;
    if (*name_in_folder(target) == '\0')
        fprintf(stderr, "park-collector: \"%s\" names no file; expected the name of a new one\n", target);
    else if (lstat(target, &about) != 0)
        return true; /* what else is wrong with it making the copy will say */
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
        return true;
    return false;
}

/* ---- backup ---- */

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

static enum status back_up(const char *database, const char *part, const char *target, struct error *err)
{
    enum status status = check_source(database, err);
    if (status != ST_OK)
        return status;
    unlink(part); /* of a backup that was killed */
    if ((status = copy(database, false, part, err)) == ST_OK && (status = move(part, target, err)) != ST_OK)
        unlink(part);
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
    if (is_apart(target, database, "another name") && is_apart(part, database, "another name") &&
        is_good_target(target, may_replace)) {
        enum status status = lock_target(part, target, &lock, &err);
        bool is_locked = status == ST_OK;
        /* Another one may have ended in between. */
        bool is_good = is_locked && is_good_target(target, may_replace);
        if (is_good && (status = back_up(database, part, target, &err)) == ST_OK)
            printf("%s: sound, %lld MiB\n", target, mebibytes(target));
        if (is_locked)
            unlock_target(part, lock);
        if (!is_locked || is_good)
            code = complain_and_code(status, &err);
    }
    free(part);
    return code;
}

/* ---- restore ---- */

char *restore_unfinished_path(const char *database)
{
    char *real = file_real_path(database), *unfinished = mem_printf("%s.restoring", real);
    free(real);
    return unfinished;
}

/* The database with its write-ahead log under another name, so that it can be opened there. The log gets that name
 * first, and loses its own last: whenever this is cut short, the database that was here is whole where it is. */
static enum status set_aside(const char *database, const char *aside, struct error *err)
{
    char *log = mem_printf("%s-wal", database), *log_aside = mem_printf("%s-wal", aside),
         *shared = mem_printf("%s-shm", database);
    enum status status = ST_OK;
    struct stat about;
    /* A log that is left over of a database that is aside already has its second name. */
    bool is_aside = !exists(database) && lstat(log, &about) == 0 && about.st_nlink > 1;
    if (exists(log) && !is_aside && link(log, log_aside) != 0)
        status = error_set(err, ST_STORAGE, "cannot link %s to %s: %s", log, log_aside, strerror(errno));
    if (status == ST_OK)
        status = file_sync_folder_of(database, err);
    if (status == ST_OK && exists(database))
        status = move(database, aside, err);
    if (status == ST_OK) {
        /* Of the log beside the restored database nothing may be left. */
        unlink(log);
        unlink(shared);
        status = file_sync_folder_of(database, err);
    }
    free(shared);
    free(log_aside);
    free(log);
    return status;
}

/* A name that no earlier restore has taken, not even for a log. */
static char *name_aside(const char *database)
{
    char stamp[CLOCK_TEXT_SIZE];
    clock_format_utc(clock_system.wall_ms(), stamp);
    char *name = mem_printf("%s.before-%s", database, stamp), *log = mem_printf("%s-wal", name);
    for (int i = 2; exists(name) || exists(log); i++) {
        free(name);
        free(log);
        name = mem_printf("%s.before-%s-%d", database, stamp, i);
        log = mem_printf("%s-wal", name);
    }
    free(log);
    return name;
}

/* What a restore left that was interrupted stays until the backup is in the database's place: no collector starts. */
static enum status put_in_place(const char *backup, const char *database, struct error *err)
{
    char *restoring = restore_unfinished_path(database), *part = mem_printf("%s.part", restoring),
         *lock = mem_printf("%s.lock", database), *aside = name_aside(database);
    bool goes_on = exists(restoring) && !exists(database);
    /* An administrator restores as root what the collector must be able to open as its own user. */
    const char *owner = goes_on ? restoring : database;
    unlink(part); /* of a restore that was killed */
    enum status status = copy(backup, true, part, err);
    if (status == ST_OK && (status = file_give_to_owner_of(owner, part, err)) == ST_OK)
        status = file_give_to_owner_of(owner, lock, err);
    if (status == ST_OK)
        status = move(part, restoring, err);
    if (status == ST_OK)
        status = set_aside(database, aside, err);
    if (status == ST_OK)
        status = move(restoring, database, err);
    if (status == ST_OK && exists(aside))
        printf("the database that was here is now %s\n", aside);
    else if (status == ST_OK && goes_on)
        printf(
            "the database that was here is the newest %s.before-*: a restore had put it there\n", database);
    free(aside);
    free(lock);
    free(part);
    free(restoring);
    return status;
}

int restore_run(const struct collector_settings *settings, const char *backup)
{
    struct error err;
    struct db_lock lock;
    if (!is_apart(backup, settings->database.path, "a backup of it"))
        return EXIT_USAGE;
    enum status status = db_check(backup, COLLECTOR_APPLICATION_ID, collector_schema.count, &err);
    if (status == ST_OK)
        status = db_lock(settings->database.path, &lock, &err);
    if (status != ST_OK)
        return complain_and_code(status, &err);
    /* SQLite's files stand beside what a link leads to. */
    char *database = file_real_path(settings->database.path);
    status = put_in_place(backup, database, &err);
    if (status == ST_OK)
        printf("%s holds what %s held.\n"
               "Next, start the collector: it asks the agents for every batch after this backup. What they "
               "still\n"
               "keep comes again; what they do not is recorded as loss, by name (/api/v1/losses).\n",
            database, backup);
    free(database);
    db_unlock(&lock);
    return complain_and_code(status, &err);
}
