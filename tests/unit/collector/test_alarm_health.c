/* Alarms of the collector's own health: how long it lasts is told by no clock that may be wrong, and it is judged whatever else is not. */
#include "collector/alarm/words.h"
#include "tests/unit/collector/alarm_scene.h"

static const char park_text[] =
    "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"Asia/Shanghai\"; });";
static const char rules_text[] =
    "repeat = 20; rules = ({ id = \"ill\"; kind = \"health\"; for = 10; clear_for = 5; },"
    "{ id = \"down\"; kind = \"health\"; severity = \"critical\"; on = "
    "(\"collector\"); level = \"failing\"; for = 10; "
    "clear_for = 5; }); receivers = ({ id = \"one\"; kind = \"webhook\"; url = \"http://127.0.0.1:9/\"; });";

#define OF(rule, words) "SELECT count(*) FROM alarm WHERE rule = '" rule "' AND " words
#define STANDS(rule) OF(rule, "cleared_ms IS NULL")

/* The wall clock may go otherwise. */
static int64_t wall_step_ms = 1000;

static void be(struct scene *s, int reached, const char *codes, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        turn_now_mono_ms += 1000;
        turn_now_ms += wall_step_ms;
        ills_take(&s->turn.turn.alarms.ills, reached, codes, turn_now_mono_ms);
        turn_once(&s->turn.turn);
    }
}

static void test_it_fires_when_it_has_lasted_and_clears_when_it_is_over(void **state)
{
    struct scene *s = *state;
    be(s, 1, "broker_disconnected", 10);
    assert_int_equal(number_of(s, ALL), 0);
    be(s, 1, "broker_disconnected", 1);
    assert_int_equal(number_of(s, STANDS("ill")), 1);
    assert_int_equal(number_of(s, "SELECT fired_ms - since_ms FROM alarm"), 10000);
    assert_int_equal(number_of(s, OF("ill", "reason = 'broker_disconnected'")), 1);
    be(s, 0, "", 5);
    be(s, 1, "broker_disconnected", 1);
    be(s, 0, "", 5);
    assert_int_equal(number_of(s, STANDS("ill")), 1);
    be(s, 0, "", 1);
    assert_int_equal(number_of(s, STANDS("ill")), 0);
    assert_int_equal(number_of(s, ALL), 1);
}

static void test_a_break_begins_it_anew_and_another_reason_does_not(void **state)
{
    struct scene *s = *state;
    be(s, 1, "store_unavailable", 9);
    be(s, 0, "", 1);
    be(s, 1, "store_unavailable", 6);
    be(s, 1, "broker_disconnected", 4);
    assert_int_equal(number_of(s, ALL), 0);
    be(s, 1, "broker_disconnected", 1);
    assert_int_equal(number_of(s, STANDS("ill")), 1);
}

static void test_each_level_counts_by_itself(void **state)
{
    struct scene *s = *state;
    be(s, 1, "collector_clock", 6);
    be(s, 2, "collector_clock_ahead", 5);
    assert_int_equal(number_of(s, STANDS("ill")), 1);
    assert_int_equal(number_of(s, STANDS("down")), 0);
    be(s, 2, "collector_clock_ahead", 6);
    assert_int_equal(number_of(s, STANDS("down")), 1);
    be(s, 1, "collector_clock", 6);
    assert_int_equal(number_of(s, STANDS("down")), 0);
    assert_int_equal(number_of(s, STANDS("ill")), 1);
    /* What is wrong by now. */
    assert_int_equal(number_of(s, OF("ill", "reason = 'collector_clock'")), 1);
}

#define TOLD "(SELECT due_ms FROM alarm_told)"

/* Told once, and not due for long, or never, since somebody took note. */
static void take_first_message(struct scene *s, bool is_noted)
{
    struct error err = {""};
    struct db *db = s->turn.turn.db;
    must(db_exec(db, "UPDATE alarm_told SET taken = 1, due_ms = 9000000000000", &err), &err);
    if (is_noted)
        must(db_exec(db,
                 "UPDATE alarm_told SET due_ms = NULL; UPDATE alarm SET acked_ms = 1, acked_by = 'anna'",
                 &err),
            &err);
}

