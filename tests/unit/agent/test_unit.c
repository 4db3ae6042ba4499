#include "agent/drivers/unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static void assert_factor(const char *name, enum unit_base base, int64_t num, int64_t den)
{
    const struct unit *unit = unit_find(name);
    assert_non_null(unit);
    struct fraction factor = unit_factor(unit, base);
    assert_int_equal(factor.num, num);
    assert_int_equal(factor.den, den);
}

static void test_units_become_base_units_exactly(void **state)
{
    (void)state;
    assert_factor("Wh", UNIT_BASE_OWN, 1, 1);
    assert_factor("kWh", UNIT_BASE_OWN, 1000, 1);
    assert_factor("MWh", UNIT_BASE_OWN, 1000000, 1);
    assert_factor("J", UNIT_BASE_OWN, 1, 1);
    assert_factor("kJ", UNIT_BASE_OWN, 1000, 1);
    assert_factor("MJ", UNIT_BASE_OWN, 1000000, 1);
    assert_factor("GJ", UNIT_BASE_OWN, 1000000000, 1);
    assert_factor("L", UNIT_BASE_OWN, 1, 1);
    assert_factor("m3", UNIT_BASE_OWN, 1000, 1);
    assert_factor("count", UNIT_BASE_OWN, 1, 1);
    assert_factor("W", UNIT_BASE_OWN, 1, 1);
    assert_factor("kW", UNIT_BASE_OWN, 1000, 1);
    assert_factor("MW", UNIT_BASE_OWN, 1000000, 1);
    static const char *const plain[] = {"degC", "V", "A", "Hz", "%", "ppm", "lx", "hPa", "Pa", "m3/h", "1"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_factor(plain[i], UNIT_BASE_OWN, 1, 1);
}

static void test_energy_crosses_between_wh_and_joule(void **state)
{
    (void)state;
    assert_factor("kWh", UNIT_BASE_J, 3600000, 1);
    assert_factor("kWh", UNIT_BASE_WH, 1000, 1);
    assert_factor("MWh", UNIT_BASE_J, 3600000000, 1);
    assert_factor("GWh", UNIT_BASE_J, 3600000000000, 1);
    assert_factor("MJ", UNIT_BASE_WH, 2500, 9);
    assert_factor("GJ", UNIT_BASE_WH, 2500000, 9);
    assert_factor("J", UNIT_BASE_WH, 1, 3600);
}

static void test_units_fit_the_kinds_that_they_can_measure(void **state)
{
    (void)state;
    assert_true(unit_fits(unit_find("kWh"), READING_REGISTER));
    assert_false(unit_fits(unit_find("kWh"), READING_GAUGE));
    assert_false(unit_fits(unit_find("W"), READING_REGISTER));
    assert_true(unit_fits(unit_find("W"), READING_GAUGE));
    assert_true(unit_fits(unit_find("m3"), READING_REGISTER));
    assert_true(unit_fits(unit_find("m3"), READING_GAUGE));
    assert_false(unit_fits(unit_find("count"), READING_STATE));
}

static void test_unknown_units_are_not_guessed(void **state)
{
    (void)state;
    static const char *const unknown[] = {"", "kwh", "KWh", "kWh ", "Watt", "°C"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_null(unit_find(unknown[i]));
}

static void test_a_list_names_what_fits(void **state)
{
    (void)state;
    struct buf list = {0};
    unit_list(&list, READING_REGISTER);
    assert_non_null(strstr(list.data, "Wh, kWh, MWh"));
    assert_null(strstr(list.data, "degC"));
    buf_release(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units_become_base_units_exactly),
        cmocka_unit_test(test_energy_crosses_between_wh_and_joule),
        cmocka_unit_test(test_units_fit_the_kinds_that_they_can_measure),
        cmocka_unit_test(test_unknown_units_are_not_guessed),
        cmocka_unit_test(test_a_list_names_what_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
