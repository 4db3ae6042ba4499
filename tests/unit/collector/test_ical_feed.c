/* The feed of an instrument, read by python3-icalendar (oracle_feed.py) and by our own reader. */
#include "collector/instrument/ical_feed.h"
#include "collector/instrument/ical_read.h"
#include "tests/unit/oracle.h"

#include <stdlib.h>
#include <unistd.h>

#define NAME \
    "400 MHz 核磁共振谱仪, Raum 2; \\ \"NMR\" with a name that is long enough to be folded over lines"
static const struct busy all = {INT64_MIN, INT64_MAX};

static struct buf feed_of(const struct busy_list *spans, int64_t as_of_ms)
{
    struct buf out = {0};
    ical_feed_write(&out,
        &(struct ical_feed){.instrument = "nmr-400",
            .domain = "jiashan.example.org",
            .name = NAME,
            .busy = "占用 Busy",
            .note = "Last seen 2026-11-29 08:00; without names.\nhttps://example.org/instruments/nmr-400",
            .refresh_min = 15,
            .as_of_ms = as_of_ms,
            .spans = spans});
    return out;
}

static struct busy_list some_spans(void)
{
    struct busy_list spans = {0};
    int64_t at_ms = INT64_C(1795939200000);
    for (int i = 0; i < 200; i++) {
        at_ms += 2000 + (int64_t)random_below(7200000);
        int64_t begin_ms = at_ms;
        at_ms += 1 + (int64_t)random_below(7200000);
        busy_list_add(&spans, begin_ms, at_ms, all);
    }
    return spans;
}

static void test_another_program_reads_what_we_wrote(void **state)
{
    (void)state;
    struct busy_list spans = some_spans();
    struct buf feed = feed_of(&spans, INT64_C(1795939262123));
    char path[] = "/tmp/parkmon-test-feed-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, feed.data, feed.len) == (ssize_t)feed.len);
    close(fd);
    struct oracle o;
    oracle_open(&o, "collector/oracle_feed.py", 1, path);
    assert_true(oracle_read(&o));
    assert_string_equal(o.line, "calendar " NAME);
    for (size_t i = 0; i < spans.count; i++) {
        char wanted[256];
        int64_t begin_s = spans.items[i].begin_ms / 1000, end_s = (spans.items[i].end_ms + 999) / 1000;
        snprintf(wanted, sizeof wanted,
            "%" PRId64 "000 %" PRId64 "000 nmr-400-%" PRId64 "@jiashan.example.org 占用 Busy", begin_s, end_s,
            begin_s);
        assert_true(oracle_read(&o));
        assert_string_equal(o.line, wanted);
    }
    assert_false(oracle_read(&o));
    oracle_close(&o, 201);
    unlink(path);
    buf_release(&feed);
    busy_list_release(&spans);
}

static void test_our_reader_finds_what_was_written_and_the_same_state_the_same_text(void **state)
{
    (void)state;
    struct busy_list spans = some_spans();
    for (size_t i = 0; i < spans.count; i++) { /* to whole seconds, which is what a feed can say */
        spans.items[i].begin_ms -= spans.items[i].begin_ms % 1000;
        spans.items[i].end_ms += 999 - (spans.items[i].end_ms + 999) % 1000;
    }
    busy_list_merge(&spans);
    struct buf feed = feed_of(&spans, 1000), again = feed_of(&spans, 1000);
    assert_string_equal(feed.data, again.data);
    struct busy horizon = {0, INT64_C(1) << 50};
    struct ical_reading reading;
    struct error err;
    assert_int_equal(ical_read((struct span){feed.data, feed.len},
                         &(struct ical_read_options){"feed", NULL, horizon}, &reading, &err),
        ST_OK);
    assert_true(reading.is_whole && reading.problem_count == 0 && reading.event_count == spans.count);
    assert_true(busy_list_is_equal(&reading.busy, &spans));
    ical_reading_release(&reading);
    buf_release(&feed);
    buf_release(&again);
    busy_list_release(&spans);

    struct busy_list nothing = {0};
    feed = feed_of(&nothing, 1000);
    assert_int_equal(ical_read((struct span){feed.data, feed.len},
                         &(struct ical_read_options){"feed", NULL, horizon}, &reading, &err),
        ST_OK);
    assert_true(reading.is_whole && reading.event_count == 0);
    ical_reading_release(&reading);
    buf_release(&feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_program_reads_what_we_wrote),
        cmocka_unit_test(test_our_reader_finds_what_was_written_and_the_same_state_the_same_text),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
