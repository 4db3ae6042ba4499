#include "agent/drivers/modbus_decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct modbus_format format_of(enum modbus_type type, const char *order)
{
    struct modbus_format format = {.type = type};
    modbus_order_default(format.order);
    if (order != NULL)
        assert_true(modbus_order_parse(order, modbus_type_bytes(type), format.order));
    return format;
}

static const struct modbus_meaning plain_register = {READING_REGISTER, {1, 1}, NULL, 0};
static const struct modbus_meaning plain_gauge = {READING_GAUGE, {1, 1}, NULL, 0};

/* Bytes as they stand on the line; counts worked out by hand or with another program. */
static const struct {
    enum modbus_type type;
    const char *order;
    uint8_t bytes[8];
    int64_t count;
} integers[] = {
    {MODBUS_TYPE_U16, NULL, {0x12, 0x34}, 0x1234},
    {MODBUS_TYPE_U16, "AB", {0xff, 0xfe}, 65534},
    {MODBUS_TYPE_U16, "BA", {0x34, 0x12}, 0x1234},
    {MODBUS_TYPE_S16, "AB", {0xff, 0xfe}, -2},
    {MODBUS_TYPE_S16, "AB", {0x80, 0x00}, -32768},
    {MODBUS_TYPE_S16, "BA", {0xfe, 0xff}, -2},
    {MODBUS_TYPE_U32, NULL, {0x80, 0x02, 0x03, 0x04}, 0x80020304},
    {MODBUS_TYPE_U32, "ABCD", {0x80, 0x02, 0x03, 0x04}, 0x80020304},
    {MODBUS_TYPE_U32, "CDAB", {0x03, 0x04, 0x80, 0x02}, 0x80020304},
    {MODBUS_TYPE_U32, "BADC", {0x02, 0x80, 0x04, 0x03}, 0x80020304},
    {MODBUS_TYPE_U32, "DCBA", {0x04, 0x03, 0x02, 0x80}, 0x80020304},
    {MODBUS_TYPE_S32, "ABCD", {0xff, 0xfe, 0x1d, 0xc0}, -123456},
    {MODBUS_TYPE_S32, "CDAB", {0x1d, 0xc0, 0xff, 0xfe}, -123456},
    {MODBUS_TYPE_S32, "BADC", {0xfe, 0xff, 0xc0, 0x1d}, -123456},
    {MODBUS_TYPE_S32, "DCBA", {0xc0, 0x1d, 0xfe, 0xff}, -123456},
    {MODBUS_TYPE_U64, NULL, {0x00, 0x00, 0x70, 0x48, 0x86, 0x0d, 0xdf, 0x79}, 123456789012345},
    {MODBUS_TYPE_U64, "ABCDEFGH", {0x00, 0x00, 0x70, 0x48, 0x86, 0x0d, 0xdf, 0x79}, 123456789012345},
    {MODBUS_TYPE_U64, "GHEFCDAB", {0xdf, 0x79, 0x86, 0x0d, 0x70, 0x48, 0x00, 0x00}, 123456789012345},
    {MODBUS_TYPE_U64, "BADCFEHG", {0x00, 0x00, 0x48, 0x70, 0x0d, 0x86, 0x79, 0xdf}, 123456789012345},
    {MODBUS_TYPE_U64, "HGFEDCBA", {0x79, 0xdf, 0x0d, 0x86, 0x48, 0x70, 0x00, 0x00}, 123456789012345},
    {MODBUS_TYPE_U64, "EFGHABCD", {0x86, 0x0d, 0xdf, 0x79, 0x00, 0x00, 0x70, 0x48}, 123456789012345},
    {MODBUS_TYPE_S64, "ABCDEFGH", {0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0x1d, 0xc0}, -123456},
    {MODBUS_TYPE_S64, "GHEFCDAB", {0x1d, 0xc0, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff}, -123456},
    {MODBUS_TYPE_S64, "BADCFEHG", {0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xc0, 0x1d}, -123456},
    {MODBUS_TYPE_S64, "HGFEDCBA", {0xc0, 0x1d, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff}, -123456},
    {MODBUS_TYPE_BCD16, "AB", {0x98, 0x76}, 9876},
    {MODBUS_TYPE_BCD16, "BA", {0x76, 0x98}, 9876},
    {MODBUS_TYPE_BCD32, "ABCD", {0x01, 0x23, 0x45, 0x67}, 1234567},
    {MODBUS_TYPE_BCD32, "CDAB", {0x45, 0x67, 0x01, 0x23}, 1234567},
    {MODBUS_TYPE_BCD32, "BADC", {0x23, 0x01, 0x67, 0x45}, 1234567},
    {MODBUS_TYPE_BCD32, "DCBA", {0x67, 0x45, 0x23, 0x01}, 1234567},
    {MODBUS_TYPE_BCD64, "ABCDEFGH", {0x00, 0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34}, 12345678901234},
    {MODBUS_TYPE_BCD64, "GHEFCDAB", {0x12, 0x34, 0x78, 0x90, 0x34, 0x56, 0x00, 0x12}, 12345678901234},
    {MODBUS_TYPE_BCD64, "HGFEDCBA", {0x34, 0x12, 0x90, 0x78, 0x56, 0x34, 0x12, 0x00}, 12345678901234},
    /* 131072.0 and -2.0 */
    {MODBUS_TYPE_F32, "ABCD", {0x48, 0x00, 0x00, 0x00}, 131072},
    {MODBUS_TYPE_F32, "CDAB", {0x00, 0x00, 0x48, 0x00}, 131072},
    {MODBUS_TYPE_F32, "BADC", {0x00, 0x48, 0x00, 0x00}, 131072},
    {MODBUS_TYPE_F32, "DCBA", {0x00, 0x00, 0x00, 0x48}, 131072},
    {MODBUS_TYPE_F64, "ABCDEFGH", {0xc0, 0, 0, 0, 0, 0, 0, 0}, -2},
    {MODBUS_TYPE_F64, "GHEFCDAB", {0, 0, 0, 0, 0, 0, 0xc0, 0}, -2},
    {MODBUS_TYPE_F64, "BADCFEHG", {0, 0xc0, 0, 0, 0, 0, 0, 0}, -2},
    {MODBUS_TYPE_F64, "HGFEDCBA", {0, 0, 0, 0, 0, 0, 0, 0xc0}, -2},
};

