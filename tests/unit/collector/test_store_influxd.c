/* The store's thread against the real InfluxDB, started here on free ports. What it holds is asked for by its
 * own query language. */
#include "collector/intake/journal.h"
#include "collector/store/countback.h"
#include "collector/store/outbox.h"
#include "lib/http_client.h"
#include "lib/json.h"
#include "tests/unit/collector/fake_core.h"
#include "tests/unit/free_port.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#define INFLUXD "/usr/bin/influxd"
#define Y2026 INT64_C(1767225600000)

static char folder[] = "/tmp/parkmon-test-influxd-XXXXXX";
static int port;
static pid_t child;
static struct http_client *http;

/* The first result, or NULL; the caller releases it. */
static json_t *try_query(const char *database, const char *statement)
{
    struct buf path = {0};
    buf_printf(&path, "/query?epoch=ms&db=%s&q=", database);
    http_escape(&path, statement);
    struct http_answer answer = {0};
    struct error err;
    json_t *result = NULL;
    if (http_post(http, path.data, "text/plain", SPAN(""), &answer, &err) == ST_OK && answer.code == 200) {
        json_t *whole = json_loadb(answer.body.data, answer.body.len, 0, NULL);
        result = json_incref(json_array_get(json_object_get(whole, "results"), 0));
        json_decref(whole);
    }
    buf_release(&answer.body);
    buf_release(&path);
    return result;
}

/* The rows of the only series of a result, [] where there is none. */
static json_t *query(const char *database, const char *statement)
{
    json_t *result = try_query(database, statement);
    if (!result || json_object_get(result, "error"))
        fail_msg("%s: %s", statement, json_string_value(json_object_get(result, "error")));
    json_t *rows =
        json_incref(json_object_get(json_array_get(json_object_get(result, "series"), 0), "values"));
    json_decref(result);
    return rows ? rows : json_array();
}

/* InfluxDB tells its own process id: the listener is our child, not another one's server that took the port.
 */
static bool is_child_answering(void)
{
    json_t *result = try_query("", "SHOW DIAGNOSTICS");
    size_t i;
    json_t *series;
    bool is_child = false;
    json_array_foreach(json_object_get(result, "series"), i, series)
    {
        const char *name = json_string_value(json_object_get(series, "name"));
        if (name && strcmp(name, "system") == 0)
            is_child = json_integer_value(
                           json_array_get(json_array_get(json_object_get(series, "values"), 0), 0)) == child;
    }
    json_decref(result);
    return is_child;
}

static void write_config(const char *path)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out,
        "reporting-disabled = true\nbind-address = \"127.0.0.1:%d\"\n[meta]\ndir = \"%s/meta\"\n"
        "[data]\ndir = \"%s/data\"\nwal-dir = \"%s/wal\"\nquery-log-enabled = false\n"
        "[http]\nbind-address = \"127.0.0.1:%d\"\nlog-enabled = false\n[monitor]\nstore-enabled = false\n",
        free_port(), folder, folder, folder, port);
    fclose(out);
}

static int start_influxd(void **state)
{
    (void)state;
    if (access(INFLUXD, X_OK) != 0)
        return 0;
    assert_non_null(mkdtemp(folder));
    port = free_port();
    char config[80], log[80], url[64];
    snprintf(config, sizeof config, "%s/influxdb.conf", folder);
    snprintf(log, sizeof log, "%s/log", folder);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    write_config(config);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int fd = open(log, O_WRONLY | O_CREAT, 0600);
        dup2(fd, 1);
        dup2(fd, 2);
        execl(INFLUXD, INFLUXD, "-config", config, (char *)NULL);
        _exit(127);
    }
    http = http_client_create(
        &(struct http_client_options){.url = url, .connect_timeout_ms = 1000, .timeout_ms = 10000});
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never;
    thread_cond_init(&never);
    int64_t deadline = clock_system.mono_ms() + DEADLINE_MS;
    pthread_mutex_lock(&lock);
    while (!is_child_answering()) {
        if (waitpid(child, NULL, WNOHANG) != 0 || clock_system.mono_ms() > deadline)
            fail_msg("influxd did not start, see %s", log);
        thread_wait_until(&never, &lock, clock_system.mono_ms() + 20);
    }
    pthread_mutex_unlock(&lock);
    pthread_cond_destroy(&never);
    return 0;
}

