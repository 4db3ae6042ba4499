/* The published snapshot: when, and that it says what the core knows. The park is that of fake_journal.h. */
#include "collector/live/show.h"
#include "tests/unit/collector/intake_fixture.h"

#define SHOWN_MS INT64_C(1770000000000) /* when the park's meter is in force */

struct scene {
    struct intake in;
    struct park *park;
    struct presence presence;
    struct snapshot_box *box;
    struct show show;
    struct show_source source;
};

static void scene_open(struct scene *s)
{
    *s = (struct scene){0};
    intake_open(&s->in);
    s->park = fake_park(&s->in.journal);
    s->box = snapshot_box_create();
    show_init(&s->show);
    s->source = (struct show_source){.park = s->park,
        .known = &s->in.known,
        .presence = &s->presence,
        .now_ms = SHOWN_MS,
        .journal_end = 17,
        .database_bytes = 5,
        .database_limit_bytes = 6,
        .discarded_bytes = 7,
        .is_broker_connected = true};
}

static void scene_close(struct scene *s)
{
    snapshot_box_destroy(s->box);
    presence_release(&s->presence);
    park_destroy(s->park);
    intake_close(&s->in);
}

static void test_points_and_gateways_are_sorted_placed_and_as_the_core_knows_them(void **state)
{
    (void)state;
    struct scene s;
    struct error err;
    scene_open(&s);
    intake_give(&s.in, "gw-z",
        "#park1 epoch=" EPOCH_A
        " seq=3 first=3\nstate,point=door value=\"zu \\\"\xe5\xbc\x80\\\"\" 1763999990000\n");
    intake_give(&s.in, "gw-a",
        "#park1 epoch=" EPOCH_A " seq=1 first=1\n"
        "gauge,point=power value=41.5,quality=\"clock\" 1763999990002\n"
        "register,point=m value=100i 1763999990001\n");
    intake_give(&s.in, "gw-a", "#park1 epoch=" EPOCH_A " seq=3 first=3\n");
    assert_int_equal(presence_state(&s.presence, "gw-a",
                         SPAN("{\"state\":\"online\",\"version\":\"9\",\"spooled\":{\"batches\":4,\"bytes\":"
                              "5,\"oldest\":6},"
                              "\"clock\":\"synchronised\",\"points\":{\"m\":2000}}"),
                         SHOWN_MS, &err),
        ST_OK);
    show_publish(&s.show, s.box, &s.source, 1000);
    const struct snapshot *snapshot = snapshot_get(s.box);
    assert_int_equal(snapshot->point_count, 3);
    const struct snapshot_point *p = snapshot->points;
    assert_string_equal(p[0].name, "m");
    assert_int_equal(p[0].kind, READING_REGISTER);
    assert_int_equal(p[0].count, 100);
    assert_int_equal(p[0].period_ms, 2000);
    assert_string_equal(p[0].place.meter->id, "m1");
    assert_string_equal(p[0].place.building, "b2");
    assert_string_equal(p[1].name, "power");
    assert_true(p[1].value == 41.5);
    assert_int_equal(p[1].quality, QUALITY_CLOCK);
    assert_null(p[1].place.meter);
    assert_string_equal(p[1].place.building, "b1");
    assert_int_equal(p[1].time_ms, 1763999990002);
    assert_int_equal(p[1].arrived_ms, NOW_MS);
    assert_string_equal(p[2].gateway, "gw-z");
    assert_string_equal(p[2].text, "zu \"\xe5\xbc\x80\"");
    assert_null(p[2].place.site);

    assert_int_equal(snapshot->gateway_count, 2);
    const struct snapshot_gateway *g = snapshot->gateways;
    assert_string_equal(g[0].id, "gw-a");
    assert_non_null(g[0].gateway);
    assert_true(g[0].is_online && g[0].is_clock_synchronised);
    assert_int_equal(g[0].mark, 3);
    assert_int_equal(g[0].lost, 1);
    assert_int_equal(g[0].newest_ms, 1763999990002);
    assert_int_equal(g[0].heard_ms, SHOWN_MS);
    assert_int_equal(g[0].spooled_batches, 4);
    assert_int_equal(g[0].spooled_bytes, 5);
    assert_int_equal(g[0].spooled_oldest_ms, 6);
    assert_string_equal(g[1].id, "gw-z");
    assert_null(g[1].gateway);
    assert_false(g[1].is_online);
    assert_int_equal(g[1].lost, 0);
    assert_int_equal(snapshot->journal_end, 17);
    assert_int_equal(snapshot->database_bytes, 5);
    assert_int_equal(snapshot->database_limit_bytes, 6);
    assert_int_equal(snapshot->counters.discarded_bytes, 7);
    assert_true(snapshot->is_broker_connected);
    snapshot_put(snapshot);
    scene_close(&s);
}

