#include "lib/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

/* RFC 4648, 10, and every value of six bits. */
static void test_the_vectors_of_the_rfc(void **state)
{
    (void)state;
    static const char *const vectors[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbe", "+/++"}};
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct buf out = {0};
        base64_add(&out, span_of(vectors[i][0]));
        char *text = buf_take(&out);
        assert_string_equal(text, vectors[i][1]);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_vectors_of_the_rfc)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
