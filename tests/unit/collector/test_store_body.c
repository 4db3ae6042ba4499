#include "collector/intake/journal.h"
#include "collector/store/body.h"
#include "collector/store/outbox.h"
#include "tests/unit/collector/fake_journal.h"

static struct fake_journal journal;
static struct park *park;
static struct db *db;
static struct body_reader *reader;

static int open_all(void **state)
{
    (void)state;
    fake_journal_open(&journal);
    park = fake_park(&journal);
    struct error err;
    if (db_open_reader(journal.path, &db, &err) != ST_OK)
        return -1;
    reader = body_reader_create(db, park);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    body_reader_destroy(reader);
    db_close(db);
    park_destroy(park);
    fake_journal_close(&journal);
    return 0;
}

static struct body read_journal(int64_t position, size_t lines_max)
{
    struct body body = {0};
    struct error err = {""};
    if (body_read_journal(reader, position, lines_max, &body, &err) != ST_OK)
        fail_msg("%s", err.text);
    return body;
}

static void test_readings_become_canonical_lines_with_the_parks_tags(void **state)
{
    (void)state;
    int64_t first = fake_journal_add(&journal, 1,
        "register,point=m value=-999999999999999i 1767225599999\n"
        "register,point=m value=12i 1767225600000\n"
        "gauge,point=b1.t value=1e1,quality=\"clock\" 1767225600001\n"
        "gauge,point=b1.t value=0.1 1767225600002\n"
        "state,point=lab value=\"a \\\"b\\\" \\\\ 开\" 1767225600003\n",
        NULL);
    int64_t second = fake_journal_add(&journal, 2, "gauge,point=m value=-0.5 5\n", NULL);
    struct body body = read_journal(0, 5000);
    assert_int_equal(body.position, second);
    assert_int_equal(body.count, 6);
    assert_string_equal(body.text.data,
        "register,building=b1,gateway=gw-a,point=m,site=s1 value=-999999999999999i 1767225599999\n"
        "register,building=b2,gateway=gw-a,point=m,site=s1 value=12i 1767225600000\n"
        "gauge,building=b1,gateway=gw-a,point=b1.t,site=s1 value=10,quality=\"clock\" 1767225600001\n"
        "gauge,building=b1,gateway=gw-a,point=b1.t,site=s1 value=0.1 1767225600002\n"
        "state,building=b1,gateway=gw-a,point=lab,site=s1 value=\"a \\\"b\\\" \\\\ 开\" 1767225600003\n"
        "gauge,gateway=gw-b,point=m value=-0.5 5\n");
    assert_int_equal(body.lines[4].journal, first);
    assert_int_equal(body.lines[4].line, 4);
    assert_int_equal(body.lines[5].journal, second);
    assert_int_equal(body.lines[5].line, 0);
    struct span fourth = body_lines(&body, 3, 4);
    assert_int_equal(
        fourth.len, strlen("gauge,building=b1,gateway=gw-a,point=b1.t,site=s1 value=0.1 1767225600002\n"));
    assert_memory_equal(fourth.at, "gauge,building=b1", 17);
    body_release(&body);
}

static void test_skipped_lines_are_left_out(void **state)
{
    (void)state;
    int64_t before = fake_journal_add(&journal, 1, "gauge,point=p value=1 1\n", NULL);
    fake_journal_add(&journal, 2,
        "gauge,point=p value=0 10\nnonsense\ngauge,point=p value=2 12\ngauge,point=p value=3 13\n", "3,1,0");
    int64_t last =
        fake_journal_add(&journal, 2, "gauge,point=p value=0 20\ngauge,point=p value=1 21\n", "0,1");
    struct body body = read_journal(before, 5000);
    assert_string_equal(body.text.data, "gauge,gateway=gw-b,point=p value=2 12\n");
    assert_int_equal(body.lines[0].line, 2);
    assert_int_equal(body.rejects.count, 0);
    assert_int_equal(body.position, last);
    body_release(&body);
    body = read_journal(last - 1, 5000); /* nothing to post, and yet it moves */
    assert_int_equal(body.count, 0);
    assert_int_equal(body.position, last);
    body_release(&body);
    body = read_journal(last, 5000);
    assert_int_equal(body.position, last);
    body_release(&body);
}

static void test_a_body_ends_with_a_whole_batch(void **state)
{
    (void)state;
    static const char three[] = "gauge,point=p value=1 1\ngauge,point=p value=2 2\ngauge,point=p value=3 3\n";
    int64_t first = fake_journal_add(&journal, 1, three, NULL);
    fake_journal_add(&journal, 1, three, NULL);
    int64_t third = fake_journal_add(&journal, 1, three, NULL);
    const struct {
        size_t lines_max, count;
        int64_t position;
    } cases[] = {{1, 3, first}, {5, 3, first}, {6, 6, first + 1}, {8, 6, first + 1}, {9, 9, third}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct body body = read_journal(first - 1, cases[i].lines_max);
        assert_int_equal(body.count, cases[i].count);
        assert_int_equal(body.position, cases[i].position);
        body_release(&body);
    }
}

