#include "collector/model/tariff.h"
#include "tests/unit/settings_file.h"

#include "collector/model/periods.h"
#include "lib/calendar.h"

#define SOURCE "document = \"D\"; confidence = \"A\"; "
#define NAMED(id) "id = \"" id "\"; name = \"n\"; name_en = \"n\"; "
#define SCHEDULE(days, rest) "{ " days SOURCE rest " }"
#define SEASONS(rest) "seasons = ( " rest " ); "
#define ALL_FLAT SEASONS("{ months = \"1-12\"; flat = \"00:00-24:00\"; }")
#define TARIFF(rest) "{ " NAMED("t") "carrier = \"electricity\"; sites = [\"s\"]; " rest " }"
#define SINCE_2026 "from = \"2026-01-01\"; "
/* A file with one schedule, of one line. */
#define ONE(rest) "tariffs = ( " TARIFF("schedules = (\n" SCHEDULE(SINCE_2026, rest) "\n);") " );\n"

static struct tariffs *load(const char *text)
{
    char *path = settings_write("t.cfg", text);
    struct tariffs *tariffs = tariffs_load(path);
    free(path);
    return tariffs;
}

static void expect(const char *text, const char *expected)
{
    struct tariffs *tariffs = load(text);
    char *problems = settings_problems(tariffs->conf);
    if (strcmp(problems, expected) != 0)
        fail_msg("%s\n gave:\n%s not:\n%s", text, problems, expected);
    free(problems);
    tariffs_destroy(tariffs);
}

static struct tariffs *load_example(void)
{
    const char *source = getenv("PARKMON_SOURCE");
    char *path = mem_printf("%s/config/tariffs.cfg", source != NULL ? source : ".");
    struct tariffs *tariffs = tariffs_load(path);
    char *problems = settings_problems(tariffs->conf);
    assert_string_equal(problems, "");
    free(problems);
    free(path);
    return tariffs;
}

static int64_t day_of(const char *text)
{
    struct period day;
    assert_true(periods_parse(text, &day));
    assert_int_equal(day.kind, PERIODS_DAY);
    return day.number;
}

/* Each hour by a letter: s, p, f, v, d; ? where its quarter hours differ. */
static void hours_of(const struct tariff_day *day, char text[static 25])
{
    for (int hour = 0; hour < 24; hour++) {
        text[hour] = tariff_bands[day->band[hour * 4]][0];
        for (int i = 1; i < 4; i++)
            if (day->band[hour * 4 + i] != day->band[hour * 4])
                text[hour] = '?';
    }
    text[24] = '\0';
}

static void test_the_example_is_zhejiangs_two_schedules(void **state)
{
    (void)state;
    static const struct {
        const char *day, *hours; /* as the notices have them */
        bool is_disputed;
    } rows[] = {
        /*             0       8  11 13  17     24 */
        {"2026-03-02", "vvvvvvvvpppvvppppfffffff", false},
        {"2024-03-01", "vvvvvvvvpppvvppppfffffff", false},
        {"2026-06-30", "vvvvvvvvpppvvppppfffffff", false},
        {"2025-11-30", "vvvvvvvvpppvvppppfffffff", false},
        {"2026-01-31", "vvvvvvvvpssvvffssppppppf", false},
        {"2025-07-01", "vvvvvvvvpssvvffssppppppf", false},
        {"2025-08-31", "vvvvvvvvpssvvffssppppppf", false},
        {"2025-12-01", "vvvvvvvvpssvvffssppppppf", false},
        {"2026-02-16", "vvvvvvvvppddddpppfffffff", false}, /* Spring Festival */
        {"2025-01-28", "vvvvvvvvpsddddfssppppppf", false}, /* in a month with sharp hours */
        {"2025-10-01", "vvvvvvvvppddddpppfffffff", false},
        {"2025-05-05", "vvvvvvvvppddddpppfffffff", false},
        {"2025-05-06", "vvvvvvvvpppvvppppfffffff", false},
        {"2026-07-01", "vvvvvvvffffvvvffppsssspf", false},
        {"2026-12-31", "vvvvvvvffffvvvffppsssspf", false},
        {"2026-09-01", "vvvvvvvffffvvvffpppppppf", false},
        {"2026-11-30", "vvvvvvvffffvvvffpppppppf", false},
        {"2026-10-01", "vvvvvvvfffddddffpppppppf", true}, /* National Day */
        {"2026-10-08", "vvvvvvvffffvvvffpppppppf", false},
    };
    struct tariffs *tariffs = load_example();
    const struct tariff *tariff = tariffs_find(tariffs, "jiashan", CARRIER_ELECTRICITY);
    assert_non_null(tariff);
    assert_null(tariffs_find(tariffs, "jiashan", CARRIER_WATER));
    assert_null(tariffs_find(tariffs, "elsewhere", CARRIER_ELECTRICITY));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tariff_day day;
        struct error why;
        char hours[25];
        if (!tariff_day(tariff, day_of(rows[i].day), &day, &why))
            fail_msg("%s: %s", rows[i].day, why.text);
        hours_of(&day, hours);
        if (strcmp(hours, rows[i].hours) != 0)
            fail_msg("%s: %s", rows[i].day, hours);
        assert_int_equal(day.exception != NULL && day.exception->disputed != NULL, rows[i].is_disputed);
        assert_null(day.prices);
    }
    tariffs_destroy(tariffs);
}

