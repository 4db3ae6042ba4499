/* The `gateway` measurement, line by line as the store gets it. */
#include "collector/minute.h"
#include "tests/unit/collector/intake_fixture.h"

#define MINUTE_MS INT64_C(60000)

struct scene {
    struct intake in;
    struct park *park;
    struct presence presence;
    struct minute minute;
};

static void scene_open(struct scene *s)
{
    *s = (struct scene){0};
    intake_open(&s->in);
    s->park = fake_park(&s->in.journal);
    minute_init(&s->minute, s->park, NOW_MS);
    s->presence.listening_since_ms = NOW_MS - PRESENCE_MS;
}

static void scene_close(struct scene *s)
{
    presence_release(&s->presence);
    park_destroy(s->park);
    intake_close(&s->in);
}

static bool write_at(struct scene *s, int64_t now_ms)
{
    struct error err = {""};
    bool is_changed = false;
    must(minute_write(&s->minute, s->in.db, &s->in.known, &s->presence, now_ms, &is_changed, &err), &err);
    return is_changed;
}

static void test_each_gateway_has_a_row_a_minute_and_what_is_not_known_is_absent(void **state)
{
    (void)state;
    struct scene s;
    struct error err;
    scene_open(&s);
    int64_t now_ms = NOW_MS + MINUTE_MS;
    intake_give(&s.in, "gw-z", "#park1 epoch=" EPOCH_A " seq=1 first=1 dropped=5 from=1 to=2\n");
    assert_true(write_at(&s, now_ms));
    assert_string_equal(rows(s.in.db, 2, "SELECT series, line FROM outbox ORDER BY series"),
        "gateway,gw-a|gateway,gateway=gw-a,site=s1 lost=0i,online=0i 1764000060000\n;"
        "gateway,gw-z|gateway,gateway=gw-z lost=1i,online=0i 1764000060000\n");

    intake_give(&s.in, "gw-a",
        "#park1 epoch=" EPOCH_A " seq=1 first=1\nregister,point=m value=1i 1764000100500\n"
        "register,point=n value=1i 1764000000000\n");
    now_ms += MINUTE_MS + 7000;
    presence_state(
        &s.presence, "gw-a", SPAN("{\"state\":\"online\",\"spooled\":{\"batches\":4}}"), now_ms, &err);
    assert_true(write_at(&s, now_ms));
    assert_string_equal(
        rows(s.in.db, 2,
            "SELECT time_ms, line FROM outbox WHERE time_ms = 1764000120000 AND series = 'gateway,gw-a'"),
        "1764000120000|gateway,gateway=gw-a,site=s1 lost=0i,online=1i,lag_s=26.5,spooled=4i "
        "1764000120000\n");
    scene_close(&s);
}

/* A row says 0 only of a gateway that had its time to speak, or said that it goes. */
static void test_nobody_is_called_offline_by_a_collector_that_did_not_listen(void **state)
{
    (void)state;
    struct scene s;
    struct error err;
    scene_open(&s);
    static const struct {
        int64_t since_ms; /* ago; -1 = it does not listen */
        const char *state, *row;
    } cases[] = {{-1, NULL, "lost=0i"}, {0, NULL, "lost=0i"}, {PRESENCE_MS - 1, NULL, "lost=0i"},
        {PRESENCE_MS, NULL, "online=0i"}, {0, "{\"state\":\"offline\"}", "online=0i"},
        {-1, "{\"state\":\"offline\"}", "lost=0i"}, {0, "{\"state\":\"online\"}", "online=1i"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t now_ms = NOW_MS + (int64_t)(i + 1) * MINUTE_MS;
        presence_release(&s.presence);
        s.presence.listening_since_ms = cases[i].since_ms < 0 ? 0 : now_ms - cases[i].since_ms;
        if (cases[i].state != NULL)
            must(presence_state(&s.presence, "gw-a", span_of(cases[i].state), now_ms, &err), &err);
        assert_true(write_at(&s, now_ms));
        const char *line = rows(s.in.db, 1, "SELECT line FROM outbox ORDER BY id DESC LIMIT 1");
        assert_non_null(strstr(line, cases[i].row));
        assert_int_equal(strstr(line, "online=") != NULL, cases[i].row[0] == 'o');
    }
    scene_close(&s);
}

static void test_a_minute_is_written_once_and_again_only_after_a_failure(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    /* Just started: the minute is that of the collector that ran before. */
    assert_false(write_at(&s, NOW_MS));
    assert_false(write_at(&s, NOW_MS + MINUTE_MS - 1));
    assert_true(write_at(&s, NOW_MS + MINUTE_MS));
    assert_false(write_at(&s, NOW_MS + 2 * MINUTE_MS - 1));
    int64_t first = query(s.in.db, "SELECT max(id) FROM outbox");
    minute_reset(&s.minute);
    assert_true(write_at(&s, NOW_MS + 2 * MINUTE_MS - 1));
    /* The latest wins, under a new id: an older answer of the store does not delete it. */
    assert_int_equal(query(s.in.db, "SELECT count(*) FROM outbox"), 1);
    assert_true(query(s.in.db, "SELECT max(id) FROM outbox") > first);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_gateway_has_a_row_a_minute_and_what_is_not_known_is_absent),
        cmocka_unit_test(test_nobody_is_called_offline_by_a_collector_that_did_not_listen),
        cmocka_unit_test(test_a_minute_is_written_once_and_again_only_after_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
