/* collector/backup/handover.h: two databases that went on from one; what persons did in the one that is replaced. */
#include "collector/backup/handover.h"
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

static char folder[] = "/tmp/parkmon-test-handover-XXXXXX";
static char *restored, *replaced;

static void change(const char *path, const char *sql)
{
    struct db *db;
    struct error err;
    if (db_open_own(path, COLLECTOR_APPLICATION_ID, &collector_schema, &db, &err) != ST_OK ||
        db_exec(db, sql, &err) != ST_OK)
        fail_msg("%s", err.text);
    db_close(db);
}

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

#define DECIDE(id, at, who)                                                                      \
    "INSERT INTO ledger_decision(id, meter, kind, from_ms, until_ms, forced, time_ms, who, why)" \
    " VALUES(" #id ", 1, 4, 0, 900000, 0, " #at ", '" who "', 'bridged');"                       \
    "INSERT INTO change_log(id, time_ms, who, action, object) VALUES(" #at "000, " #at ", '" who \
    "', 'decide energy', 'meter m, decision " #id "');"

static int prepare(void **state)
{
    static int number;
    (void)state;
    restored = mem_printf("%s/%d-restored.db", folder, ++number);
    replaced = mem_printf("%s/%d-replaced.db", folder, number);
    change(restored, "INSERT INTO ledger_meter VALUES(1, 'm');" DECIDE(1, 1000, "anna"));
    change(replaced, "INSERT INTO ledger_meter VALUES(1, 'm');" DECIDE(1, 1000, "anna"));
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    free(restored);
    free(replaced);
    return 0;
}

static enum status hand_over(bool drops, bool *ret_is_refused)
{
    struct error err = {""};
    enum status status = handover_run(restored, replaced, drops, ret_is_refused, &err);
    if (*ret_is_refused)
        assert_non_null(strstr(err.text, "Expected a later backup, or --drop-decisions"));
    return status;
}

static void test_the_same_decisions_stand_in_no_ones_way(void **state)
{
    (void)state;
    bool is_refused;
    assert_int_equal(hand_over(false, &is_refused), ST_OK);
    assert_false(is_refused);
    assert_int_equal(number_in(restored, "SELECT count(*) FROM change_log"), 1);
}

static void test_a_decision_is_lost_only_where_that_was_asked_for(void **state)
{
    (void)state;
    bool is_refused;
    change(replaced, DECIDE(2, 2000, "bert") DECIDE(3, 3000, "carla"));
    assert_int_equal(hand_over(false, &is_refused), ST_INVALID);
    assert_true(is_refused);
    assert_int_equal(number_in(restored, "SELECT count(*) FROM change_log"), 1);
    assert_int_equal(hand_over(true, &is_refused), ST_OK);
    assert_false(is_refused);
    assert_int_equal(number_in(restored, "SELECT count(*) FROM ledger_decision"), 1);
    assert_int_equal(number_in(restored, "SELECT count(*) FROM change_log WHERE action = 'decide energy' AND"
                                         " who IN ('anna', 'bert', 'carla') AND id = time_ms * 1000"),
        3);
    assert_int_equal(number_in(restored, "SELECT count(*) FROM change_log WHERE action = 'restore'"
                                         " AND object = 'meter m, decision 3' AND before LIKE 'energy, "
                                         "1970-01-01T00:00:00.000Z %, by carla at "
                                         "1970-01-01T00:00:03.000Z: bridged' AND note LIKE 'lost%'"),
        1);
    assert_int_equal(
        number_in(restored,
            "SELECT count(*) FROM change_log WHERE action = 'restore' AND object = 'decisions 2 to 3'"),
        1);
    assert_int_equal(number_in(restored, "SELECT count(*) FROM change_log"), 6);
}

static void test_a_number_is_never_given_twice(void **state)
{
    (void)state;
    bool is_refused;
    change(replaced, DECIDE(7, 2000, "bert"));
    assert_int_equal(hand_over(true, &is_refused), ST_OK);
    change(restored, "INSERT INTO ledger_decision(meter, kind, from_ms, until_ms, forced, time_ms, who, why)"
                     " VALUES(1, 4, 0, 900000, 0, 9, 'dora', 'again')");
    assert_int_equal(number_in(restored, "SELECT max(id) FROM ledger_decision"), 8);
}

