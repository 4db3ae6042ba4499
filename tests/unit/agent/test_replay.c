/* agent/replay with a deliver thread that only remembers: this program's deliver_* functions take the
 * library's place. */
#include "agent/replay.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct {
    int64_t put, first_time_ms, last_time_ms, refuse_at, refusals;
    uint32_t last_point;
    int empty_after;
    bool has_failed;
} fake;

bool deliver_put_patiently(struct deliver *d, const struct spool_reading *reading, int64_t deadline_mono_ms)
{
    (void)d, (void)deadline_mono_ms;
    if (fake.has_failed || (fake.put == fake.refuse_at && fake.refusals > 0)) {
        fake.refusals--;
        return false;
    }
    if (fake.put++ == 0)
        fake.first_time_ms = reading->time_ms;
    fake.last_time_ms = reading->time_ms;
    fake.last_point = reading->point;
    return true;
}

bool deliver_wait_empty(struct deliver *d, int64_t deadline_mono_ms)
{
    (void)d, (void)deadline_mono_ms;
    return fake.empty_after-- <= 0;
}

void deliver_progress(struct deliver *d, struct deliver_progress *ret)
{
    (void)d;
    *ret = (struct deliver_progress){0};
}

bool deliver_has_failed(struct deliver *d, struct error *ret)
{
    (void)d;
    if (fake.has_failed)
        error_set(ret, ST_STORAGE, "the disk is broken");
    return fake.has_failed;
}

static int stop_after = -1;

static bool should_stop(void)
{
    return stop_after >= 0 && stop_after-- == 0;
}

static struct replay_point points[] = {
    {"lab.session", READING_STATE, 0}, {"b3.power", READING_GAUGE, 1}, {"b3", READING_REGISTER, 2}};
static char folder[] = "/tmp/parkmon-test-replay-XXXXXX";

static void parse_good(const char *row, struct spool_reading *ret, char *line, size_t size)
{
    struct error err;
    snprintf(line, size, "%s", row);
    if (replay_parse(line, points, 3, ret, &err) != ST_OK)
        fail_msg("%s", err.text);
}

static void test_rows_of_every_kind(void **state)
{
    (void)state;
    struct spool_reading r;
    char line[200];
    parse_good("b3,123456780,1764000000123\n", &r, line, sizeof line);
    assert_int_equal(r.point, 2);
    assert_int_equal(r.kind, READING_REGISTER);
    assert_int_equal(r.count, 123456780);
    assert_int_equal(r.time_ms, INT64_C(1764000000123));
    assert_int_equal(r.quality, QUALITY_GOOD);
    parse_good("b3.power,-1.5e3,2026-10-01T08:00:00+08:00\r\n", &r, line, sizeof line);
    assert_int_equal(r.point, 1);
    assert_true(r.value == -1500);
    assert_int_equal(r.time_ms, INT64_C(1790812800000));
    parse_good("lab.session,open, with a comma,1764000000123", &r, line, sizeof line);
    assert_int_equal(r.point, 0);
    assert_string_equal(r.text, "open, with a comma");
    parse_good("b3,-1000000000000000,1\n", &r, line, sizeof line);
    assert_int_equal(r.count, -REGISTER_MAX);
}

static void test_what_is_wrong_with_a_row_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *row, *part;
    } wrong[] = {{"b3", "is not a row; expected point,value,time"}, {"b3,5", "is not a row"},
        {"b4,5,1764000000123", "point \"b4\" is not in the settings"}, {",5,1764000000123", "point \"\""},
        {"b3,5.5,1764000000123", "not a register"}, {"b3,,1764000000123", "not a register"},
        {"b3, 5,1764000000123", "not a register"}, {"b3,1000000000000001,1764000000123", "not a register"},
        {"b3,99999999999999999999,1764000000123", "not a register"},
        {"b3.power,nan,1764000000123", "not a number"}, {"b3.power,1e999,1764000000123", "not a number"},
        {"b3.power,12W,1764000000123", "not a number"}, {"b3,5,", "not a time"}, {"b3,5,0", "not a time"},
        {"b3,5,-3", "not a time"}, {"b3,5,9007199254740992", "not a time"}, {"b3,5,2026-10-01", "not a time"},
        {"b3,5,2026-10-01T08:00:00", "not a time"}, {"b3,5,1970-01-01T00:00:00Z", "not a time"},
        {"b3,5,1764000000123 ", "not a time"},
        {"lab.session,a\tb,1764000000123", "text of at most 256 bytes"},
        {"lab.session,\xff,1764000000123", "text of at most 256 bytes"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char line[200];
        struct spool_reading r;
        struct error err = {""};
        snprintf(line, sizeof line, "%s", wrong[i].row);
        assert_int_equal(replay_parse(line, points, 3, &r, &err), ST_INVALID);
        if (strstr(err.text, wrong[i].part) == NULL)
            fail_msg("%s: %s", wrong[i].row, err.text);
    }
    char line[400] = "lab.session,";
    memset(line + strlen(line), 'x', STATE_TEXT_MAX + 1);
    strcat(line, ",1764000000123");
    struct spool_reading r;
    struct error err;
    assert_int_equal(replay_parse(line, points, 3, &r, &err), ST_INVALID);
}

