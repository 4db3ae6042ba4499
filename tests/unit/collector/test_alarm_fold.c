/* When an alarm fires and clears: case by case, and random histories against looking back over all that was said. */
#include "collector/alarm/fold.h"
#include "collector/alarm/judge.h"
#include "tests/unit/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define FOR_MS 60
#define CLEAR_FOR_MS 30

static enum alarm_change say(struct alarm_state *s, enum alarm_say what, int64_t now_ms)
{
    struct alarm_word word = {what, ALARM_NEVER, false, 0};
    return alarm_fold(s, &word, FOR_MS, CLEAR_FOR_MS, now_ms);
}

static void test_what_lasts_fires_once_and_what_is_over_clears_once(void **state)
{
    (void)state;
    struct alarm_state s = alarm_state_none;
    assert_int_equal(say(&s, ALARM_BAD, 1000), ALARM_STAYS);
    assert_int_equal(say(&s, ALARM_BAD, 1059), ALARM_STAYS);
    assert_int_equal(say(&s, ALARM_BAD, 1060), ALARM_FIRES);
    assert_int_equal(say(&s, ALARM_BAD, 5000), ALARM_STAYS);
    assert_int_equal(say(&s, ALARM_GOOD, 6000), ALARM_STAYS);
    assert_int_equal(say(&s, ALARM_GOOD, 6030), ALARM_CLEARS);
    assert_int_equal(say(&s, ALARM_GOOD, 9000), ALARM_STAYS);
    assert_false(s.is_standing);
}

static void test_what_lies_between_the_limits_and_what_nobody_knows_ends_a_run(void **state)
{
    (void)state;
    static const enum alarm_say others[] = {ALARM_BETWEEN, ALARM_UNKNOWN};
    for (size_t i = 0; i < 2; i++) {
        struct alarm_state s = alarm_state_none;
        say(&s, ALARM_BAD, 1000);
        assert_int_equal(say(&s, others[i], 1050), ALARM_STAYS);
        assert_int_equal(say(&s, ALARM_BAD, 1070), ALARM_STAYS);
        assert_int_equal(say(&s, ALARM_BAD, 1129), ALARM_STAYS);
        assert_int_equal(say(&s, ALARM_BAD, 1130), ALARM_FIRES);
        say(&s, ALARM_GOOD, 2000);
        assert_int_equal(say(&s, others[i], 9000), ALARM_STAYS);
        assert_int_equal(say(&s, ALARM_GOOD, 9001), ALARM_STAYS);
        assert_int_equal(say(&s, ALARM_GOOD, 9031), ALARM_CLEARS);
    }
}

static void test_what_is_gone_clears_at_once_and_never_fires(void **state)
{
    (void)state;
    struct alarm_state s = {true, ALARM_NEVER};
    assert_int_equal(say(&s, ALARM_GONE, 1000), ALARM_CLEARS);
    assert_int_equal(say(&s, ALARM_GONE, 9000), ALARM_STAYS);
    say(&s, ALARM_BAD, 9100);
    assert_int_equal(say(&s, ALARM_GONE, 9300), ALARM_STAYS);
    assert_int_equal(s.run_ms, ALARM_NEVER);
}

static void test_a_word_that_knows_since_when_counts_from_there(void **state)
{
    (void)state;
    struct alarm_state s = alarm_state_none;
    struct alarm_word word = {ALARM_BAD, 940, false, 0};
    assert_int_equal(alarm_fold(&s, &word, FOR_MS, CLEAR_FOR_MS, 999), ALARM_STAYS);
    assert_int_equal(alarm_fold(&s, &word, FOR_MS, CLEAR_FOR_MS, 1000), ALARM_FIRES);
}

static void test_a_clock_that_is_set_back_begins_a_run_anew(void **state)
{
    (void)state;
    struct alarm_state s = alarm_state_none;
    say(&s, ALARM_BAD, 100000);
    assert_int_equal(say(&s, ALARM_BAD, 1000), ALARM_STAYS);
    assert_int_equal(say(&s, ALARM_BAD, 1060), ALARM_FIRES);
}

