/* Settings of sources: every mistake by file, line and key. */
#include "agent/settings.h"
#include "tests/unit/settings_file.h"

#define HEAD "gateway = \"gw-a\"; spool: { path = \"s\"; };\n"
#define JSON(devices) \
    HEAD "sources = ( { name = \"m\"; source = \"mqtt_json\"; devices = (\n" devices " ); } );"

static void expect(const char *text, const char *expected)
{
    struct agent_settings settings;
    char *path = settings_write("a.cfg", text);
    struct conf *c = agent_settings_load(path, &settings);
    agent_settings_check_access(c, &settings);
    free(path);
    settings_expect_problems(c, text, expected);
}

static void test_what_is_missing(void **state)
{
    (void)state;
    expect(HEAD, "a.cfg:1: buses: is missing; expected lines and connections to devices here, or what sends "
                 "by itself in "
                 "`sources`\n");
    expect(HEAD "sources = ( { name = \"m\"; source = \"mqtt\"; x = 1; } );",
        "a.cfg:2: sources[0].source: \"mqtt\" is not known; expected one of mqtt_json, session\n");
    expect(HEAD "sources = ( { name = \"m\"; source = \"mqtt_json\"; } );",
        "a.cfg:2: sources[0].devices: is missing; expected whose messages to take\n");
    expect(HEAD "sources = ( { name = \"m\"; source = \"session\"; colour = 1; } );",
        "a.cfg:2: sources[0].colour: unknown key; expected one of name, source, socket, topic, broker, "
        "purposes, "
        "instruments\n"
        "a.cfg:2: sources[0].instruments: is missing; expected whose sessions are told here\n"
        "a.cfg:2: sources[0].socket: is missing; expected a socket or a `topic` on which events come\n");
}

static void test_a_device_says_enough(void **state)
{
    (void)state;
    expect(JSON("{ name = \"d\"; prefix = \"p\"; preset = \"tasmota\"; }"),
        "a.cfg:3: sources[0].devices[0].id: is missing; expected the device's name in the topics of preset "
        "tasmota\n");
    expect(JSON("{ name = \"d\"; prefix = \"p\"; topic = \"a\"; }"),
        "a.cfg:3: sources[0].devices[0].points: is missing or empty; expected what to pick from its "
        "messages\n");
    expect(JSON("{ name = \"d\"; prefix = \"p\"; points = ( { kind = \"state\"; } ); }"),
        "a.cfg:3: sources[0].devices[0].points[0].topic: is missing; expected one here or at the device, or "
        "a `preset`\n");
    expect(JSON("{ name = \"d\"; prefix = \"p\"; preset = \"shelly\"; id = \"x\"; }"),
        "a.cfg:3: sources[0].devices[0].preset: \"shelly\" is not known; expected one of none, chirpstack, "
        "vs133, vs132, "
        "zigbee2mqtt, zigbee2mqtt_plug, zigbee2mqtt_motion, tasmota, shelly_gen1, shelly_gen2\n"
        "a.cfg:3: sources[0].devices[0].points: is missing or empty; expected what to pick from its "
        "messages\n");
    expect(
        JSON("{ name = \"d\"; prefix = \"p\"; preset = \"tasmota\"; id = \"a/#\"; every = 60; alive = 30; }"),
        "a.cfg:3: sources[0].devices[0].alive: is shorter than `every`; expected at least 60 s\n"
        "a.cfg:3: sources[0].devices[0].id: makes the topic \"tele/a/#/SENSOR\"; expected one of MQTT: + a "
        "level of its own, # "
        "the last one\n");
}

static void test_points_are_told_apart(void **state)
{
    (void)state;
    expect(JSON("{ name = \"d\"; prefix = \"p\"; preset = \"tasmota\"; id = \"x\"; },\n"
                "{ name = \"d\"; prefix = \"P\"; topic = \"y\"; points = ( { kind = \"state\"; } ); },\n"
                "{ name = \"e\"; topic = \"z\"; points = ( { name = \"p.power\"; kind = \"state\"; } ); }"),
        "a.cfg:4: sources[0].devices[1].points[0].name: makes the point \"P\"; expected 1 to 64 of a-z 0-9 . "
        "_ -, starting "
        "with a letter or digit\n"
        "a.cfg:4: sources[0].devices[1].name: device \"d\" is also at line 3; expected once\n"
        "a.cfg:5: sources[0].devices[2].points[0].name: point \"p.power\" is also at line 3; expected "
        "once\n");
}

