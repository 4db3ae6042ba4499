/* Sessions as the journal and people tell them (collector/watch.h). */
#include "collector/telling.h"
#include "tests/unit/collector/watch_scene.h"

static void test_a_session_opened_and_closed_within_one_second_is_there(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 100, "open event=k1 class=internal organisation=OWN purpose=research");
    told(&s, 400, "close event=k2");
    told(&s, 300 * S, "close event=k2"); /* the same again */
    told(&s, 301 * S, "open event=k3 class=external");
    told(&s, 302 * S, "open event=k3 class=external");
    take_all(&s);
    expect_sessions(&s, "0.1|0.4|11|OWN|k1|k2|221\n301.0|-|22||k3||200\n");
    assert_true(told_is_session_open(&s.watch.instruments[0].told));
    close_scene(&s);
}

static void test_the_legal_entity_decides_who_is_external(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 1 * S, "open event=1 class=internal organisation=OTHER");
    told(&s, 2 * S, "open event=2 class=external organisation=OWN");
    told(&s, 3 * S, "open event=3 class=training organisation=OTHER");
    told(&s, 4 * S, "open event=4 class=training");
    told(&s, 5 * S, "open event=5 class=nonsense organisation=lower more=words");
    take_all(&s);
    expect(&s, "SELECT user || class FROM session ORDER BY id", "21\n12\n23\n03\n00\n");
    close_scene(&s);
}

static void test_two_opens_and_a_close_alone_lose_nothing(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 1 * S, "close event=a");
    told(&s, 2 * S, "open event=b class=internal");
    told(&s, 3 * S, "open event=c class=internal");
    told(&s, 4 * S, "close event=d");
    told(&s, 5 * S, "close event=e");
    take_all(&s);
    expect_sessions(&s, "1.0|1.0|00|||a|024\n2.0|3.0|11||b||232\n3.0|4.0|11||c|d|221\n5.0|5.0|00|||e|024\n");
    struct told_session *sessions;
    size_t count;
    struct error err = {""};
    int64_t id = find(&s, "sem").id;
    must(told_sessions(s.journal.db, id, BEGIN_MS + 2500, BEGIN_MS + 9 * S, &sessions, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_string_equal(sessions[0].open_event, "b");
    assert_string_equal(sessions[1].close_event, "d");
    free(sessions);
    must(told_sessions(s.journal.db, id, BEGIN_MS + 3 * S, BEGIN_MS + 4 * S, &sessions, &count, &err), &err);
    assert_int_equal(count, 1);
    free(sessions);
    close_scene(&s);
}

static void test_a_close_of_before_a_session_is_not_its_close(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 1000 * S, "open event=b class=internal");
    told(&s, 500 * S, "close event=a"); /* of one before, late */
    told(&s, 999 * S, "closed");        /* polled */
    told(&s, 501 * S, "close event=a");
    take_all(&s);
    expect_sessions(&s, "1000.0|-|11||b||200\n500.0|500.0|00|||a|024\n");
    assert_true(told_is_session_open(&s.watch.instruments[0].told));
    start(&s, all);
    told(&s, 1000 * S, "close event=c");
    take_all(&s);
    expect_sessions(&s, "1000.0|1000.0|11||b|c|221\n500.0|500.0|00|||a|024\n");
    told(&s, 2000 * S, "open event=d class=internal");
    look_at(&s, 2000 * S + 3 * HOUR); /* forgotten */
    told(&s, 1500 * S, "close event=e");
    take_all(&s);
    assert_true(told_is_session_open(&s.watch.instruments[0].told));
    close_scene(&s);
}

