/* The calendar of a site against Python's zoneinfo, and by its own laws. */
#include "collector/model/periods.h"
#include "tests/unit/oracle.h"

#include "lib/calendar.h"

#define HOUR_MS INT64_C(3600000)

struct place {
    struct zone *zone;
    char name[64];
};

static void check_quarter(const struct place *place, const char *line)
{
    long long time_s, day, begin_s, end_s;
    int hour, offset_s, of_day;
    if (sscanf(line, "quarter %lld %lld %d %d %d %lld %lld", &time_s, &day, &hour, &offset_s, &of_day,
            &begin_s, &end_s) != 7)
        fail_msg("%s", line);
    /* Any instant of it. */
    int64_t time_ms = time_s * 1000 + (int64_t)random_below(PERIODS_QUARTER_HOUR_MS);
    struct periods_hour found = periods_hour(place->zone, time_ms);
    if (periods_quarter_hour(time_ms) != time_s * 1000 ||
        periods_of(place->zone, PERIODS_DAY, time_ms).number != day || found.day != day ||
        found.hour != hour || found.offset_s != offset_s ||
        periods_quarter_of_day(place->zone, time_ms) != of_day || found.span.begin_ms != begin_s * 1000 ||
        found.span.end_ms != end_s * 1000)
        fail_msg("%s, %s: day %lld (%lld), hour %d, offset %d, %lld to %lld", place->name, line,
            (long long)periods_of(place->zone, PERIODS_DAY, time_ms).number, (long long)found.day, found.hour,
            (int)found.offset_s, (long long)found.span.begin_ms / 1000, (long long)found.span.end_ms / 1000);
}

static void check_day(const struct place *place, const char *line)
{
    long long day, begin_s, end_s;
    if (sscanf(line, "day %lld %lld %lld", &day, &begin_s, &end_s) != 3)
        fail_msg("%s", line);
    struct periods_span span = periods_span(place->zone, (struct period){PERIODS_DAY, day});
    if (span.begin_ms != begin_s * 1000 || span.end_ms != end_s * 1000)
        fail_msg("%s, %s: %lld to %lld", place->name, line, (long long)span.begin_ms / 1000,
            (long long)span.end_ms / 1000);
}

static void test_every_quarter_hour_and_day_is_where_zoneinfo_puts_it(void **state)
{
    (void)state;
    struct oracle oracle;
    struct place place = {0};
    oracle_open(&oracle, "collector/oracle_periods.py", random_uint64(), NULL);
    while (oracle_read(&oracle)) {
        if (sscanf(oracle.line, "zone %63s", place.name) == 1) {
            zone_destroy(place.zone);
            place.zone = zone_create(place.name);
        } else if (oracle.line[0] == 'q') {
            check_quarter(&place, oracle.line);
        } else {
            check_day(&place, oracle.line);
        }
    }
    zone_destroy(place.zone);
    oracle_close(&oracle, 20000);
}

static const char *const zones[] = {"Asia/Shanghai", "Europe/Berlin", "Pacific/Apia", "Australia/Lord_Howe",
    "America/St_Johns", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Kwajalein", "Antarctica/Troll",
    "Africa/Monrovia", "America/Sao_Paulo"};

static void test_days_tile_the_axis_and_hours_tile_days(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        struct zone *zone = zone_create(zones[i]);
        for (size_t run = 0; run < 4; run++) {
            int64_t day = (int64_t)random_below(131 * 365);
            int64_t at_ms = periods_span(zone, (struct period){PERIODS_DAY, day}).begin_ms;
            for (int64_t last = day + 100; day < last; day++) {
                struct periods_span span = periods_span(zone, (struct period){PERIODS_DAY, day});
                assert_int_equal(span.begin_ms, at_ms);
                while (at_ms < span.end_ms) {
                    struct periods_hour hour = periods_hour(zone, at_ms);
                    assert_int_equal(hour.span.begin_ms, at_ms);
                    assert_true(hour.span.end_ms > at_ms && hour.span.end_ms <= at_ms + HOUR_MS);
                    for (; at_ms < hour.span.end_ms; at_ms += PERIODS_QUARTER_HOUR_MS) {
                        assert_int_equal(periods_of(zone, PERIODS_DAY, at_ms).number, day);
                        assert_int_equal(periods_hour(zone, at_ms).span.begin_ms, hour.span.begin_ms);
                    }
                    assert_int_equal(hour.day, day);
                }
                assert_int_equal(span.end_ms, at_ms);
            }
        }
        zone_destroy(zone);
    }
}

