/*
 * The core's turns on a disk without a byte, whatever of them wants to write: messages of alarms go at their times, each
 * once; and when there is room nothing is lost, nor counted twice (W5, D6, D7).
 */
#include "tests/unit/collector/alarm_scene.h"
#include "tests/unit/collector/fake_couriers.h"
#include "tests/unit/faulty_disk.h"

#define DAY_MS INT64_C(86400000)
#define SECONDS 900
#define RESERVE_BYTES (INT64_C(8) * 1024 * 1024)

static const char park_text[] =
    "sites = ({ id = \"s\"; name = \"x\"; name_en = \"x\"; zone = \"Asia/Shanghai\"; });"
    "gateways = ({ id = \"gw-a\"; name = \"x\"; name_en = \"x\"; site = \"s\"; });";
static const char rules_text[] =
    "repeat = 60; repeat_max = 200; rules = ("
    "{ id = \"warm\"; kind = \"threshold\"; on = (\"point:gw-a/t\"); above = \"50\"; for = 0; clear_for = 5; "
    "},"
    "{ id = \"hot\"; kind = \"threshold\"; on = (\"point:gw-a/t\"); above = \"100\"; for = 200; },"
    "{ id = \"full\"; kind = \"disk\"; on = (\"collector\"); for = 30; above = 99; });"
    "receivers = ({ id = \"one\"; kind = \"webhook\"; url = \"http://127.0.0.1:9/\"; });";

static void hold(struct scene *s, double value, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        char line[80];
        pass(1000);
        snprintf(line, sizeof line, "gauge,point=t value=%g %lld\n", value, (long long)turn_now_ms);
        give(s, line);
        turn_once(&s->turn.turn);
    }
}

static struct store_result take_all(const struct turn *t)
{
    return (struct store_result){.raw_position = t->journal_end};
}

/* The store has what is in the journal, and refuses a line of that. */
static void give_result(struct scene *s)
{
    struct turn *t = &s->turn.turn;
    t->has_result = true;
    t->result = take_all(t);
    t->result.rejects = mem_zalloc(sizeof *t->result.rejects);
    t->result.reject_count = 1;
    *t->result.rejects = (struct store_reject){.journal = t->journal_end,
        .reason = mem_strdup("refused"),
        .content = mem_strdup("gauge,point=t value=1 1")};
}

/* Old batches, which the store and the books have: at the next look they go. */
static void age(struct scene *s)
{
    struct turn *t = &s->turn.turn;
    hold(s, 10, 10);
    pass(36 * DAY_MS);
    t->presence.listening_since_ms = turn_now_ms;
    hold(s, 10, 15); /* so far the pace of pruning comes */
    t->prune.due_mono_ms = turn_now_mono_ms + 60000;
    t->has_result = true;
    t->result = take_all(t);
    hold(s, 10, 3);
    assert_int_equal(number_of(s, "SELECT min(id) FROM journal"), 1);
}

/* Nothing can be written, nor taken for the reserve. */
static void fill_disk(struct scene *s)
{
    s->turn.turn.reserve.bytes = INT64_C(1) << 60;
    faulty_disk.fails_at = faulty_disk.operations + 1;
}

static void make_room(struct scene *s)
{
    s->turn.turn.reserve.bytes = RESERVE_BYTES;
    faulty_disk.fails_at = 0;
}

/* Each message of the alarm once, one after the other, each after its time; a few seconds of a minute go to attempts to write. */
static void check_sent(const struct scene *s)
{
    static const int64_t repeats_ms[] = {60000, 120000, 200000};
    const struct couriers *c = s->turn.turn.alarms.post.couriers;
    int64_t due_ms = 0;
    assert_true(c->count > 4);
    for (size_t i = 0; i < c->count; i++) {
        const struct fake_sent *sent = &c->sent[i];
        assert_int_equal(sent->alarm, 1);
        assert_int_equal(sent->number, i + 1);
        if (i > 0)
            assert_in_range(sent->mono_ms, due_ms, due_ms + 5000);
        due_ms = sent->mono_ms + repeats_ms[i < 2 ? i : 2];
    }
    assert_true(turn_now_mono_ms <= due_ms + 5000);
}

enum want {
    WANT_RESULT = 1, /* what the store says is to be written */
    WANT_PRUNE = 2,  /* old batches are to go */
    WANT_RUN = 4,    /* an alarm is on its way */
    WANT_FIRE = 8,   /* another one fires */
    WANT_ALL = 15
};