/* Whether all from some instant at least `ms` ago until now said so. */
static bool lasted(
    const enum alarm_say *said, const int64_t *at, size_t n, enum alarm_say what, int64_t ms, size_t begin)
{
    for (size_t i = n + 1; i-- > begin && said[i] == what;)
        if (at[n] - at[i] >= ms)
            return true;
    return false;
}

static void test_random_histories_are_what_looking_back_says(void **state)
{
    (void)state;
    enum { STEPS = 200 };
    for (int round = 0; round < 3000; round++) {
        enum alarm_say said[STEPS];
        int64_t at[STEPS], now_ms = 1000;
        struct alarm_state s = alarm_state_none;
        bool is_standing = false;
        size_t begin = 0; /* what was said before the last change counts for nothing */
        for (size_t n = 0; n < STEPS; n++) {
            now_ms += 1 + (int64_t)random_below(40);
            at[n] = now_ms;
            said[n] = n > 0 && random_below(4) > 0 ? said[n - 1] : (enum alarm_say)random_below(4);
            enum alarm_change expected = ALARM_STAYS;
            if (!is_standing && lasted(said, at, n, ALARM_BAD, FOR_MS, begin))
                expected = ALARM_FIRES;
            if (is_standing && lasted(said, at, n, ALARM_GOOD, CLEAR_FOR_MS, begin))
                expected = ALARM_CLEARS;
            assert_int_equal(say(&s, said[n], now_ms), expected);
            if (expected != ALARM_STAYS) {
                is_standing = !is_standing;
                begin = n + 1;
            }
            assert_int_equal(s.is_standing, is_standing);
        }
    }
}

/* ---- what is said ---- */

static struct alarm_own own;
static struct alarm_rule rule_of(enum alarm_kind kind)
{
    own = (struct alarm_own){.for_ms = 1000, .clear_for_ms = 5000};
    return (struct alarm_rule){.kind = kind, .own = &own, .limit = {true, 100, 80}};
}

static enum alarm_say said(const struct alarm_rule *rule, struct alarm_facts facts)
{
    facts.now_ms = facts.now_ms != 0 ? facts.now_ms : 100000;
    return alarm_judge(rule, &facts).say;
}

static void test_a_limit_fires_beyond_it_and_clears_at_the_other(void **state)
{
    (void)state;
    struct alarm_rule rule = rule_of(ALARM_THRESHOLD);
    static const struct {
        bool is_above;
        int64_t fire_m, clear_m, value_m;
        enum alarm_say say;
    } rows[] = {{true, 100, 80, 101, ALARM_BAD}, {true, 100, 80, 100, ALARM_BETWEEN},
        {true, 100, 80, 81, ALARM_BETWEEN}, {true, 100, 80, 80, ALARM_GOOD},
        {true, 100, 100, 100, ALARM_GOOD}, {false, -70, -65, -71, ALARM_BAD},
        {false, -70, -65, -70, ALARM_BETWEEN}, {false, -70, -65, -66, ALARM_BETWEEN},
        {false, -70, -65, -65, ALARM_GOOD}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rule.limit = (struct alarm_limit){rows[i].is_above, rows[i].fire_m, rows[i].clear_m};
        struct alarm_facts facts = {.is_clock_right = true, .is_known = true, .value_m = rows[i].value_m};
        assert_int_equal(said(&rule, facts), rows[i].say);
        facts.is_known = false;
        assert_int_equal(said(&rule, facts), ALARM_UNKNOWN);
        facts = (struct alarm_facts){.is_known = true, .value_m = rows[i].value_m}; /* by a clock in doubt */
        assert_int_equal(said(&rule, facts), ALARM_UNKNOWN);
    }
}

/* Last, since when it could be, and until when. */
#define HEARD(last, since, until)                                    \
    {                                                                \
        .heard_ms = (last), .since_ms = (since), .until_ms = (until) \
    }
#define AWAY(last, until, away)                                                       \
    {                                                                                 \
        .heard_ms = (last), .since_ms = 50000, .until_ms = (until), .away_ms = (away) \
    }

