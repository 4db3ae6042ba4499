/* Days in one row against the rows that they are made of: whatever is written, in whatever order, both say the same. */
#include "collector/ledger/latest.h"
#include "tests/unit/collector/books_fixture.h"
#include "tests/unit/collector/ledger_day.h"
#include "tests/unit/random.h"

#define QUARTERS (5 * 96)
#define BEGIN (-2 * LATEST_DAY_MS) /* also before 1970 */
#define UNTOUCHED 77

static int64_t start_of(size_t i)
{
    return BEGIN + (int64_t)i * BOUNDARY_MS;
}

static void run(const char *sql, const int64_t *numbers, int count)
{
    struct error err;
    struct db_stmt *s = db_prepare(fixture_db, sql);
    for (int i = 0; i < count; i++)
        db_bind_int(s, i + 1, numbers[i]);
    fixture_ok(db_run(s, &err), &err);
    db_finish(s);
}

static int64_t random_amount(void)
{
    switch (random_below(4)) {
    case 0:
        return 0;
    case 1:
        return (int64_t)random_below(10000) - 2000;
    case 2:
        return random_below(2) ? INT64_MAX : INT64_MIN;
    default:
        return (int64_t)random_uint64();
    }
}

static void insert(int64_t meter, size_t at)
{
    int64_t is_unknown = random_below(5) == 0;
    const int64_t numbers[] = {
        meter, start_of(at), is_unknown, random_amount(), is_unknown ? 3 : (int64_t)random_below(3)};
    run("INSERT INTO ledger_quarter SELECT ?1, ?2, 1 + (SELECT ifnull(max(version), 0) FROM ledger_quarter"
        " WHERE meter = ?1 AND start_ms = ?2), iif(?3, NULL, ?4), ?5, 0, 0",
        numbers, 5);
    struct error err;
    int64_t day_ms = start_of(at - at % 96);
    char *sql =
        mem_printf("SELECT count(*) FROM ledger_day WHERE meter = ?1 AND day = %d", (int)(at / 96) - 2);
    if (fixture_number(sql, meter) > 0)
        fixture_ok(latest_pack(fixture_db, meter, day_ms, day_ms + LATEST_DAY_MS, &err), &err);
    free(sql);
}

static void change(void)
{
    struct error err;
    int64_t meter = 1 + (int64_t)random_below(2);
    size_t at = random_below(QUARTERS), other = random_below(QUARTERS);
    switch (random_below(8)) {
    case 0:
        run("DELETE FROM ledger_quarter WHERE meter = ?1 AND start_ms = ?2", (int64_t[]){meter, start_of(at)},
            2);
        return;
    case 1:
        run("UPDATE ledger_quarter SET amount = amount / 2 WHERE meter = ?1 AND start_ms = ?2",
            (int64_t[]){meter, start_of(at)}, 2);
        return;
    case 2: /* from one day into another */
        run("UPDATE OR IGNORE ledger_quarter SET start_ms = ?3 WHERE meter = ?1 AND start_ms = ?2",
            (int64_t[]){meter, start_of(at), start_of(other)}, 3);
        return;
    case 3:
    case 4:
        fixture_ok(
            latest_pack(fixture_db, meter, start_of(at < other ? at : other) + (int64_t)random_below(3),
                start_of(at < other ? other : at), &err),
            &err);
        return;
    default:
        insert(meter, at);
    }
}

typedef enum status reader(struct db *db, int64_t meter, int64_t from_ms, int64_t until_ms, int64_t *amounts,
    uint8_t *qualities, struct error *err);

struct read {
    int64_t amounts[QUARTERS];
    uint8_t qualities[QUARTERS];
};

static void read_span(reader *how, int64_t meter, size_t from, size_t until, struct read *ret)
{
    struct error err;
    for (size_t i = 0; i < QUARTERS; i++) {
        ret->amounts[i] = 4711;
        ret->qualities[i] = UNTOUCHED;
    }
    fixture_ok(
        how(fixture_db, meter, start_of(from), start_of(until), ret->amounts, ret->qualities, &err), &err);
}

static void compare(int64_t meter, size_t from, size_t until)
{
    static struct read packed, rows;
    read_span(latest_read, meter, from, until, &packed);
    read_span(latest_read_rows, meter, from, until, &rows);
    for (size_t i = 0; i < QUARTERS; i++)
        if (packed.amounts[i] != rows.amounts[i] || packed.qualities[i] != rows.qualities[i])
            fail_msg("meter %" PRId64 ", %zu to %zu: at %zu %" PRId64 " (%d); expected %" PRId64 " (%d)",
                meter, from, until, i, packed.amounts[i], packed.qualities[i], rows.amounts[i],
                rows.qualities[i]);
}

