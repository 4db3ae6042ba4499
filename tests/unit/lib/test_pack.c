/* Packing: what comes back is what went in, or it is said to be damaged. */
#include "lib/pack.h"

#include "tests/unit/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static struct span span_of_buf(const struct buf *b)
{
    return (struct span){b->data != NULL ? b->data : "", b->len};
}

static void fill(struct buf *b, size_t length)
{
    buf_reset(b);
    for (size_t i = 0; b->len < length; i++)
        buf_printf(b, "b%zu.main %zu %zu\n", i % 40, 1764000000000 + i * 37, i * 12);
    b->len = length;
}

static void test_what_was_packed_comes_back(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 1000, 65535, 65536, 65537, 300000};
    struct buf text = {0}, packed = {0}, read = {0};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct error err = {""};
        fill(&text, lengths[i]);
        buf_reset(&packed);
        buf_reset(&read);
        pack_write(&packed, span_of_buf(&text));
        assert_int_equal(pack_read(&read, span_of_buf(&packed), text.len, &err), ST_OK);
        assert_int_equal(read.len, text.len);
        if (text.len > 0)
            assert_memory_equal(read.data, text.data, text.len);
        assert_true(text.len < 1000 || packed.len < text.len / 3);
    }
    /* Both append. */
    buf_reset(&packed);
    buf_add_char(&packed, 'x');
    pack_write(&packed, SPAN("abc"));
    buf_reset(&read);
    buf_add_char(&read, 'y');
    assert_int_equal(pack_read(&read, (struct span){packed.data + 1, packed.len - 1}, 3, NULL), ST_OK);
    assert_string_equal(read.data, "yabc");
    buf_release(&text);
    buf_release(&packed);
    buf_release(&read);
}

static void test_a_foreign_decoder_writes_the_same_format(void **state)
{
    (void)state;
    /* zlib.compress(b"parkmon", 9) of Python. */
    static const char packed[] = "\x78\xda\x2b\x48\x2c\xca\xce\xcd\xcf\x03\x00\x0b\xd6\x02\xf9";
    struct buf read = {0};
    struct error err = {""};
    assert_int_equal(pack_read(&read, (struct span){packed, sizeof packed - 1}, 100, &err), ST_OK);
    assert_string_equal(read.data, "parkmon");
    buf_release(&read);
}

static void test_whatever_is_changed_is_found(void **state)
{
    (void)state;
    struct buf text = {0}, packed = {0}, read = {0};
    fill(&text, 5000);
    pack_write(&packed, span_of_buf(&text));
    for (int i = 0; i < 2000; i++) {
        size_t at = random_below(packed.len);
        char was = packed.data[at];
        packed.data[at] ^= (char)(1u << random_below(8));
        buf_reset(&read);
        struct error err = {""};
        enum status status = pack_read(&read, span_of_buf(&packed), text.len, &err);
        bool is_as_it_was = read.len == text.len && memcmp(read.data, text.data, text.len) == 0;
        assert_true(status == ST_INVALID || is_as_it_was); /* bits of the head that mean nothing here */
        assert_true(status == ST_OK || err.text[0] != '\0');
        packed.data[at] = was;
    }
    for (size_t len = 0; len < packed.len; len += 7)
        assert_int_equal(pack_read(&read, (struct span){packed.data, len}, text.len, NULL), ST_INVALID);
    buf_add_char(&packed, 'x');
    assert_int_equal(pack_read(&read, span_of_buf(&packed), text.len, NULL), ST_INVALID);
    buf_release(&text);
    buf_release(&packed);
    buf_release(&read);
}

static void test_what_grows_beyond_the_limit_is_refused_and_no_more_is_read(void **state)
{
    (void)state;
    struct buf zeros = {0}, packed = {0}, read = {0};
    buf_reserve(&zeros, 10000000);
    memset(zeros.data, 0, 10000000);
    zeros.len = 10000000;
    pack_write(&packed, span_of_buf(&zeros));
    assert_int_equal(pack_read(&read, span_of_buf(&packed), 1000, NULL), ST_INVALID);
    assert_in_range(read.len, 1000, 1001);
    buf_release(&read);
    assert_int_equal(pack_read(&read, span_of_buf(&packed), 9999999, NULL), ST_INVALID);
    buf_release(&zeros);
    buf_release(&packed);
    buf_release(&read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_packed_comes_back),
        cmocka_unit_test(test_a_foreign_decoder_writes_the_same_format),
        cmocka_unit_test(test_whatever_is_changed_is_found),
        cmocka_unit_test(test_what_grows_beyond_the_limit_is_refused_and_no_more_is_read),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
