/* Whose register a point is, as models come and go: the numbers of points, and from where the journal is read for
 * them. */
#include "collector/ledger/meters.h"
#include "collector/schema.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEGMENT(from, more) \
    "{ serial = \"1\"; from = \"" from "-01-01T00:00:00Z\"; max_rate = 1000; " more " }"
#define AT(point) "point = \"" point "\";"
#define METER(id, segments) \
    "{ id = \"" id          \
    "\"; name = \"x\"; name_en = \"x\"; building = \"b\"; carrier = \"heat\"; segments = (" segments "); }"
#define POWER                                                                                     \
    "{ id = \"p\"; name = \"x\"; name_en = \"x\"; building = \"b\"; carrier = \"heat\"; power = " \
    "\"gw-b/w\"; }"

static char folder[] = "/tmp/parkmon-test-meters-XXXXXX";
static struct db *db;

static void must(enum status status, const struct error *err)
{
    if (status != ST_OK)
        fail_msg("%s", err->text);
}

static void execute(const char *sql)
{
    struct error err = {""};
    must(db_exec(db, sql, &err), &err);
}

static int64_t number(const char *sql)
{
    struct db_stmt *s = db_prepare(db, sql);
    struct error err = {""};
    bool has_row;
    must(db_step(s, &has_row, &err), &err);
    int64_t value = has_row ? db_int(s, 0) : -1;
    db_finish(s);
    return value;
}

static struct park *read_park(const char *meters)
{
    char *path = mem_printf("%s/park.cfg", folder);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out,
        "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; });\n"
        "buildings = ({ id = \"b\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });\n"
        "gateways = ({ id = \"gw-a\"; name = \"x\"; name_en = \"x\"; site = \"s\"; },"
        " { id = \"gw-b\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });\n"
        "meters = (%s);\n",
        meters);
    assert_int_equal(fclose(out), 0);
    struct park *park = park_load(path);
    conf_print_problems(park->conf, stderr);
    assert_int_equal(conf_problem_count(park->conf), 0);
    unlink(path);
    free(path);
    return park;
}

static struct park *park;
static struct meters all;
static struct meters_aside aside;

static void forget_model(void)
{
    meters_release(&all);
    park_destroy(park);
    park = NULL;
}

/* The next model, in a transaction; whether the database did not know all of it. What is due is folded then. */
static bool take_model(const char *meters)
{
    struct error err = {""};
    bool is_changed = false;
    forget_model();
    park = read_park(meters);
    must(db_begin(db, &err), &err);
    must(meters_load(&all, park, &aside, db, &is_changed, &err), &err);
    for (size_t i = 0; i < all.count; i++)
        if (all.items[i].is_due)
            must(meters_note_folded(&all.items[i], db, &err), &err);
    must(db_commit(db, &err), &err);
    return is_changed;
}

static const struct meters_point *point(const char *gateway, const char *name)
{
    return meters_point(&all, span_of(gateway), span_of(name));
}

