/* Models of baselines and what was avoided against them: against rationals, and case by case what is refused. */
#include "collector/baseline/expected.h"
#include "tests/unit/oracle.h"

#include <math.h>

#define DAYS_MAX 1000

static struct expected_day days[DAYS_MAX], later[DAYS_MAX];
static size_t day_count, later_count;

/* `size`: what is small beside it is rounding. */
static void expect_near(double found, double expected, double size)
{
    if (isinf(expected) || fabs(found - expected) <= 1e-8 * (fabs(expected) + size))
        return;
    fail_msg("%.17g instead of %.17g", found, expected);
}

static struct expected_day read_day(const char *line)
{
    struct expected_day day = {.temperature_mc = WEATHER_NONE, .people_m = PEOPLE_NONE};
    char temperature[16], people[16];
    int state;
    assert_int_equal(sscanf(line, "%*s %" SCNd64 " %d %" SCNd64 " %15s %15s", &day.month, &state,
                         &day.energy.energy, temperature, people),
        5);
    day.energy.state = (enum day_state)state;
    day.energy.known = day.energy.energy;
    if (strcmp(temperature, "-") != 0)
        day.temperature_mc = (int32_t)strtol(temperature, NULL, 10);
    if (strcmp(people, "-") != 0)
        day.people_m = strtol(people, NULL, 10);
    return day;
}

static struct park_baseline read_baseline(const char *line)
{
    struct park_baseline b = {0};
    int has_people;
    assert_int_equal(
        sscanf(line, "%*s %d %d %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %d", &b.step, &b.model,
            &b.heating_from, &b.heating_to, &b.cooling_from, &b.cooling_to, &has_people),
        7);
    b.occupancy.count = (size_t)has_people;
    return b;
}

static void compare_model(const char *line, const struct expected_model *m)
{
    int64_t reason, all, missing, filled, periods;
    assert_int_equal(sscanf(line, "%*s %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &reason,
                         &all, &missing, &filled, &periods),
        5);
    assert_int_equal(m->reason, reason);
    assert_int_equal(m->days, all);
    assert_int_equal(m->missing_days, missing);
    assert_int_equal(m->filled_days, filled);
    assert_int_equal(m->periods, periods);
}

static void compare_fit(const char *line, const struct expected_model *m)
{
    int64_t heating_c, cooling_c;
    double base, slope_h, slope_c, slope_p, t_h, t_c, t_p, r2, cv, lag1, slope, t;
    assert_int_equal(
        sscanf(line, "%*s %" SCNd64 " %" SCNd64 " %lf %lf %lf %lf %lf %lf %lf %lf %lf %lf", &heating_c,
            &cooling_c, &base, &slope_h, &slope_c, &slope_p, &t_h, &t_c, &t_p, &r2, &cv, &lag1),
        12);
    assert_true(m->has_fit);
    expect_near(m->fit.intercept, base, m->fit.mean);
    expect_near(m->fit.r2, r2, 1);
    expect_near(m->fit.cv_rmse, cv, 1);
    expect_near(m->fit.nmbe, 0, 1);
    expect_near(m->fit.lag1, lag1, 1);
    if (expected_heating(m, &slope, &t)) {
        assert_int_equal(m->heating_c, heating_c);
        expect_near(slope, slope_h, m->fit.mean);
        expect_near(t, t_h, 1);
    }
    if (expected_cooling(m, &slope, &t)) {
        assert_int_equal(m->cooling_c, cooling_c);
        expect_near(slope, slope_c, m->fit.mean);
        expect_near(t, t_c, 1);
    }
    if (expected_people(m, &slope, &t)) {
        expect_near(slope, slope_p, m->fit.mean);
        expect_near(t, t_p, 1);
    }
}

