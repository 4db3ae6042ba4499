/* The cache of committed state: what is loaded again is what was held. */
#include "tests/unit/collector/intake_fixture.h"
#include "tests/unit/random.h"

static void test_what_is_loaded_again_is_what_was_held(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    intake_give(&in, "gw-b",
        "#park1 epoch=ffffffffffffffff seq=1 first=1\n"
        "state,point=s value=\"say \\\"hi\\\" \\\\ \",quality=\"clock\" 1763999990000\n"
        "register,point=m value=-5i 1763999990001\n");
    intake_give(
        &in, "gw-a", "#park1 epoch=" EPOCH_A " seq=1 first=1\ngauge,point=p value=0.1 1763999990000\n");
    intake_give(&in, "gw-a", "#park1 epoch=" EPOCH_B " seq=2 first=1 prev=" EPOCH_A ":1\n");
    for (int round = 0; round < 2; round++) {
        const struct known_gateway *b = known_gateway_find(&in.known, SPAN("gw-b")),
                                   *a = known_gateway_find(&in.known, SPAN("gw-a"));
        assert_int_equal(known_epoch_find(b, UINT64_MAX)->mark, 1);
        assert_true(b->epoch == UINT64_MAX);
        assert_int_equal(b->newest_ms, 1763999990001);
        assert_int_equal(b->points, 2);
        assert_true(a->epoch == 0xbb);
        assert_int_equal(known_epoch_find(a, 0xaa)->mark, 1);
        assert_int_equal(known_epoch_find(a, 0xbb)->mark, 2);
        assert_null(known_epoch_find(a, 0xcc));
        assert_null(known_gateway_find(&in.known, SPAN("gw-c")));
        struct known_point **points = known_sorted(&in.known);
        assert_int_equal(in.known.points.count, 3);
        static const char *const names[] = {"p", "m", "s"}; /* by gateway, then name */
        for (int i = 0; i < 3; i++)
            assert_string_equal(points[i]->name, names[i]);
        assert_true(points[0]->value == 0.1);
        assert_int_equal(points[1]->count, -5);
        assert_string_equal(points[2]->text, "say \"hi\" \\ ");
        assert_int_equal(points[2]->quality, QUALITY_CLOCK);
        assert_int_equal(points[2]->arrived_ms, NOW_MS);
        intake_reload(&in);
    }
    /* A point that is added later is in the list. */
    intake_give(&in, "gw-a",
        "#park1 epoch=" EPOCH_B " seq=3 first=1 prev=" EPOCH_A ":1\ngauge,point=a value=1 1763999990000\n");
    assert_string_equal(known_sorted(&in.known)[0]->name, "a");
    intake_close(&in);
}

static void test_only_the_newest_reading_by_its_time_is_a_points_own(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    intake_give(&in, "gw-a",
        "#park1 epoch=" EPOCH_A " seq=1 first=1\nregister,point=m value=5i 1763999990000\n"
        "register,point=m value=4i 1763999980000\n");
    intake_give(
        &in, "gw-a", "#park1 epoch=" EPOCH_A " seq=2 first=1\nregister,point=m value=3i 1763999970000\n");
    assert_string_equal(rows(in.db, 2, "SELECT count, time_ms FROM point"), "5|1763999990000");
    assert_int_equal(in.counters.readings, 1);
    intake_close(&in);
}

/* Everything that is held of the points, as text. */
static char *describe(struct known *k)
{
    struct buf text = {0};
    struct known_point **points = known_sorted(k);
    for (size_t i = 0; i < k->points.count; i++) {
        const struct known_point *p = points[i];
        buf_printf(&text, "%s %s %d %d %lld %lld %lld %a %s, %lld of %lld\n", p->gateway->name, p->name,
            (int)p->kind, (int)p->quality, (long long)p->time_ms, (long long)p->arrived_ms,
            (long long)p->count, p->value, p->text != NULL ? p->text : "-", (long long)p->gateway->newest_ms,
            (long long)p->gateway->points);
    }
    return buf_take(&text);
}

/* Lines as good and bad agents write them: new, late, repeated, of two values, of three kinds, and nonsense. */
static void add_line(struct buf *text)
{
    static const struct {
        const char *head, *tail; /* of the value */
    } shapes[] = {{"register,point=r", "i"}, {"gauge,point=g", ".5"}, {"gauge,point=g", ",quality=\"clock\""},
        {"state,point=s", "\""}, {"nonsense", ""}, {"#", ""}};
    size_t shape = random_below(6);
    buf_printf(text, "%s%d value=%s%d%s %lld\n", shapes[shape].head, (int)random_below(3),
        shape == 3 ? "\"" : "", (int)random_below(3), shapes[shape].tail,
        (long long)(NOW_MS - 1000 * (int64_t)random_below(40)));
}

static void test_points_that_are_not_written_yet_are_loaded_from_the_journal(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    int seqs[2] = {0};
    for (int batch = 0; batch < 150; batch++) {
        size_t gateway = random_below(2);
        struct buf text = {0};
        in.is_behind = random_below(4) != 0;
        buf_printf(&text, "#park1 epoch=" EPOCH_A " seq=%d first=1\n", ++seqs[gateway]);
        for (size_t lines = random_below(5); lines > 0; lines--)
            add_line(&text);
        intake_give_bytes(&in, gateway == 0 ? "gw-a" : "gw-b", text.data, text.len);
        buf_release(&text);
        char *held = describe(&in.known);
        intake_reload(&in);
        char *loaded = describe(&in.known);
        assert_string_equal(loaded, held);
        free(held);
        free(loaded);
    }
    assert_int_equal(in.known.points.count, 18);
    intake_close(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_loaded_again_is_what_was_held),
        cmocka_unit_test(test_only_the_newest_reading_by_its_time_is_a_points_own),
        cmocka_unit_test(test_points_that_are_not_written_yet_are_loaded_from_the_journal),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
