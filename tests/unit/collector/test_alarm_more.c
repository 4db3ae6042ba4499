/* What somebody took note of is what was known then (W5): a further loss, or something else that is wrong, is told anew. */
#include "collector/alarming.h"
#include "tests/unit/collector/alarm_scene.h"

static const char park_text[] =
    "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"Asia/Shanghai\"; });"
    "gateways = ({ id = \"gw-a\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });";
static const char rules_text[] =
    "repeat = 600; repeat_max = 3600;"
    "rules = ({ id = \"lost\"; kind = \"loss\"; on = (\"gateway:gw-a\"); clear_for = 100; },"
    "{ id = \"ill\"; kind = \"health\"; for = 0; clear_for = 5; });"
    "receivers = ({ id = \"one\"; kind = \"webhook\"; url = \"http://127.0.0.1:9/\"; },"
    "{ id = \"two\"; kind = \"mail\"; to = (\"a@b\"); });";

#define UNACKED "SELECT count(*) FROM alarm WHERE cleared_ms IS NULL AND acked_ms IS NULL"

static void lose(struct scene *s)
{
    pass(1000);
    char *text = mem_printf("#park1 epoch=00000000000000aa seq=%lld first=1 dropped=3 from=%lld to=%lld\n"
                            "gauge,point=t value=1 %lld\n",
        (long long)++s->seq, (long long)(turn_now_ms - 900), (long long)(turn_now_ms - 800),
        (long long)turn_now_ms);
    turn_give(&s->turn.turn, "gw-a", text);
    free(text);
    turn_once(&s->turn.turn);
    pass(1000);
    turn_once(&s->turn.turn);
}

static void be(struct scene *s, int reached, const char *codes, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        pass(1000);
        ills_take(&s->turn.turn.alarms.ills, reached, codes, turn_now_mono_ms);
        turn_once(&s->turn.turn);
    }
}

/* Which message it is due; 0 = none. */
static struct alarm_letter next_letter(struct scene *s, const char *receiver)
{
    struct error err = {""};
    struct alarm a;
    struct alarm_letter letter;
    must(alarm_told_next(
             s->turn.turn.db, &s->turn.turn.alarms.post.results, receiver, turn_now_ms, &a, &letter, &err),
        &err);
    bool is_there = a.id != 0;
    alarm_release(&a);
    return is_there ? letter : (struct alarm_letter){0};
}

static int64_t due(struct scene *s, const char *receiver)
{
    return next_letter(s, receiver).number;
}

static void take_note(struct scene *s)
{
    struct error err = {""};
    struct alarm acked;
    must(alarming_run(s->turn.turn.db, turn_now_ms, &(struct alarming){1, 7, ALARM_NEVER, "anna", "seen"},
             &acked, &err),
        &err);
    alarm_release(&acked);
}

static void test_a_loss_after_somebody_took_note_is_told_anew_and_counted(void **state)
{
    struct scene *s = *state;
    lose(s);
    assert_int_equal(due(s, "one"), 1);
    took(s, 1, "one", 1, turn_now_ms + 600000);
    take_note(s);
    assert_int_equal(due(s, "one"), 0);
    assert_int_equal(due(s, "two"), 1); /* who was not told yet */
    pass(5000);
    turn_once(&s->turn.turn);
    assert_int_equal(number_of(s, UNACKED), 0);
    lose(s);
    assert_int_equal(number_of(s, UNACKED), 1);
    assert_int_equal(number_of(s, "SELECT value_m FROM alarm"), 2000);
    assert_int_equal(
        number_of(s, "SELECT count(*) FROM alarm WHERE acked_by IS NULL AND ack_note IS NULL"), 1);
    assert_int_equal(due(s, "one"), 2);
    assert_int_equal(due(s, "two"), 1);
    assert_int_equal(number_of(s, ALL), 1);
    /* It can be noted again, and the log of changes has both. */
    took(s, 1, "one", 2, turn_now_ms + 600000);
    take_note(s);
    pass(5000);
    turn_once(&s->turn.turn);
    assert_int_equal(due(s, "one"), 0);
    assert_int_equal(number_of(s, UNACKED), 0);
    assert_int_equal(number_of(s, "SELECT count(*) FROM change_log"), 2);
}