static int stop_influxd(void **state)
{
    (void)state;
    http_client_destroy(http);
    if (child <= 0)
        return 0;
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    char *command = mem_printf("rm -rf '%s'", folder);
    int code = system(command);
    free(command);
    return code;
}

static void need_influxd(void)
{
    if (child > 0)
        return;
    const char *ci = getenv("CI");
    if (ci && strcmp(ci, "true") == 0)
        fail_msg("%s is missing", INFLUXD);
    print_message("SKIPPED: %s is missing: nothing here was tested against a real store\n", INFLUXD);
    skip();
}

static void start(struct fake_core *c, const char *database, int64_t retention_days)
{
    fake_core_start(c,
        (struct store_options){.database = database,
            .raw_retention_days = retention_days,
            .body_lines = 300,
            .timeout_ms = 10000},
        port);
}

static void assert_text(const json_t *row, size_t column, const char *expected)
{
    const char *text = json_string_value(json_array_get(row, column));
    if (!text != !expected || (text && strcmp(text, expected) != 0))
        fail_msg("column %zu is %s, not %s", column, text ? text : "null", expected ? expected : "null");
}

/* Columns of every SELECT below: time, value, quality, building, gateway, point, site. */
static json_t *read_raw(const char *database, const char *measurement)
{
    char *statement =
        mem_printf("SELECT value, quality, building, gateway, point, site FROM \"raw\".\"%s\" ORDER BY time",
            measurement);
    json_t *rows = query(database, statement);
    free(statement);
    return rows;
}

static void test_a_thousand_readings_of_all_kinds_arrive_exactly(void **state)
{
    (void)state;
    need_influxd();
    struct fake_core c;
    fake_core_open(&c);
    int64_t last = 0;
    for (int batch = 0; batch < 10; batch++) {
        struct buf lines = {0};
        for (int i = batch * 100; i < batch * 100 + 100; i++) {
            long long time = Y2026 - 200 + i;
            if (i % 3 == 0)
                buf_printf(&lines, "register,point=m value=%lldi%s %lld\n", 999999999999000LL + i,
                    i % 2 ? ",quality=\"clock\"" : "", time);
            else if (i % 3 == 1)
                buf_printf(&lines, "gauge,point=b1.t value=%.17g %lld\n", i / 7.0, time);
            else
                buf_printf(&lines, "state,point=lab value=\"say \\\"%d\\\" 开\\\\\" %lld\n", i, time);
        }
        last = fake_journal_add(&c.journal, 1, lines.data, NULL);
        buf_release(&lines);
    }
    start(&c, "exact", 0);
    fake_core_wait(&c, last, 0);
    assert_int_equal(c.total.reject_count, 0);
    assert_int_equal(fake_core_status(&c).accepted, 1000);

    static const char *const measurements[] = {"register", "gauge", "state"};
    for (int kind = 0; kind < 3; kind++) {
        json_t *rows = read_raw("exact", measurements[kind]);
        assert_int_equal(json_array_size(rows), kind == 0 ? 334 : 333);
        for (size_t n = 0; n < json_array_size(rows); n++) {
            const json_t *row = json_array_get(rows, n), *value = json_array_get(row, 1);
            int i = (int)n * 3 + kind;
            assert_int_equal(json_integer_value(json_array_get(row, 0)), Y2026 - 200 + i);
            char text[64];
            snprintf(text, sizeof text, "say \"%d\" 开\\", i);
            if (kind == 0)
                assert_int_equal(json_integer_value(value), INT64_C(999999999999000) + i);
            else if (kind == 1)
                assert_true(json_number_value(value) == i / 7.0);
            else
                assert_text(row, 1, text);
            assert_text(row, 2, kind == 0 && i % 2 ? "clock" : NULL);
            /* The meter stands in b2, from 2026 on; before, and for other points, it is the gateway's
             * building. */
            assert_text(row, 3, kind == 0 && i >= 200 ? "b2" : "b1");
            assert_text(row, 4, "gw-a");
            assert_text(row, 5, kind == 0 ? "m" : kind == 1 ? "b1.t" : "lab");
            assert_text(row, 6, "s1");
        }
        json_decref(rows);
    }
    fake_core_close(&c);
}

