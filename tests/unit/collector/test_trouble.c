/* What is wrong with gateways, as lines on stderr. */
#include "collector/intake/trouble.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int true_stderr;
static FILE *captured;

static int capture(void **state)
{
    (void)state;
    captured = tmpfile();
    true_stderr = dup(STDERR_FILENO);
    dup2(fileno(captured), STDERR_FILENO);
    return 0;
}

static int restore(void **state)
{
    (void)state;
    dup2(true_stderr, STDERR_FILENO);
    close(true_stderr);
    fclose(captured);
    return 0;
}

/* How many lines hold `text`. */
static int said(const char *text)
{
    char line[1024];
    int count = 0;
    rewind(captured);
    while (fgets(line, sizeof line, captured) != NULL)
        count += strstr(line, text) != NULL;
    return count;
}

static void test_a_flood_of_trouble_is_one_line_for_each_gateway_and_kind(void **state)
{
    (void)state;
    struct troubles t = {0};
    for (int i = 0; i < 100000; i++) {
        trouble_tell(&t, "gw-a", TROUBLE_QUARANTINE, "a gauge that is not finite", 1000);
        trouble_tell(&t, "gw-a", TROUBLE_LOSS, "why", 1000);
    }
    trouble_tell(&t, "gw-b", TROUBLE_QUARANTINE, "another reason", 1000);
    assert_int_equal(
        said("gateway gw-a: quarantined: a gauge that is not finite; see /api/v1/quarantine"), 1);
    assert_int_equal(said("gateway gw-a: loss recorded: why; see /api/v1/losses"), 1);
    assert_int_equal(said("gateway gw-b: quarantined: another reason; "), 1);
    assert_int_equal(said("gateway"), 3);
    trouble_tell(&t, "gw-a", TROUBLE_QUARANTINE, "later", 62000);
    assert_int_equal(
        said("later; see /api/v1/quarantine, and put right what sends this (99999 more times"), 1);
    troubles_release(&t);
}

static void test_every_kind_names_the_gateway_and_says_what_to_do(void **state)
{
    (void)state;
    struct troubles t = {0};
    for (int kind = 0; kind < TROUBLE_KINDS; kind++) {
        char why[16], expected[64];
        snprintf(why, sizeof why, "why-%d", kind);
        snprintf(expected, sizeof expected, "%s; ", why);
        trouble_tell(&t, "gw-c", (enum trouble)kind, why, 1000);
        assert_int_equal(said(expected), 1);
    }
    assert_int_equal(said("intake: gateway gw-c: "), TROUBLE_KINDS);
    troubles_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_a_flood_of_trouble_is_one_line_for_each_gateway_and_kind, capture, restore),
        cmocka_unit_test_setup_teardown(
            test_every_kind_names_the_gateway_and_says_what_to_do, capture, restore),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
