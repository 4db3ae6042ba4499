/* lib/json: numbers keep the text that they were written with. */
#include "lib/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void expect(const char *text, const char *expected)
{
    struct error err = {""};
    json_t *value = json_read_exact(span_of(text), &err);
    if (value == NULL)
        fail_msg("%s: %s", text, err.text);
    char *back = json_text(value);
    assert_string_equal(back, expected);
    free(back);
}

static void refuse(const char *text)
{
    struct error err = {""};
    json_t *value = json_read_exact(span_of(text), &err);
    if (value != NULL)
        fail_msg("%s was taken", text);
    assert_memory_equal(err.text, "is not JSON: ", 13);
}

static void test_numbers_become_the_text_that_they_were_written_with(void **state)
{
    (void)state;
    expect("{\"a\":12345678901234567.89}", "{\"a\":\"12345678901234567.89\"}");
    expect("[0,-0.10,1e3,-1.50E-7,1E+2]", "[\"0\",\"-0.10\",\"1e3\",\"-1.50E-7\",\"1E+2\"]");
    expect("{\"a\":{\"b\":[true,false,null,3]}}", "{\"a\":{\"b\":[true,false,null,\"3\"]}}");
}

static void test_digits_in_strings_and_keys_stay(void **state)
{
    (void)state;
    expect("{\"1\":\"2\",\"a\\\"3\":\"\\\\\",\"b\":4}", "{\"1\":\"2\",\"a\\\"3\":\"\\\\\",\"b\":\"4\"}");
    expect("[\"\\u0031 \\\"5\\\"\",6]", "[\"1 \\\"5\\\"\",\"6\"]");
}

static void test_what_is_no_json_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "12", "\"a\"", "{\"a\":01}", "{\"a\":1.}", "{\"a\":.5}",
        "{\"a\":-}", "{\"a\":+1}", "{\"a\":1e}", "{\"a\":1 2}", "{\"a\":NaN}", "{\"a\":0x10}", "{\"a\":1",
        "{\"a", "{\"a\\", "[1,]", "{\"a\":1}{}", "{\"a\":1,\"a\":2}", "{1:2", "[\"\\u0000\"]",
        "{\"a\":1true}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse(bad[i]);
}

static void test_a_large_message_is_refused_unread(void **state)
{
    (void)state;
    char *text = malloc(JSON_EXACT_MAX + 1);
    memset(text, '[', JSON_EXACT_MAX + 1);
    struct error err = {""};
    assert_null(json_read_exact((struct span){text, JSON_EXACT_MAX + 1}, &err));
    assert_string_equal(err.text, "65537 bytes are too many; expected at most 65536");
    /* As deep as it may be long: no stack is exhausted. */
    assert_null(json_read_exact((struct span){text, JSON_EXACT_MAX}, &err));
    free(text);
}

static void test_a_decimal_is_written_as_it_is(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *expected;
    } cases[] = {{8.0 / 1000, "[0.008]"}, {3170003.0 / 1000, "[3170.003]"}, {0.1, "[0.1]"},
        {-0.05, "[-0.05]"}, {999999999999.999, "[999999999999.999]"}, {2.0, "[2.0]"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = json_text(json_pack("[f]", cases[i].value));
        assert_string_equal(text, cases[i].expected);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_become_the_text_that_they_were_written_with),
        cmocka_unit_test(test_digits_in_strings_and_keys_stay),
        cmocka_unit_test(test_what_is_no_json_is_refused),
        cmocka_unit_test(test_a_large_message_is_refused_unread),
        cmocka_unit_test(test_a_decimal_is_written_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