static void compare_avoided(const char *line, const struct avoided *a)
{
    int64_t reason, all, missing, outside, metered;
    double expected, avoided, sure;
    assert_int_equal(
        sscanf(line, "%*s %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %lf %lf %lf", &reason,
            &all, &missing, &outside, &metered, &expected, &avoided, &sure),
        8);
    assert_int_equal(a->reason, reason);
    assert_int_equal(a->days, all);
    if (reason != AVOIDED_NO_MODEL)
        assert_int_equal(a->missing_days, missing);
    assert_int_equal(a->outside_days, outside);
    assert_int_equal(a->metered, metered);
    expect_near(a->expected, expected, 1);
    expect_near(a->avoided, avoided, fabs(expected));
    expect_near(a->uncertainty, sure, 1);
}

static void test_models_and_what_is_avoided_are_those_of_exact_rationals(void **state)
{
    (void)state;
    struct oracle oracle;
    struct park_baseline baseline = {0};
    struct expected_model model = {0};
    size_t by_people = 0, reasons[EXPECTED_NO_PEOPLE + 1] = {0}, outcomes[AVOIDED_DAYS_MISSING + 1] = {0};
    oracle_open(&oracle, "collector/oracle_expected.py", random_uint64(), NULL);
    while (oracle_read(&oracle)) {
        const char *line = oracle.line;
        if (strncmp(line, "baseline ", 9) == 0) {
            baseline = read_baseline(line);
            day_count = later_count = 0;
        } else if (strncmp(line, "b ", 2) == 0) {
            assert_true(day_count < DAYS_MAX);
            days[day_count++] = read_day(line);
        } else if (strncmp(line, "r ", 2) == 0) {
            assert_true(later_count < DAYS_MAX);
            later[later_count++] = read_day(line);
        } else if (strncmp(line, "model ", 6) == 0) {
            expected_fit(&baseline, days, day_count, &model);
            compare_model(line, &model);
            reasons[model.reason]++;
            by_people += model.reason == EXPECTED_GOOD && model.has_people;
        } else if (strncmp(line, "fit ", 4) == 0) {
            compare_fit(line, &model);
        } else if (strncmp(line, "avoided ", 8) == 0) {
            struct avoided a;
            expected_avoided(&baseline, &model, later, later_count, &a);
            compare_avoided(line, &a);
            outcomes[a.reason]++;
        }
    }
    oracle_close(&oracle, 10000);
    print_message("accepted %zu (%zu by people, too; %zu refused for them), refused for days %zu, for signs "
                  "%zu, for CV(RMSE) %zu; avoided %zu\n",
        reasons[EXPECTED_GOOD], by_people, reasons[EXPECTED_NO_PEOPLE], reasons[EXPECTED_DAYS_MISSING],
        reasons[EXPECTED_NEGATIVE], reasons[EXPECTED_CV_RMSE], outcomes[AVOIDED_GOOD]);
    assert_true(reasons[EXPECTED_GOOD] > 0 && outcomes[AVOIDED_GOOD] > 0 && by_people > 0);
}

/* ---- case by case ---- */

static const struct park_baseline heated = {.step = BASELINE_BY_DAY,
    .model = BASELINE_HEATING,
    .heating_from = 10,
    .heating_to = 20,
    .cooling_from = -1,
    .cooling_to = -1};

/* A year whose temperature goes up and down between -3 and 27 degrees in steps of a twelfth or so of a degree, with 100 a day and
 * 5 for each degree below 15. */
static void make_year(void)
{
    day_count = 365;
    for (size_t i = 0; i < day_count; i++) {
        int64_t away = (int64_t)(i < 182 ? i : 364 - i);
        int32_t mc = (int32_t)(27000 - away * 165);
        int64_t heating = mc < 15000 ? 15000 - mc : 0;
        days[i] = (struct expected_day){.month = (int64_t)i / 31,
            .energy = {.state = DAY_WHOLE, .energy = 100000 + 5 * heating, .known = 100000 + 5 * heating},
            .temperature_mc = mc};
    }
}

