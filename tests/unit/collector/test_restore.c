/* collector/backup: a restore that is killed at any step, and run again. */
#include "collector/backup/backup.h"
#include "collector/schema.h"
#include "lib/mem.h"
#include "tests/unit/killed_at.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static char folder[] = "/tmp/parkmon-test-restore-XXXXXX";
static char *database, *backup;
static struct collector_settings settings;

static int64_t number_in(const char *path, const char *sql)
{
    struct db *db;
    bool has_row;
    assert_int_equal(db_open_reader(path, &db, NULL), ST_OK);
    struct db_stmt *read = db_prepare(db, sql);
    assert_int_equal(db_step(read, &has_row, NULL), ST_OK);
    int64_t found = db_int(read, 0);
    db_close(db);
    return found;
}

static int64_t gateways_in(const char *path)
{
    return number_in(path, "SELECT count(*) FROM gateway");
}

/* And a batch that came at received_ms, settled. */
static struct db *open_and_add(const char *name, int received_ms)
{
    struct db *db;
    struct error err;
    if (db_open_own(database, COLLECTOR_APPLICATION_ID, &collector_schema, &db, &err) != ST_OK)
        fail_msg("%s", err.text);
    struct db_stmt *add = db_prepare(db, "INSERT INTO gateway(name, first_heard_ms) VALUES(?, 1)");
    db_bind_text(add, 1, span_of(name));
    if (db_run(add, &err) != ST_OK)
        fail_msg("%s", err.text);
    char *sql = mem_printf(
        "INSERT INTO journal(gateway, epoch, seq, received_ms, lines, payload)"
        " VALUES(1, 1, 1, %d, 1, x'00'); UPDATE cursor SET position = (SELECT max(id) FROM journal)",
        received_ms);
    if (db_exec(db, sql, &err) != ST_OK)
        fail_msg("%s", err.text);
    free(sql);
    return db;
}

/* The backup holds one gateway; the database one as well, and its log, which a killed collector left, another. Their
 * batches are none that the two have in common. */
static void prepare(void)
{
    static int number;
    char *log;
    database = mem_printf("%s/%d.db", folder, ++number);
    backup = mem_printf("%s/%d.backup", folder, number);
    settings.database.path = database;
    struct db *db = open_and_add("gw-a", 1);
    assert_int_equal(
        db_exec(db,
            "INSERT INTO instrument(name, activity, power_point, session_point) VALUES('xrd', x'', 'gw-a/p', "
            "'gw-a/x');"
            "INSERT INTO resource(name, is_down, since_ms, heard_ms, point) VALUES('water', 0, 1, 1, "
            "'gw-a/w')",
            NULL),
        ST_OK);
    assert_int_equal(backup_run(&settings, backup, false), 0);
    assert_int_equal(db_exec(db, "UPDATE journal SET received_ms = 2", NULL), ST_OK);
    db_close(db);
    pid_t child = fork();
    if (child == 0) {
        open_and_add("gw-b", 3);
        raise(SIGKILL);
    }
    waitpid(child, NULL, 0);
    log = mem_printf("%s-wal", database);
    assert_int_equal(access(log, F_OK), 0);
    free(log);
}

static void check_what_is_aside(int step)
{
    char *pattern = mem_printf("%s.before-*", database);
    glob_t found;
    int databases = 0;
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *name = found.gl_pathv[i], *end = name + strlen(name) - 4;
        if (strcmp(end, "-wal") != 0 && strcmp(end, "-shm") != 0) {
            if (gateways_in(name) != 2)
                fail_msg("killed at step %d: %s holds %d gateways", step, name, (int)gateways_in(name));
            databases++;
        }
    }
    assert_int_equal(databases, 1);
    globfree(&found);
    free(pattern);
}

static const char fresh_words[] =
    "SELECT (SELECT count(*) FROM instrument WHERE power_point LIKE 'gw-%' OR session_point LIKE 'gw-%')"
    " + (SELECT count(*) FROM resource WHERE heard_ms IS NOT NULL)";

static void test_a_restore_killed_at_any_step_keeps_the_database_that_was_there_whole(void **state)
{
    (void)state;
    int result = -1, steps = 0;
    while (result != 0) {
        prepare();
        pid_t child = fork();
        if (child == 0) {
            killed_at = steps + 1;
            _exit(restore_run(&settings, backup, false));
        }
        waitpid(child, &result, 0);
        assert_true(result == 0 || WIFSIGNALED(result));
        char *restoring = restore_unfinished_path(database);
        /* In the place of the database is it itself, the backup, or a word that a restore was interrupted. */
        if (access(restoring, F_OK) != 0)
            assert_int_equal(gateways_in(database), result == 0 ? 1 : 2);
        if (result != 0)
            assert_int_equal(restore_run(&settings, backup, false), 0);
        assert_int_not_equal(access(restoring, F_OK), 0);
        assert_int_equal(gateways_in(database), 1);
        assert_int_equal(number_in(database, "SELECT position FROM cursor WHERE name = 'raw'"), 0);
        assert_int_equal(number_in(database, fresh_words), 0); /* what was told up to the backup is not now */
        check_what_is_aside(steps + 1);
        free(restoring);
        free(database);
        free(backup);
        steps++;
    }
    assert_true(steps > 5);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char *command = mem_printf("rm -rf '%s'", folder);
    int code = system(command);
    free(command);
    return code;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_restore_killed_at_any_step_keeps_the_database_that_was_there_whole),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
