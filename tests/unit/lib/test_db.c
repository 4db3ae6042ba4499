#include "lib/db.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/parkmon-test-db-XXXXXX";
static char path[64];

static const char *const scripts[] = {
    "CREATE TABLE item(id INTEGER PRIMARY KEY, text TEXT, bytes BLOB, number REAL) STRICT;"
    "CREATE TABLE pair(a INTEGER NOT NULL UNIQUE, b INTEGER) STRICT",
    "ALTER TABLE pair ADD COLUMN c INTEGER; INSERT INTO pair VALUES(1, 2, 3)"};
static const struct db_schema first_schema = {scripts, 1};
static const struct db_schema schema = {scripts, 2};

static int fresh_path(void **state)
{
    (void)state;
    static int number;
    snprintf(path, sizeof path, "%s/%d.db", folder, ++number);
    return 0;
}

static struct db *open_db(void)
{
    struct db *db = NULL;
    struct error err = {""};
    if (db_open(path, &schema, &db, &err) != ST_OK)
        fail_msg("%s", err.text);
    return db;
}

static int64_t count_of(struct db *db, const char *sql)
{
    struct db_stmt *s = db_prepare(db, sql);
    bool has_row;
    assert_int_equal(db_step(s, &has_row, NULL), ST_OK);
    assert_true(has_row);
    int64_t count = db_int(s, 0);
    db_reset(s);
    return count;
}

static void add_item(struct db *db, int size, enum status *ret)
{
    char *bytes = mem_zalloc((size_t)size);
    struct db_stmt *s = db_prepare(db, "INSERT INTO item(bytes) VALUES(?)");
    db_bind_blob(s, 1, (struct span){bytes, (size_t)size});
    *ret = db_run(s, NULL);
    free(bytes);
}

static void test_values_come_back_as_they_were_bound(void **state)
{
    (void)state;
    struct db *db = open_db();
    struct db_stmt *add = db_prepare(db, "INSERT INTO item(id, text, bytes, number) VALUES(?, ?, ?, ?)");
    db_bind_int(add, 1, INT64_MIN);
    db_bind_text(add, 2, SPAN("\xe4\xba\x91 it's"));
    db_bind_blob(add, 3, SPAN("\0\xff\0"));
    db_bind_double(add, 4, 0.1);
    assert_int_equal(db_run(add, NULL), ST_OK);
    assert_true(db_last_id(db) == INT64_MIN);
    db_bind_int(add, 1, INT64_MAX);
    db_bind_text(add, 2, (struct span){NULL, 0});
    db_bind_blob(add, 3, (struct span){NULL, 0});
    db_bind_null(add, 4);
    assert_int_equal(db_run(add, NULL), ST_OK);
    assert_int_equal(db_changes(db), 1);

    struct db_stmt *get = db_prepare(db, "SELECT id, text, bytes, number FROM item ORDER BY id");
    bool has_row;
    assert_int_equal(db_step(get, &has_row, NULL), ST_OK);
    assert_true(has_row);
    assert_true(db_int(get, 0) == INT64_MIN);
    assert_true(span_is(db_text(get, 1), "\xe4\xba\x91 it's"));
    struct span bytes = db_text(get, 2);
    assert_int_equal(bytes.len, 3);
    assert_memory_equal(bytes.at, "\0\xff\0", 3);
    assert_true(db_double(get, 3) == 0.1);
    assert_int_equal(db_step(get, &has_row, NULL), ST_OK);
    assert_true(has_row);
    assert_true(db_int(get, 0) == INT64_MAX);
    assert_false(db_is_null(get, 1)); /* an empty text is a text */
    assert_false(db_is_null(get, 2));
    assert_true(db_is_null(get, 3));
    assert_int_equal(db_text(get, 1).len, 0);
    assert_int_equal(db_step(get, &has_row, NULL), ST_OK);
    assert_false(has_row);
    db_close(db);
}