#define CLOSE(id, at)                                                                               \
    "INSERT INTO closing(id, site, month, from_ms, until_ms, closed_ms, who, why, model, journal) " \
    "VALUES(" #id ", 's1', 670 + " #id ", 0, 1, " #at ", 'carla', 'the bills', 1, 0);"

static void test_a_closing_is_lost_only_where_that_was_asked_for(void **state)
{
    (void)state;
    bool is_refused;
    change(restored, CLOSE(1, 1000));
    change(replaced, CLOSE(1, 1000));
    assert_int_equal(hand_over(false, &is_refused), ST_OK);
    change(replaced, CLOSE(2, 2000));
    assert_int_equal(hand_over(false, &is_refused), ST_INVALID);
    assert_true(is_refused);
    assert_int_equal(hand_over(true, &is_refused), ST_OK);
    assert_int_equal(
        number_in(restored, "SELECT count(*) FROM change_log WHERE action = 'restore' AND"
                            " object = 'site s1, 2026-01, closing 2' AND before = 'closed by carla at"
                            " 1970-01-01T00:00:02.000Z: the bills' AND note LIKE 'lost%'"),
        1);
    assert_int_equal(
        number_in(restored,
            "SELECT count(*) FROM change_log WHERE action = 'restore' AND object = 'closings 2 to 2'"),
        1);
    change(restored,
        "INSERT INTO closing(site, month, from_ms, until_ms, closed_ms, who, why, model, journal)"
        " VALUES('s1', 672, 0, 1, 3000, 'carla', 'again', 1, 0)");
    assert_int_equal(number_in(restored, "SELECT max(id) FROM closing"), 3);
}

/* `after`, `note`: SQL. */
#define WORD(at, action, object, after, note)                                                              \
    "INSERT INTO change_log(id, time_ms, token, who, action, object, after, note) VALUES(" #at "000, " #at \
    ", 3, 'emil', '" action "', '" object "', " after ", " note ");"

static int64_t lost(const char *object, const char *before)
{
    char *sql = mem_printf(
        "SELECT count(*) FROM change_log WHERE action = 'restore' AND object = '%s' AND before = '%s'"
        " AND note LIKE 'lost%%'",
        object, before);
    int64_t count = number_in(restored, sql);
    free(sql);
    return count;
}

static void test_what_people_told_is_lost_only_where_that_was_asked_for(void **state)
{
    (void)state;
    bool is_refused;
    static const char before[] = WORD(2000, "session open", "instrument sem, session 1", "'x'", "NULL")
        WORD(2001, "count", "space hall", "'4 at noon'", "NULL");
    change(restored, before);
    change(replaced, before);
    change(replaced, "INSERT INTO change_log(id, time_ms, who, action, object) VALUES(9, 0, 'x', 'model', "
                     "'not lost here')");
    assert_int_equal(hand_over(false, &is_refused), ST_OK);
    change(replaced, WORD(3000, "session close", "instrument sem, session 1", "'x'", "NULL")
                         WORD(3001, "count", "space hall", "'4 at noon'", "'by eye'")
                             WORD(3002, "outage close", "instrument sem, outage 5", "'back'", "NULL")
                                 WORD(3003, "resource up", "resource water", "'up'", "'seen'")
                                     WORD(3004, "calendar confirm", "calendar c", "NULL", "'empty indeed'"));
    int64_t entries = number_in(restored, "SELECT count(*) FROM change_log");
    assert_int_equal(hand_over(false, &is_refused), ST_INVALID);
    assert_true(is_refused);
    assert_int_equal(number_in(restored, "SELECT count(*) FROM change_log"), entries);
    assert_int_equal(hand_over(true, &is_refused), ST_OK);
    assert_int_equal(number_in(restored, "SELECT count(*) FROM change_log"), entries + 10);
    assert_int_equal(
        lost("instrument sem, session 1", "session close, x, by emil at 1970-01-01T00:00:03.000Z"), 1);
    assert_int_equal(lost("space hall", "count, 4 at noon, by emil at 1970-01-01T00:00:03.001Z: by eye"), 1);
    assert_int_equal(
        lost("instrument sem, outage 5", "outage close, back, by emil at 1970-01-01T00:00:03.002Z"), 1);
    assert_int_equal(lost("resource water", "resource up, up, by emil at 1970-01-01T00:00:03.003Z: seen"), 1);
    assert_int_equal(
        lost("calendar c", "calendar confirm, by emil at 1970-01-01T00:00:03.004Z: empty indeed"), 1);
}

