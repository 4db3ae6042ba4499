#include "lib/number.h"
#include "tests/unit/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_integers_are_taken_whole_and_in_range(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0}, {"-0", 0}, {"007", 7}, {"-15", -15}, {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN}};
    int64_t value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(number_parse_int64(good[i].text, strlen(good[i].text), &value));
        assert_int_equal(value, good[i].value);
    }
    static const char *const bad[] = {"", "-", "+1", " 1", "1 ", "1.", "0x10", "1e3", "--1",
        "9223372036854775808", "-9223372036854775809", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(number_parse_int64(bad[i], strlen(bad[i]), &value));
    /* Not terminated: only the first len bytes count. */
    assert_true(number_parse_int64("1234", 2, &value));
    assert_int_equal(value, 12);
}

static void test_unsigned_integers_reach_their_limit(void **state)
{
    (void)state;
    uint64_t value;
    assert_true(number_parse_uint64("18446744073709551615", 20, &value));
    assert_true(value == UINT64_MAX);
    assert_false(number_parse_uint64("18446744073709551616", 20, &value));
    assert_false(number_parse_uint64("-1", 2, &value));
    assert_false(number_parse_uint64("", 0, &value));
}

static void test_sixteen_hex_digits_are_exactly_that(void **state)
{
    (void)state;
    uint64_t value;
    assert_true(number_parse_hex16("9f2c4e1b77aa0d31", 16, &value));
    assert_true(value == UINT64_C(0x9f2c4e1b77aa0d31));
    assert_false(number_parse_hex16("9F2c4e1b77aa0d31", 16, &value));
    assert_false(number_parse_hex16("9f2c4e1b77aa0d3", 15, &value));
    assert_false(number_parse_hex16("9f2c4e1b77aa0d310", 17, &value));
    assert_false(number_parse_hex16("9f2c4e1b77aa0d3g", 16, &value));
}

static void test_floats_are_plain_decimals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0}, {"-1.5", -1.5}, {".1", 0.1}, {"1.", 1}, {"6.632243e+06", 6632243}, {"1E4", 1e4},
        {"-0e-4", 0}, {"1.7976931348623157e308", 1.7976931348623157e308}, {"5e-324", 5e-324}, {"1e-400", 0}};
    double value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(number_parse_double(good[i].text, strlen(good[i].text), &value));
        assert_true(value == good[i].value);
    }
    static const char *const bad[] = {"", "-", ".", "-.", "+1", " 1", "1 ", "1e", "1e+", "0x1p3", "inf",
        "nan", "1e309", "1.1.1", "1_0", "e5"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(number_parse_double(bad[i], strlen(bad[i]), &value));
    char zeros[301];
    memset(zeros, '0', sizeof zeros);
    zeros[sizeof zeros - 1] = '4';
    assert_true(number_parse_double(zeros, sizeof zeros, &value));
    assert_true(value == 4);
}

/* Around the number of digits up to which no strtod is needed. */
static void test_decimals_of_any_length_are_read_as_strtod_reads_them(void **state)
{
    (void)state;
    for (int i = 0; i < 200000; i++) {
        char text[32];
        size_t length = 1 + random_below(18), point = random_below(length + 2), at = 0;
        if (random_below(2) == 0)
            text[at++] = '-';
        for (size_t digit = 0; digit < length; digit++) {
            if (digit == point)
                text[at++] = '.';
            text[at++] = (char)('0' + random_below(10));
        }
        text[at] = '\0';
        double value, expected = strtod(text, NULL);
        assert_true(number_parse_double(text, at, &value));
        if (memcmp(&value, &expected, sizeof value) != 0)
            fail_msg("%s is read as %.17g", text, value);
    }
}

