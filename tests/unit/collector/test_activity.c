/* Activity by power: case by case, against a model that folds nothing, and on real traces. */
#include "collector/instrument/activity.h"
#include "lib/buf.h"
#include "tests/unit/oracle.h"

#include <unistd.h>

#define LIMITS                                                                                      \
    {                                                                                               \
        .off_mw = 10, .exit_mw = 30, .enter_mw = 40, .enter_ms = 10, .exit_ms = 100, .gap_ms = 1000 \
    }

struct trace {
    struct activity a;
    struct activity_span *spans;
    size_t count, capacity;
};

static void keep(struct trace *t, const struct activity_span *span)
{
    /* They tile the time: no hole, no overlap, none empty, and no two of one known state side by side. */
    assert_true(span->from_ms < span->until_ms);
    if (t->count > 0) {
        assert_true(t->spans[t->count - 1].until_ms == span->from_ms);
        assert_true(span->state != t->spans[t->count - 1].state || span->state == ACTIVITY_UNKNOWN);
    }
    MEM_GROW(t->spans, t->count, t->capacity);
    t->spans[t->count++] = *span;
}

static void take(struct trace *t, const struct activity_limits *limits, int64_t time_ms, int64_t power_mw)
{
    /* Stored and had again, as at a restart. */
    struct activity copy;
    memcpy(&copy, &t->a, sizeof copy);
    memset(&t->a, 0xff, sizeof t->a);
    struct activity_done done = activity_read(&copy, limits, time_ms, power_mw);
    t->a = copy;
    for (int i = 0; i < done.count; i++)
        keep(t, &done.spans[i]);
}

static void finish(struct trace *t)
{
    struct activity_span open;
    if (activity_open(&t->a, &open) && open.from_ms < open.until_ms)
        keep(t, &open);
}

/* ---- case by case ---- */

static void expect(const char *readings, const char *expected)
{
    static const struct activity_limits limits = LIMITS;
    struct trace t = {.count = 0};
    long long time_ms, power_mw;
    for (int length; sscanf(readings, " %lld=%lld%n", &time_ms, &power_mw, &length) == 2; readings += length)
        take(&t, &limits, time_ms, power_mw);
    assert_string_equal(readings, "");
    finish(&t);
    struct buf out = {0};
    buf_add_str(&out, "");
    for (size_t i = 0; i < t.count; i++)
        buf_printf(&out, "%s%lld %s", i > 0 ? ", " : "", (long long)t.spans[i].from_ms,
            activity_names[t.spans[i].state]);
    if (t.count > 0)
        buf_printf(&out, ", %lld", (long long)t.spans[t.count - 1].until_ms);
    assert_string_equal(out.data, expected);
    buf_release(&out);
    free(t.spans);
}

static void test_a_change_counts_when_it_lasted_from_its_first_reading_on(void **state)
{
    (void)state;
    expect("0=0 5=40 14=40 20=0", "0 off, 20");
    expect("0=0 5=40 15=40 20=40", "0 off, 5 running, 20");
    expect("0=0 5=40 9=39 10=40 19=40", "0 off, 5 standby, 19");
    expect("0=0 5=40 9=39 10=40 20=40", "0 off, 5 standby, 10 running, 20");
    expect("0=50 5=29 50=30 60=29 159=29", "0 running, 159");
    expect("0=50 5=29 50=30 60=29 160=29", "0 running, 60 standby, 160");
    expect("0=50 5=20 7=0 105=0", "0 running, 5 standby, 105");
    expect("0=50 5=20 7=0 107=0", "0 running, 5 standby, 7 off, 107");
    expect("0=50 5=0 105=0", "0 running, 5 off, 105");
    expect("0=0 5=10 14=9 20=10", "0 off, 20");
    expect("0=0 5=10 15=10 20=9 30=10", "0 off, 5 standby, 30");
    expect("0=20 5=9 104=9 105=10 106=9 206=9", "0 standby, 106 off, 206");
}

static void test_a_first_reading_decides_at_once(void **state)
{
    (void)state;
    expect("", "");
    expect("7=50", "");
    expect("0=9 1=9", "0 off, 1");
    expect("0=10 1=10", "0 standby, 1");
    expect("0=29 1=29", "0 standby, 1");
    expect("0=30 1=30", "0 running, 1");
    expect("0=-11 1=-10 2=-10", "1 off, 2"); /* the first is no reading */
}

static void test_what_was_between_distant_readings_nobody_knows(void **state)
{
    (void)state;
    expect("0=50 500=50 1500=50", "0 running, 1500");
    expect("0=50 500=50 1501=50", "0 running, 500 unknown, 1501");
    expect("0=50 500=50 1501=50 1600=50", "0 running, 500 unknown, 1501 running, 1600");
    expect("0=50 500=0 1501=0 1510=0", "0 running, 500 unknown, 1501 off, 1510"); /* it had not lasted yet */
    expect("0=0 5=40 2000=0 2001=0", "0 off, 5 unknown, 2000 off, 2001");
    expect("0=0 2000=0 4000=0", "0 unknown, 2000 unknown, 4000");
}

