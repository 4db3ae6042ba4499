#include "collector/model/park.h"
#include "lib/buf.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SITE "sites = ( { id = \"s1\"; name = \"园\"; name_en = \"S\"; zone = \"Asia/Shanghai\"; } );\n"
#define BUILDING                                                                       \
    "buildings = ( { id = \"b1\"; name = \"1\"; name_en = \"B1\"; site = \"s1\"; },\n" \
    " { id = \"b2\"; name = \"2\"; name_en = \"B2\"; site = \"s1\"; area = \"80.5\"; } );\n"
#define GATEWAY                                                                                           \
    "gateways = ( { id = \"gw-a\"; name = \"g\"; name_en = \"G\"; site = \"s1\"; building = \"b1\"; },\n" \
    " { id = \"gw-b\"; name = \"g\"; name_en = \"G\"; site = \"s1\"; } );\n"
#define BASE SITE BUILDING GATEWAY /* five lines */
#define METER(id, rest)                                                                                     \
    "{ id = \"" id "\"; name = \"m\"; name_en = \"M\"; building = \"b2\"; carrier = \"electricity\"; " rest \
    "}"
#define SEGMENT(rest) "{ serial = \"1\"; max_rate = 400000; " rest "}"
#define FROM(year) "from = \"" #year "-01-01T00:00:00+08:00\"; "
#define UNTIL(year) "until = \"" #year "-01-01T00:00:00+08:00\"; "

static char folder[] = "/tmp/parkmon-test-park-XXXXXX";
static char file[64];

static struct park *load(const char *text)
{
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    assert_int_equal(fputs(text, out) >= 0, 1);
    assert_int_equal(fclose(out), 0);
    return park_load(file);
}

/* What was reported, without the file's name: "7: meters[0].parent: ...". The caller frees it. */
static char *problems(const struct park *park)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    conf_print_problems(park->conf, out);
    fclose(out);
    struct buf shown = {0};
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        size_t prefix = strlen(file) + 1;
        assert_memory_equal(line, file, prefix - 1);
        buf_printf(&shown, "%s\n", line + prefix);
    }
    free(text);
    return buf_take(&shown);
}

static void expect(const char *text, const char *expected)
{
    struct park *park = load(text);
    char *actual = problems(park);
    assert_string_equal(actual, expected);
    free(actual);
    park_destroy(park);
}