static void test_every_type_in_every_usual_order_gives_its_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(integers); i++) {
        struct modbus_format format = format_of(integers[i].type, integers[i].order);
        union driver_value value;
        struct error err;
        assert_int_equal(modbus_decode(&format, &plain_register, integers[i].bytes, &value, &err), ST_OK);
        assert_int_equal(value.count, integers[i].count);
        assert_int_equal(modbus_decode(&format, &plain_gauge, integers[i].bytes, &value, &err), ST_OK);
        assert_true(value.number == (double)integers[i].count);
    }
}

/* Every arrangement of the letters; the law: whatever the permutation, the same value comes out. */
static size_t check_permutations(
    char *letters, size_t fixed, size_t bytes, enum modbus_type type, const uint8_t *value)
{
    size_t checked = 0;
    if (fixed == bytes) {
        uint8_t arriving[8];
        for (size_t i = 0; i < bytes; i++)
            arriving[i] = value[letters[i] - 'A'];
        struct modbus_format format = format_of(type, letters), straight = format_of(type, NULL);
        union driver_value got, expected;
        struct error err;
        assert_int_equal(modbus_decode(&format, &plain_gauge, arriving, &got, &err), ST_OK);
        assert_int_equal(modbus_decode(&straight, &plain_gauge, value, &expected, &err), ST_OK);
        assert_true(got.number == expected.number);
        return 1;
    }
    for (size_t i = fixed; i < bytes; i++) {
        char swapped = letters[fixed];
        letters[fixed] = letters[i];
        letters[i] = swapped;
        checked += check_permutations(letters, fixed + 1, bytes, type, value);
        letters[i] = letters[fixed];
        letters[fixed] = swapped;
    }
    return checked;
}

static void test_all_permutations_are_orders(void **state)
{
    (void)state;
    static const uint8_t value[8] = {0x41, 0x92, 0x13, 0x74, 0x25, 0x86, 0x37, 0x58};
    char two[] = "AB", four[] = "ABCD", eight[] = "ABCDEFGH";
    assert_int_equal(check_permutations(two, 0, 2, MODBUS_TYPE_S16, value), 2);
    assert_int_equal(check_permutations(four, 0, 4, MODBUS_TYPE_F32, value), 24);
    assert_int_equal(check_permutations(eight, 0, 8, MODBUS_TYPE_F64, value), 40320);
}

