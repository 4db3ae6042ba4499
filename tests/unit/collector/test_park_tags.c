/* What meters and gateways are at a time, as `changes` say. */
#include "collector/model/park.h"
#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/rfc3339.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define NAMED(id) "id = \"" id "\"; name = \"x\"; name_en = \"x\"; "
#define SITES "sites = ( { " NAMED("s1") "zone = \"UTC\"; }, { " NAMED("s2") "zone = \"UTC\"; } );\n"
#define BUILDINGS                                                                                   \
    "buildings = ( { " NAMED("b1") "site = \"s1\"; }, { " NAMED("b2") "site = \"s1\"; }, { " NAMED( \
        "far") "site = \"s2\"; } );\n"
#define TENANTS "tenants = ( { " NAMED("t1") "}, { " NAMED("t2") "} );\n"
#define BASE SITES BUILDINGS TENANTS
#define GATEWAYS(rest) "gateways = ( { " NAMED("gw") "site = \"s1\"; building = \"b1\"; " rest " } );\n"
#define METER(id, rest) "{ " NAMED(id) "building = \"b1\"; carrier = \"electricity\"; " rest " }"
#define SEGMENTS(point)                                                                                 \
    "segments = ( { serial = \"1\"; from = \"2020-01-01T00:00:00Z\"; max_rate = 1; point = \"gw/" point \
    "\"; } );"
#define PARK(meters) BASE GATEWAYS("") "meters = ( " meters " );\n"

static struct park *load(const char *text)
{
    struct park *park = park_load_text("park.cfg", span_of(text));
    conf_print_problems(park->conf, stderr);
    assert_int_equal(conf_problem_count(park->conf), 0);
    return park;
}

static int64_t at(const char *time)
{
    int64_t time_ms = 0;
    assert_true(rfc3339_parse(time, &time_ms));
    return time_ms;
}

static const char *or_none(const char *text)
{
    return text != NULL ? text : "-";
}

static void expect_tags(const struct park *park, const char *meter, const char *time, const char *expected)
{
    struct park_tags tags = park_tags_at(park_meter_find(park, meter), at(time));
    char *found = mem_printf("%s %s %s %s", tags.building_id, or_none(tags.tenant_id),
        or_none(tags.parent_id), or_none(tags.item));
    assert_string_equal(found, expected);
    assert_string_equal(tags.building->id, tags.building_id);
    assert_string_equal(or_none(tags.tenant ? tags.tenant->id : NULL), or_none(tags.tenant_id));
    assert_string_equal(or_none(tags.parent ? tags.parent->id : NULL), or_none(tags.parent_id));
    assert_true(tags.from_ms <= at(time) && at(time) < tags.until_ms);
    free(found);
}

static void expect_problems(const char *text, const char *expected)
{
    struct park *park = park_load_text("park.cfg", span_of(text));
    char *found = NULL;
    size_t size;
    FILE *out = open_memstream(&found, &size);
    conf_print_problems(park->conf, out);
    fclose(out);
    assert_string_equal(found, expected);
    free(found);
    park_destroy(park);
}

/* In another order than that of time. */
#define MOVING                                                                     \
    "tenant = \"t1\"; parent = \"up\"; item = \"01A00\"; changes = (\n"            \
    "{ from = \"2026-03-01T00:00:00+08:00\"; tenant = \"t2\"; parent = \"\"; },\n" \
    "{ from = \"2026-01-01T00:00:00+08:00\"; tenant = \"\"; },\n"                  \
    "{ from = \"2026-06-01T00:00:00Z\"; building = \"b2\"; parent = \"up\"; item = \"01B00\"; } );"

