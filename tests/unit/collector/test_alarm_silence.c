/* A silent gateway is one alarm (W8): what fires of it, and of the meters and points behind it, at each instant at which it may fall
 * silent, come back, or the collector be killed. */
#include "tests/unit/collector/alarm_scene.h"

#define METER(id)                                                                              \
    "{ id = \"" id "\"; name = \"x\"; name_en = \"x\"; building = \"b\"; carrier = \"water\";" \
    " segments = ({ serial = \"1\"; from = \"2025-01-01T00:00:00Z\"; point = \"gw-a/" id "\";" \
    " resolution = 1; max_rate = 1000; }); }"
#define PARK                                                                              \
    "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"Asia/Shanghai\"; });" \
    "buildings = ({ id = \"b\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });"         \
    "gateways = ({ id = \"gw-a\"; name = \"x\"; name_en = \"x\"; site = \"s\"; },"        \
    " { id = \"gw-b\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });"
static const char park_text[] = PARK "meters = (" METER("m1") "," METER("m2") "," METER("m3") ");";
#define NO_DATA(id, rest) "{ id = \"" id "\"; kind = \"no_data\"; " rest "; }"
/* Meters are less patient than their gateway. */
#define METERS NO_DATA("meter", "on = (\"meter:*\", \"point:gw-a/p\"); for = 10; clear_for = 15")
#define GATEWAY NO_DATA("gateway", "on = (\"gateway:gw-a\"); for = 30")
#define RULES "rules = (" METERS ", " GATEWAY ");"

#define M1 1u
#define M2 2u
#define M3 4u
#define P 8u
#define ALL_OF_IT (M1 | M2 | M3 | P)

static const char *const points[] = {"register,point=m1 value=", "register,point=m2 value=",
    "register,point=m3 value=", "gauge,point=p value="};

static void say(struct scene *s, const char *state)
{
    char text[64];
    snprintf(text, sizeof text, "{\"state\":\"%s\"}", state);
    inbox_put(s->turn.turn.inbox,
        &(struct mqtt_message){.topic = span_of("park/v1/gw/gw-a/state"), .payload = span_of(text)},
        turn_now_ms);
}

/* A second in which these are read; 0: the gateway says that it is there, and nothing is read. */
static void speak(struct scene *s, unsigned which)
{
    struct buf lines = {0};
    pass(1000);
    for (int i = 0; i < 4; i++)
        if ((which & 1u << i) != 0)
            buf_printf(&lines, "%s%lld%s %lld\n", points[i], (long long)s->seq, i < 3 ? "i" : "",
                (long long)turn_now_ms);
    if (which == 0)
        say(s, "online");
    else
        give(s, lines.data);
    buf_release(&lines);
    turn_once(&s->turn.turn);
}

static void speak_for(struct scene *s, unsigned which, int seconds)
{
    for (int i = 0; i < seconds; i++)
        speak(s, which);
}

static void be_silent(struct scene *s, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        pass(1000);
        turn_once(&s->turn.turn);
    }
}

/* What fired, as "<rule> <target>", and "-" where it is over, each with a blank behind; in order. */
static void expect_fired(struct scene *s, const char *expected)
{
    struct db_stmt *rows = db_prepare(
        s->turn.turn.db, "SELECT rule || ' ' || target, cleared_ms IS NOT NULL FROM alarm ORDER BY id");
    struct buf found = {0};
    struct error err = {""};
    bool has_row;
    for (must(db_step(rows, &has_row, &err), &err); has_row; must(db_step(rows, &has_row, &err), &err)) {
        struct span name = db_text(rows, 0);
        buf_printf(&found, "%.*s%s ", (int)name.len, name.at, db_int(rows, 1) != 0 ? "-" : "");
    }
    db_finish(rows);
    assert_string_equal(found.data != NULL ? found.data : "", expected);
    buf_release(&found);
}

static void test_a_silent_gateway_fires_and_nothing_behind_it(void **state)
{
    struct scene *s = *state;
    speak_for(s, ALL_OF_IT, 20);
    be_silent(s, 29);
    expect_fired(s, "");
    be_silent(s, 1);
    expect_fired(s, "gateway gw-a ");
    be_silent(s, 600);
    speak_for(s, ALL_OF_IT, 30);
    expect_fired(s, "gateway gw-a- ");
}

