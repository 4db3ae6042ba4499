/* The store's thread against a small server that answers by script and keeps what it accepted. */
#include "tests/unit/collector/fake_core.h"
#include "tests/unit/collector/fake_influx.h"

static int count_lines(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

/* ---- both together ---- */

struct scene {
    struct fake_core core;
    struct fake_influx influx;
};

static void scene_open(struct scene *s, script *answers)
{
    fake_core_open(&s->core);
    fake_influx_start(&s->influx, answers);
}

static void scene_start(struct scene *s, int body_lines, int timeout_ms)
{
    fake_core_start(&s->core,
        (struct store_options){.database = "park", .body_lines = body_lines, .timeout_ms = timeout_ms},
        s->influx.port);
}

/* The server gives no sign: this looks every few milliseconds, on a condition that nobody signals. */
static void look_again(struct scene *s)
{
    pthread_mutex_lock(&s->core.lock);
    thread_wait_until(&s->core.changed, &s->core.lock, clock_system.mono_ms() + 5);
    pthread_mutex_unlock(&s->core.lock);
}

static void wait_for_first_write(struct scene *s)
{
    int64_t deadline = clock_system.mono_ms() + DEADLINE_MS;
    while (s->influx.writes < 1 && clock_system.mono_ms() < deadline)
        look_again(s);
    assert_int_equal(s->influx.writes, 1);
}

static void scene_close(struct scene *s)
{
    store_stop(s->core.store);
    fake_influx_stop(&s->influx);
    buf_release(&s->influx.accepted);
    buf_release(&s->influx.query);
    fake_core_close(&s->core);
}

/* `batches` batches of 1 000 gauges with the values 0, 1, 2, ...; every `bad_every`-th line says so in its
 * point. */
static int64_t add_gauges(struct scene *s, int batches, int bad_every)
{
    int64_t id = 0;
    for (int b = 0; b < batches; b++) {
        struct buf lines = {0};
        for (int i = b * 1000; i < b * 1000 + 1000; i++)
            buf_printf(&lines, "gauge,point=%s value=%d %d\n",
                bad_every && i % bad_every == bad_every - 1 ? "bad" : "p", i, 1000 + i);
        id = fake_journal_add(&s->core.journal, 1, lines.data, NULL);
        buf_release(&lines);
    }
    return id;
}

/* Each value 0..count-1 was accepted, but those of the bad lines. Writing twice is allowed: it changes
 * nothing. */
static void assert_accepted(struct scene *s, int count, int bad_every)
{
    store_stop(s->core.store);
    fake_influx_stop(&s->influx);
    bool *is_seen = mem_zalloc((size_t)count);
    for (char *line = strtok(s->influx.accepted.data, "\n"); line; line = strtok(NULL, "\n")) {
        int time;
        assert_int_equal(sscanf(strrchr(line, ' '), "%d", &time), 1);
        assert_in_range(time, 1000, 1000 + count - 1);
        is_seen[time - 1000] = true;
    }
    for (int i = 0; i < count; i++)
        if (is_seen[i] == (bad_every && i % bad_every == bad_every - 1))
            fail_msg("line %d was %s", i, is_seen[i] ? "accepted" : "not accepted");
    free(is_seen);
}

/* ---- the scripts ---- */

#define CONFLICT "partial write: field type conflict: input field x dropped=1"

static int accept_all(int n, const char *body, const char **ret_error)
{
    (void)n, (void)body, (void)ret_error;
    return 204;
}

static int refuse_bad(int n, const char *body, const char **ret_error)
{
    (void)n;
    if (!strstr(body, "point=bad"))
        return 204;
    *ret_error = CONFLICT;
    return 400;
}

static int refuse_large(int n, const char *body, const char **ret_error)
{
    (void)n, (void)ret_error;
    return count_lines(body) > 700 ? 413 : 204;
}

static int busy_first(int n, const char *body, const char **ret_error)
{
    (void)body;
    if (n == 0)
        *ret_error = "timeout";
    return n == 0 ? 500 : n == 1 ? 503 : 204;
}

static int die_in_every_way(int n, const char *body, const char **ret_error)
{
    (void)body, (void)ret_error;
    static const int ways[] = {CUT, CUT_WRITTEN, CUT_PARTLY, 204, CUT_PARTLY};
    return n < 5 ? ways[n] : 204;
}

/* What is no fault of any line, as InfluxDB, a proxy, or something else in its place says it. */
static int fail_in_every_way(int n, const char *body, const char **ret_error)
{
    (void)body;
    static const struct {
        int code;
        const char *error;
    } ways[] = {{400, "unexpected EOF"}, {429, NULL}, {500, "timeout"}, {502, NULL}, {503, NULL}, {504, NULL},
        {408, NULL}};
    if (n >= 14 || n % 2 != 0) /* each after a success, so that it is tried again soon */
        return 204;
    *ret_error = ways[n / 2].error;
    return ways[n / 2].code;
}

static int busy_once(int n, const char *body, const char **ret_error)
{
    (void)body, (void)ret_error;
    return n == 0 ? 503 : 204;
}

static int hang_first(int n, const char *body, const char **ret_error)
{
    (void)body, (void)ret_error;
    return n == 0 ? HANG : 204;
}

static int hang(int n, const char *body, const char **ret_error)
{
    (void)n, (void)body, (void)ret_error;
    return HANG;
}

static int lose_policy(int n, const char *body, const char **ret_error)
{
    (void)body;
    if (n > 0)
        return 204;
    *ret_error = "retention policy not found: raw";
    return 500;
}

static int forbid(int n, const char *body, const char **ret_error)
{
    (void)n, (void)body, (void)ret_error;
    return 403;
}

static int expire(int n, const char *body, const char **ret_error)
{
    (void)body;
    if (n > 0)
        return 204;
    *ret_error = "partial write: points beyond retention policy dropped=400";
    return 400;
}

/* ---- the tests ---- */

static void test_journal_and_outbox_are_written_in_few_posts(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, accept_all);
    int64_t raw = add_gauges(&s, 10, 0);
    int64_t outbox = fake_journal_add_outbox(&s.core.journal, "gateway,gateway=a lost=0i 1000");
    scene_start(&s, 5000, 5000);
    fake_core_wait(&s.core, raw, outbox);
    assert_int_equal(s.influx.writes, 3);
    /* What is committed later is written when the core says so. */
    raw = add_gauges(&s, 1, 0);
    store_wake(s.core.store);
    fake_core_wait(&s.core, raw, outbox);
    struct store_status status = fake_core_status(&s.core);
    assert_int_equal(status.health, STORE_OK);
    assert_int_equal(status.accepted, 11001);
    assert_int_equal(status.raw_position, raw);
    assert_int_equal(s.core.total.reject_count, 0);
    assert_accepted(&s, 10000, 0);
    assert_string_equal(s.influx.query.data, "q=SHOW%20RETENTION%20POLICIES%20ON%20%22park%22");
    scene_close(&s);
}

