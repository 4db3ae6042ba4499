#include "lib/conf_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void note(void *context, int line, const char *path, const char *text)
{
    buf_printf(context, "%d: %s%s%s\n", line, path, path[0] != '\0' ? ": " : "", text);
}

/* `mended` NULL: the text must be refused as a whole. `problems` "" = none. */
static void expect(const char *text, const char *mended, const char *problems)
{
    struct buf out = {0}, told = {0};
    buf_add_str(&out, "");
    buf_add_str(&told, "");
    bool is_good = conf_scan(text, &out, note, &told);
    if (is_good != (mended != NULL) || strcmp(told.data, problems) != 0 ||
        (is_good && strcmp(out.data, mended) != 0))
        fail_msg(
            "%s\n  gave %d: %s\n  and told:\n%s  not:\n%s", text, is_good, out.data, told.data, problems);
    buf_release(&out);
    buf_release(&told);
}

static void test_what_is_right_stays_as_it_is(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n", "a = 1;", "a : 1", "a=-5, b = 7;\n",
        "a = { b = 0.5; c = -.5; d = 5.; };", "a = ( { b = \"x\"; }, { b = \"y\"; } );\n",
        "a = \"with \\\"quotes\\\" # and ; marks\"; # a comment\n", "a /* b = 1; */ = // c\n  2;\n",
        "a = TRUE; b = false;\n", "a-b_c = ();", "x = 2147483647; y = -2147483648;"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect(texts[i], texts[i], "");
}

static void test_integers_keep_their_value(void **state)
{
    (void)state;
    expect("a = 3000000000;", "a = 3000000000L;", "");
    expect("a = +7;", "a = 7;", "");
    expect("a = -3000000000;", "a = -3000000000L;", "");
    expect("a = 3000000000L; b = 5L; c = 6LL;", "a = 3000000000L; b = 5; c = 6;", "");
    expect("a = 0x10; b = 0XfF; c = 0xffffffff; d = 0x7fffffffffffffff;",
        "a = 16; b = 255; c = 4294967295L; d = 9223372036854775807L;", "");
    expect("a = 9223372036854775807; b = -9223372036854775808;",
        "a = 9223372036854775807L; b = -9223372036854775808L;", "");
    expect("a = 9223372036854775808;", "a = \"\001\";",
        "1: a: 9223372036854775808 is too large; expected an integer of at most 64 bits\n");
    expect("a = 0x8000000000000000;", "a = \"\001\";",
        "1: a: 0x8000000000000000 is too large; expected an integer of at most 64 bits\n");
}

static void test_words_are_told_and_replaced(void **state)
{
    (void)state;
    static const char *const words[] = {"localhost", "10s", "1e5", "1.2.3", "127.0.0.1:1883", "/var/lib/x",
        "0x", "0xfg", "--5", ".", "yes", "1_000", "5kWh", "nan", "truely"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char text[64], problem[256];
        snprintf(text, sizeof text, "a = %s; b = 1;", words[i]);
        snprintf(problem, sizeof problem,
            "1: a: %s is neither a number nor in quotes; expected \"%s\" or a number such as 10, 0.5, 0x1f\n",
            words[i], words[i]);
        expect(text, "a = \"\001\"; b = 1;", problem);
    }
    expect("a = 5//five\n;", "a = 5//five\n;", "");
}

static void test_a_second_key_is_told_with_the_line_of_the_first(void **state)
{
    (void)state;
    expect("a = 1;\nb = 2;\na = 3;\na = 4;", "a = 1;\nb = 2;\n*duplicate1 = 3;\n*duplicate2 = 4;",
        "3: a: is set a second time (first in line 1); expected once\n"
        "4: a: is set a second time (first in line 1); expected once\n");
    expect("a = ( { b = 1; }, { b = 2; c = { b = 3; b = 4; }; } ); b = 5;",
        "a = ( { b = 1; }, { b = 2; c = { b = 3; *duplicate1 = 4; }; } ); b = 5;",
        "1: a[1].c.b: is set a second time (first in line 1); expected once\n");
}

static void test_strings_end_in_their_line_and_stand_alone(void **state)
{
    (void)state;
    expect("a = \"x;\nb = 1;", "a = \"\001\";\nb = 1;",
        "1: a: \"x is not closed; expected a second \" in the same line\n");
    expect("a = \"x\\\";\r\nb = 1;", "a = \"\001\";\r\nb = 1;",
        "1: a: \"x\\\" is not closed; expected a second \" in the same line\n");
    expect("a = \"x\"\n \"y\"; b = 1;", "a = \"\001\"\n; b = 1;",
        "2: a: a second string follows; expected one, or a list: [\"a\", \"b\"]\n");
    expect("a = [\"x\" \"y\"];", "a = (\"x\" ,\"y\");",
        "1: a[1]: a comma is missing before this entry; expected one between two entries\n");
}