/* It hangs: at any second of it the broker says that it is gone. */
static void test_that_the_broker_says_it_is_gone_is_no_word_of_its_own(void **state)
{
    struct scene *s = *state;
    static const int told_at[] = {1, 29, 30, 45};
    scene_rules = "rules = (" NO_DATA("gateway", "on = (\"gateway:gw-a\"); for = 30; clear_for = 2") ");";
    for (size_t i = 0; i < sizeof told_at / sizeof told_at[0]; i++)
        for (int is_restarted = 0; is_restarted < 2; is_restarted++) {
            reopen_scene(s);
            speak_for(s, ALL_OF_IT, 20);
            if (is_restarted) /* nothing was heard of it since: silence counts from here */
                restart(s);
            int64_t spoke_ms = turn_now_ms;
            for (int second = 1; second <= 60; second++) {
                if (second == told_at[i])
                    say(s, "offline");
                be_silent(s, 1);
                expect_fired(s, second < 30 ? "" : "gateway gw-a ");
            }
            assert_int_equal(number_of(s, "SELECT since_ms FROM alarm"), spoke_ms);
            speak_for(s, ALL_OF_IT, 3);
            expect_fired(s, "gateway gw-a- ");
        }
    scene_rules = RULES;
}

static void test_one_that_comes_back_in_time_leaves_nothing(void **state)
{
    struct scene *s = *state;
    for (int seconds = 1; seconds < 30; seconds += 4) {
        speak_for(s, ALL_OF_IT, 5);
        be_silent(s, seconds);
    }
    speak_for(s, ALL_OF_IT, 30);
    expect_fired(s, "");
}

/* The broker says that it is gone, and it is back before anything else could tell. */
static void test_what_stays_silent_fires_after_its_time_from_when_the_gateway_is_back(void **state)
{
    struct scene *s = *state;
    static const int away[] = {5, 20, 300};
    for (size_t i = 0; i < sizeof away / sizeof away[0]; i++)
        for (int is_told = 0; is_told < 2; is_told++) {
            reopen_scene(s);
            speak_for(s, ALL_OF_IT, 20);
            if (is_told)
                say(s, "offline");
            be_silent(s, away[i]);
            int64_t before = number_of(s, ALL);
            assert_int_equal(before, away[i] >= 30);
            speak_for(s, M1 | M2 | P, 10);
            assert_int_equal(number_of(s, ALL), before);
            speak_for(s, M1 | M2 | P, 1);
            assert_int_equal(number_of(s, "SELECT count(*) FROM alarm WHERE target = 'm3'"), 1);
            speak_for(s, M1 | M2 | P, 60);
            assert_int_equal(number_of(s, ALL), before + 1);
        }
}

/* Its first word after a silence that nobody told of has no data yet. */
static void test_a_gateway_that_is_back_speaks_before_its_data_come(void **state)
{
    struct scene *s = *state;
    static const int away[] = {3, 5, 9, 10, 11, 29, 60, 179, 300};
    for (size_t i = 0; i < sizeof away / sizeof away[0]; i++) {
        reopen_scene(s);
        speak_for(s, ALL_OF_IT, 20);
        be_silent(s, away[i]);
        int64_t before = number_of(s, ALL);
        assert_int_equal(before, away[i] >= 30);
        speak_for(s, 0, 8);
        fail_turn(s);
        speak(s, 0);
        speak_for(s, ALL_OF_IT, 60);
        assert_int_equal(number_of(s, ALL), before);
        assert_int_equal(number_of(s, STANDING), 0);
    }
}

/* It speaks less often than a meter may be silent: its first silence does not count, and of each of the others a quarter of `for`. */
static void test_a_gateway_that_seldom_speaks_hides_no_silence(void **state)
{
    struct scene *s = *state;
    speak_for(s, ALL_OF_IT, 5);
    for (int i = 0; i < 10; i++) {
        be_silent(s, 14);
        speak(s, M1 | M2 | P);
        expect_fired(s, i < 4 ? "" : "meter m3 ");
    }
}

/* Each of the four by itself, in turn, one every `apart` seconds; -1: the second of none. */
static unsigned turn_of(int second, int apart)
{
    return second % apart == 0 ? 1u << second / apart % 4 : 0;
}

/* Meters are read in turn, all of them in `period`; what the gateway read meanwhile comes after its first word, or, where it was
 * without power, is read from the first meter on. A quarter of `for`, and the round, are less than `for`. */
