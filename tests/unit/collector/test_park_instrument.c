/* Instruments, resources, calendars and spaces in the park file: what they say, and what is told of each mistake. */
#include "collector/model/park.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED(id) "id = \"" id "\"; name = \"x\"; name_en = \"X\"; "
/* Five lines, so that what is tested begins in the sixth. */
#define HEAD                                                                                                \
    "sites = ( { " NAMED("s1") "zone = \"Asia/Shanghai\"; } );\n"                                           \
                               "buildings = ( { " NAMED("b1") "site = \"s1\"; }, { " NAMED(                 \
                                   "b2") "site = \"s1\"; } );\n"                                            \
                                         "gateways = ( { " NAMED(                                           \
                                             "gw-a") "site = \"s1\"; } );\n"                                \
                                                     "categories = ( { " NAMED(                             \
                                                         "c") " } );\n"                                     \
                                                              "meters = ( { " NAMED(                        \
                                                                  "m1") "building = \"b2\"; carrier = "     \
                                                                        "\"electricity\"; power = "         \
                                                                        "\"gw-a/m1\"; }, { " NAMED(         \
                                                                            "m2") "building = \"b2\"; "     \
                                                                                  "carrier = "              \
                                                                                  "\"electricity\"; "       \
                                                                                  "segments = ( { serial "  \
                                                                                  "= \"1\"; max_rate = 1; " \
                                                                                  "from = "                 \
                                                                                  "\"2026-01-01T00:00:"     \
                                                                                  "00Z\"; point = "         \
                                                                                  "\"gw-a/m2\"; } ); }, "   \
                                                                                  "{ " NAMED(               \
                                                                                      "w") "building = "    \
                                                                                           "\"b2\"; "       \
                                                                                           "carrier = "     \
                                                                                           "\"water\"; "    \
                                                                                           "power = "       \
                                                                                           "\"gw-a/w\"; } " \
                                                                                           ");\n"
#define WHOSE                                                                                              \
    "building = \"b1\"; category = \"c\"; owner = \"o\"; owner_en = \"o\"; owner_code = \"9\"; contact = " \
    "\"8\"; "
#define BARE(id) NAMED(id) WHOSE
#define LEVELS "off_w = 10; standby_w = 20; exit_w = 30; enter_w = 40; off_means = \"available\"; "
#define POWERED(id) BARE(id) LEVELS "power = \"gw-a/" id "\"; "

static struct park *load(const char *more)
{
    char *text = mem_printf(HEAD "%s\n", more);
    struct park *park = park_load_text("f", (struct span){text, strlen(text)});
    free(text);
    return park;
}

static void expect(const char *more, const char *expected)
{
    struct park *park = load(more);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    conf_print_problems(park->conf, out);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
    park_destroy(park);
}

struct mistake {
    const char *text, *expected;
};

static void expect_each(const char *list, const struct mistake *mistakes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *text = mem_printf("%s = ( { %s } );", list, mistakes[i].text);
        expect(text, mistakes[i].expected);
        free(text);
    }
}
#define EXPECT_EACH(list, mistakes) expect_each(list, mistakes, sizeof(mistakes) / sizeof *(mistakes))

