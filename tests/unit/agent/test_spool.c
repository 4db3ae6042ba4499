/* agent/deliver/spool: numbering, cutting, freeing, limits. */
#include "agent/deliver/window.h"
#include "tests/unit/agent/spool_fixture.h"

#include <inttypes.h>
#include <time.h>

/* ---- cutting ---- */

static void test_readings_are_cut_oldest_first_into_numbered_batches(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_spool(path);
    assert_int_equal(state_of(s).last, 0);
    assert_int_equal(state_of(s).first, 1);
    add(s, 1, 2500);
    assert_int_equal(state_of(s).uncut, 2500);
    assert_int_equal(state_of(s).oldest_ms, T0 + 1);
    cut(s, 16);
    assert_int_equal(state_of(s).last, 3);
    assert_int_equal(state_of(s).uncut, 0);
    see(s, 1, 1, 1000);
    see(s, 2, 1001, 2000);
    see(s, 3, 2001, 2500);
    spool_close(s);
    free(path);
}

static void test_every_kind_reads_as_it_was_written(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_spool(path);
    char text[] = "a \"b\" \\ 开";
    struct spool_reading readings[] = {
        {.point = 0, .kind = READING_REGISTER, .time_ms = T0, .count = -123456780},
        {.point = 1, .kind = READING_GAUGE, .time_ms = T0 + 1, .value = 41230.5, .quality = QUALITY_CLOCK},
        {.point = 2, .kind = READING_STATE, .time_ms = T0 + 2, .text = text}};
    struct error err;
    assert_int_equal(spool_commit(s, readings, 3, 16, PAYLOAD_MAX, &err), ST_OK);
    struct seen seen = look(s, 1);
    assert_string_equal(seen.body,
        "register,point=b3.main value=-123456780i 1764000000000\n"
        "gauge,point=b3.main.power value=41230.5,quality=\"clock\" 1764000000001\n"
        "state,point=lab2.sem3.session value=\"a \\\"b\\\" \\\\ 开\" 1764000000002\n");
    free(seen.body);
    spool_close(s);
    free(path);
}

static void test_no_more_is_cut_than_asked_for(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_spool(path);
    add(s, 1, 5000);
    cut(s, 0);
    assert_int_equal(state_of(s).last, 0);
    cut(s, 2);
    assert_int_equal(state_of(s).last, 2);
    assert_int_equal(state_of(s).uncut, 3000);
    spool_close(s);
    free(path);
}

static void test_payloads_stay_within_the_brokers_limit(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_spool(path);
    struct error err;
    add(s, 1, 100);
    assert_int_equal(spool_cut(s, 100, 1000, &err), ST_OK);
    assert_true(state_of(s).last > 5);
    int64_t next = 1;
    for (int64_t seq = 1; seq <= state_of(s).last; seq++) {
        struct buf payload = {0};
        assert_int_equal(spool_payload(s, seq, &payload, &err), ST_OK);
        assert_true(payload.len <= 1000);
        buf_release(&payload);
        struct seen seen = look(s, seq);
        assert_int_equal(seen.first_count, next);
        next = seen.last_count + 1;
        free(seen.body);
    }
    spool_close(s);
    free(path);
}

static void test_a_broker_too_small_for_one_reading_is_an_error(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_spool(path);
    struct error err;
    add(s, 1, 3);
    assert_int_equal(spool_cut(s, 16, 280, &err), ST_INVALID);
    assert_int_equal(spool_cut(s, 16, 20, &err), ST_INVALID);
    assert_int_equal(state_of(s).uncut, 3);
    assert_int_equal(state_of(s).last, 0);
    cut(s, 16);
    see(s, 1, 1, 3);
    spool_close(s);
    free(path);
}