/* Expected texts are those of Go's strconv.FormatFloat(v, 'g', -1, 64). */
static void test_floats_are_written_as_influxdb_writes_them(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"}, {-0.0, "-0"}, {1, "1"}, {-0.64, "-0.64"}, {0.1, "0.1"}, {12.123, "12.123"},
        {41230.5, "41230.5"}, {100000, "100000"}, {999999, "999999"}, {999999.9999, "999999.9999"},
        {1000000, "1e+06"}, {6632243, "6.632243e+06"}, {123456789.5, "1.234567895e+08"}, {0.001, "0.001"},
        {0.0001, "0.0001"}, {0.00012345, "0.00012345"}, {0.00001, "1e-05"}, {1.0 / 3, "0.3333333333333333"},
        {0.1 + 0.2, "0.30000000000000004"}, {5e-324, "5e-324"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {1.7976931348623157e308, "1.7976931348623157e+308"}, {1e21, "1e+21"}, {1e22, "1e+22"},
        {1e23, "1e+23"}, {0x1p-44, "5.684341886080802e-14"}, {9007199254740993.0, "9.007199254740992e+15"},
        {3.1f, "3.0999999046325684"}, {1e-100, "1e-100"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[NUMBER_DOUBLE_SIZE];
        size_t length = number_format_double(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(length, strlen(text));
    }
}

static void test_every_float_reads_back_and_none_could_be_shorter(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = random_uint64();
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        char text[NUMBER_DOUBLE_SIZE];
        number_format_double(value, text);
        assert_true(strtod(text, NULL) == value);
        int digits = 0;
        for (const char *c = text; *c != '\0' && *c != 'e'; c++)
            digits += *c >= '0' && *c <= '9';
        if (digits > 1) {
            char shorter[NUMBER_DOUBLE_SIZE];
            snprintf(shorter, sizeof shorter, "%.*e", digits - 2, value);
            assert_true(strtod(shorter, NULL) != value || text[0] == '0' || strncmp(text, "-0", 2) == 0);
        }
    }
}

static void test_integers_are_written_as_printf_does(void **state)
{
    (void)state;
    static const int64_t edges[] = {0, 9, 10, 99, 100, 101, -1, -10, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < 10000; i++) {
        int64_t value = i < sizeof edges / sizeof *edges ? edges[i] : (int64_t)random_uint64() >> (i % 64);
        char text[NUMBER_INT64_SIZE], expected[NUMBER_INT64_SIZE];
        snprintf(expected, sizeof expected, "%lld", (long long)value);
        assert_int_equal(number_format_int64(value, text), strlen(expected));
        assert_string_equal(text, expected);
    }
}

static void test_fractions_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t num, den;
    } good[] = {{"0.01", 1, 100}, {"10", 10, 1}, {"-1.5", -3, 2}, {"1000/5", 200, 1}, {"5/1000", 1, 200},
        {"0", 0, 1}, {"0.000000000000000001", 1, 1000000000000000000},
        {"999999999999999999", 999999999999999999, 1}, {"0.10", 1, 10}, {"-6/4", -3, 2}};
    struct fraction f;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(fraction_parse(good[i].text, &f));
        assert_int_equal(f.num, good[i].num);
        assert_int_equal(f.den, good[i].den);
    }
    static const char *const bad[] = {"", "-", ".", ".5", "5.", "1..2", "1/0", "1/", "/1", "1/-2", "0.5/2",
        "1/0.5", "1e3", "+1", " 1", "1 ", "1000000000000000000", "0.0000000000000000001", "1/2/3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(fraction_parse(bad[i], &f));
}

static void test_a_product_of_fractions_overflows_only_where_its_result_does(void **state)
{
    (void)state;
    struct fraction f;
    assert_true(fraction_multiply(
        (struct fraction){1, 1000000000000000000}, (struct fraction){1000000000000000000, 1}, &f));
    assert_int_equal(f.num, 1);
    assert_int_equal(f.den, 1);
    assert_true(fraction_multiply((struct fraction){-3, 100}, (struct fraction){1000, 9}, &f));
    assert_int_equal(f.num, -10);
    assert_int_equal(f.den, 3);
    assert_false(fraction_multiply((struct fraction){INT64_MAX, 1}, (struct fraction){2, 1}, &f));
    assert_false(fraction_multiply((struct fraction){1, INT64_MAX}, (struct fraction){1, 2}, &f));
}

