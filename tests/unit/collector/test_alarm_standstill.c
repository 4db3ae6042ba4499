/* A collector that stood still heard nobody meanwhile (W1): stopped, on a machine that slept, in a turn that took long, by a clock that
 * was set on. What it did not listen to is no silence, and a run that nobody looked after is over. */
#include "tests/unit/collector/alarm_scene.h"

static const char park_text[] =
    "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"Asia/Shanghai\"; });"
    "gateways = ({ id = \"gw-a\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });";
static const char rules_text[] =
    "rules = ({ id = \"gateway\"; kind = \"no_data\"; on = (\"gateway:gw-a\"); for = 20; },"
    "{ id = \"point\"; kind = \"no_data\"; severity = \"info\"; on = (\"point:gw-a/t\"); for = 20; },"
    "{ id = \"hot\"; kind = \"threshold\"; on = (\"point:gw-a/t\"); above = \"100\"; for = 150; });";

static void look(struct scene *s, int64_t wall_ms, int64_t mono_ms)
{
    turn_now_ms += wall_ms;
    turn_now_mono_ms += mono_ms;
    turn_once(&s->turn.turn);
}

static void read_gauge(struct scene *s, double value)
{
    char line[80];
    snprintf(line, sizeof line, "gauge,point=t value=%g %lld\n", value, (long long)turn_now_ms);
    give(s, line);
}

static void hear(struct scene *s, double value, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        pass(1000);
        read_gauge(s, value);
        turn_once(&s->turn.turn);
    }
}

/* Its gateway speaks, but the point is not heard. */
static void hear_other(struct scene *s, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        pass(1000);
        give(s, "gauge,point=other value=1 1764000000000\n");
        turn_once(&s->turn.turn);
    }
}

static void be_silent(struct scene *s, int seconds)
{
    for (int i = 0; i < seconds; i++)
        look(s, 1000, 1000);
}

/* By both clocks, by one that stands while the machine sleeps, by one that was set on, or back meanwhile. */
static void test_what_it_did_not_listen_to_is_no_silence(void **state)
{
    static const struct {
        int64_t wall_ms, mono_ms;
    } gaps[] = {{28000, 28000}, {36000000, 0}, {3600000, 1000}, {-5000, 28000}};
    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++) {
        struct scene *s = *state;
        reopen_scene(s);
        hear(s, 1, 60);
        look(s, gaps[i].wall_ms, gaps[i].mono_ms); /* what waits at the broker is not here yet */
        be_silent(s, 15);
        assert_int_equal(number_of(s, ALL), 0);
        hear(s, 1, 30);
        assert_int_equal(number_of(s, ALL), 0);
    }
}

static void test_who_stays_silent_is_told_after_its_time_without_what_it_stood_still(void **state)
{
    struct scene *s = *state;
    hear(s, 1, 60);
    be_silent(s, 5);
    look(s, 28000, 28000);
    be_silent(s, 14);
    assert_int_equal(number_of(s, ALL), 0);
    be_silent(s, 1);
    assert_int_equal(number_of(s, STANDING), 1);
    /* What stands stays, and is over when it is heard. */
    look(s, 28000, 28000);
    assert_int_equal(number_of(s, STANDING), 1);
    hear(s, 1, 2);
    assert_int_equal(number_of(s, STANDING), 0);
    assert_int_equal(number_of(s, ALL), 1);
}

/* A disk that syncs slowly, a machine that is stopped for each snapshot: between them it is silent for less than its time. */
static void test_one_that_stands_still_again_and_again_tells_of_who_is_dead(void **state)
{
    struct scene *s = *state;
    hear(s, 1, 60);
    for (int i = 0; i < 2; i++) {
        be_silent(s, 8);
        look(s, 6000, 6000);
    }
    be_silent(s, 3);
    assert_int_equal(number_of(s, ALL), 0);
    be_silent(s, 1);
    assert_int_equal(number_of(s, STANDING), 1);
}

/* Of the point alone; what waited at the broker says that the gateway spoke meanwhile. */
static void test_of_a_point_what_it_stood_still_counts_neither(void **state)
{
    struct scene *s = *state;
    hear(s, 1, 60);
    for (int i = 0; i < 4; i++) {
        hear_other(s, 4);
        look(s, 5100, 5100);
    }
    assert_int_equal(number_of(s, ALL), 0);
    hear_other(s, 3);
    assert_int_equal(number_of(s, ALL), 0);
    hear_other(s, 2);
    assert_int_equal(number_of(s, STANDING), 1);
    assert_int_equal(number_of(s, "SELECT count(*) FROM alarm WHERE rule = 'point'"), 1);
}

static int seconds_until_the_point_is_told(struct scene *s)
{
    int seconds = 0;
    for (; number_of(s, "SELECT count(*) FROM alarm WHERE rule = 'point'") == 0 && seconds < 100; seconds++)
        hear_other(s, 1);
    return seconds;
}

