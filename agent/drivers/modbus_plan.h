/*
 * Which requests read the points of a device: points sorted by place and joined with their neighbours, so
 * that a meter is read in few questions. Pure.
 */
#pragma once

#include <stddef.h>

/* The four tables of a Modbus device. */
enum modbus_function { MODBUS_HOLDING, MODBUS_INPUT, MODBUS_COIL, MODBUS_DISCRETE };
extern const char *const modbus_function_names[]; /* NULL-terminated, in the order of the enum */

/* The protocol's limits for one request. */
#define MODBUS_REGISTERS_MAX 125
#define MODBUS_BITS_PER_REGISTER 16 /* so that 125 registers and 2000 coils are one limit */

/* One point's place: registers, or bits of the coil and discrete tables. Addresses are those of the protocol,
 * from 0. */
struct modbus_want {
    enum modbus_function function;
    int address;
    int count;
    size_t point;
};

struct modbus_request {
    enum modbus_function function;
    int address;
    int count;
    size_t first; /* wants[first .. end) lie in it */
    size_t end;
};

struct modbus_plan {
    struct modbus_want *wants; /* sorted by function and address */
    size_t want_count;
    struct modbus_request *requests;
    size_t request_count;
};

/* Takes `wants` (heap). Neighbours are joined while at most `max_gap` unused registers lie between them and a
 * request has at most `max_registers`; of coils, 16 count as one register. A value is never split: one wider
 * than max_registers is asked for whole. */
void modbus_plan_init(
    struct modbus_plan *plan, struct modbus_want *wants, size_t count, int max_registers, int max_gap);
void modbus_plan_release(struct modbus_plan *plan); /* accepts a zeroed plan; leaves it zeroed */
