#include "lib/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What was logged since the last call, without the time in front of each line. */
static FILE *capture;
static int true_stderr;

static int start_capture(void **state)
{
    (void)state;
    unsetenv("JOURNAL_STREAM");
    log_open(LOG_LEVEL_INFO);
    capture = tmpfile();
    true_stderr = dup(STDERR_FILENO);
    return capture != NULL && dup2(fileno(capture), STDERR_FILENO) >= 0 ? 0 : -1;
}

static int stop_capture(void **state)
{
    (void)state;
    fflush(stderr);
    dup2(true_stderr, STDERR_FILENO);
    close(true_stderr);
    return fclose(capture);
}

static char captured[4096];

static const char *logged(void)
{
    static char raw[4096];
    fflush(stderr);
    rewind(capture);
    size_t len = fread(raw, 1, sizeof raw - 1, capture);
    raw[len] = '\0';
    rewind(capture);
    assert_int_equal(ftruncate(fileno(capture), 0), 0);
    lseek(STDERR_FILENO, 0, SEEK_SET);
    captured[0] = '\0';
    for (char *line = strtok(raw, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        static const char shape[] = "0000-00-00T00:00:00.000Z ";
        if (strlen(line) > strlen(shape) && line[10] == 'T' && line[23] == 'Z')
            line += strlen(shape);
        strcat(strcat(captured, line), "\n");
    }
    return captured;
}

static void test_a_line_says_level_component_and_what(void **state)
{
    (void)state;
    log_error("db", "%s: disk full", "park.db");
    log_warn("mqtt", "no broker");
    log_info("agent", "%d points", 24);
    log_debug("agent", "not at this level");
    assert_string_equal(
        logged(), "ERROR db: park.db: disk full\nWARN  mqtt: no broker\nINFO  agent: 24 points\n");
}

static void test_the_level_is_a_limit(void **state)
{
    (void)state;
    log_open(LOG_LEVEL_ERROR);
    log_warn("a", "hidden");
    log_error("a", "shown");
    log_open(LOG_LEVEL_DEBUG);
    log_debug("a", "shown too");
    log_open(LOG_LEVEL_INFO);
    assert_string_equal(logged(), "ERROR a: shown\nDEBUG a: shown too\n");
}

static void test_control_characters_in_quoted_text_make_no_second_line(void **state)
{
    (void)state;
    log_warn("intake", "bad line \"%s\"", "a\nERROR b: forged\r\x1b[2J\x7f\t云");
    assert_string_equal(logged(), "WARN  intake: bad line \"a?ERROR b: forged??[2J??云\"\n");
}

static void test_a_text_of_any_length_is_one_line(void **state)
{
    (void)state;
    char *text = malloc(3001);
    assert_non_null(text);
    memset(text, 'x', 3000);
    text[3000] = '\0';
    log_info("a", "%s", text);
    const char *line = logged();
    assert_int_equal(strlen(line), strlen("INFO  a: ") + 1023 + 1);
    assert_int_equal(line[strlen(line) - 1], '\n');
    free(text);
}

static void test_under_systemd_a_line_begins_with_its_priority(void **state)
{
    (void)state;
    struct stat own;
    char stream[64];
    assert_int_equal(fstat(STDERR_FILENO, &own), 0);
    snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)own.st_dev, (uintmax_t)own.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_open(LOG_LEVEL_DEBUG);
    log_error("a", "1");
    log_warn("a", "2");
    log_info("a", "3");
    log_debug("a", "4");
    unsetenv("JOURNAL_STREAM");
    log_open(LOG_LEVEL_INFO);
    assert_string_equal(logged(), "<3>a: 1\n<4>a: 2\n<6>a: 3\n<7>a: 4\n");
}

static void test_a_journal_that_is_not_our_stderr_is_a_parents(void **state)
{
    (void)state;
    setenv("JOURNAL_STREAM", "8:1", 1);
    log_open(LOG_LEVEL_INFO);
    log_info("a", "1");
    unsetenv("JOURNAL_STREAM");
    assert_string_equal(logged(), "INFO  a: 1\n");
}

static void test_a_complaint_backs_off_to_an_hour(void **state)
{
    (void)state;
    static const int minutes[] = {1, 2, 4, 8, 16, 32, 60, 60};
    struct complaint c = {0};
    int64_t now_ms = 5000;
    complain(&c, now_ms, LOG_LEVEL_WARN, "poller", "unit %d: no answer", 7);
    assert_string_equal(logged(), "WARN  poller: unit 7: no answer\n");
    for (size_t i = 0; i < sizeof minutes / sizeof *minutes; i++) {
        int64_t next_ms = now_ms + minutes[i] * 60 * 1000;
        complain(&c, now_ms + 1, LOG_LEVEL_WARN, "poller", "unit 7: no answer");
        complain(&c, next_ms - 1, LOG_LEVEL_WARN, "poller", "unit 7: no answer");
        assert_string_equal(logged(), "");
        complain(&c, next_ms, LOG_LEVEL_WARN, "poller", "unit 7: no answer");
        assert_string_equal(
            logged(), "WARN  poller: unit 7: no answer (2 more times since the last such line)\n");
        now_ms = next_ms;
    }
}

static void test_recovery_is_said_once_and_only_after_a_complaint(void **state)
{
    (void)state;
    struct complaint c = {0};
    complaint_clear(&c, 1000, "poller", "unit 7: answers again");
    assert_string_equal(logged(), "");
    complain(&c, 1000, LOG_LEVEL_WARN, "poller", "unit 7: no answer");
    logged();
    complaint_clear(&c, 91000, "poller", "unit %d: answers again", 7);
    assert_string_equal(logged(), "INFO  poller: unit 7: answers again (after 90 s)\n");
    complaint_clear(&c, 92000, "poller", "unit 7: answers again");
    assert_string_equal(logged(), "");
    /* And the next failure is said at once, without the back-off of the last. */
    complain(&c, 92000, LOG_LEVEL_WARN, "poller", "unit 7: no answer");
    assert_string_equal(logged(), "WARN  poller: unit 7: no answer\n");
}

static void test_trouble_that_comes_and_goes_is_said_once_an_interval(void **state)
{
    (void)state;
    struct complaint c = {0};
    for (int64_t now_ms = 0; now_ms < 60000; now_ms += 2000) {
        complain(&c, now_ms, LOG_LEVEL_WARN, "poller", "late");
        complaint_clear(&c, now_ms + 1000, "poller", "on time");
    }
    assert_string_equal(logged(), "WARN  poller: late\nINFO  poller: on time (after 1 s)\n");
    complain(&c, 60000, LOG_LEVEL_WARN, "poller", "late");
    assert_string_equal(logged(), "WARN  poller: late (29 more times since the last such line)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_says_level_component_and_what),
        cmocka_unit_test(test_the_level_is_a_limit),
        cmocka_unit_test(test_control_characters_in_quoted_text_make_no_second_line),
        cmocka_unit_test(test_a_text_of_any_length_is_one_line),
        cmocka_unit_test(test_under_systemd_a_line_begins_with_its_priority),
        cmocka_unit_test(test_a_journal_that_is_not_our_stderr_is_a_parents),
        cmocka_unit_test(test_a_complaint_backs_off_to_an_hour),
        cmocka_unit_test(test_recovery_is_said_once_and_only_after_a_complaint),
        cmocka_unit_test(test_trouble_that_comes_and_goes_is_said_once_an_interval),
    };
    return cmocka_run_group_tests(tests, start_capture, stop_capture);
}
