/* One turn of the core after the other. */
#include "lib/calendar.h"
#include "tests/unit/collector/turn_fixture.h"
#include "tests/unit/random.h"

static void test_a_long_search_for_what_a_batch_repeats_holds_up_nobody_and_ends(void **state)
{
    (void)state;
    struct turn_scene s;
    turn_scene_open(&s);
    struct turn *t = &s.turn;
    /* In the span of each batch lies the time that is looked for: all of them are read, in pieces. */
    char *text = mem_alloc(250001);
    memset(text, 'x', 250000);
    text[250000] = '\0';
    int count = RECEIVE_SEARCH_BYTES / 250000 * 2 + 3;
    for (int seq = 1; seq <= count; seq++) {
        int len = snprintf(text, 250000,
            "#park1 epoch=00000000000000aa seq=%d first=1\nregister,point=m%d value=1i %lld\n"
            "register,point=m%d value=2i %lld\n#",
            seq, seq, (long long)NOW_MS - 864000000 - seq, seq, (long long)NOW_MS - 1000);
        text[len] = 'x';
        turn_give(t, "gw-a", text);
        turn_once(t);
    }
    assert_int_equal(turn_mark(t, "gw-a"), count);
    snprintf(text, 250000,
        "#park1 epoch=00000000000000aa seq=%d first=1\nregister,point=m7 value=1i %lld\nregister,point=m7 "
        "value=3i %lld\n",
        count + 1, (long long)NOW_MS - 864000000 - 7, (long long)NOW_MS - 432000000);
    turn_give(t, "gw-a", text);
    turn_give(t, "gw-b", "#park1 epoch=00000000000000bb seq=1 first=1\n");
    turn_once(t);
    assert_non_null(t->held);
    assert_int_equal(turn_mark(t, "gw-a"), count);
    assert_int_equal(turn_mark(t, "gw-b"), 1); /* did not wait for it */
    /* However long a piece takes, a message that comes meanwhile is taken with the next one. */
    turn_searching = t;
    turn_search_ms = 1000;
    turn_give(t, "gw-b", "#park1 epoch=00000000000000bb seq=2 first=1\n");
    turn_once(t);
    assert_int_equal(turn_mark(t, "gw-b"), 2);
    turn_searching = NULL;
    int turns = 2;
    for (; t->held != NULL; turns++)
        turn_once(t);
    assert_true(turns >= 3);
    assert_int_equal(turn_mark(t, "gw-a"), count + 1);
    assert_int_equal(t->show.counters.duplicate_readings, 1);
    free(text);
    turn_scene_close(&s);
}

static int64_t ask(struct turn *t, const char *sql)
{
    struct error err = {""};
    struct db_stmt *s = db_prepare(t->db, sql);
    bool has_row;
    assert_int_equal(db_step(s, &has_row, &err), ST_OK);
    int64_t answer = has_row ? db_int(s, 0) : -1;
    db_finish(s);
    return answer;
}

static void give_value(struct turn *t, int seq)
{
    char text[200];
    snprintf(text, sizeof text,
        "#park1 epoch=00000000000000aa seq=%d first=1\nregister,point=m value=%di %lld\n", seq, seq,
        (long long)NOW_MS - 100000 + seq);
    turn_give(t, "gw-a", text);
    turn_once(t);
}

static void test_changed_points_are_written_now_and_then_and_known_after_a_restart_all_the_same(void **state)
{
    (void)state;
    struct turn_scene s;
    turn_scene_open(&s);
    struct turn *t = &s.turn;
    static const char written[] = "SELECT count FROM point";
    give_value(t, 1);
    assert_int_equal(ask(t, written), 1);
    for (int seq = 2; seq < 10; seq++, turn_now_mono_ms += 100) {
        give_value(t, seq);
        assert_int_equal(ask(t, written), 1);
        assert_int_equal(ask(t, "SELECT count(*) FROM journal"), seq);
    }
    struct error err = {""};
    turn_close(t);
    assert_int_equal(turn_open(t, &s.settings, s.park, &turn_clock, &err), ST_OK);
    const struct known_gateway *g = known_gateway_find(&t->known, SPAN("gw-a"));
    assert_int_equal(known_point_find(&t->known, g, SPAN("m"))->count, 9);
    turn_once(t);
    assert_int_equal(ask(t, written), 9);
    give_value(t, 10);
    assert_int_equal(ask(t, written), 9);
    turn_now_mono_ms += 5000;
    turn_once(t); /* nothing came, but what is held is due */
    assert_int_equal(ask(t, written), 10);
    bool is_changed;
    assert_int_equal(turn_run(t, &is_changed, &err), ST_OK);
    assert_false(is_changed);
    turn_scene_close(&s);
}

