/* Lines of money, coal equivalent and CO2 of meters, and of what adds them up. What a line comes to is held by
 * test_charge.c. */
#include "collector/report/lines.h"
#include "tests/unit/settings_file.h"

#include "lib/calendar.h"

#define SOURCE "document = \"D\"; confidence = \"A\"; "
#define FACTOR(kind, unit, basis, value)                                                          \
    "{ kind = \"" kind "\"; carrier = \"electricity\"; unit = \"" unit "/kWh\"; basis = \"" basis \
    "\"; value = \"" value "\"; from = \"2026-01-01\"; " SOURCE "}"

struct site {
    struct park_site row;
    struct rates rates;
    struct zone *zone;
    struct axis axis;
    struct lines_plan plan;
};

static void set_up(struct site *s, bool has_tariff)
{
    char *factors = settings_write(
        "f.cfg", "factors = ( " FACTOR("kgce_calorific", "kgce", "calorific", "0.1229") ", " FACTOR(
                     "kgce_equivalent", "kgce", "equivalent", "0.31") ", " FACTOR("kgco2", "kgCO2",
                     "location", "0.5") ", " FACTOR("kgco2e", "kgCO2e", "footprint", "0.75") " );\n");
    char *tariffs = settings_write("t.cfg",
        "tariffs = ( { id = \"t\"; name = \"t\"; name_en = \"t\"; carrier = \"electricity\"; sites = "
        "[\"s\"];\n"
        "schedules = ( { from = \"2026-01-01\"; " SOURCE
        "seasons = ( { months = \"1-12\"; flat = \"00:00-12:00\"; peak = \"12:00-24:00\"; } ); } );\n"
        "prices = ( { from = \"2026-01-01\"; unit = \"yuan/kWh\"; flat = \"1\"; peak = \"2\"; " SOURCE
        "} ); } );\n");
    *s = (struct site){.row = {.id = (char *)"s"}, .zone = zone_create("Asia/Shanghai")};
    rates_init(&s->rates, factors, has_tariff ? tariffs : NULL, NULL);
    rates_print_problems(&s->rates, stderr);
    assert_int_equal(rates_problem_count(&s->rates), 0);
    axis_init(
        &s->axis, s->zone, periods_span(s->zone, (struct period){PERIODS_DAY, calendar_days(2026, 3, 2)}));
    lines_plan_init(&s->plan, &s->rates, &s->row, CARRIER_ELECTRICITY, s->zone, &s->axis);
    free(factors);
    free(tariffs);
}

static void tear_down(struct site *s)
{
    lines_plan_release(&s->plan);
    axis_release(&s->axis);
    zone_destroy(s->zone);
    rates_release(&s->rates);
}

/* Every quarter hour measured, of so much. */
static struct series course(const struct site *s, int64_t amount)
{
    struct series series;
    series_init(&series, s->axis.span, &(struct series_due){0, INT64_MAX, INT64_MAX});
    for (size_t i = 0; i < series.count; i++) {
        series.amounts[i] = amount;
        series.states[i] = SERIES_MEASURED;
    }
    return series;
}

static struct lines lines_of_course(const struct site *s, const struct series *series)
{
    struct lines lines;
    lines_of(&s->plan, series, &lines);
    return lines;
}

static void test_each_kind_has_lines_of_its_own_and_names_its_row(void **state)
{
    (void)state;
    struct site s;
    set_up(&s, true);
    struct series series = course(&s, 1000);
    struct lines lines = lines_of_course(&s, &series);
    static const int64_t expected[] = {11798, 29760, 48000, 72000, 14400}; /* g of 96 kWh; 48 + 96 yuan */
    for (int kind = 0; kind < LINES_KINDS; kind++) {
        assert_int_equal(lines.total[kind].sum.result, expected[kind]);
        assert_true(lines.total[kind].is_whole);
        if (kind < FACTOR_KINDS) {
            assert_int_equal(s.plan.plans[kind].key_count, 1);
            assert_int_equal(s.plan.plans[kind].keys[0].factor->kind, kind);
            assert_string_equal(s.plan.plans[kind].keys[0].factor->document, "D");
        }
    }
    assert_int_equal(s.plan.plans[LINES_MONEY].key_count, 2);
    lines_release(&lines);
    series_release(&series);
    tear_down(&s);
}

static void test_a_total_adds_rounded_lines_with_their_signs(void **state)
{
    (void)state;
    struct site s;
    set_up(&s, true);
    /* 48 x 3 Wh at 1 and 2 yuan: 0.144 and 0.288 yuan are 14 and 29 fen. */
    struct series three = course(&s, 3);
    struct lines meter = lines_of_course(&s, &three), total;
    assert_int_equal(meter.total[LINES_MONEY].sum.result, 43);
    lines_init(&total, &s.plan);
    for (int i = 0; i < 3; i++)
        lines_add(&s.plan, &total, &meter, 1);
    assert_int_equal(total.of[LINES_MONEY][0].result, 42);
    assert_int_equal(total.of[LINES_MONEY][1].result, 87);
    assert_int_equal(total.total[LINES_MONEY].sum.result, 129); /* not 130, of 1.296 */
    lines_add(&s.plan, &total, &meter, -1);
    assert_int_equal(total.total[LINES_MONEY].sum.result, 86);
    assert_int_equal(total.total[LINES_MONEY].sum.amount, 2 * 96 * 3);
    assert_true(total.total[LINES_MONEY].is_whole);
    lines_release(&total);
    lines_release(&meter);
    series_release(&three);
    tear_down(&s);
}