static void test_what_is_not_known_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *day, *why;
    } rows[] = {
        {"2024-02-29", "tariff zhejiang-commercial has no schedule for 2024-02-29"},
        /* Whether a day of 2027 is off nobody has said, in this file. */
        {"2027-06-01", "the dates of spring-festival in 2027 are not given (holidays[0])"},
    };
    struct tariffs *tariffs = load_example();
    const struct tariff *tariff = tariffs->tariffs.items;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tariff_day day = {.band = {[5] = 42}};
        struct error why;
        assert_false(tariff_day(tariff, day_of(rows[i].day), &day, &why));
        assert_string_equal(why.text, rows[i].why);
        assert_int_equal(day.band[5], 42);
    }
    tariffs_destroy(tariffs);
}

static void test_bands_follow_the_clocks_of_the_place(void **state)
{
    (void)state;
    struct tariffs *tariffs = load(ONE(SEASONS(
        "{ months = \"1-12\"; valley = \"00:00-02:30\"; peak = \"02:30-03:00\"; flat = \"03:00-24:00\"; }")));
    static const struct {
        const char *zone, *day;
        int valley, peak, flat; /* quarter hours */
    } rows[] = {
        {"Asia/Shanghai", "2026-03-29", 10, 2, 84},
        {"Europe/Berlin", "2026-03-29", 8, 0, 84},        /* 02:00 to 03:00 is left out */
        {"Europe/Berlin", "2026-10-25", 12, 4, 84},       /* and comes twice */
        {"Australia/Lord_Howe", "2026-10-04", 8, 2, 84},  /* 02:00 to 02:30 */
        {"Australia/Lord_Howe", "2026-04-05", 12, 2, 84}, /* 01:30 to 02:00 twice */
        {"America/New_York", "2026-03-08", 8, 0, 84},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zone *zone = zone_create(rows[i].zone);
        struct tariff_day day;
        struct error why;
        int count[TARIFF_BANDS] = {0};
        assert_true(tariff_day(tariffs->tariffs.items, day_of(rows[i].day), &day, &why));
        struct periods_span span = periods_span(zone, (struct period){PERIODS_DAY, day_of(rows[i].day)});
        for (int64_t at_ms = span.begin_ms; at_ms < span.end_ms; at_ms += PERIODS_QUARTER_HOUR_MS)
            count[day.band[periods_quarter_of_day(zone, at_ms)]]++;
        if (count[TARIFF_VALLEY] != rows[i].valley || count[TARIFF_PEAK] != rows[i].peak ||
            count[TARIFF_FLAT] != rows[i].flat)
            fail_msg("%s %s: %d, %d, %d", rows[i].zone, rows[i].day, count[TARIFF_VALLEY], count[TARIFF_PEAK],
                count[TARIFF_FLAT]);
        zone_destroy(zone);
    }
    tariffs_destroy(tariffs);
}

static void test_the_bands_of_a_day_have_no_hole_and_no_overlap(void **state)
{
    (void)state;
#define DAY(bands) ONE(SEASONS("{ months = \"1-12\"; " bands " }"))
#define PLACE "t.cfg:2: tariffs[0].schedules[0].seasons[0]"
    expect(DAY("peak = \"08:00-24:00, 00:00-07:45\"; flat = \"07:45-08:00\";"), "");
    expect(DAY("peak = \"08:00-20:00\"; flat = \"00:00-07:45, 20:00-24:00\";"),
        PLACE ": leaves 07:45-08:00 without a band; expected bands from 00:00 to 24:00\n");
    expect(DAY("peak = \"08:00-20:00\"; flat = \"00:15-07:00\";"),
        PLACE ": leaves 00:00-00:15, 07:00-08:00, 20:00-24:00 without a band; expected bands from 00:00 to "
              "24:00\n");
    expect(DAY(""), PLACE ": leaves 00:00-24:00 without a band; expected bands from 00:00 to 24:00\n");
    expect(DAY("peak = \"08:00-20:00\"; flat = \"00:00-08:15, 20:00-24:00\";"),
        PLACE ".flat: 00:00-08:15 overlaps peak, from 08:00 on; expected each quarter hour in one band\n");
    expect(DAY("flat = \"00:00-24:00, 08:00-09:00\";"),
        PLACE ".flat: 08:00-09:00 overlaps flat, from 08:00 on; expected each quarter hour in one band\n");
}