static void test_a_cut_that_fails_half_way_leaves_no_trace(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_spool(path);
    char text[STATE_TEXT_MAX + 1];
    memset(text, 'x', STATE_TEXT_MAX);
    text[STATE_TEXT_MAX] = '\0';
    struct spool_reading long_one = {.point = 2, .kind = READING_STATE, .time_ms = T0 + 2, .text = text};
    struct error err;
    add(s, 1, 1);
    assert_int_equal(spool_add(s, &long_one, 1, &err), ST_OK);
    struct spool_state before = state_of(s);
    assert_int_equal(spool_cut(s, 16, 400, &err), ST_INVALID); /* the second batch */
    struct spool_state after = state_of(s);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(spool_cut(s, 16, PAYLOAD_MAX, &err), ST_OK);
    struct seen seen = look(s, 1);
    assert_int_equal(seen.lines, 2);
    assert_false(seen.header.has_prev);
    struct ack ack = {seen.header.epoch, 1, false};
    int64_t seq;
    assert_int_equal(spool_resolve(s, &ack, &seq, &err), ST_OK);
    free(seen.body);
    spool_close(s);
    free(path);
}

static void test_not_more_than_the_window_is_cut_ahead_of_the_mark(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_spool(path);
    char text[STATE_TEXT_MAX + 1];
    memset(text, 'x', STATE_TEXT_MAX);
    text[STATE_TEXT_MAX] = '\0';
    struct error err;
    for (int i = 0; i < 5000; i++) {
        struct spool_reading r = {.point = 2, .kind = READING_STATE, .time_ms = T0 + i, .text = text};
        if (i % 500 == 0) {
            struct spool_reading many[500];
            for (int k = 0; k < 500; k++)
                many[k] = r;
            assert_int_equal(spool_add(s, many, 500, &err), ST_OK);
        }
    }
    cut(s, 16);
    assert_int_equal(state_of(s).last, 2);
    assert_true(state_of(s).unacknowledged_bytes <= WINDOW_BYTES);
    cut(s, 14);
    assert_int_equal(state_of(s).last, 2);
    spool_set_mark(s, 1);
    assert_true(
        state_of(s).unacknowledged_bytes <= BATCH_BYTES_MAX && state_of(s).unacknowledged_bytes > 200000);
    cut(s, 14);
    assert_int_equal(state_of(s).last, 3);
    spool_set_mark(s, 3);
    assert_int_equal(state_of(s).unacknowledged_bytes, 0);
    spool_close(s);
    free(path);
}

/* ---- epochs ---- */

static void test_numbers_go_on_across_starts_and_prev_names_the_epoch_before(void **state)
{
    (void)state;
    char *path = new_path();
    uint64_t epochs[4] = {0};
    int64_t ends[4] = {0}, next = 1;
    for (int run = 0; run < 4; run++) {
        struct spool *s = open_spool(path);
        assert_int_equal(state_of(s).last, next - 1);
        for (int i = 0; i <= run; i++) {
            add(s, next, next);
            cut(s, 16);
            struct seen seen = look(s, next);
            free(seen.body);
            assert_int_equal(seen.header.seq, next);
            assert_int_equal(seen.header.has_prev, run > 0);
            if (i == 0)
                epochs[run] = seen.header.epoch;
            assert_true(seen.header.epoch == epochs[run]);
            if (run > 0) {
                assert_true(seen.header.prev_epoch == epochs[run - 1] && epochs[run] != epochs[run - 1]);
                assert_int_equal(seen.header.prev_seq, ends[run - 1]);
            }
            ends[run] = next++;
        }
        spool_set_mark(s, next - 1);
        spool_close(s);
    }
    struct spool *s = open_spool(path);
    struct seen seen = look(s, 3); /* the second of the second start */
    assert_true(seen.header.epoch == epochs[1]);
    free(seen.body);
    spool_close(s);
    free(path);
}

static void test_a_new_epoch_waits_until_all_before_is_acknowledged(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_spool(path);
    add(s, 1, 2500);
    cut(s, 2);
    uint64_t epoch = state_of(s).epoch;
    spool_close(s);
    s = open_spool(path);
    cut(s, 14);
    assert_int_equal(state_of(s).last, 2);
    spool_set_mark(s, 1);
    cut(s, 14);
    assert_int_equal(state_of(s).last, 2);
    spool_set_mark(s, 2);
    cut(s, 14);
    assert_int_equal(state_of(s).last, 3);
    assert_true(state_of(s).epoch != epoch);
    see(s, 3, 2001, 2500);
    spool_close(s);
    free(path);
}

