/*
 * D5 over random batches: repeated, reordered, contradicting, of few points and few times, so that all of it
 * meets, with restarts in between. What the store's own reader takes from the journal is held against a plain
 * table: the first value of each (point, time). PARKMON_SEED picks a history.
 */
#include "collector/store/body.h"
#include "tests/unit/collector/intake_fixture.h"
#include "tests/unit/random.h"

#define POINTS 4
#define TIMES 200
#define SPREAD_MS INT64_C(1700000) /* so that buckets of hours and of days are met */

struct table {
    bool has[POINTS][TIMES];
    int value[POINTS][TIMES];
};

struct tally {
    int64_t readings, duplicates, conflicts;
};

static int pick(int below)
{
    return (int)random_below((size_t)below);
}

static int64_t time_of(int t)
{
    return NOW_MS - (TIMES - t) * SPREAD_MS;
}

/* Appends a random body and tells the table, line by line, as the words of D5 have it. */
static void write_body(struct buf *text, struct table *table, struct tally *tally)
{
    int from = pick(TIMES), width = 1 + pick(pick(4) == 0 ? TIMES : 5);
    for (int i = pick(30); i > 0; i--) {
        int kind = pick(12);
        if (kind == 0) {
            buf_add_str(text, pick(2) ? "\n" : "# nothing\n");
            continue;
        }
        if (kind == 1) {
            buf_add_str(text, "gauge,point=p value=NaN 1\n");
            tally->conflicts++; /* quarantined as well */
            continue;
        }
        int p = pick(POINTS), t = (from + pick(width)) % TIMES, value = pick(2);
        buf_printf(text, "register,point=p%d value=%di %lld\n", p, value, (long long)time_of(t));
        if (!table->has[p][t]) {
            table->has[p][t] = true;
            table->value[p][t] = value;
            tally->readings++;
        } else if (table->value[p][t] == value) {
            tally->duplicates++;
        } else {
            tally->conflicts++;
        }
    }
}

/* Every line that goes to the store, once each, is in the table, and the other way round. */
static void check_store(struct intake *in, struct park *park, const struct table *table)
{
    struct error err = {""};
    struct db *db;
    must(db_open_reader(in->journal.path, &db, &err), &err);
    struct body_reader *reader = body_reader_create(db, park);
    struct body body = {0};
    bool seen[POINTS][TIMES] = {{false}};
    int64_t position = 0;
    do {
        position = body.position;
        must(body_read_journal(reader, position, 1000, &body, &err), &err);
        assert_int_equal(body.rejects.count, 0);
        for (size_t i = 0; i < body.count; i++) {
            struct span line = body_lines(&body, i, i + 1);
            struct line parsed;
            line.len--;
            must(line_read(line, &parsed, &err), &err);
            int p = -1;
            for (size_t tag = 0; tag < parsed.tag_count; tag++)
                if (span_is(parsed.tags[tag].key, "point"))
                    p = parsed.tags[tag].value.at[1] - '0';
            int64_t t = TIMES - (NOW_MS - parsed.time) / SPREAD_MS;
            assert_true(p >= 0 && p < POINTS && t >= 0 && t < TIMES && table->has[p][t]);
            assert_int_equal(parsed.fields[0].value.i, table->value[p][t]);
            assert_false(seen[p][t]);
            seen[p][t] = true;
        }
    } while (body.position > position);
    for (int p = 0; p < POINTS; p++)
        for (int t = 0; t < TIMES; t++)
            assert_int_equal(seen[p][t], table->has[p][t]);
    body_release(&body);
    body_reader_destroy(reader);
    db_close(db);
}

