/* collector/backup/lineage: from where a restored database posts again, held against histories that are told in words. */
#include "collector/backup/lineage.h"
#include "collector/schema.h"
#include "lib/db.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/parkmon-test-lineage-XXXXXX";
static char *restored, *replaced;

static struct db *open_database(const char *path)
{
    struct db *db;
    struct error err;
    if (db_open_own(path, COLLECTOR_APPLICATION_ID, &collector_schema, &db, &err) != ST_OK)
        fail_msg("%s", err.text);
    return db;
}

static void run_sql(const char *path, const char *sql)
{
    struct db *db = open_database(path);
    struct error err;
    if (db_exec(db, sql, &err) != ST_OK)
        fail_msg("%s: %s", sql, err.text);
    db_close(db);
}

/* Batches of one gateway: `text` is "1:a 2:a 5:b", the id and a letter that tells its line; up to `cursor` settled. */
static void write_history(const char *path, const char *text, int cursor)
{
    run_sql(path, "INSERT INTO gateway(id, name, first_heard_ms) VALUES(7, 'gw-a', 1)");
    int id, used;
    char line;
    for (; sscanf(text, " %d:%c%n", &id, &line, &used) == 2; text += used) {
        char *sql = mem_printf(
            "INSERT INTO journal VALUES(%d, 7, 1, %d, %d, 1, x'00', NULL)", id, id, 1000 * id + line);
        run_sql(path, sql);
        free(sql);
    }
    char *sql = mem_printf("UPDATE cursor SET position = %d", cursor);
    run_sql(path, sql);
    free(sql);
}

static int64_t cursor_of(const char *path)
{
    struct db *db = open_database(path);
    struct db_stmt *read = db_prepare(db, "SELECT position FROM cursor WHERE name = 'raw'");
    bool has_row;
    assert_int_equal(db_step(read, &has_row, NULL), ST_OK);
    int64_t position = db_int(read, 0);
    db_close(db);
    return position;
}

static void begin(const char *mine, int my_cursor, const char *other, int other_cursor)
{
    static int number;
    free(restored);
    free(replaced);
    restored = mem_printf("%s/%d.restored", folder, ++number);
    replaced = mem_printf("%s/%d.replaced", folder, number);
    write_history(restored, mine, my_cursor);
    if (other != NULL)
        write_history(replaced, other, other_cursor);
}

static void check(int64_t cursor, int64_t again)
{
    struct error err;
    struct lineage lineage;
    if (lineage_rewind(restored, replaced, &lineage, &err) != ST_OK)
        fail_msg("%s", err.text);
    assert_true(lineage.is_known);
    assert_int_equal(lineage.again, again);
    assert_int_equal(cursor_of(restored), cursor);
}

static void test_one_that_the_replaced_went_on_from_posts_nothing_again(void **state)
{
    (void)state;
    begin("1:a 2:a 3:a", 2, "1:a 2:a 3:a 4:a 5:a", 5);
    check(2, 0);
    begin("1:a 2:a 3:a", 3, "1:a 2:a 3:a", 3); /* the same instant */
    check(3, 0);
    begin("1:a 2:a 3:a", 3, "3:a 4:a", 4); /* pruned meanwhile */
    check(3, 0);
}

static void test_what_came_after_the_lines_parted_is_posted_again(void **state)
{
    (void)state;
    begin("1:a 2:a 3:a 4:a", 4, "1:a 2:a 3:b 4:b 5:b", 5);
    check(2, 2);
    begin("1:a 2:a 3:a", 3, "1:a 2:a", 2); /* the replaced one had just been restored, and took nothing */
    check(2, 1);
    begin("1:a 2:a 3:a 4:a", 3, "1:a 2:a 3:b", 3); /* of what was settled */
    check(2, 1);
    begin("2:a 3:a", 3, "1:b 2:b 3:b", 3); /* nothing in common */
    check(0, 2);
    begin("1:a 2:a", 2, "3:a 4:a", 4); /* nothing left that could be in common */
    check(0, 2);
}

static void test_what_the_replaced_one_had_yet_to_settle_is_posted_again(void **state)
{
    (void)state;
    begin("1:a 2:a 3:a", 3, "1:a 2:a 3:a 4:a", 1); /* it was put back itself a moment ago */
    check(1, 2);
}