static void test_a_line_that_cannot_be_read_is_rejected_not_lost(void **state)
{
    (void)state;
    int64_t id = fake_journal_add(&journal, 1, "gauge,point=p value=1 1\ngauge,point=p value=x 2\n", NULL);
    struct body body = read_journal(id - 1, 100);
    assert_int_equal(body.count, 1);
    assert_int_equal(body.rejects.count, 1);
    assert_int_equal(body.rejects.items[0].journal, id);
    assert_int_equal(body.rejects.items[0].line, 1);
    assert_string_equal(body.rejects.items[0].content, "gauge,point=p value=x 2");
    assert_true(strlen(body.rejects.items[0].reason) > 0);
    body_release(&body);
}

static void put_over(int64_t time_ms, int64_t clears_ms, const char *series)
{
    struct error err = {""};
    if (outbox_put_over(journal.db, span_of(series), time_ms, clears_ms, SPAN("energy x=1"), &err) != ST_OK)
        fail_msg("%s", err.text);
}

static void test_what_follows_on_each_other_is_cleared_as_one(void **state)
{
    (void)state;
    struct body body = {0};
    struct error err = {""};
    assert_int_equal(body_read_outbox(reader, 0, 100, &body, &err), ST_OK);
    int64_t before = body.position;
    put_over(900, 900, "energy,meter=m1");
    put_over(1800, 900, "energy,meter=m1");
    put_over(2700, 0, "energy,meter=m1"); /* it takes no place */
    put_over(3600, 900, "energy,meter=m1");
    put_over(4500, 900, "energy,meter=m2");
    assert_int_equal(body_read_outbox(reader, before, 100, &body, &err), ST_OK);
    assert_int_equal(body.clearing_count, 3);
    static const struct body_clearing expected[] = {{"energy", "meter", "m1", 900, 2700},
        {"energy", "meter", "m1", 3600, 4500}, {"energy", "meter", "m2", 4500, 5400}};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(body.clearings[i].measurement, expected[i].measurement);
        assert_string_equal(body.clearings[i].tag, expected[i].tag);
        assert_string_equal(body.clearings[i].value, expected[i].value);
        assert_int_equal(body.clearings[i].from_ms, expected[i].from_ms);
        assert_int_equal(body.clearings[i].to_ms, expected[i].to_ms);
    }
    assert_int_equal(body_read_outbox(reader, body.position, 100, &body, &err), ST_OK);
    assert_int_equal(body.clearing_count, 0);
    body_release(&body);
}

static void test_the_outbox_is_read_by_rows(void **state)
{
    (void)state;
    fake_journal_add_outbox(&journal, "gateway,gateway=a lost=0i 1");
    int64_t second = fake_journal_add_outbox(&journal, "gateway,gateway=b lost=0i 1");
    int64_t third = fake_journal_add_outbox(&journal, "gateway,gateway=c lost=0i 1");
    struct body body = {0};
    struct error err;
    assert_int_equal(body_read_outbox(reader, 0, 2, &body, &err), ST_OK);
    assert_string_equal(body.text.data, "gateway,gateway=a lost=0i 1\ngateway,gateway=b lost=0i 1\n");
    assert_int_equal(body.position, second);
    assert_int_equal(body_read_outbox(reader, second, 2, &body, &err), ST_OK);
    assert_string_equal(body.text.data, "gateway,gateway=c lost=0i 1\n");
    assert_int_equal(body.position, third);
    assert_int_equal(body.lines[0].journal, 0);
    body_release(&body);
}

