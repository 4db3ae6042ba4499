/* Evidence of the books is a function of the readings: many in an hour, in any order and grouping, with transactions
 * that are rolled back, leave the same bytes and the same quarters. What is damaged is said, and nothing is decided
 * from it. */
#include "tests/unit/collector/books_fixture.h"
#include "tests/unit/collector/ledger_day.h"
#include "tests/unit/random.h"

#define READINGS_MAX 2000

static const struct segment plain[] = {DAY_SEGMENT};
static int64_t next_meter = 1;

static struct books_meter new_meter(void)
{
    return books_meter(next_meter++, (struct segments){plain, 1}, DAY_MAX_GAP_MS, NULL, 0);
}

/* Some hours, with from one reading to hundreds each; the register is right, or reads 0. */
static size_t draw(struct books_reading *readings)
{
    size_t count = 0;
    int64_t t = CLOCK(0, -30);
    for (size_t hours = 1 + random_below(8); hours > 0 && count < READINGS_MAX; hours--) {
        static const int64_t apart[] = {10000, 10000, 56250, 60000, 15 * MINUTE_MS, 50 * MINUTE_MS};
        int64_t every_ms = apart[random_below(6)], end_ms = t + HOUR_MS;
        for (; t < end_ms && count < READINGS_MAX; t += every_ms)
            readings[count++] = (struct books_reading){.time_ms = t + (int64_t)random_below(20),
                .count = random_below(100) == 0 ? 0 : day_count(t),
                .journal = 1 + (int64_t)random_below(1000),
                .is_manual = random_below(50) == 0};
        t += random_below(4) == 0 ? 3 * HOUR_MS : 0;
    }
    return count;
}

static void take(const struct books_meter *meter, const struct books_reading *readings, size_t count)
{
    struct error err;
    fixture_begin();
    fixture_ok(books_fold(fixture_books, meter, readings, count, 1, &err), &err);
    fixture_commit();
}

/* As others that never come, and one of them before, which fails with them. */
static void fail_to_take(const struct books_meter *meter, const struct books_reading *readings, size_t count)
{
    struct error err;
    struct books_reading others[READINGS_MAX];
    fixture_begin();
    for (size_t i = 0; i < count; i++) {
        others[i] = readings[i];
        others[i].count += 3;
        others[i].journal = 9999;
    }
    fixture_ok(books_fold(fixture_books, meter, others, count, 1, &err), &err);
    db_rollback(fixture_db);
    if (random_below(3) == 0) {
        fixture_close();
        fixture_open();
    }
}

static void arrive(const struct books_meter *meter, struct books_reading *readings, size_t count,
    size_t reach, size_t group, bool is_failing)
{
    for (size_t i = 0; i + 1 < count; i++) {
        size_t other = i + random_below(reach);
        if (other >= count)
            continue;
        struct books_reading kept = readings[i];
        readings[i] = readings[other];
        readings[other] = kept;
    }
    for (size_t i = 0, some; i < count; i += some) {
        some = 1 + random_below(group);
        if (some > count - i)
            some = count - i;
        if (is_failing && random_below(4) == 0)
            fail_to_take(meter, &readings[i], 1 + random_below(count - i));
        take(meter, &readings[i], some);
        if (random_below(6) == 0) { /* again, as if they were others */
            struct books_reading again = readings[i + random_below(some)];
            again.count = 7;
            again.journal = 8888;
            take(meter, &again, 1);
        }
    }
}

/* Evidence, boundaries, the latest quarters and what stands. */
static char *what_stands(int64_t meter)
{
    static const char *const queries[] = {
        "SELECT hour || '|' || hex(readings) FROM (" FIXTURE_HOURS ")",
        "SELECT time_ms || '|' || energy || '|' || quality || '|' || baseline_ms || '|' || stated FROM "
        "ledger_boundary"
        " WHERE meter = ?1 ORDER BY time_ms",
        "SELECT start_ms || '|' || ifnull(amount, '-') || '|' || quality FROM ledger_quarter AS q"
        " WHERE meter = ?1 AND version = (SELECT max(version) FROM ledger_quarter WHERE meter = q.meter AND"
        " start_ms = q.start_ms) AND quality != 3 ORDER BY start_ms",
        "SELECT from_ms || '|' || kind || '|' || until_ms FROM ledger_event WHERE meter = ?1 AND state = 0"
        " ORDER BY from_ms, kind, until_ms",
    };
    struct buf all = {0};
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        char *text = fixture_query(queries[i], meter);
        buf_add_str(&all, text);
        buf_add_str(&all, "--\n");
        free(text);
    }
    buf_add_char(&all, '\0');
    return buf_take(&all);
}

/* Each reading that was given is there, and no other. */
static void check_readings(int64_t meter, const struct books_reading *readings, size_t count)
{
    struct buf expected = {0};
    for (size_t i = 0; i < count; i++)
        buf_printf(&expected, "%" PRId64 "|%" PRId64 "|%" PRId64 "|%d\n", readings[i].time_ms,
            readings[i].count, readings[i].journal, readings[i].is_manual);
    buf_add_char(&expected, '\0');
    char *is = fixture_query("SELECT time_ms || '|' || count || '|' || journal || '|' || manual"
                             " FROM ledger_reading WHERE meter = ?1 ORDER BY time_ms",
        meter);
    fixture_assert_same(expected.data, is, "readings");
    buf_release(&expected);
    free(is);
}

