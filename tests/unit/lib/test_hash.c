/* SHA-256 against the examples of FIPS 180-2, appendix B, and the empty message. */
#include "lib/hash.h"

#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void check(struct span bytes, const char *expected)
{
    struct hash hash = hash_of(bytes);
    char text[HASH_TEXT_SIZE];
    hash_format(&hash, text);
    assert_string_equal(text, expected);
}

static void test_the_examples_of_the_standard(void **state)
{
    (void)state;
    check(SPAN(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check(SPAN("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check(SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *million = mem_alloc(1000000);
    memset(million, 'a', 1000000);
    check(
        (struct span){million, 1000000}, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

static void test_a_hash_is_read_back_as_it_was_and_nothing_else_is_one(void **state)
{
    (void)state;
    struct hash hash = hash_of(SPAN("abc")), other = hash_of(SPAN("abd")), read;
    assert_true(hash_read(hash_bytes(&hash), &read));
    assert_true(hash_is_equal(&hash, &read));
    assert_false(hash_is_equal(&hash, &other));
    assert_false(hash_read(SPAN("short"), &read));
    assert_false(hash_read(SPAN("123456789012345678901234567890123"), &read));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_examples_of_the_standard),
        cmocka_unit_test(test_a_hash_is_read_back_as_it_was_and_nothing_else_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