static void test_a_reader_that_numbers_anew_is_heard(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 10 * S, "open event=1");
    told(&s, 20 * S, "close event=2");
    told(&s, 320 * S, "close event=2"); /* the state goes again */
    told(&s, 15 * S, "open event=1");   /* the same, once more: an old one */
    take_all(&s);
    expect_sessions(&s, "10.0|20.0|00||1|2|221\n");
    start(&s, all);
    told(&s, 600 * S, "open event=1"); /* it began anew */
    told(&s, 900 * S, "open event=1");
    take_all(&s);
    expect_sessions(&s, "10.0|20.0|00||1|2|221\n600.0|-|00||1||200\n");
    by_hand(&s, 1000 * S, "p", false);
    told(&s, 1200 * S, "open event=1"); /* repeats what it told, whatever people said */
    told(&s, 1300 * S, "open event=1");
    take_all(&s);
    expect_sessions(&s, "10.0|20.0|00||1|2|221\n600.0|1000.0|00||1|p|241\n");
    told(&s, 1400 * S, "close event=2"); /* nobody knows better: nothing is open */
    told(&s, 1500 * S, "open event=3");
    told(&s, 1600 * S, "close event=3"); /* one id for both */
    take_all(&s);
    expect_sessions(&s, "10.0|20.0|00||1|2|221\n600.0|1000.0|00||1|p|241\n1500.0|1600.0|00||3|3|221\n");
    by_hand(&s, 1700 * S, "p", true); /* what people say is known by its id alone */
    told(&s, 1600 * S + TOLD_KNOWN_MS, "open event=3");
    told(&s, 1601 * S + TOLD_KNOWN_MS, "close event=1");
    told(&s, 1602 * S + TOLD_KNOWN_MS, "close event=3"); /* known for 35 days: nothing is open */
    take_all(&s);
    expect(&s, "SELECT open_event || ifnull(close_event, '') FROM session WHERE id > 3", "31\n");
    told(&s, 1603 * S + TOLD_KNOWN_MS, "close event=2"); /* not any more */
    take_all(&s);
    expect(&s, "SELECT ifnull(open_event, '') || close_event FROM session WHERE id > 3", "31\n2\n");
    close_scene(&s);
}

static void test_a_polled_terminal_opens_and_closes_once_by_its_state(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    static const char *const states[] = {"closed", "open", "open", "closed", "close", "open"};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        told(&s, (int64_t)(i + 1) * S, states[i]);
    take_all(&s);
    expect(&s, "SELECT " TIME("opened_ms") " || '|' || " TIME("closed_ms") " FROM session ORDER BY id",
        "2.0|4.0\n6.0|-\n");
    assert_int_equal(find(&s, "sem").session_ms, BEGIN_MS + 6 * S);
    close_scene(&s);
}

/* What a terminal told while its gateway was cut comes at once: words in their order have their own times; what is older than the
 * newest word, or than what somebody said since, says nothing of now. */