static void test_an_old_database_is_migrated_and_a_newer_one_refused(void **state)
{
    (void)state;
    struct db *db = NULL;
    assert_int_equal(db_open(path, &first_schema, &db, NULL), ST_OK);
    assert_int_equal(count_of(db, "SELECT count(*) FROM pair"), 0);
    db_close(db);
    db = open_db();
    assert_int_equal(count_of(db, "SELECT c FROM pair"), 3);
    db_close(db);
    db = open_db(); /* once only */
    assert_int_equal(count_of(db, "SELECT count(*) FROM pair"), 1);
    assert_int_equal(count_of(db, "PRAGMA user_version"), 2);
    db_close(db);
    struct error err = {""};
    db = NULL;
    assert_int_equal(db_open(path, &first_schema, &db, &err), ST_INVALID);
    assert_null(db);
    assert_non_null(strstr(err.text, "newer version"));
}

static void test_a_migration_that_fails_changes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "CREATE TABLE one(a INTEGER) STRICT", "INSERT INTO one VALUES(1); INSERT INTO nowhere VALUES(1)"};
    struct db *db = NULL;
    struct error err = {""};
    assert_int_not_equal(db_open(path, &(struct db_schema){bad, 2}, &db, &err), ST_OK);
    assert_non_null(strstr(err.text, "nowhere"));
    assert_int_equal(db_open(path, &(struct db_schema){bad, 1}, &db, &err), ST_OK);
    assert_int_equal(count_of(db, "SELECT count(*) FROM one"), 0);
    db_close(db);
}

static void test_a_second_writer_is_refused_and_a_reader_is_not(void **state)
{
    (void)state;
    struct db *db = open_db();
    struct db *second = NULL;
    struct error err = {""};
    assert_int_equal(db_open(path, &schema, &second, &err), ST_UNREACHABLE);
    assert_non_null(strstr(err.text, "in use by another process"));
    pid_t child = fork();
    if (child == 0)
        _exit(db_open(path, &schema, &second, NULL) == ST_UNREACHABLE ? 0 : 1);
    int result = -1;
    waitpid(child, &result, 0);
    assert_int_equal(result, 0);

    struct db *reader = NULL;
    assert_int_equal(db_open_reader(path, &reader, NULL), ST_OK);
    assert_int_equal(db_begin(db, NULL), ST_OK);
    assert_int_equal(db_exec(db, "INSERT INTO pair VALUES(7, 7, 7)", NULL), ST_OK);
    assert_int_equal(count_of(reader, "SELECT count(*) FROM pair"), 1);
    assert_int_equal(db_commit(db, NULL), ST_OK);
    assert_int_equal(count_of(reader, "SELECT count(*) FROM pair"), 2);
    assert_int_not_equal(db_exec(reader, "INSERT INTO pair VALUES(8, 8, 8)", NULL), ST_OK);
    db_close(reader);
    db_close(db);
    db = open_db(); /* the lock is gone with its holder */
    db_close(db);
    db_close(NULL);
}

static void assert_is_in_use(const char *name)
{
    struct db *second = NULL;
    struct db_lock lock;
    struct error err = {""};
    assert_int_equal(db_open(name, &schema, &second, &err), ST_UNREACHABLE);
    char *text = mem_printf("%s is in use by another process", name);
    assert_string_equal(err.text, text);
    free(text);
    assert_int_equal(db_lock(name, &lock, NULL), ST_UNREACHABLE);
}

static void test_a_second_writer_is_refused_by_whatever_link_it_comes(void **state)
{
    (void)state;
    char by_link[80], by_folder[160], by_name[80], other_folder[80];
    snprintf(by_link, sizeof by_link, "%s-link", path);
    snprintf(by_name, sizeof by_name, "%s-name", path);
    snprintf(other_folder, sizeof other_folder, "%s-folder", path);
    snprintf(by_folder, sizeof by_folder, "%s/%s", other_folder, strrchr(path, '/') + 1);
    assert_int_equal(symlink(strrchr(path, '/') + 1, by_link), 0);
    assert_int_equal(symlink(folder, other_folder), 0);
    struct db *db = NULL;
    assert_int_equal(db_open(by_link, &schema, &db, NULL), ST_OK); /* which leads to nothing yet */
    assert_int_equal(link(path, by_name), 0);
    assert_is_in_use(path);
    assert_is_in_use(by_folder);
    assert_is_in_use(by_name);
    /* Its file is replaced under it. */
    assert_int_equal(unlink(path), 0);
    assert_is_in_use(path);
    assert_is_in_use(by_link);
    fclose(fopen(path, "w"));
    assert_is_in_use(path);
    assert_is_in_use(by_link);
    assert_is_in_use(by_folder);
    db_close(db);
    struct db_lock lock;
    assert_int_equal(db_lock(by_name, &lock, NULL), ST_OK);
    db_unlock(&lock);
    unlink(other_folder);
    unlink(by_link);
}