static void test_a_batch_that_the_points_still_need_is_not_pruned(void **state)
{
    (void)state;
    struct turn_scene s;
    turn_scene_open(&s);
    struct turn *t = &s.turn;
    give_value(t, 1);
    give_value(t, 2); /* not written to the table of points */
    struct error err = {""};
    assert_int_equal(
        db_exec(t->db,
            "UPDATE journal SET received_ms = 1; UPDATE cursor SET position = 2 WHERE name = 'raw'", &err),
        ST_OK);
    t->settled = 2;
    t->points_due_mono_ms = INT64_MAX;
    for (int i = 0; i < 3; i++, turn_now_mono_ms += 20000)
        turn_once(t);
    assert_int_equal(ask(t, "SELECT min(id) FROM journal"), 2);
    t->points_due_mono_ms = 0;
    for (int i = 0; i < 3; i++, turn_now_mono_ms += 20000)
        turn_once(t);
    assert_int_equal(ask(t, "SELECT count(*) FROM journal"), 0);
    turn_scene_close(&s);
}

static void test_a_batch_that_the_ledger_still_needs_is_not_pruned(void **state)
{
    (void)state;
    struct turn_scene s;
    turn_scene_open(&s);
    struct turn *t = &s.turn;
    t->points_due_mono_ms = 0;
    give_value(t, 1);
    t->points_due_mono_ms = 0;
    give_value(t, 2);
    struct error err = {""};
    assert_int_equal(t->bookkeeper.position, 1); /* it rests */
    assert_int_equal(turn_due_mono_ms(t), turn_now_mono_ms + BOOKKEEPER_REST_MS);
    turn_now_mono_ms += BOOKKEEPER_REST_MS;
    turn_once(t);
    assert_int_equal(t->bookkeeper.position, 2);
    assert_int_equal(turn_due_mono_ms(t), INT64_MAX);
    /* What is left to reckon, or to let go, waits for no batch. */
    t->spaces.follower.due_mono_ms = turn_now_mono_ms + 7;
    t->spaces.has_more = true;
    assert_int_equal(turn_due_mono_ms(t), turn_now_mono_ms + 7);
    t->spaces.has_more = false;
    t->spaces.has_more_to_prune = true;
    assert_int_equal(turn_due_mono_ms(t), turn_now_mono_ms + 7);
    t->spaces.has_more_to_prune = false;
    assert_int_equal(
        db_exec(t->db,
            "UPDATE journal SET received_ms = 1; UPDATE cursor SET position = 2 WHERE name = 'raw';"
            "UPDATE cursor SET position = 0 WHERE name = 'ledger'",
            &err),
        ST_OK);
    assert_int_equal(bookkeeper_reset(&t->bookkeeper, &err), ST_OK);
    t->settled = 2;
    int64_t limit = t->outbox_limit_bytes;
    t->outbox_limit_bytes = 0; /* no more is derived, so nothing is folded */
    for (int i = 0; i < 3; i++, turn_now_mono_ms += 20000)
        turn_once(t);
    assert_int_equal(ask(t, "SELECT count(*) FROM journal"), 2);
    t->outbox_limit_bytes = limit;
    for (int i = 0; i < 3; i++, turn_now_mono_ms += 20000)
        turn_once(t);
    assert_int_equal(ask(t, "SELECT count(*) FROM journal"), 0);
    turn_scene_close(&s);
}

