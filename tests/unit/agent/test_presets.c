/*
 * agent/sources/preset: the messages that makers document are read as they mean them. Each message is put together from
 * the fields of the document that is named above it.
 */
#include "tests/unit/agent/source_fixture.h"

/* ChirpStack 4, "Integrations: events", event `up`. */
#define UPLINK(time, frame, object)                                                                          \
    "{\"deduplicationId\":\"3ac7e3c4-4401-4b8d-9386-a5c902f9202d\",\"time\":\"" time "\","                   \
    "\"deviceInfo\":{\"tenantId\":\"52f14cd4-c6f1-4fbd-8f87-4025e1d49242\",\"tenantName\":\"ChirpStack\","   \
    "\"applicationId\":\"ca739e26-7b67-4f14-b69e-d568c22a5a75\",\"applicationName\":\"park\","               \
    "\"deviceProfileId\":\"605d08d4-65f5-4d2c-8a5a-3d2457662f79\",\"deviceProfileName\":\"VS133\","          \
    "\"deviceName\":\"door\",\"devEui\":\"24e124716c490001\",\"tags\":{}},\"devAddr\":\"00189440\",\"adr\":" \
    "true,"                                                                                                  \
    "\"dr\":1," frame "\"fPort\":85,\"confirmed\":false,\"data\":\"A9KgAAAA\",\"object\":" object            \
    ",\"rxInfo\":[{\"gatewayId\":\"0016c001f153a14c\",\"uplinkId\":4217106255,\"rssi\":-36,\"snr\":10.5}],"  \
    "\"txInfo\":{\"frequency\":867100000}}"
#define UP "application/ca739e26-7b67-4f14-b69e-d568c22a5a75/device/24e124716c490001/event/up"

static void test_a_chirpstack_uplink_with_a_codecs_object(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s,
        "{ name = \"co2\"; preset = \"chirpstack\"; id = \"24e124716c490001\"; prefix = \"r1\"; points = ("
        "{ name = \"co2\"; kind = \"gauge\"; path = \"object.co2\"; unit = \"ppm\"; },"
        "{ name = \"air\"; kind = \"gauge\"; path = \"object.temperature\"; unit = \"degC\"; },"
        "{ name = \"pir\"; kind = \"state\"; path = \"object.pir\"; states = [\"idle\", \"trigger\"]; } ); "
        "}");
    passed_ms = 2000;
    give(&s, UP,
        UPLINK("2025-11-24T16:00:01.775023242+00:00", "\"fCnt\":10,",
            "{\"co2\":653,\"temperature\":23.4,\"pir\":\"trigger\"}"));
    expect_seen("r1.co2 653 +1775\nr1.air 23.4 +1775\nr1.pir trigger +1775\n");
    /* Codecs that write numbers as text. */
    give(&s, UP, UPLINK("2025-11-24T16:00:02+00:00", "\"fCnt\":11,", "{\"temperature\":\"13.25\"}"));
    expect_seen("r1.air 13.25 +2000\n");
    scene_close(&s);
}

/* Milesight SensorDecoders, VS133 and VS135: line_N_total_in, line_N_total_out, line_N_period_in, ... */
static void test_a_people_counters_cumulative_totals(void **state)
{
    (void)state;
    struct scene s;
    scene_open(
        &s, "{ name = \"door\"; preset = \"vs133\"; id = \"24e124716c490001\"; prefix = \"b1.door\"; }");
    passed_ms = 1000;
    /* The 0th frame: protobuf's JSON leaves fCnt out. */
    give(&s, UP,
        UPLINK("2025-11-24T16:00:01Z", "",
            "{\"line_1_total_in\":160,\"line_1_total_out\":150,"
            "\"line_1_period_in\":3,\"line_1_period_out\":2}"));
    expect_seen("b1.door.in 160 +1000\nb1.door.out 150 +1000\n");
    scene_close(&s);
    scene_open(
        &s, "{ name = \"door\"; preset = \"vs132\"; id = \"24e124716c490001\"; prefix = \"b1.door\"; }");
    give(&s, UP,
        UPLINK("2025-11-24T16:00:01Z", "\"fCnt\":1,",
            "{\"total_counter_in\":7,\"total_counter_out\":5,"
            "\"periodic_counter_in\":1}"));
    expect_seen("b1.door.in 7 +1000\nb1.door.out 5 +1000\n");
    scene_close(&s);
}

/* www.zigbee2mqtt.io, "MQTT Topics and Messages", and the exposes of a metering plug and of RTCGQ01LM. */
static void test_zigbee2mqtt_plugs_and_motion(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, "{ name = \"plug\"; preset = \"zigbee2mqtt_plug\"; id = \"lab/plug\"; prefix = \"l.p\"; },"
                   "{ name = \"pir\"; preset = \"zigbee2mqtt_motion\"; id = \"pir\"; prefix = \"l.pir\"; }");
    give(&s, "zigbee2mqtt/lab/plug",
        "{\"ac_frequency\":50,\"current\":0,\"energy\":31.02,\"linkquality\":76,\"power\":4.5,"
        "\"state\":\"ON\",\"update\":{\"state\":\"idle\"},\"voltage\":236.19}");
    expect_seen("l.p 31020 +0\nl.p.power 4.5 +0\nl.p.switch ON +0\n");
    give(&s, "zigbee2mqtt/pir", "{\"occupancy\":true}");
    expect_seen("l.pir motion +0\n");
    scene_close(&s);
}

