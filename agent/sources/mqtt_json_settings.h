/* Settings of source mqtt_json, and what the checks make of them. */
#pragma once

#include "agent/sources/pick.h"
#include "agent/sources/subscriber.h"
#include "lib/conf.h"

#define JSON_DEVICES_MAX 1000
#define JSON_VALUES_MAX 64 /* of a device */

/* A value of a device: a point, and the places where it may stand. */
struct json_value {
    struct conf_where where;
    char *name, *topic, *path, *unit;
    int kind; /* enum reading_kind */
    struct fraction scale;
    int base; /* enum unit_base */
    struct conf_list states;

    /* Made by the check. */
    char *point; /* on the wire */
    bool is_own; /* written here, not the preset's */
    struct pick_meaning meaning;
};

/* Where a value stands. */
struct json_place {
    const char *topic, *path;
    size_t value; /* index */
};

struct json_device {
    struct conf_where where;
    char *name, *prefix, *id, *topic, *frame, *time;
    int preset;
    int64_t every_ms, alive_ms;
    bool is_on_change;
    struct conf_list values; /* struct json_value: its own, then the preset's */

    /* Made by the check. */
    struct json_place *places;
    size_t place_count;
};

struct json_settings {
    struct conf_where where;
    struct link_settings broker;
    int64_t keep_ms;
    struct conf_list devices; /* struct json_device */
};

extern const struct conf_section json_source_section;

/* When a value of that kind is sent again though nothing came; 0 = never. */
int64_t json_repeat_ms(const struct json_device *device, const struct json_value *value);
