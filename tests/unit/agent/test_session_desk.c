/* lib/session_event and session_desk: what an event may say, and each once. */
#include "agent/sources/session_desk.h"
#include "tests/unit/agent/source_fixture.h"

#define OPEN(id) "{\"event\":\"" id "\",\"instrument\":\"sem3\",\"action\":\"open\",\"class\":\"external\"}"
#define CLOSE(id) "{\"event\":\"" id "\",\"instrument\":\"sem3\",\"action\":\"close\"}"

static char research[] = "research", teaching[] = "teaching";
static char *words[] = {research, teaching};
static const struct conf_list purposes = {words, 2};

static void test_an_event_becomes_a_compact_state(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
    } cases[] = {{OPEN("k3-1"), "open event=k3-1 class=external"},
        {CLOSE("k3:2.x_Y"), "close event=k3:2.x_Y"},
        {"{ "
         "\"purpose\":\"research\",\"organisation\":\"91330421MA2B\",\"class\":\"internal\",\"action\":"
         "\"open\","
         "\"instrument\":\"sem3\",\"event\":\"a\"}",
            "open event=a class=internal organisation=91330421MA2B purpose=research"},
        {"{\"event\":\"0123456789012345678901234567890123456789\",\"instrument\":"
         "\"01234567890123456789012345678901\","
         "\"action\":\"open\",\"class\":\"external\",\"organisation\":\"ABCDEFGHIJKLMNOPQRSTUVWXYZ-01234\","
         "\"purpose\":\"teaching\"}",
            "open event=0123456789012345678901234567890123456789 class=external "
            "organisation=ABCDEFGHIJKLMNOPQRSTUVWXYZ-01234 purpose=teaching"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct session_event e;
        struct error err;
        if (session_event_read(span_of(cases[i].json), &purposes, false, &e, &err) != ST_OK)
            fail_msg("%s: %s", cases[i].json, err.text);
        assert_string_equal(e.text, cases[i].text);
    }
}