static void test_a_good_one_says_what_it_is(void **state)
{
    (void)state;
    struct park *park = load("resources = ( { " NAMED(
        "r1") "building = \"b1\"; kind = \"gas\"; contact = \"8\"; },\n"
              "{ " NAMED(
                  "r2") "building = \"b1\"; kind = \"power\"; point = \"gw-a/r2\"; up = (\"on\"); down = "
                        "(\"off\", \"\"); } );\n"
                        "calendars = ( { " NAMED(
                            "k") "site = \"s1\"; url = \"https://h/x.ics\"; user = \"u\"; password_file = "
                                 "\"p\"; } );\n"
                                 "spaces = ( { " NAMED(
                                     "lab") "building = \"b1\"; sensors = ( { point = \"gw-a/pir\"; kind = "
                                            "\"binary\"; } ); } );\n"
                                            "instruments = ( { " POWERED(
                                                "i1") "space = \"lab\"; calendar = \"k\"; requires = "
                                                      "(\"r2\"); uses = (\"r1\");\n"
                                                      "session = \"gw-a/s\"; meter = \"m2\"; open = "
                                                      "\"Mon-Fri 08:00-18:00\"; },\n"
                                                      "{ " BARE(
                                                          "i2") "off_w = \"0.5\"; standby_w = \"0.7\"; "
                                                                "exit_w = 1; enter_w = 1000; off_means = "
                                                                "\"unavailable\"; meter = \"m1\"; },\n"
                                                                "{ " BARE("i3") "shared = false; } );");
    conf_print_problems(park->conf, stderr);
    assert_int_equal(conf_problem_count(park->conf), 0);
    const struct park_instrument *i1 = park_instrument_find(park, "i1"),
                                 *i2 = park_instrument_find(park, "i2");
    assert_string_equal(i1->building->id, "b1");
    assert_string_equal(i1->space->id, "lab");
    assert_string_equal(i1->calendar->site->zone, "Asia/Shanghai");
    assert_string_equal(i1->required[0]->id, "r2");
    assert_string_equal(i1->optional[0]->id, "r1");
    assert_string_equal(i1->power_point, "gw-a/i1");
    assert_string_equal(i1->meter->id, "m2");
    assert_int_equal(i1->opening.count, 1);
    assert_int_equal(i1->enter_ms, 10000);
    assert_int_equal(i1->exit_ms, 300000);
    assert_int_equal(i1->max_session_ms, 43200000);
    assert_int_equal(i1->rated_hours, 1400);
    assert_int_equal(i2->off_mw, 500);
    assert_int_equal(i2->standby_mw, 700);
    assert_int_equal(i2->enter_mw, 1000000);
    assert_string_equal(i2->power_point, "gw-a/m1");
    assert_null(park_instrument_find(park, "i4"));

    struct park_place place = park_place(park, "gw-a", "i1", 0);
    assert_int_equal(place.role, ROLE_INSTRUMENT_POWER);
    assert_ptr_equal(place.instrument, i1);
    assert_null(place.meter);
    assert_string_equal(place.building, "b1");
    assert_string_equal(place.site, "s1");
    place = park_place(park, "gw-a", "m1", 0); /* the meter's, whose tags count */
    assert_int_equal(place.role, ROLE_METER_POWER);
    assert_ptr_equal(place.instrument, i2);
    assert_string_equal(place.building, "b2");
    assert_int_equal(park_place(park, "gw-a", "s", 0).role, ROLE_SESSION);
    assert_int_equal(park_place(park, "gw-a", "r2", 0).role, ROLE_RESOURCE);
    place = park_place(park, "gw-a", "pir", 0);
    assert_int_equal(place.role, ROLE_OCCUPANCY);
    assert_string_equal(place.building, "b1");
    park_destroy(park);
}

static void test_thresholds_out_of_order_are_refused(void **state)
{
    (void)state;
#define AT "f:6: instruments[0]."
#define ORDER "; expected off_w < standby_w < exit_w < enter_w\n"
#define THRESHOLDS(off, standby, exit, enter)                                              \
    BARE("i")                                                                              \
    "power = \"gw-a/i\"; off_means = \"available\"; off_w = " off "; standby_w = " standby \
    "; exit_w = " exit "; enter_w = " enter "; "
    static const struct mistake cases[] = {
        {THRESHOLDS("10", "20", "30", "40"), ""},
        {THRESHOLDS("10", "10", "30", "40"), AT "standby_w: is not above off_w" ORDER},
        {THRESHOLDS("10", "30", "30", "40"), AT "exit_w: is not above standby_w" ORDER},
        {THRESHOLDS("10", "30", "20", "40"), AT "exit_w: is not above standby_w" ORDER},
        {THRESHOLDS("10", "20", "40", "40"), AT "enter_w: is not above exit_w" ORDER},
        {THRESHOLDS("40", "30", "20", "10"),
            AT "standby_w: is not above off_w" ORDER AT "exit_w: is not above standby_w" ORDER AT
               "enter_w: is not above exit_w" ORDER},
        {THRESHOLDS("10", "20", "\"20.001\"", "40"), ""},
        {THRESHOLDS("10", "20", "\"20.0004\"", "40"), AT "exit_w: is no whole number of milliwatts up to a "
                                                         "gigawatt; expected watts such as 60 or \"0.5\"\n"},
        {THRESHOLDS("10", "20", "30", "2000000000"), AT "enter_w: is no whole number of milliwatts up to a "
                                                        "gigawatt; expected watts such as 60 or \"0.5\"\n"},
        {THRESHOLDS("0", "20", "30", "40"),
            AT "off_w: 0 is not a positive number; expected one such as 10 or \"0.01\"\n"},
        {THRESHOLDS("10", "20", "30.5", "40"), AT
            "exit_w: is a number with a fraction; expected an exact number as a string, such as \"0.01\" or "
            "\"1000/5\"\n"},
        {BARE("i") "power = \"gw-a/i\"; off_w = 10; exit_w = 30; ",
            AT "standby_w: is missing; expected it beside its power\n" AT
               "enter_w: is missing; expected it beside its power\n" AT
               "off_means: is missing; expected one of available, needs_warmup, unavailable\n"},
        {BARE("i") "session = \"gw-a/s\"; off_w = 10; off_means = \"available\"; ",
            AT "off_w: is given without power; expected both or neither\n" AT
               "off_means: is given without power; expected both or neither\n"},
    };
    EXPECT_EACH("instruments", cases);
}

