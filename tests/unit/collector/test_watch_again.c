/* Events of sessions that a point tells again, and words of one time (rules I13 and I14). */
#include "collector/telling.h"
#include "tests/unit/collector/watch_scene.h"

static const struct told_instrument *sem(struct scene *s)
{
    return &s->watch.instruments[0].told;
}

static void expect_now(struct scene *s, bool is_open, bool is_good)
{
    take_all(s);
    assert_int_equal(told_is_session_open(sem(s)), is_open);
    assert_int_equal(told_is_session_good(sem(s)), is_good);
}

/* Two readers of one instrument: the answer to the close of one was lost, and the other opened since. */
static void test_a_known_close_of_before_closes_nothing_and_nobody_knows(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "open event=x1");
    told(&s, 60 * S, "close event=x2");
    told(&s, 61 * S, "open event=y1");
    expect_now(&s, true, true);
    told(&s, 63 * S, "close event=x2");
    expect_now(&s, true, false);
    expect_sessions(&s, "0.0|60.0|00||x1|x2|221\n61.0|-|00||y1||200\n");
    assert_true(s.watch.instruments[0].garbled.is_said);
    assert_int_equal(sem(&s)->session_ms, BEGIN_MS + 61 * S); /* its source ages */
    start(&s, all);
    told(&s, 70 * S, "open event=x1"); /* of before, too: no word of now */
    expect_now(&s, true, false);
    told(&s, 80 * S, "open event=y1");
    expect_now(&s, true, true);
    told(&s, 90 * S, "close event=x2");
    expect_now(&s, true, false);
    told(&s, 100 * S, "close event=y2");
    expect_now(&s, false, true);
    told(&s, 110 * S, "close event=x2"); /* it says what is so */
    expect_now(&s, false, true);
    told(&s, 120 * S, "open event=x3");
    told(&s, 130 * S, "close event=y2");
    expect_now(&s, true, false);
    told(&s, 140 * S, "open event=y3");
    expect_now(&s, true, true);
    expect_sessions(&s, "0.0|60.0|00||x1|x2|221\n61.0|100.0|00||y1|y2|221\n120.0|140.0|00||x3||232\n140.0|-|"
                        "00||y3||200\n");
    close_scene(&s);
}

/* A reader that numbers its events began anew while nobody was at work: what it tells counts, though its numbers are known. */
static void test_a_reader_that_numbers_anew_loses_no_session(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    for (int i = 1; i <= 10; i++) {
        char *text = mem_printf("%s event=%d", i % 2 != 0 ? "open" : "close", i > 6 ? i - 6 : i);
        told(&s, i * 100 * S, text);
        expect_now(&s, i % 2 != 0, true);
        told(&s, i * 100 * S + 50 * S, text); /* it repeats its newest */
        free(text);
        expect_now(&s, i % 2 != 0, true);
    }
    expect_sessions(&s, "100.0|200.0|00||1|2|221\n300.0|400.0|00||3|4|221\n500.0|600.0|00||5|6|221\n"
                        "700.0|800.0|00||1|2|221\n900.0|1000.0|00||3|4|221\n");
    told(&s, 1100 * S, "open event=5");
    expect_now(&s, true, true);
    told(&s, 1090 * S, "close event=6"); /* of before its opening */
    expect_now(&s, true, true);
    told(&s, 1200 * S, "close event=2"); /* another's, told again: 5 was closed by 6 */
    expect_now(&s, true, false);
    told(&s, 1300 * S, "close event=6");
    expect_now(&s, false, true);
    close_scene(&s);
}

/* What a person says is no word of the point: whether that tells how it is is not known until it says something new. */
static void test_a_person_does_not_end_the_doubt_about_the_point(void **unused)
{
    (void)unused;
    struct scene s;
    struct error err = {""};
    struct telling_result result;
    open_scene(&s, all);
    told(&s, 0, "open event=x1");
    told(&s, 60 * S, "close event=x2");
    told(&s, 61 * S, "open event=y1");
    told(&s, 63 * S, "close event=x2");
    expect_now(&s, true, false);
    for (int i = 0; i < 2; i++) {
        struct telling request = {
            .event = {.time_ms = BEGIN_MS + (70 + i) * S, .is_open = i == 1}, .who = "anna"};
        snprintf(request.event.instrument, sizeof request.event.instrument, "sem");
        snprintf(request.event.id, sizeof request.event.id, "p%d", i);
        wall = BEGIN_MS + 80 * S;
        must(telling_run(&s.watch, &ticking, &request, &result, &err), &err);
        expect_now(&s, i == 1, false);
    }
    told(&s, 90 * S, "close event=y2");
    expect_now(&s, false, true);
    close_scene(&s);
}