static void test_a_field_of_another_type_is_rejected_and_the_rest_arrives(void **state)
{
    (void)state;
    need_influxd();
    struct fake_core c;
    fake_core_open(&c);
    start(&c, "conflict", 0);
    int64_t last = fake_journal_add_outbox(&c.journal, "gateway,gateway=gw-a lost=0i 1767225600000");
    store_wake(c.store);
    fake_core_wait(&c, 0, last);
    for (int i = 1; i <= 200; i++) {
        char line[80];
        snprintf(line, sizeof line, "gateway,gateway=gw-a lost=%d%s %lld", i, i == 77 ? "" : "i",
            (long long)Y2026 + i);
        last = fake_journal_add_outbox(&c.journal, line);
    }
    store_wake(c.store);
    fake_core_wait(&c, 0, last);
    assert_int_equal(c.total.reject_count, 1);
    assert_string_equal(c.total.rejects[0].content, "gateway,gateway=gw-a lost=77 1767225600077");
    assert_non_null(strstr(c.total.rejects[0].reason, "field type conflict"));
    assert_int_equal(c.total.rejects[0].journal, 0);
    assert_int_equal(fake_core_status(&c).health, STORE_OK);
    json_t *rows = query("conflict", "SELECT lost FROM gateway"); /* in the default policy */
    assert_int_equal(json_array_size(rows), 200);
    for (size_t n = 0; n < 200; n++)
        assert_int_equal(json_integer_value(json_array_get(json_array_get(rows, n), 1)), n < 77 ? n : n + 1);
    json_decref(rows);
    fake_core_close(&c);
}

static void put_over_of(
    struct fake_core *c, const char *series, int64_t time_ms, int64_t clears_ms, const char *line)
{
    struct error err = {""};
    if (outbox_put_over(c->journal.db, span_of(series), time_ms, clears_ms, span_of(line), &err) != ST_OK)
        fail_msg("%s", err.text);
}

static void put_over(struct fake_core *c, int64_t time_ms, int64_t clears_ms, const char *line)
{
    put_over_of(c, "energy,meter=m1", time_ms, clears_ms, line);
}

static void test_places_of_many_at_one_time_are_cleared_and_no_others(void **state)
{
    (void)state;
    need_influxd();
    struct fake_core c;
    fake_core_open(&c);
    start(&c, "places", 0);
    char series[32], line[96];
    for (int i = 0; i < 250; i++) {
        snprintf(series, sizeof series, "energy,meter=m%d", i);
        snprintf(line, sizeof line, "energy,meter=m%d amount=1,quality=\"measured\" 1767225600000", i);
        put_over_of(&c, series, Y2026, 0, line);
    }
    store_wake(c.store);
    fake_core_wait(&c, 0, 250);
    for (int i = 0; i < 240; i++) {
        snprintf(series, sizeof series, "energy,meter=m%d", i);
        snprintf(line, sizeof line, "energy,meter=m%d quality=\"unknown\" 1767225600000", i);
        put_over_of(&c, series, Y2026, 900000, line);
    }
    store_wake(c.store);
    fake_core_wait(&c, 0, 490);
    json_t *rows = query("places", "SELECT count(amount), count(quality) FROM energy");
    char *text = json_dumps(json_array_get(rows, 0), JSON_COMPACT);
    assert_string_equal(strchr(text, ','), ",10,250]");
    free(text);
    json_decref(rows);
    fake_core_close(&c);
}

static void test_a_line_that_takes_a_place_leaves_neither_field_nor_series_of_what_was_there(void **state)
{
    (void)state;
    need_influxd();
    struct fake_core c;
    fake_core_open(&c);
    start(&c, "place", 0);
    put_over(&c, Y2026, 0, "energy,meter=m1,tenant=a amount=1,quality=\"measured\" 1767225600000");
    put_over(&c, Y2026 + 900000, 0, "energy,meter=m1,tenant=a amount=2,quality=\"measured\" 1767226500000");
    fake_journal_add_outbox(
        &c.journal, "energy,meter=m10,tenant=a amount=3,quality=\"measured\" 1767225600000");
    store_wake(c.store);
    fake_core_wait(&c, 0, 3);
    put_over(&c, Y2026, 900000, "energy,meter=m1,tenant=b quality=\"unknown\" 1767225600000");
    store_wake(c.store);
    fake_core_wait(&c, 0, 4);
    json_t *rows = query("place", "SELECT amount, quality, meter, tenant FROM energy");
    char *text = json_dumps(rows, JSON_COMPACT);
    assert_string_equal(text,
        "[[1767225600000,null,\"unknown\",\"m1\",\"b\"],[1767225600000,3,\"measured\",\"m10\",\"a\"],"
        "[1767226500000,2,\"measured\",\"m1\",\"a\"]]");
    free(text);
    json_decref(rows);
    fake_core_close(&c);
}

