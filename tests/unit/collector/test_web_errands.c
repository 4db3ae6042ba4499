/* What takes long beside what must not wait: over real sockets, with a core that answers when the test lets it. */
#include "tests/unit/collector/web_fixture.h"

#include "collector/web/errands.h"
#include "lib/thread.h"
#include "tests/unit/collector/made_up_token.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static int begun, let; /* how many decisions were asked for; how many the core may answer */
static char tokens[2][TOKEN_TEXT_SIZE], auditor[TOKEN_TEXT_SIZE];
static int64_t second_id;

static enum status decide_when_let(
    void *user_data, const struct deciding *request, struct deciding_effect *ret, struct error *err)
{
    (void)user_data;
    (void)request;
    (void)ret;
    pthread_mutex_lock(&mutex);
    int own = ++begun;
    pthread_cond_broadcast(&changed);
    int64_t deadline = clock_system.mono_ms() + WAIT_MS;
    while (let < own && clock_system.mono_ms() < deadline)
        thread_wait_until(&changed, &mutex, deadline);
    pthread_mutex_unlock(&mutex);
    return error_set(err, ST_INVALID, "the core has answered");
}

static void wait_begun(int count)
{
    int64_t deadline = clock_system.mono_ms() + WAIT_MS;
    pthread_mutex_lock(&mutex);
    while (begun < count && clock_system.mono_ms() < deadline)
        thread_wait_until(&changed, &mutex, deadline);
    int found = begun;
    pthread_mutex_unlock(&mutex);
    assert_int_equal(found, count);
}

