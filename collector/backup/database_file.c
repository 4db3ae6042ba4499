#include "collector/backup/database_file.h"

#include "collector/schema.h"
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

int database_exit_code(enum status status, const struct error *err)
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
enum status database_copy(const char *from, bool is_at_rest, const char *to, struct error *err)
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

enum status database_open_copy(const char *path, struct db **ret, struct error *err)
{
    struct progress progress;
    struct db *db;
    enum status status = collector_open_reader(path, &db, err);
    if (status != ST_OK)
        return status;
    progress_begin(&progress);
    status = db_work_on_copy(&db, on_slice, &progress, err);
    progress_end(&progress);
    if (status == ST_OK)
        *ret = db;
    else
        db_close(db);
    return status;
}

enum status database_move(const char *from, const char *to, struct error *err)
{
    if (rename(from, to) != 0)
        return error_set(err, ST_STORAGE, "cannot rename %s to %s: %s", from, to, strerror(errno));
    return file_sync_folder_of(to, err);
}

/* The write-ahead log goes with the last connection, where all of it was taken in. */
static enum status check_folded(const char *path, struct error *err)
{
    char *log = mem_printf("%s-wal", path);
    struct stat about;
    enum status status = ST_OK;
    if (stat(log, &about) == 0 && about.st_size > 0)
        status = error_set(err, ST_STORAGE, "%s was not taken into its database", log);
    free(log);
    return status;
}

enum status database_change(const char *path,
    enum status (*change)(void *user_data, struct db *db, struct error *err), void *user_data,
    struct error *err)
{
    struct db *db;
    char *lock = mem_printf("%s.lock", path);
    enum status status = db_open_own(path, COLLECTOR_APPLICATION_ID, &collector_schema, &db, err);
    if (status == ST_OK) {
        status = change(user_data, db, err);
        if (status == ST_OK)
            status = db_checkpoint(db, err);
        db_close(db);
    }
    if (status == ST_OK)
        status = check_folded(path, err);
    unlink(lock);
    free(lock);
    return status;
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
    /* SQLite's, lib/db.h, lib/reserve.h, collector/store/unfinished.h, a restore's, collector/access/tokens.h,
       collector/access/sessions_file.h, collector/control.h. */
    static const char *const suffixes[] = {"-wal", "-shm", "-journal", ".lock", ".reserve", ".rebuild",
        ".restoring", ".restoring.part", ".restoring.part-wal", ".restoring.part-shm", ".restoring.part.lock",
        ".access", ".access-wal", ".access-shm", ".access.lock", ".sessions", ".sessions.part", ".socket"};
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
bool database_is_apart(const char *path, const char *database, const char *expected)
{
    const char *why = is_same_place(path, database)         ? "is the database itself"
                      : belongs_to_database(path, database) ? "belongs to the database"
                                                            : NULL;
    if (why != NULL)
        fprintf(stderr, "park-collector: %s %s; expected %s\n", path, why, expected);
    return why == NULL;
}
