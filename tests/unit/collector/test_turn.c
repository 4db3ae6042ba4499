/* One turn of the core after the other. */
#include "tests/unit/collector/turn_fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_long_search_for_what_a_batch_repeats_holds_up_nobody_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