static void test_bands_begin_and_end_on_quarter_hours(void **state)
{
    (void)state;
    expect(DAY("peak = \"08:10-20:00\"; flat = \"00:00-08:10, 20:00-24:00\";"), PLACE
        ".peak: 08:10-20:00 begins or ends off the quarter hour; expected minutes 00, 15, 30 or 45\n" PLACE
        ".flat: 00:00-08:10 begins or ends off the quarter hour; expected minutes 00, 15, 30 or 45\n");
    static const char *const bad[] = {"8:00-9:00", "08:00", "08:00-", "08:00-25:00", "08:60-09:00",
        "24:15-24:30", "08:00-09:00,", "08:00-09:00 10:00-11:00", "08:00 - 09:00", "08:00-09:00; ", "a", "-",
        "08:00-09:00x", "0800-0900", "08:00-24:15"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char *text = mem_printf(DAY("peak = \"%s\";"), bad[i]);
        char *expected =
            mem_printf(PLACE ".peak: \"%s\" are not hours; expected from-to within a day, such as "
                             "\"08:00-11:00, 13:00-17:00\"\n",
                bad[i]);
        expect(text, expected);
        free(expected);
        free(text);
    }
    expect(DAY("peak = \"22:00-06:00\"; flat = \"06:00-22:00\";"), PLACE
        ".peak: 22:00-06:00 does not end after it begins; expected hours over midnight as two: 22:00-24:00, "
        "00:00-06:00\n");
}

static void test_each_month_is_in_one_season(void **state)
{
    (void)state;
#define MONTHS(a, b) \
    ONE(SEASONS(     \
        "{ months = \"" a "\"; flat = \"00:00-24:00\"; }, { months = \"" b "\"; flat = \"00:00-24:00\"; }"))
    expect(MONTHS("2-6, 9-11", "1,7-8,  12"), "");
    expect(MONTHS("2-6, 9-11", "7-8, 12"), "t.cfg:2: tariffs[0].schedules[0].seasons: leave month 1 without "
                                           "bands; expected each month in one\n");
    expect(MONTHS("1-6", "6-11"), "t.cfg:2: tariffs[0].schedules[0].seasons[1].months: month 6 is in an "
                                  "earlier season too; expected each month "
                                  "in one\n"
                                  "t.cfg:2: tariffs[0].schedules[0].seasons: leave month 12 without bands; "
                                  "expected each month in one\n");
    static const char *const bad[] = {
        "13", "0", "1-13", "11-2", "Jan", "1-", "-2", "1,", "1 2", "1;2", "001"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char *text = mem_printf(MONTHS("1-12", "%s"), bad[i]);
        char *expected = mem_printf(
            "t.cfg:2: tariffs[0].schedules[0].seasons[1].months: \"%s\" are not months; expected numbers 1 "
            "to 12 and ranges of them, such as \"2-6, 9-11\"\n",
            bad[i]);
        expect(text, expected);
        free(expected);
        free(text);
    }
}

