/* Whole files: a copy of a database that is written to meanwhile, and what is no database of ours. */
#include "lib/buf.h"
#include "lib/db.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OURS 0x1234

static const char *const scripts[] = {"CREATE TABLE t(id INTEGER PRIMARY KEY, x BLOB) STRICT;"};
static const struct db_schema schema = {scripts, 1};
static char folder[40];
static char *from, *to;
static struct db *db;

static void must(enum status status, const struct error *err)
{
    if (status != ST_OK)
        fail_msg("%s: %s", status_name(status), err->text);
}

static int set_up(void **state)
{
    (void)state;
    struct error err = {""};
    strcpy(folder, "/tmp/parkmon-test-copy-XXXXXX");
    assert_non_null(mkdtemp(folder));
    from = mem_printf("%s/what%%3f?#.db", folder);
    to = mem_printf("%s/copy.db", folder);
    must(db_open_own(from, OURS, &schema, &db, &err), &err);
    must(db_exec(db,
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
             " INSERT INTO t SELECT i, zeroblob(1000) FROM n",
             &err),
        &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_close(db);
    char *command = mem_printf("rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
    free(command);
    free(from);
    free(to);
    return 0;
}

static int64_t count_rows(const char *path)
{
    struct error err = {""};
    struct db *reader;
    must(db_open_reader(path, &reader, &err), &err);
    struct db_stmt *s = db_prepare(reader, "SELECT count(*) FROM t");
    bool has_row;
    must(db_step(s, &has_row, &err), &err);
    int64_t count = db_int(s, 0);
    db_close(reader);
    return count;
}

static int slices;
static int64_t last_done, last_all;

static bool write_meanwhile(void *user_data, int64_t done, int64_t all)
{
    (void)user_data;
    struct error err = {""};
    assert_true(done >= last_done && done <= all);
    last_done = done;
    last_all = all;
    slices++;
    must(db_exec(db, "INSERT INTO t(x) VALUES(zeroblob(5000)); UPDATE t SET x = zeroblob(999) WHERE id = 1",
             &err),
        &err);
    return true;
}

static bool go_on(void *user_data, int64_t done, int64_t all)
{
    (void)user_data, (void)done, (void)all;
    return true;
}

static bool stop_at_once(void *user_data, int64_t done, int64_t all)
{
    (void)user_data, (void)done, (void)all;
    return false;
}

static void test_a_copy_is_of_one_instant_however_much_is_written_meanwhile(void **state)
{
    (void)state;
    struct error err = {""};
    slices = 0;
    last_done = 0;
    must(db_copy(from, false, to, write_meanwhile, NULL, &err), &err);
    /* It never started over: about 3 MB in slices of 1 MiB. */
    assert_in_range(slices, 2, 4);
    assert_in_range(last_all, 3000000, 4000000);
    must(db_check(to, OURS, 1, &err), &err);
    assert_int_equal(count_rows(to), 3000);
    assert_int_equal(count_rows(from), 3000 + slices);
    struct stat about;
    assert_int_equal(stat(to, &about), 0);
    assert_int_equal(about.st_mode & 0007, 0);
    /* There is something: it is not written over. */
    assert_int_equal(db_copy(from, false, to, write_meanwhile, NULL, &err), ST_STORAGE);
    assert_non_null(strstr(err.text, "copy.db: File exists"));
}

static int64_t log_bytes(void)
{
    struct stat about;
    char *log = mem_printf("%s-wal", from);
    assert_int_equal(stat(log, &about), 0);
    free(log);
    return about.st_size;
}

static void test_what_works_on_a_copy_sees_one_instant_and_holds_up_no_log(void **state)
{
    (void)state;
    struct error err = {""};
    struct db *reader;
    bool has_row;
    slices = 0;
    last_done = 0;
    must(db_open_reader_own(from, OURS, 1, &reader, &err), &err);
    assert_int_equal(db_work_on_copy(&reader, stop_at_once, NULL, &err), ST_TIMEOUT);
    must(db_work_on_copy(&reader, write_meanwhile, NULL, &err), &err);
    struct db_stmt *all = db_prepare(reader, "SELECT x FROM t");
    must(db_step(all, &has_row, &err), &err);
    for (int i = 0; i < 20; i++) {
        must(db_exec(db, "UPDATE t SET x = zeroblob(998) WHERE id <= 1000", &err), &err);
        must(db_checkpoint(db, &err), &err);
    }
    /* 20 times 1 MB, each over the one before; with the reader of a snapshot one behind the other. */
    assert_in_range(log_bytes(), 1000000, 8000000);
    int64_t rows = 1;
    while (db_step(all, &has_row, &err) == ST_OK && has_row)
        rows++;
    assert_int_equal(rows, 3000);
    assert_int_equal(db_format(reader), 1);
    db_close(reader);
}

static void test_a_copy_can_be_stopped(void **state)
{
    (void)state;
    struct error err = {""};
    assert_int_equal(db_copy(from, false, to, stop_at_once, NULL, &err), ST_TIMEOUT);
    assert_int_not_equal(db_check(to, OURS, 1, &err), ST_OK);
}

static void test_a_file_at_rest_is_read_without_a_trace(void **state)
{
    (void)state;
    struct error err = {""};
    db_close(db);
    db = NULL;
    char *log = mem_printf("%s-wal", from);
    must(db_check(from, OURS, 1, &err), &err);
    must(db_copy(from, true, to, go_on, NULL, &err), &err);
    assert_int_equal(count_rows(to), 3000);
    assert_int_not_equal(access(log, F_OK), 0);
    free(log);
}

static void test_what_is_not_ours_is_told_apart(void **state)
{
    (void)state;
    struct error err = {""};
    assert_int_equal(db_check(from, OURS + 1, 1, &err), ST_INVALID);
    assert_non_null(strstr(err.text, "is the database of something else"));
    assert_int_equal(db_check(from, OURS, 0, &err), ST_INVALID);
    assert_non_null(strstr(err.text, "newer version of this program (its format is 1, ours 0)"));
    struct db *reader;
    assert_int_equal(db_open_reader_own(from, OURS + 1, 1, &reader, &err), ST_INVALID);
    assert_non_null(strstr(err.text, "is the database of something else"));
    assert_int_equal(db_open_reader_own(from, OURS, 0, &reader, &err), ST_INVALID);
    assert_non_null(strstr(err.text, "newer version of this program (its format is 1, ours 0)"));
    must(db_open_reader_own(from, OURS, 2, &reader, &err), &err); /* an older one is */
    assert_int_equal(db_format(reader), 1);
    db_close(reader);
    /* A page of zeros in the middle: the header is well. */
    must(db_exec(db, "INSERT INTO t(x) VALUES(zeroblob(10))", &err), &err);
    db_close(db);
    db = NULL;
    int fd = open(from, O_WRONLY);
    char zeros[4096] = {0};
    for (int page = 2; page < 40; page++)
        assert_int_equal(pwrite(fd, zeros, sizeof zeros, page * 4096), sizeof zeros);
    close(fd);
    assert_int_equal(db_check(from, OURS, 1, &err), ST_INVALID);
    assert_non_null(strstr(err.text, "is not a sound database"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_a_copy_is_of_one_instant_however_much_is_written_meanwhile, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_what_works_on_a_copy_sees_one_instant_and_holds_up_no_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_copy_can_be_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_at_rest_is_read_without_a_trace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_not_ours_is_told_apart, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