/* ---- files ---- */

static char *write_csv(const char *text, size_t len)
{
    char *path = mem_printf("%s/a.csv", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    fclose(f);
    return path;
}

/* Replays a file of this text; what it printed to stderr is in `ret_said`. */
static enum status replay(const char *text, size_t len, char ret_said[static 4096], struct error *err)
{
    char *path = write_csv(text, len), *log = mem_printf("%s/stderr", folder);
    fflush(stderr);
    int before = dup(2), fd = open(log, O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(fd, 2);
    enum status status = replay_file(path, points, 3, NULL, &clock_system, should_stop, err);
    fflush(stderr);
    dup2(before, 2);
    close(before);
    ssize_t got = pread(fd, ret_said, 4095, 0);
    ret_said[got > 0 ? got : 0] = '\0';
    close(fd);
    free(path);
    free(log);
    return status;
}

static int set_up(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    stop_after = -1;
    return 0;
}

static const char good[] =
    "point,value,time\n# a comment\n\nb3,1,1764000000001\r\nb3,2,1764000000002\nb3.power,3,1764000000003";

static void test_a_good_file_is_put_in_order(void **state)
{
    (void)state;
    char said[4096];
    struct error err;
    assert_int_equal(replay(good, sizeof good - 1, said, &err), ST_OK);
    assert_int_equal(fake.put, 3);
    assert_int_equal(fake.first_time_ms, INT64_C(1764000000001));
    assert_int_equal(fake.last_time_ms, INT64_C(1764000000003));
    assert_non_null(strstr(said, "3 rows, all acknowledged"));
    assert_null(strchr(said, '\r')); /* no progress where there is no terminal */
}

static void test_every_mistake_is_named_and_nothing_is_sent(void **state)
{
    (void)state;
    static const char text[] =
        "b3,1,1764000000001\nb9,1,1764000000001\nb3,x,1764000000001\nb3,1\0,1764000000001\nb3,2,17x\n";
    char said[4096];
    struct error err;
    assert_int_equal(replay(text, sizeof text - 1, said, &err), ST_INVALID);
    assert_int_equal(fake.put, 0);
    assert_non_null(strstr(said, "a.csv:2: point \"b9\""));
    assert_non_null(strstr(said, "a.csv:3: \"x\" is not a register"));
    assert_non_null(strstr(said, "a.csv:4: the line holds a NUL byte"));
    assert_non_null(strstr(said, "a.csv:5: \"17x\" is not a time"));
    assert_null(strstr(said, "a.csv:1:"));
    assert_non_null(strstr(err.text, "4 of its rows are wrong; nothing was sent"));
}

static void test_a_line_without_end_is_a_mistake_and_takes_no_memory(void **state)
{
    (void)state;
    size_t size = 20 * 1024 * 1024;
    char *text = mem_alloc(size);
    memset(text, 'x', size);
    memcpy(text + size - 22, "\nb3,x,1764000000001\nb3", 22);
    char said[4096];
    struct error err;
    assert_int_equal(replay(text, size, said, &err), ST_INVALID);
    free(text);
    assert_non_null(strstr(said, "a.csv:1: the line is longer than 4096 bytes; expected point,value,time"));
    assert_non_null(strstr(said, "a.csv:2: \"x\" is not a register"));
    assert_non_null(strstr(said, "a.csv:3: \"b3\" is not a row"));
    assert_int_equal(fake.put, 0);
}

static void test_a_file_that_begins_with_a_byte_order_mark_is_read(void **state)
{
    (void)state;
    static const char text[] = "\xef\xbb\xbfpoint,value,time\nb3,1,1764000000001\n";
    char said[4096];
    struct error err;
    assert_int_equal(replay(text, sizeof text - 1, said, &err), ST_OK);
    assert_int_equal(fake.put, 1);
}

static void test_it_waits_where_the_spool_is_full(void **state)
{
    (void)state;
    char said[4096];
    struct error err;
    fake.refuse_at = 1;
    fake.refusals = 5;
    assert_int_equal(replay(good, sizeof good - 1, said, &err), ST_OK);
    assert_int_equal(fake.put, 3);
}

static void test_it_ends_only_when_all_is_acknowledged(void **state)
{
    (void)state;
    char said[4096];
    struct error err;
    fake.empty_after = 7;
    assert_int_equal(replay(good, sizeof good - 1, said, &err), ST_OK);
    assert_int_equal(fake.empty_after, -1);
}

static void test_a_signal_ends_it_while_it_waits_for_room(void **state)
{
    (void)state;
    char said[4096];
    struct error err;
    fake.refuse_at = 1;
    fake.refusals = 1000000;
    stop_after = 3;
    assert_int_equal(replay(good, sizeof good - 1, said, &err), ST_TIMEOUT);
    assert_int_equal(fake.put, 1);
    assert_non_null(strstr(err.text, "may be replayed again"));
}

static void test_a_signal_ends_it_while_it_waits_for_acknowledgements(void **state)
{
    (void)state;
    char said[4096];
    struct error err;
    fake.empty_after = 1000000;
    stop_after = 3;
    assert_int_equal(replay(good, sizeof good - 1, said, &err), ST_TIMEOUT);
    assert_int_equal(fake.put, 3);
}

static void test_a_signal_ends_it_in_the_middle_of_a_long_file(void **state)
{
    (void)state;
    struct buf text = {0};
    for (int i = 0; i < 50000; i++)
        buf_printf(&text, "b3,%d,%d\n", i, i + 1);
    char said[4096];
    struct error err;
    stop_after = 2;
    assert_int_equal(replay(text.data, text.len, said, &err), ST_TIMEOUT);
    assert_true(fake.put > 0 && fake.put < 50000);
    buf_release(&text);
}

static void test_a_disk_that_fails_ends_it(void **state)
{
    (void)state;
    char said[4096];
    struct error err;
    fake.has_failed = true;
    assert_int_equal(replay(good, sizeof good - 1, said, &err), ST_STORAGE);
    assert_string_equal(err.text, "the disk is broken");
}

static void test_what_cannot_be_read_twice_is_refused(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(
        replay_file("/none/a.csv", points, 3, NULL, &clock_system, should_stop, &err), ST_INVALID);
    assert_non_null(strstr(err.text, "/none/a.csv: No such file"));
    char *pipe = mem_printf("%s/pipe", folder);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    const char *const paths[] = {pipe, "/dev/zero", folder};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_int_equal(
            replay_file(paths[i], points, 3, NULL, &clock_system, should_stop, &err), ST_INVALID);
        assert_non_null(strstr(err.text, ": is not a regular file; expected a CSV file"));
    }
    assert_int_equal(fake.put, 0);
    free(pipe);
}

static void test_finding_a_point_does_not_take_longer_with_more_of_them(void **state)
{
    (void)state;
    enum { MANY = 4000, ROWS = 40000 };
    struct replay_point *many = mem_alloc(MANY * sizeof *many);
    for (uint32_t i = 0; i < MANY; i++)
        many[i] = (struct replay_point){mem_printf("p%u", i * 7919 % MANY), READING_REGISTER, i};
    replay_sort_points(many, MANY);
    struct timespec begin, end;
    int64_t spent_us[2];
    for (int round = 0; round < 2; round++) {
        size_t count = round == 0 ? 4 : MANY;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
        for (int i = 0; i < ROWS; i++) {
            char line[64];
            struct spool_reading r;
            struct error err;
            const struct replay_point *wanted = &many[(size_t)i % count];
            snprintf(line, sizeof line, "%s,%d,1764000000001", wanted->name, i);
            assert_int_equal(replay_parse(line, many, count, &r, &err), ST_OK);
            assert_int_equal(r.point, wanted->index);
        }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
        spent_us[round] = (end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000;
    }
    assert_true(spent_us[1] < 10 * spent_us[0] + 10000);
    for (size_t i = 0; i < MANY; i++)
        free((char *)many[i].name);
    free(many);
}

static int make_folder(void **state)
{
    (void)state;
    replay_sort_points(points, 3);
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void test_a_reading_of_the_future_is_a_mistake_of_the_file(void **state)
{
    (void)state;
    static const char text[] = "b3,1,1764000000000\nb3,2,4102444800000\n";
    char said[4096];
    struct error err;
    assert_int_equal(replay(text, sizeof text - 1, said, &err), ST_INVALID);
    assert_non_null(strstr(said, "a.csv:2: its time lies ahead"));
    assert_null(strstr(said, "a.csv:1:"));
    assert_int_equal(fake.put, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_of_every_kind),
        cmocka_unit_test(test_what_is_wrong_with_a_row_is_said),
        cmocka_unit_test_setup(test_a_good_file_is_put_in_order, set_up),
        cmocka_unit_test_setup(test_every_mistake_is_named_and_nothing_is_sent, set_up),
        cmocka_unit_test_setup(test_a_line_without_end_is_a_mistake_and_takes_no_memory, set_up),
        cmocka_unit_test_setup(test_a_file_that_begins_with_a_byte_order_mark_is_read, set_up),
        cmocka_unit_test_setup(test_a_reading_of_the_future_is_a_mistake_of_the_file, set_up),
        cmocka_unit_test_setup(test_it_waits_where_the_spool_is_full, set_up),
        cmocka_unit_test_setup(test_it_ends_only_when_all_is_acknowledged, set_up),
        cmocka_unit_test_setup(test_a_signal_ends_it_while_it_waits_for_room, set_up),
        cmocka_unit_test_setup(test_a_signal_ends_it_while_it_waits_for_acknowledgements, set_up),
        cmocka_unit_test_setup(test_a_signal_ends_it_in_the_middle_of_a_long_file, set_up),
        cmocka_unit_test_setup(test_a_disk_that_fails_ends_it, set_up),
        cmocka_unit_test_setup(test_what_cannot_be_read_twice_is_refused, set_up),
        cmocka_unit_test(test_finding_a_point_does_not_take_longer_with_more_of_them),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
