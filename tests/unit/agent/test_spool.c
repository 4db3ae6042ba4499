/* agent/deliver/spool: numbering, cutting, freeing, limits, and what is left after a kill at any instant. */
#include "agent/deliver/spool.h"
#include "agent/deliver/window.h"
#include "lib/db.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD_MAX BATCH_BYTES_MAX
#define T0 INT64_C(1764000000000)

static char folder[] = "/tmp/parkmon-test-spool-XXXXXX";
static char a_text[] = "a \"b\" \\ 开";
static const char *const points[] = {"b3.main", "b3.main.power", "lab2.sem3.session",
    "a-name-of-sixty-four-characters-which-is-the-longest-that-is-all"};
static int file_number;

static char *new_path(void)
{
    return mem_printf("%s/%d.spool", folder, ++file_number);
}

static enum status try_open(
    const char *path, const char *gateway, int64_t limit_mib, struct spool **ret, struct error *err)
{
    struct spool_options options = {path, gateway, limit_mib << 20, points, 4};
    return spool_open(&options, ret, err);
}

static struct spool *open_limited(const char *path, int64_t limit_mib)
{
    struct spool *s;
    struct error err;
    if (try_open(path, "gw-a", limit_mib, &s, &err) != ST_OK)
        fail_msg("%s", err.text);
    return s;
}

static struct spool *open_spool(const char *path)
{
    return open_limited(path, 64);
}

static struct spool_reading count_at(int64_t n)
{
    return (struct spool_reading){.point = 0, .kind = READING_REGISTER, .time_ms = T0 + n, .count = n};
}

static void add(struct spool *s, int64_t from, int64_t to)
{
    size_t count = (size_t)(to - from + 1);
    struct spool_reading *readings = mem_alloc(count * sizeof *readings);
    for (size_t i = 0; i < count; i++)
        readings[i] = count_at(from + (int64_t)i);
    struct error err;
    if (spool_add(s, readings, count, &err) != ST_OK)
        fail_msg("%s", err.text);
    free(readings);
}

static void cut(struct spool *s, int64_t batches)
{
    struct error err;
    if (spool_cut(s, batches, PAYLOAD_MAX, &err) != ST_OK)
        fail_msg("%s", err.text);
}

static struct spool_state state_of(struct spool *s)
{
    struct spool_state state;
    spool_state(s, &state);
    return state;
}

/* A batch as a receiver sees it. */
struct seen {
    struct batch_header header;
    char *body;
    int64_t first_count, last_count, lines;
};

static void read_lines(struct seen *seen)
{
    struct span body = span_of(seen->body), line;
    struct error err;
    while (batch_next_line(&body, &line)) {
        struct reading r;
        if (batch_read_reading(line, &r, &err) != ST_OK)
            fail_msg("%s", err.text);
        seen->last_count = r.count;
        if (seen->lines++ == 0)
            seen->first_count = r.count;
    }
}

/* Without the lines. */
static struct seen glance(struct spool *s, int64_t seq)
{
    struct buf payload = {0};
    struct seen seen = {0};
    struct error err;
    struct span body;
    if (spool_payload(s, seq, &payload, &err) != ST_OK)
        fail_msg("%s", err.text);
    assert_int_equal(
        batch_read_header((struct span){payload.data, payload.len}, &seen.header, &body, &err), ST_OK);
    seen.body = mem_strndup(body.at, body.len);
    buf_release(&payload);
    return seen;
}

static struct seen look(struct spool *s, int64_t seq)
{
    struct seen seen = glance(s, seq);
    read_lines(&seen);
    return seen;
}

static void see(struct spool *s, int64_t seq, int64_t first_count, int64_t last_count)
{
    struct seen seen = look(s, seq);
    assert_int_equal(seen.header.seq, seq);
    assert_int_equal(seen.first_count, first_count);
    assert_int_equal(seen.last_count, last_count);
    assert_int_equal(seen.lines, last_count - first_count + 1);
    free(seen.body);
}

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
    struct spool_reading readings[] = {
        {.point = 0, .kind = READING_REGISTER, .time_ms = T0, .count = -123456780},
        {.point = 1, .kind = READING_GAUGE, .time_ms = T0 + 1, .value = 41230.5, .quality = QUALITY_CLOCK},
        {.point = 2, .kind = READING_STATE, .time_ms = T0 + 2, .text = a_text}};
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

static int64_t file_bytes(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_size;
}

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
                readings[i] = (struct spool_reading){2, READING_STATE, QUALITY_GOOD, T0, 0, 0, text};
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

/* ---- what must be refused ---- */

static void refuse(const char *path, enum status status, const char *part)
{
    struct spool *s = NULL;
    struct error err = {""};
    assert_int_equal(try_open(path, "gw-a", 64, &s, &err), status);
    if (strstr(err.text, part) == NULL)
        fail_msg("\"%s\" is not in: %s", part, err.text);
    assert_null(s);
}