#define MEASURED_PARK                                                                                      \
    FAKE_PARK "baselines = ( { id = \"e\"; name = \"x\"; name_en = \"x\"; meter = \"m1\"; step = \"day\";" \
              " temperature = \"gw-a/t\"; from = \"2026-01-01\"; through = \"2026-12-31\";"                \
              " reporting = \"2027-01-01\"; model = \"heating\"; heating_from = 9; heating_to = 9; } );\n"

static void test_a_batch_whose_temperatures_are_not_taken_is_not_pruned(void **state)
{
    (void)state;
    struct turn_scene s;
    turn_scene_open_with(&s, MEASURED_PARK);
    struct turn *t = &s.turn;
    t->points_due_mono_ms = 0;
    turn_give(
        t, "gw-a", "#park1 epoch=00000000000000aa seq=1 first=1\ngauge,point=t value=7.5 1763999900000\n");
    turn_once(t);
    assert_int_equal(ask(t, "SELECT mc FROM temperature"), 7500);
    assert_int_equal(t->thermometer.follower.position, 1);
    struct error err = {""};
    assert_int_equal(db_exec(t->db,
                         "UPDATE journal SET received_ms = 1; DELETE FROM temperature;"
                         "UPDATE cursor SET position = 1 WHERE name = 'raw';"
                         "UPDATE cursor SET position = 0 WHERE name = 'temperature'",
                         &err),
        ST_OK);
    assert_int_equal(thermometer_reset(&t->thermometer, &err), ST_OK);
    t->settled = 1;
    t->thermometer.follower.due_mono_ms = INT64_MAX;
    for (int i = 0; i < 3; i++, turn_now_mono_ms += 20000)
        turn_once(t);
    assert_int_equal(ask(t, "SELECT count(*) FROM journal"), 1);
    t->thermometer.follower.due_mono_ms = turn_now_mono_ms + 1;
    assert_int_equal(turn_due_mono_ms(t), turn_now_mono_ms + 1);
    for (int i = 0; i < 3; i++, turn_now_mono_ms += 20000)
        turn_once(t);
    assert_int_equal(ask(t, "SELECT mc FROM temperature"), 7500);
    assert_int_equal(ask(t, "SELECT count(*) FROM journal"), 0);
    turn_once(t); /* it rests */
    turn_give(
        t, "gw-a", "#park1 epoch=00000000000000aa seq=2 first=2\ngauge,point=t value=8.5 1763999900001\n");
    turn_once(t);
    assert_int_equal(t->thermometer.follower.position, 1);
    t->outbox_limit_bytes = 0; /* nothing is derived: it must not be due at once again and again */
    turn_now_mono_ms += THERMOMETER_REST_MS;
    turn_once(t);
    assert_true(turn_due_mono_ms(t) > turn_now_mono_ms);
    turn_scene_close(&s);
}

#define WATCHED_PARK                                                                                    \
    FAKE_PARK                                                                                           \
        "resources = ( { id = \"r\"; name = \"x\"; name_en = \"x\"; building = \"b1\"; kind = \"gas\";" \
        " point = \"gw-a/r\"; up = (\"on\"); down = (\"off\"); } );\n"

