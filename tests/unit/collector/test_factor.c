#include "collector/model/factor.h"
#include "tests/unit/settings_file.h"

#include "lib/calendar.h"

#define ROW(rest)                                                                            \
    "{ kind = \"kgco2\"; carrier = \"electricity\"; value = \"0.5\"; unit = \"kgCO2/kWh\"; " \
    "basis = \"location\"; document = \"D 1\"; confidence = \"A\"; " rest "}"
#define FACTORS(rows) "factors = (\n" rows "\n);\n"

static struct factors *load(const char *text)
{
    char *path = settings_write("f.cfg", text);
    struct factors *factors = factors_load(path);
    free(path);
    return factors;
}

static void expect(const char *text, const char *expected)
{
    struct factors *factors = load(text);
    char *problems = settings_problems(factors->conf);
    if (strcmp(problems, expected) != 0)
        fail_msg("%s\n gave:\n%s not:\n%s", text, problems, expected);
    free(problems);
    factors_destroy(factors);
}

static struct factors *load_example(void)
{
    const char *source = getenv("PARKMON_SOURCE");
    char *path = mem_printf("%s/config/factors.cfg", source != NULL ? source : ".");
    struct factors *factors = factors_load(path);
    char *problems = settings_problems(factors->conf);
    assert_string_equal(problems, "");
    free(problems);
    free(path);
    return factors;
}

static void test_the_example_has_what_was_printed(void **state)
{
    (void)state;
    /* As read from GB/T 2589-2020 and the notices, or from who cites them: value and confidence. */
    static const struct {
        int kind, carrier;
        const char *region;
        int64_t year;
        const char *value, *document;
        int confidence;
    } rows[] = {
        {FACTOR_KGCE_CALORIFIC, CARRIER_ELECTRICITY, "zhejiang", 2026, "0.1229", "GB/T 2589-2020", SOURCE_A},
        {FACTOR_KGCE_CALORIFIC, CARRIER_HEAT, NULL, 2026, "0.03412", "GB/T 2589-2020", SOURCE_A},
        {FACTOR_KGCE_CALORIFIC, CARRIER_GAS, NULL, 2026, "1.3300", "(B", SOURCE_B},
        {FACTOR_KGCE_CALORIFIC, FACTOR_CARRIER_STEAM, NULL, 2026, "0.1286", "GB/T 2589-2020", SOURCE_A},
        {FACTOR_KGCE_CALORIFIC, CARRIER_WATER, NULL, 2026, "0.2571", "GB/T 2589-2020", SOURCE_A},
        {FACTOR_KGCE_EQUIVALENT, CARRIER_ELECTRICITY, "shandong", 2026, "0.31", "(B", SOURCE_B},
        {FACTOR_KGCO2, CARRIER_ELECTRICITY, "china", 2021, "0.5568", "2024 年第 12 号", SOURCE_C},
        {FACTOR_KGCO2, CARRIER_ELECTRICITY, "china", 2022, "0.5366", "2024 年第 33 号", SOURCE_B},
        {FACTOR_KGCO2, CARRIER_ELECTRICITY, "china", 2023, "0.5306", "2025 年第 47 号", SOURCE_A},
        {FACTOR_KGCO2, CARRIER_ELECTRICITY, "east-china", 2021, "0.5992", "2024 年第 12 号", SOURCE_C},
        {FACTOR_KGCO2, CARRIER_ELECTRICITY, "east-china", 2022, "0.5617", "2024 年第 33 号", SOURCE_C},
        {FACTOR_KGCO2, CARRIER_ELECTRICITY, "east-china", 2023, "0.5500", "2025 年第 47 号", SOURCE_A},
        {FACTOR_KGCO2, CARRIER_ELECTRICITY, "zhejiang", 2021, "0.5422", "2024 年第 12 号", SOURCE_B},
        {FACTOR_KGCO2, CARRIER_ELECTRICITY, "zhejiang", 2022, "0.5153", "2024 年第 33 号", SOURCE_A},
        {FACTOR_KGCO2, CARRIER_ELECTRICITY, "zhejiang", 2023, "0.4974", "2025 年第 47 号", SOURCE_A},
        {FACTOR_KGCO2, CARRIER_ELECTRICITY, "shanghai", 2023, "0.5737", "2025 年第 47 号", SOURCE_B},
        {FACTOR_KGCO2, CARRIER_ELECTRICITY, "jiangsu", 2023, "0.5827", "2025 年第 47 号", SOURCE_B},
        {FACTOR_KGCO2E, CARRIER_ELECTRICITY, "china", 2024, "0.5777", "(C", SOURCE_C},
    };
    struct factors *factors = load_example();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error why = {"no reason"};
        const struct factor *row = factors_find(factors, rows[i].kind, rows[i].carrier, rows[i].region,
            calendar_days(rows[i].year, 12, 31), &why);
        if (row == NULL)
            fail_msg("%s %lld: %s", rows[i].value, (long long)rows[i].year, why.text);
        char value[DECIMAL_TEXT_SIZE];
        decimal_format(row->value, value);
        assert_string_equal(value, rows[i].value);
        assert_non_null(strstr(row->document, rows[i].document));
        assert_int_equal(row->confidence, rows[i].confidence);
        assert_string_equal(why.text, "no reason");
    }
    factors_destroy(factors);
}