static void test_no_silence_of_a_gateway_is_one_of_meters_that_are_read_in_turn(void **state)
{
    struct scene *s = *state;
    for (int apart = 1; apart <= 2; apart++)
        for (int phase = 0; phase < 4 * apart; phase += apart)
            for (int away = 1; away < 40; away += away < 12 ? 1 : 9)
                for (int is_dark = 0; is_dark < 2; is_dark++) {
                    int64_t before;
                    if (apart == 2 && is_dark && away < 3) /* 7 s, 2 s and 7 s: that is too long for `for` */
                        continue;
                    reopen_scene(s);
                    for (int second = 0; second < 20 + phase; second++)
                        speak(s, turn_of(second, apart));
                    be_silent(s, away);
                    before = number_of(s, ALL);
                    assert_int_equal(before, away >= 30);
                    speak(s, 0);
                    if (!is_dark)
                        speak(s, ALL_OF_IT);
                    for (int second = 0; second < 24; second++)
                        speak(s, turn_of(second, apart));
                    assert_int_equal(number_of(s, ALL), before);
                    assert_int_equal(number_of(s, STANDING), 0);
                }
}

/* Seconds until m3 fires, which is not heard any more, counted from when it was: the gateway has a word each `apart` seconds, and
 * before each of them the broker says that it was gone, or nobody does. */
static int seconds_until_told(struct scene *s, int apart, bool is_told)
{
    reopen_scene(s);
    speak_for(s, ALL_OF_IT, 5);
    for (int second = 1; second < 200; second++) {
        if (is_told && second % apart == 0)
            say(s, "offline");
        if (second % apart == 0)
            speak(s, M1 | M2 | P);
        else
            be_silent(s, 1);
        if (number_of(s, "SELECT count(*) FROM alarm WHERE target = 'm3'") == 1)
            return second;
    }
    return -1;
}

/* for = 10: from the second word on each counts, but 2.5 s at most, so 4 of them at most are needed. */
static void test_a_gateway_that_comes_and_goes_hides_no_silence_for_ever(void **state)
{
    struct scene *s = *state;
    static const struct {
        int apart, untold, told;
    } rows[] = {
        {1, 10, 11}, {2, 10, 12}, {3, 15, 15}, {5, 25, 25}, {9, 45, 45}, {10, 50, 50}, {29, 145, 145}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(seconds_until_told(s, rows[i].apart, false), rows[i].untold);
        assert_int_equal(seconds_until_told(s, rows[i].apart, true), rows[i].told);
    }
}

/* It was not heard for a while before its gateway falls silent: it has its whole time anew, once, and no more. */
static void test_what_was_silent_before_its_gateway_was_fires_once_it_spoke_for_as_long_as_that(void **state)
{
    struct scene *s = *state;
    for (int own = 0; own < 10; own++)
        for (int away = 0; away < 29; away += away < 4 ? 1 : 8) {
            int after = away < 2 ? 9 - own - away : 9; /* a gap is a second longer than what is silent */
            if (after < 1)
                continue;
            reopen_scene(s);
            speak_for(s, ALL_OF_IT, 5);
            speak_for(s, M1 | M2 | P, own);
            be_silent(s, away);
            speak_for(s, M1 | M2 | P, after + (away >= 2));
            expect_fired(s, "");
            speak(s, M1 | M2 | P);
            expect_fired(s, "meter m3 ");
        }
}

/* Rules and park are read again, by rules that name others in between; or a commit fails. */
static void read_again(struct scene *s, bool is_failure)
{
    if (is_failure) {
        fail_turn(s);
        return;
    }
    give_rules(s, "rules = (" GATEWAY ", " NO_DATA("new", "on = (\"meter:m1\"); for = 500") ", " METERS ");");
    alarm_desk_use(&s->turn.turn.alarms, s->turn.park);
    give_rules(s, "rules = (" GATEWAY ", " METERS ");");
}

/* In any second, and in each: the gateway came back when it did, and what is silent is so for as long as it was. */
static void test_a_reload_or_a_failed_commit_forgets_nothing_of_a_silence(void **state)
{
    struct scene *s = *state;
    static const int aways[] = {0, 5, 25};
    for (int at = -1; at < 36; at++)
        for (int n = 0; n < 6; n++) {
            int away = aways[n / 2];
            reopen_scene(s);
            speak_for(s, ALL_OF_IT, 20);
            for (int second = 0; second < away + 11; second++) {
                if (at < 0 || second == at)
                    read_again(s, n % 2 == 1);
                expect_fired(s, away == 0 && second > 9 ? "meter m3 " : "");
                if (second < away)
                    be_silent(s, 1);
                else
                    speak(s, away > 0 && second < away + 5 ? 0 : M1 | M2 | P);
            }
            expect_fired(s, "meter m3 ");
        }
}