static void test_an_old_word_of_a_polled_terminal_changes_nothing_of_now(void **unused)
{
    (void)unused;
    static const char rows[] =
        "SELECT " TIME("opened_ms") " || '|' || " TIME("closed_ms") " FROM session ORDER BY id";
    struct scene s;
    open_scene(&s, all);
    told(&s, 100 * S, "open");
    told(&s, 200 * S, "closed");
    state(&s, 2, "sem", "open", 150 * S, 400 * S);
    take_all(&s);
    expect(&s, rows, "100.0|200.0\n");
    told(&s, 600 * S, "open");
    told(&s, 700 * S, "open");
    state(&s, 2, "sem", "closed", 650 * S, 400 * S);
    state(&s, 2, "sem", "closed", 699 * S, 2 * S);
    take_all(&s);
    expect(&s, rows, "100.0|200.0\n600.0|-\n");
    state(&s, 2, "sem", "closed", 1000 * S, HOUR);
    state(&s, 2, "sem", "open", 2000 * S, HOUR);
    state(&s, 2, "sem", "closed", 3000 * S, HOUR);
    take_all(&s);
    expect(&s, rows, "100.0|200.0\n600.0|1000.0\n2000.0|3000.0\n");
    by_hand(&s, 4000 * S, "p1", true);
    by_hand(&s, 5000 * S, "p2", false);
    state(&s, 2, "sem", "open", 4900 * S, 400 * S);
    take_all(&s);
    expect(&s, rows, "100.0|200.0\n600.0|1000.0\n2000.0|3000.0\n4000.0|5000.0\n");
    state(&s, 2, "sem", "closed", 4950 * S, 400 * S); /* told late, it ended that */
    take_all(&s);
    expect(&s, rows, "100.0|200.0\n600.0|1000.0\n2000.0|3000.0\n4000.0|4950.0\n5000.0|5000.0\n");
    told(&s, 4999 * S, "open"); /* of before p2 */
    take_all(&s);
    expect(&s, rows, "100.0|200.0\n600.0|1000.0\n2000.0|3000.0\n4000.0|4950.0\n4999.0|5000.0\n");
    close_scene(&s);
    open_scene(&s, all); /* a word is no event only because somebody said otherwise */
    told(&s, 100 * S, "closed");
    take_all(&s);
    by_hand(&s, 150 * S, "p1", true);
    told(&s, 200 * S, "closed");
    take_all(&s);
    expect(&s, rows, "150.0|-\n");
    told(&s, 300 * S, "open"); /* the same person, there */
    told(&s, 400 * S, "open");
    take_all(&s);
    expect(&s, rows, "150.0|-\n");
    start(&s, all);
    told(&s, 500 * S, "closed");
    take_all(&s);
    expect(&s, rows, "150.0|500.0\n");
    close_scene(&s);
    open_scene(&s, all); /* what it told while somebody said otherwise later */
    take_all(&s);
    by_hand(&s, 1000 * S, "p1", true);
    by_hand(&s, 3000 * S, "p2", false);
    state(&s, 2, "sem", "open", 300 * S, HOUR);
    state(&s, 2, "sem", "open", 400 * S, HOUR);
    state(&s, 2, "sem", "closed", 600 * S, HOUR);
    state(&s, 2, "sem", "closed", 900 * S, HOUR);
    state(&s, 2, "sem", "closed", 3100 * S, HOUR);
    take_all(&s);
    expect(&s, "SELECT " TIME("opened_ms") " || '|' || " TIME("closed_ms") " FROM session ORDER BY opened_ms",
        "300.0|600.0\n1000.0|3000.0\n");
    close_scene(&s);
}

static void expect_now(struct scene *s, bool is_open, bool is_good)
{
    take_all(s);
    assert_int_equal(told_is_session_open(&s->watch.instruments[0].told), is_open);
    assert_int_equal(told_is_session_good(&s->watch.instruments[0].told), is_good);
}

static const char other_reader[] = HEAD RESOURCES "instruments = ({ " NAMED("sem") WHOSE
    "power = \"gw-a/sem\"; session = \"gw-b/sem-b\"; off_w = 10; standby_w = 20; exit_w = 30; enter_w = 40;"
    " enter_s = 10; exit_s = 60; off_means = \"available\"; max_session = 7200; });\n";

/* Not by what another source of the instrument said meanwhile. */
static void test_another_reader_is_no_word_of_now_until_it_speaks(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 100 * S, "open event=a");
    expect_now(&s, true, true);
    start(&s, other_reader);
    power(&s, 200 * S, "15");
    expect_now(&s, true, false);
    start(&s, other_reader);
    expect_now(&s, true, false);
    state(&s, 2, "sem-b", "close event=b", 300 * S, 0);
    expect_now(&s, false, true);
    close_scene(&s);
}

