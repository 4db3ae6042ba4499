/* Baselines in the park file: what they say, and what is told of each mistake. */
#include "collector/model/park.h"
#include "lib/calendar.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Six lines, so that a baseline begins in the seventh. */
#define HEAD                                                                                                 \
    "sites = ( { id = \"s1\"; name = \"s\"; name_en = \"S\"; zone = \"Asia/Shanghai\"; }, { id = \"s2\"; "   \
    "name = \"s\"; name_en = \"S\"; zone = \"UTC\"; } );\n"                                                  \
    "buildings = ( { id = \"b1\"; name = \"1\"; name_en = \"B1\"; site = \"s1\"; }, { id = \"b2\"; name = "  \
    "\"1\"; name_en = \"B\"; site = \"s2\"; } );\n"                                                          \
    "gateways = ( { id = \"gw-a\"; name = \"g\"; name_en = \"G\"; site = \"s1\"; } );\n"                     \
    "meters = ( { id = \"m1\"; name = \"m\"; name_en = \"M\"; building = \"b1\"; carrier = \"gas\"; power "  \
    "= \"gw-a/p\"; "                                                                                         \
    "segments = ( { serial = \"1\"; max_rate = 1; from = \"2024-01-01T00:00:00Z\"; point = \"gw-a/r\"; } "   \
    "); },\n"                                                                                                \
    "{ id = \"m2\"; name = \"m\"; name_en = \"M\"; building = \"b1\"; carrier = \"gas\"; power = "           \
    "\"gw-a/q\"; } );\n"                                                                                     \
    "virtual_meters = ( { id = \"v\"; name = \"v\"; name_en = \"V\"; building = \"b1\"; plus = (\"m1\"); } " \
    ");\n"
/* After the baselines, so that their lines stay. */
#define SPACES                                                                                              \
    "spaces = ( { id = \"hall\"; name = \"x\"; name_en = \"x\"; building = \"b1\"; sensors = ( { point = "  \
    "\"gw-a/hall\"; kind = \"count\"; } ); }, { id = \"gate\"; name = \"x\"; name_en = \"x\"; building = "  \
    "\"b1\"; doors = ( { id = \"d\"; name = \"x\"; name_en = \"x\"; in = \"gw-a/in\"; out = \"gw-a/out\"; " \
    "} ); }, { id = \"quiet\"; name = \"x\"; name_en = \"x\"; building = \"b1\"; sensors = ( { point = "    \
    "\"gw-a/pir\"; kind = \"binary\"; } ); }, { id = \"far\"; name = \"x\"; name_en = \"x\"; building = "   \
    "\"b2\"; sensors = ( { point = \"gw-a/far\"; kind = \"count\"; } ); } );\n"
#define NAMED "id = \"x\"; name = \"x\"; name_en = \"X\"; "
#define METER "meter = \"v\"; "
#define YEAR "from = \"2025-01-01\"; through = \"2025-12-31\"; reporting = \"2026-03-01\"; "
#define HEATED "model = \"heating\"; heating_from = 12; heating_to = 18; "
#define WARM "temperature = \"gw-a/t\"; "
#define DAILY "step = \"day\"; "
#define GOOD NAMED METER YEAR HEATED WARM DAILY

static struct park *load(const char *baselines)
{
    char *text = mem_printf(HEAD "baselines = ( %s );\n" SPACES, baselines);
    struct park *park = park_load_text("f", (struct span){text, strlen(text)});
    free(text);
    return park;
}

static void expect(const char *baselines, const char *expected)
{
    struct park *park = load(baselines);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    conf_print_problems(park->conf, out);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
    park_destroy(park);
}

static void test_a_good_one_says_what_it_is(void **state)
{
    (void)state;
    struct park *park =
        load("{ " GOOD " }, { " NAMED YEAR DAILY "meter = \"m1\"; model = \"mean\"; id = \"y\"; }");
    (void)park;
    park_destroy(park);
    park = load("{ " GOOD " }");
    assert_int_equal(conf_problem_count(park->conf), 0);
    const struct park_baseline *b = park->baselines.items;
    assert_int_equal(b->first_day, calendar_days(2025, 1, 1));
    assert_int_equal(b->end_day, calendar_days(2026, 1, 1));
    assert_int_equal(b->reporting_day, calendar_days(2026, 3, 1));
    assert_int_equal(b->term_count, 1);
    assert_string_equal(b->terms[0].meter->id, "m1");
    assert_int_equal(b->carrier, CARRIER_GAS);
    assert_string_equal(b->site->id, "s1");
    assert_int_equal(b->cooling_from, -1);
    struct park_place place = park_place(park, "gw-a", "t", 0);
    assert_int_equal(place.role, ROLE_TEMPERATURE);
    assert_null(place.meter);
    assert_string_equal(place.site, "s1");
    assert_int_equal(park_place(park, "gw-a", "other", 0).role, ROLE_UNMAPPED);
    park_destroy(park);
}

static void test_several_may_go_by_one_temperature(void **state)
{
    (void)state;
    expect(
        "{ " GOOD " }, { id = \"y\"; name = \"x\"; name_en = \"X\"; " METER YEAR HEATED WARM DAILY " }", "");
    expect("{ " GOOD " }, { " GOOD " }",
        "f:7: baselines[1].id: \"x\" is already the id of baselines[0]; expected an id of its own\n");
}