static void test_what_an_event_may_not_say_is_one_sentence(void **state)
{
    (void)state;
#define WITH(more) \
    "{\"event\":\"e\",\"instrument\":\"sem3\",\"action\":\"open\",\"class\":\"internal\"," more "}"
    static const struct {
        const char *json, *why;
    } cases[] = {
        {"", "is not JSON: '[' or '{' expected near end of file"},
        {"[]", "is no object"},
        {"{}", "event is missing; expected an id of this event's own"},
        {"{\"event\":\"a b\"}", "event \"a b\" is no id; expected 1 to 40 of A-Z a-z 0-9 . _ : -"},
        {"{\"event\":\"e\"}", "instrument is missing or no id"},
        {"{\"event\":\"e\",\"instrument\":\"SEM\"}", "instrument is missing or no id"},
        {"{\"event\":\"e\",\"instrument\":\"sem3\"}",
            "action is missing or not known; expected open or close"},
        {"{\"event\":\"e\",\"instrument\":\"sem3\",\"action\":\"open\"}",
            "class is missing; expected internal, external, training or service"},
        {"{\"event\":\"e\",\"instrument\":\"sem3\",\"action\":\"open\",\"class\":\"vip\"}",
            "class \"vip\" is not known; expected internal, external, training or service"},
        {WITH("\"name\":\"Zhang San\""),
            "\"name\" is not known; expected event, instrument, action, class, organisation and purpose"},
        {WITH("\"organisation\":\"Zhang San\""),
            "organisation \"Zhang San\" is no code; expected 1 to 32 of A-Z 0-9 -"},
        {WITH("\"purpose\":\"for Zhang San\""), "purpose \"for Zhang San\" is none of those in the settings"},
        {WITH("\"purpose\":true"), "purpose is no text"},
        {"{\"event\":\"e\",\"instrument\":\"sem3\",\"action\":\"close\",\"class\":\"internal\"}",
            "class, organisation and purpose are for open only"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct session_event e;
        struct error err = {""};
        assert_int_equal(session_event_read(span_of(cases[i].json), &purposes, false, &e, &err), ST_INVALID);
        assert_string_equal(err.text, cases[i].why);
    }
}

struct desk_scene {
    struct agent_settings settings;
    struct conf *conf;
    struct session_desk desk;
};

/* `more`: of the reader of sem3. */
static void desk_open_deaf(struct desk_scene *s, const char *more)
{
    char *text =
        mem_printf("gateway = \"gw-a\"; spool: { path = \"s\"; };\n"
                   "sources = ( { name = \"k\"; source = \"session\"; socket = \"x\"; instruments = ("
                   "{ name = \"sem3\"; point = \"l.sem3\"; %s }, { name = \"xrd\"; point = \"l.xrd\"; }"
                   " ); } );\n",
            more);
    char *path = settings_write("desk.cfg", text);
    s->conf = agent_settings_load(path, &s->settings);
    assert_int_equal(conf_problem_count(s->conf), 0);
    const struct source_settings *source = s->settings.sources.items;
    passed_ms = 0;
    buf_reset(&seen);
    session_desk_init(&s->desk, source->name, source->extra, &test_context);
    free(path);
    free(text);
}

static void desk_open(struct desk_scene *s)
{
    desk_open_deaf(s, "");
    session_desk_listen(&s->desk, true);
}

static void desk_close(struct desk_scene *s)
{
    session_desk_release(&s->desk);
    conf_destroy(s->conf);
}

static void tell(struct desk_scene *s, const char *json, const char *expected)
{
    struct buf answer = {0};
    session_desk_take(&s->desk, span_of(json), 0, &answer);
    assert_string_equal(answer.data, expected);
    buf_release(&answer);
}

static void test_a_session_within_one_second_is_there_and_each_event_once(void **state)
{
    (void)state;
    struct desk_scene s;
    desk_open(&s);
    tell(&s, OPEN("a"), "{\"event\":\"a\",\"result\":\"taken\"}");
    tell(&s, CLOSE("b"), "{\"event\":\"b\",\"result\":\"taken\"}");
    tell(&s, CLOSE("b"), "{\"event\":\"b\",\"result\":\"known\"}");
    expect_seen("l.sem3 open event=a class=external +0\nl.sem3 close event=b +1\n");
    tell(&s, "{\"event\":\"a\",\"instrument\":\"tem\",\"action\":\"close\"}",
        "{\"event\":\"a\",\"result\":\"refused\",\"why\":\"instrument \\\"tem\\\" is not known here\"}");
    tell(&s, "x", "{\"result\":\"refused\",\"why\":\"is not JSON: '[' or '{' expected near 'x'\"}");
    expect_seen("");
    desk_close(&s);
}

static void test_two_open_sessions_and_a_close_without_one_are_taken_and_told(void **state)
{
    (void)state;
    struct desk_scene s;
    desk_open(&s);
    tell(&s, OPEN("a"), "{\"event\":\"a\",\"result\":\"taken\"}");
    assert_false(s.desk.doubtful.is_open);
    tell(&s, OPEN("b"), "{\"event\":\"b\",\"result\":\"taken\"}");
    assert_true(s.desk.doubtful.is_open);
    tell(&s, CLOSE("c"), "{\"event\":\"c\",\"result\":\"taken\"}");
    tell(&s, CLOSE("d"), "{\"event\":\"d\",\"result\":\"taken\"}");
    expect_seen("l.sem3 open event=a class=external +0\nl.sem3 open event=b class=external +1\nl.sem3 close "
                "event=c +2\n"
                "l.sem3 close event=d +3\n");
    desk_close(&s);
}

static void test_the_newest_ids_are_known_and_the_state_goes_again(void **state)
{
    (void)state;
    struct desk_scene s;
    char json[128], answer[64];
    desk_open(&s);
    for (int i = 0; i < 3 * SESSION_IDS_MAX; i++) {
        snprintf(json, sizeof json, CLOSE("e%d"), i);
        snprintf(answer, sizeof answer, "{\"event\":\"e%d\",\"result\":\"taken\"}", i);
        tell(&s, json, answer);
    }
    for (int i = 2 * SESSION_IDS_MAX; i < 3 * SESSION_IDS_MAX; i++) {
        snprintf(json, sizeof json, CLOSE("e%d"), i);
        snprintf(answer, sizeof answer, "{\"event\":\"e%d\",\"result\":\"known\"}", i);
        tell(&s, json, answer);
    }
    buf_reset(&seen);
    assert_int_equal(session_desk_tick(&s.desk), M0 + 300000);
    passed_ms = 300000;
    session_desk_tick(&s.desk);
    expect_seen("l.sem3 close event=e191 +300000\n");
    desk_close(&s);
}

static void test_an_open_of_before_that_contradicts_the_state_is_another_event(void **state)
{
    (void)state;
    struct desk_scene s;
    desk_open(&s);
    tell(&s, OPEN("1"), "{\"event\":\"1\",\"result\":\"taken\"}");
    tell(&s, CLOSE("2"), "{\"event\":\"2\",\"result\":\"taken\"}");
    tell(&s, OPEN("3"), "{\"event\":\"3\",\"result\":\"taken\"}");
    tell(&s, OPEN("1"), "{\"event\":\"1\",\"result\":\"known\"}");  /* it says what is so */
    tell(&s, CLOSE("3"), "{\"event\":\"3\",\"result\":\"known\"}"); /* the newest, whatever it says now */
    assert_false(s.desk.anew.is_open);
    tell(&s, CLOSE("4"), "{\"event\":\"4\",\"result\":\"taken\"}");
    buf_reset(&seen);
    passed_ms = 3600000; /* it was without power, and counts from 1 */
    tell(&s, OPEN("1"), "{\"event\":\"1\",\"result\":\"taken\"}");
    assert_true(s.desk.anew.is_open);
    tell(&s, OPEN("1"), "{\"event\":\"1\",\"result\":\"known\"}"); /* its answer was lost */
    tell(&s, CLOSE("5"), "{\"event\":\"5\",\"result\":\"taken\"}");
    tell(&s, CLOSE("5"), "{\"event\":\"5\",\"result\":\"known\"}");
    tell(&s, OPEN("3"), "{\"event\":\"3\",\"result\":\"taken\"}");
    assert_int_equal(s.desk.anew.silent, 1); /* one line */
    expect_seen("l.sem3 open event=1 class=external +3600000\nl.sem3 close event=5 +3600001\n"
                "l.sem3 open event=3 class=external +3600002\n");
    desk_close(&s);
}

/* It tells no session less for that. */
static void test_a_reader_that_numbers_anew_is_taken_whole(void **state)
{
    (void)state;
    struct desk_scene s;
    char json[128], answer[64];
    desk_open(&s);
    for (int i = 0; i < 10; i++) {
        int id = i < 6 ? i + 1 : i - 5;
        if (i % 2 == 0)
            snprintf(json, sizeof json, OPEN("%d"), id);
        else
            snprintf(json, sizeof json, CLOSE("%d"), id);
        snprintf(answer, sizeof answer, "{\"event\":\"%d\",\"result\":\"taken\"}", id);
        tell(&s, json, answer);
        snprintf(answer, sizeof answer, "{\"event\":\"%d\",\"result\":\"known\"}", id);
        tell(&s, json, answer);
    }
    tell(&s, OPEN("5"), "{\"event\":\"5\",\"result\":\"taken\"}");
    tell(&s, CLOSE("2"),
        "{\"event\":\"2\",\"result\":\"known\"}"); /* another's, told again: 5 was closed by 6 */
    assert_true(s.desk.instruments[0].is_open);
    desk_close(&s);
}

/* Two readers of one instrument: the answer to the close of one was lost, and the other opened since. */
static void test_a_close_of_before_closes_nothing(void **state)
{
    (void)state;
    struct desk_scene s;
    desk_open(&s);
    tell(&s, OPEN("x1"), "{\"event\":\"x1\",\"result\":\"taken\"}");
    tell(&s, CLOSE("x2"), "{\"event\":\"x2\",\"result\":\"taken\"}");
    tell(&s, OPEN("y1"), "{\"event\":\"y1\",\"result\":\"taken\"}");
    buf_reset(&seen);
    assert_false(s.desk.late.is_open);
    tell(&s, CLOSE("x2"), "{\"event\":\"x2\",\"result\":\"known\"}");
    assert_true(s.desk.late.is_open);
    expect_seen("");
    passed_ms = 300000;
    session_desk_tick(&s.desk);
    expect_seen("l.sem3 open event=y1 class=external +300000\n");
    desk_close(&s);
}

static void test_the_newest_is_the_newest_also_where_its_id_came_before(void **state)
{
    (void)state;
    struct desk_scene s;
    char json[128], answer[64];
    desk_open(&s);
    for (int i = 0; i < 3 * SESSION_IDS_MAX; i++) {
        tell(&s, OPEN("1"), "{\"event\":\"1\",\"result\":\"taken\"}");
        tell(&s, OPEN("1"), "{\"event\":\"1\",\"result\":\"known\"}");
        tell(&s, CLOSE("1"), "{\"event\":\"1\",\"result\":\"known\"}"); /* whatever it says now */
        snprintf(json, sizeof json, CLOSE("e%d"), i);
        snprintf(answer, sizeof answer, "{\"event\":\"e%d\",\"result\":\"taken\"}", i);
        tell(&s, json, answer);
    }
    assert_false(s.desk.late.is_open);
    tell(&s, OPEN("e191"), "{\"event\":\"e191\",\"result\":\"known\"}");
    desk_close(&s);
}

static void pass_to(struct desk_scene *s, int64_t ms)
{
    passed_ms = ms;
    session_desk_tick(&s->desk);
}

/* As a start finds it noted in the spool, with the ids of its own event and the one before. */
static void note(struct desk_scene *s, const char *text, const char *former, const char *own)
{
    struct desk_instrument *one = &s->desk.instruments[0];
    one->noted = mem_strdup(text);
    one->is_open = strncmp(text, "open", 4) == 0;
    snprintf(one->ids[0], sizeof one->ids[0], "%s", former);
    snprintf(one->ids[1], sizeof one->ids[1], "%s", own);
    one->id_count = 2;
}

static void test_a_reader_that_keeps_alive_is_repeated_while_it_is_heard(void **state)
{
    (void)state;
    struct desk_scene s;
    const struct silence *silence;
    desk_open_deaf(&s, "alive = 400;");
    session_desk_listen(&s.desk, true);
    silence = &s.desk.instruments[0].silence;
    tell(&s, OPEN("a"), "{\"event\":\"a\",\"result\":\"taken\"}");
    pass_to(&s, 300000);
    expect_seen("l.sem3 open event=a class=external +0\nl.sem3 open event=a class=external +300000\n");
    tell(&s, OPEN("a"), "{\"event\":\"a\",\"result\":\"known\"}");
    pass_to(&s, 600000);
    expect_seen("l.sem3 open event=a class=external +600000\n");
    pass_to(&s, 700000); /* it was heard at 300 s */
    assert_false(silence->silent.is_open);
    assert_int_equal(session_desk_tick(&s.desk), M0 + 700001);
    pass_to(&s, 700001);
    assert_true(silence->silent.is_open);
    for (int64_t ms = 750000; ms < 3600000; ms += 50000)
        pass_to(&s, ms);
    expect_seen("");
    assert_int_equal(silence->silent.silent, 0); /* one line */
    /* What is no event of it says nothing of it, and nor does another reader. */
    tell(&s, "{\"event\":\"b\",\"instrument\":\"sem3\"}",
        "{\"event\":\"b\",\"result\":\"refused\",\"why\":\"action is missing or not known; expected open or "
        "close\"}");
    tell(&s, "{\"event\":\"b\",\"instrument\":\"xrd\",\"action\":\"close\"}",
        "{\"event\":\"b\",\"result\":\"taken\"}");
    buf_reset(&seen);
    pass_to(&s, 3600000);
    expect_seen("");
    tell(&s, OPEN("a"), "{\"event\":\"a\",\"result\":\"known\"}");
    assert_false(silence->silent.is_open);
    pass_to(&s, 3600000);
    expect_seen("l.sem3 open event=a class=external +3600000\n");
    desk_close(&s);
}

static void test_after_a_start_a_reader_that_keeps_alive_is_told_when_it_is_heard(void **state)
{
    (void)state;
    struct desk_scene s;
    desk_open_deaf(&s, "alive = 60;");
    note(&s, "close event=b", "a", "b");
    session_desk_listen(&s.desk, true);
    pass_to(&s, 60000);
    assert_false(s.desk.instruments[0].silence.silent.is_open);
    pass_to(&s, 3600000);
    assert_true(s.desk.instruments[0].silence.silent.is_open);
    expect_seen("");
    tell(&s, CLOSE("b"), "{\"event\":\"b\",\"result\":\"known\"}");
    tell(&s, OPEN("c"), "{\"event\":\"c\",\"result\":\"taken\"}");
    expect_seen("l.sem3 close event=b +3600000\nl.sem3 open event=c class=external +3600001\n");
    desk_close(&s);
}

/* The spool may be of before what was told since: another event says nothing of the state in it. */
static void test_what_was_noted_before_a_start_is_told_again_for_its_own_event_alone(void **state)
{
    (void)state;
    struct desk_scene s;
    desk_open_deaf(&s, "alive = 60;");
    note(&s, "open event=b class=external", "a", "b");
    session_desk_listen(&s.desk, true);
    tell(&s, OPEN("a"), "{\"event\":\"a\",\"result\":\"known\"}");
    expect_seen("");
    tell(&s, OPEN("b"), "{\"event\":\"b\",\"result\":\"known\"}");
    expect_seen("l.sem3 open event=b class=external +0\n");
    desk_close(&s);
    desk_open_deaf(&s, "");
    note(&s, "open event=b class=external", "a", "b");
    tell(&s, CLOSE("d"),
        "{\"event\":\"d\",\"result\":\"taken\"}"); /* by the socket, while the broker is away */
    session_desk_listen(&s.desk, true);
    pass_to(&s, 1000);
    expect_seen("l.sem3 close event=d +0\n");
    desk_close(&s);
}

static void test_one_that_speaks_on_events_only_is_repeated_while_the_agent_listens(void **state)
{
    (void)state;
    struct desk_scene s;
    desk_open_deaf(&s, "");
    note(&s, "close event=b", "a", "b");
    pass_to(&s, 3600000); /* its broker is away */
    expect_seen("");
    session_desk_listen(&s.desk, true);
    expect_seen("l.sem3 close event=b +3600000\n");
    for (int64_t ms = 3600000; ms <= 3600000 + 86400000; ms += 300000)
        pass_to(&s, ms);
    buf_reset(&seen);
    session_desk_listen(&s.desk, false);
    pass_to(&s, 100000000);
    expect_seen("");
    session_desk_listen(&s.desk, true);
    pass_to(&s, 100000000);
    expect_seen("l.sem3 close event=b +100000000\n");
    /* Away for a moment, it says nothing more. */
    session_desk_listen(&s.desk, false);
    session_desk_listen(&s.desk, true);
    pass_to(&s, 100299999);
    expect_seen("");
    desk_close(&s);
}

static void test_a_reader_that_keeps_alive_needs_no_other_way(void **state)
{
    (void)state;
    struct desk_scene s;
    desk_open_deaf(&s, "alive = 900;");
    tell(&s, CLOSE("a"), "{\"event\":\"a\",\"result\":\"taken\"}");
    pass_to(&s, 300000); /* by the socket, while the broker is away */
    expect_seen("l.sem3 close event=a +0\nl.sem3 close event=a +300000\n");
    desk_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_event_becomes_a_compact_state),
        cmocka_unit_test(test_what_an_event_may_not_say_is_one_sentence),
        cmocka_unit_test(test_a_session_within_one_second_is_there_and_each_event_once),
        cmocka_unit_test(test_two_open_sessions_and_a_close_without_one_are_taken_and_told),
        cmocka_unit_test(test_the_newest_ids_are_known_and_the_state_goes_again),
        cmocka_unit_test(test_an_open_of_before_that_contradicts_the_state_is_another_event),
        cmocka_unit_test(test_a_reader_that_numbers_anew_is_taken_whole),
        cmocka_unit_test(test_a_close_of_before_closes_nothing),
        cmocka_unit_test(test_the_newest_is_the_newest_also_where_its_id_came_before),
        cmocka_unit_test(test_a_reader_that_keeps_alive_is_repeated_while_it_is_heard),
        cmocka_unit_test(test_after_a_start_a_reader_that_keeps_alive_is_told_when_it_is_heard),
        cmocka_unit_test(test_what_was_noted_before_a_start_is_told_again_for_its_own_event_alone),
        cmocka_unit_test(test_one_that_speaks_on_events_only_is_repeated_while_the_agent_listens),
        cmocka_unit_test(test_a_reader_that_keeps_alive_needs_no_other_way),
    };
    return cmocka_run_group_tests(tests, settings_make_folder, settings_remove_folder);
}