static struct expected_model fit_of(const struct park_baseline *b)
{
    struct expected_model m;
    expected_fit(b, days, day_count, &m);
    return m;
}

static void test_the_coefficients_that_made_a_year_come_back(void **state)
{
    (void)state;
    make_year();
    struct expected_model m = fit_of(&heated);
    double slope, t;
    assert_int_equal(m.reason, EXPECTED_GOOD);
    assert_true(expected_heating(&m, &slope, &t));
    assert_false(expected_cooling(&m, &slope, &t) && m.has_cooling);
    assert_int_equal(m.heating_c, 15);
    assert_float_equal(m.fit.intercept, 100000, 1e-5);
    assert_float_equal(m.fit.slope[0], 5000, 1e-5);
    assert_float_equal(expected_energy(&m, &(struct expected_day){.temperature_mc = 5000}), 150000, 1e-4);
    assert_float_equal(expected_energy(&m, &(struct expected_day){.temperature_mc = 25000}), 100000, 1e-4);
}

static void test_at_most_a_tenth_of_the_days_may_be_missing_rounded_up(void **state)
{
    (void)state;
    make_year();
    for (size_t i = 0; i < 37; i++) /* whichever of the two is missing, and both */
        days[i * 9] =
            i % 3 == 0
                ? (struct expected_day){.energy = {.state = DAY_MISSING}, .temperature_mc = WEATHER_NONE}
            : i % 3 == 1 ? (struct expected_day){.energy = {.state = DAY_ZERO}, .temperature_mc = 1000}
                         : (struct expected_day){
                               .energy = {.state = DAY_WHOLE, .energy = 9}, .temperature_mc = WEATHER_NONE};
    struct expected_model m = fit_of(&heated);
    assert_int_equal(m.reason, EXPECTED_GOOD);
    assert_int_equal(m.missing_days, 37);
    assert_int_equal(m.no_energy_days, 25);
    assert_int_equal(m.no_temperature_days, 25);
    assert_float_equal(m.fit.slope[0], 5000, 1e-5);
    days[1].energy.state = DAY_MISSING;
    m = fit_of(&heated);
    assert_int_equal(m.reason, EXPECTED_DAYS_MISSING);
    assert_false(m.has_fit);
}

static void test_a_mean_needs_no_temperature(void **state)
{
    (void)state;
    make_year();
    for (size_t i = 0; i < day_count; i++) {
        days[i].temperature_mc = WEATHER_NONE;
        days[i].energy.energy = i % 2 ? 90 : 110;
    }
    struct park_baseline mean = {
        .model = BASELINE_MEAN, .heating_from = -1, .heating_to = -1, .cooling_from = -1, .cooling_to = -1};
    struct expected_model m = fit_of(&mean);
    assert_int_equal(m.reason, EXPECTED_GOOD);
    assert_float_equal(m.fit.mean, 100, 0.1);
    struct avoided a;
    expected_avoided(&mean, &m, days, 10, &a);
    assert_int_equal(a.reason, AVOIDED_GOOD);
    assert_int_equal(a.metered, 1000);
}

static void test_energy_that_falls_with_the_cold_is_refused(void **state)
{
    (void)state;
    make_year();
    for (size_t i = 0; i < day_count; i++)
        days[i].energy.energy = 300000 - days[i].energy.energy;
    assert_int_equal(fit_of(&heated).reason, EXPECTED_NEGATIVE);
}

static void test_a_climate_without_degree_days_is_refused(void **state)
{
    (void)state;
    make_year();
    struct park_baseline cold = heated;
    cold.heating_from = cold.heating_to = 0; /* 36 days or so: enough */
    assert_int_equal(fit_of(&cold).has_fit, true);
    for (size_t i = 0; i < day_count; i++)
        days[i].temperature_mc += days[i].temperature_mc < 1500 ? 3000 : 0; /* now none */
    assert_int_equal(fit_of(&cold).reason, EXPECTED_NO_WEATHER);
}

