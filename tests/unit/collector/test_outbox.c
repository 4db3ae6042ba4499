#include "collector/store/outbox.h"
#include "tests/unit/collector/intake_fixture.h"

static int64_t bytes_of(struct db *db)
{
    struct error err = {""};
    int64_t bytes = -1;
    must(outbox_bytes(db, &bytes, &err), &err);
    return bytes;
}

static void put(struct db *db, const char *series, int64_t time_ms, const char *line)
{
    struct error err = {""};
    must(outbox_put(db, span_of(series), time_ms, span_of(line), &err), &err);
}

static void test_the_latest_of_a_series_and_time_wins_under_a_new_id(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    put(in.db, "gateway,a", 60000, "one");
    put(in.db, "gateway,a", 120000, "two");
    put(in.db, "gateway,a", 60000, "three");
    assert_string_equal(
        rows(in.db, 3, "SELECT id, time_ms, line FROM outbox ORDER BY id"), "2|120000|two;3|60000|three");
    intake_close(&in);
}

static void test_its_size_follows_what_is_added_replaced_and_deleted(void **state)
{
    (void)state;
    struct intake in;
    struct error err = {""};
    intake_open(&in);
    assert_int_equal(bytes_of(in.db), 0);
    put(in.db, "gateway,a", 1, "line");
    int64_t one = bytes_of(in.db);
    assert_int_equal(one, 4 + 2 * 9 + 64);
    put(in.db, "gateway,a", 2, "\xe5\xbc\x80!"); /* bytes, not characters */
    assert_int_equal(bytes_of(in.db), 2 * one);
    put(in.db, "gateway,a", 1, "longer");
    assert_int_equal(bytes_of(in.db), 2 * one + 2);
    must(db_exec(in.db, "DELETE FROM outbox", &err), &err);
    assert_int_equal(bytes_of(in.db), 0);
    intake_close(&in);
}

/* The size is an estimate in rows and text; the file must not take much more. */
static void test_its_size_is_near_what_the_file_takes(void **state)
{
    (void)state;
    struct intake in;
    struct error err = {""};
    intake_open(&in);
    int64_t before = db_used_bytes(in.db);
    must(db_begin(in.db, &err), &err);
    char line[160];
    for (int i = 0; i < 40000; i++) {
        int64_t time_ms = INT64_C(1764000000000) + i * INT64_C(60000);
        snprintf(line, sizeof line,
            "gateway,gateway=gw-building-1,site=park online=1i,lost=0i,lag_s=3.25,spooled=1i %lld\n",
            (long long)time_ms);
        put(in.db, "gateway,gw-building-1", time_ms, line);
    }
    must(db_commit(in.db, &err), &err);
    int64_t taken = db_used_bytes(in.db) - before, told = bytes_of(in.db);
    assert_true(taken < told && taken > told / 2);
    /* A month of one gateway, as config/collector.cfg says: about 8 MiB. */
    assert_in_range(told / 40000 * 43200, 7 << 20, 9 << 20);
    intake_close(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_latest_of_a_series_and_time_wins_under_a_new_id),
        cmocka_unit_test(test_its_size_follows_what_is_added_replaced_and_deleted),
        cmocka_unit_test(test_its_size_is_near_what_the_file_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
