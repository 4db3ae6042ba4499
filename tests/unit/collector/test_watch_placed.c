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

/* As in order: the close that came in time is of the newest opening before it. */
static void test_an_opening_within_a_session_takes_over_its_end(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    late(&s, 100 * S, "open event=a class=internal", 100 * S);
    late(&s, 900 * S, "close event=b", 900 * S);
    late(&s, 500 * S, "open event=c class=internal", 1000 * S); /* within the newest, which is over */
    expect_by_time(&s, "100.0|500.0|a||2\n500.0|900.0|c|b|1\n");
    assert_false(told_is_session_open(&s.watch.instruments[0].told));
    person(&s, 2000 * S, "p1", true);
    late(&s, 1500 * S, "open event=d class=internal", 2020 * S);
    late(&s, 1700 * S, "open event=e class=internal", 2030 * S); /* within one that the next opening ended */
    expect_by_time(
        &s, "100.0|500.0|a||2\n500.0|900.0|c|b|1\n1500.0|1700.0|d||2\n1700.0|2000.0|e||2\n2000.0|-|p1||0\n");
    assert_string_equal(s.watch.instruments[0].told.last.open_event, "p1");
    close_scene(&s);
}

static void test_a_close_within_a_session_ends_it_and_the_one_that_did_is_of_none(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    late(&s, 100 * S, "open event=a class=internal", 100 * S);
    late(&s, 900 * S, "close event=b", 900 * S);
    late(&s, 500 * S, "close event=c", 1000 * S);
    expect_by_time(&s, "100.0|500.0|a|c|1\n900.0|900.0||b|4\n");
    late(&s, 1001 * S, "close event=b", 1001 * S); /* what its reader goes on telling */
    late(&s, 1100 * S, "open event=d class=internal", 1100 * S);
    late(&s, 1200 * S, "close event=b",
        1200 * S); /* and of one that somebody else has opened since it is not the close */
    expect_by_time(&s, "100.0|500.0|a|c|1\n900.0|900.0||b|4\n1100.0|-|d||0\n");
    assert_true(told_is_session_open(&s.watch.instruments[0].told));
    close_scene(&s);
}

/* Also where it is displaced while that one is open. And each keeps its number. */
static void test_a_close_that_is_displaced_closes_nothing_later(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    late(&s, 100 * S, "open event=a class=internal", 100 * S);
    late(&s, 900 * S, "close event=b", 900 * S);
    late(&s, 2000 * S, "open event=d class=internal", 2000 * S);
    late(&s, 500 * S, "close event=c", 2010 * S);
    late(&s, 2100 * S, "close event=b", 2100 * S);
    assert_true(told_is_session_open(&s.watch.instruments[0].told));
    assert_false(told_is_session_good(&s.watch.instruments[0].told));
    expect(&s, "SELECT id || open_event FROM session WHERE open_event IS NOT NULL ORDER BY id", "1a\n2d\n");
    close_scene(&s);
}

static void test_a_close_of_the_instant_of_an_opening_is_of_the_one_before(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    late(&s, 100 * S, "open event=a class=internal", 100 * S);
    person(&s, 1000 * S, "p1", true);
    late(&s, 1000 * S, "close event=b", 2000 * S);
    assert_true(told_is_session_open(&s.watch.instruments[0].told));
    expect_by_time(&s, "100.0|1000.0|a||2\n1000.0|-|p1||0\n1000.0|1000.0||b|4\n");
    close_scene(&s);
}

static void test_an_opening_before_a_close_alone_has_it_for_its_end(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    late(&s, 900 * S, "close event=b", 900 * S);
    late(&s, 500 * S, "open event=a class=external organisation=OTHER", 1000 * S);
    assert_false(told_is_session_open(&s.watch.instruments[0].told));
    expect_sessions(&s, "500.0|900.0|22|OTHER|a|b|221\n");
    start(&s, all);
    take_all(&s);
    assert_false(told_is_session_open(&s.watch.instruments[0].told));
    late(&s, 1100 * S, "open event=c class=internal", 1100 * S);
    late(&s, 700 * S, "close event=d", 1110 * S);
    expect_by_time(&s, "500.0|700.0|a|d|1\n900.0|900.0||b|4\n1100.0|-|c||0\n");
    close_scene(&s);
}