static void test_readings_beyond_retention_are_counted(void **state)
{
    (void)state;
    need_influxd();
    struct fake_core c;
    fake_core_open(&c);
    struct buf lines = {0};
    for (int i = 0; i < 8; i++)
        buf_printf(&lines, "gauge,point=p value=%d %lld\n", i,
            (long long)clock_system.wall_ms() - (i < 3 ? 100 : 1) * INT64_C(86400000) + i);
    int64_t last = fake_journal_add(&c.journal, 1, lines.data, NULL);
    buf_release(&lines);
    start(&c, "expiry", 30);
    fake_core_wait(&c, last, 0);
    assert_int_equal(c.total.expired, 3);
    assert_int_equal(c.total.reject_count, 0);
    assert_int_equal(fake_core_status(&c).accepted, 5);
    json_t *rows = read_raw("expiry", "gauge");
    assert_int_equal(json_array_size(rows), 5);
    json_decref(rows);
    fake_core_close(&c);
}

static void assert_raw_duration(const char *database, const char *expected)
{
    char *statement = mem_printf("SHOW RETENTION POLICIES ON \"%s\"", database);
    json_t *rows = query("", statement);
    assert_int_equal(json_array_size(rows), 2); /* the default one, which stays as it is, and ours */
    assert_text(json_array_get(rows, 0), 0, "autogen");
    assert_text(json_array_get(rows, 0), 1, "0s");
    assert_text(json_array_get(rows, 1), 0, "raw");
    assert_text(json_array_get(rows, 1), 1, expected);
    json_decref(rows);
    free(statement);
}

static void test_the_policy_follows_the_settings(void **state)
{
    (void)state;
    need_influxd();
    static const struct {
        int64_t days;
        const char *duration;
    } cases[] = {{30, "720h0m0s"}, {0, "0s"}, {60, "1440h0m0s"}};
    for (size_t i = 0; i < 3; i++) {
        struct fake_core c;
        fake_core_open(&c);
        int64_t last = fake_journal_add(&c.journal, 1, "gauge,point=p value=1 1\n", NULL);
        start(&c, "policy", cases[i].days);
        fake_core_wait(&c, last, 0);
        assert_raw_duration("policy", cases[i].duration);
        fake_core_close(&c);
    }
}

static void test_a_database_that_was_dropped_is_created_again(void **state)
{
    (void)state;
    need_influxd();
    struct fake_core c;
    fake_core_open(&c);
    int64_t last = fake_journal_add(&c.journal, 1, "gauge,point=p value=1 1000\n", NULL);
    start(&c, "dropped", 0);
    fake_core_wait(&c, last, 0);
    json_decref(query("", "DROP DATABASE dropped"));
    last = fake_journal_add(&c.journal, 1, "gauge,point=p value=2 2000\n", NULL);
    store_wake(c.store);
    fake_core_wait(&c, last, 0);
    json_t *rows = read_raw("dropped", "gauge");
    assert_int_equal(json_array_size(rows), 1);
    assert_int_equal(json_integer_value(json_array_get(json_array_get(rows, 0), 0)), 2000);
    json_decref(rows);
    assert_int_equal(fake_core_status(&c).health, STORE_OK);
    fake_core_close(&c);
}

/* ---- the count-back ---- */

#define HOUR (Y2026 / HOUR_MS)
#define HOUR_READINGS 10

struct counting {
    struct fake_core core; /* its journal only */
    struct body_reader *reader;
    struct poster poster;
    struct countback *countback;
    struct hour_list touched;
};

static bool no_pause(void *user_data, enum store_health health, int64_t asked_ms, const char *text)
{
    (void)user_data, (void)health, (void)asked_ms;
    fail_msg("%s", text);
    return false;
}