static void test_scaling_rounds_to_nearest_half_away_from_zero(void **state)
{
    (void)state;
    int64_t result;
    static const struct {
        int64_t value, num, den, result;
    } cases[] = {{5, 1, 10, 1}, {4, 1, 10, 0}, {-5, 1, 10, -1}, {-4, 1, 10, 0}, {15, 1, 10, 2}, {1, 1, 3, 0},
        {2, 1, 3, 1}, {123456, 10, 1, 1234560}, {7, -1, 2, -4}, {INT64_MIN, 1, 1, INT64_MIN},
        {INT64_MIN, 1, INT64_MAX, -1}, {INT64_MAX, 1, 2, INT64_C(1) << 62}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(
            fraction_scale_int64(cases[i].value, (struct fraction){cases[i].num, cases[i].den}, &result));
        assert_int_equal(result, cases[i].result);
    }
    assert_false(
        fraction_scale_int64(INT64_MAX, (struct fraction){999999999999999999, 999999999999999998}, &result));
    assert_false(fraction_scale_uint64(UINT64_MAX, (struct fraction){1, 2}, &result));
    assert_true(fraction_scale_uint64(UINT64_MAX, (struct fraction){1, 4}, &result));
    assert_int_equal(result, INT64_C(4611686018427387904));
    assert_false(fraction_scale_int64(INT64_MIN, (struct fraction){-1, 1}, &result));
}

static void test_a_double_is_scaled_by_its_exact_binary_value(void **state)
{
    (void)state;
    static const struct {
        double value;
        int64_t num, den, result;
    } cases[] = {{131072.015625f, 1000, 1, 131072016}, /* 131072015.625 */
        {0.5, 1, 1, 1}, {-0.5, 1, 1, -1}, {0.49999999999999994, 1, 1, 0}, {2.5, 1, 1, 3}, {0.1, 10, 1, 1},
        {0.15, 10, 1, 1}, /* 0.15 is stored as 0.1499999999999999944 */
        {1e300, 0, 1, 0}, {5e-324, 999999999999999999, 1, 0}, {0x1p62, 1, 1, INT64_C(1) << 62},
        {-0x1p63, 1, 1, INT64_MIN}, {0x1p100, 1, INT64_C(1) << 62, INT64_C(1) << 38},
        {0x1p119, 1, 999999999999999999, INT64_C(664613997892457937)}, {1e18, 3, 7, 428571428571428571},
        {1.0 / 3, 3, 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t result;
        assert_true(
            fraction_scale_double(cases[i].value, (struct fraction){cases[i].num, cases[i].den}, &result));
        assert_int_equal(result, cases[i].result);
    }
    int64_t result;
    struct fraction one = {1, 1};
    assert_false(fraction_scale_double(NAN, one, &result));
    assert_false(fraction_scale_double(INFINITY, one, &result));
    assert_false(fraction_scale_double(0x1p63, one, &result));
    assert_false(fraction_scale_double(1e308, one, &result));
}

/* Whole doubles must scale as the same integers do: two implementations of one law. */
static void test_whole_doubles_scale_as_integers(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        int64_t value = (int64_t)(random_uint64() >> (11 + i % 50)) * (i % 2 ? 1 : -1);
        struct fraction f = {
            (int64_t)(random_uint64() >> (1 + i % 60)), (int64_t)(random_uint64() >> (1 + i % 55)) | 1};
        int64_t by_int = 0, by_double = 0;
        bool fits = fraction_scale_int64(value, f, &by_int);
        assert_int_equal(fraction_scale_double((double)value, f, &by_double), fits);
        assert_int_equal(by_int, by_double);
        /* And half of it, whose half bit is below the point. */
        if (f.den <= INT64_MAX / 2) {
            fits = fraction_scale_int64(value, (struct fraction){f.num, 2 * f.den}, &by_int);
            assert_int_equal(fraction_scale_double((double)value / 2, f, &by_double), fits);
            if (fits)
                assert_int_equal(by_int, by_double);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers_are_taken_whole_and_in_range),
        cmocka_unit_test(test_unsigned_integers_reach_their_limit),
        cmocka_unit_test(test_sixteen_hex_digits_are_exactly_that),
        cmocka_unit_test(test_floats_are_plain_decimals),
        cmocka_unit_test(test_decimals_of_any_length_are_read_as_strtod_reads_them),
        cmocka_unit_test(test_floats_are_written_as_influxdb_writes_them),
        cmocka_unit_test(test_every_float_reads_back_and_none_could_be_shorter),
        cmocka_unit_test(test_integers_are_written_as_printf_does),
        cmocka_unit_test(test_fractions_are_exact),
        cmocka_unit_test(test_a_product_of_fractions_overflows_only_where_its_result_does),
        cmocka_unit_test(test_scaling_rounds_to_nearest_half_away_from_zero),
        cmocka_unit_test(test_a_double_is_scaled_by_its_exact_binary_value),
        cmocka_unit_test(test_whole_doubles_scale_as_integers),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
