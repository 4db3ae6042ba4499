/* Calendars by file and by URL, against serve_calendars.py. */
#include "collector/calendars/calendar_source.h"
#include "lib/clock.h"
#include "lib/http_client.h"
#include "tests/unit/collector/calendar_server.h"

#include <fcntl.h>
#include <sys/stat.h>

#define NOW INT64_C(1795939200000) /* 2026-11-29T08:00:00Z */
#define MINUTE INT64_C(60000)

static struct calendar_source *source_of(const char *path, const char *user, const char *password)
{
    char *url = mem_printf("http://127.0.0.1:%d%s", calendar_server_port, path);
    struct calendar_source *s;
    struct error err = {""};
    struct calendar_source_options options = {
        .id = "nmr", .url = url, .user = user, .password = password, .timeout_ms = 700};
    if (calendar_source_create(&options, &s, &err) != ST_OK)
        fail_msg("%s", err.text);
    free(url);
    return s;
}

static void check_read(struct calendar_source *s, int64_t now_ms)
{
    struct ical_reading reading;
    struct error err = {""};
    if (calendar_source_try(s, now_ms, &reading, &err) != CALENDAR_READ)
        fail_msg("not read: %s", err.text);
    assert_int_equal(reading.busy.count, 1);
    assert_int_equal(reading.busy.items[0].begin_ms, INT64_C(1796025600000));
    assert_int_equal(reading.busy.items[0].end_ms, INT64_C(1796029200000));
    ical_reading_release(&reading);
}

static void check_same(struct calendar_source *s, int64_t now_ms)
{
    struct ical_reading reading;
    assert_int_equal(calendar_source_try(s, now_ms, &reading, NULL), CALENDAR_SAME);
}

static void check_failed(struct calendar_source *s, int64_t now_ms, const char *words)
{
    struct ical_reading reading;
    struct error err = {""};
    assert_int_equal(calendar_source_try(s, now_ms, &reading, &err), CALENDAR_FAILED);
    if (strstr(err.text, words) == NULL || strncmp(err.text, "calendar nmr: ", 14) != 0 ||
        strchr(err.text, '\n') != NULL)
        fail_msg("\"%s\"; expected \"%s\" in it", err.text, words);
}

static void test_an_answer_that_did_not_change_is_not_sent_again(void **state)
{
    (void)state;
    static const char *const paths[] = {"/etag", "/modified"};
    for (size_t i = 0; i < 2; i++) {
        struct calendar_source *s = source_of(paths[i], NULL, NULL);
        check_read(s, NOW);
        check_same(s, NOW + MINUTE);
        check_same(s, NOW + CALENDAR_AGAIN_MS - 1);
        check_read(s, NOW + CALENDAR_AGAIN_MS); /* the horizon went on */
        check_same(s, NOW + CALENDAR_AGAIN_MS + MINUTE);
        check_read(s, NOW); /* a clock that was set back */
        calendar_source_destroy(s);
    }
}

static void test_what_was_broken_off_is_asked_for_as_a_whole_again(void **state)
{
    (void)state;
    struct calendar_source *s = source_of("/cut", NULL, NULL);
    for (int i = 0; i < 2; i++) {
        struct ical_reading reading;
        assert_int_equal(calendar_source_try(s, NOW + i, &reading, NULL), CALENDAR_READ);
        assert_false(reading.is_whole);
        ical_reading_release(&reading);
    }
    calendar_source_destroy(s);
}

static void test_each_failure_is_one_line_that_names_no_path(void **state)
{
    (void)state;
    static const struct {
        const char *path, *words;
    } cases[] = {
        {"/secret-address.ics", "answered with code 404; expected 200"},
        {"/login-page", "answer of type \"text/html\":1: not a calendar; expected BEGIN:VCALENDAR"},
        {"/always-304", "answered with code 304; expected 200"},
        {"/silent", "timed out"},
        {"/large", "the answer has more than 8388608 bytes"},
        {"/loop", "redirects"},
        {"/to-file", "Protocol \"file\""},
        {"/user", "answered with code 401"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct calendar_source *s = source_of(cases[i].path, NULL, NULL);
        check_failed(s, NOW, cases[i].words);
        struct ical_reading reading;
        struct error err = {""};
        calendar_source_try(s, NOW, &reading, &err);
        assert_null(strstr(err.text, cases[i].path));
        calendar_source_destroy(s);
    }
}

static void test_an_answer_without_end_is_given_up_at_the_limit(void **state)
{
    (void)state;
    char *url = mem_printf("http://127.0.0.1:%d", calendar_server_port);
    struct http_client *c = http_client_create(&(struct http_client_options){
        .url = url, .connect_timeout_ms = 2000, .timeout_ms = 60000, .answer_max = 1 << 20});
    struct http_answer answer = {0};
    struct error err = {""};
    int64_t begun_ms = clock_system.mono_ms();
    assert_int_equal(http_get(c, "/endless", &answer, &err), ST_FULL);
    assert_true(clock_system.mono_ms() - begun_ms < 50000);
    assert_int_equal(answer.body.len, 0);
    assert_true(answer.body.cap <= 4 << 20);
    assert_non_null(strstr(err.text, "the answer has more than 1048576 bytes"));
    buf_release(&answer.body);
    http_client_destroy(c);
    free(url);
}

static void test_a_redirect_and_a_password_are_followed_and_sent(void **state)
{
    (void)state;
    struct calendar_source *s = source_of("/moved", NULL, NULL);
    check_read(s, NOW);
    calendar_source_destroy(s);
    s = source_of("/user", "lab", "s:crt");
    check_read(s, NOW);
    calendar_source_destroy(s);
}

static void test_a_url_is_one_of_http_without_a_user(void **state)
{
    (void)state;
    static const char *const bad[] = {"ftp://host/x", "host/x", "http://", "https:///x",
        "http://lab:secret@host/x", "http://host/x\ny", "file:///etc/passwd", ""};
    struct calendar_source *s;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error err = {""};
        struct calendar_source_options options = {.id = "nmr", .url = bad[i], .timeout_ms = 100};
        assert_int_equal(calendar_source_create(&options, &s, &err), ST_INVALID);
        assert_null(strstr(err.text, "secret"));
    }
    struct calendar_source_options both = {.id = "nmr", .url = "http://host", .path = "x", .timeout_ms = 100};
    assert_int_equal(calendar_source_create(&both, &s, NULL), ST_INVALID);
    struct calendar_source_options neither = {.id = "nmr", .timeout_ms = 100};
    assert_int_equal(calendar_source_create(&neither, &s, NULL), ST_INVALID);
}

