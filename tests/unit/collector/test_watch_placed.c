/* Events of a point that come late, of before the newest session: they have the place of their time (collector/watch.h, I14). */
#include "tests/unit/collector/watch_scene.h"

#include "collector/telling.h"

static void late(struct scene *s, int64_t after_ms, const char *text, int64_t at_ms)
{
    state(s, 2, "sem", text, after_ms, at_ms - after_ms);
    take_all(s);
}

static void person(struct scene *s, int64_t after_ms, const char *id, bool is_open)
{
    struct telling request = {
        .event = {.time_ms = BEGIN_MS + after_ms, .is_open = is_open, .class = SESSION_CLASS_INTERNAL},
        .who = "anna"};
    struct telling_result result;
    struct error err = {""};
    snprintf(request.event.instrument, sizeof request.event.instrument, "sem");
    snprintf(request.event.id, sizeof request.event.id, "%s", id);
    take_all(s);
    wall = BEGIN_MS + after_ms;
    must(telling_run(&s->watch, &ticking, &request, &result, &err), &err);
}

static void expect_by_time(struct scene *s, const char *rows)
{
    expect(s,
        "SELECT " TIME("opened_ms") " || '|' || " TIME(
            "closed_ms") " || '|' || ifnull(open_event, '') || '|' ||"
                         " ifnull(close_event, '') || '|' || why FROM session ORDER BY opened_ms, id",
        rows);
}

static void test_a_session_that_comes_after_a_person_opened_another_is_before_it(void **unused)
{
    (void)unused;
    for (int way = 0; way < 2; way++) {
        struct scene s;
        open_scene(&s, all);
        if (way == 0) {
            late(&s, 400 * S, "open event=k1 class=external organisation=OTHER", 400 * S);
            late(&s, 1000 * S, "close event=k2", 1000 * S);
        }
        person(&s, 4000 * S, "p1", true);
        if (way == 1) {
            late(&s, 400 * S, "open event=k1 class=external organisation=OTHER", 4010 * S);
            assert_true(told_is_session_open(&s.watch.instruments[0].told));
            assert_string_equal(s.watch.instruments[0].told.last.open_event, "p1");
            late(&s, 1000 * S, "close event=k2", 4010 * S);
            late(&s, 1000 * S, "close event=k2", 4011 * S); /* the same again */
        }
        late(&s, 4300 * S, "close event=k2", 4300 * S); /* what its reader goes on telling */
        expect_by_time(&s, "400.0|1000.0|k1|k2|1\n4000.0|-|p1||0\n");
        assert_string_equal(s.watch.instruments[0].told.last.open_event, "p1");
        close_scene(&s);
    }
}

static void test_a_close_that_comes_after_a_person_opened_another_ends_its_own(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    late(&s, 400 * S, "open event=k1 class=external organisation=OTHER", 400 * S);
    person(&s, 4000 * S, "p1", true);
    expect_by_time(&s, "400.0|4000.0|k1||2\n4000.0|-|p1||0\n");
    late(&s, 1000 * S, "close event=k2", 4010 * S);
    expect_by_time(&s, "400.0|1000.0|k1|k2|1\n4000.0|-|p1||0\n");
    late(&s, 1100 * S, "close event=k9", 4020 * S); /* of none: noted */
    expect_by_time(&s, "400.0|1000.0|k1|k2|1\n1100.0|1100.0||k9|4\n4000.0|-|p1||0\n");
    close_scene(&s);
}

static void test_what_is_placed_overlaps_nothing(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    late(&s, 100 * S, "open event=a class=internal", 100 * S);
    late(&s, 900 * S, "close event=b", 900 * S);
    person(&s, 2000 * S, "p1", true);
    late(&s, 500 * S, "open event=c class=internal", 2010 * S); /* while a was open */
    expect_by_time(&s, "100.0|900.0|a|b|1\n900.0|2000.0|c||2\n2000.0|-|p1||0\n");
    late(&s, 1500 * S, "open event=d class=internal", 2020 * S); /* while c is, whose close nobody told */
    expect_by_time(&s, "100.0|900.0|a|b|1\n900.0|1500.0|c||2\n1500.0|2000.0|d||2\n2000.0|-|p1||0\n");
    close_scene(&s);
}

/* Where the next begins as soon as the one before is over, there is no time between: what is open now stays the newest. */
static void test_what_has_no_time_hides_nothing(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    late(&s, 100 * S, "open event=a class=internal", 100 * S);
    late(&s, 900 * S, "close event=b", 900 * S);
    person(&s, 900 * S, "p1", true);
    late(&s, 500 * S, "open event=c class=internal", 1000 * S);
    start(&s, all);
    take_all(&s);
    assert_true(told_is_session_open(&s.watch.instruments[0].told));
    assert_string_equal(s.watch.instruments[0].told.last.open_event, "p1");
    expect_by_time(&s, "100.0|900.0|a|b|1\n500.0|500.0|c||2\n900.0|-|p1||0\n");
    close_scene(&s);
}

static void test_one_of_before_limits_were_noted_has_the_present_one(void **unused)
{
    (void)unused;
    struct scene s;
    struct error err = {""};
    open_scene(&s, all);
    late(&s, 400 * S, "open event=k1 class=internal", 400 * S);
    person(&s, 4000 * S, "p1", true);
    must(db_exec(s.journal.db, "UPDATE session SET limit_ms = NULL WHERE open_event = 'k1'", &err), &err);
    late(&s, 1000 * S, "close event=k2", 4010 * S);
    expect_by_time(&s, "400.0|1000.0|k1|k2|1\n4000.0|-|p1||0\n");
    close_scene(&s);
}

static void test_an_opening_that_is_not_late_counts_now(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    person(&s, 4000 * S, "p1", true);
    person(&s, 4100 * S, "p2", false);
    late(&s, 3990 * S, "open event=k1 class=internal",
        4110 * S); /* a clock that is behind: somebody is there */
    assert_true(told_is_session_open(&s.watch.instruments[0].told));
    close_scene(&s);
}

static void test_what_is_placed_is_judged_by_its_length(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    person(&s, 20000 * S, "p1", true);
    late(&s, 400 * S, "open event=k1 class=internal", 20010 * S);
    expect_by_time(&s, "400.0|7600.0|k1||3\n20000.0|-|p1||0\n"); /* forgotten: max_session is 7200 s */
    late(&s, 1000 * S, "close event=k2", 20010 * S);
    expect_by_time(&s, "400.0|1000.0|k1|k2|1\n20000.0|-|p1||0\n");
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_session_that_comes_after_a_person_opened_another_is_before_it),
        cmocka_unit_test(test_a_close_that_comes_after_a_person_opened_another_ends_its_own),
        cmocka_unit_test(test_what_is_placed_overlaps_nothing),
        cmocka_unit_test(test_what_has_no_time_hides_nothing),
        cmocka_unit_test(test_one_of_before_limits_were_noted_has_the_present_one),
        cmocka_unit_test(test_an_opening_that_is_not_late_counts_now),
        cmocka_unit_test(test_what_is_placed_is_judged_by_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