static void test_a_good_file_says_what_each_point_is(void **state)
{
    (void)state;
    struct park *park = load(BASE "meters = (\n" METER("m1",
        "power = \"gw-a/p\"; segments = (\n" SEGMENT(FROM(2024) UNTIL(
            2025) "point = \"gw-a/r\"; end = "
                  "99999999999; modulus = "
                  "100000000000; ") ",\n" SEGMENT(FROM(2026) "point = \"gw-a/r\"; ct = \"1000/5\"; registers "
                                                             "= \"secondary\"; ") "); ") ",\n" METER("m2",
        "parent = \"m1\"; max_gap = 1.5; profile = false; segments = ( " SEGMENT(FROM(2024)) " ); ") " );\n");
    char *text = problems(park);
    assert_string_equal(text, "");
    free(text);
    const struct park_meter *m1 = park_meter_find(park, "m1"), *m2 = park_meter_find(park, "m2");
    assert_ptr_equal(m2->parent, m1);
    assert_null(m1->parent);
    assert_string_equal(m1->building->id, "b2");
    assert_true(m1->has_profile);
    assert_false(m2->has_profile);
    assert_int_equal(m1->max_gap_ms, 1200000);
    assert_int_equal(m2->max_gap_ms, 1500);
    assert_int_equal(m2->segments.count, 1);
    const struct park_segment *segment = m1->segments.items;
    assert_int_equal(segment->from_ms, INT64_C(1704038400000)); /* 2023-12-31T16:00:00Z */
    assert_int_equal(segment->end_register, INT64_C(99999999999));
    assert_int_equal(segment->start_register, -1);
    assert_int_equal(segment->registers, REGISTERS_UNSAID);
    assert_int_equal(segment->resolution, 1);
    assert_int_equal(segment[1].until_ms, INT64_MAX);
    assert_int_equal(segment[1].ct.num, 200);
    assert_int_equal(segment[1].registers, REGISTERS_SECONDARY);
    const struct park_building *b2 = m1->building;
    assert_int_equal(b2->area_m2.num, 161);
    assert_int_equal(b2->area_m2.den, 2);

    const int64_t y2024 = INT64_C(1704038400000), y2025 = INT64_C(1735660800000),
                  y2026 = INT64_C(1767196800000);
    struct park_place place = park_place(park, "gw-a", "r", y2025 - 1);
    assert_ptr_equal(place.meter, m1);
    assert_int_equal(place.role, ROLE_METER_REGISTER);
    assert_string_equal(place.building, "b2");
    assert_string_equal(place.site, "s1");
    assert_int_equal(place.from_ms, y2024);
    assert_int_equal(place.until_ms, y2025);
    place = park_place(park, "gw-a", "r", y2025); /* between two devices */
    assert_null(place.meter);
    assert_string_equal(place.building, "b1");
    assert_int_equal(place.from_ms, y2025);
    assert_int_equal(place.until_ms, y2026);
    place = park_place(park, "gw-a", "r", 0);
    assert_null(place.meter);
    assert_int_equal(place.until_ms, y2024);
    assert_ptr_equal(park_place(park, "gw-a", "r", y2026).meter, m1);
    assert_int_equal(park_place(park, "gw-a", "p", 0).role, ROLE_METER_POWER);
    place = park_place(park, "gw-b", "r", y2026); /* another gateway, of no building */
    assert_int_equal(place.role, ROLE_UNMAPPED);
    assert_string_equal(place.site, "s1");
    assert_null(place.building);
    place = park_place(park, "gw-none", "r", y2026);
    assert_null(place.site);
    assert_null(park_gateway_find(park, "gw-none"));
    park_destroy(park);
}

static void test_ten_thousand_points_are_all_found(void **state)
{
    (void)state;
    struct buf text = {0};
    buf_add_str(&text, BASE "meters = (\n");
    for (int i = 0; i < 10000; i++)
        buf_printf(&text,
            "%s{id=\"m%d\"; name=\"m\"; name_en=\"m\"; building=\"b1\"; carrier=\"heat\"; "
            "power=\"gw-%c/p.%d\";}",
            i ? "," : "", i, i % 2 ? 'a' : 'b', i / 2);
    buf_add_str(&text, ");\n");
    struct park *park = load(text.data);
    assert_int_equal(conf_problem_count(park->conf), 0);
    const struct park_meter *meters = park->meters.items;
    for (int i = 0; i < 10000; i++) {
        char point[16];
        snprintf(point, sizeof point, "p.%d", i / 2);
        assert_ptr_equal(park_place(park, i % 2 ? "gw-a" : "gw-b", point, 0).meter, &meters[i]);
    }
    park_destroy(park);
    buf_release(&text);
}