static void test_what_stands_when_its_gateway_falls_silent_stays_until_it_is_heard(void **state)
{
    struct scene *s = *state;
    speak_for(s, ALL_OF_IT, 5);
    speak_for(s, M1 | M2 | P, 10);
    expect_fired(s, "meter m3 ");
    be_silent(s, 30);
    expect_fired(s, "meter m3 gateway gw-a ");
    be_silent(s, 300);
    expect_fired(s, "meter m3 gateway gw-a ");
    speak_for(s, M1 | M2 | P, 30);
    expect_fired(s, "meter m3 gateway gw-a- ");
    speak_for(s, ALL_OF_IT, 2);
    be_silent(s, 300); /* heard, and on its way to be over: nobody knows */
    expect_fired(s, "meter m3 gateway gw-a- gateway gw-a ");
    speak_for(s, ALL_OF_IT, 15);
    expect_fired(s, "meter m3 gateway gw-a- gateway gw-a- ");
    speak_for(s, ALL_OF_IT, 1);
    expect_fired(s, "meter m3- gateway gw-a- gateway gw-a- ");
}

#define TWO(first, second)                                                                 \
    NO_DATA("a", "severity = \"" first "\"; on = (\"meter:m1\"); for = 15; clear_for = 1") \
    ", " NO_DATA("b", "severity = \"" second "\"; on = (\"meter:m2\"); for = 15; clear_for = 1")

/* Nobody wrote a rule for it, or one that fewer are told of: the rule of its meters says it, once. */
static void test_where_no_rule_watches_a_gateway_that_of_its_meters_does(void **state)
{
    struct scene *s = *state;
    static const char *const rows[][2] = {{METERS, "meter gw-a "},
        {METERS ", " NO_DATA("other", "on = (\"gateway:gw-b\"); for = 9000"), "meter gw-a "},
        {METERS ", " NO_DATA("calm", "severity = \"info\"; on = (\"gateway:gw-a\"); for = 15"),
            "meter gw-a calm gw-a "},
        {METERS ", " NO_DATA("loud", "severity = \"critical\"; on = (\"gateway:gw-a\"); for = 15"),
            "loud gw-a "},
        {NO_DATA("one", "on = (\"point:gw-a/p\"); for = 15"), "one gw-a "},
        {NO_DATA("both", "on = (\"meter:m1\", \"gateway:gw-a\"); for = 15"), "both gw-a "},
        {TWO("warning", "warning"), "a gw-a "}, {TWO("info", "critical"), "b gw-a "},
        {TWO("critical", "info"), "a gw-a "},
        {TWO("info", "info") ", " NO_DATA("c", "severity = \"critical\"; on = (\"meter:m3\"); for = 16"),
            "c gw-a "},
        {TWO("info", "warning") ", " NO_DATA("gateway", "on = (\"gateway:gw-a\"); for = 16"),
            "gateway gw-a "}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *rules = mem_printf("rules = (%s);", rows[i][0]);
        scene_rules = rules;
        reopen_scene(s);
        speak_for(s, ALL_OF_IT, 20);
        be_silent(s, 20);
        expect_fired(s, rows[i][1]);
        restart(s);
        be_silent(s, 60);
        expect_fired(s, rows[i][1]);
        speak_for(s, ALL_OF_IT, 20);
        assert_int_equal(number_of(s, STANDING), 0);
        free(rules);
    }
    scene_rules = RULES;
}

/* At any second of it: the same is told, once. Silence counts anew from then on: where it was the gateway's, that one may be back. */
static void test_a_kill_at_any_time_tells_nothing_twice_and_nothing_else(void **state)
{
    struct scene *s = *state;
    for (int kill_at = 0; kill_at < 100; kill_at += 3) {
        reopen_scene(s);
        for (int at = 0; at < 150; at++) {
            if (at == kill_at)
                restart(s);
            if (at < 10 || at >= 60)
                speak(s, at < 60 || at >= 100 ? ALL_OF_IT : M1 | M3 | P);
            else
                be_silent(s, 1);
        }
        bool is_in_time = kill_at > 30 && kill_at < 40;
        expect_fired(s, is_in_time ? "meter m2- " : "gateway gw-a- meter m2- ");
        assert_int_equal(number_of(s, STANDING), 0);
    }
}