/* What it says is never hidden by what it said before. */
static void test_a_polled_terminal_that_contradicts_a_person_leaves_doubt(void **unused)
{
    (void)unused;
    struct scene s;
    struct error err = {""};
    open_scene(&s, all);
    told(&s, 100 * S, "open");
    expect_now(&s, true, true);
    by_hand(&s, 500 * S, "p0", false);
    expect_now(&s, false, true);
    for (int i = 0; i < 3; i++) {
        told(&s, 560 * S + i * 60 * S, "open");
        expect_now(&s, false, false);
    }
    told(&s, 800 * S, "closed");
    expect_now(&s, false, true);
    told(&s, 850 * S, "open");
    expect_now(&s, true, true);
    by_hand(&s, 900 * S, "p1", false);
    must(told_leave_all(s.journal.db, &err), &err);
    start(&s, all);
    told(&s, 1000 * S, "open"); /* after a restore nobody knows what it said before */
    expect_now(&s, true, true);
    told(&s, 1100 * S, "closed");
    state(&s, 2, "sem", "open", 1230 * S, -30 * S);
    state(&s, 2, "sem", "closed", 1220 * S, 1 * S); /* its clock was set back */
    expect_now(&s, true, true);
    told(&s, 1300 * S, "closed");
    expect_now(&s, false, true);
    told(&s, 1400 * S, "open event=k1"); /* another terminal, which tells events */
    told(&s, 1500 * S, "closed");
    expect_now(&s, false, true);
    by_hand(&s, 1600 * S, "p2", true);
    told(&s, 1650 * S, "closed");
    expect_now(&s, true, true);
    must(told_leave_all(s.journal.db, &err), &err);
    start(&s, all);
    told(&s, 1700 * S, "closed"); /* what a person opened it does not close before it said that it is open */
    expect_now(&s, true, true);
    by_hand(&s, 1710 * S, "p3", false);
    told(&s, 1720 * S, "open");
    expect_now(&s, true, true);
    by_hand(&s, 1750 * S, "p4", true); /* the next one, before it was seen that the former logged out */
    told(&s, 1780 * S, "closed");
    expect_now(&s, true, true);
    close_scene(&s);
}

/* Words that were under way while a person spoke: each at its own time. */
static void test_words_of_a_polled_terminal_of_before_a_person_have_their_time(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 600 * S, "closed");
    take_all(&s);
    by_hand(&s, 1000 * S, "p1", true);
    state(&s, 2, "sem", "open", 800 * S, 250 * S);
    state(&s, 2, "sem", "closed", 900 * S, 150 * S);
    expect_now(&s, true, true);
    expect(&s, "SELECT " TIME("opened_ms") " || '|' || " TIME("closed_ms") " FROM session ORDER BY opened_ms",
        "800.0|900.0\n1000.0|-\n");
    close_scene(&s);
}

static void test_what_is_no_event_changes_nothing_and_its_source_ages(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    static const char *const bad[] = {
        "", "opened event=x", "open class=internal", "close event=", "open event=ä", "open  ", "17"};
    told(&s, 1 * S, "open event=a class=internal");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        told(&s, (int64_t)(i + 2) * S, bad[i]);
    take_all(&s);
    expect_sessions(&s, "1.0|-|11||a||200\n");
    assert_int_equal(find(&s, "sem").session_ms, BEGIN_MS + 1 * S);
    assert_true(s.watch.instruments[0].garbled.is_said);
    close_scene(&s);
}

static void test_a_forgotten_session_is_ended_by_inference_and_nobody_says_that_it_is_free(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "open event=a class=internal");
    look_at(&s, 2 * HOUR);
    expect_sessions(&s, "0.0|-|11||a||200\n");
    look_at(&s, 2 * HOUR + 1);
    expect_sessions(&s, "0.0|7200.0|11||a||233\n");
    assert_true(told_is_session_open(&s.watch.instruments[0].told));
    told(&s, 3 * HOUR, "close event=b"); /* too late: the end that was inferred stays */
    take_all(&s);
    expect_sessions(&s, "0.0|7200.0|11||a|b|233\n");
    assert_false(told_is_session_open(&s.watch.instruments[0].told));
    told(&s, 4 * HOUR, "open event=c class=internal");
    look_at(&s, 8 * HOUR);
    told(&s, 5 * HOUR, "close event=d"); /* was on its way for long */
    take_all(&s);
    expect_sessions(&s, "0.0|7200.0|11||a|b|233\n14400.0|18000.0|11||c|d|221\n");
    told(&s, 9 * HOUR, "open event=e class=internal");
    look_at(&s, 20 * HOUR);
    told(&s, 10 * HOUR, "open event=f class=internal"); /* the same, of what came after */
    look_at(&s, 21 * HOUR);
    told(&s, 13 * HOUR, "open event=g class=internal");
    take_all(&s);
    expect(&s,
        "SELECT " TIME("opened_ms") " || '|' || " TIME(
            "closed_ms") " || '|' || why FROM session WHERE id > 2",
        "32400.0|36000.0|2\n36000.0|43200.0|3\n46800.0|54000.0|3\n");
    close_scene(&s);
}