static void test_what_else_goes_wrong_is_told_at_once_when_it_lasts_and_what_is_over_is_no_more_said(
    void **state)
{
    struct scene *s = *state;
    for (int is_noted = 0; is_noted < 2; is_noted++) {
        reopen_scene(s);
        be(s, 1, "store_unavailable", 11);
        take_first_message(s, is_noted);
        /* What comes and goes is no news. */
        be(s, 1, "store_unavailable,broker_disconnected", 9);
        be(s, 1, "store_unavailable", 9);
        assert_int_equal(number_of(s, OF("ill", "reason = 'store_unavailable'")), 1);
        assert_int_equal(number_of(s, "SELECT ifnull(" TOLD ", 0) > 0"), !is_noted);
        be(s, 1, "store_unavailable,broker_disconnected", 11);
        assert_int_equal(
            number_of(s, OF("ill", "reason = 'store_unavailable,broker_disconnected' AND acked_ms IS NULL")),
            1);
        assert_in_range(number_of(s, "SELECT " TOLD), turn_now_ms - 2000, turn_now_ms);
        take_first_message(s, true);
        /* It is over, which is no news; again it is. */
        be(s, 1, "broker_disconnected", 4);
        assert_int_equal(number_of(s, OF("ill", "reason = 'store_unavailable,broker_disconnected'")), 1);
        be(s, 1, "broker_disconnected", 2);
        assert_int_equal(number_of(s, OF("ill", "reason = 'broker_disconnected' AND acked_by = 'anna'")), 1);
        assert_int_equal(number_of(s, "SELECT count(" TOLD ")"), 0);
        be(s, 1, "broker_disconnected", 15);
        be(s, 1, "broker_disconnected,store_unavailable", 11);
        assert_in_range(number_of(s, "SELECT " TOLD), turn_now_ms - 2000, turn_now_ms);
        assert_int_equal(number_of(s, OF("ill", "acked_ms IS NULL")), 1);
        /* A kill begins both times anew; then what was not seen since is over. */
        restart(s);
        be(s, 1, "store_unavailable", 5);
        assert_int_equal(number_of(s, OF("ill", "reason = 'broker_disconnected,store_unavailable'")), 1);
        be(s, 1, "store_unavailable", 1);
        assert_int_equal(number_of(s, OF("ill", "reason = 'store_unavailable'")), 1);
    }
}

#define NEWS "SELECT news FROM alarm"

/* Neither lasts for ten seconds, and each is over for more than five: what is wrong is said, and no one is told anew. */
static void test_reasons_that_take_turns_are_no_news(void **state)
{
    struct scene *s = *state;
    be(s, 1, "store_unavailable", 11);
    take_first_message(s, true);
    for (int i = 0; i < 20; i++) {
        be(s, 1, "broker_disconnected", 7);
        assert_int_equal(number_of(s, OF("ill", "reason = 'broker_disconnected' AND acked_by = 'anna'")), 1);
        be(s, 1, "store_unavailable", 7);
        assert_int_equal(number_of(s, OF("ill", "reason = 'store_unavailable'")), 1);
    }
    assert_int_equal(number_of(s, NEWS), 0);
    be(s, 1, "store_unavailable", 4); /* it was told */
    assert_int_equal(number_of(s, NEWS), 0);
    be(s, 1, "broker_disconnected", 11);
    assert_int_equal(number_of(s, NEWS), 1);
    assert_int_equal(number_of(s, OF("ill", "acked_ms IS NULL AND former_by = 'anna'")), 1);
}

/* Also while nothing lasts, so that the alarm neither fires nor clears. */
static void test_what_is_over_is_said_no_more_while_it_comes_and_goes(void **state)
{
    struct scene *s = *state;
    be(s, 1, "store_differs", 11);
    for (int i = 0; i < 3; i++) {
        be(s, 0, "", 4);
        be(s, 1, "broker_disconnected", 9);
    }
    assert_int_equal(number_of(s, OF("ill", "reason = 'broker_disconnected' AND cleared_ms IS NULL")), 1);
    assert_int_equal(number_of(s, NEWS), 0);
}

/* It was stopped, and wakes up in a turn: what was wrong or well before may have been otherwise meanwhile. */
static void stand_still(struct scene *s, int64_t ms)
{
    pass(ms);
    turn_once(&s->turn.turn);
}

