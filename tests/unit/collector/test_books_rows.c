/* Rows 5b, 15 and 16 of the table of register sequences through the books, with the answers of that table; and what the
 * books keep beside quarters. */
#include "tests/unit/collector/books_fixture.h"
#include "tests/unit/collector/ledger_day.h"

static const struct segment plain[] = {DAY_SEGMENT};

static struct books_meter plain_meter(int64_t id)
{
    return books_meter(id, (struct segments){plain, 1}, DAY_MAX_GAP_MS, NULL, 0);
}

/* Each reading up to that time, in a transaction of its own. */
static void take_until(const struct books_meter *meter, const struct book *b, size_t *at, int64_t until_ms)
{
    for (; *at < b->count && b->readings[*at].time_ms <= until_ms; ++*at)
        fixture_take(meter, &b->readings[*at], 1, (int64_t)*at + 1);
}

struct day {
    int64_t rows, known, measured, estimated, unknown, versions;
};

#define OF_DAY \
    " FROM ledger_quarter AS q WHERE meter = ?1 AND start_ms >= 1764547200000 AND start_ms < 1764633600000"
#define LATEST                                                                                             \
    OF_DAY " AND version = (SELECT max(version) FROM ledger_quarter WHERE meter = q.meter AND start_ms = " \
           "q.start_ms)"

static void assert_day(int64_t meter, struct day expected)
{
    struct day is = {.rows = fixture_number("SELECT count(*)" LATEST, meter),
        .known = fixture_number("SELECT sum(amount)" LATEST, meter),
        .measured = fixture_number("SELECT count(*)" LATEST " AND quality = 0", meter),
        .estimated = fixture_number("SELECT count(*)" LATEST " AND quality = 1", meter),
        .unknown = fixture_number("SELECT count(*)" LATEST " AND quality = 3 AND amount IS NULL", meter),
        .versions = fixture_number("SELECT count(*)" OF_DAY " AND version > 1", meter)};
    if (memcmp(&is, &expected, sizeof is) != 0)
        fail_msg("%" PRId64 " rows, known %" PRId64 ", %" PRId64 " measured, %" PRId64 " estimated, %" PRId64
                 " unknown, %" PRId64 " later versions",
            is.rows, is.known, is.measured, is.estimated, is.unknown, is.versions);
}

static void assert_says(const char *sql, int64_t meter, const char *expected)
{
    char *is = fixture_query(sql, meter);
    assert_string_equal(is, expected);
    free(is);
}

#define EXCEPTIONS "SELECT state || ' ' || from_ms || ' ' || until_ms FROM ledger_event WHERE meter = ?1"

static void test_row_5b_a_replacement_logged_a_week_later(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    for (int64_t t = CLOCK(0, -15); t <= DAY_BEGIN + 7 * DAY_MS; t += BOUNDARY_MS)
        day_add(&b, t, day_count(t) - (t > CLOCK(10, 6) ? 100404 * KWH - 12000 * KWH : 0));
    struct books_meter meter = plain_meter(501);
    size_t at = 0;
    take_until(&meter, &b, &at, INT64_MAX);
    assert_day(meter.id, (struct day){.rows = 96, .known = 950 * KWH, .measured = 95, .unknown = 1});
    assert_says("SELECT start_ms FROM ledger_quarter WHERE meter = ?1 AND amount IS NULL", meter.id,
        "1764583200000\n");                                               /* 10:00 */
    assert_says(EXCEPTIONS, meter.id, "0 1764583200000 1764584100000\n"); /* 10:00 to 10:15 */

    struct segment logged[2] = {plain[0], plain[0]};
    logged[0].until_ms = logged[1].from_ms = CLOCK(10, 6);
    logged[0].has_end = logged[1].has_start = true;
    logged[0].end = 100404 * KWH;
    logged[1].start = 12000 * KWH;
    struct books_meter mended = books_meter(meter.id, (struct segments){logged, 2}, DAY_MAX_GAP_MS, NULL, 0);
    fixture_take(&mended, NULL, 0, 9999);
    assert_day(meter.id, (struct day){.rows = 96, .known = 960 * KWH, .measured = 96, .versions = 1});
    assert_says("SELECT start_ms || ' ' || version || ' ' || amount || ' ' || written_ms FROM ledger_quarter"
                " WHERE meter = ?1 AND version > 1",
        meter.id, "1764583200000 2 10000 9999\n");
    assert_says(EXCEPTIONS, meter.id, "1 1764583200000 1764584100000\n");
    book_release(&b);
}