static void test_a_session_is_forgotten_though_each_step_brings_something(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "open event=a class=internal");
    wall = BEGIN_MS + 2 * HOUR + 1;
    for (int i = 0; i < 3; i++) {
        power(&s, 2 * HOUR + i, "15");
        assert_true(step(&s, true));
    }
    expect_sessions(&s, "0.0|7200.0|11||a||233\n");
    close_scene(&s);
}

static void test_a_session_is_not_forgotten_while_it_runs(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "open event=a class=internal");
    for (int64_t t = 0; t <= 3 * HOUR; t += 60 * S)
        power(&s, t, "100");
    look_at(&s, 3 * HOUR + 30 * S); /* also between two readings */
    expect_sessions(&s, "0.0|-|11||a||200\n");
    power(&s, 3 * HOUR + 60 * S, "15");
    power(&s, 3 * HOUR + 120 * S, "15");
    look_at(&s, 3 * HOUR + 120 * S);
    expect_sessions(&s, "0.0|10860.0|11||a||233\n"); /* where its last run ended */
    told(&s, 4 * HOUR, "open event=b class=internal");
    for (int64_t t = 4 * HOUR; t <= 7 * HOUR; t += 60 * S)
        power(&s, t, "100");
    look_at(&s, 9 * HOUR); /* it ran, as long as it was heard */
    expect(&s, "SELECT " TIME("closed_ms") " || '|' || why FROM session WHERE id = 2", "25200.0|3\n");
    close_scene(&s);
}

/* As a gateway that was cut tells it all at once: what ran the next day is of somebody else. */
static void test_what_runs_later_is_not_of_a_forgotten_session(void **unused)
{
    (void)unused;
    struct scene s;
    open_scene(&s, all);
    told(&s, 0, "open event=a class=internal");
    for (int64_t t = 0; t <= 24 * HOUR; t += 60 * S)
        power(&s, t, t < HOUR || (t >= 20 * HOUR && t < 21 * HOUR) ? "100" : "15");
    look_at(&s, 24 * HOUR);
    expect(&s, "SELECT " TIME("closed_ms") " || '|' || why FROM session", "7200.0|3\n"); /* max_session */
    close_scene(&s);
}