static void took_it(void *user_data)
{
    (void)user_data;
}

/* An hour that is over, journalled while it ran. */
static void journal_hour(struct fake_journal *journal)
{
    struct batch_header header = {.epoch = 7, .seq = 1, .first = 1};
    struct buf payload = {0};
    struct error err;
    batch_write_header(&payload, &header);
    for (int i = 0; i < HOUR_READINGS; i++)
        buf_printf(&payload, "register,point=m value=%di %lld\n", i, (long long)Y2026 + i);
    struct journal_batch batch = {.gateway = 1,
        .header = &header,
        .received_ms = Y2026 + 1000,
        .lines = HOUR_READINGS,
        .from_ms = Y2026,
        .to_ms = Y2026 + HOUR_READINGS - 1,
        .payload = {payload.data, payload.len}};
    if (journal_add(journal->db, &batch, &err) != ST_OK)
        fail_msg("%s", err.text);
    buf_release(&payload);
}

static void counting_open(struct counting *c, const char *database, bool is_there)
{
    char url[64];
    struct body body = {0};
    struct tally tally = {0};
    struct error err;
    *c = (struct counting){0};
    fake_core_open(&c->core);
    journal_hour(&c->core.journal);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    c->reader = body_reader_create(c->core.journal.db, c->core.park);
    c->poster =
        (struct poster){.lines = 1000, .is_prepared = !is_there, .pause = no_pause, .succeeded = took_it};
    c->poster.influx =
        influx_create(&(struct influx_options){.url = url, .database = database, .timeout_ms = 10000});
    if (is_there) {
        assert_int_equal(body_read_journal(c->reader, 0, 1000, &body, &err), ST_OK);
        assert_true(poster_deliver(&c->poster, INFLUX_RAW_POLICY, &body, &tally));
        assert_int_equal(tally.accepted, HOUR_READINGS);
    }
    body_release(&body);
}

/* Its first hour: there is but one. */
static void go_one_round(struct counting *c)
{
    struct error err = {""};
    struct hour_count_list verdicts = {0};
    struct reject_list rejects = {0};
    bool has_worked = true;
    countback_destroy(c->countback);
    hour_list_release(&c->touched);
    c->countback = countback_create(&(struct countback_options){.db = c->core.journal.db,
        .reader = c->reader,
        .poster = &c->poster,
        .slice_lines = 1000,
        .database_path = c->core.journal.path,
        .round_ms = -1});
    for (int i = 0; i < 4; i++)
        assert_int_equal(
            countback_step(c->countback, 1, (HOUR + 1) * HOUR_MS + 60000, &has_worked, &err), ST_OK);
    assert_false(has_worked);
    countback_take(c->countback, &verdicts, &rejects, &c->touched);
    assert_int_equal(verdicts.count + rejects.count, 0);
}

static void counting_close(struct counting *c)
{
    countback_destroy(c->countback);
    hour_list_release(&c->touched);
    body_reader_destroy(c->reader);
    influx_destroy(c->poster.influx);
    park_destroy(c->core.park);
    fake_journal_close(&c->core.journal);
}

static void test_an_hour_that_lost_a_point_after_it_was_counted_is_found_on_the_rounds(void **state)
{
    (void)state;
    need_influxd();
    struct counting c;
    counting_open(&c, "rounds", true);
    go_one_round(&c);
    assert_int_equal(c.touched.count, 0);

    json_decref(query("rounds", "DELETE FROM register WHERE time = 1767225600003ms"));
    go_one_round(&c);
    assert_int_equal(c.touched.count, 1);
    assert_string_equal(c.touched.items[0].measurement, "register");
    assert_int_equal(c.touched.items[0].hour, HOUR);

    /* What is known to differ is told already, and what is due is counted anyway. */
    struct error err;
    assert_int_equal(
        db_exec(c.core.journal.db, "INSERT INTO hour VALUES('register', 490896, 0, NULL, 10, 9, 1)", &err),
        ST_OK);
    assert_int_equal(HOUR, 490896);
    go_one_round(&c);
    assert_int_equal(c.touched.count, 0);
    counting_close(&c);
}

