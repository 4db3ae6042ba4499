/* What a report says beyond amounts, against Python's zoneinfo and rationals: days that suffice, demand, base load, mean
 * days, comparisons. */
#include "collector/report/compare.h"
#include "collector/report/curve.h"
#include "collector/report/sufficiency.h"
#include "tests/unit/oracle.h"

struct course {
    struct axis axis;
    struct series series;
    struct curve_profile profile;
    int carrier;
    size_t read;
};

static void course_release(struct course *c)
{
    axis_release(&c->axis);
    series_release(&c->series);
    *c = (struct course){0};
}

static void begin(struct course *c, const char *line)
{
    char name[64];
    long long begin_s, end_s;
    course_release(c);
    if (sscanf(line, "file %63s %lld %lld %d", name, &begin_s, &end_s, &c->carrier) != 4)
        fail_msg("%s", line);
    struct periods_span span = {begin_s * 1000, end_s * 1000};
    struct zone *zone = zone_create(name);
    axis_init(&c->axis, zone, span);
    zone_destroy(zone);
    series_init(&c->series, span, &(struct series_due){0, INT64_MAX, INT64_MAX});
    assert_int_equal(c->axis.count, c->series.count);
}

static void take_quarter(struct course *c, const char *line)
{
    long long amount;
    int state;
    if (sscanf(line, "q %lld %d", &amount, &state) != 2)
        fail_msg("%s", line);
    assert_true(c->read < c->series.count);
    c->series.amounts[c->read] = amount;
    c->series.states[c->read++] = (uint8_t)state;
    if (c->read == c->series.count)
        curve_profile(&c->axis, &c->series, &c->profile);
}

/* The rest of the line as the module has it. */
static char *watts(bool is_there, int64_t w)
{
    return is_there ? mem_printf("%lld", (long long)w) : mem_strdup("-");
}

static char *days_of(const struct course *c)
{
    struct sufficiency s = sufficiency_of(&c->axis, &c->series, c->carrier);
    return mem_printf("days %lld %lld %lld %lld %lld %d", (long long)s.days, (long long)s.missing_days,
        (long long)s.zero_days, (long long)s.filled_days, (long long)s.allowed_days, s.is_sufficient);
}

static char *demand_of(const struct course *c)
{
    struct curve_demand d = curve_demand(&c->axis, &c->series);
    int64_t w = 0;
    bool has_power = d.is_known && curve_power_w(c->carrier, d.amount, 900, &w);
    char *power = watts(has_power, w);
    char *text = mem_printf("demand %d %d %lld %lld %s", d.is_known, d.is_whole,
        (long long)(d.start_ms / 1000), (long long)d.amount, power);
    free(power);
    return text;
}

static char *night_of(const struct course *c)
{
    struct curve_mean night = curve_base_load(&c->axis, &c->series);
    int64_t w = 0;
    bool has_power = curve_mean_w(c->carrier, &night, &w);
    char *power = watts(has_power, w);
    char *text = mem_printf("night %lld %lld %lld %s", (long long)night.sum, (long long)night.count,
        (long long)night.unknown, power);
    free(power);
    return text;
}

static char *mean_of(const struct course *c, const char *line)
{
    int is_weekend, quarter;
    if (sscanf(line, "mean %d %d", &is_weekend, &quarter) != 2)
        fail_msg("%s", line);
    const struct curve_mean *mean = is_weekend ? &c->profile.weekend[quarter] : &c->profile.workday[quarter];
    return mem_printf("mean %d %d %lld %lld %lld", is_weekend, quarter, (long long)mean->sum,
        (long long)mean->count, (long long)mean->unknown);
}

static struct amount known(int64_t amount)
{
    return (struct amount){.sum = {.count = 4, .known = amount}};
}

static char *ratio_of(const char *line)
{
    long long now_amount, then_amount;
    if (sscanf(line, "ratio %lld %lld", &now_amount, &then_amount) != 2)
        fail_msg("%s", line);
    struct amount now = known(now_amount), then = known(then_amount);
    struct comparison c = compare(&now, &then, true);
    assert_int_equal(c.reason, COMPARE_GOOD);
    assert_true(c.has_ratio);
    return mem_printf(
        "ratio %lld %lld %lld %lld", now_amount, then_amount, (long long)c.difference, (long long)c.permille);
}

