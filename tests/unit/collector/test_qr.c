/* What a code says is what another program (libzbar, oracle_qr.py) reads from it. */
#include "collector/web/qr.h"
#include "tests/unit/oracle.h"

#include <stdlib.h>
#include <unistd.h>

static void test_another_program_reads_what_was_written(void **state)
{
    (void)state;
    char folder[] = "/tmp/parkmon-test-qr-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *texts[40];
    size_t count = sizeof texts / sizeof texts[0];
    for (size_t i = 0; i < count; i++) {
        struct buf out = {0};
        texts[i] = mem_printf("https://park.example.org/instruments/%.*s", (int)(i * i),
            "a-b0c-d1e-f2g-h3i-j4k-l5m-n6o-p7q-r8s-t9u-v0w-x1y-z2a-b0c-d1e-f2g-h3i-j4k-l5m-n6o-p7q-r8s-t9u-"
            "v0w-x");
        assert_true(qr_add_svg(&out, texts[i], "x"));
        char *path = mem_printf("%s/%zu.svg", folder, i);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(out.data, file) >= 0);
        fclose(file);
        free(path);
        buf_release(&out);
    }
    struct oracle o;
    oracle_open(&o, "collector/oracle_qr.py", 1, folder);
    for (size_t i = 0; i < count; i++) {
        assert_true(oracle_read(&o));
        assert_string_equal(o.line, texts[i]);
        free(texts[i]);
    }
    assert_false(oracle_read(&o));
    oracle_close(&o, count);
    char *command = mem_printf("rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
    free(command);
}

static void test_what_it_is_is_a_text_and_too_much_is_none(void **state)
{
    (void)state;
    struct buf out = {0};
    char *endless = mem_zalloc(2333);
    memset(endless, 'a', 2332);
    assert_false(qr_add_svg(&out, endless, "x"));
    assert_false(qr_add_svg(&out, "", "x"));
    assert_int_equal(out.len, 0);
    endless[2331] = '\0';
    assert_true(qr_add_svg(&out, endless, "x"));
    free(endless);
    buf_reset(&out);
    assert_true(qr_add_svg(&out, "a", "a \"b\" <c>"));
    assert_non_null(strstr(out.data, "aria-label=\"a &quot;b&quot; &lt;c&gt;\""));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_another_program_reads_what_was_written),
        cmocka_unit_test(test_what_it_is_is_a_text_and_too_much_is_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
