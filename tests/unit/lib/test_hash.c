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
    char text[HASH_TEXT_SIZE];
    hash_format(&hash, text);
    read = other;
    assert_true(hash_parse(text, &read));
    assert_true(hash_is_equal(&hash, &read));
    for (size_t i = 0; i < HASH_TEXT_SIZE - 1; i++) {
        char kept = text[i];
        for (const char *wrong = "/:`gAF \n"; *wrong != '\0'; wrong++) {
            text[i] = *wrong;
            assert_false(hash_parse(text, &read));
        }
        text[i] = '\0'; /* and nothing is read behind it */
        assert_false(hash_parse(text, &read));
        text[i] = kept;
    }
}

/* RFC 4231, 4.2, 4.3 and 4.7: a short key, a shorter one, one that is longer than a block. */
static void test_the_vectors_of_hmac(void **state)
{
    (void)state;
    char key[131];
    char text[HASH_TEXT_SIZE];
    memset(key, 0x0b, 20);
    struct hash hash = hash_hmac((struct span){key, 20}, SPAN("Hi There"));
    hash_format(&hash, text);
    assert_string_equal(text, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    hash = hash_hmac(SPAN("Jefe"), SPAN("what do ya want for nothing?"));
    hash_format(&hash, text);
    assert_string_equal(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    hash = hash_hmac(
        (struct span){key, sizeof key}, SPAN("Test Using Larger Than Block-Size Key - Hash Key First"));
    hash_format(&hash, text);
    assert_string_equal(text, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_examples_of_the_standard),
        cmocka_unit_test(test_a_hash_is_read_back_as_it_was_and_nothing_else_is_one),
        cmocka_unit_test(test_the_vectors_of_hmac),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
