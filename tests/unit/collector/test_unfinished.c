/* What a rebuild leaves undone, as the next one and the collector find it. */
#include "collector/store/unfinished.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/parkmon-test-unfinished-XXXXXX";
static char *database, *note;

static struct hour hour_of(const char *measurement, int64_t number)
{
    struct hour hour = {.hour = number};
    snprintf(hour.measurement, sizeof hour.measurement, "%s", measurement);
    return hour;
}

static void add(struct unfinished *u, const char *measurement, int64_t number)
{
    struct error err;
    struct hour hour = hour_of(measurement, number);
    if (unfinished_add(u, &hour, &err) != ST_OK)
        fail_msg("%s", err.text);
}

static void begin(struct unfinished *u)
{
    struct error err;
    if (unfinished_open(u, database, &err) != ST_OK)
        fail_msg("%s", err.text);
}

static void assert_noted(const char *expected)
{
    char *text;
    struct error err;
    assert_int_equal(file_read(note, 4096, &text, NULL, &err), ST_OK);
    assert_string_equal(text, expected);
    free(text);
}

static void write_note(const char *text)
{
    FILE *f = fopen(note, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void test_what_is_under_way_stands_in_the_file_until_it_is_done(void **state)
{
    (void)state;
    struct unfinished u;
    begin(&u);
    add(&u, "register", 490000);
    add(&u, "gauge", 490000);
    add(&u, "gauge", 490000);
    assert_noted("register 490000\ngauge 490000\n");
    struct hour done = hour_of("register", 490000);
    assert_int_equal(unfinished_remove(&u, &done, NULL), ST_OK);
    assert_noted("gauge 490000\n");
    unfinished_close(&u); /* killed here */

    begin(&u);
    assert_int_equal(u.hours.count, 1); /* the next run does not forget it, whatever it rebuilds itself */
    add(&u, "state", 3);
    assert_noted("gauge 490000\nstate 3\n");
    done = hour_of("gauge", 490000);
    assert_int_equal(unfinished_remove(&u, &done, NULL), ST_OK);
    done = hour_of("state", 3);
    assert_int_equal(unfinished_remove(&u, &done, NULL), ST_OK);
    assert_noted("");
    unfinished_close(&u);
}

static void test_while_one_runs_another_is_refused_and_the_collector_waits(void **state)
{
    (void)state;
    struct unfinished u, other;
    struct hour_list hours = {0};
    struct error err;
    begin(&u);
    add(&u, "register", 7);
    assert_int_equal(unfinished_open(&other, database, &err), ST_UNREACHABLE);
    assert_non_null(strstr(err.text, "a rebuild runs"));
    unfinished_close(&other);
    assert_false(unfinished_look(database, &hours));
    unfinished_close(&u);
    assert_true(unfinished_look(database, &hours));
    assert_int_equal(hours.count, 1);
    assert_int_equal(hours.items[0].hour, 7);
    hour_list_release(&hours);
}

static void test_the_collector_forgets_what_it_saw_and_nothing_newer(void **state)
{
    (void)state;
    struct hour_list seen = {0};
    write_note("register 7\nstate 8\n");
    assert_true(unfinished_look(database, &seen));
    write_note("register 7\nstate 9\n"); /* a rebuild ran meanwhile, and failed too */
    unfinished_forget(database, &seen);
    assert_noted("register 7\nstate 9\n");
    hour_list_release(&seen);
    assert_true(unfinished_look(database, &seen));
    unfinished_forget(database, &seen);
    assert_noted("");
    hour_list_release(&seen);
    assert_false(unfinished_look(database, &seen));
}

static void test_a_torn_line_hides_no_other(void **state)
{
    (void)state;
    struct hour_list hours = {0};
    write_note("register 490000\n490000\nGAUGE 1\n\ngauge 490001\nstate 49");
    assert_true(unfinished_look(database, &hours));
    assert_int_equal(hours.count, 2);
    assert_string_equal(hours.items[0].measurement, "register");
    assert_int_equal(hours.items[1].hour, 490001);
    hour_list_release(&hours);
}

static void test_where_nothing_can_be_noted_nothing_is_begun(void **state)
{
    (void)state;
    struct unfinished u;
    struct error err;
    char *elsewhere = mem_printf("%s/missing/db", folder);
    assert_int_equal(unfinished_open(&u, elsewhere, &err), ST_STORAGE);
    assert_non_null(strstr(err.text, "there it must be noted what is deleted"));
    unfinished_close(&u);
    free(elsewhere);
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return 1;
    database = mem_printf("%s/db", folder);
    note = mem_printf("%s.rebuild", database);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(note);
    free(database);
    free(note);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_under_way_stands_in_the_file_until_it_is_done),
        cmocka_unit_test(test_while_one_runs_another_is_refused_and_the_collector_waits),
        cmocka_unit_test(test_the_collector_forgets_what_it_saw_and_nothing_newer),
        cmocka_unit_test(test_a_torn_line_hides_no_other),
        cmocka_unit_test(test_where_nothing_can_be_noted_nothing_is_begun),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