static void test_each_mistake_is_told(void **state)
{
    (void)state;
#define AT "f:7: baselines[0]."
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {NAMED "meter = \"no\"; " YEAR HEATED WARM DAILY,
            AT "meter: unknown meter \"no\"; expected the id of a meter or virtual meter\n"},
        {NAMED "meter = \"m2\"; " YEAR HEATED WARM DAILY,
            AT "meter: \"m2\" has no register; expected a meter with segments\n"},
        {NAMED METER YEAR HEATED DAILY "temperature = \"gw-a\"; ",
            AT "temperature: \"gw-a\" is not the address of a point; expected \"<gateway>/<point>\", such as "
               "\"gw-a/b1.main\"\n"},
        {NAMED METER YEAR HEATED DAILY "temperature = \"gw-b/t\"; ",
            AT "temperature: unknown gateway \"gw-b\"; expected one of gw-a\n"},
        {NAMED METER YEAR HEATED DAILY "temperature = \"gw-a/p\"; ",
            AT "temperature: gw-a/p is already the power of meters[0]; expected a point of its own\n"},
        {NAMED METER YEAR HEATED DAILY "temperature = \"gw-a/r\"; ",
            AT "temperature: gw-a/r is already the register of meters[0]; expected a point of its own\n"},
        {NAMED METER YEAR HEATED DAILY,
            AT "temperature: is missing; expected the outdoor temperature that the model depends on\n"},
        {NAMED METER YEAR WARM DAILY "model = \"mean\"; ",
            AT "temperature: is given, but the model depends on none; expected it only where it does\n"},
        {NAMED METER HEATED WARM DAILY
            "from = \"2025-01-01\"; through = \"2025-12-30\"; reporting = \"2026-01-01\"; ",
            AT "through: the baseline period has 364 days; expected at least 365, so that it holds every "
               "season\n"},
        {NAMED METER HEATED WARM DAILY
            "from = \"2025-01-01\"; through = \"2042-12-30\"; reporting = \"2043-01-01\"; ",
            AT "through: the baseline period has 6573 days; expected at most 3660\n"},
        {NAMED METER HEATED WARM DAILY
            "from = \"2025-13-01\"; through = \"2025-12-31\"; reporting = \"2026-01-01\"; ",
            AT "from: \"2025-13-01\" is not a day; expected one such as 2026-07-01\n"},
        {NAMED METER HEATED WARM DAILY
            "from = \"2025-01-01\"; through = \"2025-12-31\"; reporting = \"2025-12-31\"; ",
            AT "reporting: lies in the baseline period; expected a day after 2025-12-31\n"},
        {NAMED METER HEATED WARM
            "step = \"month\"; from = \"2025-01-02\"; through = \"2026-01-30\"; reporting = "
            "\"2026-03-01\"; ",
            AT "from: is not the first of a month; expected whole months with step = \"month\"\n" AT
               "through: is not the last of a month; expected whole months with step = \"month\"\n"},
        {NAMED METER YEAR WARM DAILY "model = \"heating\"; heating_from = 18; ", AT
            "heating_to: is missing; expected the balance temperature of heating to try, in whole degrees\n"},
        {NAMED METER YEAR WARM DAILY "model = \"heating\"; heating_from = 18; heating_to = 17; ",
            AT "heating_to: is below heating_from; expected 18 or more\n"},
        {NAMED METER YEAR WARM DAILY HEATED "cooling_from = 20; ",
            AT "cooling_from: is given, but the model has no cooling; expected it only where it has\n"},
        {NAMED METER YEAR WARM DAILY
            "model = \"both\"; heating_from = 18; heating_to = 20; cooling_from = 15; cooling_to = 17; ",
            AT "cooling_to: is below heating_from; expected 18 or more: nobody heats where he cools\n" AT
               "model: cools with gas; expected \"heating\" or \"mean\" (CalTRACK 3.2.1.1)\n"},
        {NAMED METER YEAR WARM DAILY "model = \"heating\"; heating_from = 12; heating_to = 41; ",
            AT "heating_to: 41 is out of range; expected 0 to 40 C\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = mem_printf("{ %s }", cases[i].text);
        expect(text, cases[i].expected);
        free(text);
    }
}

static void test_people_are_counted_in_spaces_of_its_site(void **state)
{
    (void)state;
    struct park *park =
        load("{ " GOOD
             "occupancy = (\"gate\", \"hall\"); }, { id = \"y\"; name = \"x\"; name_en = \"X\"; " YEAR DAILY
             "meter = \"m1\"; model = \"mean\"; occupancy = (\"hall\"); }");
    assert_int_equal(conf_problem_count(park->conf), 0);
    const struct park_baseline *b = park->baselines.items;
    assert_int_equal(b->occupancy.count, 2);
    assert_string_equal(b->spaces[0]->id, "gate");
    assert_string_equal(b->spaces[1]->id, "hall");
    park_destroy(park);
    expect("{ " GOOD "occupancy = (\"none\"); }",
        AT "occupancy: unknown space \"none\"; expected one of hall, gate, quiet, far\n");
    expect("{ " GOOD "occupancy = (\"hall\", \"hall\"); }",
        AT "occupancy: names \"hall\" twice; expected each once\n");
    expect("{ " GOOD "occupancy = (\"quiet\"); }",
        AT "occupancy: nothing counts people in \"quiet\"; expected a space with doors, or a sensor of kind "
           "\"count\"\n");
    expect("{ " GOOD "occupancy = (\"far\"); }",
        AT "occupancy: \"far\" is of another site; expected a space of the meter's\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_one_says_what_it_is),
        cmocka_unit_test(test_several_may_go_by_one_temperature),
        cmocka_unit_test(test_each_mistake_is_told),
        cmocka_unit_test(test_people_are_counted_in_spaces_of_its_site),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
