#include "agent/drivers/modbus_decode.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum sort { SORT_UNSIGNED, SORT_SIGNED, SORT_FLOAT, SORT_BCD, SORT_BIT };

static const struct {
    enum sort sort;
    size_t bytes;
} types[] = {
    [MODBUS_TYPE_U16] = {SORT_UNSIGNED, 2},
    [MODBUS_TYPE_S16] = {SORT_SIGNED, 2},
    [MODBUS_TYPE_U32] = {SORT_UNSIGNED, 4},
    [MODBUS_TYPE_S32] = {SORT_SIGNED, 4},
    [MODBUS_TYPE_U64] = {SORT_UNSIGNED, 8},
    [MODBUS_TYPE_S64] = {SORT_SIGNED, 8},
    [MODBUS_TYPE_F32] = {SORT_FLOAT, 4},
    [MODBUS_TYPE_F64] = {SORT_FLOAT, 8},
    [MODBUS_TYPE_BCD16] = {SORT_BCD, 2},
    [MODBUS_TYPE_BCD32] = {SORT_BCD, 4},
    [MODBUS_TYPE_BCD64] = {SORT_BCD, 8},
    [MODBUS_TYPE_BIT] = {SORT_BIT, 2},
};

const char *const modbus_type_names[] = {
    "u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64", "bcd16", "bcd32", "bcd64", "bit", NULL};

/* A number as the device holds it, without loss. */
struct raw {
    enum sort sort; /* SORT_UNSIGNED, SORT_SIGNED or SORT_FLOAT */
    uint64_t u;
    int64_t s;
    double f;
};

size_t modbus_type_bytes(enum modbus_type type)
{
    return types[type].bytes;
}

bool modbus_type_is_float(enum modbus_type type)
{
    return types[type].sort == SORT_FLOAT;
}

void modbus_order_default(uint8_t ret[static MODBUS_VALUE_BYTES])
{
    for (uint8_t i = 0; i < MODBUS_VALUE_BYTES; i++)
        ret[i] = i;
}

bool modbus_order_parse(const char *text, size_t bytes, uint8_t ret[static MODBUS_VALUE_BYTES])
{
    if (strlen(text) != bytes)
        return false;
    unsigned seen = 0;
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] < 'A' || (size_t)(text[i] - 'A') >= bytes)
            return false;
        ret[i] = (uint8_t)(text[i] - 'A');
        seen |= 1u << ret[i];
    }
    return seen == (1u << bytes) - 1;
}

static uint64_t gather(const struct modbus_format *format, const uint8_t *bytes)
{
    size_t count = modbus_type_bytes(format->type);
    uint64_t bits = 0;
    for (size_t i = 0; i < count; i++)
        bits |= (uint64_t)bytes[i] << 8 * (count - 1 - format->order[i]);
    return bits;
}

static int64_t sign_extend(uint64_t bits, size_t bytes)
{
    unsigned unused = 64 - 8 * (unsigned)bytes;
    return (int64_t)(bits << unused) >> unused;
}

static double float_of(uint64_t bits, size_t bytes)
{
    if (bytes == 4) {
        uint32_t half = (uint32_t)bits;
        float value;
        memcpy(&value, &half, sizeof value);
        return (double)value;
    }
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool bcd_of(uint64_t bits, size_t bytes, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t digit = 2 * bytes; digit-- > 0;) {
        uint64_t nibble = bits >> 4 * digit & 0xf;
        if (nibble > 9)
            return false;
        value = 10 * value + nibble;
    }
    *ret = value;
    return true;
}

static enum status read_raw(
    const struct modbus_format *format, const uint8_t *bytes, struct raw *ret, struct error *err)
{
    uint64_t bits = gather(format, bytes);
    size_t count = modbus_type_bytes(format->type);
    int digits = 2 * (int)count;
    if (format->has_invalid && bits == format->invalid)
        return error_set(err, ST_INVALID, "the device has no value (0x%0*" PRIx64 ")", digits, bits);
    *ret = (struct raw){.sort = SORT_UNSIGNED};
    switch (types[format->type].sort) {
    case SORT_UNSIGNED:
        ret->u = bits;
        break;
    case SORT_SIGNED:
        ret->sort = SORT_SIGNED;
        ret->s = sign_extend(bits, count);
        break;
    case SORT_FLOAT:
        ret->sort = SORT_FLOAT;
        ret->f = float_of(bits, count);
        if (!isfinite(ret->f))
            return error_set(err, ST_INVALID, "0x%0*" PRIx64 " is not a finite number", digits, bits);
        break;
    case SORT_BCD:
        if (!bcd_of(bits, count, &ret->u))
            return error_set(err, ST_INVALID, "0x%0*" PRIx64 " is not BCD: a digit is above 9", digits, bits);
        break;
    case SORT_BIT:
        ret->u = bits >> format->bit & 1;
        break;
    }
    return ST_OK;
}

static enum status to_count(const struct raw *raw, struct fraction factor, int64_t *ret, struct error *err)
{
    int64_t count;
    bool fits = raw->sort == SORT_FLOAT    ? fraction_scale_double(raw->f, factor, &count)
                : raw->sort == SORT_SIGNED ? fraction_scale_int64(raw->s, factor, &count)
                                           : fraction_scale_uint64(raw->u, factor, &count);
    if (!fits || count > REGISTER_MAX || count < -REGISTER_MAX)
        return error_set(
            err, ST_INVALID, "the count is beyond 10^15 base units; check type, order and scale");
    *ret = count;
    return ST_OK;
}

static enum status to_number(const struct raw *raw, struct fraction factor, double *ret, struct error *err)
{
    double number = raw->sort == SORT_FLOAT    ? raw->f
                    : raw->sort == SORT_SIGNED ? (double)raw->s
                                               : (double)raw->u;
    /* Multiply, then divide: 2301 x 1/10 is the double nearest to 230.1, 2301 x 0.1 is not. */
    number = number * (double)factor.num / (double)factor.den;
    if (!isfinite(number))
        return error_set(
            err, ST_INVALID, "the value is beyond what a double holds; check type, order and scale");
    *ret = number;
    return ST_OK;
}

static enum status to_state(
    const struct raw *raw, const struct modbus_meaning *meaning, const char **ret, struct error *err)
{
    if (raw->sort == SORT_SIGNED && raw->s < 0)
        return error_set(err, ST_INVALID, "value %" PRId64 " has no text in `states`", raw->s);
    uint64_t index = raw->sort == SORT_SIGNED ? (uint64_t)raw->s : raw->u;
    if (index >= meaning->state_count)
        return error_set(err, ST_INVALID, "value %" PRIu64 " has no text in `states`", index);
    *ret = meaning->states[index];
    return ST_OK;
}

enum status modbus_decode(const struct modbus_format *format, const struct modbus_meaning *meaning,
    const uint8_t *bytes, union driver_value *ret, struct error *err)
{
    struct raw raw = {0};
    enum status status = read_raw(format, bytes, &raw, err);
    if (status != ST_OK)
        return status;
    switch (meaning->kind) {
    case READING_REGISTER:
        return to_count(&raw, meaning->factor, &ret->count, err);
    case READING_GAUGE:
        return to_number(&raw, meaning->factor, &ret->number, err);
    case READING_STATE:
        return to_state(&raw, meaning, &ret->text, err);
    }
    return ST_OK;
}