static void let_all(int count)
{
    pthread_mutex_lock(&mutex);
    let = count;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static int set_up(void **state)
{
    thread_cond_init(&changed);
    decide = decide_when_let;
    int result = load(state);
    put_file("shell.html", "<main><!--content--></main>");
    put_file("zh-CN.json", "{\"not_now\": \"未更改\", \"report_busy\": \"已满\", \"try_again\": \"重试\"}");
    int64_t now_ms = clock_system.wall_ms();
    made_up_token(database, ROLE_OPERATOR, SCOPE_READINGS, now_ms, tokens[0]);
    second_id = made_up_token(database, ROLE_OPERATOR, SCOPE_READINGS, now_ms, tokens[1]);
    made_up_token(database, ROLE_AUDITOR, 0, now_ms, auditor);
    return result;
}

static int tear_down(void **state)
{
    for (int i = 0; i < 4; i++) {
        static const char *const names[] = {"", "-wal", "-shm", ".lock"};
        char *path = mem_printf("%s.access%s", database, names[i]);
        unlink(path);
        free(path);
    }
    return unload(state);
}

/* Each test begins with a listener of its own, and nothing let. */
static int restart(void **state)
{
    (void)state;
    struct error err;
    web_stop(web);
    begun = let = 0;
    return start("127.0.0.1", 0, database, &web, &err) == ST_OK ? 0 : -1;
}

static int begin(const char *what, const char *token, const char *type, const char *body)
{
    char *length = body[0] != '\0' ? mem_printf("Content-Length: %zu\r\n", strlen(body)) : mem_strdup("");
    char *request = mem_printf("%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                               "Accept-Language: zh-CN\r\nAuthorization: Bearer %s\r\n"
                               "Content-Type: %s\r\n%s\r\n%s",
        what, token, type, length, body);
    int fd = dial();
    say(fd, request, strlen(request));
    free(request);
    free(length);
    return fd;
}

static int enter_reading(const char *token)
{
    return begin("POST /api/v1/readings", token, "application/json",
        "{\"meter\": \"b2-hand\", \"at\": \"2026-09-01T00:00:00+08:00\", \"register\": 1, "
        "\"why\": \"read\"}");
}

static int fill_in_reading(const char *token)
{
    return begin("POST /ops/reading", token, "application/x-www-form-urlencoded",
        "meter=b2-hand&at=2026-09-01+00%3A00&register=4711&why=I+saw+it&step=confirm");
}

static int read_report(const char *path)
{
    char *what = mem_printf("GET %s", path);
    int fd = begin(what, auditor, "text/html", "");
    free(what);
    return fd;
}

static void expect_at(int fd, int code, const char *word)
{
    expect(hear(fd, NULL), code, word);
    close(fd);
}

static void test_what_takes_long_holds_nobody_up(void **state)
{
    (void)state;
    int fd = enter_reading(tokens[0]);
    wait_begun(1);
    expect(ask("GET", "/livez", ""), 200, "alive");
    expect(ask("GET", "/ops", ""), 200, "page");
    let_all(1);
    expect_at(fd, 422, "the core has answered");
}

static void test_of_more_than_may_wait_the_next_is_sent_away(void **state)
{
    (void)state;
    int fds[1 + ERRANDS_MAX];
    fds[0] = enter_reading(tokens[0]);
    wait_begun(1);
    for (int i = 1; i <= ERRANDS_MAX; i++) {
        fds[i] = enter_reading(tokens[0]);
        expect(ask("GET", "/livez", ""), 200, "alive"); /* so this one is in the queue */
    }
    int next = enter_reading(tokens[0]);
    expect_at(next, 503, "Retry-After: 5");
    let_all(1 + ERRANDS_MAX);
    for (int i = 0; i <= ERRANDS_MAX; i++)
        expect_at(fds[i], 422, "the core has answered");
    wait_begun(1 + ERRANDS_MAX);
}

/* Of reports, which there is no database for. */
static void fill_up(int fds[ERRANDS_PATIENT_MAX])
{
    for (int i = 0; i < ERRANDS_PATIENT_MAX; i++) {
        fds[i] = read_report("/audit/nowhere/2026");
        expect(ask("GET", "/livez", ""), 200, "alive");
    }
}

static bool is_answered(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void test_reports_that_wait_hold_up_nobody_who_decides(void **state)
{
    (void)state;
    int fds[ERRANDS_PATIENT_MAX], first = enter_reading(tokens[0]);
    wait_begun(1);
    fill_up(fds);
    expect_at(read_report("/audit/nowhere/2026"), 503, "Retry-After: 5");
    int second = enter_reading(tokens[0]);
    expect(ask("GET", "/livez", ""), 200, "alive");
    assert_false(is_answered(second));
    let_all(1);
    wait_begun(2);
    expect(ask("GET", "/livez", ""), 200, "alive");
    for (int i = 0; i < ERRANDS_PATIENT_MAX; i++)
        assert_false(is_answered(fds[i]));
    let_all(2);
    expect_at(first, 422, "the core has answered");
    expect_at(second, 422, "the core has answered");
    for (int i = 0; i < ERRANDS_PATIENT_MAX; i++)
        expect_at(fds[i], 503, "report_unavailable");
}

static void expect_page(int fd, const char *const *words)
{
    char *answer = hear(fd, NULL);
    for (; *words != NULL; words++)
        if (strstr(answer, *words) == NULL)
            fail_msg("expected \"%s\", got: %s", *words, answer);
    expect(answer, 503, "Content-Type: text/html");
    close(fd);
}

static void test_a_person_who_is_sent_away_gets_a_page_with_the_form_as_it_was(void **state)
{
    (void)state;
    static const char *const report[] = {"Retry-After: 5", "已满", "<a href=\"?lang=zh\">重试</a>", NULL},
                             *const form[] = {"Retry-After: 5", "未更改", "<form", "\"2026-09-01 00:00\"",
                                 "\"4711\"", ">I saw it</textarea>", NULL};
    enum { URGENT = ERRANDS_MAX - ERRANDS_PATIENT_MAX };
    int fds[ERRANDS_PATIENT_MAX], urgent[1 + URGENT];
    urgent[0] = enter_reading(tokens[0]);
    wait_begun(1);
    fill_up(fds);
    expect_page(read_report("/audit/nowhere/2026"), report);
    expect_page(read_report("/audit/nowhere/2026/site/electricity"), report);
    expect_at(read_report("/audit/nowhere/2026.csv"), 503, "\"busy\"");
    for (int i = 1; i <= URGENT; i++) {
        urgent[i] = enter_reading(tokens[0]);
        expect(ask("GET", "/livez", ""), 200, "alive");
    }
    expect_page(fill_in_reading(tokens[0]), form);
    let_all(1 + URGENT);
    for (int i = 0; i <= URGENT; i++)
        expect_at(urgent[i], 422, "the core has answered");
    for (int i = 0; i < ERRANDS_PATIENT_MAX; i++)
        expect_at(fds[i], 503, "report_unavailable");
    wait_begun(1 + URGENT); /* of the form nothing came to the core */
}

static void test_who_has_gone_is_not_worked_for(void **state)
{
    (void)state;
    int first = enter_reading(tokens[0]);
    wait_begun(1);
    int gone = enter_reading(tokens[0]);
    expect(ask("GET", "/livez", ""), 200, "alive");
    close(gone);
    int last = enter_reading(tokens[0]);
    let_all(3);
    expect_at(first, 422, "the core has answered");
    expect_at(last, 422, "the core has answered");
    wait_begun(2);
}

static void test_a_token_that_ended_meanwhile_writes_nothing(void **state)
{
    (void)state;
    int first = enter_reading(tokens[0]);
    wait_begun(1);
    int second = enter_reading(tokens[1]);
    expect(ask("GET", "/livez", ""), 200, "alive");
    made_up_revoke(database, second_id, clock_system.wall_ms());
    let_all(2);
    expect_at(first, 422, "the core has answered");
    expect_at(second, 401, "invalid_token");
    wait_begun(1);
}

static void *stop_web(void *unused)
{
    (void)unused;
    web_stop(web);
    return NULL;
}

static void test_the_listener_ends_with_work_that_waits(void **state)
{
    (void)state;
    int first = enter_reading(tokens[0]);
    wait_begun(1);
    int second = enter_reading(tokens[0]);
    expect(ask("GET", "/livez", ""), 200, "alive");
    pthread_t thread;
    thread_start(&thread, stop_web, NULL);
    let_all(2);
    pthread_join(thread, NULL);
    free(hear(first, NULL));
    free(hear(second, NULL));
    close(first);
    close(second);
    struct error err;
    assert_int_equal(start("127.0.0.1", 0, database, &web, &err), ST_OK);
}

/* ---- the queue alone ---- */

struct made_up_errand {
    struct errand errand;
    bool is_run, is_ended;
    int place; /* in which it was begun */
};

static void run_when_let(struct errand *errand)
{
    struct error err;
    decide_when_let(NULL, NULL, NULL, &err);
    struct made_up_errand *own = (struct made_up_errand *)errand;
    own->is_run = true;
    own->place = begun;
}

static void note_end(struct errand *errand)
{
    ((struct made_up_errand *)errand)->is_ended = true;
}

static void test_urgent_ones_go_first_and_have_places_of_their_own(void **state)
{
    (void)state;
    struct errands *errands = errands_create();
    struct made_up_errand made[3 + ERRANDS_MAX] = {0};
    for (int i = 0; i < 3 + ERRANDS_MAX; i++)
        made[i].errand =
            (struct errand){.run = run_when_let, .end = note_end, .is_urgent = i > 1 + ERRANDS_PATIENT_MAX};
    assert_true(errands_add(errands, &made[0].errand));
    wait_begun(1);
    for (int i = 1; i < 3 + ERRANDS_MAX; i++)
        assert_int_equal(
            errands_add(errands, &made[i].errand), i != 1 + ERRANDS_PATIENT_MAX && i != 2 + ERRANDS_MAX);
    let_all(1 + ERRANDS_MAX);
    wait_begun(1 + ERRANDS_MAX);
    errands_stop(errands);
    for (int i = 1; i <= ERRANDS_PATIENT_MAX; i++)
        assert_int_equal(made[i].place, 1 + ERRANDS_MAX - ERRANDS_PATIENT_MAX + i);
    for (int i = 2 + ERRANDS_PATIENT_MAX; i < 2 + ERRANDS_MAX; i++)
        assert_int_equal(made[i].place, i - ERRANDS_PATIENT_MAX);
    assert_false(made[1 + ERRANDS_PATIENT_MAX].is_ended || made[2 + ERRANDS_MAX].is_ended);
    errands_destroy(errands);
}

static void *stop_errands(void *errands)
{
    errands_stop(errands);
    return NULL;
}

static void test_what_waits_when_it_stops_is_ended_and_not_run(void **state)
{
    (void)state;
    struct errands *errands = errands_create();
    struct made_up_errand made[2 + ERRANDS_MAX] = {0};
    size_t added = 0;
    pthread_t thread;
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        made[i].errand = (struct errand){.run = run_when_let, .end = note_end, .is_urgent = i % 2 == 0};
    assert_true(errands_add(errands, &made[added++].errand));
    wait_begun(1);
    assert_true(errands_add(errands, &made[added++].errand));
    thread_start(&thread, stop_errands, errands);
    /* Taken until it stops. */
    for (int64_t deadline = clock_system.mono_ms() + WAIT_MS; clock_system.mono_ms() < deadline;) {
        struct made_up_errand *last = &made[added];
        if (added == 1 + ERRANDS_MAX || !errands_add(errands, &last->errand))
            break;
        added++;
        pthread_mutex_lock(&mutex);
        thread_wait_until(&changed, &mutex, clock_system.mono_ms() + 20);
        pthread_mutex_unlock(&mutex);
    }
    assert_in_range(added, 2, ERRANDS_MAX);
    let_all(1);
    pthread_join(thread, NULL);
    for (size_t i = 0; i < added; i++) {
        assert_true(made[i].is_ended);
        assert_int_equal(made[i].is_run, i == 0);
    }
    errands_destroy(errands);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_what_takes_long_holds_nobody_up, restart),
        cmocka_unit_test_setup(test_of_more_than_may_wait_the_next_is_sent_away, restart),
        cmocka_unit_test_setup(test_reports_that_wait_hold_up_nobody_who_decides, restart),
        cmocka_unit_test_setup(test_a_person_who_is_sent_away_gets_a_page_with_the_form_as_it_was, restart),
        cmocka_unit_test_setup(test_who_has_gone_is_not_worked_for, restart),
        cmocka_unit_test_setup(test_a_token_that_ended_meanwhile_writes_nothing, restart),
        cmocka_unit_test_setup(test_urgent_ones_go_first_and_have_places_of_their_own, restart),
        cmocka_unit_test_setup(test_what_waits_when_it_stops_is_ended_and_not_run, restart),
        cmocka_unit_test_setup(test_the_listener_ends_with_work_that_waits, restart),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