/* ---- random events in any order, against one who goes through them by their times ---- */

struct event {
    int64_t at_s;
    bool is_open;
    int64_t arrived_s;
};

static int by_arrival(const void *a, const void *b)
{
    const struct event *p = a, *q = b;
    return p->arrived_s < q->arrived_s ? -1 : p->arrived_s > q->arrived_s;
}

static char *by_time(const struct event *events, size_t count)
{
    struct buf rows = {0};
    int64_t opened_s = -1;
    for (size_t i = 0; i < count; i++) {
        int64_t at_s = events[i].at_s;
        if (opened_s >= 0)
            buf_printf(&rows, "%" PRId64 ".0|%" PRId64 ".0|o%" PRId64 "|", opened_s, at_s, opened_s);
        if (opened_s >= 0 && events[i].is_open)
            buf_printf(&rows, "|2\n");
        else if (!events[i].is_open && opened_s >= 0)
            buf_printf(&rows, "c%" PRId64 "|1\n", at_s);
        else if (!events[i].is_open)
            buf_printf(&rows, "%" PRId64 ".0|%" PRId64 ".0||c%" PRId64 "|4\n", at_s, at_s, at_s);
        opened_s = events[i].is_open ? at_s : -1;
    }
    if (opened_s >= 0)
        buf_printf(&rows, "%" PRId64 ".0|-|o%" PRId64 "||0\n", opened_s, opened_s);
    return buf_take(&rows);
}

/* In time, or later than 300 s; none lasts for max_session. */
static size_t draw(struct event *events, size_t most)
{
    size_t count = 0;
    for (int64_t at_s = 1; count < most; count++) {
        bool is_late = random_below(2) == 0;
        at_s += 1 + (int64_t)random_below(400);
        events[count] = (struct event){.at_s = at_s,
            .is_open = random_below(2) == 0,
            .arrived_s = at_s + (is_late ? 301 + (int64_t)random_below(4000) : 0)};
    }
    return count;
}

/* What is in memory is what was committed. */
static void expect_newest(struct scene *s)
{
    const struct told_session *last = &s->watch.instruments[0].told.last;
    struct told_instrument read;
    struct error err = {""};
    must(told_find(s->journal.db, "sem", &read, &err), &err);
    assert_int_equal(last->id, read.last.id);
    assert_int_equal(last->opened_ms, read.last.opened_ms);
    assert_int_equal(last->closed_ms, read.last.closed_ms);
    assert_string_equal(last->close_event, read.last.close_event);
}