/* A spool that was put back repeats its state of then, while people are at work. */
static void test_a_state_of_before_that_is_repeated_stays_in_doubt(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "close event=a");
    told(&s, 100 * S, "open event=b");
    for (int i = 1; i <= 10; i++)
        told(&s, 100 * S + i * 300 * S, "close event=a");
    expect_now(&s, true, false);
    told(&s, 3200 * S, "close event=c");
    expect_now(&s, false, true);
    expect_sessions(&s, "0.0|0.0|00|||a|024\n100.0|3200.0|00||b|c|221\n");
    close_scene(&s);
}

/* Late, with its own time: of before, and no doubt of now. */
static void test_a_known_close_that_comes_late_changes_nothing(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "open event=a");
    told(&s, 60 * S, "close event=b");
    told(&s, 70 * S, "open event=c");
    state(&s, 2, "sem", "close event=b", 60 * S, 30 * S);
    expect_now(&s, true, true);
    expect_sessions(&s, "0.0|60.0|00||a|b|221\n70.0|-|00||c||200\n");
    close_scene(&s);
}

/* A gateway's clock was 4 min ahead, and is set right between open and close. */
static void test_a_close_that_was_noted_closes_once_its_time_is_good(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "close event=c0");
    state(&s, 2, "sem", "open event=o1", 300 * S, -240 * S);
    told(&s, 120 * S, "close event=c1");
    told(&s, 240 * S, "close event=c1");
    expect_now(&s, true, true);
    expect_sessions(&s, "0.0|0.0|00|||c0|024\n300.0|-|00||o1||200\n120.0|120.0|00|||c1|024\n");
    told(&s, 300 * S, "close event=c1");
    expect_now(&s, false, true);
    told(&s, 600 * S, "close event=c1");
    expect_now(&s, false, true);
    expect_sessions(&s, "0.0|0.0|00|||c0|024\n300.0|300.0|00||o1|c1|221\n120.0|120.0|00|||c1|024\n");
    told(&s, 700 * S, "open event=o2"); /* that it was noted is of the session of then */
    told(&s, 800 * S, "close event=c1");
    expect_now(&s, true, false);
    close_scene(&s);
}

static void test_a_close_that_was_noted_does_not_hide_what_a_point_repeats(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "open event=o1");
    state(&s, 2, "sem", "close event=z9", -60 * S, 61 * S);
    take_all(&s);
    by_hand(&s, 120 * S, "person-1", false);
    told(&s, 300 * S, "open event=o1");
    expect_now(&s, false, true);
    expect_sessions(&s, "0.0|120.0|00||o1|person-1|241\n-60.0|-60.0|00|||z9|024\n");
    close_scene(&s);
}

/* By a clock that is ahead: both words are of when they arrived. */
static void say_ahead(struct scene *s, const char *text, const char *watts, int64_t arrived_ms)
{
    char *lines = mem_printf("state,point=sem value=\"%s\" %" PRId64 "\n", text, arrived_ms + 10 * S);
    add_line(s, 2, lines, arrived_ms);
    free(lines);
    static int64_t later_ms;
    lines = mem_printf("gauge,point=sem value=%s %" PRId64 "\n", watts, arrived_ms + 10 * S + ++later_ms);
    add_line(s, 1, lines, arrived_ms);
    free(lines);
    take_all(s);
}

static void test_of_two_words_of_one_time_the_later_counts(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    say_ahead(&s, "close event=c1", "5", BEGIN_MS);
    assert_true(told_is_power_good(sem(&s)) && told_is_session_good(sem(&s)));
    say_ahead(&s, "%%", "-500", BEGIN_MS);
    assert_false(told_is_power_good(sem(&s)) || told_is_session_good(sem(&s)));
    start(&s, all);
    take_all(&s);
    assert_false(told_is_power_good(sem(&s)) || told_is_session_good(sem(&s)));
    say_ahead(&s, "close event=c1", "5", BEGIN_MS);
    assert_true(told_is_power_good(sem(&s)) && told_is_session_good(sem(&s)));
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_known_close_of_before_closes_nothing_and_nobody_knows),
        cmocka_unit_test(test_a_reader_that_numbers_anew_loses_no_session),
        cmocka_unit_test(test_a_person_does_not_end_the_doubt_about_the_point),
        cmocka_unit_test(test_a_state_of_before_that_is_repeated_stays_in_doubt),
        cmocka_unit_test(test_a_known_close_that_comes_late_changes_nothing),
        cmocka_unit_test(test_a_close_that_was_noted_closes_once_its_time_is_good),
        cmocka_unit_test(test_a_close_that_was_noted_does_not_hide_what_a_point_repeats),
        cmocka_unit_test(test_of_two_words_of_one_time_the_later_counts),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
