/* What the store's thread tells of lines and hours, as it stands in the database. */
#include "collector/store/outbox.h"
#include "collector/store/record.h"
#include "tests/unit/collector/intake_fixture.h"

#define HOUR 490000

static struct hour hour_of(const char *measurement, int64_t number)
{
    struct hour hour = {.hour = number};
    snprintf(hour.measurement, sizeof hour.measurement, "%s", measurement);
    return hour;
}

static int64_t record(struct db *db, const struct store_result *result)
{
    struct error err = {""};
    int64_t omitted;
    must(db_begin(db, &err), &err);
    must(record_result(db, result, NOW_MS, &omitted, &err), &err);
    must(db_commit(db, &err), &err);
    return omitted;
}

static void record_touch(struct db *db, const char *measurement)
{
    struct hour hour = hour_of(measurement, HOUR);
    record(db, &(struct store_result){.touched = {&hour, 1, 1}});
}

static void record_count(struct db *db, const char *measurement, int64_t touched, enum hour_outcome outcome,
    int64_t expected, int64_t found)
{
    struct hour_count count = {hour_of(measurement, HOUR), touched, outcome, expected, found};
    record(db, &(struct store_result){.counted = {&count, 1, 1}});
}

#define HOURS "SELECT measurement, touched, counted, expected, found, told_ms FROM hour ORDER BY measurement"

static void test_an_hour_is_due_until_it_is_counted_as_it_was_touched_last(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    record_touch(in.db, "gauge");
    record_touch(in.db, "gauge");
    assert_string_equal(rows(in.db, 6, HOURS), "gauge|2|-|-|-|-");
    record_count(in.db, "gauge", 1, HOUR_EQUAL, 360, 360); /* as it was before the last touch */
    assert_string_equal(rows(in.db, 6, HOURS), "gauge|2|-|-|-|-");
    record_count(in.db, "gauge", 2, HOUR_EQUAL, 360, 360);
    assert_string_equal(rows(in.db, 6, HOURS), "");
    intake_close(&in);
}

static void test_a_difference_stays_until_the_hour_is_counted_equal(void **state)
{
    (void)state;
    struct intake in;
    intake_open(&in);
    record_touch(in.db, "state");
    record_count(in.db, "state", 1, HOUR_DIFFERENT, 360, 361);
    assert_string_equal(rows(in.db, 6, HOURS), "state|0|-|360|361|1764000000000");
    record_touch(in.db, "state");
    assert_string_equal(rows(in.db, 6, HOURS), "state|1|-|360|361|1764000000000");
    record_count(in.db, "state", 1, HOUR_DIFFERENT, 361, 362);
    record_count(in.db, "state", 0, HOUR_EQUAL, 361, 361); /* looked at again */
    assert_string_equal(rows(in.db, 6, HOURS), "");
    intake_close(&in);
}

static void test_rows_that_were_derived_are_let_go_when_their_hour_is_counted(void **state)
{
    (void)state;
    struct intake in;
    struct error err = {""};
    int64_t bytes;
    intake_open(&in);
    for (int minute = 0; minute < 3; minute++)
        must(outbox_put(in.db, SPAN("gateway,gw-a"), HOUR * HOUR_MS + minute * 60000, SPAN("line"), &err),
            &err);
    must(outbox_put(in.db, SPAN("gateway2,gw-a"), HOUR * HOUR_MS, SPAN("line"), &err), &err);
    record(in.db, &(struct store_result){.outbox_position = 2});
    record(in.db, &(struct store_result){.outbox_from = 2, .outbox_position = 4});
    must(outbox_put(in.db, SPAN("gateway,gw-a"), HOUR * HOUR_MS + 180000, SPAN("line"), &err), &err);
    must(outbox_bytes(in.db, &bytes, &err), &err);
    assert_int_equal(bytes, 4 + 2 * 12 + 64); /* what was sent weighs nothing */
    record_touch(in.db, "gateway");
    record_count(in.db, "gateway", 1, HOUR_EQUAL, 3, 3);
    assert_string_equal(rows(in.db, 2, "SELECT series, sent_ms FROM outbox ORDER BY id"),
        "gateway2,gw-a|1764000000000;gateway,gw-a|-");
    assert_string_equal(rows(in.db, 6, HOURS), "gateway|0|3|3|3|-");
    /* What could not be counted for a day is let go too. */
    must(outbox_prune(in.db, NOW_MS, 10, &err), &err);
    assert_int_equal(query(in.db, "SELECT count(*) FROM outbox"), 2);
    must(outbox_prune(in.db, NOW_MS + 1, 10, &err), &err);
    assert_int_equal(query(in.db, "SELECT count(*) FROM outbox"), 1);
    must(outbox_bytes(in.db, &bytes, &err), &err);
    assert_int_equal(bytes, 4 + 2 * 12 + 64);
    /* The store holds them all the same, and the hour may yet be counted. */
    assert_string_equal(rows(in.db, 6, HOURS), "gateway|0|3|3|3|-;gateway2|0|1|-|-|-");
    intake_close(&in);
}

static void test_what_is_refused_is_quarantined_and_expected_no_more(void **state)
{
    (void)state;
    struct intake in;
    struct error err = {""};
    intake_open(&in);
    intake_give(&in, "gw-a",
        "#park1 epoch=" EPOCH_A " seq=1 first=1\ngauge,point=m value=1 1764000000000\n"
        "gauge,point=m value=2 1764000001000\n");
    must(outbox_put(in.db, SPAN("x,y"), 1, SPAN("bad"), &err), &err);
    static char reason[] = "why", raw[] = "gauge value=2", derived[] = "bad";
    struct store_reject rejects[] = {{.journal = 1, .line = 1, .reason = reason, .content = raw},
        {.outbox = 1, .reason = reason, .content = derived}};
    record(in.db, &(struct store_result){.raw_position = 1, .rejects = rejects, .reject_count = 2});
    assert_string_equal(rows(in.db, 2, "SELECT * FROM refused"), "1|1");
    assert_string_equal(rows(in.db, 3, "SELECT gateway, line, content FROM quarantine ORDER BY id"),
        "gw-a|1|gauge value=2;|0|bad");
    assert_int_equal(query(in.db, "SELECT count(*) FROM outbox"), 0);
    assert_int_equal(query(in.db, "SELECT position FROM cursor WHERE name = 'raw'"), 1);
    /* With its batch it is gone, and what is gone is known. */
    must(db_exec(in.db, "DELETE FROM journal_span; DELETE FROM journal", &err), &err);
    assert_int_equal(query(in.db, "SELECT count(*) FROM refused"), 0);
    assert_string_equal(rows(in.db, 4, "SELECT * FROM pruned"), "3600000|490000|1764000000000|1764000001000");
    intake_close(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_hour_is_due_until_it_is_counted_as_it_was_touched_last),
        cmocka_unit_test(test_a_difference_stays_until_the_hour_is_counted_equal),
        cmocka_unit_test(test_rows_that_were_derived_are_let_go_when_their_hour_is_counted),
        cmocka_unit_test(test_what_is_refused_is_quarantined_and_expected_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