static void test_each_mistake_of_an_instrument_is_told(void **state)
{
    (void)state;
    static const struct mistake cases[] = {
        {BARE("i"),
            "f:6: instruments[0]: has neither power, session nor calendar; expected at least one: nothing "
            "would tell whether it is free\n"},
        {POWERED("i") "space = \"x\"; calendar = \"x\"; requires = (\"x\"); meter = \"x\"; ", AT
            "space: unknown space \"x\"; expected one of none: there is no such list in this file\n" AT
            "calendar: unknown calendar \"x\"; expected one of none: there is no such list in this file\n" AT
            "meter: unknown meter \"x\"; expected one of m1, m2, w\n" AT
            "requires: unknown resource \"x\"; expected one of none: there is no such list in this file\n"},
        {NAMED("i") "building = \"b1\"; category = \"d\"; owner = \"\"; owner_en = \"o\"; contact = \"8\"; "
                    "session = \"gw-a/s\"; ",
            AT "owner: is empty; expected the organisation that manages it\n" AT
               "owner_code: is missing; expected code of that legal entity, as sessions name it: hours of "
               "any other "
               "are external\n" AT "category: unknown category \"d\"; expected one of c\n"},
        {BARE("i") LEVELS "meter = \"w\"; ",
            AT "meter: \"w\" measures water; expected a meter of electricity\n"},
        {BARE("i") LEVELS "meter = \"m1\"; power = \"gw-a/m1\"; ",
            AT "power: is that of its meter; expected it to be left out, or a point of its own\n"},
        {BARE("i") LEVELS "power = \"gw-a/m1\"; ",
            AT "power: gw-a/m1 is already the power of meters[0]; expected a point of its own\n"},
        {BARE("i") LEVELS "power = \"gw-a/m2\"; ",
            AT "power: gw-a/m2 is already the register of meters[1]; expected a point of its own\n"},
        {POWERED("i") "session = \"gw-a/i\"; ",
            AT "session: gw-a/i is already the power of instruments[0]; expected a point of its own\n"},
        {POWERED("i") "session = \"gw-b/s\"; ",
            AT "session: unknown gateway \"gw-b\"; expected one of gw-a\n"},
        {POWERED("i") "open = \"Sat-Mon 08:00-18:00\"; booking_url = \"ftp://x\"; ",
            AT "open: \"Sat-Mon 08:00-18:00\" are not opening hours; " OPENING_EXPECTED "\n" AT
               "booking_url: is not a web page; expected http:// or https://\n"},
        {POWERED("i") "colour = 1; minimum_slot = 59; rated_hours = 0; exit_s = -1; ", AT
            "minimum_slot: 59 s is out of range; expected 60 to 2592000 s\n" AT
            "rated_hours: 0 is out of range; expected 1 to 8784 hours a year\n" AT
            "exit_s: -1 s is out of range; expected 0 to 86400 s\n" AT
            "colour: unknown key; expected one of id, name, name_en, building, space, category, model, "
            "owner, "
            "owner_en, owner_code, contact, location, location_en, booking_url, terms, terms_en, training, "
            "training_en, charges, charges_en, shared, open, minimum_slot, rated_hours, meter, power, "
            "power_period, off_w, standby_w, exit_w, enter_w, enter_s, exit_s, off_means, session, "
            "max_session, preparation, post_processing, pause, grace, cooldown, calendar, requires, uses\n"},
        {BARE("i") "power = \"gw-a/i\"; off_w = 10; standby_w = 20; exit_w = 30; enter_w = 40; off_means = "
                   "\"ready\"; ",
            AT "off_means: \"ready\" is not known; expected one of available, needs_warmup, unavailable\n"},
    };
    EXPECT_EACH("instruments", cases);
}