static void test_a_terminator_too_many_means_nothing_but_an_entry_too_few_does(void **state)
{
    (void)state;
    expect("a = [1, 2,];", "a = (1, 2 );", "");
    expect("a = ( { b = 1; },\n);", "a = ( { b = 1; } \n);", "");
    expect("; a = { b = 1;; };;", " a = { b = 1; };", "");
    expect("a = (1, , 2);", "a = (1,  2);",
        "1: a[1]: an entry is missing before this comma; expected one comma between two entries\n");
    expect("a = ({b = 1;}\n{b = 2;});", "a = ({b = 1;}\n,{b = 2;});",
        "2: a[1]: a comma is missing before this entry; expected one between two entries\n");
    expect("a = (1; 2);", NULL, "1: a[0]: ; stands in a list; expected a comma, or )\n");
}

static void test_an_include_is_told_wherever_it_stands(void **state)
{
    (void)state;
    expect("a = 1;\n \t@include \"b.cfg\"\nc = 2;", "a = 1;\n \t\nc = 2;",
        "2: @include is not supported; expected one file (register maps are shared with `map`)\n");
    expect("# @include \"x\"\na = \"@include\";", "# @include \"x\"\na = \"@include\";", "");
    expect("/*\n@include \"x\"\n*/", "/*\n@include \"x\"\n*/", "");
}

static void test_a_setting_without_value_is_told(void **state)
{
    (void)state;
    expect("a = ; b = 1;", "a = \"\001\"; b = 1;", "1: a: has no value; expected key = value;\n");
    expect("a = { b = };", "a = { b = \"\001\"};", "1: a.b: has no value; expected key = value;\n");
    expect("a =", "a =\"\001\"", "1: a: has no value; expected key = value;\n");
}

static void test_brackets_are_matched_to_the_line_that_opened_them(void **state)
{
    (void)state;
    expect(
        "a = {\n b = (\n { c = 1; }\n };", NULL, "4: a.b: } does not close what line 2 opened; expected )\n");
    expect("a = {\n b = 1;\n", NULL, "1: a: the bracket opened here is never closed; expected }\n");
    expect("a = 1; }", NULL, "1: } closes nothing; expected key = value;\n");
    expect("a = 1;\n/* b = 2;", NULL, "2: the comment that begins here is never closed; expected */\n");
}

static void test_what_is_no_setting_is_told_as_such(void **state)
{
    (void)state;
    expect("a 1;", NULL, "1: a: has no = after it; expected key = value;\n");
    expect("b {\n}", NULL, "1: b: has no = after it; expected key = value;\n");
    expect("a = 1 2;", NULL, "1: 2 stands where a key should; expected key = value;\n");
    expect("a = { 5 };", NULL, "1: a: 5 stands where a key should; expected key = value;\n");
    expect("%PDF-1.4", NULL, "1: %PDF-1.4 stands where a key should; expected key = value;\n");
}

static void test_depth_and_size_are_bounded(void **state)
{
    (void)state;
    struct buf text = {0}, out = {0}, told = {0};
    buf_add_str(&text, "a = ");
    for (int i = 0; i < 100000; i++)
        buf_add_char(&text, '(');
    assert_false(conf_scan(text.data, &out, note, &told));
    assert_non_null(strstr(told.data, "is nested deeper than 31 brackets; expected fewer\n"));
    buf_reset(&text);
    buf_reset(&told);
    for (int i = 0; i < 257; i++)
        buf_printf(&text, "k%d = 1;\n", i);
    assert_false(conf_scan(text.data, &out, note, &told));
    assert_string_equal(told.data, "257: k256: is one of more than 256 keys in one group; expected a list\n");
    buf_reset(&text);
    buf_reset(&told);
    buf_add_str(&text, "a = (");
    for (int i = 0; i < 100001; i++)
        buf_add_str(&text, "{},");
    assert_false(conf_scan(text.data, &out, note, &told));
    assert_string_equal(told.data, "1: a[100000]: is one of more than 100000 entries; expected fewer\n");
    buf_reset(&text);
    buf_reset(&told);
    buf_add_str(&text, "a = (");
    for (int i = 0; i < 2000; i++)
        buf_add_str(&text, ",\n");
    assert_false(conf_scan(text.data, &out, note, &told));
    assert_non_null(strstr(told.data, "\n1000: a[0]: an entry is missing"));
    assert_null(strstr(told.data, "\n1001: "));
    buf_release(&text);
    buf_release(&out);
    buf_release(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_right_stays_as_it_is),
        cmocka_unit_test(test_integers_keep_their_value),
        cmocka_unit_test(test_words_are_told_and_replaced),
        cmocka_unit_test(test_a_second_key_is_told_with_the_line_of_the_first),
        cmocka_unit_test(test_strings_end_in_their_line_and_stand_alone),
        cmocka_unit_test(test_a_terminator_too_many_means_nothing_but_an_entry_too_few_does),
        cmocka_unit_test(test_an_include_is_told_wherever_it_stands),
        cmocka_unit_test(test_a_setting_without_value_is_told),
        cmocka_unit_test(test_brackets_are_matched_to_the_line_that_opened_them),
        cmocka_unit_test(test_what_is_no_setting_is_told_as_such),
        cmocka_unit_test(test_depth_and_size_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
