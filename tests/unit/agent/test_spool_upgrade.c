/* A spool of each earlier format is opened with all that it holds. */
#include "agent/deliver/spool_private.h"
#include "lib/db.h"
#include "tests/unit/agent/spool_fixture.h"

/* As the first format had it: batch 1 acknowledged, batch 2 not, and three readings uncut, one of each kind. */
static void write_first_format(const char *path)
{
    struct db_schema first = {spool_schema.scripts, 1};
    struct db *db;
    struct error err;
    static const char rows[] =
        "INSERT INTO spool VALUES('gw-a', 1);"
        "INSERT INTO point VALUES(7, 'b3.main'), (8, 'b3.main.power'), (9, 'lab2.sem3.session');"
        "INSERT INTO epoch VALUES(1, 170, 1, 2);"
        "INSERT INTO batch VALUES(1, 170, 1764000000001, 46, CAST('register,point=b3.main value=1i "
        "1764000000001' || "
        "char(10) AS BLOB)),"
        " (2, 170, 1764000000002, 92, CAST('register,point=b3.main value=2i 1764000000002' || char(10) AS "
        "BLOB));"
        "INSERT INTO reading VALUES(11, 7, 0, 0, 1764000000003, 3), (12, 8, 1, 1, 1764000000004, 4.5),"
        " (13, 9, 2, 0, 1764000000005, 'open')";
    if (db_open_own(path, SPOOL_APPLICATION_ID, &first, &db, &err) != ST_OK ||
        db_exec(db, rows, &err) != ST_OK)
        fail_msg("%s", err.text);
    db_close(db);
}

static void test_the_first_format_is_taken_over_whole_and_in_order(void **state)
{
    (void)state;
    char *path = new_path();
    write_first_format(path);
    struct spool *s = open_spool(path);
    assert_null(spool_warning(s));
    struct spool_state found = state_of(s);
    assert_int_equal(found.mark, 1);
    assert_int_equal(found.last, 2);
    assert_int_equal(found.first, 1);
    assert_int_equal(found.uncut, 3);
    assert_int_equal(found.epoch, 170);
    assert_int_equal(found.unacknowledged_bytes, 46);
    see(s, 2, 2, 2);

    spool_set_mark(s, 2);
    cut(s, 1);
    struct seen seen = glance(s, 3);
    assert_string_equal(seen.body, "register,point=b3.main value=3i 1764000000003\n"
                                   "gauge,point=b3.main.power value=4.5,quality=\"clock\" 1764000000004\n"
                                   "state,point=lab2.sem3.session value=\"open\" 1764000000005\n");
    assert_int_equal(seen.header.prev_epoch, 170);
    assert_int_equal(seen.header.prev_seq, 2);
    assert_int_equal(seen.header.dropped, 0);
    free(seen.body);
    add(s, 6, 9);
    spool_close(s);

    s = open_spool(path);
    assert_int_equal(state_of(s).uncut, 4);
    assert_int_equal(state_of(s).last, 3);
    spool_close(s);
    free(path);
}

static void test_a_newer_format_is_refused_and_left_alone(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_spool(path);
    add(s, 1, 3);
    spool_close(s);
    struct db *db;
    struct error err;
    char set[64];
    snprintf(set, sizeof set, "PRAGMA user_version = %d", spool_schema.count + 1);
    if (db_open_own(path, SPOOL_APPLICATION_ID, &spool_schema, &db, &err) != ST_OK ||
        db_exec(db, set, &err) != ST_OK)
        fail_msg("%s", err.text);
    db_close(db);
    assert_int_equal(try_open(path, "gw-a", 64, &s, &err), ST_INVALID);
    assert_non_null(strstr(err.text, "was written by a newer version of this program"));
    snprintf(set, sizeof set, "%s.damaged-*", path);
    char *command = mem_printf("ls %s 2>/dev/null", set);
    assert_int_not_equal(system(command), 0); /* nothing was put aside */
    free(command);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_format_is_taken_over_whole_and_in_order),
        cmocka_unit_test(test_a_newer_format_is_refused_and_left_alone),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