static void test_another_gateways_spool_is_refused(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s;
    struct error err;
    assert_int_equal(try_open(path, "gw-b", 64, &s, &err), ST_OK);
    spool_close(s);
    refuse(path, ST_INVALID, "is the spool of gateway \"gw-b\"; expected \"gw-a\"");
    free(path);
}

static void test_a_spool_in_use_is_refused(void **state)
{
    (void)state;
    char *path = new_path();
    struct spool *s = open_spool(path);
    refuse(path, ST_UNREACHABLE, "in use by another process");
    spool_close(s);
    spool_close(open_spool(path));
    free(path);
}

static void write_bytes(const char *path, int64_t offset, const char *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, offset), (ssize_t)len);
    close(fd);
}

static void test_a_foreign_file_is_refused(void **state)
{
    (void)state;
    char *path = new_path();
    char text[2000];
    memset(text, 'x', sizeof text);
    write_bytes(path, 0, text, sizeof text);
    refuse(path, ST_INVALID, "not a sound database");
    free(path);
}

static void test_a_foreign_database_is_refused_and_left_alone(void **state)
{
    (void)state;
    static const char *const scripts[] = {"CREATE TABLE other(x INTEGER) STRICT"};
    for (int version = 0; version < 2; version++) {
        char *path = new_path();
        struct db *db;
        struct error err;
        assert_int_equal(db_open(path, &(struct db_schema){scripts, 1}, &db, &err), ST_OK);
        if (version == 0)
            assert_int_equal(db_exec(db, "PRAGMA user_version = 0", &err), ST_OK);
        db_close(db);
        refuse(path, ST_INVALID, "something else");
        assert_int_equal(db_open_reader(path, &db, &err), ST_OK);
        struct db_stmt *tables = db_prepare(db, "SELECT count(*) FROM sqlite_schema");
        bool has_row;
        assert_int_equal(db_step(tables, &has_row, &err), ST_OK);
        assert_int_equal(db_int(tables, 0), 1);
        db_close(db);
        free(path);
    }
}

static char *filled_spool(void)
{
    char *path = new_path();
    struct spool *s = open_spool(path);
    for (int64_t next = 1; next < 40000; next += 1000) {
        add(s, next, next + 999);
        cut(s, 16);
        if (next < 20000)
            spool_set_mark(s, state_of(s).last);
    }
    spool_close(s); /* the last connection: all is in the one file */
    return path;
}

static void test_a_truncated_spool_is_refused(void **state)
{
    (void)state;
    char *path = filled_spool();
    int64_t size = file_bytes(path);
    assert_int_equal(truncate(path, size / 2), 0);
    refuse(path, ST_INVALID, "not a sound");
    assert_int_equal(truncate(path, 50), 0);
    refuse(path, ST_INVALID, "not a sound");
    free(path);
}

static void test_a_corrupt_spool_is_refused(void **state)
{
    (void)state;
    char *path = filled_spool();
    char junk[64];
    memset(junk, 0xa5, sizeof junk);
    for (int64_t at = 4096 * 2; at < file_bytes(path); at += 4096 * 7)
        write_bytes(path, at, junk, sizeof junk);
    refuse(path, ST_INVALID, "sound");
    free(path);
}

static void test_a_missing_folder_is_named(void **state)
{
    (void)state;
    char *path = mem_printf("%s/none/a.spool", folder);
    struct spool *s;
    struct error err;
    assert_int_not_equal(try_open(path, "gw-a", 64, &s, &err), ST_OK);
    assert_non_null(strstr(err.text, "none/a.spool"));
    free(path);
}

/* ---- killed at any instant ---- */

/* Commits, cuts, acknowledges, refuses at random, and tells each committed fact through the pipe before it
 * does the next thing. */
static void run_until_killed(const char *path, unsigned seed, int64_t next, int pipe_fd)
{
    srand(seed);
    struct spool *s = open_limited(path, 2);
    struct error err;
    for (;;) {
        struct spool_reading readings[150];
        size_t count = (size_t)(rand() % 150);
        for (size_t i = 0; i < count; i++)
            readings[i] = count_at(next + (int64_t)i);
        int64_t room = state_of(s).mark + 16 - state_of(s).last;
        enum status status =
            spool_commit(s, readings, count, room > 0 ? rand() % (room + 1) : 0, 4000 + rand() % 20000, &err);
        if (status == ST_OK)
            next += (int64_t)count;
        else if (status != ST_FULL)
            _exit(1);
        struct spool_state now = state_of(s);
        if (write(pipe_fd, &(int64_t[]){next, now.last, (int64_t)now.epoch}, 24) != 24)
            _exit(1);
        if (rand() % 3 == 0 && now.last > now.mark)
            spool_set_mark(s, now.mark + 1 + rand() % (now.last - now.mark));
        else if (rand() % 50 == 0 && now.mark > now.first)
            spool_set_mark(s, now.mark - 1);
    }
}

/* Every batch is as it was seen first; together with what is uncut there is every count once and in order.
 * Returns the count that would follow. */