static void test_schedules_and_prices_follow_one_another(void **state)
{
    (void)state;
#define TWO(first, second) \
    "tariffs = ( " TARIFF( \
        "schedules = (\n" SCHEDULE(first, ALL_FLAT) ",\n" SCHEDULE(second, ALL_FLAT) "\n);") " );\n"
    expect(TWO("from = \"2026-07-01\"; ", "from = \"2026-01-01\"; through = \"2026-06-30\"; "), "");
    expect(TWO("from = \"2026-01-01\"; through = \"2026-06-30\"; ", "from = \"2026-06-30\"; "),
        "t.cfg:3: tariffs[0].schedules[1]: overlaps tariffs[0].schedules[0] (2026-01-01 to 2026-06-30); "
        "expected one "
        "row for each day\n");
    expect(TWO("from = \"2026-01-01\"; through = \"2026-06-30\"; ", "from = \"2026-07-02\"; "),
        "t.cfg:3: tariffs[0].schedules[1]: leaves 2026-07-01 and after without a schedule "
        "(tariffs[0].schedules[0] "
        "ends before); expected no hole\n");
#define PRICES(rest)       \
    "tariffs = ( " TARIFF( \
        "schedules = ( " SCHEDULE(SINCE_2026, ALL_FLAT) " );\nprices = (\n" rest "\n);") " );\n"
#define PRICE(days, rest) "{ " days "unit = \"yuan/kWh\"; " SOURCE rest " }"
    expect(PRICES(PRICE(SINCE_2026 "through = \"2026-01-31\"; ", "flat = \"0.65\";") ",\n" PRICE(
               "from = \"2026-01-15\"; ", "flat = \"0.65\";")),
        "t.cfg:4: tariffs[0].prices[1]: overlaps tariffs[0].prices[0] (2026-01-01 to 2026-01-31); expected "
        "one row for "
        "each day\n");
    expect(PRICES(PRICE(SINCE_2026 "through = \"2026-01-31\"; ", "flat = \"0.65\";") ",\n" PRICE(
               "from = \"2026-03-01\"; ", "flat = \"0.65\";")),
        "t.cfg:4: tariffs[0].prices[1]: leaves 2026-02-01 and after without prices (tariffs[0].prices[0] "
        "ends before); "
        "expected no hole\n");
}

static void test_every_band_that_is_used_has_a_price(void **state)
{
    (void)state;
    expect(PRICES(PRICE(SINCE_2026, "peak = \"1.2\";")),
        "t.cfg:3: tariffs[0].prices[0].flat: is missing, but tariffs[0].schedules[0] has hours of it; "
        "expected its "
        "price\n");
    expect(PRICES(PRICE("from = \"2020-01-01\"; through = \"2025-12-31\"; ", "peak = \"1.2\";")), "");
    expect(PRICES(PRICE(SINCE_2026, "flat = \"1,2\"; peak = \"1e3\"; deep = \"-0.05\";")),
        "t.cfg:3: tariffs[0].prices[0].peak: \"1e3\" is not a price; expected a decimal of at most 9 "
        "decimals, such as "
        "\"0.6500\"\n"
        "t.cfg:3: tariffs[0].prices[0].flat: \"1,2\" is not a price; expected a decimal of at most 9 "
        "decimals, such as "
        "\"0.6500\"\n");
    expect(PRICES("{ from = \"2026-01-01\"; unit = \"yuan/MWh\"; flat = \"650\"; document = \"D\"; "
                  "confidence = \"B\"; }"),
        "t.cfg:3: tariffs[0].prices[0].document: does not say that its confidence is B; expected \"(B\" in "
        "it, such as "
        "\"... (B: to be checked)\"\n"
        "t.cfg:3: tariffs[0].prices[0].unit: \"yuan/MWh\" does not fit electricity; expected yuan/kWh\n");
}

static void test_holidays_are_days_that_are_listed_once(void **state)
{
    (void)state;
#define HOLIDAY(id, days) "{ " NAMED(id) "days = [" days "]; " SOURCE "}"
#define ON(ids, rest) "exceptions = ( { on = [" ids "]; deep = \"10:00-14:00\"; }" rest " ); "
    expect("holidays = (\n" HOLIDAY(
               "a", "\"2026-02-30\", \"2026-02-23/2026-02-15\", \"2026-05\", \"x\"") ",\n" HOLIDAY("b",
               "\"2026-05-01/2026-05-05\", \"2026-05-05\"") ",\n" HOLIDAY("b",
               "\"2026-10-01\"") "\n);\n" ONE(ALL_FLAT),
        "t.cfg:2: holidays[0].days: \"2026-02-30\" is not a day; expected one such as 2026-07-01\n"
        "t.cfg:2: holidays[0].days: \"2026-02-23/2026-02-15\" ends before it begins; expected first/last\n"
        "t.cfg:2: holidays[0].days: \"2026-05\" is not a day; expected one such as 2026-07-01\n"
        "t.cfg:2: holidays[0].days: \"x\" is not a day; expected one such as 2026-07-01\n"
        "t.cfg:3: holidays[1].days: \"2026-05-05\" has days that are listed already; expected each once\n"
        "t.cfg:4: holidays[2].id: \"b\" is already the id of holidays[1]; expected an id of its own\n");
    expect(ONE(ALL_FLAT ON("\"c\"", "")), "t.cfg:2: tariffs[0].schedules[0].exceptions[0].on: unknown "
                                          "holiday \"c\"; expected an id of holidays\n");
    expect("holidays = ( " HOLIDAY("a", "\"2026-05-01/2026-05-05\"") ", " HOLIDAY(
               "b", "\"2026-05-05\"") " );\n" ONE(ALL_FLAT ON("\"a\", \"b\"", "")),
        "");
    expect("holidays = ( " HOLIDAY("a", "\"2026-05-01/2026-05-05\"") ", " HOLIDAY(
               "b", "\"2026-05-05\"") " );\n" ONE(ALL_FLAT ON("\"a\"",
               ", { on = [\"b\"]; valley = \"10:00-14:00\"; }")),
        "t.cfg:3: tariffs[0].schedules[0].exceptions[1].on: has a day of "
        "tariffs[0].schedules[0].exceptions[0] too; "
        "expected one exception for each day\n");
    expect("holidays = ( " HOLIDAY("a", "\"2026-05-01\"") " );\n" ONE(
               ALL_FLAT "exceptions = ( { on = [\"a\"]; deep = \"10:00-14:05\"; } ); "),
        "t.cfg:3: tariffs[0].schedules[0].exceptions[0].deep: 10:00-14:05 begins or ends off the quarter "
        "hour; expected "
        "minutes 00, 15, 30 or 45\n");
}