static void test_what_scatters_beyond_guideline_14_is_refused_and_shown(void **state)
{
    (void)state;
    make_year();
    for (size_t i = 0; i < day_count; i++)
        days[i].energy.energy += (i * 7919) % 365 * 1500;
    struct expected_model m = fit_of(&heated);
    assert_int_equal(m.reason, EXPECTED_CV_RMSE);
    assert_true(m.has_fit && m.fit.cv_rmse > EXPECTED_CV_RMSE_DAY);
    struct avoided a;
    expected_avoided(&heated, &m, days, 365, &a);
    assert_int_equal(a.reason, AVOIDED_NO_MODEL);
}

static void test_nothing_that_is_filled_or_unknown_is_avoided(void **state)
{
    (void)state;
    make_year();
    struct expected_model m = fit_of(&heated);
    memcpy(later, days, 30 * sizeof *later);
    for (size_t i = 0; i < 30; i++) {
        later[i].energy.energy -= 1000;
        later[i].energy.stated = i == 4 ? 500 : 0;
    }
    struct avoided a;
    expected_avoided(&heated, &m, later, 30, &a);
    assert_float_equal(a.avoided, 30 * 1000, 1e-3);
    assert_float_equal(a.stated, 500, 0);
    later[2].energy.state = DAY_FILLED;
    later[3].energy.state = DAY_MISSING;
    later[3].energy.energy = 0;
    later[5].temperature_mc = WEATHER_NONE;
    expected_avoided(&heated, &m, later, 30, &a);
    assert_int_equal(a.reason, AVOIDED_GOOD);
    assert_int_equal(a.missing_days, 3);
    assert_float_equal(a.avoided, 27 * 1000, 1e-3); /* not a day's energy more for the one that is unknown */
    later[6].energy.state = DAY_ZERO;
    expected_avoided(&heated, &m, later, 30, &a);
    assert_int_equal(a.reason, AVOIDED_DAYS_MISSING);
    assert_float_equal(a.avoided, 0, 0);
    expected_avoided(&heated, &m, later, 0, &a);
    assert_int_equal(a.reason, AVOIDED_BEFORE);
}

/* ---- people ---- */

static struct park_baseline crowded(void)
{
    struct park_baseline b = heated;
    b.occupancy.count = 1;
    return b;
}

/* The year, with 20 to 60 people on five days of seven, who take 300 each. */
static void make_peopled_year(void)
{
    make_year();
    for (size_t i = 0; i < day_count; i++) {
        days[i].people_m = i % 7 < 5 ? 20000 + (int64_t)(i * 7919 % 41) * 1000 : 0;
        days[i].energy.energy += 300 * days[i].people_m / 1000;
    }
}

static void test_people_explain_what_the_weather_does_not(void **state)
{
    (void)state;
    make_peopled_year();
    struct park_baseline b = crowded();
    struct expected_model m = fit_of(&b);
    double slope, t;
    assert_int_equal(m.reason, EXPECTED_GOOD);
    assert_true(expected_people(&m, &slope, &t));
    assert_float_equal(slope, 300, 1e-5);
    assert_true(expected_heating(&m, &slope, &t));
    assert_float_equal(slope, 5000, 1e-5);
    assert_float_equal(m.fit.intercept, 100000, 1e-5);
    assert_false(expected_people(&(struct expected_model){0}, &slope, &t));
    /* 50 people fewer are no saving. */
    memcpy(later, days, 60 * sizeof *later);
    for (size_t i = 0; i < 60; i++) {
        later[i].people_m = 5000;
        later[i].energy.energy = days[i].energy.energy - 300 * (days[i].people_m - 5000) / 1000;
    }
    struct avoided a;
    expected_avoided(&b, &m, later, 60, &a);
    assert_int_equal(a.reason, AVOIDED_GOOD);
    assert_float_equal(a.avoided, 0, 1e-3);
    assert_int_equal(a.outside_days, 0);
    /* The range is 0 to 60 people, and a tenth of it more. */
    later[0].people_m = 66000;
    later[1].people_m = 66001;
    expected_avoided(&b, &m, later, 60, &a);
    assert_int_equal(a.outside_days, 1);
}

