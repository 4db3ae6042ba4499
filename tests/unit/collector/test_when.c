/* Times in a visitor's words. What clocks do is the zone database's (tzdata), written out by hand. */
#include "collector/web/when.h"

#include "lib/rfc3339.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *texts;

static int set_up(void **state)
{
    (void)state;
    texts = json_loads(
        "{\"when_today\": \"today\", \"when_tomorrow\": \"tomorrow\", \"when_date\": \"{{=weekday}} "
        "{{=date}} {{=month}}\", \"when_year\": \"{{=date}} {{=month}} {{=year}}\", \"month_1\": \"Jan\", "
        "\"month_3\": \"Mar\", \"month_10\": \"Oct\", \"month_12\": \"<Dec>\", \"weekday_1\": \"Tue\", "
        "\"weekday_0\": \"Mon\", "
        "\"weekday_3\": \"Thu\", \"weekday_5\": \"Sat\", \"weekday_6\": \"Sun\"}",
        0, NULL);
    return texts != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(texts);
    return 0;
}

static int64_t at(const char *text)
{
    int64_t time_ms;
    assert_true(rfc3339_parse(text, &time_ms));
    return time_ms;
}

static void test_a_time_is_to_the_minute_with_its_day_where_it_is_not_today(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *now, *time;
        enum when_edge edge;
        const char *words, *exact;
    } cases[] = {
        {"Asia/Shanghai", "2026-12-01T00:00:00Z", "2026-12-01T08:30:00Z", WHEN_ENDS, "16:30",
            "2026-12-01T16:30:00.000+08:00"},
        {"Asia/Shanghai", "2026-12-01T00:00:00Z", "2026-12-01T08:30:59.999Z", WHEN_ENDS, "16:30",
            "2026-12-01T16:30:59.999+08:00"},
        {"Asia/Shanghai", "2026-12-01T00:00:00Z", "2026-12-01T08:30:00.001Z", WHEN_BEGINS, "16:31",
            "2026-12-01T16:30:00.001+08:00"},
        {"Asia/Shanghai", "2026-12-01T15:00:00Z", "2026-12-01T15:59:30Z", WHEN_BEGINS, "tomorrow 00:00",
            "2026-12-01T23:59:30.000+08:00"},
        {"Asia/Shanghai", "2026-12-01T16:00:00Z", "2026-12-01T15:59:59Z", WHEN_ENDS,
            "Tue 1 &lt;Dec&gt; 23:59", "2026-12-01T23:59:59.000+08:00"},
        {"Asia/Shanghai", "2026-12-28T00:00:00Z", "2026-12-31T00:00:00Z", WHEN_ENDS,
            "Thu 31 &lt;Dec&gt; 08:00", "2026-12-31T08:00:00.000+08:00"},
        {"Asia/Shanghai", "2026-12-28T00:00:00Z", "2027-01-02T00:00:00Z", WHEN_ENDS, "2 Jan 2027 08:00",
            "2027-01-02T08:00:00.000+08:00"},
        {"Asia/Shanghai", "2026-12-31T00:00:00Z", "2026-12-31T16:00:00Z", WHEN_ENDS, "tomorrow 00:00",
            "2027-01-01T00:00:00.000+08:00"},
        /* 02:30 does not come: it is 03:30 */
        {"Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z", WHEN_ENDS, "tomorrow 03:30",
            "2026-03-29T03:30:00.000+02:00"},
        {"Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-26T11:00:00Z", WHEN_ENDS, "Mon 26 Oct 12:00",
            "2026-10-26T12:00:00.000+01:00"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct zone *zone = zone_create(cases[i].zone);
        struct when when = {zone, at(cases[i].now), texts};
        struct buf out = {0}, expected = {0};
        when_add(&out, &when, "x", at(cases[i].time), cases[i].edge);
        buf_printf(
            &expected, "<time data-of=\"x\" datetime=\"%s\">%s</time>", cases[i].exact, cases[i].words);
        assert_string_equal(out.data, expected.data);
        buf_release(&out);
        buf_release(&expected);
        zone_destroy(zone);
    }
}

static void test_a_day_begins_when_its_clocks_first_show_it(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *within, *begin, *end;
    } cases[] = {{"Asia/Shanghai", "2026-12-01T08:30:00Z", "2026-11-30T16:00:00Z", "2026-12-01T16:00:00Z"},
        {"Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
        {"Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
        {"Africa/Cairo", "2026-04-24T12:00:00Z", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"},
        {"Pacific/Auckland", "2026-12-01T12:00:00Z", "2026-12-01T11:00:00Z", "2026-12-02T11:00:00Z"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct zone *zone = zone_create(cases[i].zone);
        int64_t day = when_day(zone, at(cases[i].within));
        assert_int_equal(when_day_begin_ms(zone, day), at(cases[i].begin));
        assert_int_equal(when_day_begin_ms(zone, day + 1), at(cases[i].end));
        zone_destroy(zone);
    }
}

static void test_the_end_of_a_day_is_24_00(void **state)
{
    (void)state;
    struct when when = {NULL, at("2026-12-01T12:00:00Z"), texts};
    int64_t day = when_day(NULL, when.now_ms);
    struct buf out = {0};
    when_add_clock(&out, &when, day, at("2026-12-02T00:00:00Z"), WHEN_ENDS);
    when_add_clock(&out, &when, day, at("2026-12-01T00:00:00Z"), WHEN_ENDS);
    when_add_clock(&out, &when, day, at("2026-12-01T23:59:01Z"), WHEN_BEGINS);
    when_add_clock(&out, &when, day, at("2026-12-01T23:59:01Z"), WHEN_ENDS);
    assert_string_equal(out.data, "24:0000:0024:0023:59");
    buf_reset(&out);
    when_add_day(&out, &when, at("2026-12-02T23:00:00Z"));
    when_add_second(&out, &when, "as_of", when.now_ms);
    assert_string_equal(
        out.data, "tomorrow<time data-of=\"as_of\" datetime=\"2026-12-01T12:00:00.000Z\">12:00:00</time>");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_time_is_to_the_minute_with_its_day_where_it_is_not_today),
        cmocka_unit_test(test_a_day_begins_when_its_clocks_first_show_it),
        cmocka_unit_test(test_the_end_of_a_day_is_24_00)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