static void test_none_says_why(void **state)
{
    (void)state;
    static const struct {
        int kind, carrier;
        const char *region;
        int64_t year;
        const char *why;
    } rows[] = {
        {FACTOR_KGCO2, CARRIER_ELECTRICITY, "zhejiang", 2020,
            "no kgco2 of electricity for 2020-07-01: the first row begins on 2021-01-01"},
        {FACTOR_KGCO2E, CARRIER_ELECTRICITY, "china", 2025,
            "no kgco2e of electricity for 2025-07-01: the last row ends on 2024-12-31"},
        {FACTOR_KGCO2, CARRIER_ELECTRICITY, "bavaria", 2023,
            "no kgco2 of electricity for region bavaria; there are rows for china, east-china, zhejiang, "
            "shanghai, "
            "jiangsu"},
        {FACTOR_KGCO2, CARRIER_ELECTRICITY, NULL, 2023,
            "no kgco2 of electricity: the site names no region; there are rows for china, east-china, "
            "zhejiang, "
            "shanghai, jiangsu"},
        {FACTOR_KGCE_EQUIVALENT, CARRIER_ELECTRICITY, "zhejiang", 2023,
            "no kgce_equivalent of electricity for region zhejiang; there are rows for shandong"},
        {FACTOR_KGCO2, CARRIER_WATER, "zhejiang", 2023, "no kgco2 of water: there is no such row"},
        {FACTOR_KGCO2E, CARRIER_ELECTRICITY, "zhejiang", 2024, /* a footprint stands in for nothing */
            "no kgco2e of electricity for region zhejiang; there are rows for china"},
    };
    struct factors *factors = load_example();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error why;
        assert_null(factors_find(
            factors, rows[i].kind, rows[i].carrier, rows[i].region, calendar_days(rows[i].year, 7, 1), &why));
        assert_string_equal(why.text, rows[i].why);
    }
    factors_destroy(factors);
}

static void test_a_row_counts_from_its_first_day_through_its_last(void **state)
{
    (void)state;
    struct factors *factors = load(
        FACTORS(ROW("from = \"2026-07-01\";") ",\n" ROW("from = \"2025-01-01\"; through = \"2026-06-30\";")));
    const struct factor *rows = factors->rows.items;
    struct error why;
    assert_int_equal(conf_problem_count(factors->conf), 0);
    int64_t change = calendar_days(2026, 7, 1);
    assert_ptr_equal(factors_find(factors, FACTOR_KGCO2, CARRIER_ELECTRICITY, "x", change, &why), &rows[0]);
    assert_ptr_equal(
        factors_find(factors, FACTOR_KGCO2, CARRIER_ELECTRICITY, NULL, change - 1, &why), &rows[1]);
    assert_ptr_equal(
        factors_find(factors, FACTOR_KGCO2, CARRIER_ELECTRICITY, "x", calendar_days(2025, 1, 1), &why),
        &rows[1]);
    assert_null(
        factors_find(factors, FACTOR_KGCO2, CARRIER_ELECTRICITY, "x", calendar_days(2024, 12, 31), &why));
    factors_destroy(factors);
}

