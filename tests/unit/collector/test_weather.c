/* Daily means of temperatures, against wall time by Python; degree days; what a day of energy is. */
#include "collector/baseline/weather.h"
#include "collector/energy/day.h"
#include "tests/unit/oracle.h"

static void test_daily_means_are_those_of_the_sites_hours(void **state)
{
    (void)state;
    struct oracle oracle;
    struct zone *zone = NULL;
    struct periods_span span = {0, 0};
    int32_t quarters[200];
    size_t count = 0, means = 0, none = 0;
    oracle_open(&oracle, "collector/oracle_expected.py", random_uint64(), "hours");
    while (oracle_read(&oracle)) {
        char name[64];
        const char *line = oracle.line;
        if (sscanf(line, "hours %63s %" SCNd64 " %" SCNd64, name, &span.begin_ms, &span.end_ms) == 3) {
            zone_destroy(zone);
            zone = zone_create(name);
            span.begin_ms *= 1000;
            span.end_ms *= 1000;
            count = 0;
        } else if (strncmp(line, "q ", 2) == 0) {
            assert_true(count < 200);
            quarters[count++] =
                strcmp(line + 2, "-") == 0 ? WEATHER_NONE : (int32_t)strtol(line + 2, NULL, 10);
        } else if (strncmp(line, "mean ", 5) == 0) {
            assert_int_equal(count * PERIODS_QUARTER_HOUR_MS, span.end_ms - span.begin_ms);
            int32_t found = weather_day(zone, span, quarters);
            assert_int_equal(
                found, strcmp(line + 5, "-") == 0 ? WEATHER_NONE : (int32_t)strtol(line + 5, NULL, 10));
            means++;
            none += found == WEATHER_NONE;
        }
    }
    zone_destroy(zone);
    oracle_close(&oracle, 1000);
    assert_true(means > 20 && none > 0 && none < means);
}

static void test_half_of_the_hours_do_and_one_less_does_not(void **state)
{
    (void)state;
    int32_t quarters[96];
    for (int i = 0; i < 96; i++)
        quarters[i] = i < 48 ? (i % 4 == 0 ? 5000 + i / 4 : WEATHER_NONE) : WEATHER_NONE;
    struct periods_span day = {INT64_C(86400000), 2 * INT64_C(86400000)};
    assert_int_equal(weather_day(NULL, day, quarters), 5006); /* 5005.5, away from 0 */
    quarters[0] = WEATHER_NONE;
    assert_int_equal(weather_day(NULL, day, quarters), WEATHER_NONE);
    quarters[3] = -5000; /* an hour is there where any of it is */
    assert_int_equal(weather_day(NULL, day, quarters), 4172);
}

static void test_degree_days_begin_at_the_balance_temperature(void **state)
{
    (void)state;
    assert_int_equal(weather_heating(15000, 15), 0);
    assert_int_equal(weather_heating(14999, 15), 1);
    assert_int_equal(weather_heating(-5000, 15), 20000);
    assert_int_equal(weather_heating(40000, 15), 0);
    assert_int_equal(weather_cooling(26000, 26), 0);
    assert_int_equal(weather_cooling(26001, 26), 1);
    assert_int_equal(weather_cooling(-3000, 0), 0);
}

static void test_a_day_with_half_of_its_quarter_hours_is_filled_with_their_mean(void **state)
{
    (void)state;
    struct series series;
    struct series_due due = {.from_ms = 0, .until_ms = INT64_MAX, .now_ms = INT64_MAX};
    series_init(&series, (struct periods_span){0, 86400000}, &due);
    for (int i = 0; i < 96; i++) {
        series.amounts[i] = 7;
        series.states[i] = SERIES_MEASURED;
    }
    series.states[3] = SERIES_ESTIMATED;
    struct day_energy day = day_energy(&series, 0, 96, CARRIER_ELECTRICITY);
    assert_int_equal(day.state, DAY_WHOLE);
    assert_int_equal(day.energy, 672);
    assert_int_equal(day.stated, 7);
    for (int i = 48; i < 96; i++)
        series.states[i] = SERIES_UNKNOWN; /* what stands there is of a virtual meter, and no amount */
    series.amounts[0] = 8;
    day = day_energy(&series, 0, 96, CARRIER_ELECTRICITY);
    assert_int_equal(day.state, DAY_FILLED);
    assert_int_equal(day.energy, 674);
    assert_int_equal(day.known, 337);
    series.states[0] = SERIES_WAITING;
    day = day_energy(&series, 0, 96, CARRIER_ELECTRICITY);
    assert_int_equal(day.state, DAY_MISSING);
    assert_int_equal(day.energy, 0);
    for (int i = 0; i < 96; i++) {
        series.amounts[i] = 0;
        series.states[i] = SERIES_MEASURED;
    }
    assert_int_equal(day_energy(&series, 0, 96, CARRIER_ELECTRICITY).state, DAY_ZERO);
    assert_int_equal(day_energy(&series, 0, 96, CARRIER_GAS).state, DAY_WHOLE);
    series_release(&series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_daily_means_are_those_of_the_sites_hours),
        cmocka_unit_test(test_half_of_the_hours_do_and_one_less_does_not),
        cmocka_unit_test(test_degree_days_begin_at_the_balance_temperature),
        cmocka_unit_test(test_a_day_with_half_of_its_quarter_hours_is_filled_with_their_mean),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