static void live_without_room(struct scene *s, unsigned want)
{
    struct turn *t = &s->turn.turn;
    struct error err = {""};
    reopen_scene(s);
    t->alarms.post.collector = "c";
    t->alarms.post.couriers = couriers_create(&turn_clock, NULL, NULL);
    if (want & WANT_PRUNE)
        age(s);
    hold(s, want & WANT_RUN ? 101 : 60, 5);
    assert_int_equal(number_of(s, STANDING), 1);
    assert_int_equal(t->alarms.post.couriers->count, 1);
    assert_true(t->reserve.is_held);
    int64_t batches = number_of(s, "SELECT count(*) FROM journal"), end = t->journal_end;
    int64_t limit_bytes = t->limit_bytes, settled = t->settled;
    fill_disk(s);
    if (want & WANT_RESULT)
        give_result(s);
    if (want & WANT_FIRE) /* so full is the database itself */
        t->limit_bytes = db_used_bytes(t->db) - 4096;
    for (int i = 0; i < SECONDS; i++) {
        bool is_changed;
        pass(1000);
        turn_run(t, &is_changed, &err);
    }
    int64_t failures = t->show.counters.commit_failures;
    assert_in_range(failures, 1, 3 + SECONDS / 30); /* it is tried again, and not all the time */
    check_sent(s);
    assert_int_equal(number_of(s, "SELECT count(*) FROM journal"), batches);
    assert_int_equal(number_of(s, ALL), 1);
    assert_int_equal(number_of(s, "SELECT sum(taken) FROM alarm_told"), 1);
    assert_int_equal(t->settled, settled);
    assert_int_equal(t->show.counters.alarm_messages_unnoted, 1); /* the last one: the receiver is well */
    /* As soon as there is room all of it is written, once. */
    make_room(s);
    t->limit_bytes = limit_bytes;
    int64_t taken = (int64_t)t->alarms.post.couriers->count;
    hold(s, 60, 4);
    assert_int_equal(t->show.counters.commit_failures, failures);
    assert_true(t->show.is_accepting);
    assert_true(t->journal_end > end);
    assert_int_equal(t->has_result, false);
    if (want & WANT_RESULT)
        assert_int_equal(t->settled, end);
    assert_int_equal(number_of(s, "SELECT count(*) FROM quarantine"), (want & WANT_RESULT) != 0);
    if (want & WANT_PRUNE)
        assert_true(number_of(s, "SELECT min(id) FROM journal") > 10);
    assert_int_equal(number_of(s, "SELECT sum(taken) FROM alarm_told"), taken);
    assert_int_equal(t->show.counters.alarm_messages_unnoted, 0);
    t->alarms.post.couriers = NULL;
}

static void test_on_a_disk_without_a_byte_messages_go_whatever_else_wants_to_write(void **state)
{
    static const unsigned wants[] = {
        0, WANT_RESULT, WANT_PRUNE, WANT_RUN, WANT_FIRE, WANT_RESULT | WANT_PRUNE, WANT_ALL};
    for (size_t i = 0; i < sizeof wants / sizeof wants[0]; i++)
        live_without_room(*state, wants[i]);
}

static void test_at_rest_it_is_known_how_full_the_disk_is(void **state)
{
    struct scene *s = *state;
    struct turn *t = &s->turn.turn;
    struct error err = {""};
    hold(s, 60, 2);
    t->limit_bytes = db_used_bytes(t->db) - 4096;
    hold(s, 60, 50);
    assert_int_equal(number_of(s, STANDING), 2);
    int64_t full = number_of(s, "SELECT id FROM alarm WHERE rule = 'full'"), value_m;
    fill_disk(s);
    give_result(s);
    for (int i = 0; i < 30; i++) {
        bool is_changed;
        pass(1000);
        turn_run(t, &is_changed, &err);
        const struct alarm_post *post = &t->alarms.post;
        bool is_known = post->value_now(post->user_data, full, &value_m);
        assert_true(i < 2 || (is_known && value_m >= 99000));
        assert_int_equal(post->value_now(post->user_data, 1, &value_m), false);
    }
    make_room(s);
    t->limit_bytes = INT64_C(64) * 1024 * 1024;
    hold(s, 60, 2);
    assert_int_equal(number_of(s, STANDING), 2);
}