static void test_silence_counts_while_somebody_listens(void **state)
{
    (void)state;
    struct alarm_rule rule = rule_of(ALARM_NO_DATA);
    static const struct {
        struct alarm_source source;
        enum alarm_say say;
    } rows[] = {{HEARD(0, 0, 100000), ALARM_UNKNOWN}, /* nobody listens */
        {HEARD(99500, 0, 100000), ALARM_UNKNOWN}, {HEARD(99500, 50000, 100000), ALARM_GOOD},
        {HEARD(99000, 50000, 100000), ALARM_BAD},
        {HEARD(50, 99500, 100000), ALARM_UNKNOWN}, /* it had no time yet */
        {HEARD(50, 99000, 100000), ALARM_BAD}, {HEARD(0, 99000, 100000), ALARM_BAD},
        {HEARD(0, 99001, 100000), ALARM_UNKNOWN},
        {HEARD(200000, 50000, 100000), ALARM_GOOD}, /* from a device whose clock is ahead */
        /* What it comes by fell silent as well: with it, just before it would be silent, and when it was. */
        {HEARD(98000, 50000, 98000), ALARM_UNKNOWN}, {HEARD(98000, 50000, 98999), ALARM_UNKNOWN},
        {HEARD(98000, 50000, 99000), ALARM_BAD}, {HEARD(99001, 50000, 99001), ALARM_GOOD},
        /* It spoke again: without what it was away, which is no silence of its own, and does not make it unheard. */
        {AWAY(98000, 99900, 901), ALARM_UNKNOWN}, {AWAY(98000, 99900, 900), ALARM_BAD},
        {AWAY(99001, 100000, 900), ALARM_GOOD}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct alarm_facts facts = {.is_clock_right = true, .sources = {rows[i].source}, .source_count = 1};
        assert_int_equal(said(&rule, facts), rows[i].say);
        facts.is_clock_right = false;
        assert_int_equal(said(&rule, facts), ALARM_UNKNOWN);
        facts.is_gone = true;
        assert_int_equal(said(&rule, facts), ALARM_GONE);
    }
}

