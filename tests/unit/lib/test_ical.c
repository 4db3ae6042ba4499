/* Content lines and values of iCalendar. */
#include "lib/ical.h"
#include "lib/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const char *const wanted[] = {"DTSTART", "DESCRIPTION", "UID", NULL};

static void check_span(struct span s, const char *text)
{
    if (!span_is(s, text))
        fail_msg("\"%.*s\"; expected \"%s\"", (int)s.len, s.at, text);
}

static void test_folded_lines_are_joined_and_numbered_where_they_begin(void **state)
{
    (void)state;
    struct ical_lines lines;
    assert_true(ical_lines_read(SPAN("BEGIN:VEVENT\r\nDTST\r\n ART:2026\r\n\t1129\r\n\r\nSUMMARY:a\n "
                                     "name\nuid:\n  x\nDTSTART\nUID:last"),
        wanted, 10, &lines));
    assert_int_equal(lines.count, 4);
    check_span(lines.items[0].name, "DTSTART");
    check_span(lines.items[0].value, "20261129");
    assert_int_equal(lines.items[0].number, 2);
    check_span(lines.items[1].value, " x");
    assert_int_equal(lines.items[1].number, 8);
    assert_true(lines.items[2].is_malformed);
    assert_false(lines.items[3].is_malformed);
    check_span(lines.items[3].value, "last");
    ical_lines_release(&lines);
    assert_false(ical_lines_read(SPAN("UID:1\nUID:2\nUID:3\n"), wanted, 2, &lines));
    assert_true(ical_lines_read(SPAN("UID:1\nUID:2\nX:3\n"), wanted, 2, &lines));
    ical_lines_release(&lines);
    assert_true(ical_lines_read(SPAN(""), wanted, 2, &lines));
    assert_int_equal(lines.count, 0);
    ical_lines_release(&lines);
}

static void test_a_parameter_may_be_quoted_and_is_there_once(void **state)
{
    (void)state;
    static const struct {
        const char *line, *tzid; /* NULL = none */
    } cases[] = {
        {"DTSTART;TZID=Asia/Shanghai:x", "Asia/Shanghai"},
        {"DTSTART;VALUE=DATE-TIME;tzid=\"a;b:c\";X=1:x", "a;b:c"},
        {"DTSTART;X=\"TZID=y\":x", NULL},
        {"DTSTART;TZID=a;TZID=b:x", ""},
        {"DTSTART;TZID:x", ""},
        {"DTSTART;TZID;X=1:x", ""},
        {"DTSTART;TZID=:x", ""},
        {"DTSTART:x", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ical_lines lines;
        struct span tzid;
        assert_true(ical_lines_read(span_of(cases[i].line), wanted, 1, &lines));
        assert_int_equal(lines.count, 1);
        assert_int_equal(ical_parameter(&lines.items[0], "TZID", &tzid), cases[i].tzid != NULL);
        if (cases[i].tzid != NULL)
            check_span(tzid, cases[i].tzid);
        check_span(lines.items[0].value, "x");
        ical_lines_release(&lines);
    }
    struct ical_lines lines;
    assert_true(ical_lines_read(SPAN("DTSTART;TZID=\"open:20261129"), wanted, 1, &lines));
    assert_true(lines.items[0].is_malformed);
    ical_lines_release(&lines);
}

static void test_a_time_is_one_that_there_is(void **state)
{
    (void)state;
    /* Oracle: date -u -d "..." +%s */
    static const struct {
        const char *text;
        int64_t local_s;
        bool is_date, is_utc;
    } good[] = {
        {"20261129", 1795910400, true, false},
        {"20261129T080102", 1795939262, false, false},
        {"20261129T080102Z", 1795939262, false, true},
        {"20240229T235960Z", 1709251199, false, true},
        {"16010101T000000", -11644473600, false, false},
        {"19691231T235959Z", -1, false, true},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct ical_time time;
        assert_true(ical_time_read(span_of(good[i].text), &time));
        assert_int_equal(time.local_s, good[i].local_s);
        assert_int_equal(time.is_date, good[i].is_date);
        assert_int_equal(time.is_utc, good[i].is_utc);
    }
    static const char *const bad[] = {"", "2026", "2026112", "20261131", "20260229", "20261301", "20260001",
        "20261100", "20261129T", "20261129T08", "20261129T0801", "20261129T240000", "20261129T086000",
        "20261129T080061", "20261129T080102z", "20261129T080102ZZ", "20261129 080102", "2026-11-29",
        "+0261129", "16001231", "2026112x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ical_time time;
        if (ical_time_read(span_of(bad[i]), &time))
            fail_msg("\"%s\" is taken", bad[i]);
    }
}

static void test_offsets_and_durations_are_whole_words(void **state)
{
    (void)state;
    int32_t offset_s;
    assert_true(ical_offset_read(SPAN("+0800"), &offset_s));
    assert_int_equal(offset_s, 28800);
    assert_true(ical_offset_read(SPAN("-033015"), &offset_s));
    assert_int_equal(offset_s, -12615);
    static const char *const bad_offsets[] = {
        "", "0800", "+08", "+2400", "+0860", "+08:00", "+080", "+08000"};
    for (size_t i = 0; i < sizeof bad_offsets / sizeof bad_offsets[0]; i++)
        assert_false(ical_offset_read(span_of(bad_offsets[i]), &offset_s));

    static const struct {
        const char *text;
        int64_t days, exact_s;
    } good[] = {{"PT1H30M", 0, 5400}, {"P1D", 1, 0}, {"P2W", 14, 0}, {"P15DT5H0M20S", 15, 18020},
        {"+PT15M", 0, 900}, {"PT0S", 0, 0}};
    struct ical_duration d;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!ical_duration_read(span_of(good[i].text), &d))
            fail_msg("%s cannot be read", good[i].text);
        assert_int_equal(d.days, good[i].days);
        assert_int_equal(d.exact_s, good[i].exact_s);
    }
    static const char *const bad[] = {"", "P", "PT", "1H", "P1H", "PT1D", "-PT1H", "PT1", "P1DT",
        "PT9999999H", "P99999999999D", "two hours", "PT1H30", "PP1D", "P9999D", "PT1.5H", "PT1H 30M"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (ical_duration_read(span_of(bad[i]), &d))
            fail_msg("\"%s\" is taken: %lld d %lld s", bad[i], (long long)d.days, (long long)d.exact_s);
}