static void test_a_number_of_an_outage_or_a_session_is_never_given_twice(void **state)
{
    (void)state;
    bool is_refused;
    change(replaced, "INSERT INTO session(id, instrument, opened_ms, user, class, evidence, why) VALUES(4, "
                     "1, 0, 0, 0, 0, 0);"
                     "INSERT INTO outage(id, kind, target_kind, target, from_ms, until_ms, category, note, "
                     "opened_ms, opened_by)"
                     " VALUES(6, 0, 0, 'sem', 0, 1, 'fault', 'x', 0, 'x')");
    assert_int_equal(hand_over(false, &is_refused), ST_OK);
    assert_int_equal(number_in(restored, "SELECT seq FROM sqlite_sequence WHERE name = 'session'"), 4);
    assert_int_equal(number_in(restored, "SELECT seq FROM sqlite_sequence WHERE name = 'outage'"), 6);
    assert_int_equal(
        number_in(restored,
            "SELECT count(*) FROM change_log WHERE object IN ('outages 1 to 6', 'sessions 1 to 4')"),
        2);
}

/* As databases of before this rule may have it: the number alone does not say which decision it is. */
static void test_another_decision_of_the_same_number_is_another(void **state)
{
    (void)state;
    bool is_refused;
    change(restored, DECIDE(2, 2000, "bert"));
    change(replaced, DECIDE(2, 2001, "bert"));
    assert_int_equal(hand_over(false, &is_refused), ST_INVALID);
    assert_true(is_refused);
}

static void test_entries_of_one_instant_are_both_kept(void **state)
{
    (void)state;
    bool is_refused;
    change(restored,
        "INSERT INTO change_log(id, time_ms, who, action, object) VALUES(5000, 5, 'x', 'a', 'b'),"
        " (5001, 5, 'x', 'a', 'c')");
    change(
        replaced, "INSERT INTO change_log(id, time_ms, who, action, object) VALUES(5000, 5, 'y', 'a', 'b')");
    assert_int_equal(hand_over(false, &is_refused), ST_OK);
    assert_int_equal(number_in(restored, "SELECT id FROM change_log WHERE who = 'y'"), 5002);
    assert_int_equal(hand_over(false, &is_refused), ST_OK); /* as after a kill */
    assert_int_equal(number_in(restored, "SELECT count(*) FROM change_log"), 4);
}

static void test_of_a_damaged_database_the_numbers_are_left_free(void **state)
{
    (void)state;
    bool is_refused;
    FILE *f = fopen(replaced, "w");
    fputs("what a broken disk left of it", f);
    fclose(f);
    assert_int_equal(hand_over(false, &is_refused), ST_OK);
    assert_false(is_refused);
    assert_int_equal(
        number_in(restored, "SELECT seq FROM sqlite_sequence WHERE name = 'ledger_decision'"), 1001);
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, clean_up)
    const struct CMUnitTest tests[] = {
        TEST(test_the_same_decisions_stand_in_no_ones_way),
        TEST(test_a_decision_is_lost_only_where_that_was_asked_for),
        TEST(test_a_closing_is_lost_only_where_that_was_asked_for),
        TEST(test_a_number_is_never_given_twice),
        TEST(test_what_people_told_is_lost_only_where_that_was_asked_for),
        TEST(test_a_number_of_an_outage_or_a_session_is_never_given_twice),
        TEST(test_another_decision_of_the_same_number_is_another),
        TEST(test_entries_of_one_instant_are_both_kept),
        TEST(test_of_a_damaged_database_the_numbers_are_left_free),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