/* A segment that begins then comes by another gateway: that one is watched from then on, and the former no more. */
static void test_a_meter_that_moves_to_another_gateway_takes_the_watch_along(void **state)
{
    struct scene *s = *state;
    char *park, from[CLOCK_TEXT_SIZE];
    clock_format_utc((turn_now_ms / 1000 + 100) * 1000, from);
    park = mem_printf(PARK
        "meters = ({ id = \"m1\"; name = \"x\"; name_en = \"x\"; building = \"b\"; carrier = \"water\";"
        " segments = ({ serial = \"1\"; from = \"2025-01-01T00:00:00Z\"; until = \"%s\"; point = \"gw-a/m1\";"
        " resolution = 1; max_rate = 1000; }, { serial = \"2\"; from = \"%s\"; point = \"gw-b/m1\";"
        " resolution = 1; max_rate = 1000; }); });",
        from, from);
    scene_park = park;
    scene_rules = "rules = (" NO_DATA("meter", "for = 10") ");";
    reopen_scene(s);
    speak_for(s, M1, 20);
    be_silent(s, 20);
    expect_fired(s, "meter gw-a ");
    be_silent(s, 80);
    expect_fired(s, "meter gw-a- meter gw-b ");
    assert_int_equal(number_of(s, "SELECT count(*) FROM alarm WHERE is_gone = 1 AND target = 'gw-a'"), 1);
    scene_park = park_text;
    scene_rules = RULES;
    free(park);
}

/* The outbox is full for a while, since the store is away: nothing is heard because nothing is taken. */
static void test_while_nothing_is_taken_and_until_it_had_its_time_after_nothing_is_silent(void **state)
{
    struct scene *s = *state;
    speak_for(s, ALL_OF_IT, 20);
    int64_t limit_bytes = s->turn.turn.outbox_limit_bytes;
    s->turn.turn.outbox_limit_bytes = 0;
    speak_for(s, ALL_OF_IT, 100);
    expect_fired(s, "");
    s->turn.turn.outbox_limit_bytes = limit_bytes;
    speak_for(s, 0, 10);
    expect_fired(s, "");
    speak_for(s, 0, 1);
    assert_int_equal(number_of(s, STANDING), 4);
}

/* What a gateway had kept while it was away comes with the times at which it was read. */
static void test_what_is_delivered_late_is_heard(void **state)
{
    struct scene *s = *state;
    speak_for(s, ALL_OF_IT, 20);
    int64_t left_ms = turn_now_ms;
    be_silent(s, 25);
    for (int i = 1; i < 40; i++) {
        char lines[256];
        pass(1000);
        snprintf(lines, sizeof lines,
            "register,point=m1 value=1i %lld\nregister,point=m2 value=1i %lld\nregister,point=m3 value=1i "
            "%lld\ngauge,point=p value=1 %lld\n",
            (long long)left_ms + i, (long long)left_ms + i, (long long)left_ms + i, (long long)left_ms + i);
        give(s, lines);
        turn_once(&s->turn.turn);
    }
    expect_fired(s, "");
}

static int set_up(void **state)
{
    return scene_set_up_all(state, park_text, RULES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {SCENE_TEST(test_a_silent_gateway_fires_and_nothing_behind_it),
        SCENE_TEST(test_that_the_broker_says_it_is_gone_is_no_word_of_its_own),
        SCENE_TEST(test_one_that_comes_back_in_time_leaves_nothing),
        SCENE_TEST(test_what_stays_silent_fires_after_its_time_from_when_the_gateway_is_back),
        SCENE_TEST(test_a_gateway_that_is_back_speaks_before_its_data_come),
        SCENE_TEST(test_a_gateway_that_seldom_speaks_hides_no_silence),
        SCENE_TEST(test_no_silence_of_a_gateway_is_one_of_meters_that_are_read_in_turn),
        SCENE_TEST(test_a_gateway_that_comes_and_goes_hides_no_silence_for_ever),
        SCENE_TEST(test_what_was_silent_before_its_gateway_was_fires_once_it_spoke_for_as_long_as_that),
        SCENE_TEST(test_a_reload_or_a_failed_commit_forgets_nothing_of_a_silence),
        SCENE_TEST(test_what_stands_when_its_gateway_falls_silent_stays_until_it_is_heard),
        SCENE_TEST(test_where_no_rule_watches_a_gateway_that_of_its_meters_does),
        SCENE_TEST(test_a_kill_at_any_time_tells_nothing_twice_and_nothing_else),
        SCENE_TEST(test_a_meter_that_moves_to_another_gateway_takes_the_watch_along),
        SCENE_TEST(test_while_nothing_is_taken_and_until_it_had_its_time_after_nothing_is_silent),
        SCENE_TEST(test_what_is_delivered_late_is_heard)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