static void test_row_15_six_hours_arrive_in_one_batch(void **state)
{
    (void)state;
    struct book whole, b;
    day_open(&whole, plain, 1);
    day_fill(&whole);
    day_open(&b, plain, 1);
    day_fill(&b);
    day_drop(&b, CLOCK(6, 0), CLOCK(12, 0));
    struct books_meter meter = plain_meter(1501);
    size_t at = 0;
    take_until(&meter, &b, &at, CLOCK(20, 0));
    assert_day(meter.id, (struct day){.rows = 80, .known = 800 * KWH, .measured = 55, .estimated = 25});

    fixture_take(&meter, &whole.readings[book_find(&whole, CLOCK(6, 0))], 24, 7777);
    assert_day(meter.id, (struct day){.rows = 80, .known = 800 * KWH, .measured = 80, .versions = 25});
    take_until(&meter, &b, &at, INT64_MAX);
    assert_day(meter.id, (struct day){.rows = 96, .known = 960 * KWH, .measured = 96, .versions = 25});
    /* 05:45 to 12:00, and what they were stays readable. */
    assert_says(
        "SELECT min(start_ms) || ' ' || max(start_ms) || ' ' || min(written_by) || ' ' || max(version)"
        " FROM ledger_quarter WHERE meter = ?1 AND version > 1",
        meter.id, "1764567900000 1764589500000 7777 2\n");
    assert_says("SELECT count(*) || ' ' || min(amount) || ' ' || max(amount) FROM ledger_quarter"
                " WHERE meter = ?1 AND version = 1 AND quality = 1",
        meter.id, "25 10000 10000\n");
    /* From a quarter to its readings to the batch. */
    assert_says("SELECT group_concat(journal) FROM ledger_reading WHERE meter = ?1"
                " AND time_ms IN (1764589500000, 1764590400000)", /* 11:45 and 12:00 */
        meter.id, "7777,26\n");
    book_release(&whole);
    book_release(&b);
}

static void test_row_16_the_last_reading_is_at_18(void **state)
{
    (void)state;
    struct book b;
    day_open(&b, plain, 1);
    day_fill(&b);
    struct books_meter meter = plain_meter(1601);
    size_t at = 0;
    take_until(&meter, &b, &at, CLOCK(18, 0));
    /* Those from 18:00 on are not decided: no row says anything of them. */
    assert_day(meter.id, (struct day){.rows = 72, .known = 720 * KWH, .measured = 72});
    assert_says(
        "SELECT max(start_ms) FROM ledger_quarter WHERE meter = ?1", meter.id, "1764611100000\n"); /* 17:45 */
    book_release(&b);
}

static void test_the_first_of_a_time_stands(void **state)
{
    (void)state;
    struct books_meter meter = plain_meter(1);
    struct unwrap_reading readings[] = {{.time_ms = CLOCK(0, 0), .count = day_count(CLOCK(0, 0))},
        {.time_ms = CLOCK(0, 15), .count = day_count(CLOCK(0, 15))}, {.time_ms = CLOCK(0, 15), .count = 7}};
    fixture_take(&meter, readings, 3, 1);
    fixture_take(&meter, &readings[2], 1, 2);
    assert_says(
        "SELECT amount || ' ' || version FROM ledger_quarter WHERE meter = ?1", meter.id, "10000 1\n");
    assert_says("SELECT group_concat(journal) FROM ledger_reading WHERE meter = ?1", meter.id, "1,1\n");
}

/* Held for a day of reading time: an exception without an end covers what passed; then it gets its end, the first
 * reading of the chain, and what was said of the time after that is another version. */
static void test_an_exception_without_an_end(void **state)
{
    (void)state;
    struct books_meter meter = plain_meter(2);
    struct unwrap_reading reading = {.time_ms = CLOCK(0, 0), .count = day_count(CLOCK(0, 0))};
    fixture_take(&meter, &reading, 1, 1);
    for (int64_t t = CLOCK(1, 0); t <= CLOCK(25, 0); t += HOUR_MS) {
        assert_says("SELECT count(*) FROM ledger_event WHERE meter = ?1", meter.id, "0\n");
        reading = (struct unwrap_reading){.time_ms = t, .count = 5};
        fixture_take(&meter, &reading, 1, 2);
    }
    assert_says(EXCEPTIONS, meter.id, "0 1764547200000 9223372036854775807\n");
    assert_says(
        "SELECT count(*) || ' ' || count(amount) FROM ledger_quarter WHERE meter = ?1", meter.id, "100 0\n");
    reading = (struct unwrap_reading){.time_ms = CLOCK(26, 0), .count = 5 + 40 * KWH};
    fixture_take(&meter, &reading, 1, 3);
    assert_says("SELECT state || ' ' || from_ms || ' ' || until_ms FROM ledger_event WHERE meter = ?1"
                " ORDER BY until_ms",
        meter.id, "0 1764547200000 1764550800000\n1 1764547200000 9223372036854775807\n"); /* until 01:00 */
    /* 100 that were unknown, 96 of them known to be 0 now, and 4 new ones of 10 kWh. */
    assert_says("SELECT count(*) || ' ' || count(amount) || ' ' || max(version) || ' ' || sum(amount)"
                " FROM ledger_quarter WHERE meter = ?1",
        meter.id, "200 100 2 40000\n");
}

