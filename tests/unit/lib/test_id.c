#include "lib/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define A31 "abcdefghijklmnopqrstuvwxyz01234"

static void test_ids_are_those_of_the_wire_contract(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "0", "b3", "gw-b3-", "0--", A31 "5"};
    static const char *const bad[] = {
        "", "-a", "A", "a_b", "a.b", "a b", "a/b", "a+", "#", "é", A31 "56", "a\n"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!id_is_valid(good[i]))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (id_is_valid(bad[i]))
            fail_msg("taken: %s", bad[i]);
}

static void test_points_are_those_of_the_wire_contract(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "0", "b3.main", "lab2.sem3-a_b.", A31 "5" A31 "5"};
    static const char *const bad[] = {
        "", ".a", "_a", "-a", "A", "a b", "a/b", "a,b", "a=b", A31 "5" A31 "56"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!point_is_valid(good[i]))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (point_is_valid(bad[i]))
            fail_msg("taken: %s", bad[i]);
}

static void test_an_epoch_is_sixteen_lower_case_hex_digits(void **state)
{
    (void)state;
    char text[EPOCH_TEXT_SIZE];
    epoch_format(0x9f2c4e1b77aa0d31, text);
    assert_string_equal(text, "9f2c4e1b77aa0d31");
    epoch_format(0xab, text);
    assert_string_equal(text, "00000000000000ab");
}

static void test_drawn_epochs_differ_and_are_never_none(void **state)
{
    (void)state;
    uint64_t drawn[64];
    for (size_t i = 0; i < 64; i++) {
        drawn[i] = epoch_draw();
        assert_true(drawn[i] != 0);
        for (size_t j = 0; j < i; j++)
            assert_true(drawn[i] != drawn[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_are_those_of_the_wire_contract),
        cmocka_unit_test(test_points_are_those_of_the_wire_contract),
        cmocka_unit_test(test_an_epoch_is_sixteen_lower_case_hex_digits),
        cmocka_unit_test(test_drawn_epochs_differ_and_are_never_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
