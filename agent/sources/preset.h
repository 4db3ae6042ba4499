/*
 * What devices of a make publish, by their makers' documents (preset.c names them): topics, where values stand, their
 * units. "{id}" in a topic is the device's.
 */
#pragma once

#include "agent/drivers/driver.h"

struct preset_value {
    const char *name;  /* of the point, after the device's prefix; "" = the prefix itself */
    const char *topic; /* NULL = the preset's */
    const char *path;  /* "" = the message itself is the value */
    enum reading_kind kind;
    const char *unit; /* NULL: a state */
    const char *scale;
    const char *states[3];
};

struct preset {
    const char *name;
    const char *topic;
    const char *frame; /* path of the frame counter; NULL = none */
    const char *time;  /* path of the message's time; NULL = none */
    bool is_on_change; /* it may be silent while nothing changes */
    /* Two of one name: the same point, in either topic. Ends with a zeroed one. */
    const struct preset_value *values;
};

extern const struct preset presets[];    /* in the order of preset_names */
extern const char *const preset_names[]; /* NULL-terminated */