static void test_of_what_nobody_looked_at_no_more_than_five_seconds_count(void **state)
{
    struct scene *s = *state;
    be(s, 1, "store_unavailable", 1);
    stand_still(s, 600000);
    be(s, 1, "store_unavailable", 5);
    assert_int_equal(number_of(s, ALL), 0);
    be(s, 1, "store_unavailable", 1);
    assert_int_equal(number_of(s, STANDS("ill")), 1);
    be(s, 1, "store_unavailable,broker_disconnected", 1);
    stand_still(s, 600000);
    be(s, 1, "store_unavailable,broker_disconnected", 5);
    assert_int_equal(number_of(s, NEWS), 0);
    be(s, 1, "store_unavailable,broker_disconnected", 1);
    assert_int_equal(number_of(s, NEWS), 1);
    /* What was not seen since a start is not over by that. */
    restart(s);
    be(s, 1, "store_unavailable", 1);
    stand_still(s, 600000);
    assert_int_equal(number_of(s, OF("ill", "reason LIKE '%broker_disconnected%'")), 1);
    be(s, 0, "", 1);
    stand_still(s, 60000);
    assert_int_equal(number_of(s, STANDS("ill")), 1);
    be(s, 0, "", 1);
    assert_int_equal(number_of(s, STANDS("ill")), 0);
    /* Whoever looks each seven seconds alone sees it all the same. */
    for (int i = 0; i < 4; i++) {
        stand_still(s, 6000);
        be(s, 1, "not_accepting", 1);
    }
    assert_int_equal(number_of(s, STANDS("ill")), 1);
}

static const char *const causes[][2] = {{"store_unavailable", "store_backlog"},
    {"store_configuration", "store_uncounted"}, {"store_starting", "store_backlog"},
    {"collector_clock", "alarms_off"}, {"collector_clock_ahead", "alarms_off"}};

/* While its cause is so, and until it stands alone for ten seconds. */
static void test_what_only_follows_is_no_news(void **state)
{
    struct scene *s = *state;
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        const char *cause = causes[i][0], *follower = causes[i][1];
        char *both = mem_printf("%s,%s", cause, follower);
        reopen_scene(s);
        be(s, 1, cause, 11);
        take_first_message(s, true);
        be(s, 1, both, 30);
        assert_int_equal(number_of(s, OF("ill", "reason LIKE '%,%'")), 1); /* and is said all the same */
        be(s, 1, follower, 10);
        assert_int_equal(number_of(s, NEWS), 0);
        be(s, 1, follower, 1);
        assert_int_equal(number_of(s, NEWS), 1);
        free(both);
    }
}

/* It was told, and is told again only after a repeat's time. */
static void test_what_comes_and_goes_is_news_at_most_once_in_a_repeat(void **state)
{
    struct scene *s = *state;
    be(s, 1, "store_unavailable", 11);
    take_first_message(s, true);
    for (int i = 0; i < 10; i++) {
        be(s, 1, "store_differs", 6); /* over for more than clear_for */
        be(s, 1, "store_differs,store_unavailable", 14);
    }
    assert_int_equal(number_of(s, NEWS), 1); /* store_differs */
    be(s, 1, "store_differs", 21);
    be(s, 1, "store_differs,store_unavailable", 11);
    assert_int_equal(number_of(s, NEWS), 2);
}

/* Behind what arrived, not synchronised, set on or back: it is what is wrong. */
static void test_it_is_judged_by_a_clock_that_is_wrong(void **state)
{
    static const int64_t steps_ms[] = {1000, -3600000, 3600000, 0};
    for (size_t i = 0; i < sizeof steps_ms / sizeof steps_ms[0]; i++) {
        struct scene *s = *state;
        reopen_scene(s);
        turn_is_clock_right = false;
        wall_step_ms = steps_ms[i];
        be(s, 1, "collector_clock", 10);
        assert_int_equal(number_of(s, ALL), 0);
        be(s, 1, "collector_clock", 1);
        assert_int_equal(number_of(s, STANDS("ill")), 1);
        be(s, 0, "", 5);
        assert_int_equal(number_of(s, STANDS("ill")), 1);
        be(s, 0, "", 1);
        assert_int_equal(number_of(s, STANDS("ill")), 0);
        assert_int_equal(number_of(s, ALL), 1);
    }
    turn_is_clock_right = true;
    wall_step_ms = 1000;
}

static void test_it_is_judged_where_nothing_is_taken_any_more(void **state)
{
    struct scene *s = *state;
    int64_t limit_bytes = s->turn.turn.limit_bytes;
    be(s, 0, "", 3);
    s->turn.turn.limit_bytes = db_used_bytes(s->turn.turn.db) - 4096;
    be(s, 2, "not_accepting", 11);
    assert_int_equal(number_of(s, STANDS("down")), 1);
    assert_int_equal(number_of(s, STANDS("ill")), 1);
    be(s, 2, "not_accepting,broker_disconnected", 11);
    assert_int_equal(number_of(s, OF("down", "reason = 'not_accepting,broker_disconnected'")), 1);
    s->turn.turn.limit_bytes = limit_bytes;
    be(s, 0, "", 6);
    assert_int_equal(number_of(s, OF("down", "is_gone = 0 AND cleared_ms IS NOT NULL")), 1);
    assert_int_equal(number_of(s, ALL), 2);
}