static void test_an_amount_becomes_grams_rounded_once(void **state)
{
    (void)state;
    static const struct {
        int kind, carrier;
        const char *region;
        int64_t amount, grams;
    } rows[] = {
        /* 1 GWh is 122.9 tce by calorific value, 310 tce as it was made at 0.31 */
        {FACTOR_KGCE_CALORIFIC, CARRIER_ELECTRICITY, NULL, 1000000000, 122900000},
        {FACTOR_KGCE_EQUIVALENT, CARRIER_ELECTRICITY, "shandong", 1000000000, 310000000},
        {FACTOR_KGCO2, CARRIER_ELECTRICITY, "zhejiang", 1234567, 614074}, /* 614 073.6258 g */
        {FACTOR_KGCO2, CARRIER_ELECTRICITY, "zhejiang", -1234567, -614074},
        {FACTOR_KGCO2, CARRIER_ELECTRICITY, "zhejiang", 1, 0},
        {FACTOR_KGCE_CALORIFIC, CARRIER_HEAT, NULL, 1000000, 34}, /* 1 MJ: 34.12 g */
        {FACTOR_KGCE_CALORIFIC, CARRIER_WATER, NULL, 1000, 257},  /* 1 t: 257.1 g */
        {FACTOR_KGCE_CALORIFIC, CARRIER_GAS, NULL, 1500, 1995},   /* 1.5 m3 */
        {FACTOR_KGCE_CALORIFIC, FACTOR_CARRIER_STEAM, NULL, 10, 1286},
        {FACTOR_KGCE_EQUIVALENT, CARRIER_ELECTRICITY, "shandong", 50, 16}, /* 15.5 g, away from zero */
    };
    struct factors *factors = load_example();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error why;
        const struct factor *row = factors_find(
            factors, rows[i].kind, rows[i].carrier, rows[i].region, calendar_days(2026, 1, 1), &why);
        int64_t grams;
        assert_non_null(row);
        assert_true(factor_apply(row, rows[i].amount, &grams));
        assert_int_equal(grams, rows[i].grams);
    }
    factors_destroy(factors);
}

static void test_rows_about_the_same_never_overlap_and_leave_no_hole(void **state)
{
    (void)state;
    expect(FACTORS(ROW("year = 2021;") ",\n" ROW("year = 2022;") ",\n" ROW("from = \"2023-01-01\";")), "");
    expect(FACTORS(ROW("year = 2022;") ",\n" ROW("year = 2021;")), "");
    expect(FACTORS(ROW("year = 2021; region = \"a\";") ",\n" ROW("year = 2021; region = \"b\";")), "");
    expect(FACTORS(ROW("from = \"2021-01-01\";") ",\n" ROW("year = 2022;")),
        "f.cfg:3: factors[1]: overlaps factors[0] (2021-01-01 to for ever); expected one row for each day\n");
    expect(FACTORS(ROW("year = 2022;") ",\n" ROW("from = \"2020-01-01\"; through = \"2022-01-01\";")),
        "f.cfg:2: factors[0]: overlaps factors[1] (2020-01-01 to 2022-01-01); expected one row for each "
        "day\n");
    /* Inside a row that is not its neighbour in time. */
    expect(FACTORS(ROW("from = \"2020-01-01\"; through = \"2025-12-31\";") ",\n" ROW(
               "year = 2021;") ",\n" ROW("year = 2024;")),
        "f.cfg:3: factors[1]: overlaps factors[0] (2020-01-01 to 2025-12-31); expected one row for each day\n"
        "f.cfg:4: factors[2]: overlaps factors[0] (2020-01-01 to 2025-12-31); expected one row for each "
        "day\n");
    expect(FACTORS(ROW("year = 2021;") ",\n" ROW("year = 2023;")),
        "f.cfg:3: factors[1]: leaves 2022-01-01 and after without a factor (factors[0] ends before); "
        "expected no "
        "hole\n");
    expect(FACTORS(ROW("year = 2021; region = \"a\";") ",\n" ROW("year = 2021;")),
        "f.cfg:3: factors[1].region: is for everywhere, beside factors[0]; expected either rows for regions "
        "or one "
        "for everywhere\n");
}