/* ---- files ---- */

static char folder[] = "/tmp/parkmon-test-calendar-XXXXXX";

static char *in_folder(const char *name)
{
    return mem_printf("%s/%s", folder, name);
}

/* Written beside, dated, and renamed. */
static void replace(const char *path, const char *hour, int64_t changed_ms)
{
    char *beside = in_folder("new");
    FILE *out = fopen(beside, "w");
    assert_non_null(out);
    fprintf(out,
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20261130T%s0000Z\nDURATION:PT1H\nEND:VEVENT\nEND:"
        "VCALENDAR\n",
        hour);
    fclose(out);
    struct timespec times[2] = {{changed_ms / 1000, 0}, {changed_ms / 1000, 0}};
    assert_int_equal(utimensat(AT_FDCWD, beside, times, 0), 0);
    assert_int_equal(rename(beside, path), 0);
    free(beside);
}

/* What was read before does not stand for what cannot be read now, however often it is looked at. */
static void expect_no_calendar_fails_twice(struct calendar_source *s, const char *path, int64_t now_ms)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("no calendar\n", out);
    fclose(out);
    struct timespec times[2] = {{(now_ms - 10 * MINUTE) / 1000, 0}, {(now_ms - 10 * MINUTE) / 1000, 0}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    check_failed(s, now_ms, "expected BEGIN:VCALENDAR");
    check_failed(s, now_ms + 1000, "expected BEGIN:VCALENDAR");
}

static void test_a_file_is_read_when_it_was_replaced(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    char *path = in_folder("nmr.ics");
    struct calendar_source *s;
    struct calendar_source_options options = {.id = "nmr", .path = path, .timeout_ms = 100};
    assert_int_equal(calendar_source_create(&options, &s, NULL), ST_OK);
    assert_true(calendar_source_is_file(s));
    check_failed(s, NOW, "nmr.ics: No such file");
    replace(path, "08", NOW - 10 * MINUTE);
    check_read(s, NOW);
    check_same(s, NOW + MINUTE);
    struct ical_reading reading;
    replace(path, "09", NOW - 10 * MINUTE); /* the same size and time: another file */
    assert_int_equal(calendar_source_try(s, NOW + MINUTE, &reading, NULL), CALENDAR_READ);
    assert_int_equal(reading.busy.items[0].begin_ms, INT64_C(1796029200000));
    ical_reading_release(&reading);
    replace(path, "08", NOW + 2 * MINUTE);
    check_read(s, NOW + 2 * MINUTE); /* changed just now: is read again */
    check_read(s, NOW + 2 * MINUTE + 1000);
    check_read(s, NOW + 3 * MINUTE);
    check_same(s, NOW + 4 * MINUTE);
    check_read(s, NOW + 3 * MINUTE + CALENDAR_AGAIN_MS);
    expect_no_calendar_fails_twice(s, path, NOW + 4 * MINUTE + CALENDAR_AGAIN_MS);
    assert_int_equal(truncate(path, 50 << 20), 0);
    check_failed(s, NOW + 2 * CALENDAR_AGAIN_MS, "8388608");
    check_failed(s, NOW + 2 * CALENDAR_AGAIN_MS, "8388608"); /* what failed is not "the same" */
    unlink(path);
    check_failed(s, NOW + 2 * CALENDAR_AGAIN_MS, "No such file");
    assert_int_equal(mkfifo(path, 0600), 0);
    check_failed(s, NOW + 2 * CALENDAR_AGAIN_MS, "nmr.ics: ");
    unlink(path);
    calendar_source_destroy(s);
    calendar_source_destroy(NULL);
    free(path);
    rmdir(folder);
}

int main(void)
{
    unsetenv("http_proxy");
#define TEST(name) cmocka_unit_test_setup_teardown(name, calendar_server_start, calendar_server_stop)
    const struct CMUnitTest tests[] = {
        TEST(test_an_answer_that_did_not_change_is_not_sent_again),
        TEST(test_what_was_broken_off_is_asked_for_as_a_whole_again),
        TEST(test_each_failure_is_one_line_that_names_no_path),
        TEST(test_an_answer_without_end_is_given_up_at_the_limit),
        TEST(test_a_redirect_and_a_password_are_followed_and_sent),
        cmocka_unit_test(test_a_url_is_one_of_http_without_a_user),
        cmocka_unit_test(test_a_file_is_read_when_it_was_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