static void test_one_that_nobody_took_note_of_is_counted_and_told_when_it_is_due(void **state)
{
    struct scene *s = *state;
    lose(s);
    took(s, 1, "one", 1, turn_now_ms + 60000);
    lose(s);
    lose(s);
    assert_int_equal(number_of(s, "SELECT value_m FROM alarm"), 3000);
    assert_int_equal(due(s, "one"), 0);
    pass(60000);
    assert_int_equal(due(s, "one"), 2);
}

static void test_over_a_kill_and_a_failed_commit_it_is_told_once(void **state)
{
    struct scene *s = *state;
    lose(s);
    took(s, 1, "one", 1, turn_now_ms + 600000);
    take_note(s);
    restart(s);
    for (int i = 0; i < 3; i++) {
        pass(1000);
        turn_once(&s->turn.turn);
    }
    assert_int_equal(due(s, "one"), 0); /* a kill is no news */
    pass(1000);
    char *text = mem_printf("#park1 epoch=00000000000000aa seq=%lld first=1 dropped=1 from=%lld to=%lld\n",
        (long long)++s->seq, (long long)(turn_now_ms - 900), (long long)(turn_now_ms - 800));
    s->turn.turn.alarms.looked_mono_ms = turn_now_mono_ms; /* it is not looked at in the turn that takes it */
    turn_give(&s->turn.turn, "gw-a", text);
    free(text);
    turn_once(&s->turn.turn);
    pass(1000);
    fail_turn(s);
    assert_int_equal(due(s, "one"), 0);
    restart(s);
    turn_once(&s->turn.turn);
    assert_int_equal(due(s, "one"), 2);
    took(s, 1, "one", 2, turn_now_ms + 600000);
    pass(1000);
    turn_once(&s->turn.turn);
    assert_int_equal(due(s, "one"), 0);
}

static void test_what_else_is_wrong_since_is_told_anew_once(void **state)
{
    struct scene *s = *state;
    be(s, 1, "broker_disconnected", 2);
    took(s, 1, "one", 1, turn_now_ms + 600000);
    take_note(s);
    be(s, 1, "broker_disconnected", 5);
    assert_int_equal(due(s, "one"), 0);
    be(s, 1, "broker_disconnected,store_unavailable", 1);
    assert_int_equal(due(s, "one"), 2);
    assert_int_equal(number_of(s, UNACKED), 1);
    took(s, 1, "one", 2, turn_now_ms + 600000);
    take_note(s);
    for (int i = 0; i < 3; i++) { /* it comes and goes */
        be(s, 1, "broker_disconnected", 1);
        be(s, 1, "broker_disconnected,store_unavailable", 1);
    }
    assert_int_equal(due(s, "one"), 0);
    assert_int_equal(number_of(s, UNACKED), 0);
}

/* Of a message that is on its way, the first or a repeat, also where the clock is set back, or it cannot be noted that it was taken. */
static void test_what_else_goes_wrong_while_a_message_is_on_its_way_is_told_once_it_was_taken(void **state)
{
    enum { NO_NEWS, NEWS, SET_BACK, UNNOTED, CASES };
    struct scene *s = *state;
    for (int64_t number = 1; number <= 2; number++)
        for (int which = 0; which < CASES; which++) {
            reopen_scene(s);
            be(s, 1, "broker_disconnected", 2);
            if (number == 2)
                took(s, 1, "one", 1, turn_now_ms);
            struct alarm_letter letter = next_letter(s, "one");
            assert_int_equal(letter.number, number);
            turn_now_ms -= which == SET_BACK ? 3600000 : 0;
            be(s, 1, which == NO_NEWS ? "broker_disconnected" : "broker_disconnected,store_unavailable", 3);
            int64_t due_ms = turn_now_ms + 600000;
            if (which == UNNOTED)
                alarm_results_add(&s->turn.turn.alarms.post.results,
                    &(struct alarm_result){(char *)"one", letter, turn_now_ms, ALARM_TAKEN, false, due_ms});
            else
                took_letter(s, "one", &letter, due_ms);
            struct alarm_letter next = next_letter(s, "one");
            assert_int_equal(next.number, which == NO_NEWS ? 0 : number + 1);
            assert_int_equal(next.nth, which == NO_NEWS ? 0 : 1);
        }
}

/* Nor waits a further loss after a note, though the first message is on its way. */
static void test_a_loss_after_a_note_is_told_though_a_message_is_on_its_way(void **state)
{
    struct scene *s = *state;
    lose(s);
    struct alarm_letter letter = next_letter(s, "one");
    take_note(s);
    lose(s);
    took_letter(s, "one", &letter, turn_now_ms + 600000);
    assert_int_equal(due(s, "one"), 2);
}

