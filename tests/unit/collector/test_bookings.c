/* What is known of a calendar of bookings, and how good it is. */
#include "collector/instrument/bookings.h"
#include "lib/mem.h"
#include "tests/unit/random.h"

#define PERIOD INT64_C(300000)
#define HOUR INT64_C(3600000)
static const struct busy horizon = {0, 1000 * HOUR};

static struct ical_reading reading_of(int64_t begin_ms, int64_t end_ms)
{
    struct ical_reading r = {.horizon = horizon, .is_whole = true, .event_count = begin_ms < end_ms};
    busy_list_add(&r.busy, begin_ms, end_ms, horizon);
    if (begin_ms < end_ms) {
        r.bookings = mem_zalloc(sizeof *r.bookings);
        r.bookings[0] = (struct ical_booking){.span = {begin_ms, end_ms}, .uid = 1};
        r.booking_count = 1;
    }
    return r;
}

static void take(struct bookings *b, struct ical_reading r, int64_t now_ms)
{
    bookings_take(b, &r, now_ms);
    ical_reading_release(&r);
}

static void test_what_is_known_ages_until_it_is_seen_again(void **state)
{
    (void)state;
    struct bookings b = {0};
    assert_int_equal(bookings_quality(&b, PERIOD, HOUR), SOURCE_NEVER_SEEN);
    bookings_is_unchanged(&b, HOUR);
    assert_int_equal(bookings_quality(&b, PERIOD, HOUR), SOURCE_NEVER_SEEN);
    take(&b, reading_of(5 * HOUR, 6 * HOUR), HOUR);
    assert_int_equal(bookings_quality(&b, PERIOD, HOUR + 2 * PERIOD), SOURCE_GOOD);
    assert_int_equal(bookings_quality(&b, PERIOD, HOUR + 2 * PERIOD + 1), SOURCE_LATE);
    assert_int_equal(bookings_quality(&b, PERIOD, HOUR + 3 * PERIOD), SOURCE_LATE);
    assert_int_equal(bookings_quality(&b, PERIOD, HOUR + 3 * PERIOD + 1), SOURCE_STALE);
    /* max(3 periods, 120 s) */
    assert_int_equal(bookings_quality(&b, 10000, HOUR + 120000), SOURCE_LATE);
    assert_int_equal(bookings_quality(&b, 10000, HOUR + 120001), SOURCE_STALE);
    bookings_is_unchanged(&b, 2 * HOUR);
    assert_int_equal(bookings_quality(&b, PERIOD, 2 * HOUR), SOURCE_GOOD);
    assert_int_equal(b.busy.count, 1);
    bookings_release(&b);
}

static void test_a_calendar_that_turns_empty_is_stale_until_confirmed(void **state)
{
    (void)state;
    struct bookings b = {0};
    take(&b, reading_of(5 * HOUR, 6 * HOUR), HOUR);
    take(&b, reading_of(0, 0), 2 * HOUR);
    assert_int_equal(bookings_quality(&b, PERIOD, 2 * HOUR), SOURCE_STALE);
    assert_true(busy_list_has(&b.busy, 5 * HOUR));
    bookings_is_unchanged(&b, 2 * HOUR + PERIOD);
    take(&b, reading_of(0, 0), 3 * HOUR);
    assert_int_equal(bookings_quality(&b, PERIOD, 3 * HOUR), SOURCE_STALE);
    assert_int_equal(b.emptied_ms, 2 * HOUR);
    assert_true(bookings_confirm_empty(&b, 3 * HOUR));
    assert_int_equal(bookings_quality(&b, PERIOD, 3 * HOUR), SOURCE_GOOD);
    assert_int_equal(b.busy.count, 0);
    assert_false(bookings_confirm_empty(&b, 3 * HOUR));

    take(&b, reading_of(5 * HOUR, 6 * HOUR), 4 * HOUR);
    take(&b, reading_of(0, 0), 4 * HOUR + 1);
    take(&b, reading_of(7 * HOUR, 8 * HOUR), 4 * HOUR + 2); /* events are back */
    assert_int_equal(bookings_quality(&b, PERIOD, 4 * HOUR + 2), SOURCE_GOOD);
    assert_false(busy_list_has(&b.busy, 5 * HOUR));
    assert_true(busy_list_has(&b.busy, 7 * HOUR));
    take(&b, reading_of(0, 0), 7 * HOUR + 1); /* not over yet */
    assert_int_equal(bookings_quality(&b, PERIOD, 7 * HOUR + 1), SOURCE_STALE);
    take(&b, reading_of(0, 0), 8 * HOUR); /* all is over: nothing is lost */
    assert_int_equal(bookings_quality(&b, PERIOD, 8 * HOUR), SOURCE_GOOD);
    bookings_release(&b);

    take(&b, reading_of(5 * HOUR, 6 * HOUR), HOUR);
    take(&b, reading_of(0, 0), 2 * HOUR);
    bookings_is_unchanged(&b, 6 * HOUR);
    assert_int_equal(bookings_quality(&b, PERIOD, 6 * HOUR), SOURCE_GOOD);
    bookings_release(&b);
}