static void test_repeated_and_backward_times_change_nothing(void **state)
{
    (void)state;
    expect("10=0 10=50 5=50 15=0 15=40 14=40 20=0", "10 off, 20");
}

static void test_a_gap_is_three_periods_and_two_minutes_at_least(void **state)
{
    (void)state;
    assert_int_equal(activity_gap_ms(1000), 120000);
    assert_int_equal(activity_gap_ms(40000), 120000);
    assert_int_equal(activity_gap_ms(40001), 120003);
}

/* ---- against the slow model ---- */

static void compare(struct oracle *oracle, struct trace *t)
{
    struct activity_limits limits = LIMITS;
    size_t next = 0;
    while (oracle_read(oracle)) {
        long long n[6];
        char name[16];
        if (sscanf(oracle->line, "limits %lld %lld %lld %lld %lld %lld", &n[0], &n[1], &n[2], &n[3], &n[4],
                &n[5]) == 6) {
            limits = (struct activity_limits){n[0], n[1], n[2], n[3], n[4], n[5]};
            free(t->spans);
            *t = (struct trace){.count = 0};
            next = 0;
        } else if (sscanf(oracle->line, "read %lld %lld", &n[0], &n[1]) == 2) {
            take(t, &limits, n[0], n[1]);
        } else if (sscanf(oracle->line, "span %lld %lld %15s", &n[0], &n[1], name) == 3) {
            if (next == 0)
                finish(t);
            if (next >= t->count || t->spans[next].from_ms != n[0] || t->spans[next].until_ms != n[1] ||
                strcmp(activity_names[t->spans[next].state], name) != 0)
                fail_msg("span %zu of %zu is not %s", next, t->count, oracle->line);
            next++;
        } else {
            assert_string_equal(oracle->line, "end");
            if (next == 0)
                finish(t);
            assert_int_equal(next, t->count);
        }
    }
}

static void test_random_readings_are_what_the_slow_model_says(void **state)
{
    (void)state;
    struct oracle oracle;
    struct trace t = {.count = 0};
    oracle_open(&oracle, "collector/oracle_activity.py", random_uint64() >> 32, NULL);
    compare(&oracle, &t);
    oracle_close(&oracle, 5000);
    free(t.spans);
}

/* ---- real traces: the figures are those of the domain's document ---- */

static void test_real_traces_run_as_often_and_long_as_was_measured(void **state)
{
    (void)state;
    static const struct {
        const char *file, *limits;
        int runs;
        double hours;
    } traces[] = {{"printer_2011-12-26", "60:40:5", 3, 0.31}, {"desktop_2012-01-03", "100:50:5", 1, 14.2},
        {"projector_2012-01-19", "50:20:5", 1, 1.37}};
    const char *data = getenv("PARKMON_DATA"), *source = getenv("PARKMON_SOURCE");
    char *folder =
        data != NULL ? mem_strdup(data) : mem_printf("%s/../shared/data", source != NULL ? source : ".");
    if (access(folder, R_OK) != 0) {
        print_message("SKIPPED, NOT TESTED: %s is absent (PARKMON_DATA names the data folder)\n", folder);
        free(folder);
        if (getenv("CI") != NULL)
            fail_msg("the real data is missing");
        skip();
    }
    for (size_t i = 0; i < sizeof traces / sizeof traces[0]; i++) {
        char *argument = mem_printf("%s/device-power/%s.csv:%s", folder, traces[i].file, traces[i].limits);
        struct oracle oracle;
        struct trace t = {.count = 0};
        oracle_open(&oracle, "collector/oracle_activity.py", 1, argument);
        compare(&oracle, &t);
        oracle_close(&oracle, 10000);
        int runs = 0;
        int64_t running_ms = 0;
        for (size_t s = 0; s < t.count; s++)
            if (t.spans[s].state == ACTIVITY_RUNNING) {
                runs++;
                running_ms += t.spans[s].until_ms - t.spans[s].from_ms;
            }
        double hours = (double)running_ms / 3600000;
        print_message("%s: %d runs, %.3f h\n", traces[i].file, runs, hours);
        assert_int_equal(runs, traces[i].runs);
        double half_digit = traces[i].hours > 10 ? 0.05 : 0.005;
        assert_true(hours >= traces[i].hours - half_digit && hours < traces[i].hours + half_digit);
        free(t.spans);
        free(argument);
    }
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_change_counts_when_it_lasted_from_its_first_reading_on),
        cmocka_unit_test(test_a_first_reading_decides_at_once),
        cmocka_unit_test(test_what_was_between_distant_readings_nobody_knows),
        cmocka_unit_test(test_repeated_and_backward_times_change_nothing),
        cmocka_unit_test(test_a_gap_is_three_periods_and_two_minutes_at_least),
        cmocka_unit_test(test_random_readings_are_what_the_slow_model_says),
        cmocka_unit_test(test_real_traces_run_as_often_and_long_as_was_measured),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