static void test_two_instruments_share_neither_meter_nor_point(void **state)
{
    (void)state;
    expect("instruments = ( { " POWERED("i") "meter = \"m2\"; },\n{ " POWERED(
               "j") "meter = \"m2\"; },\n{ " POWERED("k") "session = \"gw-a/j\"; },\n{ " POWERED("i") " } );",
        "f:7: instruments[1].meter: \"m2\" is already the meter of instruments[0]; expected one that "
        "measures it "
        "alone\n"
        "f:8: instruments[2].session: gw-a/j is already the power of instruments[1]; expected a point of its "
        "own\n"
        "f:9: instruments[3].id: \"i\" is already the id of instruments[0]; expected an id of its own\n"
        "f:9: instruments[3].power: gw-a/i is already the power of instruments[0]; expected a point of its "
        "own\n");
    expect("spaces = ( { " NAMED(
               "lab") "building = \"b2\"; } );\n"
                      "resources = ( { " NAMED(
                          "r") "building = \"b1\"; kind = \"gas\"; contact = \"8\"; } );\n"
                               "instruments = ( { " POWERED(
                                   "i") "space = \"lab\"; requires = (\"r\", \"r\"); uses = (\"r\"); } );",
        "f:8: instruments[0].space: \"lab\" is in building b2; expected a space of building b1\n"
        "f:8: instruments[0].requires: names \"r\" twice; expected each once\n"
        "f:8: instruments[0].uses: names \"r\", which it requires; expected one of both\n");
}

static void test_each_mistake_of_a_resource_is_told(void **state)
{
    (void)state;
#undef AT
#define AT "f:6: resources[0]"
#define RESOURCE NAMED("r") "building = \"b1\"; kind = \"gas\"; "
    static const struct mistake cases[] = {
        {RESOURCE, AT ": has neither point nor contact; expected who or what tells its state\n"},
        {RESOURCE "point = \"gw-a/r\"; up = (\"on\"); ",
            AT ".down: is missing; expected the values of the state that mean so, such as (\"on\")\n"},
        {RESOURCE "point = \"gw-a/r\"; up = (\"on\"); down = (\"on\"); ",
            AT ".down: \"on\" also means that it is up; expected one of both\n"},
        {RESOURCE "contact = \"8\"; up = (\"on\"); ",
            AT ".up: is given without point; expected both or neither\n"},
        {NAMED(
             "r") "building = \"b3\"; kind = \"steam\"; point = \"gw-a/m1\"; up = (\"1\"); down = (\"0\"); ",
            AT ".kind: \"steam\" is not known; expected one of power, chilled_water, water, gas, "
               "compressed_air, "
               "ventilation, network, other\n" AT
               ".building: unknown building \"b3\"; expected one of b1, b2\n" AT
               ".point: gw-a/m1 is already the power of meters[0]; expected a point of its own\n"},
    };
    EXPECT_EACH("resources", cases);
}

