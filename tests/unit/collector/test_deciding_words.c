/* What a person says, word by word: which go with which kind, and what each must be. */
#include "collector/deciding_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define AT "2026-03-02T18:06:00+08:00"
#define AT_MS INT64_C(1772445960000)

static struct deciding_words words_of(const char *kind)
{
    struct deciding_words w = {{NULL}};
    w.texts[WORD_KIND] = kind;
    w.texts[WORD_WHY] = "protocol 17";
    w.texts[WORD_METER] = "m";
    return w;
}

static struct deciding_words replacement(void)
{
    struct deciding_words w = words_of("replacement");
    w.texts[WORD_AT] = AT;
    w.texts[WORD_END] = "100404000";
    w.texts[WORD_START] = "0";
    return w;
}

static void test_a_replacement_is_read(void **state)
{
    (void)state;
    struct deciding_words w = replacement();
    struct deciding d;
    struct error err;
    w.texts[WORD_RATIO] = "1000/5";
    w.texts[WORD_SERIAL] = "SN 7";
    assert_int_equal(deciding_read(&w, &d, &err), ST_OK);
    const struct ruling *r = &d.decided.ruling;
    assert_true(r->kind == RULING_REPLACED && r->from_ms == AT_MS && r->until_ms == AT_MS);
    assert_true(r->end == 100404000 && r->next.start == 0 && r->next.p == 200 && r->next.q == 1);
    assert_true(d.has_ratio && !d.has_modulus && !d.has_resolution && !d.has_max_rate && !d.is_preview);
    assert_string_equal(d.decided.serial, "SN 7");
}

static void test_mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        enum deciding_word word;
        const char *text, *says;
    } cases[] = {{WORD_KIND, NULL, "kind is none of"}, {WORD_KIND, "withdrawal", "kind is none of"},
        {WORD_WHY, NULL, "why is missing"}, {WORD_WHY, "", "why is not a text"},
        {WORD_WHY, "a\nb", "why is not a text"}, {WORD_WHY, "\xff", "why is not a text"},
        {WORD_METER, NULL, "meter is missing; expected with replacement"},
        {WORD_AT, "2026-03-02", "at: \"2026-03-02\" is not a time"},
        {WORD_AT, "2026-03-02T18:06:00", "is not a time"},
        {WORD_END, "1e6", "end: \"1e6\" is not a whole number"},
        {WORD_END, "9223372036854775808", "is not a whole number"}, {WORD_START, "", "start: \"\" is not"},
        {WORD_RATIO, "-1", "ratio: \"-1\" is not"}, {WORD_RATIO, "1/0", "ratio"},
        {WORD_ENERGY, "1", "energy does not go with replacement"},
        {WORD_FORCE, "yes", "force: \"yes\" is neither true nor false"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct deciding_words w = replacement();
        struct deciding d;
        struct error err;
        w.texts[cases[i].word] = cases[i].text;
        if (deciding_read(&w, &d, &err) != ST_INVALID || strstr(err.text, cases[i].says) == NULL)
            fail_msg("%zu: %s", i, err.text);
    }
}

static void test_a_span_goes_forwards_and_force_is_a_word(void **state)
{
    (void)state;
    struct deciding_words w = words_of("energy");
    struct deciding d;
    struct error err;
    w.texts[WORD_FROM] = AT;
    w.texts[WORD_UNTIL] = "2026-03-02T18:05:59Z";
    w.texts[WORD_ENERGY] = "7";
    w.texts[WORD_FORCE] = "true";
    assert_int_equal(deciding_read(&w, &d, &err), ST_OK);
    assert_true(d.decided.is_forced && d.decided.ruling.energy == 7 && d.decided.ruling.from_ms == AT_MS);
    w.texts[WORD_UNTIL] = "2026-03-02T10:05:59Z";
    assert_int_equal(deciding_read(&w, &d, &err), ST_INVALID);
    assert_string_equal(err.text, "until is before from");
    w.texts[WORD_UNTIL] = AT;
    w.texts[WORD_FORCE] = "yes";
    assert_int_equal(deciding_read(&w, &d, &err), ST_INVALID);
}

static void test_each_word_has_its_name(void **state)
{
    (void)state;
    for (int i = 0; i < WORDS; i++)
        assert_int_equal(deciding_word_find(deciding_word_name((enum deciding_word)i)), i);
    assert_int_equal(deciding_word_find("joules"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_replacement_is_read),
        cmocka_unit_test(test_mistakes_are_named),
        cmocka_unit_test(test_a_span_goes_forwards_and_force_is_a_word),
        cmocka_unit_test(test_each_word_has_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