static void test_days_in_one_row_say_what_the_rows_say_after_any_changes(void **state)
{
    (void)state;
    size_t most = 0;
    fixture_begin();
    for (int round = 0; round < 120; round++) {
        for (size_t i = random_below(40); i > 0; i--)
            change();
        size_t a = random_below(QUARTERS + 1), b = random_below(QUARTERS + 1);
        compare(1 + (int64_t)random_below(2), a < b ? a : b, a < b ? b : a);
        compare(1, 0, QUARTERS);
        size_t days = (size_t)fixture_number("SELECT count(*) FROM ledger_day WHERE meter = ?1", 1);
        most = days > most ? days : most;
    }
    fixture_commit();
    assert_true(most >= 3); /* else nothing was compared */
}

static void test_a_day_that_cannot_be_read_is_read_from_its_rows(void **state)
{
    (void)state;
    struct error err;
    fixture_begin();
    for (size_t i = 0; i < QUARTERS; i++)
        insert(3, i);
    fixture_ok(latest_pack(fixture_db, 3, start_of(0), start_of(QUARTERS), &err), &err);
    assert_int_equal(fixture_number("SELECT count(*) FROM ledger_day WHERE meter = ?1", 3), QUARTERS / 96);
    static const char *const damages[] = {"substr(packed, 1, 30)", "substr(packed, 1, length(packed) - 1)",
        "packed || x'00'", "x'02' || substr(packed, 2)",
        "substr(packed, 1, 1) || x'44' || substr(packed, 3)"};
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        char *sql = mem_printf("UPDATE ledger_day SET packed = CAST(%s AS BLOB) WHERE meter = 3 AND day = %d",
            damages[i], (int)i - 2);
        fixture_ok(db_exec(fixture_db, sql, &err), &err);
        free(sql);
        compare(3, 0, QUARTERS);
    }
    fixture_commit();
}

static const struct segment plain[] = {DAY_SEGMENT};

static void test_the_books_keep_days_that_are_over_in_one_row(void **state)
{
    (void)state;
    struct book b;
    struct books_meter meter = books_meter(4, (struct segments){plain, 1}, DAY_MAX_GAP_MS, NULL, 0);
    day_open(&b, plain, 1);
    for (int64_t t = CLOCK(-7, 0); t <= CLOCK(52, 0); t += BOUNDARY_MS)
        day_add(&b, t, day_count(t));
    day_drop(&b, CLOCK(12, 0), CLOCK(15, 0));
    struct unwrap_reading late = {.time_ms = CLOCK(13, 0), .count = day_count(CLOCK(13, 0)) + 500};
    fixture_take(&meter, b.readings, b.count, 1);
#define DAYS "SELECT count(*) FROM ledger_day WHERE meter = ?1"
    assert_int_equal(fixture_number(DAYS, 4), 3); /* the first of them from 17:00 on */
    fixture_take(&meter, &late, 1, 2);
    assert_int_equal(fixture_number(DAYS, 4), 3);
    int64_t amounts[96], rows[96];
    uint8_t qualities[96], row_qualities[96];
    struct error err;
    fixture_ok(latest_read(fixture_db, 4, CLOCK(0, 0), CLOCK(24, 0), amounts, qualities, &err), &err);
    fixture_ok(latest_read_rows(fixture_db, 4, CLOCK(0, 0), CLOCK(24, 0), rows, row_qualities, &err), &err);
    assert_memory_equal(amounts, rows, sizeof rows);
    assert_memory_equal(qualities, row_qualities, sizeof row_qualities);
    assert_int_not_equal(amounts[QUARTER(12, 45)], amounts[QUARTER(1, 0)]);
    book_release(&b);
}

static int set_up(void **state)
{
    return random_set_up(state) + fixture_set_up(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days_in_one_row_say_what_the_rows_say_after_any_changes),
        cmocka_unit_test(test_a_day_that_cannot_be_read_is_read_from_its_rows),
        cmocka_unit_test(test_the_books_keep_days_that_are_over_in_one_row),
    };
    return cmocka_run_group_tests(tests, set_up, fixture_tear_down);
}
