#include "agent/drivers/modbus_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const struct modbus_request two_registers = {MODBUS_HOLDING, 40, 2, 0, 1};
static const struct modbus_request ten_coils = {MODBUS_COIL, 100, 10, 0, 1};

static void test_a_question_is_as_the_standard_writes_it(void **state)
{
    (void)state;
    uint8_t frame[MODBUS_QUESTION_SIZE];
    modbus_frame_question(frame, 0x1501, 7, &two_registers);
    assert_memory_equal(frame, ((const uint8_t[]){0x15, 0x01, 0, 0, 0, 6, 7, 3, 0, 40, 0, 2}), sizeof frame);
    static const uint8_t codes[] = {
        [MODBUS_HOLDING] = 3, [MODBUS_INPUT] = 4, [MODBUS_COIL] = 1, [MODBUS_DISCRETE] = 2};
    for (int f = MODBUS_HOLDING; f <= MODBUS_DISCRETE; f++) {
        modbus_frame_question(
            frame, 1, 255, &(struct modbus_request){(enum modbus_function)f, 65535, 1, 0, 1});
        assert_int_equal(frame[6], 255);
        assert_int_equal(frame[7], codes[f]);
        assert_memory_equal(frame + 8, ((const uint8_t[]){0xff, 0xff, 0, 1}), 4);
    }
}

static void test_a_good_answer_gives_its_registers(void **state)
{
    (void)state;
    static const uint8_t frame[] = {0, 9, 0, 0, 0, 7, 7, 3, 4, 0xde, 0xad, 0xbe, 0xef};
    struct modbus_answer answer;
    struct error err;
    assert_int_equal(modbus_frame_answer(frame, sizeof frame, 9, 7, &two_registers, &answer, &err), ST_OK);
    assert_int_equal(answer.exception, 0);
    uint8_t bytes[8];
    modbus_frame_value(&answer, &two_registers, &(struct modbus_want){MODBUS_HOLDING, 41, 1, 0}, bytes);
    assert_memory_equal(bytes, ((const uint8_t[]){0xbe, 0xef}), 2);
    modbus_frame_value(&answer, &two_registers, &(struct modbus_want){MODBUS_HOLDING, 40, 2, 0}, bytes);
    assert_memory_equal(bytes, ((const uint8_t[]){0xde, 0xad, 0xbe, 0xef}), 4);
}

static void test_coils_are_packed_lowest_first(void **state)
{
    (void)state;
    static const uint8_t frame[] = {0, 9, 0, 0, 0, 5, 7, 1, 2, 0x81, 0x02}; /* coils 100, 107 and 109 */
    struct modbus_answer answer;
    struct error err;
    assert_int_equal(modbus_frame_answer(frame, sizeof frame, 9, 7, &ten_coils, &answer, &err), ST_OK);
    for (int coil = 100; coil < 110; coil++) {
        uint8_t bytes[8];
        modbus_frame_value(&answer, &ten_coils, &(struct modbus_want){MODBUS_COIL, coil, 1, 0}, bytes);
        assert_int_equal(bytes[0], 0);
        assert_int_equal(bytes[1], coil == 100 || coil == 107 || coil == 109);
    }
}

static void test_an_exception_carries_its_code(void **state)
{
    (void)state;
    static const uint8_t frame[] = {0, 9, 0, 0, 0, 3, 7, 0x83, 2};
    struct modbus_answer answer;
    struct error err;
    assert_int_equal(modbus_frame_answer(frame, sizeof frame, 9, 7, &two_registers, &answer, &err), ST_OK);
    assert_int_equal(answer.exception, 2);
    assert_string_equal(modbus_exception_name(2), "illegal data address");
    for (int code = -1; code < 300; code++)
        assert_non_null(modbus_exception_name(code));
    assert_true(modbus_exception_means_silence(11));
    assert_false(modbus_exception_means_silence(2));
}