static void test_one_bad_line_of_5000_is_found_in_few_posts(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, refuse_bad);
    int64_t raw = add_gauges(&s, 5, 3002);
    scene_start(&s, 5000, 5000);
    fake_core_wait(&s.core, raw, 0);
    assert_int_equal(s.core.total.reject_count, 1);
    const struct store_reject *reject = &s.core.total.rejects[0];
    assert_int_equal(reject->journal, 4);
    assert_int_equal(reject->line, 1);
    assert_string_equal(reject->content, "gauge,building=b1,gateway=gw-a,point=bad,site=s1 value=3001 4001");
    assert_string_equal(reject->reason, "answered 400: " CONFLICT);
    assert_in_range(s.influx.writes, 2, 30);
    struct store_status status = fake_core_status(&s.core);
    assert_int_equal(status.health, STORE_OK);
    assert_int_equal(status.rejected, 1);
    assert_int_equal(status.accepted, 4999);
    assert_accepted(&s, 5000, 3002);
    scene_close(&s);
}

static void test_many_bad_lines_end_too(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, refuse_bad);
    int64_t raw = add_gauges(&s, 1, 2);
    scene_start(&s, 5000, 5000);
    fake_core_wait(&s.core, raw, 0);
    assert_int_equal(s.core.total.reject_count, 500);
    assert_accepted(&s, 1000, 2);
    scene_close(&s);
}

