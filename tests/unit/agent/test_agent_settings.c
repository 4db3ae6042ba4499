#include "agent/drivers/modbus_settings.h"
#include "agent/settings.h"
#include "tests/unit/settings_file.h"

#define POINT "{ kind = \"gauge\"; address = 1; type = \"u16\"; unit = \"W\"; "
#define DEVICE(keys) "{ " keys " points = ( " POINT "} ); }"
#define BUS(name, keys, devices) \
    "{ name = \"" name "\"; driver = \"modbus_tcp\"; host = \"h\"; " keys " devices = (\n" devices ");}"
#define HEAD "gateway = \"gw-a\"; spool: { path = \"s\"; };\n"

static struct conf *load(const char *text, struct agent_settings *ret)
{
    char *path = settings_write("a.cfg", text);
    struct conf *c = agent_settings_load(path, ret);
    agent_settings_check_access(c, ret);
    free(path);
    return c;
}

static void expect(const char *text, const char *expected)
{
    struct agent_settings settings;
    settings_expect_problems(load(text, &settings), text, expected);
}

static void test_little_must_be_said(void **state)
{
    (void)state;
    struct agent_settings settings;
    struct conf *c =
        load(HEAD "buses = (" BUS("b", "", DEVICE("name = \"d\"; prefix = \"p\";")) ");", &settings);
    char *problems = settings_problems(c), *spool = settings_path("s");
    assert_string_equal(problems, "");
    assert_string_equal(settings.gateway, "gw-a");
    assert_int_equal(settings.clock, 0);
    assert_string_equal(settings.broker.host, "127.0.0.1");
    assert_int_equal(settings.broker.port, 1883);
    assert_string_equal(settings.broker.user, "gw-a");
    assert_null(settings.broker.password_file);
    assert_string_equal(settings.spool.path, spool);
    assert_int_equal(settings.spool.limit_mib, 512);
    assert_int_equal(settings.spool.commit_ms, 2000);
    const struct bus_settings *bus = settings.buses.items;
    assert_ptr_equal(bus->driver, &driver_modbus_tcp);
    assert_int_equal(bus->timeout_ms, 1000);
    const struct device_settings *device = bus->devices.items;
    assert_ptr_equal(device->bus, bus);
    assert_ptr_equal(device->driver, &driver_modbus_tcp);
    assert_int_equal(device->every_ms, 60000);
    const struct point_settings *point = device->points.items;
    assert_string_equal(point->point, "p");
    assert_int_equal(((const struct modbus_point_settings *)point->extra)->address, 1);
    free(spool);
    free(problems);
    conf_destroy(c);
}

static void test_periods_and_timeouts_are_integers_or_decimals(void **state)
{
    (void)state;
    struct agent_settings settings;
    struct conf *c = load(HEAD "buses = (" BUS("b", "timeout = 0.25;",
                              DEVICE("name = \"d1\"; prefix = \"p1\"; every = 0.5;") ",\n" DEVICE(
                                  "name = \"d2\"; prefix = \"p2\"; every = 900;")) ");",
        &settings);
    assert_int_equal(conf_problem_count(c), 0);
    const struct bus_settings *bus = settings.buses.items;
    const struct device_settings *devices = bus->devices.items;
    assert_int_equal(bus->timeout_ms, 250);
    assert_int_equal(devices[0].every_ms, 500);
    assert_int_equal(devices[1].every_ms, 900000);
    conf_destroy(c);
}

static void test_a_register_map_adds_its_points_to_each_device(void **state)
{
    (void)state;
    free(settings_write("m.map", "points = ( " POINT "}, " POINT "name = \"x\"; } );"));
    struct agent_settings settings;
    struct conf *c = load(HEAD "buses = (" BUS("b", "",
                              "{ name = \"d1\"; prefix = \"p1\"; map = \"m.map\"; },"
                              "{ name = \"d2\"; prefix = \"p2\"; map = \"m.map\";\n"
                              "points = ( " POINT "name = \"own\"; } ); }") ");",
        &settings);
    char *problems = settings_problems(c);
    assert_string_equal(problems, "");
    const struct bus_settings *bus = settings.buses.items;
    const struct device_settings *devices = bus->devices.items;
    const struct point_settings *first = devices[0].points.items, *second = devices[1].points.items;
    assert_int_equal(devices[0].points.count, 2);
    assert_string_equal(first[0].point, "p1");
    assert_string_equal(first[1].point, "p1.x");
    assert_int_equal(devices[1].points.count, 3);
    assert_string_equal(second[0].point, "p2.own");
    assert_string_equal(second[2].point, "p2.x");
    free(problems);
    conf_destroy(c);
}

static void test_a_mistake_in_a_shared_map_is_told_once(void **state)
{
    (void)state;
    free(settings_write(
        "bad.map", "points = (\n" POINT "name = \"x\"; },\n" POINT "name = \"x\"; colour = 1; }\n);"));
    expect(HEAD "buses = (" BUS("b", "",
               "{ name = \"d1\"; prefix = \"p1\"; map = \"bad.map\"; },\n"
               "{ name = \"d2\"; prefix = \"p2\"; map = \"bad.map\"; }") ");",
        "bad.map:3: points[1].colour: unknown key; expected one of name, kind, function, address, type, bit, "
        "order, scale, "
        "unit, base, states, invalid\n"
        "bad.map:3: points[1].name: point \"x\" is in this map twice; expected once\n");
    free(settings_write("empty.map", ""));
    expect(HEAD "buses = (" BUS("b", "", "{ name = \"d1\"; map = \"empty.map\"; }") ");",
        "empty.map:1: points: is missing; expected what to read\n");
}

