/* tests/unit/collector/calendars/: each file says in X-PARKMON lines what it must come to; oracle_calendars.py works the
 * readable ones out a second time. */
#include "collector/instrument/ical_read.h"
#include "collector/instrument/windows_zone.h"
#include "lib/file.h"
#include "lib/ical.h"
#include "lib/mem.h"
#include "lib/number.h"
#include "lib/rfc3339.h"
#include "tests/unit/oracle.h"

#include <dirent.h>
#include <strings.h>

/* 2026-10-01T00:00:00Z to 2027-04-15T00:00:00Z: both changes of the clocks. */
static const struct busy horizon = {INT64_C(1790812800000), INT64_C(1807747200000)};

static int64_t time_of(struct span text)
{
    char word[64];
    int64_t time_ms;
    assert_true(text.len < sizeof word);
    memcpy(word, text.at, text.len);
    word[text.len] = '\0';
    if (!rfc3339_parse(word, &time_ms))
        fail_msg("\"%s\" is no time", word);
    return time_ms;
}

struct expected {
    struct busy_list busy;
    int64_t problems;
    bool is_whole, has_python;
    char site[64];
};

static void expected_read(struct span text, struct expected *ret)
{
    static const char *const wanted[] = {"X-PARKMON-BUSY", "X-PARKMON-PROBLEMS", "X-PARKMON-WHOLE",
        "X-PARKMON-SITE", "X-PARKMON-PYTHON", NULL};
    struct ical_lines lines;
    assert_true(ical_lines_read(text, wanted, 1000, &lines));
    *ret = (struct expected){.problems = -1};
    for (size_t i = 0; i < lines.count; i++) {
        const struct ical_line *line = &lines.items[i];
        if (ical_is(line->name, "X-PARKMON-BUSY")) {
            struct span rest = line->value, begin, end;
            assert_true(ical_next_part(&rest, '/', &begin) && ical_next_part(&rest, '/', &end));
            struct busy all = {INT64_MIN, INT64_MAX};
            busy_list_add(&ret->busy, time_of(begin), time_of(end), all);
        } else if (ical_is(line->name, "X-PARKMON-PROBLEMS"))
            assert_true(number_parse_int64(line->value.at, line->value.len, &ret->problems));
        else if (ical_is(line->name, "X-PARKMON-WHOLE"))
            ret->is_whole = span_is(line->value, "yes");
        else if (ical_is(line->name, "X-PARKMON-PYTHON"))
            ret->has_python = span_is(line->value, "yes");
        else {
            assert_true(line->value.len < sizeof ret->site);
            memcpy(ret->site, line->value.at, line->value.len);
        }
    }
    ical_lines_release(&lines);
    assert_true(ret->problems >= 0 && zone_is_known(ret->site));
}

static struct ical_reading read_at(struct span text, const char *site, struct busy over)
{
    struct zone *zone = zone_create(site);
    struct ical_reading reading;
    struct error err = {""};
    if (ical_read(text, &(struct ical_read_options){"a calendar", zone, over}, &reading, &err) != ST_OK)
        fail_msg("%s", err.text);
    zone_destroy(zone);
    return reading;
}

static void print_list(const char *title, const struct busy_list *list)
{
    print_message("%s:\n", title);
    for (size_t i = 0; i < list->count; i++) {
        char begin[ZONE_TIME_SIZE], end[ZONE_TIME_SIZE];
        zone_format_time(NULL, list->items[i].begin_ms, begin);
        zone_format_time(NULL, list->items[i].end_ms, end);
        print_message("    %s %s\n", begin, end);
    }
}

static char *case_path(const char *name)
{
    const char *source = getenv("PARKMON_SOURCE");
    return mem_printf("%s/tests/unit/collector/calendars/%s", source != NULL ? source : ".", name);
}

static struct span case_text(const char *name)
{
    char *path = case_path(name), *text;
    size_t len;
    struct error err;
    if (file_read(path, 1 << 20, &text, &len, &err) != ST_OK)
        fail_msg("%s", err.text);
    free(path);
    return (struct span){text, len};
}