static void test_an_order_that_is_no_permutation_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t bytes;
    } bad[] = {{"", 2}, {"A", 2}, {"ABC", 2}, {"AA", 2}, {"ab", 2}, {"AC", 2}, {"ABCD", 2}, {"AB", 4},
        {"ABCE", 4}, {"ABCC", 4}, {"1032", 4}, {"ABCDEFGG", 8}, {"ABCD", 8}, {"A@", 2}};
    uint8_t order[MODBUS_VALUE_BYTES];
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(modbus_order_parse(bad[i].text, bad[i].bytes, order));
}

static void test_scaling_to_base_units_is_exact(void **state)
{
    (void)state;
    static const struct {
        enum modbus_type type;
        uint8_t bytes[8];
        struct fraction factor;
        int64_t count;
    } cases[] = {
        /* 1234567 x 0.01 kWh = 12345670 Wh */
        {MODBUS_TYPE_U32, {0x00, 0x12, 0xd6, 0x87}, {10, 1}, 12345670},
        /* 3 x 0.0005 kWh = 1.5 Wh: half away from zero */
        {MODBUS_TYPE_U16, {0x00, 0x03}, {1, 2}, 2},
        {MODBUS_TYPE_S16, {0xff, 0xfd}, {1, 2}, -2},
        /* 7 MJ in Wh = 1944.44 */
        {MODBUS_TYPE_U16, {0x00, 0x07}, {2500, 9}, 1944},
        /* A float counts above 131072 kWh in steps of 1/64 kWh: 131072.015625 kWh = 131072015.625 Wh */
        {MODBUS_TYPE_F32, {0x48, 0x00, 0x00, 0x01}, {1000, 1}, 131072016},
        {MODBUS_TYPE_F32, {0x48, 0x00, 0x00, 0x02}, {1000, 1}, 131072031}, /* .03125 */
        {MODBUS_TYPE_F32, {0x48, 0x00, 0x00, 0x40}, {1000, 1}, 131073000},
        /* 0.1f is 0.100000001490116: of kWh that is 100.0000015 Wh */
        {MODBUS_TYPE_F32, {0x3d, 0xcc, 0xcc, 0xcd}, {1000, 1}, 100},
        /* 2^53 + 2 as a double, in mWh: no step through a double on the way */
        {MODBUS_TYPE_F64, {0x43, 0x40, 0, 0, 0, 0, 0, 0x01}, {1, 1000}, 9007199254741},
        {MODBUS_TYPE_U64, {0, 0x03, 0x8d, 0x7e, 0xa4, 0xc6, 0x80, 0}, {1, 1}, INT64_C(1000000000000000)},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct modbus_format format = format_of(cases[i].type, NULL);
        struct modbus_meaning meaning = {READING_REGISTER, cases[i].factor, NULL, 0};
        union driver_value value;
        struct error err;
        assert_int_equal(modbus_decode(&format, &meaning, cases[i].bytes, &value, &err), ST_OK);
        assert_int_equal(value.count, cases[i].count);
    }
}

static void test_a_gauge_is_the_double_nearest_to_the_decimal(void **state)
{
    (void)state;
    struct modbus_format format = format_of(MODBUS_TYPE_U16, NULL);
    struct modbus_meaning tenths = {READING_GAUGE, {1, 10}, NULL, 0};
    union driver_value value;
    struct error err;
    for (unsigned raw = 0; raw <= 0xffff; raw++) {
        uint8_t bytes[2] = {(uint8_t)(raw >> 8), (uint8_t)raw};
        char text[16];
        double expected;
        snprintf(text, sizeof text, "%u.%u", raw / 10, raw % 10);
        assert_int_equal(sscanf(text, "%lf", &expected), 1);
        assert_int_equal(modbus_decode(&format, &tenths, bytes, &value, &err), ST_OK);
        assert_true(value.number == expected);
    }
}