static void run(uint64_t seed)
{
    random_state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    struct books_reading readings[READINGS_MAX], mixed[READINGS_MAX];
    size_t count = draw(readings);
    struct books_meter whole = new_meter();
    take(&whole, readings, count);
    check_readings(whole.id, readings, count);
    char *expected = what_stands(whole.id);
    static const size_t reaches[] = {1, 3, 40, READINGS_MAX}, groups[] = {1, 7, 64, 150, 500};
    for (size_t i = 0; i < 4; i++) {
        struct books_meter meter = new_meter();
        memcpy(mixed, readings, sizeof mixed);
        size_t group = groups[random_below(5)];
        arrive(&meter, mixed, count, reaches[i], reaches[i] > 3 && group < 7 ? 7 : group, i % 2 == 1);
        char *is = what_stands(meter.id);
        fixture_assert_same(expected, is, "in another order");
        free(is);
    }
    free(expected);
}

static void test_evidence_is_a_function_of_the_readings(void **state)
{
    (void)state;
    random_histories(run, getenv("PARKMON_LONG") != NULL ? 200 : 4);
}

/* At a reading in 10 s a row of 64 readings is written, not one of an hour. */
static void test_the_row_that_each_reading_writes_is_small(void **state)
{
    (void)state;
    struct books_meter meter = new_meter();
    for (int64_t i = 0; i < 360; i++) {
        struct books_reading reading = {.time_ms = DAY_BEGIN + i * 10000, .journal = i};
        reading.count = day_count(reading.time_ms);
        take(&meter, &reading, 1);
        assert_true(
            fixture_number("SELECT length(readings) FROM ledger_latest WHERE meter = ?1", meter.id) < 400);
    }
    assert_int_equal(fixture_number("SELECT count(*) FROM ledger_reading WHERE meter = ?1", meter.id), 360);
    assert_int_equal(fixture_number("SELECT count(*) FROM ledger_hour WHERE id >> 32 = ?1", meter.id), 1);
}

static void damage(const char *sql, int64_t meter)
{
    struct error err;
    struct db_stmt *s = db_prepare(fixture_db, sql);
    db_bind_int(s, 1, meter);
    fixture_ok(db_run(s, &err), &err);
    assert_int_equal(db_changes(fixture_db), 1);
    db_finish(s);
    fixture_close();
    fixture_open();
}

static void assert_refused(
    const struct books_meter *meter, const struct books_reading *reading, size_t count, const char *expected)
{
    struct error err = {""};
    char *before = fixture_query("SELECT hour || '|' || hex(readings) FROM (" FIXTURE_HOURS ")", meter->id);
    fixture_begin();
    assert_int_equal(books_fold(fixture_books, meter, reading, count, 5, &err), ST_INVALID);
    assert_string_equal(err.text, expected);
    db_rollback(fixture_db);
    char *after = fixture_query("SELECT hour || '|' || hex(readings) FROM (" FIXTURE_HOURS ")", meter->id);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

/* What is folded again, what a late reading goes into, and what a new one goes behind. */
static void test_damaged_evidence_is_said_and_nothing_is_decided(void **state)
{
    (void)state;
    struct books_meter meter = new_meter(), other = new_meter();
    struct books_reading readings[240];
    for (int64_t i = 0; i < 240; i++)
        readings[i] = (struct books_reading){.time_ms = DAY_BEGIN + i * MINUTE_MS,
            .count = day_count(DAY_BEGIN + i * MINUTE_MS),
            .journal = 1};
    take(&meter, readings, 240);
    damage(
        "UPDATE ledger_hour SET readings = substr(readings, 1, 9) WHERE id = (?1 << 32) + 490153", meter.id);
    char expected[200];
    snprintf(expected, sizeof expected,
        "evidence of the ledger's meter %" PRId64
        ", hour of 2025-12-01T01:00:00.000Z: packed readings are damaged:"
        " its checksum is another; only a backup has it still",
        meter.id);
    assert_refused(&meter, NULL, 0, expected);
    struct books_reading late = {.time_ms = CLOCK(1, 30) + 5, .count = day_count(CLOCK(1, 30))};
    assert_refused(&meter, &late, 1, expected);
    take(&other, readings, 240); /* others are not concerned */

    meter = new_meter();
    take(&meter, readings, 240);
    damage("UPDATE ledger_latest SET readings = x'0200000000' WHERE meter = ?1", meter.id);
    snprintf(expected, sizeof expected,
        "evidence of the ledger's meter %" PRId64
        ", hour of 2025-12-01T03:00:00.000Z: packed readings are damaged,"
        " or of a form that is not known: 2; known is 1; only a backup has it still",
        meter.id);
    struct books_reading next = {.time_ms = CLOCK(4, 0), .count = day_count(CLOCK(4, 0))};
    assert_refused(&meter, &next, 1, expected);
    assert_refused(&meter, NULL, 0, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evidence_is_a_function_of_the_readings),
        cmocka_unit_test(test_the_row_that_each_reading_writes_is_small),
        cmocka_unit_test(test_damaged_evidence_is_said_and_nothing_is_decided),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
