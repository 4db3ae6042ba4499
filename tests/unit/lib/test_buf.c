#include "lib/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void test_a_zeroed_buffer_grows_and_stays_a_string(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_add(&b, NULL, 0);
    assert_string_equal(b.data, "");
    for (int i = 0; i < 1000; i++) {
        buf_add_char(&b, (char)('a' + i % 26));
        assert_int_equal(b.len, i + 1);
        assert_int_equal(b.data[b.len], '\0');
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(b.data[i], 'a' + i % 26);
    buf_release(&b);
    assert_null(b.data);
    assert_int_equal(b.len + b.cap, 0);
}

static void test_bytes_and_text_and_formats_follow_each_other(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_add(&b, "a\0b", 3);
    buf_add_str(&b, "cd");
    buf_printf(&b, "%d-%s", 42, "e");
    assert_int_equal(b.len, 9);
    assert_memory_equal(b.data, "a\0bcd42-e", 10);
    buf_release(&b);
}

static void test_a_format_of_any_length_fits(void **state)
{
    (void)state;
    for (int width = 1; width < 300; width++) {
        struct buf b = {0};
        buf_add_str(&b, "x");
        buf_printf(&b, "%*d", width, 7);
        assert_int_equal(b.len, (size_t)width + 1);
        assert_int_equal(b.data[b.len - 1], '7');
        assert_int_equal(b.data[b.len], '\0');
        buf_release(&b);
    }
}

static void test_reset_keeps_the_memory_and_reserve_avoids_moving(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_reset(&b);
    assert_null(b.data);
    buf_reserve(&b, 10000);
    char *before = b.data;
    for (int i = 0; i < 10000; i++)
        buf_add_char(&b, 'x');
    assert_ptr_equal(b.data, before);
    buf_reset(&b);
    assert_ptr_equal(b.data, before);
    assert_int_equal(b.len, 0);
    assert_string_equal(b.data, "");
    buf_release(&b);
}

static void test_a_taken_text_belongs_to_the_caller(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_add_str(&b, "mine");
    char *text = buf_take(&b);
    assert_string_equal(text, "mine");
    assert_null(b.data);
    free(text);
    text = buf_take(&b);
    assert_string_equal(text, "");
    free(text);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_zeroed_buffer_grows_and_stays_a_string),
        cmocka_unit_test(test_bytes_and_text_and_formats_follow_each_other),
        cmocka_unit_test(test_a_format_of_any_length_fits),
        cmocka_unit_test(test_reset_keeps_the_memory_and_reserve_avoids_moving),
        cmocka_unit_test(test_a_taken_text_belongs_to_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