static void test_an_answer_to_another_question_is_told_as_such(void **state)
{
    (void)state;
    static const struct {
        uint8_t frame[16];
        size_t len;
        const char *text;
    } cases[] = {
        {{0, 8, 0, 0, 0, 7, 7, 3, 4, 1, 2, 3, 4}, 13,
            "the answer belongs to another question (transaction 8, expected 9)"},
        {{0, 9, 0, 0, 0, 7, 8, 3, 4, 1, 2, 3, 4}, 13, "unit 8 answered in place of unit 7"},
        {{0, 9, 0, 0, 0, 7, 7, 4, 4, 1, 2, 3, 4}, 13, "the answer is of function 4, expected 3"},
        {{0, 9, 0, 0, 0, 3, 7, 0x84, 2}, 9, "the answer is of function 132, expected 3"},
        {{0, 9, 0, 0, 0, 7, 7, 3, 2, 1, 2, 3, 4}, 13,
            "the answer holds 4 bytes of data and announces 2, expected 4"},
        {{0, 9, 0, 0, 0, 5, 7, 3, 2, 1, 2}, 11,
            "the answer holds 2 bytes of data and announces 2, expected 4"},
        {{0, 9, 0, 0, 0, 9, 7, 3, 6, 1, 2, 3, 4, 5, 6}, 15,
            "the answer holds 6 bytes of data and announces 6, expected 4"},
        {{0, 9, 0, 0, 0, 6, 7, 3, 4, 1, 2, 3, 4}, 13, "the answer's length field says 6 bytes, 7 came"},
        {{0, 9, 0, 1, 0, 7, 7, 3, 4, 1, 2, 3, 4}, 13,
            "the answer is not Modbus TCP (protocol id 1, expected 0)"},
        {{0, 9, 0, 0, 0, 3, 7, 0x83, 0}, 9, "the exception answer is malformed"},
        {{0, 9, 0, 0, 0, 4, 7, 0x83, 2, 0}, 10, "the exception answer is malformed"},
        {{0, 9, 0, 0, 0, 2, 7, 3}, 8, "an answer of 8 bytes is too short for Modbus TCP"},
        {{0}, 0, "an answer of 0 bytes is too short for Modbus TCP"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct modbus_answer answer;
        struct error err;
        assert_int_equal(
            modbus_frame_answer(cases[i].frame, cases[i].len, 9, 7, &two_registers, &answer, &err),
            ST_PROTOCOL);
        assert_string_equal(err.text, cases[i].text);
    }
}

/* Every cut and every single changed byte of the header is refused; only data bytes may differ. */
static void test_no_damaged_answer_is_taken(void **state)
{
    (void)state;
    static const uint8_t good[] = {0, 9, 0, 0, 0, 7, 7, 3, 4, 0xde, 0xad, 0xbe, 0xef};
    struct modbus_answer answer;
    struct error err;
    for (size_t len = 0; len < sizeof good; len++) {
        /* Heap of just that length, so that a read beyond it is seen. */
        uint8_t *cut = malloc(len ? len : 1);
        memcpy(cut, good, len);
        assert_int_equal(modbus_frame_answer(cut, len, 9, 7, &two_registers, &answer, &err), ST_PROTOCOL);
        free(cut);
    }
    for (size_t at = 0; at < 9; at++) {
        for (unsigned flip = 1; flip < 256; flip++) {
            uint8_t frame[sizeof good];
            memcpy(frame, good, sizeof good);
            frame[at] ^= (uint8_t)flip;
            assert_int_equal(
                modbus_frame_answer(frame, sizeof frame, 9, 7, &two_registers, &answer, &err), ST_PROTOCOL);
        }
    }
}

static void test_places_read_as_in_the_settings(void **state)
{
    (void)state;
    char text[MODBUS_PLACE_SIZE];
    modbus_place_format(&two_registers, text);
    assert_string_equal(text, "holding 40..41");
    modbus_place_format(&(struct modbus_request){MODBUS_DISCRETE, 65535, 1, 0, 1}, text);
    assert_string_equal(text, "discrete 65535");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_question_is_as_the_standard_writes_it),
        cmocka_unit_test(test_a_good_answer_gives_its_registers),
        cmocka_unit_test(test_coils_are_packed_lowest_first),
        cmocka_unit_test(test_an_exception_carries_its_code),
        cmocka_unit_test(test_an_answer_to_another_question_is_told_as_such),
        cmocka_unit_test(test_no_damaged_answer_is_taken),
        cmocka_unit_test(test_places_read_as_in_the_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