static void test_a_site_pays_by_one_tariff_for_each_carrier(void **state)
{
    (void)state;
#define OTHER(id, carrier)                \
    "{ " NAMED(id) "carrier = \"" carrier \
                   "\"; sites = [\"s\"]; schedules = ( " SCHEDULE(SINCE_2026, ALL_FLAT) " ); }"
    expect("tariffs = (\n" OTHER("a", "electricity") ",\n" OTHER("b", "water") "\n);\n", "");
    expect("tariffs = (\n" OTHER("a", "electricity") ",\n" OTHER("a", "electricity") "\n);\n",
        "t.cfg:3: tariffs[1].id: \"a\" is already the id of tariffs[0]; expected an id of its own\n"
        "t.cfg:3: tariffs[1].sites: s pays by tariffs[0] already for electricity; expected one tariff\n");
}

static void test_costs_are_exact_in_the_unit_of_the_price(void **state)
{
    (void)state;
    static const struct {
        int carrier;
        int64_t amount;
        struct decimal price;
        int64_t fen;
    } rows[] = {
        {CARRIER_ELECTRICITY, 1234567, {4051, 4}, 50012},     /* Wh, yuan/kWh: 500.123 yuan */
        {CARRIER_HEAT, INT64_C(1500000000), {4235, 2}, 6353}, /* J, yuan/GJ: 63.525 yuan */
        {CARRIER_COOLING, INT64_C(-1500000000), {4235, 2}, -6353},
        {CARRIER_WATER, 12345, {595, 2}, 7345}, /* L, yuan/m3: 73.45275 yuan */
        {CARRIER_GAS, 1, {5, 0}, 1},            /* half a fen */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tariff tariff = {.carrier = rows[i].carrier};
        int64_t fen;
        assert_true(tariff_cost(&tariff, rows[i].amount, rows[i].price, &fen));
        assert_int_equal(fen, rows[i].fen);
    }
    struct tariff tariff = {.carrier = CARRIER_ELECTRICITY};
    int64_t fen;
    assert_false(tariff_cost(&tariff, INT64_MAX, (struct decimal){1000, 0}, &fen));
}

static void test_the_example_mentions_every_key(void **state)
{
    (void)state;
    char *text = settings_example("tariffs.cfg");
    settings_expect_all_keys(text, "config/tariffs.cfg", &tariffs_section);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example_is_zhejiangs_two_schedules),
        cmocka_unit_test(test_what_is_not_known_says_why),
        cmocka_unit_test(test_bands_follow_the_clocks_of_the_place),
        cmocka_unit_test(test_the_bands_of_a_day_have_no_hole_and_no_overlap),
        cmocka_unit_test(test_bands_begin_and_end_on_quarter_hours),
        cmocka_unit_test(test_each_month_is_in_one_season),
        cmocka_unit_test(test_schedules_and_prices_follow_one_another),
        cmocka_unit_test(test_every_band_that_is_used_has_a_price),
        cmocka_unit_test(test_holidays_are_days_that_are_listed_once),
        cmocka_unit_test(test_a_site_pays_by_one_tariff_for_each_carrier),
        cmocka_unit_test(test_costs_are_exact_in_the_unit_of_the_price),
        cmocka_unit_test(test_the_example_mentions_every_key),
    };
    return cmocka_run_group_tests(tests, settings_make_folder, settings_remove_folder);
}