static void test_events_in_any_order_are_those_of_their_times(void **unused)
{
    (void)unused;
    for (int round = 0; round < 60; round++) {
        struct event events[16];
        struct scene s;
        size_t count = draw(events, 1 + random_below(16));
        char *expected = by_time(events, count);
        qsort(events, count, sizeof events[0], by_arrival);
        open_scene(&s, all);
        for (size_t i = 0; i < count; i++) {
            char *text = mem_printf("%s event=%c%" PRId64, events[i].is_open ? "open" : "close",
                events[i].is_open ? 'o' : 'c', events[i].at_s);
            state(&s, 2, "sem", text, events[i].at_s * S, (events[i].arrived_s - events[i].at_s) * S);
            free(text);
            if (random_below(3) == 0)
                take_all(&s);
            if (random_below(10) == 0)
                start(&s, all);
        }
        take_all(&s);
        expect_by_time(&s, expected);
        expect_newest(&s);
        free(expected);
        close_scene(&s);
    }
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

/* A gateway that was cut for less than 300 s: what its reader told before a person spoke was before that. */
static void test_what_a_reader_told_before_a_person_spoke_was_before_that(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    person(&s, 4000 * S, "p1", true);
    late(&s, 3950 * S, "open event=k1 class=internal", 4010 * S);
    late(&s, 3960 * S, "close event=k2", 4010 * S);
    expect_by_time(&s, "3950.0|3960.0|k1|k2|1\n4000.0|-|p1||0\n");
    assert_string_equal(s.watch.instruments[0].told.last.open_event, "p1");
    late(&s, 4260 * S, "close event=k2", 4260 * S); /* it goes on telling it */
    assert_true(told_is_session_open(&s.watch.instruments[0].told));
    late(&s, 3970 * S, "close event=k9", 4265 * S);
    late(&s, 4270 * S, "close event=k2",
        4270 * S); /* nor does one that was noted, and comes again after others */
    assert_true(told_is_session_open(&s.watch.instruments[0].told));
    assert_false(told_is_session_good(&s.watch.instruments[0].told));
    late(&s, 3980 * S, "close event=k10", 4275 * S);
    late(&s, 4280 * S, "close event=k9", 4280 * S);
    assert_true(told_is_session_open(&s.watch.instruments[0].told));
    person(&s, 4300 * S, "p2", false);
    late(&s, 4290 * S, "open event=k3 class=internal", 4310 * S);
    assert_false(told_is_session_open(&s.watch.instruments[0].told));
    expect_by_time(&s, "3950.0|3960.0|k1|k2|1\n3970.0|3970.0||k9|4\n3980.0|3980.0||k10|4\n"
                       "4000.0|4290.0|p1||2\n4290.0|4300.0|k3|p2|1\n");
    close_scene(&s);
}

/* Its clock may be behind by a second, and somebody at work: nobody knows, however often it is told. */
static void test_an_opening_that_a_person_closed_before_it_came_is_in_doubt(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    const struct told_instrument *sem = NULL;
    person(&s, 500 * S, "p0", true);
    person(&s, 1000 * S, "p1", false);
    late(&s, 999 * S, "open event=k1", 1001 * S);
    for (int i = 0; i < 4; i++) {
        sem = &s.watch.instruments[0].told;
        assert_false(told_is_session_open(sem));
        assert_false(told_is_session_good(sem));
        late(&s, (1300 + i * 300) * S, "open event=k1", (1301 + i * 300) * S);
    }
    person(&s, 2400 * S, "p3", true); /* somebody else, in between */
    late(&s, 2410 * S, "open event=k1", 2410 * S);
    assert_false(told_is_session_good(sem));
    person(&s, 2500 * S, "p4", false);
    person(&s, 2510 * S, "p5", false); /* pressed twice */
    late(&s, 2520 * S, "open event=k1", 2520 * S);
    start(&s, all);
    take_all(&s);
    sem = &s.watch.instruments[0].told;
    assert_false(told_is_session_good(sem));
    late(&s, 2600 * S, "close event=k2", 2600 * S);
    assert_true(told_is_session_good(sem));
    late(&s, 2700 * S, "open event=k3", 2700 * S);
    person(&s, 2800 * S, "p2", false); /* who knew of it */
    late(&s, 3000 * S, "open event=k3", 3000 * S);
    assert_false(told_is_session_open(sem));
    assert_true(told_is_session_good(sem));
    late(&s, 3100 * S, "nonsense", 3100 * S);
    assert_false(told_is_session_good(sem));
    late(&s, 3300 * S, "open event=k3", 3300 * S); /* read again */
    assert_true(told_is_session_good(sem));
    late(&s, 3310 * S, "close event=k4", 3310 * S);
    person(&s, 3400 * S, "p6", false);
    person(&s, 3401 * S, "p7", false);
    late(
        &s, 3399 * S, "open event=k5", 3402 * S); /* not the newest row, but the newest that its point told */
    assert_false(told_is_session_good(sem));
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
        cmocka_unit_test(test_an_opening_within_a_session_takes_over_its_end),
        cmocka_unit_test(test_a_close_within_a_session_ends_it_and_the_one_that_did_is_of_none),
        cmocka_unit_test(test_a_close_that_is_displaced_closes_nothing_later),
        cmocka_unit_test(test_a_close_of_the_instant_of_an_opening_is_of_the_one_before),
        cmocka_unit_test(test_an_opening_before_a_close_alone_has_it_for_its_end),
        cmocka_unit_test(test_events_in_any_order_are_those_of_their_times),
        cmocka_unit_test(test_one_of_before_limits_were_noted_has_the_present_one),
        cmocka_unit_test(test_what_a_reader_told_before_a_person_spoke_was_before_that),
        cmocka_unit_test(test_an_opening_that_a_person_closed_before_it_came_is_in_doubt),
        cmocka_unit_test(test_what_is_placed_is_judged_by_its_length),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