/* A snapshot a day; of those older than 35 days one in 32 days; the newest always. A late reading goes back to one. */
static void test_snapshots_are_thinned_out(void **state)
{
    (void)state;
    struct books_meter meter = plain_meter(3);
    for (int64_t day = 0; day < 130; day++) {
        int64_t t = DAY_BEGIN + day * DAY_MS;
        struct unwrap_reading reading = {.time_ms = t, .count = day_count(t)};
        fixture_take(&meter, &reading, 1, 1);
    }
    assert_says("SELECT count(*) FROM ledger_snapshot WHERE meter = ?1 AND last_ms >= 1772668800000",
        meter.id, "36\n"); /* from day 94 on */
    int64_t older = fixture_number("SELECT count(*) FROM ledger_snapshot WHERE meter = ?1", meter.id) - 36;
    assert_true(older >= 3 && older <= 4);
    struct unwrap_reading late = {.time_ms = DAY_BEGIN + 50 * DAY_MS + HOUR_MS};
    late.count = day_count(late.time_ms) - 20 * KWH;
    fixture_take(&meter, &late, 1, 2);
    assert_says("SELECT count(*) FROM ledger_snapshot WHERE meter = ?1 AND last_ms >= 1772668800000",
        meter.id, "36\n");
    assert_true(fixture_number("SELECT min(start_ms) FROM ledger_quarter WHERE meter = ?1 AND version > 1",
                    meter.id) == DAY_BEGIN + 50 * DAY_MS);
}

/* Read at one point until 10:00 and at another from then on; the model then names them the other way round. */
static void test_points_are_known_by_what_stays(void **state)
{
    (void)state;
    struct segment segments[2] = {plain[0], plain[0]};
    segments[0].until_ms = segments[1].from_ms = CLOCK(10, 0);
    segments[0].has_end = segments[1].has_start = true;
    segments[0].end = segments[1].start = day_count(CLOCK(10, 0));
    segments[1].point = 1;
    const int64_t points[] = {71, 72}, swapped[] = {72, 71};
    struct books_meter meter = books_meter(4, (struct segments){segments, 2}, DAY_MAX_GAP_MS, points, 2);
    for (int64_t t = CLOCK(0, -15); t <= CLOCK(24, 15); t += BOUNDARY_MS) {
        struct unwrap_reading readings[] = {
            {.time_ms = t, .count = day_count(t), .point = t < CLOCK(10, 0) ? 71 : 72},
            {.time_ms = t + 1, .count = 3, .point = 99}, /* of none of its points */
        };
        fixture_take(&meter, readings, 2, 1);
    }
    assert_day(meter.id, (struct day){.rows = 96, .known = 960 * KWH, .measured = 96});
    assert_says("SELECT count(*) || ' ' || min(kind) || ' ' || max(kind) FROM ledger_event WHERE meter = ?1",
        meter.id, "99 9 9\n"); /* all of no segment */
    struct segment other[2] = {segments[0], segments[1]};
    other[0].point = 1;
    other[1].point = 0;
    meter = books_meter(4, (struct segments){other, 2}, DAY_MAX_GAP_MS, swapped, 2);
    fixture_take(&meter, NULL, 0, 2);
    assert_day(meter.id, (struct day){.rows = 96, .known = 960 * KWH, .measured = 96});
}

static void test_a_name_has_one_number(void **state)
{
    (void)state;
    struct error err;
    int64_t a, b, again;
    fixture_begin();
    fixture_ok(books_meter_id(fixture_db, (struct span){"b1-main", 7}, &a, &err), &err);
    fixture_ok(books_meter_id(fixture_db, (struct span){"b2-main", 7}, &b, &err), &err);
    fixture_ok(books_meter_id(fixture_db, (struct span){"b1-main", 7}, &again, &err), &err);
    fixture_commit();
    assert_true(a != b && a == again && a > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row_5b_a_replacement_logged_a_week_later),
        cmocka_unit_test(test_row_15_six_hours_arrive_in_one_batch),
        cmocka_unit_test(test_row_16_the_last_reading_is_at_18),
        cmocka_unit_test(test_the_first_of_a_time_stands),
        cmocka_unit_test(test_an_exception_without_an_end),
        cmocka_unit_test(test_snapshots_are_thinned_out),
        cmocka_unit_test(test_points_are_known_by_what_stays),
        cmocka_unit_test(test_a_name_has_one_number),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
