/* Settings of Modbus devices and points, whatever line carries them: tables, checks, and what the checks make
 * of the texts. */
#pragma once

#include "agent/drivers/modbus_decode.h"
#include "agent/drivers/modbus_plan.h"
#include "lib/conf.h"

struct modbus_tcp_settings {
    char *host;
    int64_t port;
};

struct modbus_device_settings {
    int64_t unit;
    int64_t max_registers;
    int64_t max_gap;
};

struct modbus_point_settings {
    int function; /* enum modbus_function */
    int64_t address;
    char *type; /* a text, not a choice: an unknown one must not be taken for another in the checks that
                   depend on it */
    int64_t bit;
    char *order;
    struct fraction scale;
    char *unit;
    int base; /* enum unit_base */
    struct conf_list states;
    char *invalid;

    /* Made by the check. */
    int count; /* registers, or 1 coil */
    struct modbus_format format;
    struct modbus_meaning meaning;
};

extern const struct conf_section modbus_device_section;
extern const struct conf_section modbus_point_section; /* inside a struct point_settings */