/* What spans hours lies in buckets of a day, what spans months in one for all; both are found. */
static void test_an_hour_is_read_whole_whenever_and_in_whatever_batch_it_came(void **state)
{
    (void)state;
    struct error err = {""};
    struct buf lines = {0};
    int64_t hour = 490000, base_ms = hour * HOUR_MS, last = 0;
    static const int64_t spans_ms[] = {0, 40 * HOUR_MS, 2000 * HOUR_MS};
    for (int i = 0; i < 3; i++) {
        buf_reset(&lines);
        buf_printf(&lines,
            "gauge,point=h value=%d %lld\ngauge,point=h value=9 %lld\nregister,point=h value=1i %lld\n", i,
            (long long)(base_ms + i), (long long)(base_ms + HOUR_MS + i), (long long)(base_ms + i));
        if (spans_ms[i] > 0)
            buf_printf(&lines, "gauge,point=h value=8 %lld\n", (long long)(base_ms - spans_ms[i]));
        buf_printf(&lines, "gauge,point=skipped value=1 %lld\ngauge,point=refused value=1 %lld\n",
            (long long)base_ms, (long long)base_ms);
        bool is_narrow = spans_ms[i] == 0;
        last = fake_journal_add(&journal, 1, lines.data, is_narrow ? "3" : "4");
        char sql[400];
        int64_t width = journal_widths_ms[i];
        snprintf(sql, sizeof sql,
            "INSERT INTO journal_span VALUES(1, %lld, %lld, %lld, %lld, %lld); INSERT INTO refused "
            "VALUES(%lld, %d)",
            (long long)width, (long long)(base_ms / width), (long long)last,
            (long long)(base_ms - spans_ms[i]), (long long)(base_ms + HOUR_MS + i), (long long)last,
            is_narrow ? 4 : 5);
        if (db_exec(journal.db, sql, &err) != ST_OK)
            fail_msg("%s", err.text);
    }
    buf_release(&lines);
    struct body_hour batches = {0};
    struct body body = {0};
    assert_int_equal(body_open_hour(reader, READING_GAUGE, hour, last, &batches, &err), ST_OK);
    assert_int_equal(batches.count, 3);
    assert_int_equal(body_read_hour(reader, &batches, 1, &body, &err), ST_OK);
    assert_int_equal(body.count, 1); /* whole batches, until there are enough lines */
    assert_int_equal(batches.at, 1);
    assert_int_equal(body_read_hour(reader, &batches, 100, &body, &err), ST_OK);
    assert_string_equal(body.text.data,
        "gauge,building=b1,gateway=gw-a,point=h,site=s1 value=1 1764000000001\n"
        "gauge,building=b1,gateway=gw-a,point=h,site=s1 value=2 1764000000002\n");
    assert_int_equal(batches.at, batches.count);
    assert_int_equal(body.refused, 2);
    batches.takes_refused = true;
    batches.at = 0;
    assert_int_equal(body_read_hour(reader, &batches, 100, &body, &err), ST_OK);
    assert_int_equal(body.count, 6);
    assert_int_equal(body.refused, 0);
    assert_int_equal(body_open_hour(reader, READING_GAUGE, hour, last - 1, &batches, &err), ST_OK);
    assert_int_equal(batches.count, 2); /* not yet posted: not yet expected */
    bool is_held;
    assert_int_equal(body_hour_is_held(reader, hour, &is_held, &err), ST_OK);
    assert_true(is_held);
    if (db_exec(journal.db, "DELETE FROM journal_span WHERE width_ms = 9223372036854775807", &err) != ST_OK)
        fail_msg("%s", err.text);
    for (int64_t h = hour - 2000; h <= hour + 1; h += 2001) {
        assert_int_equal(body_hour_is_held(reader, h, &is_held, &err), ST_OK);
        assert_false(is_held);
    }
    assert_int_equal(body_hour_is_held(reader, hour + 2, &is_held, &err), ST_OK);
    assert_true(is_held);
    body_hour_release(&batches);
    body_release(&body);
}

static void test_the_hours_of_lines_are_noted_once(void **state)
{
    (void)state;
    int64_t before = fake_journal_add(&journal, 1, "gauge,point=p value=1 1\n", NULL);
    fake_journal_add(&journal, 1,
        "gauge,point=p value=1 3600000\nregister,point=p value=1i 3600000\ngauge,point=p value=1 3600001\n"
        "gauge,point=p value=1 7200000\nregister,point=p value=1i 3600001\n",
        NULL);
    struct body body = read_journal(before, 100);
    struct hour_list list = {0};
    hour_list_add(&list, SPAN("gauge"), 2);
    hour_list_move(&list, &body.hours);
    assert_int_equal(body.hours.count, 0);
    assert_int_equal(list.count, 3);
    static const struct hour expected[] = {{"gauge", 1}, {"register", 1}, {"gauge", 2}};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(list.items[i].measurement, expected[i].measurement);
        assert_int_equal(list.items[i].hour, expected[i].hour);
    }
    hour_list_release(&list);
    body_release(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readings_become_canonical_lines_with_the_parks_tags),
        cmocka_unit_test(test_skipped_lines_are_left_out),
        cmocka_unit_test(test_a_body_ends_with_a_whole_batch),
        cmocka_unit_test(test_a_line_that_cannot_be_read_is_rejected_not_lost),
        cmocka_unit_test(test_the_outbox_is_read_by_rows),
        cmocka_unit_test(test_what_follows_on_each_other_is_cleared_as_one),
        cmocka_unit_test(test_an_hour_is_read_whole_whenever_and_in_whatever_batch_it_came),
        cmocka_unit_test(test_the_hours_of_lines_are_noted_once),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