static void test_every_mistake_is_one_line_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"sites = ( { id = \"s1\"; name = \"x\"; name_en = \"x\";\n zone = \"Asia/../Asia/Shanghai\"; },\n"
         "{ id = \"s1\"; name = \"x\"; name_en = \"x\"; zone = \"Mars/Olympus\"; } );\n",
            "2: sites[0].zone: \"Asia/../Asia/Shanghai\" is not a time zone of this system; expected an IANA "
            "name such as "
            "Asia/Shanghai\n"
            "3: sites[1].id: \"s1\" is already the id of sites[0]; expected an id of its own\n"
            "3: sites[1].zone: \"Mars/Olympus\" is not a time zone of this system; expected an IANA name "
            "such as "
            "Asia/Shanghai\n"},
        {SITE "buildings = ( { id = \"b\"; name = \"x\"; name_en = \"x\";\n\n site = \"s2\"; } );\n",
            "4: buildings[0].site: unknown site \"s2\"; expected one of s1\n"},
        {BASE
            "spaces = ( { id = \"x\"; name = \"x\"; name_en = \"x\"; building = \"b1\"; open = \"8-18\"; },\n"
            "{ id = \"y\"; name = \"x\"; name_en = \"x\"; building = \"b1\"; open = \"08:00-08:00\"; },\n"
            "{ id = \"z\"; name = \"x\"; name_en = \"x\"; building = \"b1\"; open = \"00:00-24:00\"; } );\n",
            "6: spaces[0].open: \"8-18\" are not opening hours; expected from-to within a day, such as "
            "\"08:00-18:00\", or \"Mon-Fri 08:00-18:00, Sat 09:00-12:00\"\n"
            "7: spaces[1].open: \"08:00-08:00\" are not opening hours; expected from-to within a day, such "
            "as \"08:00-18:00\", or \"Mon-Fri 08:00-18:00, Sat 09:00-12:00\"\n"},
        {BASE "meters = (\n" METER("m", "tenant = \"t\"; parent = \"q\"; power = \"gw-a/p\"; ") " );\n",
            "7: meters[0].tenant: unknown tenant \"t\"; expected one of none: there is no such list in this "
            "file\n"
            "7: meters[0].parent: unknown meter \"q\"; expected one of m\n"},
        {BASE "meters = (\n" METER("m1", "power = \"gw-a/1\"; parent = \"m2\"; ") ",\n" METER(
             "m2", "power = \"gw-a/2\"; parent = \"m1\"; ") ",\n" METER("m3",
             "power = \"gw-a/3\"; parent = \"m1\"; ") " );\n",
            "7: meters[0].parent: goes round in a circle (m1 -> m2 -> m1); expected a tree\n"},
        {BASE "meters = (\n" METER("m1", "power = \"gw-a/1\"; parent = \"m1\"; ") " );\n",
            "7: meters[0].parent: goes round in a circle (m1 -> m1); expected a tree\n"},
        {BASE "meters = (\n" METER(
             "m1", "power = \"gw-a/1\"; ") ",\n"
                                           "{ id = \"m2\"; name = \"x\"; name_en = \"x\"; building = \"b1\"; "
                                           "carrier = \"heat\";\n parent = \"m1\";\n"
                                           " power = \"gw-a/2\"; } );\n",
            "9: meters[1].parent: \"m1\" measures electricity; expected a meter of heat\n"},
        {BASE "meters = (\n" METER(
             "m1", "segments = ( " SEGMENT(FROM(2026) "point = \"gw-a/r\"; ") " ); ") ",\n" METER("m2",
             "segments = ( " SEGMENT(
                 FROM(2024) UNTIL(2025) "point = \"gw-a/r\"; ") " ); power = \"gw-a/q\";") ",\n" METER("m3",
             "power = \"gw-a/q\"; ") ",\n" METER("m4", "power = \"gw-a/r\"; ") " );\n",
            "8: meters[1].segments[0].point: gw-a/r is already the register of meters[0]; expected a point "
            "of its own\n"
            "9: meters[2].power: gw-a/q is already the power of meters[1]; expected a point of its own\n"
            "10: meters[3].power: gw-a/r is already the register of meters[0]; expected a point of its "
            "own\n"},
        {BASE "meters = (\n" METER("m1", "segments = ( " SEGMENT(FROM(2026)) " ); ") ",\n" METER(
             "x1", "export_of = \"m1\"; parent = \"m1\"; item = \"01000\"; segments = ( " SEGMENT(
                       FROM(2026)) " ); ") ",\n" METER("x2",
             "export_of = \"x1\"; power = \"gw-a/1\"; ") ",\n" METER("m2",
             "parent = \"x2\"; power = \"gw-a/2\"; ") ",\n"
                                                      "{ id = \"x3\"; name = \"m\"; name_en = \"M\"; "
                                                      "building = \"b1\"; carrier = \"heat\"; export_of = "
                                                      "\"m2\"; power = "
                                                      "\"gw-a/3\"; } );\n",
            "8: meters[1].parent: with export_of it has the place of \"m1\"; expected none of its own\n"
            "8: meters[1].item: with export_of it has the place of \"m1\"; expected none of its own\n"
            "9: meters[2].export_of: \"x1\" is itself the export of a meter; expected one that counts what "
            "is drawn\n"
            "10: meters[3].parent: \"x2\" counts what flows back; expected the meter that it is export_of\n"
            "11: meters[4].export_of: \"m2\" measures electricity; expected a meter of heat\n"
            "11: meters[4].building: \"b1\" is not that of \"m2\"; expected b2\n"
            "11: meters[4].export_of: \"m2\" has no register; expected a meter with segments\n"},
        {BASE "meters = (\n" METER("m1", "power = \"gw-c/p\"; ") ",\n" METER(
             "m2", "power = \"b1.main\"; ") ",\n" METER("m3", "power = \"gw-a/a/b\"; ") ",\n" METER("m4",
             "power = \"gw-a/\"; ") " );\n",
            "7: meters[0].power: unknown gateway \"gw-c\"; expected one of gw-a, gw-b\n"
            "8: meters[1].power: \"b1.main\" is not the address of a point; expected \"<gateway>/<point>\", "
            "such as "
            "\"gw-a/b1.main\"\n"
            "9: meters[2].power: \"gw-a/a/b\" is not the address of a point; expected \"<gateway>/<point>\", "
            "such as "
            "\"gw-a/b1.main\"\n"
            "10: meters[3].power: \"gw-a/\" is not the address of a point; expected \"<gateway>/<point>\", "
            "such as "
            "\"gw-a/b1.main\"\n"},
        {BASE "meters = (\n" METER(
             "m", "segments = (\n" SEGMENT(FROM(2024) UNTIL(2026) "point = \"gw-a/r\"; ") ",\n" SEGMENT(
                      FROM(2025) "point = \"gw-a/r\"; ") " ); ") " );\n",
            "9: meters[0].segments[1].from: overlaps meters[0].segments[0] (2024-01-01T00:00:00+08:00 to "
            "2026-01-01T00:00:00+08:00); expected one device at a time\n"},
        {BASE
            "meters = (\n" METER("m", "segments = (\n" SEGMENT(FROM(2026) UNTIL(2026)) ",\n" SEGMENT(
                                          "from = "
                                          "\"2026-02-30T00:00:00+08:"
                                          "00\"; ") ",\n" SEGMENT("from = \"2026-01-01\"; ") " ); ") " );\n",
            "8: meters[0].segments[0].until: is not later than from; expected a time after "
            "2026-01-01T00:00:00+08:00\n"
            "9: meters[0].segments[1].from: \"2026-02-30T00:00:00+08:00\" is not a time; expected one with "
            "its offset, "
            "such as 2026-01-01T00:00:00+08:00\n"
            "10: meters[0].segments[2].from: \"2026-01-01\" is not a time; expected one with its offset, "
            "such as "
            "2026-01-01T00:00:00+08:00\n"},
        {BASE "meters = (\n" METER(
             "m", "segments = (\n" SEGMENT(FROM(2026) "ct = \"1000/5\"; ") " ); ") " );\n",
            "8: meters[0].segments[0].registers: is missing beside ct or pt; expected \"primary\" where the "
            "registers "
            "already count the primary side, else \"secondary\"\n"},
        {BASE "meters = (\n" METER("m",
             "segments = (\n" SEGMENT(
                 FROM(2026) UNTIL(2027) "modulus = 5000000000;\n start = 5000000000;\n "
                                        "end = 4999999999; ") ",\n" SEGMENT(FROM(2027) "modulus = 0;\n end = "
                                                                                       "1; ") " ); ") " );\n",
            "9: meters[0].segments[0].start: 5000000000 is not below the modulus; expected at most "
            "4999999999\n"
            "11: meters[0].segments[1].modulus: 0 is out of range; expected 1 to 1000000000000000 base "
            "units\n"
            "12: meters[0].segments[1].end: is given without until; expected both or neither\n"},
        {BASE "meters = (\n" METER("m", "") " );\n",
            "7: meters[0]: has neither segments nor power; expected at least one\n"},
        {"sites = ( { id = \"s1\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; },\n"
         "{ id = \"s2\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; } );\n" BUILDING
         "gateways = ( { id = \"g\"; name = \"x\"; name_en = \"x\"; site = \"s2\"; building = \"b1\"; } );\n",
            "5: gateways[0].building: \"b1\" stands on site s1; expected a building of site s2\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(cases[i].text, cases[i].expected);
}

