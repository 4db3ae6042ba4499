#include "agent/sources/preset.h"

#include <stddef.h>

#define CHIRPSTACK_UP "application/+/device/{id}/event/up"

static const struct preset_value none[] = {{0}};

/* Milesight's decoders for VS133 and VS135 (github.com/Milesight-IoT/SensorDecoders): cumulative line crossings. The
 * counts of the period beside them are not used: a lost uplink would lose them. */
static const struct preset_value vs133[] = {
    {"in", NULL, "object.line_1_total_in", READING_REGISTER, "count", NULL, {NULL}},
    {"out", NULL, "object.line_1_total_out", READING_REGISTER, "count", NULL, {NULL}}, {0}};

/* The same makers' decoder for VS132. */
static const struct preset_value vs132[] = {
    {"in", NULL, "object.total_counter_in", READING_REGISTER, "count", NULL, {NULL}},
    {"out", NULL, "object.total_counter_out", READING_REGISTER, "count", NULL, {NULL}}, {0}};

/* www.zigbee2mqtt.io, "MQTT Topics and Messages", and what plugs (energy: kWh, power: W, state: ON, OFF) and motion
 * sensors (occupancy: true, false) expose. */
static const struct preset_value zigbee2mqtt_plug[] = {
    {"", NULL, "energy", READING_REGISTER, "kWh", NULL, {NULL}},
    {"power", NULL, "power", READING_GAUGE, "W", NULL, {NULL}},
    {"switch", NULL, "state", READING_STATE, NULL, NULL, {"OFF", "ON", NULL}}, {0}};
static const struct preset_value zigbee2mqtt_motion[] = {
    {"", NULL, "occupancy", READING_STATE, NULL, NULL, {"clear", "motion", NULL}}, {0}};

/* tasmota.github.io/docs, "MQTT" and "Power Monitoring": tele/<topic>/SENSOR every TelePeriod (300 s), ENERGY with
 * Total in kWh and Power in W. Its Time is local, without an offset, and is not used. */
static const struct preset_value tasmota[] = {
    {"", NULL, "ENERGY.Total", READING_REGISTER, "kWh", NULL, {NULL}},
    {"power", NULL, "ENERGY.Power", READING_GAUGE, "W", NULL, {NULL}}, {0}};

/* shelly-api-docs.shelly.cloud/gen1, "MQTT": plain numbers; energy counts watt-minutes, from 0 after each restart of
 * the plug. */
static const struct preset_value shelly_gen1[] = {
    {"", "shellies/{id}/relay/0/energy", "", READING_REGISTER, "Wh", "1/60", {NULL}},
    {"power", "shellies/{id}/relay/0/power", "", READING_GAUGE, "W", NULL, {NULL}},
    {"switch", "shellies/{id}/relay/0", "", READING_STATE, NULL, NULL, {"off", "on", NULL}}, {0}};

/* shelly-api-docs.shelly.cloud/gen2, "Switch" (apower: W, aenergy.total: Wh, output) and "Notifications": a status
 * topic, where it is switched on, has all of it, a notification what has changed. */
#define SHELLY_STATUS "{id}/status/switch:0"
#define SHELLY_EVENTS "{id}/events/rpc"
static const struct preset_value shelly_gen2[] = {
    {"", SHELLY_STATUS, "aenergy.total", READING_REGISTER, "Wh", NULL, {NULL}},
    {"power", SHELLY_STATUS, "apower", READING_GAUGE, "W", NULL, {NULL}},
    {"switch", SHELLY_STATUS, "output", READING_STATE, NULL, NULL, {"off", "on", NULL}},
    {"", SHELLY_EVENTS, "params.switch:0.aenergy.total", READING_REGISTER, "Wh", NULL, {NULL}},
    {"power", SHELLY_EVENTS, "params.switch:0.apower", READING_GAUGE, "W", NULL, {NULL}},
    {"switch", SHELLY_EVENTS, "params.switch:0.output", READING_STATE, NULL, NULL, {"off", "on", NULL}}, {0}};

/* ChirpStack 4 documentation, "Integrations: events", and integration.proto: `object` is what the device profile's
 * codec made of the payload. JSON of protobuf leaves out what is 0, so that an uplink without fCnt is the 0th. */
const struct preset presets[] = {{"none", NULL, NULL, NULL, false, none},
    {"chirpstack", CHIRPSTACK_UP, "fCnt", "time", false, none},
    {"vs133", CHIRPSTACK_UP, "fCnt", "time", false, vs133},
    {"vs132", CHIRPSTACK_UP, "fCnt", "time", false, vs132},
    {"zigbee2mqtt", "zigbee2mqtt/{id}", NULL, NULL, true, none},
    {"zigbee2mqtt_plug", "zigbee2mqtt/{id}", NULL, NULL, true, zigbee2mqtt_plug},
    {"zigbee2mqtt_motion", "zigbee2mqtt/{id}", NULL, NULL, true, zigbee2mqtt_motion},
    {"tasmota", "tele/{id}/SENSOR", NULL, NULL, false, tasmota},
    {"shelly_gen1", "shellies/{id}/relay/0", NULL, NULL, true, shelly_gen1},
    {"shelly_gen2", SHELLY_STATUS, NULL, NULL, true, shelly_gen2}};

const char *const preset_names[] = {"none", "chirpstack", "vs133", "vs132", "zigbee2mqtt", "zigbee2mqtt_plug",
    "zigbee2mqtt_motion", "tasmota", "shelly_gen1", "shelly_gen2", NULL};