static void test_a_start_that_cuts_nothing_leaves_no_epoch(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_spool(path);
    add(s, 1, 1);
    cut(s, 1);
    uint64_t epoch = state_of(s).epoch;
    spool_set_mark(s, 1);
    spool_close(s);
    for (int i = 0; i < 3; i++)
        spool_close(open_spool(path));
    s = open_spool(path);
    add(s, 2, 2);
    cut(s, 1);
    struct seen seen = look(s, 2);
    assert_true(seen.header.has_prev && seen.header.prev_epoch == epoch);
    free(seen.body);
    spool_close(s);
    free(path);
}

static void test_what_acknowledgements_mean(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_spool(path);
    add(s, 1, 10);
    cut(s, 1);
    uint64_t old = state_of(s).epoch;
    int64_t seq = -1;
    struct error err;
    assert_int_equal(spool_resolve(s, &(struct ack){old, 1, false}, &seq, &err), ST_OK);
    assert_int_equal(seq, 1);
    assert_int_equal(spool_resolve(s, &(struct ack){old, 0, true}, &seq, &err), ST_OK);
    assert_int_equal(seq, 0);
    seq = -1;
    assert_int_equal(spool_resolve(s, &(struct ack){old, 2, false}, &seq, &err), ST_INVALID);
    assert_int_equal(spool_resolve(s, &(struct ack){old ^ 1, 1, false}, &seq, &err), ST_INVALID);
    assert_int_equal(seq, -1);
    spool_close(s);

    /* Restored from an image: the collector knows batches of that epoch which this spool never cut. It has
     * cut nothing in this start: there is no current epoch yet, and the old one is an earlier one. */
    s = open_spool(path);
    assert_int_equal(spool_resolve(s, &(struct ack){old, 7, false}, &seq, &err), ST_OK);
    assert_int_equal(seq, 1);
    spool_set_mark(s, 1);
    add(s, 11, 11);
    cut(s, 1);
    assert_int_equal(spool_resolve(s, &(struct ack){old, 7, false}, &seq, &err), ST_OK);
    assert_int_equal(seq, 1);
    assert_int_equal(spool_resolve(s, &(struct ack){state_of(s).epoch, 3, false}, &seq, &err), ST_INVALID);
    assert_int_equal(spool_resolve(s, &(struct ack){state_of(s).epoch, 2, false}, &seq, &err), ST_OK);
    assert_int_equal(seq, 2);
    spool_close(s);
    free(path);
}

static void test_batches_never_change_but_for_first_and_prev(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_limited(path, 2);
    add(s, 1, 3000);
    cut(s, 16);
    struct seen before = look(s, 3);
    assert_int_equal(before.header.first, 1);
    spool_set_mark(s, 2);
    spool_close(s);
    s = open_limited(path, 2);
    spool_set_mark(s, 2);
    int64_t next = 3001;
    while (state_of(s).first == 1) { /* until the first ones are freed */
        add(s, next, next + 999);
        next += 1000;
        assert_true(next < 100000);
    }
    struct seen after = look(s, 3);
    assert_string_equal(after.body, before.body);
    assert_true(after.header.epoch == before.header.epoch && after.header.seq == before.header.seq);
    assert_int_equal(after.header.first, 3);
    free(before.body);
    free(after.body);
    spool_close(s);
    free(path);
}

static void test_the_oldest_is_of_what_waits(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_spool(path);
    add(s, 1, 3000);
    cut(s, 16);
    spool_set_mark(s, 2);
    assert_int_equal(state_of(s).oldest_ms, T0 + 2001);
    add(s, 3001, 3001);
    spool_set_mark(s, 3);
    assert_int_equal(state_of(s).oldest_ms, T0 + 3001);
    cut(s, 16);
    spool_set_mark(s, 4);
    assert_int_equal(state_of(s).oldest_ms, 0);
    spool_set_mark(s, 0); /* a refusal */
    assert_int_equal(state_of(s).oldest_ms, T0 + 1);
    spool_close(s);
    free(path);
}