static void test_a_day_without_people_that_were_seen_is_missing(void **state)
{
    (void)state;
    make_peopled_year();
    struct park_baseline b = crowded();
    for (size_t i = 0; i < 37; i++)
        days[i * 9].people_m = PEOPLE_NONE;
    struct expected_model m = fit_of(&b);
    assert_int_equal(m.reason, EXPECTED_GOOD);
    assert_int_equal(m.missing_days, 37);
    assert_int_equal(m.no_people_days, 37);
    assert_int_equal(m.no_temperature_days, 0);
    memcpy(later, days, 30 * sizeof *later);
    struct avoided a;
    expected_avoided(&b, &m, later, 28, &a); /* days 0, 9, 18 and 27 */
    assert_int_equal(a.reason, AVOIDED_DAYS_MISSING);
    assert_int_equal(a.missing_days, 4);
    days[1].people_m = PEOPLE_NONE;
    assert_int_equal(fit_of(&b).reason, EXPECTED_DAYS_MISSING);
    assert_int_equal(fit_of(&heated).no_people_days, 0); /* who does not go by them does not ask */
    assert_int_equal(fit_of(&heated).missing_days, 0);
}

static void test_days_that_miss_only_people_who_are_being_reckoned_say_so(void **state)
{
    (void)state;
    make_peopled_year();
    struct park_baseline b = crowded();
    for (size_t i = 0; i < 37; i++)
        days[i * 9].people_m = PEOPLE_BEHIND;
    struct expected_model m = fit_of(&b);
    assert_int_equal(m.reason, EXPECTED_GOOD); /* what is there suffices */
    assert_int_equal(m.behind_days, 37);
    memcpy(later, days, 30 * sizeof *later);
    struct avoided a;
    expected_avoided(&b, &m, later, 28, &a); /* days 0, 9, 18 and 27 */
    assert_int_equal(a.reason, AVOIDED_BEHIND);
    assert_int_equal(a.missing_days, 4);
    for (size_t i = 0; i < 28; i += 9)
        later[i].energy.state = DAY_MISSING; /* with them or without: the day is missing */
    expected_avoided(&b, &m, later, 28, &a);
    assert_int_equal(a.reason, AVOIDED_DAYS_MISSING);
    days[1].people_m = PEOPLE_NONE;
    m = fit_of(&b);
    assert_int_equal(m.reason, EXPECTED_BEHIND);
    assert_int_equal(m.no_people_days, 38);
    assert_int_equal(m.behind_days, 37);
    expected_avoided(&b, &m, later, 28, &a);
    assert_int_equal(a.reason, AVOIDED_NO_MODEL);
    for (size_t i = 0; i < 37; i++)
        days[i * 9].temperature_mc = WEATHER_NONE;
    assert_int_equal(fit_of(&b).reason, EXPECTED_DAYS_MISSING);
    /* Waiting would not help: there are too few without them. */
    make_peopled_year();
    for (size_t i = 0; i < 40; i++)
        days[i * 9].people_m = i < 38 ? PEOPLE_NONE : PEOPLE_BEHIND;
    m = fit_of(&b);
    assert_int_equal(m.reason, EXPECTED_DAYS_MISSING);
    assert_int_equal(m.behind_days, 2);
    days[0].people_m = PEOPLE_BEHIND;
    assert_int_equal(fit_of(&b).reason, EXPECTED_BEHIND);
    make_peopled_year();
    m = fit_of(&b);
    memcpy(later, days, 30 * sizeof *later);
    for (size_t i = 0; i < 5; i++)
        later[i].people_m = i < 4 ? PEOPLE_NONE : PEOPLE_BEHIND;
    expected_avoided(&b, &m, later, 28, &a);
    assert_int_equal(a.reason, AVOIDED_DAYS_MISSING);
    later[3].people_m = PEOPLE_BEHIND;
    expected_avoided(&b, &m, later, 28, &a);
    assert_int_equal(a.reason, AVOIDED_BEHIND);
    /* By months: four days of each of nine. */
    make_peopled_year();
    b.step = BASELINE_BY_MONTH;
    for (size_t i = 0; i < 36; i++)
        days[i / 4 * 30 + i % 4].people_m = PEOPLE_BEHIND;
    assert_int_equal(fit_of(&b).reason, EXPECTED_BEHIND);
    for (size_t i = 0; i < 36; i++)
        days[i / 4 * 30 + i % 4].people_m = PEOPLE_NONE;
    assert_int_equal(fit_of(&b).reason, EXPECTED_MONTHS_MISSING);
    /* Of three months too much is missing for good, in the fourth people are reckoned: two of twelve may be missing. */
    make_peopled_year();
    for (size_t i = 0; i < 16; i++)
        days[i / 4 * 31 + i % 4].people_m = i / 4 < 3 ? PEOPLE_NONE : PEOPLE_BEHIND;
    assert_int_equal(fit_of(&b).reason, EXPECTED_MONTHS_MISSING);
    for (size_t i = 0; i < 4; i++)
        days[i].people_m = PEOPLE_BEHIND;
    assert_int_equal(fit_of(&b).reason, EXPECTED_BEHIND);
}