static void test_a_body_too_large_is_halved_and_stays_small(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, refuse_large);
    int64_t raw = add_gauges(&s, 10, 0);
    scene_start(&s, 5000, 5000);
    fake_core_wait(&s.core, raw, 0);
    /* 5000, 2500, 1250 are refused; from then on the size is known, but for what was halved already. */
    assert_in_range(s.influx.writes, 16, 25);
    assert_int_equal(s.core.total.reject_count, 0);
    assert_accepted(&s, 10000, 0);
    scene_close(&s);
}

static void test_an_unavailable_store_loses_nothing(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, busy_first);
    int64_t raw = add_gauges(&s, 1, 0);
    scene_start(&s, 5000, 5000);
    fake_core_wait(&s.core, raw, 0);
    assert_int_equal(s.influx.writes, 3);
    assert_accepted(&s, 1000, 0);
    scene_close(&s);
}

static void test_the_store_is_left_alone_as_long_as_it_asks(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, busy_once);
    s.influx.retry_after_s = 3; /* the first pause by itself is at most 625 ms */
    int64_t raw = add_gauges(&s, 1, 0);
    int64_t began = clock_system.mono_ms();
    scene_start(&s, 5000, 5000);
    fake_core_wait(&s.core, raw, 0);
    assert_in_range(clock_system.mono_ms() - began, 3000, DEADLINE_MS);
    assert_int_equal(s.influx.writes, 2);
    scene_close(&s);
}

static void test_a_store_that_hangs_is_given_up_and_tried_again(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, hang_first);
    int64_t raw = add_gauges(&s, 1, 0);
    scene_start(&s, 5000, 300);
    fake_core_wait(&s.core, raw, 0);
    assert_int_equal(s.influx.writes, 2);
    assert_accepted(&s, 1000, 0);
    scene_close(&s);
}

static void test_a_policy_that_is_gone_is_looked_for_again(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, lose_policy);
    scene_start(&s, 5000, 5000);
    int64_t raw = add_gauges(&s, 1, 0);
    store_wake(s.core.store);
    fake_core_wait(&s.core, raw, 0);
    assert_int_equal(s.influx.queries, 2);
    assert_accepted(&s, 1000, 0);
    scene_close(&s);
}

static void test_a_refused_user_is_a_matter_of_configuration(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, forbid);
    add_gauges(&s, 1, 0);
    scene_start(&s, 5000, 5000);
    wait_for_first_write(&s);
    struct store_status status;
    int64_t deadline = clock_system.mono_ms() + DEADLINE_MS;
    while ((status = fake_core_status(&s.core)).health != STORE_CONFIGURATION &&
           clock_system.mono_ms() < deadline)
        look_again(&s);
    assert_int_equal(status.health, STORE_CONFIGURATION);
    assert_string_equal(status.text, "answered 403");
    assert_int_equal(status.raw_position, 0);
    int64_t began = clock_system.mono_ms();
    store_stop(s.core.store); /* in the middle of a pause */
    assert_in_range(clock_system.mono_ms() - began, 0, 1000);
    fake_core_take(&s.core);
    assert_int_equal(s.core.total.raw_position, 0);
    scene_close(&s);
}

static void test_stopping_does_not_wait_for_a_post(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, hang);
    add_gauges(&s, 1, 0);
    scene_start(&s, 5000, 60000);
    wait_for_first_write(&s);
    int64_t began = clock_system.mono_ms();
    store_stop(s.core.store);
    assert_in_range(clock_system.mono_ms() - began, 0, 2500);
    scene_close(&s);
}