static void test_a_batch_that_instruments_still_need_is_not_pruned(void **state)
{
    (void)state;
    struct turn_scene s;
    turn_scene_open_with(&s, WATCHED_PARK);
    struct turn *t = &s.turn;
    t->points_due_mono_ms = 0;
    turn_give(t, "gw-a",
        "#park1 epoch=00000000000000aa seq=1 first=1\nstate,point=r value=\"off\" 1763999900000\n");
    turn_once(t); /* taken in the transaction in which it comes */
    assert_int_equal(ask(t, "SELECT is_down FROM resource"), 1);
    assert_int_equal(t->watch.follower.position, 1);
    struct error err = {""};
    assert_int_equal(db_exec(t->db,
                         "UPDATE journal SET received_ms = 1; UPDATE resource SET is_down = 0;"
                         "UPDATE cursor SET position = 1 WHERE name = 'raw';"
                         "UPDATE cursor SET position = 0 WHERE name = 'watch'",
                         &err),
        ST_OK);
    assert_int_equal(watch_reset(&t->watch, &err), ST_OK);
    t->settled = 1;
    t->watch.follower.due_mono_ms = INT64_MAX;
    for (int i = 0; i < 3; i++, turn_now_mono_ms += 20000)
        turn_once(t);
    assert_int_equal(ask(t, "SELECT count(*) FROM journal"), 1);
    t->watch.follower.due_mono_ms = turn_now_mono_ms + 1;
    assert_int_equal(turn_due_mono_ms(t), turn_now_mono_ms + 1);
    for (int i = 0; i < 3; i++, turn_now_mono_ms += 20000)
        turn_once(t);
    assert_int_equal(ask(t, "SELECT is_down FROM resource"), 1);
    assert_int_equal(ask(t, "SELECT count(*) FROM journal"), 0);
    t->watch.follower.due_mono_ms = turn_now_mono_ms + 1;
    turn_give(
        t, "gw-a", "#park1 epoch=00000000000000aa seq=2 first=2\nstate,point=r value=\"on\" 1763999900001\n");
    turn_once(t);
    assert_int_equal(t->watch.follower.position, 1);
    turn_now_mono_ms += 2;
    t->outbox_limit_bytes = 0; /* nothing is derived: it must not be due at once again and again */
    turn_once(t);
    assert_true(turn_due_mono_ms(t) > turn_now_mono_ms);
    turn_scene_close(&s);
}

static int64_t count(const struct turn *t, const char *sql)
{
    struct error err = {""};
    bool has_row;
    struct db_stmt *q = db_keep(t->db, sql);
    if (db_step(q, &has_row, &err) != ST_OK)
        fail_msg("%s", err.text);
    int64_t rows = db_int(q, 0);
    db_reset(q);
    return rows;
}

static void test_while_the_clock_is_not_synchronised_nothing_is_judged_to_be_ahead(void **state)
{
    (void)state;
    struct turn_scene s;
    turn_scene_open(&s);
    struct turn *t = &s.turn;
    char ahead[128];
    snprintf(ahead, sizeof ahead,
        "#park1 epoch=00000000000000aa seq=2 first=1\nregister,point=m value=5i %lld\n",
        (long long)NOW_MS + RECEIVE_AHEAD_MAX_MS + 1);
    turn_is_clock_right = false;
    turn_give(t, "gw-a", "#park1 epoch=00000000000000aa seq=1 first=1\n");
    turn_once(t);
    turn_give(t, "gw-a", ahead);
    turn_once(t);
    assert_int_equal(turn_mark(t, "gw-a"), 1);
    assert_int_equal(count(t, "SELECT count(*) FROM quarantine"), 0);
    turn_is_clock_right = true;
    turn_give(t, "gw-a", ahead);
    turn_once(t);
    assert_int_equal(turn_mark(t, "gw-a"), 2);
    assert_int_equal(count(t, "SELECT count(*) FROM quarantine"), 1);
    turn_scene_close(&s);
}

/* A clock that nobody keeps and that lost its battery, say: what it would refuse is right. */
static void test_a_clock_behind_what_arrived_before_is_not_judged_by(void **state)
{
    (void)state;
    struct turn_scene s;
    turn_scene_open(&s);
    struct turn *t = &s.turn;
    char now[128];
    snprintf(now, sizeof now, "#park1 epoch=00000000000000aa seq=2 first=1\nregister,point=m value=5i %lld\n",
        (long long)NOW_MS);
    turn_give(t, "gw-a", "#park1 epoch=00000000000000aa seq=1 first=1\n");
    turn_once(t);
    turn_now_ms = NOW_MS - 3650 * CALENDAR_DAY_MS;
    for (int again = 0; again < 2; again++) { /* as it runs, and after a restart */
        turn_give(t, "gw-a", now);
        turn_once(t);
        assert_true(turn_is_clock_behind(t));
        assert_int_equal(turn_mark(t, "gw-a"), 1);
        assert_int_equal(count(t, "SELECT count(*) FROM quarantine"), 0);
        struct error err = {""};
        turn_close(t);
        assert_int_equal(turn_open(t, &s.settings, s.park, &turn_clock, &err), ST_OK);
    }
    turn_now_ms = NOW_MS;
    turn_give(t, "gw-a", now);
    turn_once(t);
    assert_int_equal(turn_mark(t, "gw-a"), 2);
    assert_int_equal(count(t, "SELECT count(*) FROM quarantine"), 0);
    turn_scene_close(&s);
}

