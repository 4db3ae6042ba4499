#include "collector/backup/backup.h"

#include "collector/backup/database_file.h"
#include "collector/backup/energy_lineage.h"
#include "collector/backup/handover.h"
#include "collector/backup/lineage.h"
#include "collector/instrument/told.h"
#include "collector/schema.h"
#include "collector/store/unfinished.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool exists(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0;
}

char *restore_unfinished_path(const char *database)
{
    char *real = file_real_path(database), *unfinished = mem_printf("%s.restoring", real);
    free(real);
    return unfinished;
}

/* What SQLite keeps beside a database while it is open. */
static void remove_logs_of(const char *database)
{
    char *log = mem_printf("%s-wal", database), *shared = mem_printf("%s-shm", database);
    unlink(log);
    unlink(shared);
    free(shared);
    free(log);
}

/* The database with its write-ahead log under another name, so that it can be opened there. The log gets that name
 * first, and loses its own last: whenever this is cut short, the database that was here is whole where it is. */
static enum status set_aside(const char *database, const char *aside, struct error *err)
{
    char *log = mem_printf("%s-wal", database), *log_aside = mem_printf("%s-wal", aside);
    enum status status = ST_OK;
    struct stat about;
    /* A log that is left over of a database that is aside already has its second name. */
    bool is_aside = !exists(database) && lstat(log, &about) == 0 && about.st_nlink > 1;
    if (exists(log) && !is_aside && link(log, log_aside) != 0)
        status = error_set(err, ST_STORAGE, "cannot link %s to %s: %s", log, log_aside, strerror(errno));
    if (status == ST_OK)
        status = file_sync_folder_of(database, err);
    if (status == ST_OK && exists(database))
        status = database_move(database, aside, err);
    if (status == ST_OK) {
        remove_logs_of(database); /* nothing of them may be left beside the restored one */
        status = file_sync_folder_of(database, err);
    }
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

/* What the comparison came to, for a person. */
static void tell(const struct lineage *lineage, int64_t meters)
{
    if (lineage->again > 0)
        printf("Batches of the backup that are posted to the time-series store again: %lld. What was here "
               "had not\n"
               "posted them, or nobody knows that it had.\n",
            (long long)lineage->again);
    if (meters > 0)
        printf("The energy of %lld meters is posted to the time-series store again, as far as it may differ "
               "there.\n",
            (long long)meters);
    if (!lineage->is_known)
        printf("The backup could not be compared with what was here: %s.\n"
               "If yet another backup was put back here since this one was made, the time-series store may "
               "hold\n"
               "other values than it for the time since: then run park-collector rebuild --period for these "
               "days.\n",
            lineage->why.text);
}

/* Nothing is changed yet where the database is in its place: then nothing stands in the way of a start either. */
static void take_back(const char *restoring, const char *aside)
{
    char *log = mem_printf("%s-wal", aside);
    unlink(restoring);
    unlink(log);
    free(log);
}

/* What a restore left that was interrupted stays until the backup is in the database's place: no collector starts. */
static enum status exchange(
    const char *part, const char *restoring, const char *database, const char *aside, struct error *err)
{
    enum status status = database_move(part, restoring, err);
    if (status == ST_OK)
        status = set_aside(database, aside, err);
    if (status == ST_OK)
        status = database_move(restoring, database, err);
    if (status != ST_OK && exists(database) && exists(restoring))
        take_back(restoring, aside);
    return status;
}

/* A gateway may hold nothing newer than the backup for a while, or have nothing to tell: what was told up to then is not now. */
static enum status leave_words(void *user_data, struct db *restored, struct error *err)
{
    (void)user_data;
    return told_leave_all(restored, err);
}

struct order {
    const char *backup, *database;
    bool drops_decisions, is_refused;
};

static enum status put_in_place(struct order *order, struct error *err)
{
    const char *backup = order->backup, *database = order->database;
    char *restoring = restore_unfinished_path(database), *part = mem_printf("%s.part", restoring),
         *lock = mem_printf("%s.lock", database), *aside = name_aside(database);
    bool was_here = exists(database), goes_on = exists(restoring) && !was_here;
    /* An administrator restores as root what the collector must be able to open as its own user. */
    const char *owner = goes_on ? restoring : database;
    struct lineage lineage = {.why = {"there was nothing"}};
    int64_t meters = 0;
    remove_logs_of(part); /* and what else is left of a restore that was killed */
    unlink(part);
    enum status status = database_copy(backup, true, part, err);
    /* Where one goes on that was killed: which of those aside it had replaced nothing says for sure. */
    if (status == ST_OK && (was_here || goes_on))
        status = lineage_rewind(part, goes_on ? NULL : database, &lineage, err);
    /* One that was killed had left there what the one aside had told it. */
    if (status == ST_OK && (was_here || goes_on))
        status = handover_run(part, owner, order->drops_decisions, &order->is_refused, err);
    if (status == ST_OK)
        status = energy_lineage_note(part, goes_on || !was_here ? NULL : database, &meters, err);
    if (status == ST_OK)
        status = database_change(part, leave_words, NULL, err);
    if (goes_on)
        remove_logs_of(restoring); /* as below */
    remove_logs_of(part);          /* one that was only read keeps an empty one */
    if (status == ST_OK && (status = file_give_to_owner_of(owner, part, err)) == ST_OK)
        status = file_give_to_owner_of(owner, lock, err);
    if (status == ST_OK)
        status = exchange(part, restoring, database, aside, err);
    if (status != ST_OK) {
        unlink(part);
    } else {
        tell(&lineage, meters);
        if (was_here)
            printf("the database that was here is now %s\n", aside);
        else if (goes_on)
            printf("the database that was here is the newest %s.before-*: a restore had put it there\n",
                database);
    }
    free(aside);
    free(lock);
    free(part);
    free(restoring);
    return status;
}

/* What is not even a file with something in it; says so. */
static bool may_be_backup(const char *backup)
{
    struct stat about;
    const char *why = *backup == '\0'             ? "names no file"
                      : stat(backup, &about) != 0 ? NULL /* opening it says what is wrong */
                      : !S_ISREG(about.st_mode)   ? "is not a regular file"
                      : about.st_size == 0        ? "is empty"
                                                  : NULL;
    if (why != NULL)
        fprintf(stderr, "park-collector: \"%s\" %s; expected a backup\n", backup, why);
    return why == NULL;
}

static bool may_be_replaced(const char *database)
{
    struct stat about;
    if (lstat(database, &about) != 0 || S_ISREG(about.st_mode))
        return true;
    fprintf(stderr, "park-collector: database.path: %s is not a regular file; expected a database, or none\n",
        database);
    return false;
}

/* No collector, and no rebuild that would go on writing what the replaced database holds. */
static enum status restore_alone(struct order *order, struct error *err)
{
    struct unfinished rebuild;
    enum status status = unfinished_open(&rebuild, order->database, err);
    if (status == ST_OK)
        status = file_give_to_owner_of(order->database, rebuild.path, err);
    if (status == ST_OK)
        status = put_in_place(order, err);
    unfinished_close(&rebuild);
    return status;
}

int restore_run(const struct collector_settings *settings, const char *backup, bool drops_decisions)
{
    struct error err;
    struct db_lock lock;
    if (!database_is_apart(backup, settings->database.path, "a backup of it") || !may_be_backup(backup))
        return EXIT_USAGE;
    /* SQLite's files stand beside what a link leads to. */
    char *database = file_real_path(settings->database.path);
    struct order order = {.backup = backup, .database = database, .drops_decisions = drops_decisions};
    if (!may_be_replaced(database)) {
        free(database);
        return EXIT_CONFIG;
    }
    enum status status = db_check(backup, COLLECTOR_APPLICATION_ID, collector_schema.count, &err);
    if (status == ST_OK)
        status = db_lock(settings->database.path, &lock, &err);
    if (status == ST_OK) {
        status = restore_alone(&order, &err);
        db_unlock(&lock);
    }
    if (status == ST_OK)
        printf("%s holds what %s held.\n"
               "Next, start the collector: it asks the agents for every batch after this backup. What they "
               "still\n"
               "keep comes again; what they do not is recorded as loss, by name (/api/v1/losses).\n",
            database, backup);
    free(database);
    int code = database_exit_code(status, &err);
    return order.is_refused ? EXIT_REFUSED : code;
}
