/* Times and amounts as people type them into forms. What clocks do is the zone database's (tzdata), written out by hand. */
#include "collector/web/ops_fields.h"

#include "lib/rfc3339.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_a_time_is_what_the_site_s_clocks_show(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *typed, *is; /* NULL: it is no time there */
    } cases[] = {
        {"Asia/Shanghai", "2026-03-02 18:06", "2026-03-02T10:06:00Z"},
        {"Asia/Shanghai", "2026-03-02T18:06:07.123", "2026-03-02T10:06:07.123Z"},
        {"Asia/Shanghai", "2026-03-02T18:06:00-01:00", "2026-03-02T19:06:00Z"}, /* an offset counts */
        {"Asia/Kathmandu", "2026-03-02 05:45", "2026-03-02T00:00:00Z"},
        {"Europe/Berlin", "2026-03-29 01:59", "2026-03-29T00:59:00Z"},
        {"Europe/Berlin", "2026-03-29 02:30", NULL}, /* left out */
        {"Europe/Berlin", "2026-03-29 03:00", "2026-03-29T01:00:00Z"},
        {"Europe/Berlin", "2026-10-25 02:30", "2026-10-25T00:30:00Z"}, /* twice: the first */
        {"Europe/Berlin", "2026-10-25 03:00", "2026-10-25T02:00:00Z"},
        {"Australia/Lord_Howe", "2026-10-04 02:15", NULL}, /* half an hour is left out */
        {"Australia/Lord_Howe", "2026-10-04 02:30", "2026-10-03T15:30:00Z"},
        {"Pacific/Apia", "2011-12-30 12:00", NULL}, /* a day is left out */
        {"Asia/Shanghai", "2026-02-30 10:00", NULL},
        {"Asia/Shanghai", "2026-03-02 24:00", NULL},
        {"Asia/Shanghai", "2026-03-02", NULL},
        {"Asia/Shanghai", "2026-03-02 18:06 ", NULL},
        {"Asia/Shanghai", "2026-03-02 18:06Z:00", NULL},
        {"Asia/Shanghai", "", NULL},
        {"Asia/Shanghai", "yesterday at noon", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct zone *zone = zone_create(cases[i].zone);
        int64_t found_ms = 0, expected_ms = 0;
        bool is_time = ops_time_read(cases[i].typed, zone, &found_ms);
        zone_destroy(zone);
        if (is_time != (cases[i].is != NULL))
            fail_msg("%s in %s: %d", cases[i].typed, cases[i].zone, is_time);
        if (!is_time)
            continue;
        assert_true(rfc3339_parse(cases[i].is, &expected_ms));
        assert_int_equal(found_ms, expected_ms);
    }
}

static void test_an_amount_is_exact_or_none(void **state)
{
    (void)state;
    static const struct {
        const char *typed;
        int scale;
        int64_t is; /* -1: none */
    } cases[] = {{"12345.67", 3, 12345670}, {"0", 3, 0}, {"7", 6, 7000000}, {"0.001", 3, 1},
        {"0.0001", 3, -1}, {"1,5", 3, -1}, {"1.", 3, -1}, {".5", 3, -1}, {"1e3", 3, -1}, {" 1", 3, -1},
        {"9223372036854775", 3, INT64_C(9223372036854775000)}, {"99999999999999999", 3, -1}, {"x", 3, -1},
        {"", 3, -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t found = -1;
        if (!ops_quantity_read(cases[i].typed, cases[i].scale, &found))
            found = -1;
        if (found != cases[i].is)
            fail_msg("%s: %lld", cases[i].typed, (long long)found);
    }
}

static void test_every_kind_of_decision_has_its_fields_and_no_other(void **state)
{
    (void)state;
    static const char *const kinds[] = {"outlier", "reset", "replacement", "energy", "reading", "undo"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct ops_kind *kind = ops_kind_find(kinds[i]);
        assert_non_null(kind);
        /* With all of them said, and nothing else, the words are understood (deciding_words.h). */
        struct deciding_words words = {{NULL}};
        struct deciding d;
        struct error err;
        words.texts[WORD_KIND] = kinds[i];
        words.texts[WORD_WHY] = "x";
        for (size_t k = 0; k < kind->count; k++)
            words.texts[kind->fields[k].word] = kind->fields[k].type == OPS_TIME    ? "2026-01-01T00:00:00Z"
                                                : kind->fields[k].type == OPS_RATIO ? "1000/5"
                                                : kind->fields[k].type == OPS_CHECK ? "true"
                                                                                    : "1";
        if (deciding_read(&words, &d, &err) != ST_OK)
            fail_msg("%s: %s", kinds[i], err.text);
        for (size_t k = 0; k < kind->count; k++) {
            if (!kind->fields[k].is_needed)
                continue;
            const char *text = words.texts[kind->fields[k].word];
            words.texts[kind->fields[k].word] = NULL;
            assert_int_equal(deciding_read(&words, &d, &err), ST_INVALID);
            words.texts[kind->fields[k].word] = text;
        }
    }
    assert_null(ops_kind_find("closing"));
    assert_null(ops_kind_find(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_time_is_what_the_site_s_clocks_show),
        cmocka_unit_test(test_an_amount_is_exact_or_none),
        cmocka_unit_test(test_every_kind_of_decision_has_its_fields_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