#define THING "name = \"x\"; name_en = \"X\"; "
static const char instrument_park[] =
    "sites = ({ id = \"s\"; " THING "zone = \"UTC\"; });\n"
    "buildings = ({ id = \"b\"; " THING "site = \"s\"; });\n"
    "gateways = ({ id = \"gw-a\"; " THING "site = \"s\"; });\n"
    "categories = ({ id = \"c\"; " THING "});\n"
    "instruments = ({ id = \"sem\"; " THING "building = \"b\"; category = \"c\"; owner = \"o\";"
    " owner_en = \"o\"; owner_code = \"9\"; contact = \"8\"; session = \"gw-a/s\"; });\n";

static void test_while_the_clock_is_behind_no_quarter_hour_is_written(void **state)
{
    (void)state;
    static const char due[] = "SELECT count(*) FROM timesheet_due";
    struct turn_scene s;
    struct error err = {""};
    turn_scene_open_with(&s, instrument_park);
    struct turn *t = &s.turn;
    turn_give(t, "gw-a", "#park1 epoch=00000000000000aa seq=1 first=1\n");
    turn_once(t);
    assert_int_equal(count(t, "SELECT count(*) FROM timesheet"), 1);
    assert_int_equal(
        db_exec(
            t->db, "INSERT INTO timesheet_due(kind, target, from_ms, until_ms) VALUES(0, 'sem', 0, 1)", &err),
        ST_OK);
    turn_now_ms = NOW_MS - 3600000;
    for (int i = 0; i < 3; i++) {
        turn_now_mono_ms += 2 * TIMESHEET_REST_MS;
        turn_once(t);
        assert_int_equal(count(t, due), 1);
    }
    turn_now_ms = NOW_MS;
    turn_now_mono_ms += 2 * TIMESHEET_REST_MS;
    turn_once(t);
    assert_int_equal(count(t, due), 0);
    turn_scene_close(&s);
}

/* A batch of 1000 registers whose values nothing foretells. */
static void give_registers(struct turn *t, struct buf *text, int seq)
{
    buf_reset(text);
    buf_printf(text, "#park1 epoch=00000000000000aa seq=%d first=1\n", seq);
    for (int i = 0; i < 1000; i++)
        buf_printf(text,
            "register,point=a-long-name-of-a-meter-in-a-building-of-the-park.%d value=%lldi %lld\n", i,
            (long long)random_below(1000000000), (long long)NOW_MS - 500000000 + seq * 1000 + i % 1000);
    turn_give(t, "gw-a", text->data);
    turn_once(t);
}

static void test_at_the_limit_pruning_moves_registers_to_the_archive_and_makes_room(void **state)
{
    (void)state;
    struct turn_scene s;
    struct buf text = {0};
    turn_scene_open(&s);
    struct turn *t = &s.turn;
    struct error err = {""};
    turn_close(t);
    s.settings.database.limit_mib = 16;
    assert_int_equal(turn_open(t, &s.settings, s.park, &turn_clock, &err), ST_OK);
    t->settled = INT64_MAX;
    int taken = 0;
    for (int64_t mark = 0; mark == taken; mark = turn_mark(t, "gw-a"), turn_now_mono_ms += 2000)
        give_registers(t, &text, ++taken);
    taken--;
    assert_in_range(taken, 50, 200);
    turn_now_ms += 36 * INT64_C(86400000);
    for (int i = 0; i < 60 && ask(t, "SELECT count(*) FROM journal") > 0; i++, turn_now_mono_ms += 10000) {
        turn_once(t);
        assert_int_equal(ask(t, "SELECT coalesce(sum(readings), 0) FROM archive") +
                             ask(t, "SELECT count(*) * 1000 FROM journal"),
            (int64_t)taken * 1000);
    }
    assert_int_equal(ask(t, "SELECT count(*) FROM journal"), 0);
    turn_now_ms -= 36 * INT64_C(86400000);
    give_registers(t, &text, taken + 1);
    assert_int_equal(turn_mark(t, "gw-a"), taken + 1);
    buf_release(&text);
    turn_scene_close(&s);
}