static void test_the_mark_is_remembered(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_spool(path);
    add(s, 1, 3000);
    cut(s, 16);
    spool_set_mark(s, 2);
    spool_close(s);
    s = open_spool(path);
    assert_int_equal(state_of(s).mark, 2);
    assert_int_equal(state_of(s).oldest_ms, T0 + 2001);
    spool_set_mark(s, 0); /* a refusal */
    spool_close(s);
    s = open_spool(path);
    assert_int_equal(state_of(s).mark, 0);
    spool_close(s);
    free(path);
}

/* ---- limits ---- */

static void test_at_the_limit_readings_are_refused_and_nothing_changes(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_limited(path, 2);
    struct spool_reading readings[500];
    struct error err;
    int64_t next = 1;
    enum status status;
    do {
        for (int i = 0; i < 500; i++) {
            readings[i] = count_at(next + i);
            readings[i].point = 3; /* short in the table, long on the wire */
        }
        status = spool_commit(s, readings, 500, 16, PAYLOAD_MAX, &err);
        next += status == ST_OK ? 500 : 0;
    } while (status == ST_OK);
    assert_int_equal(status, ST_FULL);
    assert_non_null(strstr(err.text, "limit of 2 MiB"));
    assert_true(file_bytes(path) <= 2 << 20);
    struct spool_state full = state_of(s);
    assert_int_equal(spool_add(s, readings, 500, &err), ST_FULL);
    struct spool_state still = state_of(s);
    assert_memory_equal(&full, &still, sizeof full);
    assert_true(full.uncut > 5000);

    /* All of it can still be cut and sent, whole windows at a time. */
    int64_t seen_counts = 0;
    for (int64_t seq = 1; state_of(s).uncut > 0 || seq <= state_of(s).last; seq++) {
        if (seq > state_of(s).last)
            cut(s, 16);
        struct seen seen = look(s, seq);
        assert_int_equal(seen.first_count, seen_counts + 1);
        seen_counts = seen.last_count;
        free(seen.body);
        spool_set_mark(s, seq);
    }
    assert_int_equal(seen_counts, next - 1);
    assert_int_equal(spool_add(s, readings, 500, &err), ST_OK);
    spool_close(s);
    free(path);
}

static void test_the_oldest_acknowledged_are_freed_first_and_no_others(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_limited(path, 2);
    for (int64_t n = 1; n < 4000; n += 400)
        add(s, n, n + 399);
    cut(s, 16);
    for (int64_t n = 4001; n < 6000; n += 400) {
        add(s, n, n + 399);
        spool_set_mark(s, state_of(s).last);
        cut(s, 16);
    }
    int64_t cut_last = state_of(s).last;
    assert_true(cut_last > 4);
    spool_set_mark(s, cut_last - 1);
    struct error err;
    int64_t next = 6001, first = 1;
    enum status status = ST_OK;
    while (status == ST_OK) {
        struct spool_reading readings[200];
        for (int i = 0; i < 200; i++)
            readings[i] = count_at(next + i);
        status = spool_add(s, readings, 200, &err);
        next += 200;
        assert_true(state_of(s).first >= first);
        first = state_of(s).first;
    }
    assert_int_equal(status, ST_FULL);
    assert_int_equal(first, cut_last); /* the one that is not acknowledged */
    struct seen seen = look(s, cut_last);
    assert_int_equal(seen.header.first, cut_last);
    free(seen.body);
    spool_close(s);
    free(path);
}

