/* Exact decimals, against Python's decimal module. */
#include "lib/decimal.h"
#include "tests/unit/oracle.h"

static void check_product(const char *line)
{
    struct decimal a, b, result;
    long long first, second;
    int scale;
    char expected[32], found[NUMBER_INT64_SIZE] = "-";
    if (sscanf(line, "%lld %d %lld %d %d %31s", &first, &a.scale, &second, &b.scale, &scale, expected) != 6)
        fail_msg("%s", line);
    a.value = first;
    b.value = second;
    if (decimal_multiply(a, b, scale, &result)) {
        found[number_format_int64(result.value, found)] = '\0';
        assert_int_equal(result.scale, scale);
    }
    if (strcmp(found, expected) != 0)
        fail_msg("%s: %s", line, found);
}

static void check_text(const char *line)
{
    char text[64], shown[DECIMAL_TEXT_SIZE];
    long long value;
    int scale;
    struct decimal decimal = {0};
    if (sscanf(line, "text %63s %lld %d", text, &value, &scale) != 3)
        fail_msg("%s", line);
    if (!decimal_parse(text, &decimal) || decimal.value != value || decimal.scale != scale)
        fail_msg("%s: %lld, %d", line, (long long)decimal.value, decimal.scale);
    assert_int_equal(decimal_format(decimal, shown), strlen(text));
    assert_string_equal(shown, text);
}

static void test_a_product_is_exact_and_rounded_once(void **state)
{
    (void)state;
    struct oracle oracle;
    oracle_open(&oracle, "lib/oracle_decimal.py", random_uint64(), NULL);
    while (oracle_read(&oracle)) {
        if (oracle.line[0] == 't')
            check_text(oracle.line);
        else
            check_product(oracle.line);
    }
    oracle_close(&oracle, 24000);
}

static void test_half_goes_away_from_zero(void **state)
{
    (void)state;
    static const struct {
        struct decimal a, b;
        int64_t cents;
    } rows[] = {
        {{5, 3}, {1, 0}, 1},
        {{-5, 3}, {1, 0}, -1},
        {{15, 3}, {1, 0}, 2},
        {{25, 3}, {1, 0}, 3},
        {{-25, 3}, {1, 0}, -3},
        {{4999, 6}, {1, 0}, 0},
        {{24999, 6}, {1, 0}, 2},
        {{0, 9}, {INT64_MAX, 0}, 0},
        /* 1 234 567 Wh at 0.4051 yuan/kWh are 500.1230... yuan */
        {{1234567, 3}, {4051, 4}, 50012},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct decimal result;
        assert_true(decimal_multiply(rows[i].a, rows[i].b, 2, &result));
        assert_int_equal(result.value, rows[i].cents);
    }
}

static void test_what_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct decimal result = {7, 7};
    const struct decimal most = {INT64_MAX, 0}, least = {INT64_MIN, 0}, one = {1, 0}, minus_one = {-1, 0};
    assert_false(decimal_multiply(most, most, 0, &result));
    assert_false(decimal_multiply(most, one, 1, &result));
    assert_false(decimal_multiply(least, minus_one, 0, &result));
    assert_false(decimal_add(most, one, &result));
    assert_false(decimal_add(least, minus_one, &result));
    assert_int_equal(result.value, 7);
    assert_true(decimal_multiply(least, one, 0, &result));
    assert_true(result.value == INT64_MIN);
    assert_true(decimal_add(most, minus_one, &result));
    assert_true(result.value == INT64_MAX - 1);
}

static void test_what_is_no_decimal_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "-", ".", "1.", ".5", "1..2", "1.2.3", "+1", " 1", "1 ", "1e3",
        "0x10", "1,5", "--1", "1.-2", "0.1234567890", "1234567890123456789", "nan", "1/3"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct decimal decimal;
        if (decimal_parse(bad[i], &decimal))
            fail_msg("%s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_product_is_exact_and_rounded_once),
        cmocka_unit_test(test_half_goes_away_from_zero),
        cmocka_unit_test(test_what_does_not_fit_is_refused),
        cmocka_unit_test(test_what_is_no_decimal_is_refused),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
