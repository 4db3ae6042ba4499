/* agent/sources/frame: which message is new. */
#include "agent/sources/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define T INT64_C(1764000000000)

static void test_each_case_of_counter_and_time(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct frame_mark newest, message;
        enum frame_verdict verdict;
    } cases[] = {
        {"the first of all", {false, 0, 0}, {true, 7, T}, FRAME_NEW},
        {"the next", {true, 7, T}, {true, 8, T + 1}, FRAME_NEW},
        {"after lost ones", {true, 7, T}, {true, 90, T + 1}, FRAME_NEW},
        {"the same again", {true, 7, T}, {true, 7, T}, FRAME_SEEN},
        {"late by one", {true, 8, T + 1}, {true, 7, T}, FRAME_SEEN},
        {"late by very many", {true, 9000, T + 9000}, {true, 7, T}, FRAME_SEEN},
        {"the next in the same millisecond", {true, 7, T}, {true, 8, T}, FRAME_NEW},
        {"the one before in the same millisecond", {true, 8, T}, {true, 7, T}, FRAME_SEEN},
        {"joined anew", {true, 500, T}, {true, 0, T + 1}, FRAME_ANEW},
        {"joined anew while the counter was low", {true, 2, T}, {true, 0, T + 1}, FRAME_ANEW},
        {"joined anew at the very counter", {true, 0, T}, {true, 0, T + 1}, FRAME_ANEW},
        {"of before it joined, late", {true, 2, T + 1}, {true, 500, T}, FRAME_SEEN},
        {"untimed: the next", {true, 7, 0}, {true, 8, 0}, FRAME_NEW},
        {"untimed: the same", {true, 7, 0}, {true, 7, 0}, FRAME_SEEN},
        {"untimed: as late as may be", {true, 40, 0}, {true, 40 - FRAME_LATE_MAX, 0}, FRAME_SEEN},
        {"untimed: later than that", {true, 40, 0}, {true, 39 - FRAME_LATE_MAX, 0}, FRAME_ANEW},
        {"the newest had no time", {true, 7, 0}, {true, 7, T}, FRAME_SEEN},
        {"this one has none", {true, 7, T}, {true, 8, 0}, FRAME_NEW},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (frame_judge(&cases[i].newest, &cases[i].message) != cases[i].verdict)
            fail_msg("%s", cases[i].what);
}

static void test_a_note_reads_as_it_was_written(void **state)
{
    (void)state;
    struct frame_mark mark = {true, INT64_MAX, T}, back = {0};
    char text[FRAME_TEXT_SIZE];
    frame_format(&mark, text);
    assert_true(frame_parse(span_of(text), &back));
    assert_true(back.is_known && back.frame == mark.frame && back.time_ms == T);
    assert_false(frame_parse(SPAN(""), &back));
    assert_false(frame_parse(SPAN("12"), &back));
    assert_false(frame_parse(SPAN("12 x"), &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_case_of_counter_and_time),
        cmocka_unit_test(test_a_note_reads_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
