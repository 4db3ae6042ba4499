/* What the store lost of `occupancy` and `instrument` becomes due again: all of it, each once, a slice at a time. */
#include "collector/store/record.h"
#include "collector/store/repost_rows.h"
#include "tests/unit/collector/fake_journal.h"

#define QUARTER INT64_C(900000)
#define DAY (96 * QUARTER)
#define BEGIN (20454 * DAY)
#define NOW (BEGIN + 100 * DAY)

static void must(enum status status, const struct error *err)
{
    if (status != ST_OK)
        fail_msg("%s", err->text);
}

static void change(struct fake_journal *f, const char *sql)
{
    struct error err = {""};
    must(db_exec(f->db, sql, &err), &err);
}

static int64_t number(struct fake_journal *f, const char *sql)
{
    struct error err = {""};
    bool has_row;
    struct db_stmt *s = db_prepare(f->db, sql);
    must(db_step(s, &has_row, &err), &err);
    int64_t found = db_int(s, 0);
    db_finish(s);
    return found;
}

/* Two sources with a hole in one, and a third without a row; two instruments, of which one told of before it was begun. */
static void begin(struct fake_journal *f)
{
    *f = (struct fake_journal){0};
    fake_journal_open(f);
    change(f,
        "INSERT INTO space_source VALUES(1, 'hall', 'live', ''), (2, 'hall', 'corrected', ''), (3, 'room', "
        "'live', '');"
        "WITH RECURSIVE q(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM q WHERE n < 1999)"
        " INSERT INTO space_window SELECT 1 + n % 2, 1767225600000 + n * 900000 + (n > 1000) * 3024000000, "
        "1, 1, 0, 0, 0, 0, 0,"
        "  0, NULL, 0 FROM q;"
        "INSERT INTO instrument(id, name, activity) VALUES(7, 'sem', x''), (8, 'afm', x'');"
        "INSERT INTO activity_span VALUES(7, 1767225600000, 1767225600001, 1), (7, 1767235600000, "
        "1767235600001, 1);"
        "DELETE FROM timesheet_due;"
        "INSERT INTO timesheet(instrument, begun_ms, written_ms) VALUES('sem', 1767312000000, 1769000400000),"
        " ('afm', 1767312000000, 1767315600000)");
    assert_int_equal(number(f, "SELECT 1767225600000"), BEGIN);
}

static void lose(struct fake_journal *f)
{
    struct error err = {""};
    struct store_result result = {.has_lost_energy = true};
    int64_t omitted;
    must(db_begin(f->db, &err), &err);
    must(record_result(f->db, &result, NOW, &omitted, &err), &err);
    must(db_commit(f->db, &err), &err);
}

static bool step(struct fake_journal *f)
{
    struct error err = {""};
    bool is_changed = false;
    must(db_begin(f->db, &err), &err);
    must(repost_rows_step(f->db, NOW, &is_changed, &err), &err);
    must(db_commit(f->db, &err), &err);
    return is_changed;
}

static void test_all_that_was_lost_becomes_due_once_and_a_slice_at_a_time(void **state)
{
    (void)state;
    struct fake_journal f;
    begin(&f);
    assert_false(step(&f));
    lose(&f);
    change(&f, "CREATE TEMP TABLE was_due(target, start_ms)");
    int steps = 0;
    for (; step(&f); steps++) {
        assert_true(number(&f, "SELECT count(*) FROM space_due") <= REPOST_ROWS_SLICE_MS / QUARTER);
        assert_true(number(&f, "SELECT count(*) FROM timesheet_due") <= 1);
        assert_true(number(&f, "SELECT coalesce(max(until_ms - from_ms), 0) FROM timesheet_due") <=
                    REPOST_ROWS_SLICE_MS);
        /* As those do who work it off. */
        change(&f,
            "INSERT INTO was_due SELECT source, start_ms FROM space_due; DELETE FROM space_due;"
            "WITH RECURSIVE q(target, at, until) AS (SELECT target, from_ms, until_ms FROM timesheet_due"
            "  UNION ALL SELECT target, at + 900000, until FROM q WHERE at + 900000 < until)"
            " INSERT INTO was_due SELECT target, at FROM q; DELETE FROM timesheet_due");
        assert_true(steps < 100);
    }
    assert_int_equal(number(&f, "SELECT count(*) FROM was_due WHERE target IN (1, 2)"), 2000);
    assert_int_equal(
        number(&f, "SELECT count(*) FROM space_window WHERE (source, start_ms) NOT IN was_due"), 0);
    assert_int_equal(
        number(&f, "SELECT count(*) - count(DISTINCT start_ms) FROM was_due WHERE target = 'sem'"), 0);
    assert_int_equal(number(&f, "SELECT min(start_ms) FROM was_due WHERE target = 'sem'"), BEGIN);
    assert_int_equal(
        number(&f, "SELECT max(start_ms) FROM was_due WHERE target = 'sem'"), 1769000400000 - QUARTER);
    assert_int_equal(
        number(&f, "SELECT count(*) FROM was_due WHERE target = 'sem'"), (1769000400000 - BEGIN) / QUARTER);
    assert_int_equal(number(&f, "SELECT count(*) FROM was_due WHERE target = 'afm'"), 4);
    assert_int_equal(number(&f, "SELECT count(*) FROM repost_rows"), 0);
    fake_journal_close(&f);
}

static void test_what_is_due_already_goes_first(void **state)
{
    (void)state;
    struct fake_journal f;
    begin(&f);
    lose(&f);
    change(&f, "INSERT INTO space_due VALUES(1767225600000, 3, 1);"
               "INSERT INTO timesheet_due(kind, target, from_ms, until_ms) VALUES(2, 'hall', 0, 1)");
    assert_false(step(&f));
    change(&f, "DELETE FROM timesheet_due");
    assert_true(step(&f));
    assert_int_equal(number(&f, "SELECT count(*) FROM timesheet_due"), 1);
    assert_int_equal(number(&f, "SELECT count(*) FROM space_due"), 1);
    change(&f, "UPDATE space_due SET start_ms = 9000000000000"); /* not over yet: it waits for that */
    assert_true(step(&f));
    assert_true(number(&f, "SELECT count(*) FROM space_due") > 1);
    lose(&f); /* once more, while it goes on: from the begin */
    assert_int_equal(number(&f, "SELECT count(*) FROM repost_rows"), 4);
    assert_int_equal(number(&f, "SELECT min(from_ms) FROM repost_rows"), BEGIN);
    fake_journal_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_that_was_lost_becomes_due_once_and_a_slice_at_a_time),
        cmocka_unit_test(test_what_is_due_already_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