static void test_another_gateway_seq_or_epoch_is_another_batch(void **state)
{
    (void)state;
    static const char *const changes[] = {"UPDATE gateway SET name = 'gw-b'",
        "UPDATE journal SET seq = 9 WHERE id = 2", "UPDATE journal SET epoch = 9 WHERE id = 2",
        "UPDATE journal SET received_ms = 9 WHERE id = 2"};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        begin("1:a 2:a", 2, "1:a 2:a", 2);
        run_sql(replaced, changes[i]);
        check(i == 0 ? 0 : 1, i == 0 ? 2 : 1);
    }
    /* The number of a gateway is each database's own. */
    begin("1:a 2:a", 2, "1:a 2:a", 2);
    run_sql(replaced, "UPDATE gateway SET id = 8; UPDATE journal SET gateway = 8");
    check(2, 0);
}

static void test_without_the_replaced_one_everything_is_posted_again(void **state)
{
    (void)state;
    begin("1:a 2:a 3:a", 2, NULL, 0);
    free(replaced);
    replaced = NULL;
    check(0, 2);
}

static void check_unknown(const char *why)
{
    struct error err;
    struct lineage lineage;
    if (lineage_rewind(restored, replaced, &lineage, &err) != ST_OK)
        fail_msg("%s", err.text);
    assert_false(lineage.is_known);
    assert_int_equal(lineage.again, 0);
    if (strstr(lineage.why.text, why) == NULL)
        fail_msg("\"%s\" is not \"%s\"", lineage.why.text, why);
    assert_int_equal(cursor_of(restored), 2);
}

/* Overwrites what lies at `from` to the end of the file. */
static void spoil(const char *path, long from)
{
    FILE *file = fopen(path, "r+");
    fseek(file, 0, SEEK_END);
    long end = ftell(file);
    fseek(file, from, SEEK_SET);
    for (long i = from; i < end; i++)
        fputc(0x55, file);
    fclose(file);
}

static void test_one_that_is_damaged_is_told_and_moves_nothing(void **state)
{
    (void)state;
    begin("1:a 2:a 3:a", 2, "1:b 2:b", 2);
    spoil(replaced, 0);
    check_unknown("is not a sound database");
    begin("1:a 2:a 3:a", 2, "1:b 2:b", 2);
    spoil(replaced, 8192); /* its head is good */
    check_unknown("is not a sound database");
    begin("1:a 2:a 3:a", 2, "1:b", 1);
    run_sql(replaced, "ALTER TABLE journal RENAME TO gone");
    check_unknown("it lacks tables of a collector's database");
}

/* A disk that fails is no database that is damaged: the restore has to be run again. */
static void test_one_that_cannot_be_opened_is_a_failure(void **state)
{
    (void)state;
    struct error err;
    struct lineage lineage;
    begin("1:a 2:a", 2, NULL, 0);
    assert_int_equal(lineage_rewind(restored, replaced, &lineage, &err), ST_STORAGE);
    assert_non_null(strstr(err.text, replaced));
    assert_int_equal(cursor_of(restored), 2);
}

static void test_a_backup_that_is_none_is_refused(void **state)
{
    (void)state;
    struct error err;
    struct lineage lineage;
    begin("1:a 2:a", 2, "1:a", 1);
    run_sql(restored, "ALTER TABLE journal RENAME TO gone");
    assert_int_equal(lineage_rewind(restored, replaced, &lineage, &err), ST_INVALID);
    assert_string_equal(err.text, "the backup lacks tables of a collector's database");
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
    free(restored);
    free(replaced);
    return code;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_that_the_replaced_went_on_from_posts_nothing_again),
        cmocka_unit_test(test_what_came_after_the_lines_parted_is_posted_again),
        cmocka_unit_test(test_what_the_replaced_one_had_yet_to_settle_is_posted_again),
        cmocka_unit_test(test_another_gateway_seq_or_epoch_is_another_batch),
        cmocka_unit_test(test_without_the_replaced_one_everything_is_posted_again),
        cmocka_unit_test(test_one_that_is_damaged_is_told_and_moves_nothing),
        cmocka_unit_test(test_one_that_cannot_be_opened_is_a_failure),
        cmocka_unit_test(test_a_backup_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