#define THREE                                                                                               \
    "meters = (\n" METER("m1", "segments = ( " SEGMENT(FROM(2026)) " );") ",\n" METER(                      \
        "m2", "segments = ( " SEGMENT(FROM(2026)) " );") ",\n" METER("m3",                                  \
        "power = \"gw-a/p\";") ",\n"                                                                        \
                               "{ id = \"w\"; name = \"m\"; name_en = \"M\"; building = \"b1\"; carrier = " \
                               "\"water\"; "                                                                \
                               "segments = ( " SEGMENT(FROM(2026)) " ); }\n);\n" /* six more lines */
#define VIRTUAL(id, rest) "{ id = \"" id "\"; name = \"v\"; name_en = \"V\"; building = \"b1\"; " rest "}"

static void test_virtual_meters_come_to_signed_meters(void **state)
{
    (void)state;
    struct park *park = load(BASE THREE "virtual_meters = (\n" VIRTUAL(
        "v1", "plus = (\"m2\"); minus = (\"v2\"); tenant = \"t\";") ",\n" VIRTUAL("v2",
        "plus = (\"m1\");") ");\ntenants = ( { id = \"t\"; name = \"t\"; name_en = \"t\"; } );\n");
    assert_int_equal(conf_problem_count(park->conf), 0);
    const struct park_virtual *v = park_virtual_find(park, "v1");
    assert_int_equal(v->term_count, 2);
    assert_string_equal(v->terms[0].meter->id, "m2");
    assert_int_equal(v->terms[0].sign, 1);
    assert_string_equal(v->terms[1].meter->id, "m1");
    assert_int_equal(v->terms[1].sign, -1);
    assert_int_equal(v->carrier, CARRIER_ELECTRICITY);
    assert_string_equal(v->tenant->id, "t");
    assert_null(park_virtual_find(park, "m1"));
    park_destroy(park);
}