static void test_the_smallest_spool_takes_the_largest_slice_when_it_is_empty(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_limited(path, 2);
    char text[STATE_TEXT_MAX + 1];
    memset(text, '"', STATE_TEXT_MAX); /* doubled on the wire */
    text[STATE_TEXT_MAX] = '\0';
    size_t count = 16384;
    struct spool_reading *readings = mem_alloc(count * sizeof *readings);
    struct error err;
    for (int kind = 0; kind < 2; kind++) {
        for (size_t i = 0; i < count; i++) {
            readings[i] = count_at((int64_t)i);
            if (kind == 1)
                readings[i] =
                    (struct spool_reading){.point = 2, .kind = READING_STATE, .time_ms = T0, .text = text};
        }
        for (int round = 0; round < 6; round++) {
            size_t slice = spool_slice(s, readings, count);
            assert_true(slice > 0 && slice < count);
            if (spool_commit(s, readings, slice, 16, PAYLOAD_MAX, &err) != ST_OK)
                fail_msg("%s", err.text);
            while (state_of(s).uncut > 0) {
                spool_set_mark(s, state_of(s).last);
                cut(s, 16);
            }
            spool_set_mark(s, state_of(s).last);
        }
    }
    assert_int_equal(spool_slice(s, readings, 1), 1);
    free(readings);
    spool_close(s);
    free(path);
}

/* ---- many readings ---- */

static int64_t cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The same work beside a heap of uncut readings and without: the cost must be about the same, whatever the
 * machine. */
static void test_a_hundred_thousand_uncut_readings_do_not_slow_commits_down(void **state)
{
    (void)state;
    char *empty_path = new_path(), *full_path = new_path();
    struct spool *empty = open_spool(empty_path), *full = open_spool(full_path);
    for (int64_t next = 1; next < 100000; next += 4000)
        add(full, next, next + 3999);
    int64_t spent[2] = {0};
    for (int i = 0; i < 60; i++) {
        for (int is_full = 0; is_full < 2; is_full++) {
            struct spool *s = is_full ? full : empty;
            int64_t begin = cpu_us();
            struct spool_reading r = count_at(200000 + i);
            struct error err;
            assert_int_equal(spool_commit(s, &r, 1, 1, 1000, &err), ST_OK);
            spool_set_mark(s, state_of(s).last);
            spent[is_full] += cpu_us() - begin;
        }
    }
    printf(
        "CPU for 60 commits: %" PRId64 " us empty, %" PRId64 " us with 100 000 uncut\n", spent[0], spent[1]);
    assert_true(spent[1] < 5 * spent[0] + 20000);
    spool_close(empty);
    spool_close(full);
    free(empty_path);
    free(full_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readings_are_cut_oldest_first_into_numbered_batches),
        cmocka_unit_test(test_every_kind_reads_as_it_was_written),
        cmocka_unit_test(test_no_more_is_cut_than_asked_for),
        cmocka_unit_test(test_payloads_stay_within_the_brokers_limit),
        cmocka_unit_test(test_a_broker_too_small_for_one_reading_is_an_error),
        cmocka_unit_test(test_a_cut_that_fails_half_way_leaves_no_trace),
        cmocka_unit_test(test_not_more_than_the_window_is_cut_ahead_of_the_mark),
        cmocka_unit_test(test_numbers_go_on_across_starts_and_prev_names_the_epoch_before),
        cmocka_unit_test(test_a_new_epoch_waits_until_all_before_is_acknowledged),
        cmocka_unit_test(test_a_start_that_cuts_nothing_leaves_no_epoch),
        cmocka_unit_test(test_what_acknowledgements_mean),
        cmocka_unit_test(test_batches_never_change_but_for_first_and_prev),
        cmocka_unit_test(test_the_oldest_is_of_what_waits),
        cmocka_unit_test(test_the_mark_is_remembered),
        cmocka_unit_test(test_at_the_limit_readings_are_refused_and_nothing_changes),
        cmocka_unit_test(test_the_oldest_acknowledged_are_freed_first_and_no_others),
        cmocka_unit_test(test_the_smallest_spool_takes_the_largest_slice_when_it_is_empty),
        cmocka_unit_test(test_a_hundred_thousand_uncut_readings_do_not_slow_commits_down),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
