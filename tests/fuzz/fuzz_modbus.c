/* A Modbus device's answer: the frame, and one value of it. The first bytes say what was asked. */
#include "agent/drivers/modbus_decode.h"
#include "agent/drivers/modbus_frame.h"
#include "lib/mem.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <string.h>

static const char *const states[] = {"off", "on", "fault"};

struct question {
    struct modbus_request request;
    struct modbus_want want;
    struct modbus_format format;
    struct modbus_meaning meaning;
    bool is_header_right; /* the frame's head is made to fit, so that the rest can be reached */
};

struct bytes {
    const uint8_t *at;
    size_t left;
};

static unsigned take(struct bytes *b)
{
    if (b->left == 0)
        return 0;
    b->left--;
    return *b->at++;
}

static uint64_t take_u64(struct bytes *b)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | take(b);
    return value;
}

static void take_order(struct bytes *b, size_t count, uint8_t order[static MODBUS_VALUE_BYTES])
{
    char letters[MODBUS_VALUE_BYTES + 1];
    for (size_t i = 0; i < count; i++)
        letters[i] = (char)('A' + take(b) % count);
    letters[count] = '\0';
    modbus_order_default(order);
    if (modbus_order_parse(letters, count, order))
        return;
    modbus_order_default(order);
}

static struct question take_question(struct bytes *b)
{
    struct question q = {.is_header_right = take(b) & 1};
    q.request.function = (enum modbus_function)(take(b) % 4);
    bool is_bits = q.request.function == MODBUS_COIL || q.request.function == MODBUS_DISCRETE;
    q.format.type = is_bits ? MODBUS_TYPE_BIT : (enum modbus_type)(take(b) % (MODBUS_TYPE_BIT + 1));
    size_t bytes = modbus_type_bytes(q.format.type);
    q.want.function = q.request.function;
    q.want.count = is_bits ? 1 : (int)bytes / 2;
    int limit = is_bits ? MODBUS_REGISTERS_MAX * MODBUS_BITS_PER_REGISTER : MODBUS_REGISTERS_MAX;
    q.request.count = q.want.count + (int)take(b) * 8 % (limit - q.want.count + 1);
    q.request.address = (int)(take(b) << 8) % (65536 - q.request.count);
    q.want.address = q.request.address + (int)take(b) % (q.request.count - q.want.count + 1);
    q.format.bit = is_bits ? 0 : (int)take(b) % 16;
    q.format.has_invalid = take(b) & 1;
    q.format.invalid = take_u64(b);
    take_order(b, bytes, q.format.order);
    /* As the settings allow it: a state of whole numbers, a factor that is positive. */
    unsigned kind = take(b) % 3;
    q.meaning.kind = modbus_type_is_float(q.format.type) && kind == READING_STATE ? READING_GAUGE
                                                                                  : (enum reading_kind)kind;
    q.meaning.states = states;
    q.meaning.state_count = sizeof states / sizeof states[0];
    q.meaning.factor.num = 1 + (int64_t)(take_u64(b) % INT64_C(1000000000000000000));
    q.meaning.factor.den = 1;
    if (take(b) & 1)
        q.meaning.factor = (struct fraction){1, q.meaning.factor.num};
    return q;
}

static void check_value(const struct question *q, const struct modbus_answer *answer)
{
    uint8_t bytes[MODBUS_VALUE_BYTES];
    union driver_value value;
    struct error err = {""};
    modbus_frame_value(answer, &q->request, &q->want, bytes);
    if (modbus_decode(&q->format, &q->meaning, bytes, &value, &err) != ST_OK) {
        LAW(err.text[0] != '\0', "refused without a reason");
        return;
    }
    switch (q->meaning.kind) {
    case READING_REGISTER:
        LAW(value.count >= -REGISTER_MAX && value.count <= REGISTER_MAX, "a count beyond the contract");
        break;
    case READING_GAUGE:
        LAW(isfinite(value.number), "a gauge that is not finite");
        break;
    case READING_STATE:
        LAW(value.text == states[0] || value.text == states[1] || value.text == states[2],
            "a state of no text");
        break;
    }
    if (q->format.type == MODBUS_TYPE_U16 && q->meaning.kind == READING_REGISTER &&
        q->meaning.factor.num == 1 && q->meaning.factor.den == 1)
        LAW(value.count == (q->format.order[0] == 0 ? bytes[0] << 8 | bytes[1] : bytes[1] << 8 | bytes[0]),
            "two bytes are read as another number");
}

static void check_frame(const struct question *q, uint8_t *frame, size_t len)
{
    uint8_t asked[MODBUS_QUESTION_SIZE];
    modbus_frame_question(asked, 0x1234, 7, &q->request);
    if (q->is_header_right && len >= 9) {
        memcpy(frame, asked, 8);
        frame[4] = (uint8_t)((len - 6) >> 8);
        frame[5] = (uint8_t)(len - 6);
    }
    struct modbus_answer answer;
    struct error err = {""};
    if (modbus_frame_answer(frame, len, 0x1234, 7, &q->request, &answer, &err) != ST_OK) {
        LAW(err.text[0] != '\0', "refused without a reason");
        return;
    }
    LAW(memcmp(frame, asked, 4) == 0 && frame[6] == asked[6] && (frame[7] & 0x7f) == asked[7],
        "the answer to another question is taken");
    if (answer.exception != 0)
        LAW(frame[7] & 0x80 && modbus_exception_name(answer.exception) != NULL, "an exception that is none");
    else
        check_value(q, &answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes b = {data, size};
    struct question q = take_question(&b);
    size_t len = b.left < MODBUS_ANSWER_MAX ? b.left : MODBUS_ANSWER_MAX;
    uint8_t *frame = mem_alloc(len); /* of its own size, for the sanitizer */
    memcpy(frame, b.at, len);
    check_frame(&q, frame, len);
    free(frame);
    return 0;
}