static void test_what_is_unknown_in_one_makes_the_total_unknown(void **state)
{
    (void)state;
    struct site s;
    set_up(&s, true);
    struct series good = course(&s, 1000), bad = course(&s, 1000);
    bad.amounts[95] = 0;
    bad.states[95] = SERIES_WAITING;
    struct lines a = lines_of_course(&s, &good), b = lines_of_course(&s, &bad), total;
    lines_init(&total, &s.plan);
    lines_add(&s.plan, &total, &a, 1);
    lines_add(&s.plan, &total, &b, 1);
    lines_judge(&s.plan, &total, &bad);
    assert_false(total.total[LINES_MONEY].is_whole);
    assert_int_equal(total.of[LINES_MONEY][0].unknown_s, 0);
    assert_int_equal(total.of[LINES_MONEY][1].unknown_s, 900);
    assert_int_equal(total.total[LINES_MONEY].sum.result, 14400 + 14200); /* what is known of it */
    assert_int_equal(total.total[FACTOR_KGCO2].sum.unknown_s, 900);
    lines_release(&total);
    lines_release(&a);
    lines_release(&b);
    series_release(&good);
    series_release(&bad);
    tear_down(&s);
}

static void test_what_flows_back_has_no_cost_and_none_that_is_unknown(void **state)
{
    (void)state;
    struct site s;
    set_up(&s, true);
    struct series series = course(&s, 1000);
    series.states[95] = SERIES_WAITING;
    struct lines lines = lines_of_course(&s, &series), with = lines_of_course(&s, &series);
    lines_drop_cost(&s.plan, &lines);
    assert_true(lines.total[LINES_MONEY].is_whole);
    assert_int_equal(lines.total[LINES_MONEY].sum.result, 0);
    assert_int_equal(lines.of[LINES_MONEY][1].result, 0);
    assert_int_equal(lines.of[LINES_MONEY][1].unknown_s, 0);
    assert_memory_equal(
        &lines.total[FACTOR_KGCO2], &with.total[FACTOR_KGCO2], sizeof with.total[FACTOR_KGCO2]);
    lines_release(&lines);
    lines_release(&with);
    series_release(&series);
    tear_down(&s);
}

static void test_without_a_tariff_there_is_no_money_and_no_zero(void **state)
{
    (void)state;
    struct site s;
    set_up(&s, false);
    assert_false(s.plan.is_priced);
    assert_int_equal(s.plan.plans[LINES_MONEY].key_count, 0);
    struct series series = course(&s, 1000);
    struct lines lines = lines_of_course(&s, &series);
    assert_false(lines.total[LINES_MONEY].is_whole);
    assert_true(lines.total[FACTOR_KGCO2].is_whole);
    lines_release(&lines);
    series_release(&series);
    tear_down(&s);
}

static void test_sums_too_large_are_unknown_and_others_stand(void **state)
{
    (void)state;
    struct site s;
    set_up(&s, true);
    struct series huge = course(&s, 0);
    huge.amounts[0] = INT64_MAX / 2;
    struct lines meter = lines_of_course(&s, &huge), total;
    lines_init(&total, &s.plan);
    lines_add(&s.plan, &total, &meter, 1);
    lines_add(&s.plan, &total, &meter, 1);
    assert_false(total.total[FACTOR_KGCE_CALORIFIC].sum.is_overflown);
    lines_add(&s.plan, &total, &meter, 1);
    assert_true(total.total[FACTOR_KGCE_CALORIFIC].sum.is_overflown);
    assert_false(total.total[FACTOR_KGCE_CALORIFIC].is_whole);
    struct lines few;
    huge.amounts[0] = 4;
    lines_of(&s.plan, &huge, &few);
    lines_add(&s.plan, &total, &few, 1); /* and it stays so */
    assert_true(total.total[FACTOR_KGCE_CALORIFIC].sum.is_overflown);
    assert_false(few.total[FACTOR_KGCE_CALORIFIC].sum.is_overflown);
    lines_release(&few);
    lines_release(&total);
    lines_release(&meter);
    series_release(&huge);
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind_has_lines_of_its_own_and_names_its_row),
        cmocka_unit_test(test_a_total_adds_rounded_lines_with_their_signs),
        cmocka_unit_test(test_what_is_unknown_in_one_makes_the_total_unknown),
        cmocka_unit_test(test_what_flows_back_has_no_cost_and_none_that_is_unknown),
        cmocka_unit_test(test_without_a_tariff_there_is_no_money_and_no_zero),
        cmocka_unit_test(test_sums_too_large_are_unknown_and_others_stand),
    };
    return cmocka_run_group_tests(tests, settings_make_folder, settings_remove_folder);
}