static void test_a_rule_that_cannot_be_told_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "DAILY", "FREQ=", "FREQ=HOURLY", "FREQ=SECONDLY",
        "FREQ=FORTNIGHTLY", "INTERVAL=2", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;INTERVAL=65537", "FREQ=DAILY;INTERVAL=two", "FREQ=DAILY;COUNT=0", "FREQ=DAILY;COUNT=-3",
        "FREQ=DAILY;COUNT=4294967297", "FREQ=DAILY;COUNT=3;UNTIL=20261129", "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=DAILY;FREQ=WEEKLY", "FREQ=DAILY;X=1", "RSCALE=CHINESE;FREQ=YEARLY", "FREQ=DAILY;;COUNT=3",
        "FREQ=MONTHLY;BYDAY=XX", "FREQ=MONTHLY;BYDAY=60MO", "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=0", "FREQ=MONTHLY;BYMONTHDAY=65537", "FREQ=DAILY;BYHOUR=24",
        "FREQ=DAILY;BYHOUR=-1", "FREQ=DAILY;BYMONTH=13", "FREQ=DAILY;BYMONTH=5L", "FREQ=DAILY;BYMINUTE=60",
        "FREQ=WEEKLY;BYMONTHDAY=1", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=MONTHLY;BYWEEKNO=1",
        "FREQ=MONTHLY;BYYEARDAY=1", "FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO", "FREQ=MONTHLY;BYSETPOS=1",
        "FREQ=YEARLY;BYYEARDAY=367", "FREQ=DAILY;WKST=XX", "FREQ=DAILY;BYDAY=", "FREQ=DAILY;BYDAY=MO,",
        "FREQ=DAILY;BYHOUR=9 and 10"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ical_rule rule;
        if (ical_rule_read(span_of(bad[i]), &rule))
            fail_msg("\"%s\" is taken", bad[i]);
    }
    struct ical_rule rule;
    assert_true(ical_rule_read(SPAN("FREQ=weekly;UNTIL=20261129T080000Z;BYDAY=mo,TU;WKST=SU"), &rule));
    assert_true(rule.has_until && rule.until.is_utc);
    assert_int_equal(rule.recur.weekdays, 3);
    assert_int_equal(rule.recur.week_start, 6);
    assert_false(ical_rule_read((struct span){"FREQ=DAILY\0;X", 13}, &rule));
}

/* RFC 5545, 3.1: 75 octets without the line break; UTF-8 sequences stay whole, so that each line is text. */
static void test_what_is_written_is_folded_at_75_octets_and_read_back(void **state)
{
    (void)state;
    for (size_t len = 0; len < 400; len++) {
        struct buf text = {0}, out = {0};
        for (size_t i = 0; i < len; i++)
            buf_add_str(&text, i % 3 == 0 ? "a" : i % 3 == 1 ? "\xe4\xbb\xaa" : "\xf0\x9f\x94\xac");
        buf_add_str(&text, "");
        ical_write(&out, "DESCRIPTION", text.data != NULL ? text.data : "");
        struct span rest = {out.data, out.len}, line;
        while (line_next(&rest, &line)) {
            assert_true(line.len <= 75 && text_is_utf8(line));
            assert_true(line.at[line.len] == '\r' && line.at[line.len + 1] == '\n');
        }
        struct ical_lines lines;
        assert_true(ical_lines_read((struct span){out.data, out.len}, wanted, 1, &lines));
        check_span(lines.items[0].value, text.data != NULL ? text.data : "");
        ical_lines_release(&lines);
        buf_release(&text);
        buf_release(&out);
    }
}

static void test_a_text_is_escaped_and_a_time_is_utc(void **state)
{
    (void)state;
    struct buf out = {0};
    ical_write_text(&out, "SUMMARY", "a;b,c\\d\ne\r\x01");
    ical_write_time(&out, "DTSTART", INT64_C(1795939262999));
    assert_string_equal(out.data, "SUMMARY:a\\;b\\,c\\\\d\\ne\r\nDTSTART:20261129T080102Z\r\n");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folded_lines_are_joined_and_numbered_where_they_begin),
        cmocka_unit_test(test_a_parameter_may_be_quoted_and_is_there_once),
        cmocka_unit_test(test_a_time_is_one_that_there_is),
        cmocka_unit_test(test_offsets_and_durations_are_whole_words),
        cmocka_unit_test(test_a_rule_that_cannot_be_told_is_refused),
        cmocka_unit_test(test_what_is_written_is_folded_at_75_octets_and_read_back),
        cmocka_unit_test(test_a_text_is_escaped_and_a_time_is_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