static void say(struct turn *t, const char *gateway, const char *text, bool is_retained)
{
    char topic[64];
    snprintf(topic, sizeof topic, "park/v1/gw/%s/state", gateway);
    inbox_put(t->inbox,
        &(struct mqtt_message){.topic = span_of(topic), .payload = span_of(text), .is_retained = is_retained},
        turn_now_ms);
    turn_once(t);
}

static void test_a_gateway_of_which_nothing_is_held_is_asked_to_begin(void **state)
{
    (void)state;
    static const char online[] = "{\"state\":\"online\",\"epoch\":\"000000000000000a\"}";
    struct turn_scene s;
    turn_scene_open(&s);
    struct turn *t = &s.turn;
    say(t, "gw-a", "{\"state\":\"offline\",\"epoch\":\"000000000000000a\"}", false);
    say(t, "gw-a", "{\"state\":\"online\"}", false);
    say(t, "gw-a", "{\"state\":\"online\",\"epoch\":\"0000000000000000\"}", false);
    say(t, "gw-a", "{\"state\":\"online\",\"epoch\":\"a\"}", true);
    say(t, "gw-a", "000000000000000a", true);
    assert_int_equal(t->acks.count, 0);
    for (int i = 0; i < 2; i++) {
        say(t, i == 0 ? "gw-a" : "gw-b", online, i == 0);
        assert_int_equal(t->acks.count, i + 1);
        const struct acks_gateway *a = &t->acks.items[i];
        assert_true(a->is_refusal_due);
        assert_int_equal(a->ack.epoch, 0xa);
        assert_int_equal(a->ack.seq, 0);
    }
    /* What it sends by itself is the answer; of whom something is held, the mark is told as ever. */
    turn_give(t, "gw-a", "#park1 epoch=000000000000000a seq=1 first=1\n");
    turn_once(t);
    assert_false(t->acks.items[0].is_refusal_due);
    assert_int_equal(t->acks.items[0].ack.seq, 1);
    say(t, "gw-a", "{\"state\":\"online\",\"epoch\":\"000000000000000b\"}", false);
    assert_false(t->acks.items[0].is_refusal_due);
    assert_int_equal(t->acks.items[0].ack.epoch, 0xa);
    /* Nobody is asked for what would not be taken. */
    t->outbox_limit_bytes = 0;
    say(t, "gw-c", online, false);
    assert_int_equal(t->acks.count, 2);
    turn_scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_while_the_clock_is_not_synchronised_nothing_is_judged_to_be_ahead),
        cmocka_unit_test(test_a_clock_behind_what_arrived_before_is_not_judged_by),
        cmocka_unit_test(test_while_the_clock_is_behind_no_quarter_hour_is_written),
        cmocka_unit_test(test_a_long_search_for_what_a_batch_repeats_holds_up_nobody_and_ends),
        cmocka_unit_test(test_changed_points_are_written_now_and_then_and_known_after_a_restart_all_the_same),
        cmocka_unit_test(test_a_batch_that_the_points_still_need_is_not_pruned),
        cmocka_unit_test(test_a_batch_that_the_ledger_still_needs_is_not_pruned),
        cmocka_unit_test(test_a_batch_whose_temperatures_are_not_taken_is_not_pruned),
        cmocka_unit_test(test_a_batch_that_instruments_still_need_is_not_pruned),
        cmocka_unit_test(test_a_gateway_of_which_nothing_is_held_is_asked_to_begin),
        cmocka_unit_test(test_at_the_limit_pruning_moves_registers_to_the_archive_and_makes_room),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