/* A register by one gateway, and power by another. */
static void test_of_two_sources_one_is_enough_to_be_silent_and_both_are_needed_to_be_heard(void **state)
{
    (void)state;
    struct alarm_rule rule = rule_of(ALARM_NO_DATA);
    static const struct alarm_source heard = HEARD(99500, 50000, 100000),
                                     silent = HEARD(98000, 50000, 100000),
                                     longer = HEARD(97000, 50000, 100000), held = HEARD(90000, 50000, 90000);
    static const struct {
        struct alarm_source sources[2];
        enum alarm_say say;
        int64_t value_m;
    } rows[] = {{{heard, heard}, ALARM_GOOD, 500}, {{heard, silent}, ALARM_BAD, 2000},
        {{silent, longer}, ALARM_BAD, 3000}, {{held, silent}, ALARM_BAD, 2000},
        {{held, heard}, ALARM_UNKNOWN, 10000}, {{held, held}, ALARM_UNKNOWN, 10000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int turned = 0; turned < 2; turned++) {
            struct alarm_facts facts = {.now_ms = 100000,
                .is_clock_right = true,
                .sources = {rows[i].sources[turned], rows[i].sources[1 - turned]},
                .source_count = 2};
            struct alarm_word word = alarm_judge(&rule, &facts);
            assert_int_equal(word.say, rows[i].say);
            assert_int_equal(word.value_m, rows[i].value_m);
        }
}

static void test_water_stops_where_one_quarter_hour_says_so_and_never_where_all_do(void **state)
{
    (void)state;
    struct alarm_rule rule = rule_of(ALARM_WATER);
    rule.limit = (struct alarm_limit){true, 0, 0};
    struct alarm_facts facts = {.is_clock_right = true, .is_known = true, .value_m = 1000};
    assert_int_equal(said(&rule, facts), ALARM_UNKNOWN); /* another may be without */
    facts.is_whole = true;
    assert_int_equal(said(&rule, facts), ALARM_BAD);
    facts.is_whole = false;
    facts.value_m = 0;
    assert_int_equal(said(&rule, facts), ALARM_GOOD);
    facts.is_known = false;
    assert_int_equal(said(&rule, facts), ALARM_UNKNOWN);
}

static void test_an_instrument_is_left_running_by_hours_or_sessions(void **state)
{
    (void)state;
    struct alarm_rule rule = rule_of(ALARM_LEFT_RUNNING);
    /* running, hours, open, has session, known, open session */
    static const struct {
        bool is_running, has_hours, is_open, has_session, is_known, is_session_open;
        enum alarm_say say[3]; /* by enum alarm_when */
    } rows[] = {{false, true, false, true, true, false, {ALARM_GOOD, ALARM_GOOD, ALARM_GOOD}},
        {true, true, false, false, false, false, {ALARM_BAD, ALARM_UNKNOWN, ALARM_BAD}},
        {true, true, true, false, false, false, {ALARM_GOOD, ALARM_UNKNOWN, ALARM_GOOD}},
        {true, true, true, true, true, false, {ALARM_GOOD, ALARM_BAD, ALARM_BAD}},
        {true, true, true, true, false, false, {ALARM_GOOD, ALARM_UNKNOWN, ALARM_UNKNOWN}},
        {true, true, false, true, false, true, {ALARM_BAD, ALARM_UNKNOWN, ALARM_BAD}},
        {true, true, true, true, true, true, {ALARM_GOOD, ALARM_GOOD, ALARM_GOOD}},
        {true, false, false, true, true, true, {ALARM_UNKNOWN, ALARM_GOOD, ALARM_GOOD}},
        {true, false, false, true, true, false, {ALARM_UNKNOWN, ALARM_BAD, ALARM_BAD}}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int when = 0; when < 3; when++) {
            own.when = when;
            struct alarm_facts facts = {.is_clock_right = true,
                .is_known = true,
                .is_running = rows[i].is_running,
                .has_hours = rows[i].has_hours,
                .is_open = rows[i].is_open,
                .has_session = rows[i].has_session,
                .is_session_known = rows[i].is_known,
                .is_session_open = rows[i].is_session_open};
            assert_int_equal(said(&rule, facts), rows[i].say[when]);
            facts.is_known = false; /* its power is not fresh */
            assert_int_equal(said(&rule, facts), ALARM_UNKNOWN);
        }
}

static void test_clocks_and_losses(void **state)
{
    (void)state;
    struct alarm_rule rule = rule_of(ALARM_CLOCK);
    assert_int_equal(said(&rule, (struct alarm_facts){.is_known = true}), ALARM_BAD);
    assert_int_equal(
        said(&rule, (struct alarm_facts){.is_known = true, .is_synchronised = true}), ALARM_GOOD);
    assert_int_equal(said(&rule, (struct alarm_facts){.is_synchronised = true}), ALARM_UNKNOWN);
    rule = rule_of(ALARM_LOSS);
    assert_int_equal(said(&rule, (struct alarm_facts){.is_clock_right = true}), ALARM_GOOD);
    assert_int_equal(
        said(&rule, (struct alarm_facts){.is_clock_right = true, .lost = 2, .lost_ms = 95001}), ALARM_BAD);
    assert_int_equal(
        said(&rule, (struct alarm_facts){.is_clock_right = true, .lost = 2, .lost_ms = 95000}), ALARM_GOOD);
    assert_int_equal(said(&rule, (struct alarm_facts){.lost = 2, .lost_ms = 99999}), ALARM_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_lasts_fires_once_and_what_is_over_clears_once),
        cmocka_unit_test(test_what_lies_between_the_limits_and_what_nobody_knows_ends_a_run),
        cmocka_unit_test(test_what_is_gone_clears_at_once_and_never_fires),
        cmocka_unit_test(test_a_word_that_knows_since_when_counts_from_there),
        cmocka_unit_test(test_a_clock_that_is_set_back_begins_a_run_anew),
        cmocka_unit_test(test_random_histories_are_what_looking_back_says),
        cmocka_unit_test(test_a_limit_fires_beyond_it_and_clears_at_the_other),
        cmocka_unit_test(test_silence_counts_while_somebody_listens),
        cmocka_unit_test(test_of_two_sources_one_is_enough_to_be_silent_and_both_are_needed_to_be_heard),
        cmocka_unit_test(test_water_stops_where_one_quarter_hour_says_so_and_never_where_all_do),
        cmocka_unit_test(test_an_instrument_is_left_running_by_hours_or_sessions),
        cmocka_unit_test(test_clocks_and_losses)};
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