static void test_tags_are_those_in_force_at_the_time(void **state)
{
    (void)state;
    struct park *park = load(PARK(METER("up", SEGMENTS("u")) ", " METER("m", MOVING SEGMENTS("m"))));
    expect_tags(park, "m", "1980-01-01T00:00:00Z", "b1 t1 up 01A00");
    expect_tags(park, "m", "2025-12-31T15:59:59.999Z", "b1 t1 up 01A00");
    expect_tags(park, "m", "2025-12-31T16:00:00Z", "b1 - up 01A00");
    expect_tags(park, "m", "2026-02-28T15:59:59.999Z", "b1 - up 01A00");
    expect_tags(park, "m", "2026-02-28T16:00:00Z", "b1 t2 - 01A00");
    expect_tags(park, "m", "2026-06-01T00:00:00Z", "b2 t2 up 01B00");
    expect_tags(park, "m", "2099-01-01T00:00:00Z", "b2 t2 up 01B00");
    expect_tags(park, "up", "2026-06-01T00:00:00Z", "b1 - - -");
    /* From one change to the next. */
    static const char *const changes[] = {
        "2020-01-01T00:00:00Z", "2025-12-31T16:00:00Z", "2026-02-28T16:00:00Z", "2026-06-01T00:00:00Z"};
    int64_t time_ms = 0;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(time_ms = park_next_change_ms(park, time_ms), at(changes[i]));
    assert_int_equal(park_next_change_ms(park, time_ms), INT64_MAX);
    park_destroy(park);
}

static void test_a_meter_is_there_from_the_quarter_hour_of_its_first_segment_to_that_of_its_last(void **state)
{
    (void)state;
    static const char two[] =
        "segments = ( { serial = \"1\"; from = \"2025-03-01T08:07:00Z\"; until = "
        "\"2025-04-01T00:00:00Z\"; max_rate = 1; point = \"gw/m\"; }, { serial = \"2\"; "
        "from = \"2025-05-01T00:00:00Z\"; until = \"2025-06-01T08:07:00Z\"; max_rate = 1; "
        "point = \"gw/m\"; } );";
    char *text = mem_printf(PARK(METER("up", SEGMENTS("u")) ", { " NAMED(
                                "m") "building = \"b1\"; carrier = \"electricity\"; %s }"),
        two);
    struct park *park = load(text);
    const struct park_meter *m = park_meter_find(park, "m"), *up = park_meter_find(park, "up");
    static const char *const there[] = {"2025-03-01T08:00:00Z", "2025-04-15T00:00:00Z",
        "2025-06-01T08:14:59.999Z"},
                             *const not_there[] = {"2025-03-01T07:59:59.999Z", "2025-06-01T08:15:00Z"};
    for (size_t i = 0; i < 3; i++)
        assert_true(park_is_installed(m, at(there[i])));
    for (size_t i = 0; i < 2; i++)
        assert_false(park_is_installed(m, at(not_there[i])));
    assert_int_equal(park_stay(up).until_ms, INT64_MAX);
    assert_false(park_is_installed(&(struct park_meter){0}, 0));
    static const char *const changes[] = {
        "2020-01-01T00:00:00Z", "2025-03-01T08:00:00Z", "2025-06-01T08:15:00Z"};
    int64_t time_ms = 0;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(time_ms = park_next_change_ms(park, time_ms), at(changes[i]));
    assert_int_equal(park_next_change_ms(park, time_ms), INT64_MAX);
    park_destroy(park);
    free(text);
}

static void expect_place(const struct park *park, const char *point, const char *time, const char *site,
    const char *building, const char *from, const char *until)
{
    struct park_place place = park_place(park, "gw", point, at(time));
    assert_string_equal(place.site, site);
    assert_string_equal(or_none(place.building), building);
    assert_int_equal(place.from_ms, from != NULL ? at(from) : INT64_MIN);
    assert_int_equal(place.until_ms, until != NULL ? at(until) : INT64_MAX);
}

static void test_a_reading_is_where_its_meter_and_its_gateway_were(void **state)
{
    (void)state;
    struct park *park = load(BASE GATEWAYS(
        "changes = ( { from = \"2026-05-01T00:00:00Z\"; building = \"\"; },\n"
        "{ from = \"2026-07-01T00:00:00Z\"; site = \"s2\"; building = \"far\"; } );") "meters = ( " METER("u"
                                                                                                          "p",
        SEGMENTS("u")) ", " METER("m", MOVING SEGMENTS("m")) " );\n");
    /* A meter's, cut by what the gateway does too: a head is kept for as long as both are the same. */
    expect_place(
        park, "m", "2026-04-01T00:00:00Z", "s1", "b1", "2026-02-28T16:00:00Z", "2026-05-01T00:00:00Z");
    expect_place(
        park, "m", "2026-06-02T00:00:00Z", "s1", "b2", "2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z");
    /* Another point is where its gateway stands. */
    expect_place(park, "x", "2026-04-30T23:59:59.999Z", "s1", "b1", NULL, "2026-05-01T00:00:00Z");
    expect_place(
        park, "x", "2026-05-01T00:00:00Z", "s1", "-", "2026-05-01T00:00:00Z", "2026-07-01T00:00:00Z");
    expect_place(park, "x", "2026-07-01T00:00:00Z", "s2", "far", "2026-07-01T00:00:00Z", NULL);
    park_destroy(park);
}

