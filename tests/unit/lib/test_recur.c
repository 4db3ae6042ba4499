/* Recurrence rules against dateutil (oracle_recur.py), and their limits. */
#include "lib/ical.h"
#include "tests/unit/oracle.h"

#include <string.h>

static struct ical_rule rule_of(const char *text)
{
    struct ical_rule rule;
    if (!ical_rule_read(span_of(text), &rule))
        fail_msg("%s cannot be read", text);
    return rule;
}

static int64_t take_number(char **rest)
{
    char *word = strsep(rest, " ");
    assert_non_null(word);
    return strtoll(word, NULL, 10);
}

static size_t check_line(char *rest)
{
    const char *text = strsep(&rest, " ");
    struct ical_rule rule = rule_of(text);
    int64_t start_s = take_number(&rest), from_s = take_number(&rest), to_s = take_number(&rest);
    int64_t steps = 100000000, until_s;
    struct recur_times times = {0};
    assert_true(recur_expand(&rule.recur, start_s, from_s, to_s, &steps, 1000000, &times, &until_s));
    size_t i = 0;
    for (; rest != NULL; i++) {
        int64_t wanted_s = take_number(&rest);
        if (i >= times.count || times.items[i] != wanted_s)
            fail_msg("%s from %lld: time %zu is %lld; expected %lld", text, (long long)start_s, i,
                i < times.count ? (long long)times.items[i] : -1, (long long)wanted_s);
    }
    if (i != times.count)
        fail_msg("%s from %lld: %zu times; expected %zu", text, (long long)start_s, times.count, i);
    free(times.items);
    return i;
}

static void check_seed(uint64_t seed)
{
    struct oracle o;
    size_t times = 0;
    oracle_open(&o, "lib/oracle_recur.py", seed, NULL);
    while (oracle_read(&o))
        times += check_line(o.line);
    oracle_close(&o, 250);
    assert_true(times > 1500);
}

static void test_a_rule_falls_due_when_dateutil_says(void **state)
{
    (void)state;
    random_histories(check_seed, 2);
}

static void test_a_week_without_a_weekday_has_the_starts(void **state)
{
    (void)state;
    /* RFC 5545, 3.3.10: what a rule does not say is the start's. 2026-05-11, a Monday, is in week 20 (ISO 8601). */
    struct ical_rule rule = rule_of("FREQ=YEARLY;BYWEEKNO=20");
    struct ical_time start, wanted;
    assert_true(ical_time_read(SPAN("20200106T090000"), &start));
    assert_true(ical_time_read(SPAN("20260511T090000"), &wanted));
    struct recur_times times = {0};
    int64_t steps = 10000, until_s;
    assert_true(recur_expand(&rule.recur, start.local_s, wanted.local_s - 86400 * 100,
        wanted.local_s + 86400 * 100, &steps, 10, &times, &until_s));
    assert_int_equal(times.count, 1);
    assert_int_equal(times.items[0], wanted.local_s);
    free(times.items);
}

/* Whatever the budget: what is there is right, and nothing is missing before the time that is said. */
static void test_a_rule_that_is_cut_short_says_from_where_on_it_is_not_known(void **state)
{
    (void)state;
    static const char *const rules[] = {"FREQ=DAILY", "FREQ=DAILY;BYHOUR=1,2,3,4;COUNT=900",
        "FREQ=WEEKLY;BYDAY=MO,SU", "FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=YEARLY;BYDAY=1MO,-1FR",
        "FREQ=YEARLY;BYMONTHDAY=30;BYMONTH=2"};
    int cut = 0;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct ical_rule rule = rule_of(rules[i]);
        int64_t start_s = INT64_C(1767225600) + 3600, to_s = start_s + INT64_C(86400) * 1000, steps = 1000000,
                until_s;
        struct recur_times all = {0};
        assert_true(recur_expand(&rule.recur, start_s, start_s, to_s, &steps, 100000, &all, &until_s));
        for (int budget = 0; budget < 3000; budget += 97) {
            struct recur_times some = {0};
            size_t max = budget % 2 == 0 ? 100000 : (size_t)budget / 10;
            steps = budget;
            bool is_whole = recur_expand(&rule.recur, start_s, start_s, to_s, &steps, max, &some, &until_s);
            assert_true(some.count <= max && some.count <= all.count);
            assert_true(
                some.count == 0 || memcmp(some.items, all.items, some.count * sizeof *all.items) == 0);
            assert_true(!is_whole || some.count == all.count);
            assert_true(is_whole || some.count == all.count || all.items[some.count] >= until_s);
            assert_true(is_whole || some.count == 0 || some.items[some.count - 1] < until_s);
            cut += !is_whole;
            free(some.items);
        }
        free(all.items);
    }
    assert_true(cut > 60);
}

/* What libical's own iterator does not find within hours. */
static void test_a_rule_that_never_falls_due_ends(void **state)
{
    (void)state;
    struct ical_rule rule =
        rule_of("FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6;BYMINUTE=0,1,2,3,4,5,6,7,8;BYMONTH=2;BYMONTHDAY=30");
    struct recur_times times = {0};
    int64_t steps = 5000000, until_s;
    assert_true(recur_expand(&rule.recur, 0, INT64_C(1790812800), INT64_C(1790812800) + 86400 * 500, &steps,
        10, &times, &until_s));
    assert_int_equal(times.count, 0);
    assert_true(steps > 4900000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_rule_falls_due_when_dateutil_says),
        cmocka_unit_test(test_a_week_without_a_weekday_has_the_starts),
        cmocka_unit_test(test_a_rule_that_is_cut_short_says_from_where_on_it_is_not_known),
        cmocka_unit_test(test_a_rule_that_never_falls_due_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