/* tasmota.github.io/docs, "Power Monitoring" and "MQTT": tele/%topic%/SENSOR. */
static void test_a_tasmota_plug(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s,
        "{ name = \"plug\"; preset = \"tasmota\"; id = \"tasmota_83B34E\"; prefix = \"l.p\"; every = 300; }");
    give(&s, "tele/tasmota_83B34E/SENSOR",
        "{\"Time\":\"2022-01-11T21:57:38\",\"ENERGY\":{\"TotalStartTime\":\"2020-10-21T22:15:00\",\"Total\":"
        "3.705,"
        "\"Yesterday\":0.028,\"Today\":0.026,\"Period\":1,\"Power\":5,\"ApparentPower\":5,\"ReactivePower\":"
        "0,"
        "\"Factor\":1.00,\"Voltage\":233,\"Current\":0.021}}");
    expect_seen("l.p 3705 +0\nl.p.power 5 +0\n");
    scene_close(&s);
}

/* shelly-api-docs.shelly.cloud/gen1, "Shelly Plug/PlugS: MQTT": relay/0 on or off, power in W, energy in watt-minutes. */
static void test_a_shelly_plug_of_the_first_generation(void **state)
{
    (void)state;
    struct scene s;
    scene_open(
        &s, "{ name = \"plug\"; preset = \"shelly_gen1\"; id = \"shellyplug-s-C18B12\"; prefix = \"l.p\"; }");
    give(&s, "shellies/shellyplug-s-C18B12/relay/0", "on");
    give(&s, "shellies/shellyplug-s-C18B12/relay/0/power", "66.72");
    give(&s, "shellies/shellyplug-s-C18B12/relay/0/energy", "120030");
    expect_seen("l.p.switch on +0\nl.p.power 66.72 +0\nl.p 2001 +0\n"); /* 2000.5 Wh */
    scene_close(&s);
}

/* shelly-api-docs.shelly.cloud/gen2, "Switch: status" and "Notifications: NotifyStatus". */
static void test_a_shelly_plug_of_the_second_generation(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s,
        "{ name = \"plug\"; preset = \"shelly_gen2\"; id = \"shellyplusplugs-d4d4da\"; prefix = \"l.p\"; }");
    give(&s, "shellyplusplugs-d4d4da/status/switch:0",
        "{\"id\":0,\"source\":\"init\",\"output\":true,\"apower\":8.9,\"voltage\":237.5,\"aenergy\":{"
        "\"total\":6532.4,"
        "\"by_minute\":[45.199,47.141,88.397],\"minute_ts\":1626935779},\"temperature\":{\"tC\":43.3,\"tF\":"
        "109.9}}");
    expect_seen("l.p 6532 +0\nl.p.power 8.9 +0\nl.p.switch on +0\n");
    passed_ms = 1000;
    give(&s, "shellyplusplugs-d4d4da/events/rpc",
        "{\"src\":\"shellyplusplugs-d4d4da\",\"dst\":\"shellyplusplugs-d4d4da/"
        "events\",\"method\":\"NotifyStatus\","
        "\"params\":{\"ts\":1736603810.49,\"switch:0\":{\"id\":0,\"output\":false,\"source\":\"HTTP_in\"}}}");
    expect_seen("l.p.switch off +1000\n");
    give(&s, "shellyplusplugs-d4d4da/events/rpc",
        "{\"src\":\"shellyplusplugs-d4d4da\",\"method\":\"NotifyStatus\",\"params\":{\"ts\":1736603811.02,"
        "\"switch:0\":{\"id\":0,\"apower\":0,\"aenergy\":{\"total\":6532.7,\"by_minute\":[0,0,0]}}}}");
    expect_seen("l.p 6533 +1000\nl.p.power 0 +1000\n");
    give(&s, "shellyplusplugs-d4d4da/events/rpc",
        "{\"method\":\"NotifyStatus\",\"params\":{\"cloud\":{\"connected\":true}}}");
    expect_seen("");
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_chirpstack_uplink_with_a_codecs_object),
        cmocka_unit_test(test_a_people_counters_cumulative_totals),
        cmocka_unit_test(test_zigbee2mqtt_plugs_and_motion),
        cmocka_unit_test(test_a_tasmota_plug),
        cmocka_unit_test(test_a_shelly_plug_of_the_first_generation),
        cmocka_unit_test(test_a_shelly_plug_of_the_second_generation),
    };
    return cmocka_run_group_tests(tests, settings_make_folder, settings_remove_folder);
}