static void test_what_is_no_database_is_refused_with_its_name(void **state)
{
    (void)state;
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is a text, not a database\n", f);
    fclose(f);
    struct db *db = NULL;
    struct error err = {""};
    assert_int_equal(db_open(path, &schema, &db, &err), ST_INVALID);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, "not a sound database"));
    assert_int_equal(db_open_reader(path, &db, &err), ST_INVALID);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 31000); /* and it is left as it was */
    assert_int_equal(db_open("/nowhere/at/all.db", &schema, &db, &err), ST_STORAGE);
    assert_int_equal(db_open_reader("/nowhere/at/all.db", &db, &err), ST_STORAGE);
}

static void test_a_constraint_is_invalid_and_the_transaction_goes_on(void **state)
{
    (void)state;
    struct db *db = open_db();
    assert_int_equal(db_begin(db, NULL), ST_OK);
    assert_int_equal(db_exec(db, "INSERT INTO pair VALUES(5, 5, 5)", NULL), ST_OK);
    assert_int_equal(db_exec(db, "INSERT INTO pair VALUES(5, 6, 6)", NULL), ST_INVALID);
    assert_int_equal(db_commit(db, NULL), ST_OK);
    assert_int_equal(count_of(db, "SELECT count(*) FROM pair WHERE a = 5"), 1);
    assert_int_equal(db_begin(db, NULL), ST_OK);
    assert_int_equal(db_exec(db, "DELETE FROM pair", NULL), ST_OK);
    db_rollback(db);
    db_rollback(db);
    assert_int_equal(count_of(db, "SELECT count(*) FROM pair"), 2);
    db_close(db);
}

static void test_a_full_database_loses_the_whole_transaction_and_nothing_else(void **state)
{
    (void)state;
    struct db *db = open_db();
    db_limit_bytes(db, 256 * 1024);
    enum status status = ST_OK;
    assert_int_equal(db_begin(db, NULL), ST_OK);
    add_item(db, 1000, &status);
    assert_int_equal(status, ST_OK);
    assert_int_equal(db_commit(db, NULL), ST_OK);

    assert_int_equal(db_begin(db, NULL), ST_OK);
    int added = 0;
    for (; status == ST_OK && added < 1000; added++)
        add_item(db, 10000, &status);
    assert_int_equal(status, ST_FULL);
    assert_in_range(added, 10, 30);
    /* What comes after the failure must not commit by itself. */
    assert_int_equal(db_exec(db, "INSERT INTO pair VALUES(9, 9, 9)", NULL), ST_FULL);
    struct error err = {""};
    assert_int_equal(db_commit(db, &err), ST_FULL);
    assert_non_null(strstr(err.text, "rolled back"));
    assert_int_equal(count_of(db, "SELECT count(*) FROM item"), 1);
    assert_int_equal(count_of(db, "SELECT count(*) FROM pair WHERE a = 9"), 0);

    add_item(db, 1000, &status);
    assert_int_equal(status, ST_OK);
    db_limit_bytes(db, 0);
    add_item(db, 1000000, &status);
    assert_int_equal(status, ST_OK);
    db_close(db);
}

/* A limit on the size of files makes every further write fail; it would stay, hence the child. */
static int child_with_failing_disk(struct db *db)
{
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {200 * 1024, 200 * 1024};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || db_begin(db, NULL) != ST_OK)
        return 1;
    enum status status = ST_OK;
    for (int i = 0; i < 1000 && status == ST_OK; i++)
        add_item(db, 10000, &status);
    if (status == ST_OK)
        status = db_commit(db, NULL);
    else
        db_rollback(db);
    return status == ST_STORAGE ? 0 : 2;
}