static void test_people_who_are_always_as_many_or_do_not_matter_are_refused(void **state)
{
    (void)state;
    struct park_baseline b = crowded();
    make_peopled_year();
    for (size_t i = 0; i < day_count; i++)
        days[i].people_m = 7000;
    assert_int_equal(fit_of(&b).reason, EXPECTED_NO_PEOPLE);
    make_peopled_year(); /* the fewer the more */
    for (size_t i = 0; i < day_count; i++)
        days[i].people_m = 100000 - days[i].people_m;
    assert_int_equal(fit_of(&b).reason, EXPECTED_NEGATIVE);
    make_year(); /* noise that has nothing to do with them, but for a little */
    for (size_t i = 0; i < day_count; i++) {
        days[i].people_m = (int64_t)(i * 7919 % 41) * 1000;
        days[i].energy.energy += (int64_t)(i * 104729 % 997) * 20 + days[i].people_m / 1000 * 10;
    }
    struct expected_model m = fit_of(&b);
    double slope, t;
    assert_true(expected_people(&m, &slope, &t));
    assert_true(slope > 0 && t < 2);
    assert_int_equal(m.reason, EXPECTED_INSIGNIFICANT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models_and_what_is_avoided_are_those_of_exact_rationals),
        cmocka_unit_test(test_the_coefficients_that_made_a_year_come_back),
        cmocka_unit_test(test_at_most_a_tenth_of_the_days_may_be_missing_rounded_up),
        cmocka_unit_test(test_a_mean_needs_no_temperature),
        cmocka_unit_test(test_energy_that_falls_with_the_cold_is_refused),
        cmocka_unit_test(test_a_climate_without_degree_days_is_refused),
        cmocka_unit_test(test_what_scatters_beyond_guideline_14_is_refused_and_shown),
        cmocka_unit_test(test_nothing_that_is_filled_or_unknown_is_avoided),
        cmocka_unit_test(test_people_explain_what_the_weather_does_not),
        cmocka_unit_test(test_a_day_without_people_that_were_seen_is_missing),
        cmocka_unit_test(test_days_that_miss_only_people_who_are_being_reckoned_say_so),
        cmocka_unit_test(test_people_who_are_always_as_many_or_do_not_matter_are_refused),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