static void test_names_are_told_apart(void **state)
{
    (void)state;
    free(settings_write("m.map", "points = ( " POINT "name = \"x\"; } );"));
    expect(HEAD
        "buses = (\n" BUS("b", "", DEVICE("name = \"d\"; prefix = \"p\";")) ",\n" BUS("b", "",
            DEVICE(
                "name = \"d\"; prefix = \"p\";") ",\n{ name = \"e\"; prefix = \"q\"; map = \"m.map\"; },\n"
                                                 "{ name = \"f\"; prefix = \"q\"; map = \"m.map\"; }") ");",
        "a.cfg:5: buses[1].name: bus \"b\" is also at line 3; expected once\n"
        "a.cfg:6: buses[1].devices[0].name: device \"d\" is also at line 4; expected once\n"
        "a.cfg:6: buses[1].devices[0].points[0].name: point \"p\" is also at line 4; expected once\n"
        "a.cfg:8: buses[1].devices[2].prefix: point \"q.x\" is also at line 7; expected once\n");
}

static void test_an_unknown_driver_is_one_mistake(void **state)
{
    (void)state;
    expect(HEAD "buses = ( { name = \"b\"; driver = \"abacus\"; beads = 10;\n"
                "devices = ( { name = \"d\"; colour = 2; points = ( { name = \"x\"; kind = \"gauge\"; row = "
                "3; } ); } ); } );",
        "a.cfg:2: buses[0].driver: \"abacus\" is not known; expected one of modbus_tcp\n");
    expect(HEAD
        "buses = ( { name = \"b\"; beads = 10;\n"
        "devices = ( { name = \"d\"; points = ( { name = \"x\"; kind = \"gauge\"; row = 3; } ); } ); } );",
        "a.cfg:2: buses[0].driver: is missing; expected how its devices are read: modbus_tcp\n");
}

static void test_an_unknown_kind_is_one_mistake(void **state)
{
    (void)state;
    expect(HEAD "buses = (" BUS("b", "",
               "{ name = \"d\"; prefix = \"p\"; points = (\n"
               "{ kind = \"counter\"; address = 1; type = \"u16\"; unit = \"W\"; } ); }") ");",
        "a.cfg:4: buses[0].devices[0].points[0].kind: \"counter\" is not known; expected one of register, "
        "gauge, state\n");
}

static void test_a_name_that_makes_no_point_is_told_where_it_stands(void **state)
{
    (void)state;
    expect(HEAD "buses = (" BUS("b", "", DEVICE("name = \"d\";")) ");",
        "a.cfg:3: buses[0].devices[0].points[0].name: makes the point \"\"; expected 1 to 64 of a-z 0-9 . _ "
        "-, starting with "
        "a letter or digit\n");
    free(settings_write("m.map", "points = ( " POINT "}, " POINT "name = \"x\"; } );"));
    expect(HEAD "buses = (" BUS("b", "", "{ name = \"d\"; map = \"m.map\"; }") ");",
        "a.cfg:3: buses[0].devices[0].prefix: makes the point \"\"; expected 1 to 64 of a-z 0-9 . _ -, "
        "starting with a "
        "letter or digit\n");
    expect(HEAD "buses = (" BUS("b", "", "{ name = \"d\"; prefix = \"B1\"; map = 5; }") ");",
        "a.cfg:3: buses[0].devices[0].map: is an integer; expected a string in double quotes\n"
        "a.cfg:3: buses[0].devices[0].points: is missing or empty; expected some points here, or in a "
        "`map`\n");
}

static void test_a_password_is_not_for_everyone(void **state)
{
    (void)state;
    free(settings_write_bytes("open", "secret\n", 7, 0644));
    free(settings_write_bytes("closed", "secret\n", 7, 0640));
    free(settings_write_bytes("blank", "\n", 1, 0600));
    static const struct {
        const char *file, *problem;
    } cases[] = {{"closed", NULL}, {"open", "open to every user of this machine (mode 644)"},
        {"blank", "empty first line"}, {"none", "No such file or directory"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = mem_printf(HEAD "broker: { password_file = \"%s\"; };\nbuses = (%s);", cases[i].file,
            BUS("b", "", DEVICE("name = \"d\"; prefix = \"p\";")));
        char *problem =
            cases[i].problem == NULL
                ? mem_strdup("")
                : mem_printf(
                      "a.cfg:2: broker.password_file: %s: %s; expected a file with the password in its "
                      "first line, which only its owner and group may read\n",
                      cases[i].file, cases[i].problem);
        expect(text, problem);
        free(problem);
        free(text);
    }
}

static void test_the_example_mentions_every_key(void **state)
{
    (void)state;
    char *text = settings_example("agent.cfg");
    settings_expect_all_keys(text, "config/agent.cfg", &agent_section);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_little_must_be_said),
        cmocka_unit_test(test_periods_and_timeouts_are_integers_or_decimals),
        cmocka_unit_test(test_a_register_map_adds_its_points_to_each_device),
        cmocka_unit_test(test_a_mistake_in_a_shared_map_is_told_once),
        cmocka_unit_test(test_names_are_told_apart),
        cmocka_unit_test(test_an_unknown_driver_is_one_mistake),
        cmocka_unit_test(test_an_unknown_kind_is_one_mistake),
        cmocka_unit_test(test_a_name_that_makes_no_point_is_told_where_it_stands),
        cmocka_unit_test(test_a_password_is_not_for_everyone),
        cmocka_unit_test(test_the_example_mentions_every_key),
    };
    return cmocka_run_group_tests(tests, settings_make_folder, settings_remove_folder);
}