static void test_an_io_error_is_a_storage_error_and_what_was_committed_is_still_there(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct db *db = open_db();
        enum status status;
        add_item(db, 1000, &status);
        _exit(status == ST_OK ? child_with_failing_disk(db) : 3);
    }
    int result = -1;
    waitpid(child, &result, 0);
    assert_int_equal(result, 0);
    struct db *db = open_db();
    assert_int_equal(count_of(db, "SELECT count(*) FROM item"), 1);
    db_close(db);
}

static void test_freed_space_is_used_again_and_can_be_given_back(void **state)
{
    (void)state;
    struct db *db = open_db();
    int64_t empty = db_used_bytes(db);
    enum status status;
    for (int i = 0; i < 50; i++) {
        add_item(db, 100000, &status);
        assert_int_equal(status, ST_OK);
    }
    assert_in_range(db_used_bytes(db) - empty, 5000000, 5500000);
    assert_int_equal(db_exec(db, "DELETE FROM item", NULL), ST_OK);
    assert_in_range(db_used_bytes(db) - empty, 0, 100000);
    int64_t pages = count_of(db, "PRAGMA page_count");
    assert_true(pages * 4096 > 5000000);
    assert_int_equal(db_vacuum_some(db, 100, NULL), ST_OK);
    assert_int_equal(count_of(db, "PRAGMA page_count"), pages - 100);
    assert_int_equal(db_vacuum_some(db, 1000000, NULL), ST_OK);
    assert_in_range(count_of(db, "PRAGMA page_count") * 4096, 1, empty + 100000);
    db_close(db);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_in_range(info.st_size, 1, 200000);
}

static void test_the_log_beside_the_file_stays_bounded(void **state)
{
    (void)state;
    struct db *db = open_db();
    struct db_stmt *s = db_prepare(db, "INSERT OR REPLACE INTO pair VALUES(?, ?, 0)");
    struct db_stmt *big = db_prepare(db, "INSERT OR REPLACE INTO item(id, bytes) VALUES(1, zeroblob(?))");
    for (int i = 0; i < 300; i++) {
        assert_int_equal(db_begin(db, NULL), ST_OK);
        db_bind_int(s, 1, i % 10 + 100);
        db_bind_int(s, 2, i);
        assert_int_equal(db_run(s, NULL), ST_OK);
        db_bind_int(big, 1, 100000);
        assert_int_equal(db_run(big, NULL), ST_OK);
        assert_int_equal(db_commit(db, NULL), ST_OK);
    }
    char log[80];
    snprintf(log, sizeof log, "%s-wal", path);
    struct stat info;
    assert_int_equal(stat(log, &info), 0);
    assert_in_range(info.st_size, 1, 5 << 20); /* 30 MB went through it */
    db_close(db);
}

static void test_the_settings_are_those_of_the_contract(void **state)
{
    (void)state;
    struct db *db = open_db();
    assert_int_equal(count_of(db, "PRAGMA synchronous"), 2); /* FULL */
    assert_int_equal(count_of(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    assert_int_equal(count_of(db, "PRAGMA auto_vacuum"), 2); /* INCREMENTAL */
    assert_int_equal(count_of(db, "PRAGMA cache_size"), -512);
    db_cache_kib(db, 8192);
    assert_int_equal(count_of(db, "PRAGMA cache_size"), -8192);
    db_close(db);
}

int main(void)
{
    if (mkdtemp(folder) == NULL)
        return 1;
#define TEST(name) cmocka_unit_test_setup(name, fresh_path)
    const struct CMUnitTest tests[] = {
        TEST(test_values_come_back_as_they_were_bound),
        TEST(test_an_old_database_is_migrated_and_a_newer_one_refused),
        TEST(test_a_migration_that_fails_changes_nothing),
        TEST(test_a_second_writer_is_refused_and_a_reader_is_not),
        TEST(test_a_second_writer_is_refused_by_whatever_link_it_comes),
        TEST(test_what_is_no_database_is_refused_with_its_name),
        TEST(test_a_constraint_is_invalid_and_the_transaction_goes_on),
        TEST(test_a_full_database_loses_the_whole_transaction_and_nothing_else),
        TEST(test_an_io_error_is_a_storage_error_and_what_was_committed_is_still_there),
        TEST(test_freed_space_is_used_again_and_can_be_given_back),
        TEST(test_the_log_beside_the_file_stays_bounded),
        TEST(test_the_settings_are_those_of_the_contract),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? failed : 1;
}