/* Of whatever length, also beyond what makes a gateway offline; the gateway's word waits already, or comes after it. */
static void test_a_standstill_gives_a_point_no_time_but_its_own(void **state)
{
    static const int stills[] = {2, 10, 110, 170, 185, 400};
    struct scene *s = *state;
    for (size_t i = 0; i < sizeof stills / sizeof stills[0]; i++)
        for (int is_waiting = 0; is_waiting < 2; is_waiting++) {
            reopen_scene(s);
            hear(s, 1, 60);
            hear_other(s, 12);
            pass(stills[i] * 1000);
            if (is_waiting)
                give(s, "gauge,point=other value=1 1764000000000\n");
            turn_once(&s->turn.turn);
            assert_int_equal(seconds_until_the_point_is_told(s), stills[i] > 5 ? 8 : 6);
        }
}

/* What the standstill took is not taken again when the gateway comes back. */
static void test_from_when_its_gateway_is_back_a_point_has_its_time_and_no_more(void **state)
{
    struct scene *s = *state;
    hear(s, 1, 60);
    hear_other(s, 2);
    look(s, 28000, 28000);
    hear_other(s, 2);
    be_silent(s, 8);
    hear_other(s, 1);
    assert_int_equal(seconds_until_the_point_is_told(s), 20);
}

/* A turn took long, and what came meanwhile is taken at once: that a point was heard, and then its gateway. What was left out of
 * the point's silence before is none of this one. */
static void test_a_standstill_of_a_former_silence_hides_none_of_the_next(void **state)
{
    struct scene *s = *state;
    hear(s, 1, 60);
    hear_other(s, 2);
    look(s, 28000, 28000);
    hear_other(s, 2);
    pass(1000);
    read_gauge(s, 1);
    pass(20000);
    hear_other(s, 1);
    be_silent(s, 8);
    hear_other(s, 1);
    assert_int_equal(seconds_until_the_point_is_told(s), 20);
}

#define ROW_OFFLINE \
    "SELECT instr(line, 'online=0i') > 0 FROM outbox WHERE series = 'gateway,gw-a' ORDER BY id DESC LIMIT 1"

/* Who writes the first row after it knows of it. */
static void test_no_row_after_a_standstill_calls_a_gateway_offline(void **state)
{
    struct scene *s = *state;
    hear(s, 1, 60);
    look(s, 400000, 400000);
    assert_int_equal(number_of(s, ROW_OFFLINE), 0);
    be_silent(s, 240);
    assert_int_equal(number_of(s, ROW_OFFLINE), 1);
}

static bool is_offline(struct scene *s)
{
    const struct presence *p = &s->turn.turn.presence;
    const struct presence_gateway *g = presence_find(p, "gw-a");
    return presence_is_known(p, g, turn_now_ms) && !presence_is_online(g, turn_now_ms);
}

/* By its silence, and by the broker's word. */
static void test_who_is_offline_is_so_over_a_standstill(void **state)
{
    for (int is_said = 0; is_said < 2; is_said++) {
        struct scene *s = *state;
        struct error err = {""};
        reopen_scene(s);
        hear(s, 1, 2);
        be_silent(s, is_said ? 1 : 180);
        if (is_said)
            must(presence_state(
                     &s->turn.turn.presence, "gw-a", span_of("{\"state\":\"offline\"}"), turn_now_ms, &err),
                &err);
        assert_true(is_offline(s));
        for (int i = 0; i < 3; i++) {
            look(s, 5100, 5100);
            assert_true(is_offline(s));
        }
        look(s, 36000000, 0);
        assert_true(is_offline(s));
    }
}

static void test_a_look_that_is_late_by_a_little_takes_no_time_from_a_silence(void **state)
{
    struct scene *s = *state;
    hear(s, 1, 60);
    be_silent(s, 15);
    look(s, 4900, 4900);
    assert_int_equal(number_of(s, ALL), 0);
    look(s, 100, 100);
    be_silent(s, 1);
    assert_int_equal(number_of(s, STANDING), 1);
}

static void test_a_run_that_nobody_looked_after_is_over(void **state)
{
    struct scene *s = *state;
    hear(s, 101, 60);
    pass(ALARM_BREAK_MS + 31000);
    hear(s, 101, 150);
    assert_int_equal(number_of(s, ALL), 0);
    hear(s, 101, 1);
    assert_int_equal(number_of(s, STANDING), 1);
    assert_int_equal(number_of(s, "SELECT fired_ms - since_ms FROM alarm"), 150000);
}

static int set_up_all(void **state)
{
    return scene_set_up_all(state, park_text, rules_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_what_it_did_not_listen_to_is_no_silence),
        SCENE_TEST(test_who_stays_silent_is_told_after_its_time_without_what_it_stood_still),
        SCENE_TEST(test_one_that_stands_still_again_and_again_tells_of_who_is_dead),
        SCENE_TEST(test_of_a_point_what_it_stood_still_counts_neither),
        SCENE_TEST(test_a_standstill_gives_a_point_no_time_but_its_own),
        SCENE_TEST(test_from_when_its_gateway_is_back_a_point_has_its_time_and_no_more),
        SCENE_TEST(test_a_standstill_of_a_former_silence_hides_none_of_the_next),
        SCENE_TEST(test_no_row_after_a_standstill_calls_a_gateway_offline),
        SCENE_TEST(test_who_is_offline_is_so_over_a_standstill),
        SCENE_TEST(test_a_look_that_is_late_by_a_little_takes_no_time_from_a_silence),
        SCENE_TEST(test_a_run_that_nobody_looked_after_is_over),
    };
    return cmocka_run_group_tests(tests, set_up_all, settings_remove_folder);
}