static void test_virtual_meters_that_make_no_sense_are_mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {VIRTUAL("v", "plus = (\"m9\"); minus = (\"m8\");"),
            "13: virtual_meters[0].plus: unknown meter \"m9\"; expected ids of meters or virtual meters\n"
            "13: virtual_meters[0].minus: unknown meter \"m8\"; expected ids of meters or virtual meters\n"},
        {VIRTUAL("v", "minus = (\"m1\");"), "13: virtual_meters[0].plus: is missing; expected ids of meters, "
                                            "virtual ones too, that it adds up\n"},
        {VIRTUAL("v", "plus = ();"), "13: virtual_meters[0].plus: is empty; expected at least one meter\n"},
        {VIRTUAL("v", "plus = (\"m1\", \"w\");"), "13: virtual_meters[0].plus: \"w\" measures water, \"m1\" "
                                                  "electricity; expected meters of one carrier\n"},
        {VIRTUAL("v", "plus = (\"m3\");"),
            "13: virtual_meters[0].plus: \"m3\" has no register; expected meters with segments\n"},
        {VIRTUAL("v", "plus = (\"m1\"); minus = (\"m2\", \"m1\");"),
            "13: virtual_meters[0].minus: counts \"m1\" a second time; expected each meter once\n"},
        {VIRTUAL("a", "plus = (\"m1\");") ",\n" VIRTUAL("b", "plus = (\"a\", \"m1\");"),
            "14: virtual_meters[1].plus: counts \"m1\" a second time; expected each meter once\n"},
        {VIRTUAL("m1", "plus = (\"m2\");"),
            "13: virtual_meters[0].id: \"m1\" is already the id of meters[0]; expected an id of its own\n"},
        {VIRTUAL("v", "plus = (\"v\");"),
            "13: virtual_meters[0]: goes round in a circle (v -> v); expected meters in the end\n"},
        {VIRTUAL("z", "plus = (\"a\");") ",\n" VIRTUAL(
             "a", "plus = (\"m1\"); minus = (\"b\");") ",\n" VIRTUAL("b",
             "plus = (\"c\");") ",\n" VIRTUAL("c", "plus = (\"a\");") ",\n" VIRTUAL("d", "plus = (\"c\");"),
            "14: virtual_meters[1]: goes round in a circle (a -> b -> c -> a); expected meters in the end\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = mem_printf("%svirtual_meters = (\n%s\n);\n", BASE THREE, cases[i].text);
        expect(text, cases[i].expected);
        free(text);
    }
    expect(
        "sites = ( { id = \"s1\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; },"
        "{ id = \"s2\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; } );\n"
        "buildings = ( { id = \"b1\"; name = \"1\"; name_en = \"B1\"; site = \"s1\"; },"
        "{ id = \"b2\"; name = \"2\"; name_en = \"B2\"; site = \"s2\"; } );\n"
        "meters = (" METER("m1", "segments = ( " SEGMENT(FROM(2026)) " );") ");\n"
                                                                            "virtual_meters = (" VIRTUAL("v",
                                                                                "plus = (\"m1\");") ");\n",
        "4: virtual_meters[0].plus: \"m1\" is on another site; expected meters of site s1\n");
}

