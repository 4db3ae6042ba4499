/* Many calendars at once, of which some never answer. */
#include "collector/calendars/calendar_fetcher.h"
#include "lib/thread.h"
#include "tests/unit/collector/calendar_server.h"

#define SILENT 6
#define COUNT (SILENT + 3) /* the silent come first */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken;
static int results;

static void on_result(void *user_data)
{
    (void)user_data;
    pthread_mutex_lock(&lock);
    results++;
    pthread_cond_broadcast(&woken);
    pthread_mutex_unlock(&lock);
}

/* Waits for a result that was not seen yet. */
static void wait_for_result(int *seen, int64_t deadline_mono_ms)
{
    pthread_mutex_lock(&lock);
    while (results == *seen && clock_system.mono_ms() < deadline_mono_ms)
        thread_wait_until(&woken, &lock, deadline_mono_ms);
    *seen = results;
    pthread_mutex_unlock(&lock);
}

static struct calendar_source *source_of(int i, int timeout_ms, int64_t period_ms)
{
    static const char *const paths[] = {"/etag", "/modified", "/404"};
    char *url = i < SILENT ? mem_printf("http://127.0.0.1:%d/silent%d", calendar_server_port, i)
                           : mem_printf("http://127.0.0.1:%d%s", calendar_server_port, paths[i - SILENT]);
    struct calendar_source *s;
    struct calendar_source_options options = {
        .id = "x", .url = url, .timeout_ms = timeout_ms, .period_ms = period_ms};
    assert_int_equal(calendar_source_create(&options, &s, NULL), ST_OK);
    free(url);
    return s;
}

struct fetching {
    struct calendar_source *sources[COUNT];
    struct calendar_fetcher *fetcher;
};

static void fetching_start(struct fetching *x, int timeout_ms, int threads, int64_t period_ms)
{
    for (int i = 0; i < COUNT; i++)
        x->sources[i] = source_of(i, timeout_ms, period_ms);
    x->fetcher = calendar_fetcher_create(&(struct calendar_fetcher_options){.sources = x->sources,
        .count = COUNT,
        .threads = threads,
        .clock = &clock_system,
        .on_result = on_result});
    calendar_fetcher_start(x->fetcher);
}

static void fetching_stop(struct fetching *x)
{
    calendar_fetcher_stop(x->fetcher);
    calendar_fetcher_destroy(x->fetcher);
    for (int i = 0; i < COUNT; i++)
        calendar_source_destroy(x->sources[i]);
}

/* Each silent one holds its thread for 2 s. Those that answer are asked every 100 ms all the while. */
static void test_calendars_that_never_answer_cost_the_others_nothing(void **state)
{
    (void)state;
    struct fetching x;
    int seen = 0, same = 0, timed_out = 0, reads = 0, refused = 0;
    fetching_start(&x, 2000, SILENT + 3, 100);
    int64_t deadline_ms = clock_system.mono_ms() + 60000, first_timeout_ms = 0;
    while ((same < 20 || timed_out < SILENT || refused == 0) && clock_system.mono_ms() < deadline_ms) {
        struct calendar_result r;
        while (calendar_fetcher_take(x.fetcher, &r)) {
            bool is_silent = r.source < SILENT;
            assert_true(!is_silent || (!r.has_reading && r.same_ms == 0 && r.problem[0] != '\0'));
            timed_out += is_silent;
            if (is_silent && first_timeout_ms == 0) {
                first_timeout_ms = r.tried_ms;
                assert_true(reads == 2); /* those that answer did so before anyone timed out */
            }
            reads += r.has_reading;
            same += r.same_ms != 0;
            refused += r.source == SILENT + 2 && strstr(r.problem, "404") != NULL;
            calendar_result_release(&r);
        }
        wait_for_result(&seen, deadline_ms);
    }
    assert_true(same >= 20 && timed_out >= SILENT && refused > 0);
    assert_int_equal(reads, 2);
    fetching_stop(&x);
}

/* With two threads the silent ones share one of them; the other is for those that answer. */
static void test_one_thread_is_kept_for_those_that_answer(void **state)
{
    (void)state;
    struct fetching x;
    int seen = results, same = 0, timed_out = 0;
    int64_t begun_ms = clock_system.mono_ms(), deadline_ms = begun_ms + 60000;
    fetching_start(&x, 300, 2, 50);
    while ((same < 40 || timed_out < 2 * SILENT) && clock_system.mono_ms() < deadline_ms) {
        struct calendar_result r;
        while (calendar_fetcher_take(x.fetcher, &r)) {
            same += r.same_ms != 0;
            timed_out += r.source < SILENT;
            calendar_result_release(&r);
        }
        wait_for_result(&seen, deadline_ms);
    }
    assert_true(same >= 40 && timed_out >= 2 * SILENT);
    /* One after the other: each takes 300 ms of the one thread that they may have. */
    assert_true(timed_out * INT64_C(300) <= clock_system.mono_ms() - begun_ms);
    fetching_stop(&x);
}

/* Nobody takes results: what was read is still there, with what came after it, and nothing grows. */
static void test_results_wait_for_whoever_takes_them(void **state)
{
    (void)state;
    struct fetching x;
    int seen = results;
    fetching_start(&x, 300, 4, 50);
    int64_t deadline_ms = clock_system.mono_ms() + 60000;
    for (int before = seen; seen < before + 60 && clock_system.mono_ms() < deadline_ms;)
        wait_for_result(&seen, deadline_ms);
    calendar_fetcher_stop(x.fetcher);
    struct calendar_result r;
    int taken = 0, with_both = 0;
    for (; calendar_fetcher_take(x.fetcher, &r); taken++) {
        with_both += r.has_reading && r.same_ms >= r.read_ms;
        calendar_result_release(&r);
    }
    assert_true(taken <= COUNT && with_both == 2);
    fetching_stop(&x);
}

static void test_stopping_does_not_wait_for_who_never_answers(void **state)
{
    (void)state;
    struct fetching x;
    int seen = results;
    fetching_start(&x, 60000, SILENT + 2, 100);
    wait_for_result(&seen, clock_system.mono_ms() + 30000);
    int64_t begun_ms = clock_system.mono_ms();
    fetching_stop(&x);
    assert_true(clock_system.mono_ms() - begun_ms < 20000);
    calendar_fetcher_destroy(NULL);
}

int main(void)
{
    unsetenv("http_proxy");
    thread_cond_init(&woken);
#define TEST(name) cmocka_unit_test_setup_teardown(name, calendar_server_start, calendar_server_stop)
    const struct CMUnitTest tests[] = {
        TEST(test_calendars_that_never_answer_cost_the_others_nothing),
        TEST(test_one_thread_is_kept_for_those_that_answer),
        TEST(test_results_wait_for_whoever_takes_them),
        TEST(test_stopping_does_not_wait_for_who_never_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