static char *earlier_of(const char *line)
{
    char word[8];
    int kind;
    long long number;
    if (sscanf(line, "%7s %d %lld", word, &kind, &number) != 3)
        fail_msg("%s", line);
    struct period earlier, period = {(enum periods_kind)kind, number};
    bool is_there = word[0] == 'b' ? compare_before(period, &earlier) : compare_year_before(period, &earlier);
    return mem_printf("%s %d %lld %lld", word, kind, number, is_there ? (long long)earlier.number : -1LL);
}

static void test_figures_are_what_python_says(void **state)
{
    (void)state;
    struct oracle oracle;
    struct course c = {0};
    random_state = random_seed(20261128) | 1;
    oracle_open(&oracle, "collector/oracle_report.py", random_uint64(), NULL);
    while (oracle_read(&oracle)) {
        const char *line = oracle.line;
        char *own = NULL;
        if (strncmp(line, "file", 4) == 0)
            begin(&c, line);
        else if (line[0] == 'q')
            take_quarter(&c, line);
        else if (strncmp(line, "days", 4) == 0)
            own = days_of(&c);
        else if (line[0] == 'd')
            own = demand_of(&c);
        else if (line[0] == 'n')
            own = night_of(&c);
        else if (line[0] == 'm')
            own = mean_of(&c, line);
        else if (line[0] == 'r')
            own = ratio_of(line);
        else
            own = earlier_of(line);
        if (own != NULL && strcmp(own, line) != 0)
            fail_msg("expected: %s; is: %s", line, own);
        free(own);
    }
    course_release(&c);
    oracle_close(&oracle, 20000);
}

static void test_what_cannot_be_compared_says_why(void **state)
{
    (void)state;
    struct amount good = known(8), unknown = {.sum = {.count = 4, .known = 8, .unknown_s = 900}},
                  waiting = {.sum = {.count = 4, .known = 8}, .waiting_s = 900}, none = {0},
                  rough = {.sum = {.count = 4, .known = 8, .estimated_s = 900}}, zero = {.sum = {.count = 4}},
                  least = {.sum = {.count = 4, .known = INT64_MIN}};
    assert_int_equal(compare(&unknown, &good, true).reason, COMPARE_UNKNOWN_NOW);
    assert_int_equal(compare(&good, &waiting, true).reason, COMPARE_UNKNOWN_THEN);
    assert_int_equal(compare(&good, &good, false).reason, COMPARE_OTHER_METERS);
    assert_int_equal(compare(&rough, &good, true).reason, COMPARE_COVERAGE_NOW);
    assert_int_equal(compare(&good, &rough, true).reason, COMPARE_COVERAGE_THEN);
    assert_int_equal(compare(&good, &none, true).reason, COMPARE_COVERAGE_THEN);
    assert_int_equal(compare(&good, &least, true).reason, COMPARE_TOO_LARGE);
    struct comparison c = compare(&good, &zero, true);
    assert_int_equal(c.reason, COMPARE_GOOD);
    assert_int_equal(c.difference, 8);
    assert_false(c.has_ratio);
}

static void test_thirty_seven_days_of_a_year_may_be_missing(void **state)
{
    (void)state;
    struct periods_span year = periods_span(NULL, (struct period){PERIODS_YEAR, 2025 - 1970});
    for (int missing = 37; missing <= 38; missing++) {
        struct course c = {.carrier = CARRIER_GAS};
        axis_init(&c.axis, NULL, year);
        series_init(&c.series, year, &(struct series_due){0, INT64_MAX, INT64_MAX});
        memset(c.series.states, SERIES_MEASURED, c.series.count);
        for (int i = 0; i < missing * 96; i++)
            c.series.states[i] = SERIES_UNKNOWN;
        struct sufficiency s = sufficiency_of(&c.axis, &c.series, c.carrier);
        assert_int_equal(s.allowed_days, 37);
        assert_int_equal(s.missing_days, missing);
        assert_int_equal(s.is_sufficient, missing == 37);
        course_release(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures_are_what_python_says),
        cmocka_unit_test(test_what_cannot_be_compared_says_why),
        cmocka_unit_test(test_thirty_seven_days_of_a_year_may_be_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
