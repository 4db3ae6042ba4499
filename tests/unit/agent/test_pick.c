/* agent/sources/pick: paths, topics, and numbers that are exact. The counts are worked out by hand. */
#include "agent/sources/pick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *read_json(const char *text)
{
    struct error err;
    json_t *message = json_read_exact(span_of(text), &err);
    assert_non_null(message);
    return message;
}

static void test_a_path_leads_through_objects_and_lists(void **state)
{
    (void)state;
    json_t *m = read_json("{\"a\":{\"b\":[{\"c\":7},8]},\"switch:0\":{\"apower\":1.5},\"n\":null,\"\":9}");
    static const struct {
        const char *path, *found;
    } cases[] = {{"a.b.0.c", "7"}, {"a.b.1", "8"}, {"switch:0.apower", "1.5"}, {"a.b.2", NULL}, {"a.x", NULL},
        {"a.b.0.c.d", NULL}, {"n", NULL}, {"n.x", NULL}, {"a.b.-1", NULL}, {"a.b.x", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *found = json_string_value(pick_find(m, cases[i].path));
        if ((found == NULL) != (cases[i].found == NULL) ||
            (found != NULL && strcmp(found, cases[i].found) != 0))
            fail_msg("%s gave %s", cases[i].path, found != NULL ? found : "nothing");
    }
    json_decref(m);
}

static void test_filters_match_as_mqtt_has_it(void **state)
{
    (void)state;
    static const struct {
        const char *filter, *topic;
        bool matches;
    } cases[] = {{"a/b", "a/b", true}, {"a/b", "a/bc", false}, {"a/b", "a", false}, {"a/+/c", "a/b/c", true},
        {"a/+/c", "a/b/d", false}, {"a/+", "a/b/c", false}, {"+/+", "/a", true}, {"+", "", true},
        {"a/+", "a/", true}, {"#", "a/b/c", true}, {"a/#", "a/b/c", true}, {"a/#", "a", true},
        {"a/#", "ab", false}, {"+/b/#", "a/b", true}, {"#", "$SYS/x", false}, {"+/x", "$SYS/x", false},
        {"$SYS/#", "$SYS/x", true}, {"a", "a/b", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (topic_matches(cases[i].filter, span_of(cases[i].topic)) != cases[i].matches)
            fail_msg("%s with %s", cases[i].filter, cases[i].topic);
}

static int64_t count_of(const char *text, int64_t num, int64_t den)
{
    struct pick_meaning meaning = {.kind = READING_REGISTER, .factor = {num, den}};
    union driver_value value;
    struct error err;
    if (pick_text(text, &meaning, &value, &err) != ST_OK)
        fail_msg("%s: %s", text, err.text);
    return value.count;
}

static void test_a_register_is_exact(void **state)
{
    (void)state;
    assert_int_equal(count_of("3.705", 1000, 1), 3705);
    assert_int_equal(count_of("0", 1000, 1), 0);
    assert_int_equal(count_of("-0.0005", 1000, 1), -1); /* half away from zero */
    /* No double holds these: 2^53 + 1, and a total of a large feeder in kWh. */
    assert_int_equal(count_of("9007199254740993", 1, 10), 900719925474099);
    assert_int_equal(count_of("900719925474.0993", 1000, 1), 900719925474099);
    assert_int_equal(count_of("123456789012.345", 1000, 1), 123456789012345);
    /* What makers' floats leave behind the point. */
    assert_int_equal(count_of("0.30000000000000004", 1000, 1), 300);
    assert_int_equal(count_of("31.019999999999999573674", 1000, 1), 31020);
    assert_int_equal(count_of("6.532", 1, 1), 7);
    /* Watt-minutes. */
    assert_int_equal(count_of("89", 1, 60), 1);
    assert_int_equal(count_of("90", 1, 60), 2);
    assert_int_equal(count_of("14400000", 1, 60), 240000);
    /* Exponents. */
    assert_int_equal(count_of("1.5e3", 1, 1), 1500);
    assert_int_equal(count_of("15E+2", 1, 1), 1500);
    assert_int_equal(count_of("2500e-3", 1000, 1), 2500);
    assert_int_equal(count_of("1e-30", 1000, 1), 0);
    assert_int_equal(count_of("0e60", 1, 1), 0);
    assert_int_equal(count_of("000000000000000000000000000001.5", 1000, 1), 1500);
}

static void refuse(const char *text, enum reading_kind kind, const char *why)
{
    struct pick_meaning meaning = {.kind = kind, .factor = {1000, 1}};
    union driver_value value;
    struct error err = {""};
    assert_int_equal(pick_text(text, &meaning, &value, &err), ST_INVALID);
    assert_string_equal(err.text, why);
}

static void test_text_for_a_number_is_said(void **state)
{
    (void)state;
    static const char *const bad[] = {"12 kWh", "", "offline", "0x10", "1,5", "nan", "inf", "--1", " 1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char why[64];
        snprintf(why, sizeof why, "\"%s\" is no number; expected one", bad[i]);
        refuse(bad[i], READING_REGISTER, why);
        refuse(bad[i], READING_GAUGE, why);
    }
    refuse("1000000000000.001", READING_REGISTER,
        "1000000000000.001 is too large; expected at most 10^15 in base units");
    refuse("999999999999999999", READING_REGISTER,
        "999999999999999999 is too large; expected at most 10^15 in base units");
    refuse("9999999999999999999", READING_REGISTER, "\"9999999999999999999\" is no number; expected one");
}

static void test_gauges_are_scaled(void **state)
{
    (void)state;
    struct pick_meaning meaning = {.kind = READING_GAUGE, .factor = {1, 10}};
    union driver_value value;
    struct error err;
    assert_int_equal(pick_text("-12.5", &meaning, &value, &err), ST_OK);
    assert_true(fabs(value.number + 1.25) < 1e-12);
}

static void expect_state(const char *json, const char *const *states, size_t count, const char *expected)
{
    struct pick_meaning meaning = {.kind = READING_STATE, .states = states, .state_count = count};
    json_t *m = read_json(json);
    union driver_value value;
    struct error err;
    enum status status = pick_value(json_array_get(m, 0), &meaning, &value, &err);
    if (expected == NULL)
        assert_int_equal(status, ST_INVALID);
    else if (status != ST_OK || strcmp(value.text, expected) != 0)
        fail_msg("%s gave %s", json, status == ST_OK ? value.text : err.text);
    json_decref(m);
}

static void test_states_are_words_numbers_or_truth(void **state)
{
    (void)state;
    static const char *const states[] = {"off", "on"};
    expect_state("[true]", states, 2, "on");
    expect_state("[false]", states, 2, "off");
    expect_state("[1]", states, 2, "on");
    expect_state("[\"on\"]", states, 2, "on");
    expect_state("[2]", states, 2, NULL);
    expect_state("[\"standby\"]", states, 2, NULL);
    expect_state("[{}]", states, 2, NULL);
    expect_state("[true]", NULL, 0, "true");
    expect_state("[\"standby\"]", NULL, 0, "standby");
}

static int64_t time_of(const char *json)
{
    json_t *m = read_json(json);
    int64_t time_ms = -1;
    if (!pick_time(json_array_get(m, 0), &time_ms))
        time_ms = -1;
    json_decref(m);
    return time_ms;
}

static void test_times_are_rfc3339_or_seconds(void **state)
{
    (void)state;
    assert_int_equal(time_of("[\"2022-07-18T09:34:15.775023242+00:00\"]"), INT64_C(1658136855775));
    assert_int_equal(time_of("[\"2022-07-18T17:34:15+08:00\"]"), INT64_C(1658136855000));
    assert_int_equal(time_of("[1736603810.49]"), INT64_C(1736603810490));
    assert_int_equal(time_of("[\"2022-07-18T09:34:15\"]"), -1); /* of which zone? */
    assert_int_equal(time_of("[\"soon\"]"), -1);
    assert_int_equal(time_of("[true]"), -1);
    assert_int_equal(time_of("[-5]"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_path_leads_through_objects_and_lists),
        cmocka_unit_test(test_filters_match_as_mqtt_has_it),
        cmocka_unit_test(test_a_register_is_exact),
        cmocka_unit_test(test_text_for_a_number_is_said),
        cmocka_unit_test(test_gauges_are_scaled),
        cmocka_unit_test(test_states_are_words_numbers_or_truth),
        cmocka_unit_test(test_times_are_rfc3339_or_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
