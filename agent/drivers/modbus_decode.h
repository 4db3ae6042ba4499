/*
 * From the bytes of a Modbus answer to a value in base units. Pure: no I/O, no clock.
 * Bytes are taken as they arrive on the line; `order` names their significance, so that every order a maker
 * has thought of is one permutation: arriving byte i is the byte of significance order[i] (0 = most
 * significant).
 */
#pragma once

#include "agent/drivers/driver.h"
#include "lib/batch.h"
#include "lib/number.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum modbus_type {
    MODBUS_TYPE_U16,
    MODBUS_TYPE_S16,
    MODBUS_TYPE_U32,
    MODBUS_TYPE_S32,
    MODBUS_TYPE_U64,
    MODBUS_TYPE_S64,
    MODBUS_TYPE_F32,
    MODBUS_TYPE_F64,
    MODBUS_TYPE_BCD16,
    MODBUS_TYPE_BCD32,
    MODBUS_TYPE_BCD64,
    MODBUS_TYPE_BIT,
};
extern const char *const modbus_type_names[]; /* NULL-terminated, in the order of the enum */

#define MODBUS_VALUE_BYTES 8 /* the longest value */

struct modbus_format {
    enum modbus_type type;
    uint8_t order[MODBUS_VALUE_BYTES];
    int bit;          /* MODBUS_TYPE_BIT: 0 = least significant */
    bool has_invalid; /* the raw value `invalid` (after ordering) means "no value" */
    uint64_t invalid;
};

/* What the raw value means. */
struct modbus_meaning {
    enum reading_kind kind;
    struct fraction factor;    /* register, gauge: base units in one raw unit */
    const char *const *states; /* state: texts by raw value */
    size_t state_count;
};

size_t modbus_type_bytes(enum modbus_type type); /* 2, 4 or 8; a bit lives in a register of 2 */
bool modbus_type_is_float(enum modbus_type type);
/* "CDAB" and the like: a permutation of the first `bytes` capital letters. */
bool modbus_order_parse(const char *text, size_t bytes, uint8_t ret[static MODBUS_VALUE_BYTES]);
/* The default: most significant byte first. */
void modbus_order_default(uint8_t ret[static MODBUS_VALUE_BYTES]);

/* `bytes` holds modbus_type_bytes() bytes as they arrived. A register is exact in integers and rounded to
 * nearest only where its count is no whole number. ST_INVALID: the device says "no value", a BCD digit above
 * 9, NaN or an infinity, a count beyond
 * +-REGISTER_MAX, a state without text. */
enum status modbus_decode(const struct modbus_format *format, const struct modbus_meaning *meaning,
    const uint8_t *bytes, union driver_value *ret, struct error *err);