static void test_time_in_which_the_reader_was_not_heard_is_unseen(void **unused)
{
    (void)unused;
    struct scene s;
    struct hours_span *unseen;
    size_t count;
    struct error err = {""};
    open_scene(&s, all);
    take_all(&s);
    int64_t id = find(&s, "sem").id;
    must(told_unseen(s.journal.db, id, BEGIN_MS, BEGIN_MS + HOUR, &unseen, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_true(unseen[0].from_ms == BEGIN_MS && unseen[0].until_ms == BEGIN_MS + HOUR);
    free(unseen);
    told(&s, 100 * S, "close event=a");
    told(&s, 1000 * S, "close event=a"); /* 900 s: as long as three periods */
    told(&s, 1901 * S, "close event=a");
    state(&s, 2, "sem", "close event=a", 4000 * S,
        -1000 * S); /* its clock is ahead: it was heard when it came */
    take_all(&s);
    expect(&s,
        "SELECT ((from_ms - 1767225600000) / 1000) || '|' || ((until_ms - 1767225600000) / 1000) FROM "
        "session_unseen",
        "-1767225600|100\n1000|1901\n1901|3000\n");
    must(
        told_unseen(s.journal.db, id, BEGIN_MS + 2500 * S, BEGIN_MS + 3901 * S, &unseen, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_true(unseen[1].from_ms == BEGIN_MS + 3000 * S && unseen[1].until_ms == BEGIN_MS + 3901 * S);
    free(unseen);
    must(
        told_unseen(s.journal.db, id, BEGIN_MS + 3100 * S, BEGIN_MS + 3900 * S, &unseen, &count, &err), &err);
    assert_int_equal(count, 0);
    free(unseen);
    close_scene(&s);
}

static enum status tell(
    struct scene *s, const char *event, bool is_open, struct telling_result *ret, struct error *err)
{
    struct telling request = {.event = {.is_open = is_open, .text = "an event"}, .who = "anna"};
    snprintf(request.event.id, sizeof request.event.id, "%s", event);
    snprintf(request.event.instrument, sizeof request.event.instrument, "sem");
    return telling_run(&s->watch, &ticking, &request, ret, err);
}

/* Told again it is known; but of another action it is another event, and would be lost without a word. */
static void test_a_person_may_not_use_an_id_of_an_event_that_did_otherwise(void **unused)
{
    (void)unused;
    struct scene s;
    struct telling_result result;
    struct error err = {""};
    open_scene(&s, all);
    told(&s, 0, "open event=1 class=external");
    told(&s, 10 * S, "close event=2");
    take_all(&s);
    wall = BEGIN_MS + 20 * S;
    assert_int_equal(tell(&s, "2", true, &result, &err), ST_INVALID);
    assert_string_equal(err.text,
        "event id \"2\" was another event's, which did not open a session of instrument "
        "sem; expected an id that is new");
    assert_int_equal(tell(&s, "1", false, &result, &err), ST_INVALID);
    expect(&s, "SELECT count(*) FROM session", "1\n");
    assert_int_equal(tell(&s, "1", true, &result, &err), ST_OK);
    assert_int_equal(result.news, TOLD_KNOWN);
    assert_int_equal(tell(&s, "2", false, &result, &err), ST_OK);
    assert_int_equal(result.news, TOLD_KNOWN);
    assert_int_equal(tell(&s, "3", true, &result, &err), ST_OK);
    assert_int_equal(result.news, TOLD_TAKEN);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_session_opened_and_closed_within_one_second_is_there),
        cmocka_unit_test(test_the_legal_entity_decides_who_is_external),
        cmocka_unit_test(test_two_opens_and_a_close_alone_lose_nothing),
        cmocka_unit_test(test_a_close_of_before_a_session_is_not_its_close),
        cmocka_unit_test(test_a_reader_that_numbers_anew_is_heard),
        cmocka_unit_test(test_a_polled_terminal_opens_and_closes_once_by_its_state),
        cmocka_unit_test(test_an_old_word_of_a_polled_terminal_changes_nothing_of_now),
        cmocka_unit_test(test_another_reader_is_no_word_of_now_until_it_speaks),
        cmocka_unit_test(test_a_polled_terminal_that_contradicts_a_person_leaves_doubt),
        cmocka_unit_test(test_words_of_a_polled_terminal_of_before_a_person_have_their_time),
        cmocka_unit_test(test_what_is_no_event_changes_nothing_and_its_source_ages),
        cmocka_unit_test(test_a_forgotten_session_is_ended_by_inference_and_nobody_says_that_it_is_free),
        cmocka_unit_test(test_a_session_is_forgotten_though_each_step_brings_something),
        cmocka_unit_test(test_a_session_is_not_forgotten_while_it_runs),
        cmocka_unit_test(test_what_runs_later_is_not_of_a_forgotten_session),
        cmocka_unit_test(test_a_person_may_not_use_an_id_of_an_event_that_did_otherwise),
        cmocka_unit_test(test_time_in_which_the_reader_was_not_heard_is_unseen),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