static void test_longer_periods_are_whole_days(void **state)
{
    (void)state;
    struct zone *zone = zone_create("Europe/Berlin");
    static const enum periods_kind kinds[] = {PERIODS_MONTH, PERIODS_QUARTER, PERIODS_YEAR};
    static const int64_t most_days[] = {31, 92, 366};
    for (size_t i = 0; i < 3; i++) {
        for (int64_t number = 0; number < (i == 2 ? 130 : 500); number++) {
            struct period period = {kinds[i], number};
            struct periods_span span = periods_span(zone, period);
            int64_t days = 0, at_ms = span.begin_ms;
            for (; at_ms < span.end_ms; days++) {
                struct period day = periods_of(zone, PERIODS_DAY, at_ms);
                assert_int_equal(periods_of(zone, kinds[i], at_ms).number, number);
                assert_int_equal(periods_within(day, kinds[i]).number, number);
                at_ms = periods_span(zone, day).end_ms;
            }
            assert_int_equal(at_ms, span.end_ms);
            assert_true(days >= most_days[i] - 3 && days <= most_days[i]);
        }
    }
    zone_destroy(zone);
}

static void test_days_have_the_length_that_their_clocks_say(void **state)
{
    (void)state;
    /* Oracle: `TZ=<zone> date -d "<day> 00:00" +%s`, and of Apia what tzdata says. */
    static const struct {
        const char *zone, *day;
        int64_t minutes;
    } rows[] = {{"Europe/Berlin", "2026-03-29", 23 * 60}, {"Europe/Berlin", "2026-10-25", 25 * 60},
        {"Australia/Lord_Howe", "2026-10-04", 23 * 60 + 30},
        {"Australia/Lord_Howe", "2026-04-05", 24 * 60 + 30}, {"Pacific/Apia", "2011-12-29", 24 * 60},
        {"Pacific/Apia", "2011-12-30", 0}, {"Pacific/Apia", "2011-12-31", 24 * 60},
        {"Pacific/Apia", "2011-12", 30 * 24 * 60}, {"Antarctica/Troll", "2026-03-29", 22 * 60},
        {"Asia/Shanghai", "2026", 365 * 24 * 60}, {"Asia/Kathmandu", "1986-01-01", 23 * 60 + 45},
        {"Europe/Berlin", "2026-Q1", 90 * 24 * 60 - 60}, {"No/Such_Zone", "2028-02", 29 * 24 * 60}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zone *zone = zone_create(rows[i].zone);
        struct period period;
        assert_true(periods_parse(rows[i].day, &period));
        struct periods_span span = periods_span(zone, period);
        if (span.end_ms - span.begin_ms != rows[i].minutes * 60000)
            fail_msg("%s %s: %lld min", rows[i].zone, rows[i].day,
                (long long)(span.end_ms - span.begin_ms) / 60000);
        zone_destroy(zone);
    }
}

static void test_the_hour_that_comes_twice_is_two_hours(void **state)
{
    (void)state;
    struct zone *zone = zone_create("Europe/Berlin");
    int64_t change_ms = INT64_C(1792890000000); /* 2026-10-25T01:00:00Z: from 03:00 back to 02:00 */
    struct periods_hour before = periods_hour(zone, change_ms - 1), after = periods_hour(zone, change_ms);
    assert_int_equal(before.hour, 2);
    assert_int_equal(after.hour, 2);
    assert_int_equal(before.offset_s, 7200);
    assert_int_equal(after.offset_s, 3600);
    assert_int_equal(before.span.begin_ms, change_ms - HOUR_MS);
    assert_int_equal(before.span.end_ms, change_ms);
    assert_int_equal(after.span.end_ms, change_ms + HOUR_MS);
    assert_int_equal(before.day, after.day);
    zone_destroy(zone);
}

static void test_periods_are_named_as_people_name_them(void **state)
{
    (void)state;
    static const char *const good[] = {"1970", "2026", "9999", "2026-Q1", "2026-Q4", "1970-01", "2026-12",
        "2026-10-05", "2028-02-29", "1970-01-01"};
    static const char *const bad[] = {"", "26", "1969", "10000", "2026-", "2026-Q0", "2026-Q5", "2026-Q11",
        "2026-q1", "2026-00", "2026-13", "2026-1", "2026-02-29", "2026-04-31", "2026-10-00", "2026-10-5",
        "2026-10-05 ", "2026/10", "+2026", "2026-10-05T00:00"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct period period;
        char text[PERIODS_TEXT_SIZE];
        if (!periods_parse(good[i], &period))
            fail_msg("%s", good[i]);
        periods_format(period, text);
        assert_string_equal(text, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct period period;
        if (periods_parse(bad[i], &period))
            fail_msg("%s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_quarter_hour_and_day_is_where_zoneinfo_puts_it),
        cmocka_unit_test(test_days_tile_the_axis_and_hours_tile_days),
        cmocka_unit_test(test_longer_periods_are_whole_days),
        cmocka_unit_test(test_days_have_the_length_that_their_clocks_say),
        cmocka_unit_test(test_the_hour_that_comes_twice_is_two_hours),
        cmocka_unit_test(test_periods_are_named_as_people_name_them),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