/* Whatever part of the horizon is asked for, the answer is that part of the whole. */
static void check_parts(const char *name, struct span text, const struct expected *e)
{
    if (e->problems > 0)
        return; /* what cannot be read is busy to the end of each horizon */
    for (int64_t at = horizon.begin_ms; at < horizon.end_ms; at += INT64_C(1234567890)) {
        struct busy part = {at, at + INT64_C(777777777)};
        if (part.end_ms > horizon.end_ms)
            part.end_ms = horizon.end_ms;
        struct busy_list wanted = {0};
        busy_list_add_all(&wanted, &e->busy, part);
        struct ical_reading reading = read_at(text, e->site, part);
        if (!busy_list_is_equal(&reading.busy, &wanted)) {
            print_list("expected", &wanted);
            print_list("found", &reading.busy);
            fail_msg("%s: a part of the horizon is answered otherwise", name);
        }
        busy_list_release(&wanted);
        ical_reading_release(&reading);
    }
}

static bool check_case(const char *name)
{
    struct span text = case_text(name);
    struct expected e;
    expected_read(text, &e);
    struct ical_reading reading = read_at(text, e.site, horizon);
    bool is_right = busy_list_is_equal(&reading.busy, &e.busy) &&
                    (int64_t)reading.problem_count == e.problems && reading.is_whole == e.is_whole;
    if (!is_right) {
        print_message("%s: whole %d, expected %d\n", name, reading.is_whole, e.is_whole);
        print_list("expected", &e.busy);
        print_list("found", &reading.busy);
        for (size_t i = 0; i < reading.problem_count && i < ICAL_PROBLEMS_MAX; i++)
            print_message("line %d: %s\n", reading.problems[i].line, reading.problems[i].text);
    }
    bool has_unread = false;
    for (size_t i = 0; i < reading.booking_count; i++)
        has_unread = has_unread || reading.bookings[i].is_unread;
    assert_true(reading.problem_count > 0 || !has_unread);
    check_parts(name, text, &e);
    ical_reading_release(&reading);
    busy_list_release(&e.busy);
    free((char *)text.at);
    return is_right;
}

static int is_calendar(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');
    return end != NULL && strcmp(end, ".ics") == 0;
}