static void test_each_mistake_of_a_calendar_is_told(void **state)
{
    (void)state;
#undef AT
#define AT "f:6: calendars[0]"
#define CALENDAR NAMED("k") "site = \"s1\"; "
    static const struct mistake cases[] = {
        {CALENDAR, AT ": has none of url, url_file and file; expected one\n"},
        {CALENDAR "url = \"http://h/\"; file = \"x\"; ",
            AT ": has two of url, url_file and file; expected one\n"},
        {CALENDAR "url = \"webcal://h/x.ics\"; ",
            AT ".url: is not a URL; expected http:// or https:// (for webcal:// write https://)\n"},
        {CALENDAR "url = \"https:///x.ics\"; ",
            AT ".url: is not a URL; expected http:// or https:// (for webcal:// write https://)\n"},
        {CALENDAR "url = \"https://u:p@h/x.ics\"; ",
            AT ".url: has a user or password in it; expected them as user and password_file\n"},
        {CALENDAR "url = \"https://h/x@y.ics\"; ", ""},
        {CALENDAR "url = \"https://h/\"; user = \"u\"; ",
            AT ".user: is given without password_file; expected both or neither\n"},
        {CALENDAR "file = \"x\"; user = \"u\"; password_file = \"p\"; ",
            AT ".user: is given with file; expected it only of a URL\n"},
        {NAMED("k") "site = \"s2\"; file = \"x\"; every = 29; ",
            AT ".every: 29 s is out of range; expected 30 to 86400 s\n" AT
               ".site: unknown site \"s2\"; expected one of s1\n"},
    };
    EXPECT_EACH("calendars", cases);
}

#define SPACE(id, rest) "{ " NAMED(id) "building = \"b1\"; " rest " }"
#define DOOR(id, in, out) "{ " NAMED(id) "in = \"gw-a/" in "\"; out = \"gw-a/" out "\"; }"

static void test_a_door_between_two_spaces_is_seen_from_both_sides(void **state)
{
    (void)state;
    struct park *park = load("spaces = ( " SPACE(
        "a", "doors = ( " DOOR("d", "in", "out") " ); open = \"08:00-18:00\"; ") ", " SPACE("b",
        "doors = ( " DOOR("d", "out", "in") " ); reset = \"\"; ") " );");
    assert_int_equal(conf_problem_count(park->conf), 0);
    const struct park_space *spaces = park->spaces.items;
    assert_int_equal(spaces[0].reset_min, 240);
    assert_int_equal(spaces[1].reset_min, SPACE_NO_RESET);
    assert_int_equal(spaces[0].opening.count, 1);
    assert_int_equal(park_place(park, "gw-a", "in", 0).role, ROLE_DOOR);
    park_destroy(park);
}

static void test_each_mistake_of_a_space_is_told(void **state)
{
    (void)state;
    expect("spaces = ( " SPACE("a", "doors = ( " DOOR("d", "1", "2") ",\n " DOOR("d", "3", "4") ",\n " DOOR(
                                        "e", "1", "5") ",\n " DOOR("f", "6", "6") " ); ") ",\n" SPACE("b",
               "reset = \"25:00\"; sensors = ( { point = \"gw-a/1\"; kind = \"co2\"; },\n"
               "{ point = \"gw-a/m1\"; kind = \"radar\"; } ); ") " );",
        "f:7: spaces[0].doors[1].id: \"d\" is already the id of spaces[0].doors[0]; expected an id of its "
        "own\n"
        "f:8: spaces[0].doors[2].in: gw-a/1 already counts in of spaces[0].doors[0]; expected a point of its "
        "own\n"
        "f:9: spaces[0].doors[3].out: gw-a/6 already counts in of spaces[0].doors[3]; expected doors of "
        "another "
        "space\n"
        "f:10: spaces[1].reset: \"25:00\" is not an hour; expected one such as \"04:00\", or \"\"\n"
        "f:10: spaces[1].sensors[0].point: gw-a/1 is already the counter of spaces[0].doors[0]; expected a "
        "point of its "
        "own\n"
        "f:11: spaces[1].sensors[1].kind: \"radar\" is not known; expected one of count, binary, co2, wifi\n"
        "f:11: spaces[1].sensors[1].point: gw-a/m1 is already the power of meters[0]; expected a point of "
        "its own\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_one_says_what_it_is),
        cmocka_unit_test(test_thresholds_out_of_order_are_refused),
        cmocka_unit_test(test_each_mistake_of_an_instrument_is_told),
        cmocka_unit_test(test_two_instruments_share_neither_meter_nor_point),
        cmocka_unit_test(test_each_mistake_of_a_resource_is_told),
        cmocka_unit_test(test_each_mistake_of_a_calendar_is_told),
        cmocka_unit_test(test_a_door_between_two_spaces_is_seen_from_both_sides),
        cmocka_unit_test(test_each_mistake_of_a_space_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