/* What is read while there is no room is not taken: nobody knows whether it was so all the time (W1). */
static void test_a_run_ends_where_there_is_no_room_though_that_cannot_be_written(void **state)
{
    struct scene *s = *state;
    struct error err = {""};
    bool is_changed;
    hold(s, 101, 20);
    assert_int_equal(number_of(s, "SELECT count(*) FROM alarm_run WHERE rule = 'hot' AND run_ms > 0"), 1);
    fill_disk(s);
    for (int i = 0; i < 70; i++) {
        pass(1000);
        give_result(s);
        turn_run(&s->turn.turn, &is_changed, &err);
        store_result_release(&s->turn.turn.result);
    }
    s->turn.turn.has_result = false;
    make_room(s);
    hold(s, 101, 200);
    assert_int_equal(number_of(s, ALL), 1);
    hold(s, 101, 4);
    assert_int_equal(number_of(s, ALL), 2);
}

static void test_a_run_that_ended_without_room_is_over_also_after_a_kill(void **state)
{
    struct scene *s = *state;
    struct error err = {""};
    bool is_changed;
    hold(s, 101, 20);
    fill_disk(s);
    give_result(s);
    pass(1000);
    assert_int_equal(turn_run(&s->turn.turn, &is_changed, &err), ST_FULL);
    make_room(s);
    restart(s);
    hold(s, 101, 200);
    assert_int_equal(number_of(s, ALL), 1);
    hold(s, 101, 1);
    assert_int_equal(number_of(s, ALL), 2);
    reopen_scene(s);
    hold(s, 101, 20);
    restart(s); /* with room it goes on */
    hold(s, 101, 181);
    assert_int_equal(number_of(s, ALL), 2);
}

/* In the room of what was given up: nothing waits for who cannot take a step, and would have nothing to take. */
static void test_on_a_full_disk_old_batches_go_where_nothing_follows_them(void **state)
{
    struct scene *s = *state;
    struct turn *t = &s->turn.turn;
    struct error err = {""};
    for (int restarts = 0; restarts < 2; restarts++) {
        bool is_changed;
        reopen_scene(s);
        age(s);
        fill_disk(s);
        give_result(s);
        pass(1000);
        assert_int_equal(turn_run(t, &is_changed, &err), ST_FULL);
        faulty_disk.fails_at = 0;
        if (restarts > 0) {
            store_result_release(&t->result);
            t->has_result = false;
            restart(s);
            t->reserve.bytes = INT64_C(1) << 60;
        }
        for (int i = 0; i < 25; i++) {
            pass(1000);
            turn_once(t);
        }
        assert_false(t->show.is_accepting);
        assert_true(number_of(s, "SELECT min(id) FROM journal") > 10);
    }
}

/* The disk has room, and the reserve finds its place time and again. */
static void test_at_the_limit_of_the_database_messages_go_though_nothing_can_be_recorded(void **state)
{
    struct scene *s = *state;
    struct turn *t = &s->turn.turn;
    struct error err = {""};
    t->alarms.post.collector = "c";
    t->alarms.post.couriers = couriers_create(&turn_clock, NULL, NULL);
    hold(s, 60, 5);
    t->limit_bytes = db_used_bytes(t->db);
    db_limit_bytes(t->db, t->limit_bytes);
    give_result(s);
    free(t->result.rejects->content);
    t->result.rejects->content = mem_zalloc(100001);
    memset(t->result.rejects->content, 'x', 100000);
    for (int i = 0; i < SECONDS; i++) {
        bool is_changed;
        pass(1000);
        turn_run(t, &is_changed, &err);
    }
    assert_true(t->has_result && t->reserve.is_held);
    assert_in_range(t->show.counters.commit_failures, 2, 3 + SECONDS / 30);
    check_sent(s);
    t->limit_bytes = INT64_C(64) * 1024 * 1024;
    db_limit_bytes(t->db, t->limit_bytes);
    hold(s, 60, 2);
    assert_false(t->has_result);
    assert_int_equal(number_of(s, "SELECT count(*) FROM quarantine"), 1);
    t->alarms.post.couriers = NULL;
}

static int set_up(void **state)
{
    if (!faulty_disk_register())
        return -1;
    faulty_disk.fault = FAULT_FULL;
    return scene_set_up_all(state, park_text, rules_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_on_a_disk_without_a_byte_messages_go_whatever_else_wants_to_write),
        SCENE_TEST(test_at_rest_it_is_known_how_full_the_disk_is),
        SCENE_TEST(test_a_run_ends_where_there_is_no_room_though_that_cannot_be_written),
        SCENE_TEST(test_a_run_that_ended_without_room_is_over_also_after_a_kill),
        SCENE_TEST(test_on_a_full_disk_old_batches_go_where_nothing_follows_them),
        SCENE_TEST(test_at_the_limit_of_the_database_messages_go_though_nothing_can_be_recorded)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