static void test_one_that_has_only_what_is_over_has_turned_empty(void **state)
{
    (void)state;
    struct bookings b = {0};
    take(&b, reading_of(5 * HOUR, 8 * HOUR), 4 * HOUR);
    take(&b, reading_of(1 * HOUR, 2 * HOUR),
        6 * HOUR); /* 5 to 8 is under way, and what is told was yesterday */
    assert_int_equal(bookings_quality(&b, PERIOD, 6 * HOUR), SOURCE_STALE);
    assert_true(busy_list_has(&b.busy, 6 * HOUR));
    take(&b, reading_of(5 * HOUR, 7 * HOUR), 6 * HOUR + 1); /* it ends earlier, and is under way */
    assert_int_equal(bookings_quality(&b, PERIOD, 6 * HOUR + 1), SOURCE_GOOD);
    assert_false(busy_list_has(&b.busy, 7 * HOUR));
    take(&b, reading_of(5 * HOUR, 6 * HOUR), 6 * HOUR + 2); /* it has ended, as that says */
    assert_int_equal(bookings_quality(&b, PERIOD, 6 * HOUR + 2), SOURCE_STALE);
    take(&b, reading_of(5 * HOUR, 6 * HOUR), 7 * HOUR); /* what was known is over, too */
    assert_int_equal(bookings_quality(&b, PERIOD, 7 * HOUR), SOURCE_GOOD);
    bookings_release(&b);

    /* the only one ahead is called off */
    take(&b, reading_of(5 * HOUR, 6 * HOUR), HOUR);
    take(&b, reading_of(0, HOUR), 2 * HOUR);
    assert_int_equal(bookings_quality(&b, PERIOD, 2 * HOUR), SOURCE_STALE);
    assert_true(bookings_confirm_empty(&b, 2 * HOUR));
    assert_int_equal(b.busy.count, 0);
    bookings_release(&b);
}

static void test_a_calendar_that_was_always_empty_is_believed(void **state)
{
    (void)state;
    struct bookings b = {0};
    take(&b, reading_of(0, 0), HOUR);
    assert_int_equal(bookings_quality(&b, PERIOD, HOUR), SOURCE_GOOD);
    bookings_release(&b);
}

static void test_one_that_is_broken_off_takes_nothing_away(void **state)
{
    (void)state;
    struct bookings b = {0};
    take(&b, reading_of(5 * HOUR, 6 * HOUR), HOUR);
    struct ical_reading cut = reading_of(9 * HOUR, 10 * HOUR);
    cut.is_whole = false;
    take(&b, cut, HOUR + 1);
    assert_int_equal(bookings_quality(&b, PERIOD, HOUR + 1), SOURCE_CONFLICT);
    assert_true(busy_list_has(&b.busy, 5 * HOUR) && busy_list_has(&b.busy, 9 * HOUR));
    take(&b, reading_of(9 * HOUR, 10 * HOUR), HOUR + 2);
    assert_int_equal(bookings_quality(&b, PERIOD, HOUR + 2), SOURCE_GOOD);
    assert_false(busy_list_has(&b.busy, 5 * HOUR));
    bookings_release(&b);
}

static void test_what_was_not_read_lowers_the_quality(void **state)
{
    (void)state;
    struct bookings b = {0};
    struct ical_reading r = reading_of(5 * HOUR, 6 * HOUR);
    r.problem_count = 1;
    take(&b, r, HOUR);
    assert_int_equal(bookings_quality(&b, PERIOD, HOUR), SOURCE_LATE);
    take(&b, reading_of(5 * HOUR, 6 * HOUR), HOUR + 1);
    assert_int_equal(bookings_quality(&b, PERIOD, HOUR + 1), SOURCE_GOOD);
    assert_int_equal(bookings_quality(&b, 1000 * HOUR, horizon.end_ms), SOURCE_STALE);
    bookings_release(&b);
}

/* Law A, of this source: whatever was taken, time alone never makes it better, nor less busy. */
static void test_time_alone_makes_nothing_better(void **state)
{
    (void)state;
    static const int worse[] = {[SOURCE_GOOD] = 0,
        [SOURCE_LATE] = 1,
        [SOURCE_STALE] = 2,
        [SOURCE_CONFLICT] = 2,
        [SOURCE_NEVER_SEEN] = 3};
    struct bookings b = {0};
    int64_t now_ms = HOUR;
    for (int turn = 0; turn < 3000; turn++) {
        int64_t begin_ms = now_ms + (int64_t)random_below(8) * HOUR - 4 * HOUR;
        struct ical_reading r = reading_of(begin_ms, begin_ms + (int64_t)random_below(3) * HOUR);
        r.is_whole = random_below(5) > 0;
        r.problem_count = random_below(5) == 0;
        if (random_below(4) == 0)
            bookings_is_unchanged(&b, now_ms);
        else
            bookings_take(&b, &r, now_ms);
        ical_reading_release(&r);
        int before = worse[bookings_quality(&b, PERIOD, now_ms)];
        for (int step = 0; step < 6; step++) {
            now_ms += (int64_t)random_below((size_t)PERIOD);
            int after = worse[bookings_quality(&b, PERIOD, now_ms)];
            assert_true(after >= before);
            before = after;
        }
    }
    bookings_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_known_ages_until_it_is_seen_again),
        cmocka_unit_test(test_a_calendar_that_turns_empty_is_stale_until_confirmed),
        cmocka_unit_test(test_one_that_has_only_what_is_over_has_turned_empty),
        cmocka_unit_test(test_a_calendar_that_was_always_empty_is_believed),
        cmocka_unit_test(test_one_that_is_broken_off_takes_nothing_away),
        cmocka_unit_test(test_what_was_not_read_lowers_the_quality),
        cmocka_unit_test(test_time_alone_makes_nothing_better),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
