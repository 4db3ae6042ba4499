#include "collector/live/presence.h"

#include "lib/buf.h"
#include "tests/unit/random.h"

#include <string.h>

#define NOW_MS INT64_C(1764000000000)

static enum status tell(struct presence *p, const char *text, int64_t now_ms)
{
    struct error err;
    return presence_state(p, "gw-a", span_of(text), now_ms, &err);
}

static void test_a_gateway_says_what_it_is_doing(void **state)
{
    (void)state;
    struct presence p = {0};
    assert_null(presence_find(&p, "gw-a"));
    assert_false(presence_is_online(NULL, NOW_MS));
    assert_int_equal(presence_period_ms(NULL, "m"), 0);
    /* By the words of section 3. */
    assert_int_equal(
        tell(&p,
            "{\"state\":\"online\",\"since\":1763999000000,\"version\":\"1.2\",\"epoch\":"
            "\"00000000000000aa\","
            "\"spooled\":{\"batches\":3,\"bytes\":456,\"oldest\":1763999990000},\"clock\":\"synchronised\","
            "\"points\":{\"m\":1000,\"b3.main\":60000,\"x\":-1,\"y\":\"1\"}}",
            NOW_MS),
        ST_OK);
    const struct presence_gateway *g = presence_find(&p, "gw-a");
    assert_true(presence_is_online(g, NOW_MS));
    assert_string_equal(g->version, "1.2");
    assert_true(g->is_clock_synchronised && g->has_spooled);
    assert_int_equal(g->spooled_batches, 3);
    assert_int_equal(g->spooled_bytes, 456);
    assert_int_equal(g->spooled_oldest_ms, 1763999990000);
    assert_int_equal(presence_period_ms(g, "b3.main"), 60000);
    assert_int_equal(presence_period_ms(g, "x"), 0);
    assert_int_equal(presence_period_ms(g, "y"), 0);
    assert_int_equal(presence_period_ms(g, "z"), 0);
    /* The next message counts whole: what it does not say is not known. */
    assert_int_equal(
        tell(&p, "{\"state\":\"online\",\"spooled\":{\"batches\":-3,\"bytes\":\"x\"},\"points\":[]}", NOW_MS),
        ST_OK);
    assert_string_equal(g->version, "");
    assert_true(g->is_clock_synchronised);
    assert_int_equal(g->spooled_batches, 0);
    assert_int_equal(g->spooled_bytes, 0);
    assert_int_equal(presence_period_ms(g, "m"), 0);
    presence_release(&p);
}

static void test_of_the_points_only_periods_are_kept_and_not_without_bound(void **state)
{
    (void)state;
    struct presence p = {0};
    assert_int_equal(
        tell(&p,
            "{\"state\":\"online\",\"points\":{\"m\":1000,\"a\":[[],[[]]],\"b\":{\"c\":1},\"d\":\"1\","
            "\"not a point\":5,\"x\":0}}",
            NOW_MS),
        ST_OK);
    const struct presence_gateway *g = presence_find(&p, "gw-a");
    assert_int_equal(json_object_size(g->points), 1);
    assert_int_equal(presence_period_ms(g, "m"), 1000);
    struct buf text = {0};
    buf_printf(&text, "{\"state\":\"online\",\"points\":{\"p0\":1");
    for (int i = 1; i < PRESENCE_POINTS_MAX + 500; i++)
        buf_printf(&text, ",\"p%d\":1", i);
    buf_printf(&text, "}}");
    assert_int_equal(tell(&p, text.data, NOW_MS), ST_OK);
    assert_int_equal(json_object_size(g->points), PRESENCE_POINTS_MAX);
    buf_release(&text);
    presence_release(&p);
}