static void test_each_calendar_comes_to_what_it_says(void **state)
{
    (void)state;
    char *folder = case_path("");
    struct dirent **entries;
    int count = scandir(folder, &entries, is_calendar, alphasort), wrong = 0;
    assert_true(count >= 80);
    for (int i = 0; i < count; i++) {
        wrong += !check_case(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    free(folder);
    assert_int_equal(wrong, 0);
}

/* Lines of the oracle: the file's name, then begin and end of each span in ms. */
static void test_an_independent_reader_finds_the_same(void **state)
{
    (void)state;
    struct oracle o;
    oracle_open(&o, "collector/oracle_calendars.py", 1, NULL);
    while (oracle_read(&o)) {
        struct busy_list wanted = {0};
        struct busy all = {INT64_MIN, INT64_MAX};
        char *rest = o.line, *name = strsep(&rest, " "), *begin;
        while ((begin = strsep(&rest, " ")) != NULL) {
            char *end = strsep(&rest, " ");
            assert_non_null(end);
            busy_list_add(&wanted, strtoll(begin, NULL, 10), strtoll(end, NULL, 10), all);
        }
        struct span text = case_text(name);
        struct expected e;
        expected_read(text, &e);
        if (!busy_list_is_equal(&wanted, &e.busy)) {
            print_list("the oracle", &wanted);
            print_list("the file", &e.busy);
            fail_msg("%s says otherwise than the oracle", name);
        }
        busy_list_release(&wanted);
        busy_list_release(&e.busy);
        free((char *)text.at);
    }
    oracle_close(&o, 40);
}

/* A text of our own, read over the horizon at the site Asia/Shanghai. */
static struct ical_reading read_own(const struct buf *text)
{
    return read_at((struct span){text->data, text->len}, "Asia/Shanghai", horizon);
}

static bool is_busy_throughout(const struct ical_reading *r)
{
    return r->busy.count == 1 && r->busy.items[0].begin_ms == r->horizon.begin_ms &&
           r->busy.items[0].end_ms == r->horizon.end_ms;
}

static void test_what_is_too_much_is_busy_and_said(void **state)
{
    (void)state;
    struct buf text = {0};
    buf_add_str(&text, "BEGIN:VCALENDAR\n");
    for (int i = 0; i <= ICAL_EVENTS_MAX; i++)
        buf_printf(&text, "BEGIN:VEVENT\nUID:%d\nDTSTART:20261130T080000Z\nDURATION:PT1H\nEND:VEVENT\n", i);
    buf_add_str(&text, "END:VCALENDAR\n");
    struct ical_reading r = read_own(&text);
    assert_true(is_busy_throughout(&r) && !r.is_whole && r.problem_count > 0);
    assert_int_equal(r.event_count, ICAL_EVENTS_MAX + 1);
    ical_reading_release(&r);

    buf_reset(&text); /* 30 rules of 1440 times a day: more bookings than are kept */
    buf_add_str(&text, "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20261001T000000Z\nDURATION:PT1S\nRRULE:"
                       "FREQ=DAILY;BYHOUR=0");
    for (int i = 1; i < 24; i++)
        buf_printf(&text, ",%d", i);
    buf_add_str(&text, ";BYMINUTE=0");
    for (int i = 1; i < 60; i++)
        buf_printf(&text, ",%d", i);
    buf_add_str(&text, "\nEND:VEVENT\nEND:VCALENDAR\n");
    r = read_own(&text);
    assert_true(r.problem_count > 0 && r.booking_count <= ICAL_BOOKINGS_MAX);
    assert_true(busy_list_has(&r.busy, r.horizon.end_ms - 1));
    ical_reading_release(&r);
    buf_release(&text);
}

static void test_rules_without_end_are_bounded_together(void **state)
{
    (void)state;
    struct buf text = {0};
    buf_add_str(&text, "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:16010101T000000Z\nDURATION:PT1H\n");
    for (int i = 0; i < 20000; i++)
        buf_add_str(&text, "RRULE:FREQ=DAILY;COUNT=1000000\n");
    buf_add_str(&text, "END:VEVENT\nEND:VCALENDAR\n");
    struct ical_reading r = read_own(&text);
    assert_true(is_busy_throughout(&r) && r.problem_count > 0);
    ical_reading_release(&r);
    buf_release(&text);
}

static void check_refused(struct span text, const char *wanted)
{
    struct ical_reading reading;
    struct error err = {""};
    assert_int_equal(
        ical_read(text, &(struct ical_read_options){"lab.ics", NULL, horizon}, &reading, &err), ST_INVALID);
    assert_string_equal(err.text, wanted);
}

static void test_what_is_no_calendar_is_refused_with_one_line(void **state)
{
    (void)state;
    check_refused(SPAN("<html><body>Please log in</body></html>"),
        "lab.ics:1: not a calendar; expected BEGIN:VCALENDAR");
    check_refused(SPAN(""), "lab.ics:1: not a calendar; expected BEGIN:VCALENDAR");
    check_refused(SPAN("\xff\xfe"
                       "B\0E\0"),
        "lab.ics:1: not a calendar; expected BEGIN:VCALENDAR");
    size_t len = 50 * 1024 * 1024;
    char *large = mem_zalloc(len);
    check_refused(
        (struct span){large, len}, "lab.ics: a calendar of 52428800 bytes; expected at most 8388608");
    free(large);
    struct buf lines = {0};
    buf_add_str(&lines, "BEGIN:VCALENDAR\n");
    while (lines.len < ICAL_BYTES_MAX - 10)
        buf_add_str(&lines, "UID:\n");
    check_refused((struct span){lines.data, lines.len},
        "lab.ics: a calendar of more than 1000000 lines; expected at most as many");
    buf_release(&lines);
    struct ical_reading r = read_at(SPAN("\xef\xbb\xbf"
                                         "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
        "Asia/Shanghai", horizon);
    assert_true(r.is_whole && r.event_count == 0 && r.busy.count == 0);
    ical_reading_release(&r);
}

static void test_every_windows_name_is_a_zone_of_the_system(void **state)
{
    (void)state;
    const char *name, *zone, *before = "";
    size_t i = 0;
    for (; (name = windows_zone_at(i, &zone)) != NULL; i++) {
        if (!zone_is_known(zone) || strcasecmp(before, name) >= 0)
            fail_msg("%s (%s) is no zone, or out of order", name, zone);
        assert_string_equal(windows_zone(name), zone);
        before = name;
    }
    assert_int_equal(i, 139); /* of territory 001 in CLDR */
    assert_string_equal(windows_zone("china standard time"), "Asia/Shanghai");
    assert_null(windows_zone("China"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_too_much_is_busy_and_said),
        cmocka_unit_test(test_rules_without_end_are_bounded_together),
        cmocka_unit_test(test_what_is_no_calendar_is_refused_with_one_line),
        cmocka_unit_test(test_every_windows_name_is_a_zone_of_the_system),
        cmocka_unit_test(test_each_calendar_comes_to_what_it_says),
        cmocka_unit_test(test_an_independent_reader_finds_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