static void test_where_the_rounds_meet_an_empty_hour_every_hour_is_due(void **state)
{
    (void)state;
    need_influxd();
    struct counting c;
    counting_open(&c, "emptied", true);
    go_one_round(&c);
    assert_int_equal(c.touched.count, 0);
    json_decref(query("emptied", "DROP MEASUREMENT register"));
    go_one_round(&c);
    assert_int_equal(c.touched.count, READING_STATE + 1); /* the only hour, of each kind */
    counting_close(&c);
}

static void test_late_readings_without_end_do_not_keep_other_hours_from_being_counted(void **state)
{
    (void)state;
    need_influxd();
    struct counting c;
    counting_open(&c, "disturbed", true);
    struct error err = {""};
    assert_int_equal(db_exec(c.core.journal.db,
                         "INSERT INTO hour VALUES('register', 490896, 1, NULL, NULL, NULL, NULL)", &err),
        ST_OK);
    c.countback = countback_create(&(struct countback_options){.db = c.core.journal.db,
        .reader = c.reader,
        .poster = &c.poster,
        .slice_lines = 1000,
        .database_path = c.core.journal.path});
    struct hour_list late = {0};
    hour_list_add(&late, SPAN("gauge"), HOUR - 5);
    struct hour_count_list verdicts = {0};
    struct reject_list rejects = {0};
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never;
    thread_cond_init(&never);
    int64_t deadline = clock_system.mono_ms() + DEADLINE_MS;
    while (verdicts.count == 0 && clock_system.mono_ms() < deadline) {
        bool has_worked = true;
        countback_disturb(c.countback, &late, (HOUR + 2) * HOUR_MS);
        while (has_worked)
            assert_int_equal(countback_step(c.countback, 1, (HOUR + 2) * HOUR_MS, &has_worked, &err), ST_OK);
        countback_take(c.countback, &verdicts, &rejects, &c.touched);
        pthread_mutex_lock(&lock);
        thread_wait_until(&never, &lock, clock_system.mono_ms() + 100);
        pthread_mutex_unlock(&lock);
    }
    assert_true(verdicts.count >= 1);
    assert_int_equal(verdicts.items[0].hour.hour, HOUR);
    assert_int_equal(verdicts.items[0].outcome, HOUR_EQUAL);
    free(verdicts.items);
    hour_list_release(&late);
    counting_close(&c);
}

static void test_a_store_that_does_not_answer_a_count_is_no_store_that_differs(void **state)
{
    (void)state;
    need_influxd();
    struct counting c;
    struct store_status status = {0};
    counting_open(&c, "absent", false);
    go_one_round(&c);
    assert_int_equal(c.touched.count, 0);
    countback_status(c.countback, &status);
    assert_true(status.uncounted_since_ms > 0);
    assert_non_null(strstr(status.uncounted, "database not found: absent"));
    counting_close(&c);
}

/* An hour of which the store holds nothing, though four rows were counted there once. Is it judged? */
static bool is_judged(struct counting *c, const char *measurement)
{
    struct error err = {""};
    struct hour_count_list verdicts = {0};
    struct reject_list rejects = {0};
    bool has_worked = true;
    char *due = mem_printf("DELETE FROM hour; INSERT INTO hour VALUES('%s', %lld, 1, 4, NULL, NULL, NULL)",
        measurement, (long long)HOUR);
    assert_int_equal(db_exec(c->core.journal.db, due, &err), ST_OK);
    free(due);
    countback_destroy(c->countback);
    c->countback = countback_create(&(struct countback_options){.db = c->core.journal.db,
        .reader = c->reader,
        .poster = &c->poster,
        .slice_lines = 1000,
        .database_path = c->core.journal.path});
    for (int i = 0; has_worked; i++) {
        assert_int_equal(
            countback_step(c->countback, 1, (HOUR + 1) * HOUR_MS + 60000, &has_worked, &err), ST_OK);
        assert_true(i < 20);
    }
    countback_take(c->countback, &verdicts, &rejects, &c->touched);
    bool is_different = verdicts.count > 0;
    for (size_t i = 0; i < verdicts.count; i++)
        assert_int_equal(verdicts.items[i].outcome, HOUR_DIFFERENT);
    free(verdicts.items);
    return is_different;
}