static void test_a_bit_is_one_bit_of_its_register(void **state)
{
    (void)state;
    static const uint8_t bytes[2] = {0x80, 0x05}; /* bits 15, 2 and 0 */
    static const char *const texts[] = {"off", "on"};
    struct modbus_meaning meaning = {READING_STATE, {1, 1}, texts, 2};
    for (int bit = 0; bit < 16; bit++) {
        struct modbus_format format = format_of(MODBUS_TYPE_BIT, NULL);
        format.bit = bit;
        union driver_value value;
        struct error err;
        bool is_on = bit == 15 || bit == 2 || bit == 0;
        assert_int_equal(modbus_decode(&format, &meaning, bytes, &value, &err), ST_OK);
        assert_string_equal(value.text, is_on ? "on" : "off");
        assert_int_equal(modbus_decode(&format, &plain_gauge, bytes, &value, &err), ST_OK);
        assert_true(value.number == (is_on ? 1 : 0));
    }
}

static void test_what_is_no_value_is_refused_with_its_bytes(void **state)
{
    (void)state;
    static const char *const texts[] = {"off", "on"};
    const struct modbus_meaning two_states = {READING_STATE, {1, 1}, texts, 2};
    const struct modbus_meaning kwh = {READING_REGISTER, {1000, 1}, NULL, 0};
    const struct {
        enum modbus_type type;
        const struct modbus_meaning *meaning;
        uint8_t bytes[8];
        const char *text;
    } cases[] = {
        {MODBUS_TYPE_F32, &plain_gauge, {0x7f, 0xc0, 0, 0}, "0x7fc00000 is not a finite number"},
        {MODBUS_TYPE_F32, &plain_register, {0xff, 0x80, 0, 0}, "0xff800000 is not a finite number"},
        {MODBUS_TYPE_F64, &plain_gauge, {0x7f, 0xf0, 0, 0, 0, 0, 0, 0},
            "0x7ff0000000000000 is not a finite number"},
        {MODBUS_TYPE_BCD16, &plain_register, {0x12, 0x3a}, "0x123a is not BCD: a digit is above 9"},
        {MODBUS_TYPE_BCD32, &plain_gauge, {0xf0, 0, 0, 0}, "0xf0000000 is not BCD: a digit is above 9"},
        {MODBUS_TYPE_U16, &two_states, {0, 2}, "value 2 has no text in `states`"},
        {MODBUS_TYPE_S16, &two_states, {0xff, 0xff}, "value -1 has no text in `states`"},
        {MODBUS_TYPE_U64, &plain_register, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
            "the count is beyond 10^15 base units; check type, order and scale"},
        {MODBUS_TYPE_F32, &kwh, {0x7f, 0x7f, 0xff, 0xff},
            "the count is beyond 10^15 base units; check type, order and scale"},
        {MODBUS_TYPE_F64, &(const struct modbus_meaning){READING_GAUGE, {1000, 1}, NULL, 0},
            {0x7f, 0xef, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
            "the value is beyond what a double holds; check type, order and scale"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct modbus_format format = format_of(cases[i].type, NULL);
        union driver_value value = {.count = 4711};
        struct error err;
        assert_int_equal(modbus_decode(&format, cases[i].meaning, cases[i].bytes, &value, &err), ST_INVALID);
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(value.count, 4711);
    }
}

static void test_the_raw_value_that_means_nothing_is_no_reading(void **state)
{
    (void)state;
    struct modbus_format format = format_of(MODBUS_TYPE_S16, "BA");
    format.has_invalid = true;
    format.invalid = 0x8000;
    union driver_value value;
    struct error err;
    assert_int_equal(
        modbus_decode(&format, &plain_gauge, (const uint8_t[]){0x00, 0x80}, &value, &err), ST_INVALID);
    assert_string_equal(err.text, "the device has no value (0x8000)");
    assert_int_equal(
        modbus_decode(&format, &plain_gauge, (const uint8_t[]){0x80, 0x00}, &value, &err), ST_OK);
    assert_true(value.number == 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_in_every_usual_order_gives_its_count),
        cmocka_unit_test(test_all_permutations_are_orders),
        cmocka_unit_test(test_an_order_that_is_no_permutation_is_refused),
        cmocka_unit_test(test_scaling_to_base_units_is_exact),
        cmocka_unit_test(test_a_gauge_is_the_double_nearest_to_the_decimal),
        cmocka_unit_test(test_a_bit_is_one_bit_of_its_register),
        cmocka_unit_test(test_what_is_no_value_is_refused_with_its_bytes),
        cmocka_unit_test(test_the_raw_value_that_means_nothing_is_no_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