static void test_a_long_list_of_ids_is_shortened(void **state)
{
    (void)state;
    struct buf text = {0};
    buf_add_str(&text, SITE "buildings = (\n");
    for (int i = 1; i <= 12; i++)
        buf_printf(
            &text, "%s{ id = \"b%d\"; name = \"x\"; name_en = \"x\"; site = \"s1\"; }", i > 1 ? "," : "", i);
    buf_add_str(
        &text, ");\nspaces = ( { id = \"x\"; name = \"x\"; name_en = \"x\"; building = \"c\"; } );\n");
    expect(text.data, "4: spaces[0].building: unknown building \"c\"; expected one of b1, b2, b3, b4, b5, "
                      "... (12 in all)\n");
    buf_release(&text);
}

/* Whether `name` is written as a key of its own: "name =". */
static bool is_mentioned(const char *text, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = strstr(text, name); at; at = strstr(at + 1, name))
        if ((at == text || strchr(" \n{", at[-1])) && strncmp(at + length, " =", 2) == 0)
            return true;
    return false;
}

static void expect_all_keys(const char *text, const struct conf_section *section)
{
    for (const struct conf_key *key = section->keys; key->name; key++) {
        if (!is_mentioned(text, key->name))
            fail_msg("config/park.cfg does not mention %s", key->name);
        if (key->section)
            expect_all_keys(text, key->section);
    }
}

static void test_the_example_loads_and_mentions_every_key(void **state)
{
    (void)state;
    const char *source = getenv("PARKMON_SOURCE");
    char *path = mem_printf("%s/config/park.cfg", source ? source : ".");
    struct park *park = park_load(path);
    conf_print_problems(park->conf, stderr);
    assert_int_equal(conf_problem_count(park->conf), 0);
    assert_int_equal(park->meters.count, 4);
    park_destroy(park);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    static char text[65536];
    assert_true(fread(text, 1, sizeof text - 1, in) > 0);
    fclose(in);
    free(path);
    expect_all_keys(text, &park_section);
}

static void test_a_missing_file_is_a_problem_not_a_crash(void **state)
{
    (void)state;
    struct park *park = park_load("/nonexistent/park.cfg");
    assert_int_equal(conf_problem_count(park->conf), 1);
    park_destroy(park);
    park_destroy(NULL);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(file, sizeof file, "%s/park.cfg", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_file_says_what_each_point_is),
        cmocka_unit_test(test_ten_thousand_points_are_all_found),
        cmocka_unit_test(test_every_mistake_is_one_line_with_its_place),
        cmocka_unit_test(test_virtual_meters_come_to_signed_meters),
        cmocka_unit_test(test_virtual_meters_that_make_no_sense_are_mistakes),
        cmocka_unit_test(test_a_long_list_of_ids_is_shortened),
        cmocka_unit_test(test_the_example_loads_and_mentions_every_key),
        cmocka_unit_test(test_a_missing_file_is_a_problem_not_a_crash),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