static void test_kinds_bases_and_units_are_never_mixed(void **state)
{
    (void)state;
#define MIXED(kind, carrier, unit, basis)                                                                  \
    FACTORS("{ kind = \"" kind "\"; carrier = \"" carrier "\"; value = \"1\"; year = 2026; unit = \"" unit \
            "\"; basis = \"" basis "\"; document = \"D\"; confidence = \"A\"; }")
    expect(MIXED("kgce_calorific", "electricity", "kgce/kWh", "equivalent"),
        "f.cfg:2: factors[0].basis: \"equivalent\" does not fit kind kgce_calorific; expected calorific "
        "(当量)\n");
    expect(MIXED("kgce_equivalent", "electricity", "kgce/kWh", "calorific"),
        "f.cfg:2: factors[0].basis: \"calorific\" does not fit kind kgce_equivalent; expected equivalent "
        "(等价)\n");
    expect(MIXED("kgco2", "electricity", "kgCO2e/kWh", "footprint"),
        "f.cfg:2: factors[0].basis: \"footprint\" does not fit kind kgco2; expected location or combustion\n"
        "f.cfg:2: factors[0].unit: \"kgCO2e/kWh\" does not fit kind kgco2 of electricity; expected "
        "kgCO2/kWh\n");
    expect(MIXED("kgco2e", "electricity", "kgCO2/kWh", "location"),
        "f.cfg:2: factors[0].basis: \"location\" does not fit kind kgco2e; expected footprint\n"
        "f.cfg:2: factors[0].unit: \"kgCO2/kWh\" does not fit kind kgco2e of electricity; expected "
        "kgCO2e/kWh\n");
    expect(MIXED("kgce_calorific", "heat", "kgce/GJ", "calorific"),
        "f.cfg:2: factors[0].unit: \"kgce/GJ\" does not fit kind kgce_calorific of heat; expected kgce/MJ\n");
    expect(MIXED("kgce_calorific", "water", "kgce/m3", "calorific"),
        "f.cfg:2: factors[0].unit: \"kgce/m3\" does not fit kind kgce_calorific of water; expected kgce/t\n");
    expect(MIXED("kgco2", "gas", "kgCO2/m3", "combustion"), "");
    expect(MIXED("kgce_calorific", "steam", "kgce/kg", "calorific"), "");
}

