#include "agent/drivers/modbus_frame.h"

#include <stdio.h>
#include <string.h>

#define HEADER_SIZE 7 /* transaction, protocol, length, unit */
#define EXCEPTION_FLAG 0x80

static const uint8_t codes[] = {
    [MODBUS_HOLDING] = 3, [MODBUS_INPUT] = 4, [MODBUS_COIL] = 1, [MODBUS_DISCRETE] = 2};

static bool is_bits(const struct modbus_request *request)
{
    return request->function == MODBUS_COIL || request->function == MODBUS_DISCRETE;
}

static void put_u16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static unsigned get_u16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

void modbus_frame_question(uint8_t frame[static MODBUS_QUESTION_SIZE], uint16_t transaction, int unit,
    const struct modbus_request *request)
{
    put_u16(frame, transaction);
    put_u16(frame + 2, 0);
    put_u16(frame + 4, MODBUS_QUESTION_SIZE - 6);
    frame[6] = (uint8_t)unit;
    frame[7] = codes[request->function];
    put_u16(frame + 8, (unsigned)request->address);
    put_u16(frame + 10, (unsigned)request->count);
}

static enum status check_header(
    const uint8_t *frame, size_t len, uint16_t transaction, int unit, struct error *err)
{
    if (len < HEADER_SIZE + 2)
        return error_set(err, ST_PROTOCOL, "an answer of %zu bytes is too short for Modbus TCP", len);
    if (get_u16(frame + 2) != 0)
        return error_set(err, ST_PROTOCOL, "the answer is not Modbus TCP (protocol id %u, expected 0)",
            get_u16(frame + 2));
    if (get_u16(frame) != transaction)
        return error_set(err, ST_PROTOCOL,
            "the answer belongs to another question (transaction %u, expected %u)", get_u16(frame),
            transaction);
    if (get_u16(frame + 4) != len - 6)
        return error_set(err, ST_PROTOCOL, "the answer's length field says %u bytes, %zu came",
            get_u16(frame + 4), len - 6);
    if (frame[6] != unit)
        return error_set(err, ST_PROTOCOL, "unit %u answered in place of unit %d", frame[6], unit);
    return ST_OK;
}

enum status modbus_frame_answer(const uint8_t *frame, size_t len, uint16_t transaction, int unit,
    const struct modbus_request *request, struct modbus_answer *ret, struct error *err)
{
    enum status status = check_header(frame, len, transaction, unit, err);
    if (status != ST_OK)
        return status;
    unsigned code = frame[7], expected = codes[request->function];
    if (code == (expected | EXCEPTION_FLAG)) {
        if (len != HEADER_SIZE + 2 || frame[8] == 0)
            return error_set(err, ST_PROTOCOL, "the exception answer is malformed");
        *ret = (struct modbus_answer){.exception = frame[8]};
        return ST_OK;
    }
    if (code != expected)
        return error_set(err, ST_PROTOCOL, "the answer is of function %u, expected %u", code, expected);
    size_t bytes = is_bits(request) ? ((size_t)request->count + 7) / 8 : 2 * (size_t)request->count;
    if (frame[8] != bytes || len != HEADER_SIZE + 2 + bytes)
        return error_set(err, ST_PROTOCOL,
            "the answer holds %zu bytes of data and announces %u, expected %zu", len - HEADER_SIZE - 2,
            frame[8], bytes);
    *ret = (struct modbus_answer){.data = frame + HEADER_SIZE + 2};
    return ST_OK;
}

void modbus_frame_value(const struct modbus_answer *answer, const struct modbus_request *request,
    const struct modbus_want *want, uint8_t bytes[static 8])
{
    size_t offset = (size_t)(want->address - request->address);
    if (is_bits(request))
        put_u16(bytes, answer->data[offset / 8] >> offset % 8 & 1);
    else
        memcpy(bytes, answer->data + 2 * offset, 2 * (size_t)want->count);
}

const char *modbus_exception_name(int code)
{
    static const char *const names[] = {
        [1] = "illegal function",
        [2] = "illegal data address",
        [3] = "illegal data value",
        [4] = "device failure",
        [5] = "acknowledged, not ready yet",
        [6] = "device busy",
        [7] = "negative acknowledge",
        [8] = "memory parity error",
        [10] = "gateway path unavailable",
        [11] = "gateway: the device behind it does not answer",
    };
    const char *name = code > 0 && (size_t)code < sizeof names / sizeof *names ? names[code] : NULL;
    return name ? name : "unknown exception";
}

bool modbus_exception_means_silence(int code)
{
    return code == 10 || code == 11;
}

void modbus_place_format(const struct modbus_request *request, char text[static MODBUS_PLACE_SIZE])
{
    int last = request->address + request->count - 1;
    if (last > request->address)
        snprintf(text, MODBUS_PLACE_SIZE, "%s %d..%d", modbus_function_names[request->function],
            request->address, last);
    else
        snprintf(
            text, MODBUS_PLACE_SIZE, "%s %d", modbus_function_names[request->function], request->address);
}