/* What the program says goes to stderr: into a file while the test runs. */
static char *said_by(void (*run)(void))
{
    FILE *file = tmpfile();
    assert_non_null(file);
    int before = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    run();
    dup2(before, STDERR_FILENO);
    close(before);
    char *text = mem_zalloc(65536);
    rewind(file);
    size_t len = fread(text, 1, 65535, file);
    text[len] = '\0';
    fclose(file);
    return text;
}

static void write_too_old_and_then_new(void)
{
    struct scene s;
    scene_open(&s, expire);
    int64_t raw = add_gauges(&s, 1, 0);
    fake_core_start(&s.core,
        (struct store_options){
            .database = "park", .body_lines = 5000, .timeout_ms = 5000, .raw_retention_days = 400},
        s.influx.port);
    fake_core_wait(&s.core, raw, 0);
    assert_int_equal(s.core.total.expired, 400);
    assert_int_equal(s.core.total.reject_count, 0);
    struct store_status status = fake_core_status(&s.core);
    assert_int_equal(status.accepted, 600);
    assert_int_equal(status.expired, 400);
    raw = add_gauges(&s, 1, 0);
    store_wake(s.core.store);
    fake_core_wait(&s.core, raw, 0);
    assert_int_equal(s.influx.writes, 2);
    scene_close(&s);
}

static void test_lines_beyond_retention_are_counted_said_and_done_with(void **state)
{
    (void)state;
    char *said = said_by(write_too_old_and_then_new);
    assert_non_null(strstr(said, "400 readings (400 since start) are older than the 400 days that the store keeps such"));
    assert_non_null(strstr(said, "readings are within raw_retention again"));
    free(said);
}

static void test_a_store_that_dies_on_writes_loses_nothing(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, die_in_every_way);
    int64_t raw = add_gauges(&s, 6, 0);
    scene_start(&s, 3000, 5000);
    fake_core_wait(&s.core, raw, 0);
    assert_int_equal(s.core.total.reject_count, 0);
    assert_int_equal(s.influx.writes, 6);
    assert_int_equal(fake_core_status(&s.core).accepted, 6000); /* however often they were posted */
    assert_accepted(&s, 6000, 0);
    scene_close(&s);
}

static void test_no_status_code_drops_a_line(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, fail_in_every_way);
    int64_t raw = add_gauges(&s, 1, 0);
    scene_start(&s, 1, 5000); /* each line alone: none may be blamed */
    fake_core_wait(&s.core, raw, 0);
    assert_int_equal(s.core.total.reject_count, 0);
    assert_int_equal(s.core.total.expired, 0);
    assert_int_equal(fake_core_status(&s.core).health, STORE_OK);
    assert_int_equal(fake_core_status(&s.core).accepted, 1000);
    assert_accepted(&s, 1000, 0);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_journal_and_outbox_are_written_in_few_posts),
        cmocka_unit_test(test_one_bad_line_of_5000_is_found_in_few_posts),
        cmocka_unit_test(test_many_bad_lines_end_too),
        cmocka_unit_test(test_a_body_too_large_is_halved_and_stays_small),
        cmocka_unit_test(test_an_unavailable_store_loses_nothing),
        cmocka_unit_test(test_the_store_is_left_alone_as_long_as_it_asks),
        cmocka_unit_test(test_a_store_that_hangs_is_given_up_and_tried_again),
        cmocka_unit_test(test_a_policy_that_is_gone_is_looked_for_again),
        cmocka_unit_test(test_a_refused_user_is_a_matter_of_configuration),
        cmocka_unit_test(test_a_store_that_dies_on_writes_loses_nothing),
        cmocka_unit_test(test_no_status_code_drops_a_line),
        cmocka_unit_test(test_stopping_does_not_wait_for_a_post),
        cmocka_unit_test(test_lines_beyond_retention_are_counted_said_and_done_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