static void test_every_mistake_of_a_row_is_told_in_one_run(void **state)
{
    (void)state;
    expect(
        "factors = (\n"
        "{ kind = \"tce\"; carrier = \"light\"; value = \"0,5\"; unit = \"x\"; basis = \"y\"; document = "
        "\"\";\n"
        "  confidence = \"D\"; region = \"East China\"; year = 1066; },\n"
        "{ kind = \"kgco2\"; carrier = \"electricity\"; value = 0.5; unit = \"kgCO2/kWh\"; basis = "
        "\"location\";\n"
        "  confidence = \"B\"; document = \"D 1\"; year = 2021; from = \"2021-01-01\"; },\n" ROW(
            "from = "
            "\"2021-02-"
            "29\"; "
            "through = "
            "\"2021\";") ",\n" ROW("from = \"2021-02-02\"; through = \"2021-02-01\";") ",\n" ROW("year = "
                                                                                                 "2022; "
                                                                                                 "through = "
                                                                                                 "\"2022-05-"
                                                                                                 "01\";") ","
                                                                                                          "\n" ROW("") ","
                                                                                                                       "\n{ kind = \"kgco2\"; carrier = \"electricity\"; value = \"0\"; year = 2021; price = 1; }\n);\n",
        "f.cfg:2: factors[0].kind: \"tce\" is not known; expected one of kgce_calorific, kgce_equivalent, "
        "kgco2, "
        "kgco2e\n"
        "f.cfg:2: factors[0].carrier: \"light\" is not known; expected one of electricity, heat, cooling, "
        "water, gas, "
        "steam\n"
        "f.cfg:2: factors[0].basis: \"y\" is not known; expected one of calorific, equivalent, location, "
        "combustion, "
        "footprint\n"
        "f.cfg:2: factors[0].document: is empty; expected number of the document that printed it; with "
        "confidence B "
        "or C it says \"(B\" or \"(C\"\n"
        "f.cfg:2: factors[0].value: \"0,5\" is not a positive decimal; expected one of at most 9 decimals, "
        "such as "
        "\"0.1229\"\n"
        "f.cfg:3: factors[0].region: \"East China\" is not an id; expected 1 to 32 of a-z 0-9 and -, not "
        "starting "
        "with -\n"
        "f.cfg:3: factors[0].year: 1066 is out of range; expected 1970 to 9999\n"
        "f.cfg:3: factors[0].confidence: \"D\" is not known; expected one of A, B, C\n"
        "f.cfg:4: factors[1].value: is a number with a fraction; expected a string in double quotes\n"
        "f.cfg:5: factors[1].document: does not say that its confidence is B; expected \"(B\" in it, such as "
        "\"... "
        "(B: to be checked)\"\n"
        "f.cfg:5: factors[1].from: is given beside year; expected one of them\n"
        "f.cfg:6: factors[2].from: \"2021-02-29\" is not a day; expected one such as 2026-07-01\n"
        "f.cfg:6: factors[2].through: \"2021\" is not a day; expected one such as 2026-07-01\n"
        "f.cfg:7: factors[3].through: is before from; expected 2021-02-02 or a later day\n"
        "f.cfg:8: factors[4].through: is given beside year; expected it beside from\n"
        "f.cfg:9: factors[5].year: is missing, and from as well; expected one of them\n"
        "f.cfg:10: factors[6].unit: is missing; expected its unit, such as \"kgce/kWh\": kgce, kgCO2 or "
        "kgCO2e for a "
        "kWh of electricity, a MJ of heat and cooling, a t of water, a m3 of gas, a kg of steam\n"
        "f.cfg:10: factors[6].basis: is missing; expected what it counts: calorific for kgce_calorific, "
        "equivalent "
        "for kgce_equivalent, location or combustion for kgco2, footprint (life cycle) for kgco2e\n"
        "f.cfg:10: factors[6].document: is missing; expected number of the document that printed it; with "
        "confidence "
        "B or C it says \"(B\" or \"(C\"\n"
        "f.cfg:10: factors[6].confidence: is missing; expected A: several independent sources agree; B: one; "
        "C: to be "
        "checked against the document\n"
        "f.cfg:10: factors[6].price: unknown key; expected one of kind, carrier, value, unit, region, year, "
        "from, "
        "through, basis, document, confidence, note\n"
        "f.cfg:10: factors[6].value: \"0\" is not a positive decimal; expected one of at most 9 decimals, "
        "such as "
        "\"0.1229\"\n");
}

static void test_the_example_mentions_every_key(void **state)
{
    (void)state;
    char *text = settings_example("factors.cfg");
    settings_expect_all_keys(text, "config/factors.cfg", &factors_section);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example_has_what_was_printed),
        cmocka_unit_test(test_none_says_why),
        cmocka_unit_test(test_a_row_counts_from_its_first_day_through_its_last),
        cmocka_unit_test(test_an_amount_becomes_grams_rounded_once),
        cmocka_unit_test(test_rows_about_the_same_never_overlap_and_leave_no_hole),
        cmocka_unit_test(test_kinds_bases_and_units_are_never_mixed),
        cmocka_unit_test(test_every_mistake_of_a_row_is_told_in_one_run),
        cmocka_unit_test(test_the_example_mentions_every_key),
    };
    return cmocka_run_group_tests(tests, settings_make_folder, settings_remove_folder);
}
