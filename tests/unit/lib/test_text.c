#include "lib/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* From RFC 3629, sections 3, 4 and 10, and the stress cases of Kuhn's UTF-8 decoder test. */
static void test_utf8_is_well_formed_and_nothing_else(void **state)
{
    (void)state;
    static const char *const good[] = {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
        "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "园区 m²"};
    static const char *const bad[] = {
        "\x80",                                                         /* begins with a continuation */
        "\xc2",                                                         /* ends too early */
        "\xe5\x9b", "\xf0\x90\x80", "\xc2\x41",                         /* goes on with something else */
        "\xe5\x41\x80", "\xc0\x80",                                     /* overlong */
        "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", /* surrogates */
        "\xed\xbf\xbf", "\xf4\x90\x80\x80",                             /* beyond U+10FFFF */
        "\xf8\x88\x80\x80\x80", "\xfe", "\xff", "\xb5\xe7",             /* GBK */
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!text_is_utf8(span_of(good[i])))
            fail_msg("good text %zu was refused", i);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (text_is_utf8(span_of(bad[i])))
            fail_msg("bad text %zu was taken", i);
    /* A character that goes on behind the span is cut, whatever stands there. */
    assert_false(text_is_utf8((struct span){"\xe5\x9b\xad", 2}));
    assert_true(text_is_utf8((struct span){"\0", 1}));
}

static void test_control_characters_are_found(void **state)
{
    (void)state;
    assert_false(text_has_control(SPAN("")));
    assert_false(text_has_control(SPAN("园区 ~")));
    assert_true(text_has_control(SPAN("a\tb")));
    assert_true(text_has_control(SPAN("a\n")));
    assert_true(text_has_control(SPAN("\0")));
    assert_true(text_has_control(SPAN("\x7f")));
    static const char *const turning[] = {
        "\u061c", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069"};
    static const char *const harmless[] = {
        "\u061b", "\u200d", "\u2010", "\u2029", "\u202f", "\u2065", "\u206a"};
    for (size_t i = 0; i < sizeof turning / sizeof *turning; i++) {
        char text[16];
        snprintf(text, sizeof text, "a%sb", turning[i]);
        assert_true(text_has_control(span_of(text)));
        text_clean(text);
        assert_false(text_has_control(span_of(text)));
        assert_true(text[0] == 'a' && text[1] == '?' && text[strlen(text) - 1] == 'b');
        snprintf(text, sizeof text, "a%sb", harmless[i]);
        assert_false(text_has_control(span_of(text)));
    }
}

static void test_a_copy_never_ends_in_half_a_character(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        size_t size;
        const char *to;
    } cases[] = {{"abc", 4, "abc"}, {"abc", 3, "ab"}, {"abc", 1, ""}, {"a园区", 8, "a园区"},
        {"a园区", 7, "a园"}, {"a园区", 5, "a园"}, {"a园区", 4, "a"}, {"园", 3, ""},
        {"\xf0\x9f\x8f\xa2", 5, "\xf0\x9f\x8f\xa2"}, {"\xf0\x9f\x8f\xa2", 4, ""}, {"\xff", 8, "?"},
        {"", 1, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char to[16];
        memset(to, 'x', sizeof to);
        text_copy(to, cases[i].size, span_of(cases[i].from));
        assert_string_equal(to, cases[i].to);
        assert_int_equal(to[cases[i].size], 'x');
    }
}

static void test_any_text_is_made_fit_for_people_and_json(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *clean;
    } cases[] = {{"园区 m²", "园区 m²"}, {"a\nb\x1b[31m\x7f", "a?b?[31m?"}, {"cut \xe4\xb8", "cut ??"},
        {"\xffz", "?z"}, {"\xed\xa0\x80", "???"}, {"", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        strcpy(text, cases[i].raw);
        text_clean(text);
        assert_string_equal(text, cases[i].clean);
    }
    char few[6];
    text_copy(few, sizeof few, SPAN("ab园区"));
    assert_string_equal(few, "ab园");
    text_copy(few, sizeof few, SPAN("a\xff\nb"));
    assert_string_equal(few, "a??b");
    /* And so is every error, wherever its words come from. */
    struct error err;
    error_set(&err, ST_PROTOCOL, "it says %.4s", "aaa中");
    assert_string_equal(err.text, "it says aaa?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_is_well_formed_and_nothing_else),
        cmocka_unit_test(test_control_characters_are_found),
        cmocka_unit_test(test_any_text_is_made_fit_for_people_and_json),
        cmocka_unit_test(test_a_copy_never_ends_in_half_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