static void test_an_hour_that_waits_to_be_posted_again_is_judged_when_it_was(void **state)
{
    (void)state;
    need_influxd();
    /* The hour is [1767225600000, 1767229200000). */
    static const struct {
        const char *what;
        bool is_instrument, is_occupancy, is_gateway; /* are they judged beside it? */
    } cases[] = {
        {"DELETE FROM repost_rows", true, true, true},
        {"INSERT INTO repost_rows VALUES(1, 0, 'sem', 1767229199999, 1768000000000)", false, true, true},
        {"INSERT INTO repost_rows VALUES(1, 0, 'sem', 1767229200000, 1768000000000)", true, true, true},
        {"INSERT INTO repost_rows VALUES(1, 0, 'sem', 1, 1767225600000)", true, true, true},
        {"INSERT INTO repost_rows VALUES(1, 1, '3', 1, 1767225600001)", true, false, true},
        {"INSERT INTO repost_rows VALUES(1, 1, '3', 1767229200000, 1768000000000)", true, true, true},
        {"INSERT INTO timesheet_due VALUES(1, 1, 'n2', 1, 1767225600001)", false, true, true},
        {"INSERT INTO timesheet_due VALUES(1, 1, 'n2', 1767229200000, 9223372036854775807)", true, true,
            true},
        {"INSERT INTO space_due VALUES(1767228300000, 3, 0)", true, false, true},
        {"INSERT INTO space_due VALUES(1767229200000, 3, 0), (1767224700000, 3, 1)", true, true, true},
        {"INSERT INTO outbox(series, time_ms, line) VALUES('instrument,instrument=sem', 1767228300000, "
         "'x')",
            false, true, true},
        {"INSERT INTO outbox(series, time_ms, line) VALUES('occupancy,space=hall', 1767225600000, 'x')", true,
            false, true},
        {"INSERT INTO outbox(series, time_ms, line) VALUES('occupancy,space=hall', 1767229200000, 'x')", true,
            true, true},
        {"INSERT INTO outbox(series, time_ms, line) VALUES('gateway,gateway=gw-a', 1767225600000, 'x')", true,
            true, false},
    };
    struct counting c;
    counting_open(&c, "waiting", true);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {""};
        assert_int_equal(db_exec(c.core.journal.db,
                             "DELETE FROM repost_rows; DELETE FROM timesheet_due; DELETE FROM space_due; "
                             "DELETE FROM outbox",
                             &err),
            ST_OK);
        if (db_exec(c.core.journal.db, cases[i].what, &err) != ST_OK)
            fail_msg("%s", err.text);
        bool is_instrument = is_judged(&c, "instrument"), is_occupancy = is_judged(&c, "occupancy"),
             is_gateway = is_judged(&c, "gateway");
        if (is_instrument != cases[i].is_instrument || is_occupancy != cases[i].is_occupancy ||
            is_gateway != cases[i].is_gateway)
            fail_msg("%s: instrument %d, occupancy %d, gateway %d judged", cases[i].what, is_instrument,
                is_occupancy, is_gateway);
    }
    counting_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_thousand_readings_of_all_kinds_arrive_exactly),
        cmocka_unit_test(test_a_field_of_another_type_is_rejected_and_the_rest_arrives),
        cmocka_unit_test(test_places_of_many_at_one_time_are_cleared_and_no_others),
        cmocka_unit_test(test_a_line_that_takes_a_place_leaves_neither_field_nor_series_of_what_was_there),
        cmocka_unit_test(test_readings_beyond_retention_are_counted),
        cmocka_unit_test(test_the_policy_follows_the_settings),
        cmocka_unit_test(test_a_database_that_was_dropped_is_created_again),
        cmocka_unit_test(test_an_hour_that_lost_a_point_after_it_was_counted_is_found_on_the_rounds),
        cmocka_unit_test(test_where_the_rounds_meet_an_empty_hour_every_hour_is_due),
        cmocka_unit_test(test_late_readings_without_end_do_not_keep_other_hours_from_being_counted),
        cmocka_unit_test(test_a_store_that_does_not_answer_a_count_is_no_store_that_differs),
        cmocka_unit_test(test_an_hour_that_waits_to_be_posted_again_is_judged_when_it_was),
    };
    return cmocka_run_group_tests(tests, start_influxd, stop_influxd);
}