static int64_t check_whole(struct spool *s, int64_t committed, struct seen *known, int64_t known_max)
{
    struct spool_state now = state_of(s);
    int64_t next = -1;
    uint64_t epoch = 0;
    for (int64_t seq = now.first; seq <= now.last; seq++) {
        assert_true(seq < known_max);
        struct seen seen = glance(s, seq);
        if (known[seq].body == NULL) {
            read_lines(&seen);
            known[seq] = seen;
        } else {
            assert_string_equal(seen.body, known[seq].body);
            assert_true(seen.header.epoch == known[seq].header.epoch);
            free(seen.body);
            seen = known[seq];
        }
        if (next >= 0)
            assert_int_equal(seen.first_count, next);
        if (epoch != 0 && seen.header.epoch != epoch) {
            assert_true(seen.header.has_prev && seen.header.prev_epoch == epoch);
            assert_int_equal(seen.header.prev_seq, seq - 1);
        }
        epoch = seen.header.epoch;
        next = seen.last_count + 1;
    }
    for (int64_t seq = now.last + 1; state_of(s).uncut > 0; seq++) { /* the rest can be cut, and follows */
        spool_set_mark(s, state_of(s).last);
        cut(s, 1);
        struct seen seen = look(s, seq);
        assert_true(next < 0 || seen.first_count == next);
        next = seen.last_count + 1;
        free(seen.body);
    }
    assert_true(next >= committed || committed == 1);
    return next > 0 ? next : 1;
}

static void copy_file(const char *from, const char *to)
{
    static char bytes[1 << 16];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(out >= 0);
    ssize_t got;
    while (in >= 0 && (got = read(in, bytes, sizeof bytes)) > 0)
        assert_int_equal(write(out, bytes, (size_t)got), got);
    close(in);
    close(out);
}

/* With its write-ahead log, which may not be there. */
static void copy_spool(const char *from, const char *to)
{
    char *from_wal = mem_printf("%s-wal", from), *to_wal = mem_printf("%s-wal", to);
    copy_file(from, to);
    if (access(from_wal, F_OK) == 0)
        copy_file(from_wal, to_wal);
    free(from_wal);
    free(to_wal);
}

static void test_a_kill_at_any_instant_loses_nothing_committed_and_renumbers_nothing(void **state)
{
    (void)state;
    const char *given = getenv("SEED");
    unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    printf("SEED=%u\n", seed);
    enum { BATCHES_MAX = 100000 };
    struct seen *known = mem_zalloc(BATCHES_MAX * sizeof *known);
    char *path = new_path();
    int64_t committed = 1, last = 0;
    for (unsigned round = 0; round < 100; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(ends[0]);
            run_until_killed(path, seed + round, committed, ends[1]);
        }
        close(ends[1]);
        /* Some facts later, and some microseconds: in the middle of a commit more often than not. */
        srand(seed * 31 + round);
        int64_t fact[3];
        for (int facts = rand() % 5; facts >= 0 && read(ends[0], fact, 24) == 24; facts--)
            committed = fact[0], last = fact[1];
        struct timespec moment = {0, rand() % 1500 * 1000};
        nanosleep(&moment, NULL);
        kill(child, SIGKILL);
        int wait_status;
        waitpid(child, &wait_status, 0);
        assert_true(WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL);
        while (read(ends[0], fact, 24) == 24)
            committed = fact[0], last = fact[1];
        close(ends[0]);

        /* Looked at in a copy, since looking cuts. */
        char *copy = new_path();
        copy_spool(path, copy);
        struct spool *s = open_limited(copy, 64);
        assert_true(state_of(s).last >= last);
        committed = check_whole(s, committed, known, BATCHES_MAX);
        spool_close(s);
        unlink(copy);
        free(copy);
    }
    for (int i = 0; i < BATCHES_MAX; i++)
        free(known[i].body);
    free(known);
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

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
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
        cmocka_unit_test(test_the_mark_is_remembered),
        cmocka_unit_test(test_at_the_limit_readings_are_refused_and_nothing_changes),
        cmocka_unit_test(test_the_oldest_acknowledged_are_freed_first_and_no_others),
        cmocka_unit_test(test_the_smallest_spool_takes_the_largest_slice_when_it_is_empty),
        cmocka_unit_test(test_another_gateways_spool_is_refused),
        cmocka_unit_test(test_a_spool_in_use_is_refused),
        cmocka_unit_test(test_a_foreign_file_is_refused),
        cmocka_unit_test(test_a_foreign_database_is_refused_and_left_alone),
        cmocka_unit_test(test_a_truncated_spool_is_refused),
        cmocka_unit_test(test_a_corrupt_spool_is_refused),
        cmocka_unit_test(test_a_missing_folder_is_named),
        cmocka_unit_test(test_a_kill_at_any_instant_loses_nothing_committed_and_renumbers_nothing),
        cmocka_unit_test(test_a_hundred_thousand_uncut_readings_do_not_slow_commits_down),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