/* Of what is new nobody was told yet: it is told again as if it had just fired. */
static void test_news_begins_the_repeats_anew(void **state)
{
    struct scene *s = *state;
    be(s, 1, "broker_disconnected", 2);
    for (int64_t number = 1; number <= 4; number++) {
        struct alarm_letter letter = next_letter(s, "one");
        assert_int_equal(letter.number, number);
        assert_int_equal(letter.nth, number);
        took(s, 1, "one", number, turn_now_ms + 1000);
        be(s, 1, "broker_disconnected", 2);
    }
    be(s, 1, "broker_disconnected,store_unavailable", 1);
    struct alarm_letter letter = next_letter(s, "one");
    assert_int_equal(letter.number, 5);
    assert_int_equal(letter.nth, 1);
    /* Set back, it waits for nothing; nor does what is due then for longer than by its place. */
    turn_now_ms -= 7200000;
    be(s, 1, "broker_disconnected,store_unavailable", 2);
    assert_int_equal(due(s, "one"), 5);
    took(s, 1, "one", 5, turn_now_ms + 600000);
    turn_now_ms -= 7200000;
    be(s, 1, "broker_disconnected,store_unavailable", 1);
    assert_int_equal(due(s, "one"), 0);
    be(s, 1, "broker_disconnected,store_unavailable", 600);
    assert_int_equal(due(s, "one"), 6); /* after `repeat`, as the first since there was news */
}

/* Who takes note says what he saw. */
static void test_what_nobody_saw_is_not_taken_note_of(void **state)
{
    struct scene *s = *state;
    struct error err = {""};
    struct alarm acked;
    be(s, 1, "broker_disconnected", 2);
    took(s, 1, "one", 1, turn_now_ms + 600000);
    be(s, 1, "broker_disconnected,store_unavailable", 2);
    struct alarming request = {1, 7, 0, "anna", "seen"};
    assert_int_equal(alarming_run(s->turn.turn.db, turn_now_ms, &request, &acked, &err), ST_INVALID);
    assert_string_equal(err.text, "alarm 1 is not as it was seen (news 0, by now 1); expected one that is");
    request.seen_news = 2; /* of a backup, say */
    assert_int_equal(alarming_run(s->turn.turn.db, turn_now_ms, &request, &acked, &err), ST_INVALID);
    assert_int_equal(due(s, "one"), 2);
    request.seen_news = 1;
    must(alarming_run(s->turn.turn.db, turn_now_ms, &request, &acked, &err), &err);
    assert_int_equal(acked.news, 1);
    assert_null(acked.former_by);
    alarm_release(&acked);
    assert_int_equal(due(s, "one"), 0);
    /* Of two notes the last stays in sight. */
    be(s, 2, "broker_disconnected,store_unavailable,not_accepting", 2);
    assert_int_equal(
        number_of(s, "SELECT count(*) FROM alarm WHERE former_by = 'anna' AND former_note = 'seen'"
                     " AND acked_by IS NULL AND ack_note IS NULL AND news = 2"),
        1);
    be(s, 2, "broker_disconnected,store_unavailable,not_accepting,store_differs", 2);
    assert_int_equal(
        number_of(
            s, "SELECT count(*) FROM alarm WHERE former_by = 'anna' AND former_note = 'seen' AND news = 3"),
        1);
}

static int set_up_all(void **state)
{
    return scene_set_up_all(state, park_text, rules_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_a_loss_after_somebody_took_note_is_told_anew_and_counted),
        SCENE_TEST(test_one_that_nobody_took_note_of_is_counted_and_told_when_it_is_due),
        SCENE_TEST(test_over_a_kill_and_a_failed_commit_it_is_told_once),
        SCENE_TEST(test_what_else_is_wrong_since_is_told_anew_once),
        SCENE_TEST(test_what_else_goes_wrong_while_a_message_is_on_its_way_is_told_once_it_was_taken),
        SCENE_TEST(test_a_loss_after_a_note_is_told_though_a_message_is_on_its_way),
        SCENE_TEST(test_news_begins_the_repeats_anew),
        SCENE_TEST(test_what_nobody_saw_is_not_taken_note_of),
    };
    return cmocka_run_group_tests(tests, set_up_all, settings_remove_folder);
}
