/*
 * Questions and answers of Modbus TCP as bytes (MODBUS Messaging on TCP/IP Implementation Guide V1.0b,
 * section 3.1; MODBUS Application Protocol V1.1b3, sections 6.1 to 6.4 and 7). Pure. libmodbus checks neither
 * the unit id nor the length that an answer states, so the whole answer is checked here: a device that
 * confuses two questions must not become a value.
 */
#pragma once

#include "agent/drivers/modbus_plan.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODBUS_QUESTION_SIZE 12
#define MODBUS_ANSWER_MAX 260

struct modbus_answer {
    int exception;       /* 0 = none, else the code; then there is no data */
    const uint8_t *data; /* in the frame: 2 bytes a register, or 8 bits a byte, lowest first */
};

void modbus_frame_question(uint8_t frame[static MODBUS_QUESTION_SIZE], uint16_t transaction, int unit,
    const struct modbus_request *request);
/* Is frame[0..len) the whole answer to just this question? ST_PROTOCOL: no, and why. */
enum status modbus_frame_answer(const uint8_t *frame, size_t len, uint16_t transaction, int unit,
    const struct modbus_request *request, struct modbus_answer *ret, struct error *err);
/* Copies one point's bytes, as modbus_decode takes them: a coil as a register that holds 0 or 1. */
void modbus_frame_value(const struct modbus_answer *answer, const struct modbus_request *request,
    const struct modbus_want *want, uint8_t bytes[static 8]);

const char *modbus_exception_name(int code); /* "illegal data address"; never NULL */
/* A gateway's word that the device behind it is silent. */
bool modbus_exception_means_silence(int code);
/* "holding 40..43" */
#define MODBUS_PLACE_SIZE 48
void modbus_place_format(const struct modbus_request *request, char text[static MODBUS_PLACE_SIZE]);