static void test_over_a_restart_it_is_one_alarm_and_what_was_not_seen_counts_for_nothing(void **state)
{
    struct scene *s = *state;
    be(s, 1, "broker_disconnected", 11);
    restart(s);
    turn_once(&s->turn.turn); /* nothing is known of it yet */
    assert_int_equal(number_of(s, STANDS("ill")), 1);
    be(s, 1, "broker_disconnected", 20);
    be(s, 0, "", 3);
    restart(s);
    be(s, 0, "", 5);
    assert_int_equal(number_of(s, STANDS("ill")), 1);
    be(s, 0, "", 1);
    assert_int_equal(number_of(s, STANDS("ill")), 0);
    be(s, 1, "broker_disconnected", 9);
    restart(s);
    be(s, 1, "broker_disconnected", 10);
    assert_int_equal(number_of(s, ALL), 1);
    be(s, 1, "broker_disconnected", 1);
    assert_int_equal(number_of(s, ALL), 2);
}

static void test_failed_commits_take_none_of_its_time(void **state)
{
    struct scene *s = *state;
    for (int i = 0; i < 5; i++) {
        be(s, 1, "store_unavailable", 2);
        fail_turn(s);
    }
    assert_int_equal(number_of(s, ALL), 0);
    be(s, 1, "store_unavailable", 1);
    assert_int_equal(number_of(s, STANDS("ill")), 1);
    for (int i = 0; i < 11; i++) {
        be(s, 1, "store_unavailable,broker_disconnected", 1);
        fail_turn(s);
    }
    be(s, 1, "store_unavailable,broker_disconnected", 1);
    assert_int_equal(number_of(s, OF("ill", "reason = 'store_unavailable,broker_disconnected'")), 1);
    assert_int_equal(number_of(s, ALL), 1);
}

static void test_its_reasons_are_told_in_the_words_of_the_pages(void **state)
{
    (void)state;
    char ills[] = "broker_disconnected,of_a_later_version";
    struct alarm a = {.kind = ALARM_HEALTH, .target_kind = ALARM_OF_COLLECTOR, .ills = ills};
    struct buf en = {0}, zh = {0};
    alarm_why(&a, ALARM_EN, &en);
    alarm_why(&a, ALARM_ZH, &zh);
    assert_string_equal(
        en.data, "The MQTT broker is not connected; gateways keep every reading / of_a_later_version");
    assert_non_null(strstr(zh.data, "MQTT"));
    json_t *codes = alarm_ills_json(&a);
    assert_int_equal(json_array_size(codes), 2);
    assert_string_equal(json_string_value(json_array_get(codes, 1)), "of_a_later_version");
    json_decref(codes);
    buf_release(&en);
    buf_release(&zh);
}

static int set_up_all(void **state)
{
    return scene_set_up_all(state, park_text, rules_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_it_fires_when_it_has_lasted_and_clears_when_it_is_over),
        SCENE_TEST(test_a_break_begins_it_anew_and_another_reason_does_not),
        SCENE_TEST(test_each_level_counts_by_itself),
        SCENE_TEST(test_what_else_goes_wrong_is_told_at_once_when_it_lasts_and_what_is_over_is_no_more_said),
        SCENE_TEST(test_reasons_that_take_turns_are_no_news),
        SCENE_TEST(test_what_is_over_is_said_no_more_while_it_comes_and_goes),
        SCENE_TEST(test_of_what_nobody_looked_at_no_more_than_five_seconds_count),
        SCENE_TEST(test_what_only_follows_is_no_news),
        SCENE_TEST(test_what_comes_and_goes_is_news_at_most_once_in_a_repeat),
        SCENE_TEST(test_it_is_judged_by_a_clock_that_is_wrong),
        SCENE_TEST(test_it_is_judged_where_nothing_is_taken_any_more),
        SCENE_TEST(test_over_a_restart_it_is_one_alarm_and_what_was_not_seen_counts_for_nothing),
        SCENE_TEST(test_failed_commits_take_none_of_its_time),
        cmocka_unit_test(test_its_reasons_are_told_in_the_words_of_the_pages),
    };
    return cmocka_run_group_tests(tests, set_up_all, settings_remove_folder);
}