#define ROW(rest) \
    PARK(METER("up", SEGMENTS("u")) ",\n" METER("m", "changes = ( { " rest " } );" SEGMENTS("m")))
#define AT "park.cfg:6: meters[1].changes[0]"

static void test_what_is_wrong_with_a_change_is_said(void **state)
{
    (void)state;
    expect_problems(ROW("tenant = \"t2\";"),
        AT ".from: is missing; expected from when on, such as "
           "\"2026-03-01T00:00:00+08:00\": the begin of a quarter hour\n");
    expect_problems(ROW("from = \"2026-03-01\"; tenant = \"t2\";"),
        AT ".from: \"2026-03-01\" is not a time; expected one with its offset, such as "
           "2026-01-01T00:00:00+08:00\n");
    expect_problems(ROW("from = \"2026-03-01T00:10:00Z\"; tenant = \"t2\";"), AT
        ".from: \"2026-03-01T00:10:00Z\" divides a quarter hour; expected its begin, such as 00:00, 00:15\n");
    expect_problems(ROW("from = \"2026-03-01T00:00:00Z\";"),
        AT ": changes nothing; expected building, tenant, parent or item\n");
    expect_problems(ROW("from = \"2026-03-01T00:00:00Z\"; tenant = \"nobody\";"),
        AT ".tenant: unknown tenant \"nobody\"; expected one of t1, t2\n");
    expect_problems(ROW("from = \"2026-03-01T00:00:00Z\"; carrier = \"gas\";"),
        AT ".carrier: unknown key; expected one of from, building, tenant, parent, item\n" AT
           ": changes nothing; expected building, tenant, parent or item\n");
    expect_problems(ROW("from = \"2026-03-01T00:00:00Z\"; tenant = \"t1\"; }, { from = "
                        "\"2026-03-01T08:00:00+08:00\"; item = \"1\";"),
        "park.cfg:6: meters[1].changes[1].from: is that of meters[1].changes[0] as well; expected one row "
        "for a time\n");
    expect_problems(ROW("from = \"2026-03-01T00:00:00Z\"; building = \"far\"; parent = \"up\";"),
        AT ".parent: the parent \"up\" is then on another site; expected a meter of site s2\n");
    expect_problems(ROW("from = \"2026-03-01T00:00:00Z\"; parent = \"m\";"),
        AT ".parent: \"m\" is then below m itself; expected a tree\n");
    /* A circle that only a later change closes. */
    expect_problems(PARK(METER("a", "parent = \"b\";" SEGMENTS("a")) ",\n" METER("b",
                        "changes = ( { from = \"2026-03-01T00:00:00Z\"; parent = \"a\"; } );" SEGMENTS("b"))),
        "park.cfg:6: meters[1].changes[0].parent: \"a\" is then below b itself; expected a tree\n");
    struct park *park = load(PARK(METER(
        "a", "parent = \"b\"; changes = ( { from = \"2026-03-01T00:00:00Z\"; parent = \"\"; } );" SEGMENTS(
                 "a")) ",\n" METER("b",
        "changes = ( { from = \"2026-03-01T00:00:00Z\"; parent = \"a\"; } );" SEGMENTS("b"))));
    park_destroy(park);
    expect_problems(BASE GATEWAYS("changes = ( { from = \"2026-05-01T00:00:00Z\"; building = \"far\"; } );"),
        "park.cfg:4: gateways[0].changes[0].building: \"far\" stands on site s2; expected a building of site "
        "s1\n");
    expect_problems(BASE GATEWAYS("changes = ( { from = \"2026-05-01T00:00:00Z\"; } );"),
        "park.cfg:4: gateways[0].changes[0]: changes nothing; expected site or building\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tags_are_those_in_force_at_the_time),
        cmocka_unit_test(
            test_a_meter_is_there_from_the_quarter_hour_of_its_first_segment_to_that_of_its_last),
        cmocka_unit_test(test_a_reading_is_where_its_meter_and_its_gateway_were),
        cmocka_unit_test(test_what_is_wrong_with_a_change_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