static void test_silence_for_three_minutes_is_offline_and_any_message_is_life(void **state)
{
    (void)state;
    struct presence p = {0};
    presence_hear(&p, "gw-a", NOW_MS);
    const struct presence_gateway *g = presence_find(&p, "gw-a");
    assert_true(presence_is_online(g, NOW_MS + 179999));
    assert_false(presence_is_online(g, NOW_MS + 180000));
    assert_int_equal(g->back_ms, NOW_MS);
    presence_hear(&p, "gw-a", NOW_MS + 179999);
    assert_int_equal(g->back_ms, NOW_MS);
    presence_hear(&p, "gw-a", NOW_MS + 359999);
    assert_int_equal(g->back_ms, NOW_MS + 359999);
    presence_hear(&p, "gw-a", NOW_MS + 200000); /* the clock was set back */
    assert_int_equal(g->back_ms, NOW_MS + 200000);
    assert_true(presence_is_online(g, NOW_MS + 200000));
    assert_false(g->has_spooled);
    /* A batch came before any state: nothing is wrong with its clock until it says so. */
    assert_true(g->is_clock_synchronised);
    assert_int_equal(tell(&p, "{\"state\":\"online\",\"clock\":\"unsynchronised\"}", NOW_MS), ST_OK);
    assert_false(g->is_clock_synchronised);
    presence_release(&p);
}

static void test_one_that_says_offline_is_offline_at_once_until_it_speaks_again(void **state)
{
    (void)state;
    struct presence p = {0};
    tell(&p, "{\"state\":\"online\",\"version\":\"1\"}", NOW_MS);
    tell(&p, "{\"state\":\"offline\"}", NOW_MS + 1);
    const struct presence_gateway *g = presence_find(&p, "gw-a");
    assert_false(presence_is_online(g, NOW_MS + 1));
    assert_string_equal(g->version, "1");  /* the will says nothing more */
    assert_int_equal(g->heard_ms, NOW_MS); /* and is no word of its own */
    assert_int_equal(g->back_ms, NOW_MS);
    presence_hear(&p, "gw-a", NOW_MS + 2);
    assert_true(presence_is_online(g, NOW_MS + 2));
    assert_int_equal(g->back_ms, NOW_MS + 2);
    /* One that never spoke is known to be gone all the same, if that was said while we listened. */
    p.listening_since_ms = NOW_MS;
    struct error err;
    assert_int_equal(presence_state(&p, "gw-b", span_of("{\"state\":\"offline\"}"), NOW_MS + 3, &err), ST_OK);
    const struct presence_gateway *other = presence_find(&p, "gw-b");
    assert_int_equal(other->heard_ms, 0);
    assert_false(presence_is_online(other, NOW_MS + 3));
    assert_true(presence_is_known(&p, other, NOW_MS + 3));
    p.listening_since_ms = NOW_MS + 4;
    assert_false(presence_is_known(&p, other, NOW_MS + 4));
    presence_release(&p);
}