static bool is_shown_known(struct scene *s, int64_t now_mono_ms)
{
    show_touch(&s->show);
    show_publish(&s->show, s->box, &s->source, now_mono_ms);
    const struct snapshot *snapshot = snapshot_get(s->box);
    bool is_known = snapshot->gateways[0].is_presence_known;
    snapshot_put(snapshot);
    return is_known;
}

/* Heard a moment ago, a gateway may be gone since the broker is. */
static void test_while_nobody_listens_nothing_is_known_of_a_gateway(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    s.presence.listening_since_ms = SHOWN_MS - 10;
    presence_hear(&s.presence, "gw-a", SHOWN_MS);
    assert_true(is_shown_known(&s, 1000));
    s.presence.listening_since_ms = 0;
    assert_false(is_shown_known(&s, 2000));
    s.presence.listening_since_ms = SHOWN_MS + 1;
    assert_true(is_shown_known(&s, 3000));
    scene_close(&s);
}

static uint64_t published_number(struct scene *s)
{
    const struct snapshot *snapshot = snapshot_get(s->box);
    uint64_t number = snapshot != NULL ? snapshot->number : 0;
    snapshot_put(snapshot);
    return number;
}

static void test_a_change_is_shown_at_once_then_four_times_a_second_and_idle_every_five_seconds(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    assert_int_equal(show_publish(&s.show, s.box, &s.source, 10000), 15000);
    assert_int_equal(published_number(&s), 1);
    assert_int_equal(show_publish(&s.show, s.box, &s.source, 10100), 15000);
    assert_int_equal(published_number(&s), 1);
    show_touch(&s.show);
    assert_int_equal(show_publish(&s.show, s.box, &s.source, 10200), 10250);
    assert_int_equal(published_number(&s), 1);
    assert_int_equal(show_publish(&s.show, s.box, &s.source, 10250), 15250);
    assert_int_equal(published_number(&s), 2);
    show_publish(&s.show, s.box, &s.source, 15249);
    assert_int_equal(published_number(&s), 2);
    show_publish(&s.show, s.box, &s.source, 15250);
    assert_int_equal(published_number(&s), 3);
    show_touch(&s.show);
    show_publish(&s.show, s.box, &s.source, 16000);
    assert_int_equal(published_number(&s), 4);
    scene_close(&s);
}

static void test_counters_add_up_and_the_reason_stands_while_nothing_is_taken(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    struct snapshot_counters more = {1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 0, 0, 0, 0, 0, 0};
    show_count(&s.show, &more);
    show_count(&s.show, &more);
    show_accepting(&s.show, false, "full");
    show_publish(&s.show, s.box, &s.source, 1000);
    const struct snapshot *snapshot = snapshot_get(s.box);
    const struct snapshot_counters *c = &snapshot->counters;
    assert_int_equal(c->batches, 2);
    assert_int_equal(c->readings, 4);
    assert_int_equal(c->duplicate_batches, 6);
    assert_int_equal(c->duplicate_readings, 8);
    assert_int_equal(c->quarantined, 10);
    assert_int_equal(c->refused, 12);
    assert_int_equal(c->unreadable, 14);
    assert_int_equal(c->losses, 16);
    assert_int_equal(c->quarantine_omitted, 18);
    assert_int_equal(c->commits, 2);
    assert_false(snapshot->is_accepting);
    assert_string_equal(snapshot->reason, "full");
    snapshot_put(snapshot);
    show_accepting(&s.show, true, "");
    show_publish(&s.show, s.box, &s.source, 2000);
    snapshot = snapshot_get(s.box);
    assert_true(snapshot->is_accepting);
    assert_string_equal(snapshot->reason, "");
    snapshot_put(snapshot);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_points_and_gateways_are_sorted_placed_and_as_the_core_knows_them),
        cmocka_unit_test(test_while_nobody_listens_nothing_is_known_of_a_gateway),
        cmocka_unit_test(test_a_change_is_shown_at_once_then_four_times_a_second_and_idle_every_five_seconds),
        cmocka_unit_test(test_counters_add_up_and_the_reason_stands_while_nothing_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