static int set_up(void **state)
{
    (void)state;
    char *path = mem_printf("%s/db", folder);
    struct error err = {""};
    must(db_open(path, &collector_schema, &db, &err), &err);
    free(path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    forget_model();
    db_close(db);
    char *command = mem_printf("rm -f %s/*", folder);
    int code = system(command);
    free(command);
    return code;
}

static void test_points_keep_their_numbers_whatever_becomes_of_the_model(void **state)
{
    (void)state;
    assert_true(take_model(
        METER("m1", SEGMENT("2026", AT("gw-a/x"))) "," METER("m2", SEGMENT("2026", AT("gw-a/y")))));
    int64_t x = point("gw-a", "x")->number, y = point("gw-a", "y")->number, m2 = all.items[1].books.id;
    assert_true(x > 0 && y > 0 && x != y);
    assert_int_equal(all.items[point("gw-a", "y")->meter].books.points[0], y);
    assert_null(point("gw-b", "x"));
    assert_null(point("gw-a", "z"));
    assert_true(take_model(POWER "," METER("m2", SEGMENT("2026", AT("gw-a/y")))));
    assert_null(point("gw-a", "x"));
    assert_int_equal(all.count, 1);
    assert_int_equal(all.items[0].books.id, m2);
    assert_int_equal(point("gw-a", "y")->number, y);
    assert_true(take_model(
        METER("m2", SEGMENT("2026", AT("gw-a/y"))) "," METER("m1", SEGMENT("2026", AT("gw-a/x")))));
    assert_int_equal(point("gw-a", "x")->number, x);
    /* To another meter it is another point: what the first one has of it stays the first one's. */
    assert_true(take_model(METER("m2", SEGMENT("2026", AT("gw-a/x")))));
    assert_int_not_equal(point("gw-a", "x")->number, x);
}

static void test_a_meter_has_the_points_of_its_segments_and_0_where_it_is_read_by_hand(void **state)
{
    (void)state;
    take_model(METER("m1", SEGMENT("2024", "until = \"2025-01-01T00:00:00Z\"; ") "," SEGMENT(
                               "2025", "until = \"2026-01-01T00:00:00Z\"; " AT("gw-a/x")) "," SEGMENT("2026",
                               AT("gw-b/x"))) "," METER("m2", SEGMENT("2026", "")));
    const struct books_meter *m = &all.items[0].books;
    assert_int_equal(m->point_count, 3);
    assert_int_equal(m->points[m->segments.items[0].point], 0);
    assert_int_equal(m->points[m->segments.items[1].point], point("gw-a", "x")->number);
    assert_int_equal(m->points[m->segments.items[2].point], point("gw-b", "x")->number);
    assert_int_equal(all.items[1].books.point_count, 0);
}

static void test_a_model_that_is_known_writes_nothing_and_one_with_other_segments_is_due(void **state)
{
    (void)state;
    const char *model = METER("m1", SEGMENT("2026", AT("gw-a/x")));
    assert_true(take_model(model));
    execute("UPDATE cursor SET position = 7 WHERE name = 'ledger'");
    assert_false(take_model(model));
    assert_false(all.items[0].is_due);
    assert_int_equal(number("SELECT position FROM cursor WHERE name = 'ledger'"), 7);
    assert_true(take_model(METER("m1", SEGMENT("2026", "resolution = 10; " AT("gw-a/x")))));
    assert_int_equal(number("SELECT position FROM cursor WHERE name = 'ledger'"), 7);
    assert_int_equal(number("SELECT count(*) FROM ledger_folded"), 1);
}

static void test_for_a_new_point_the_journal_is_read_again_and_for_it_alone(void **state)
{
    (void)state;
    take_model(METER("m1", SEGMENT("2026", AT("gw-a/x"))));
    execute("UPDATE cursor SET position = 100 WHERE name = 'ledger'");
    take_model(METER("m1", SEGMENT("2026", AT("gw-a/x"))) "," METER("m2", SEGMENT("2026", AT("gw-a/y"))));
    assert_int_equal(number("SELECT position FROM cursor WHERE name = 'ledger'"), 0);
    assert_int_equal(point("gw-a", "x")->since, 100);
    assert_int_equal(point("gw-a", "y")->since, 0);
    /* A third one, when the second had come to 40. */
    execute("UPDATE cursor SET position = 40 WHERE name = 'ledger'");
    take_model(METER("m1", SEGMENT("2026", AT("gw-a/x"))) "," METER(
        "m2", SEGMENT("2026", AT("gw-a/y"))) "," METER("m3", SEGMENT("2026", AT("gw-b/y"))));
    assert_int_equal(number("SELECT position FROM cursor WHERE name = 'ledger'"), 0);
    assert_int_equal(point("gw-a", "x")->since, 100);
    assert_int_equal(point("gw-a", "y")->since, 40);
    assert_int_equal(point("gw-b", "y")->since, 0);
}

static void test_a_point_that_comes_back_is_read_from_where_it_was_let_go(void **state)
{
    (void)state;
    const char *both =
        METER("m1", SEGMENT("2026", AT("gw-a/x"))) "," METER("m2", SEGMENT("2026", AT("gw-a/y")));
    take_model(both);
    execute("UPDATE cursor SET position = 100 WHERE name = 'ledger'");
    assert_true(take_model(METER("m1", SEGMENT("2026", AT("gw-a/x")))));
    assert_int_equal(number("SELECT position FROM cursor WHERE name = 'ledger'"), 100);
    execute("UPDATE cursor SET position = 200 WHERE name = 'ledger'");
    assert_true(take_model(both));
    assert_int_equal(number("SELECT position FROM cursor WHERE name = 'ledger'"), 100);
    assert_int_equal(point("gw-a", "x")->since, 200);
    assert_int_equal(point("gw-a", "y")->since, 100);
}

static void test_a_meter_that_is_set_aside_is_as_one_that_the_model_does_not_name(void **state)
{
    (void)state;
    const char *both =
        METER("m1", SEGMENT("2026", AT("gw-a/x"))) "," METER("m2", SEGMENT("2026", AT("gw-a/y")));
    take_model(both);
    int64_t id = all.items[1].books.id;
    execute("UPDATE cursor SET position = 100 WHERE name = 'ledger'");
    aside = (struct meters_aside){.ids = &id, .count = 1};
    assert_true(take_model(both));
    aside = (struct meters_aside){0};
    assert_int_equal(all.count, 1);
    assert_null(point("gw-a", "y"));
    execute("UPDATE cursor SET position = 200 WHERE name = 'ledger'");
    assert_true(take_model(both));
    assert_int_equal(number("SELECT position FROM cursor WHERE name = 'ledger'"), 100);
    assert_int_equal(point("gw-a", "x")->since, 200);
}

static void test_what_cannot_be_reckoned_exactly_is_a_problem_of_the_file(void **state)
{
    (void)state;
    park = read_park(
        METER("m1", "{ serial = \"1\"; from = \"2026-01-01T00:00:00Z\"; max_rate = 1000000000001L; }"));
    meters_check(park);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    conf_print_problems(park->conf, out);
    fclose(out);
    assert_non_null(strstr(text, ":4: meters[0]: segments[0]: has a max_rate that is not from 0 to 10^12"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_points_keep_their_numbers_whatever_becomes_of_the_model, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_meter_has_the_points_of_its_segments_and_0_where_it_is_read_by_hand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_model_that_is_known_writes_nothing_and_one_with_other_segments_is_due, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_for_a_new_point_the_journal_is_read_again_and_for_it_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_point_that_comes_back_is_read_from_where_it_was_let_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_meter_that_is_set_aside_is_as_one_that_the_model_does_not_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_what_cannot_be_reckoned_exactly_is_a_problem_of_the_file, set_up, tear_down),
    };
    if (mkdtemp(folder) == NULL)
        return 1;
    int code = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return code;
}