static void test_what_is_not_the_contracts_json_is_refused_and_proves_nothing(void **state)
{
    (void)state;
    struct presence p = {0};
    static const char *const bad[] = {"", "online", "{", "[]", "{}", "{\"state\":1}", "{\"state\":\"\"}",
        "{\"state\":\"Online\"}", "{\"state\":\"online\",\"state\":\"offline\"}", "{\"state\":\"online\"} x",
        "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(tell(&p, bad[i], NOW_MS), ST_INVALID);
    char *large = malloc(PRESENCE_BYTES_MAX + 2);
    memset(large, ' ', PRESENCE_BYTES_MAX + 1);
    memcpy(large, "{\"state\":\"online\"}", 18);
    large[PRESENCE_BYTES_MAX + 1] = '\0';
    assert_int_equal(tell(&p, large, NOW_MS), ST_INVALID);
    large[PRESENCE_BYTES_MAX] = '\0';
    assert_null(presence_find(&p, "gw-a"));
    assert_int_equal(tell(&p, large, NOW_MS), ST_OK);
    free(large);
    presence_release(&p);
}

/* What it did not listen to is no silence of theirs. */
static void test_while_nobody_listened_nobody_is_known_to_be_silent(void **state)
{
    (void)state;
    struct presence p = {.listening_since_ms = NOW_MS - PRESENCE_MS};
    presence_hear(&p, "gw-a", NOW_MS);
    const struct presence_gateway *g = presence_find(&p, "gw-a");
    presence_look(&p, NOW_MS);
    presence_look(&p, NOW_MS + 5000); /* late by a little */
    assert_int_equal(presence_still_ms(&p, NOW_MS, NOW_MS + 5000), 0);
    presence_look(&p, NOW_MS + 405000);
    assert_int_equal(presence_still_ms(&p, NOW_MS, NOW_MS + 405000), 400000);
    assert_int_equal(presence_still_ms(&p, NOW_MS + 6000, NOW_MS + 405000), 399000);
    assert_int_equal(presence_still_ms(&p, NOW_MS, NOW_MS + 6000), 1000);
    assert_int_equal(presence_still_ms(&p, NOW_MS + 405000, NOW_MS + 500000), 0);
    assert_int_equal(presence_still_ms(&p, NOW_MS, NOW_MS + 1), 0);
    assert_false(presence_is_online(g, NOW_MS + 405000));
    assert_false(presence_is_known(&p, g, NOW_MS + 405000));
    assert_false(presence_is_known(&p, g, NOW_MS + 400000 + PRESENCE_MS - 1));
    assert_true(presence_is_known(&p, g, NOW_MS + 400000 + PRESENCE_MS));
    assert_true(presence_is_known(&p, NULL, NOW_MS + 405000)); /* it had its time before */
    /* A clock that is set back is none, and set on again it is. */
    presence_look(&p, NOW_MS + 300000);
    assert_int_equal(presence_still_ms(&p, NOW_MS + 405000, NOW_MS + 500000), 0);
    presence_look(&p, NOW_MS + 500000);
    assert_int_equal(presence_still_ms(&p, NOW_MS + 405000, NOW_MS + 500000), 95000);
    assert_int_equal(presence_still_ms(&p, NOW_MS, NOW_MS + 500000), 495000);
    presence_release(&p);
}

/* Who was silent over so many had its time: then the oldest count. */
static void test_standstills_hide_nobody_for_ever(void **state)
{
    (void)state;
    struct presence p = {.listening_since_ms = NOW_MS};
    for (int64_t i = 0; i <= 1000; i++)
        presence_look(&p, NOW_MS + i * 10000);
    assert_int_equal(presence_still_ms(&p, NOW_MS, NOW_MS + 10000000), 64 * 10000);
    assert_true(presence_is_known(&p, NULL, NOW_MS + 10000000));
}

static void test_a_gateway_is_back_where_it_was_silent_while_somebody_listened(void **state)
{
    (void)state;
    static const struct {
        int64_t still_ms, silent_ms;
        bool is_back;
    } rows[] = {{0, PRESENCE_MS - 1, false}, {0, PRESENCE_MS, true}, {400000, 2000, false},
        {400000, PRESENCE_MS - 1, false}, {400000, PRESENCE_MS, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct presence p = {.listening_since_ms = NOW_MS};
        presence_look(&p, NOW_MS);
        presence_hear(&p, "gw-a", NOW_MS);
        presence_look(&p, NOW_MS + rows[i].still_ms);
        int64_t now_ms = NOW_MS + rows[i].still_ms + rows[i].silent_ms;
        presence_hear(&p, "gw-a", now_ms);
        assert_int_equal(presence_find(&p, "gw-a")->back_ms, rows[i].is_back ? now_ms : NOW_MS);
        presence_release(&p);
    }
    /* A machine without a clock of its own is set on from 1970: whoever speaks first is there since then. */
    struct presence p = {.listening_since_ms = 1000};
    presence_look(&p, 1000);
    presence_look(&p, NOW_MS);
    presence_hear(&p, "gw-a", NOW_MS);
    assert_int_equal(presence_find(&p, "gw-a")->back_ms, NOW_MS);
    presence_release(&p);
}

#define SECONDS 3000

/* Second by second: what was jumped over, and what a clock that was set back makes unsaid. */
static int64_t still_by_seconds(const bool *is_still, size_t from, size_t until)
{
    int64_t sum_ms = 0;
    for (size_t at = from; at < until; at++)
        sum_ms += is_still[at] ? 1000 : 0;
    return sum_ms;
}

static void check_a_history(size_t jumps_in_a_hundred)
{
    struct presence p = {0};
    bool is_still[SECONDS] = {false};
    size_t now = random_below(SECONDS), count = 0;
    presence_look(&p, NOW_MS + (int64_t)now * 1000);
    for (int look = 0; look < 1000; look++) {
        size_t next = now + 1 + random_below(5);
        if (random_below(100) < jumps_in_a_hundred)
            next = random_below(10) == 0 ? random_below(SECONDS) : now + random_below(40) - 10;
        if (next >= SECONDS)
            next = random_below(now + 1);
        if (next > now + 5)
            count++;
        for (size_t at = now; at < next; at++)
            is_still[at] = next > now + 5;
        for (size_t at = next; at < SECONDS; at++)
            is_still[at] = false;
        now = next;
        presence_look(&p, NOW_MS + (int64_t)now * 1000);
        size_t from = random_below(SECONDS), until = from + random_below(SECONDS - from);
        int64_t still_ms =
                    presence_still_ms(&p, NOW_MS + (int64_t)from * 1000, NOW_MS + (int64_t)until * 1000),
                by_seconds_ms = still_by_seconds(is_still, from, until);
        assert_true(still_ms <= by_seconds_ms);
        if (count <= PRESENCE_STILL_MAX)
            assert_int_equal(still_ms, by_seconds_ms);
    }
}

/* The wall's clock goes where it likes: of no time it stood still for longer than that is. */
static void test_what_it_stood_still_counts_once_and_no_longer_than_it_took(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++)
        check_a_history(i % 2 == 0 ? 5 : 50);
}

/* A day ahead for some seconds: who is dead is known to be in its time. */
static void test_a_clock_that_was_ahead_hides_nobody(void **state)
{
    (void)state;
    struct presence p = {.listening_since_ms = NOW_MS};
    presence_hear(&p, "gw-a", NOW_MS);
    const struct presence_gateway *g = presence_find(&p, "gw-a");
    for (int64_t second = 0; second <= 180; second++) {
        int64_t ahead_ms = second >= 10 && second < 13 ? 86400000 : 0;
        presence_look(&p, NOW_MS + second * 1000 + ahead_ms);
    }
    /* But for the 3 s, of which it is not known whose they were. */
    assert_false(presence_is_known(&p, g, NOW_MS + PRESENCE_MS));
    assert_true(presence_is_known(&p, g, NOW_MS + PRESENCE_MS + 4000));
    presence_release(&p);
}

/* Who spoke, or when we began to listen, while the clock was ahead: that is now, when it is set back. */
static void test_what_was_heard_by_a_clock_that_was_ahead_is_of_now(void **state)
{
    (void)state;
    int64_t ahead_ms = NOW_MS + 36000000;
    struct presence p = {.listening_since_ms = ahead_ms};
    struct error err = {""};
    presence_look(&p, ahead_ms);
    presence_hear(&p, "gw-a", ahead_ms);
    assert_int_equal(presence_state(&p, "gw-b", span_of("{\"state\":\"offline\"}"), ahead_ms, &err), ST_OK);
    for (int64_t second = 0; second <= 180; second++)
        presence_look(&p, NOW_MS + second * 1000);
    const struct presence_gateway *a = presence_find(&p, "gw-a"), *b = presence_find(&p, "gw-b");
    assert_true(presence_is_online(a, NOW_MS + PRESENCE_MS - 1));
    assert_false(presence_is_online(a, NOW_MS + PRESENCE_MS));
    assert_true(presence_is_known(&p, a, NOW_MS + PRESENCE_MS));
    assert_true(presence_is_known(&p, b, NOW_MS));
    assert_true(presence_is_known(&p, NULL, NOW_MS + PRESENCE_MS));
    presence_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_gateway_says_what_it_is_doing),
        cmocka_unit_test(test_of_the_points_only_periods_are_kept_and_not_without_bound),
        cmocka_unit_test(test_silence_for_three_minutes_is_offline_and_any_message_is_life),
        cmocka_unit_test(test_one_that_says_offline_is_offline_at_once_until_it_speaks_again),
        cmocka_unit_test(test_while_nobody_listened_nobody_is_known_to_be_silent),
        cmocka_unit_test(test_standstills_hide_nobody_for_ever),
        cmocka_unit_test(test_a_gateway_is_back_where_it_was_silent_while_somebody_listened),
        cmocka_unit_test(test_what_it_stood_still_counts_once_and_no_longer_than_it_took),
        cmocka_unit_test(test_a_clock_that_was_ahead_hides_nobody),
        cmocka_unit_test(test_what_was_heard_by_a_clock_that_was_ahead_is_of_now),
        cmocka_unit_test(test_what_is_not_the_contracts_json_is_refused_and_proves_nothing),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