static void test_a_value_means_something(void **state)
{
    (void)state;
    expect(JSON("{ name = \"d\"; prefix = \"p\"; topic = \"a\"; points = (\n"
                "{ name = \"a\"; kind = \"register\"; },\n"
                "{ name = \"b\"; kind = \"gauge\"; unit = \"kWh\"; },\n"
                "{ name = \"c\"; kind = \"state\"; unit = \"W\"; states = [\"\"]; },\n"
                "{ name = \"d\"; kind = \"gauge\"; unit = \"W\"; states = [\"a\"]; },\n"
                "{ name = \"e\"; kind = \"register\"; unit = \"count\"; base = \"J\"; } ); }"),
        "a.cfg:4: sources[0].devices[0].points[0].unit: is missing; expected one of Wh, kWh, MWh, GWh, J, "
        "kJ, MJ, GJ, varh, "
        "kvarh, VAh, kVAh, s, L, m3, count\n"
        "a.cfg:5: sources[0].devices[0].points[1].unit: \"kWh\" does not fit this kind; expected one of s, "
        "L, m3, count, W, kW, "
        "MW, var, kvar, VA, kVA, degC, V, A, Hz, %, ppm, ppb, ug/m3, lx, dB, Pa, hPa, kPa, bar, m/s, L/h, "
        "m3/h, 1\n"
        "a.cfg:6: sources[0].devices[0].points[2].unit: does not fit kind state; expected only for registers "
        "and gauges\n"
        "a.cfg:6: sources[0].devices[0].points[2].states: text 0 is not usable; expected 1 to 256 bytes of "
        "printable UTF-8\n"
        "a.cfg:7: sources[0].devices[0].points[3].states: does not fit kind gauge; expected only for kind "
        "state\n"
        "a.cfg:8: sources[0].devices[0].points[4].base: does not fit unit \"count\"; expected only for "
        "energy\n");
}

static void test_what_is_kept_must_tell_its_time(void **state)
{
    (void)state;
    expect(HEAD "sources = ( { name = \"m\"; source = \"mqtt_json\"; keep = 60; devices = (\n"
                "{ name = \"d\"; prefix = \"p\"; preset = \"tasmota\"; id = \"x\"; },\n"
                "{ name = \"e\"; prefix = \"q\"; preset = \"vs133\"; id = \"x\"; } ); } );",
        "a.cfg:3: sources[0].devices[0].time: is missing; expected one where `keep` is set: what came late "
        "would be dated when "
        "it came\n");
}

static void test_sessions(void **state)
{
    (void)state;
    expect(HEAD "sources = ( { name = \"k\"; source = \"session\"; topic = \"a/+\"; purposes = [\"Dr. "
                "Who\"]; instruments = (\n"
                "{ name = \"a\"; point = \"p\"; },\n{ name = \"a\"; point = \"p\"; } ); } );",
        "a.cfg:2: sources[0].topic: \"a/+\" is no single topic; expected one without + and #\n"
        "a.cfg:2: sources[0].purposes: \"Dr. Who\" is no word; expected 1 to 32 of a-z 0-9 -\n"
        "a.cfg:4: sources[0].instruments[1].name: instrument \"a\" is also at line 3; expected once\n"
        "a.cfg:4: sources[0].instruments[1].point: point \"p\" is also at line 3; expected once\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_missing),
        cmocka_unit_test(test_a_device_says_enough),
        cmocka_unit_test(test_points_are_told_apart),
        cmocka_unit_test(test_a_value_means_something),
        cmocka_unit_test(test_what_is_kept_must_tell_its_time),
        cmocka_unit_test(test_sessions),
    };
    return cmocka_run_group_tests(tests, settings_make_folder, settings_remove_folder);
}