static void run(uint64_t seed)
{
    random_state = seed * 2 + 1;
    struct intake in;
    struct table table = {0};
    struct tally expected = {0}, found = {0};
    struct buf text = {0};
    int in_pieces = 0;
    intake_open(&in);
    struct park *park = fake_park(&in.journal);
    for (int seq = 1; seq <= 120; seq++) {
        buf_reset(&text);
        buf_printf(&text, "#park1 epoch=" EPOCH_A " seq=%d first=1\n", seq);
        write_body(&text, &table, &expected);
        in.search_bytes = pick(2) ? 1 + pick(3000) : 0; /* at once, or in pieces */
        intake_give_bytes(&in, "gw-a", text.data, text.len);
        in_pieces += in.pieces > 1;
        found.readings += in.counters.readings;
        found.duplicates += in.counters.duplicate_readings;
        found.conflicts += in.counters.quarantined;
        if (pick(10) == 0)
            intake_reload(&in);
    }
    assert_true(in_pieces > 10);
    assert_int_equal(found.readings, expected.readings);
    assert_int_equal(found.duplicates, expected.duplicates);
    assert_int_equal(found.conflicts, expected.conflicts);
    check_store(&in, park, &table);
    buf_release(&text);
    park_destroy(park);
    intake_close(&in);
}

static void test_each_point_and_time_goes_to_the_store_once_with_its_first_value(void **state)
{
    (void)state;
    random_histories(run, 10);
}

/* Ten batches of a minute each; late readings of the first and the last minute. */
static void give_minutes(struct intake *in, struct buf *text)
{
    intake_open(in);
    for (int seq = 1; seq <= 10; seq++) {
        buf_reset(text);
        buf_printf(text, "#park1 epoch=" EPOCH_A " seq=%d first=1\n", seq);
        for (int i = 0; i < 60; i++)
            buf_printf(
                text, "gauge,point=p value=%d %lld\n", i, (long long)NOW_MS + (seq * 60 + i - 700) * 1000);
        intake_give_bytes(in, "gw-a", text->data, text->len);
    }
    buf_reset(text);
    buf_printf(text,
        "#park1 epoch=" EPOCH_A " seq=11 first=1\ngauge,point=p value=5 %lld\ngauge,point=p value=6 %lld\n",
        (long long)NOW_MS + (60 + 5 - 700) * 1000, (long long)NOW_MS + (600 + 5 - 700) * 1000);
}

static void test_only_batches_in_which_a_late_time_lies_are_read(void **state)
{
    (void)state;
    struct intake in;
    struct buf text = {0};
    give_minutes(&in, &text);
    /* What lies between may be unreadable: it is not looked at. */
    struct error err = {""};
    must(db_exec(in.db, "UPDATE journal SET payload = zeroblob(50000000) WHERE id BETWEEN 2 AND 9", &err),
        &err);
    in.search_bytes = 50000;
    intake_give_bytes(&in, "gw-a", text.data, text.len);
    assert_int_equal(in.pieces, 1);
    assert_int_equal(in.counters.duplicate_readings, 1);
    assert_int_equal(in.counters.quarantined, 1);
    buf_release(&text);
    intake_close(&in);
}

static void test_a_search_that_is_too_large_leaves_no_trace_until_it_is_done(void **state)
{
    (void)state;
    struct intake in;
    struct buf text = {0};
    give_minutes(&in, &text);
    struct error err = {""};
    struct receive_answer answer;
    struct inbox_message *m = message_of("gw-a", text.data, text.len, NOW_MS);
    in.search_bytes = 1;
    int pieces = 1;
    must(db_begin(in.db, &err), &err);
    for (;; pieces++) {
        must(intake_try(&in, m, &answer, &err), &err);
        if (!answer.is_unfinished)
            break;
        assert_false(answer.has_ack);
        assert_int_equal(in.counters.batches + in.counters.readings, 0);
        assert_int_equal(query(in.db, "SELECT count(*) FROM journal"), 10);
        assert_int_equal(query(in.db, "SELECT max(mark) FROM epoch"), 10);
    }
    assert_in_range(pieces, 10, 13); /* one batch or one row of the index a time */
    assert_answer(answer, 0xaa, 11, false);
    assert_int_equal(in.counters.duplicate_readings, 1);
    must(db_commit(in.db, &err), &err);
    free(m);
    buf_release(&text);
    intake_close(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_batches_in_which_a_late_time_lies_are_read),
        cmocka_unit_test(test_a_search_that_is_too_large_leaves_no_trace_until_it_is_done),
        cmocka_unit_test(test_each_point_and_time_goes_to_the_store_once_with_its_first_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
