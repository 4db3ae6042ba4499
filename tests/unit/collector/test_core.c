/* The core thread between a real broker and a real database. */
#include "collector/core.h"

#include "collector/schema.h"
#include "lib/clock.h"
#include "lib/thread.h"
#include "tests/unit/broker.h"
#include "tests/unit/collector/fake_influx.h"
#include "tests/unit/collector/fake_journal.h"

#include <stdatomic.h>
#include <sys/resource.h>

#define PATIENCE_MS 60000
#define UP "park/v1/gw/gw-a/up"
#define ACK "park/v1/gw/gw-a/ack"

/* A wall clock that a test puts forward. */
static _Atomic int64_t ahead_ms;

static int64_t wall_ahead_ms(void)
{
    return clock_system.wall_ms() + ahead_ms;
}

static struct clock clock_ahead; /* made by main */

struct scene {
    struct fake_journal files; /* its folder; the database is the core's */
    struct broker broker;
    struct collector_settings settings;
    struct model *model;
    struct snapshot_box *box;
    struct model_box *models;
    struct store *store;
    struct core *core;
    int influx_port; /* 0 = the store is not started: it never answers */
};

static void on_result(void *user_data)
{
    core_wake(*(struct core **)user_data);
}

static void core_up(struct scene *s)
{
    struct error err = {""};
    s->box = snapshot_box_create();
    s->models = model_box_create();
    struct core_options options = {.settings = &s->settings,
        .model = s->model,
        .clock = &clock_ahead,
        .box = s->box,
        .models = s->models};
    if (core_create(&options, &s->core, &err) != ST_OK)
        fail_msg("%s", err.text);
    char *url = mem_printf("http://127.0.0.1:%d", s->influx_port != 0 ? s->influx_port : 1);
    s->store = store_create(&(struct store_options){.database_path = s->files.path,
        .url = url,
        .database = "x",
        .body_lines = 100,
        .timeout_ms = 1000,
        .park = s->model->park,
        .user_data = &s->core,
        .on_result = on_result});
    free(url);
    core_attach(s->core, s->store);
    if (s->influx_port != 0)
        store_start(s->store);
    core_start(s->core);
}

static enum status core_down(struct scene *s, struct error *err)
{
    store_stop(s->store);
    enum status status = core_stop(s->core, err);
    core_destroy(s->core);
    store_destroy(s->store);
    snapshot_box_destroy(s->box);
    model_box_destroy(s->models);
    s->core = NULL;
    return status;
}

static void scene_open(struct scene *s)
{
    *s = (struct scene){0};
    ahead_ms = 0;
    fake_journal_open(&s->files);
    s->model = fake_model(&s->files);
    db_close(s->files.db);
    unlink(s->files.path);
    s->files.db = NULL;
    s->broker = broker_start(s->files.folder, BROKER_OPEN);
    static char id[] = "test", host[] = "127.0.0.1";
    s->settings = (struct collector_settings){.id = id,
        .broker = {.host = host, .port = s->broker.port, .keep_alive_ms = 10000},
        .database = {.path = s->files.path, .limit_mib = 64, .evidence_days = 35},
        .store = {.outbox_limit_mib = 16}};
    core_up(s);
}

static void scene_close(struct scene *s)
{
    struct error err = {""};
    if (s->core != NULL && core_down(s, &err) != ST_OK)
        fail_msg("%s", err.text);
    model_put(s->model);
    broker_stop(&s->broker);
    fake_journal_close(&s->files);
}

/* What another process sees in the database; -1 = cannot be read. */
static int64_t query(const struct scene *s, const char *sql)
{
    struct error err;
    struct db *db;
    if (db_open_reader(s->files.path, &db, &err) != ST_OK)
        return -1;
    struct db_stmt *q = db_prepare(db, sql);
    bool has_row;
    int64_t value = db_step(q, &has_row, &err) == ST_OK && has_row ? db_int(q, 0) : -1;
    db_close(db);
    return value;
}

/* Snapshots come a few times a second: waits for one that this is true of. */
typedef bool condition(const struct snapshot *s, int64_t argument);

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_published;
};

static void on_publish(void *user_data)
{
    struct waiter *w = user_data;
    pthread_mutex_lock(&w->lock);
    w->is_published = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

static bool is_shown(struct scene *s, condition *is_true, int64_t argument)
{
    const struct snapshot *now = snapshot_get(s->box);
    bool is = now != NULL && is_true(now, argument);
    snapshot_put(now);
    return is;
}

static void wait_shown(struct scene *s, condition *is_true, int64_t argument)
{
    struct waiter w = {.is_published = false};
    pthread_mutex_init(&w.lock, NULL);
    thread_cond_init(&w.wake);
    snapshot_listen(s->box, on_publish, &w);
    int64_t deadline = clock_system.mono_ms() + PATIENCE_MS;
    /* The listener runs under the box's lock: nothing of the box is asked under ours. */
    while (!is_shown(s, is_true, argument) && clock_system.mono_ms() < deadline) {
        pthread_mutex_lock(&w.lock);
        while (!w.is_published && clock_system.mono_ms() < deadline)
            thread_wait_until(&w.wake, &w.lock, deadline);
        w.is_published = false;
        pthread_mutex_unlock(&w.lock);
    }
    snapshot_listen(s->box, NULL, NULL);
    assert_true(is_shown(s, is_true, argument));
}

static bool is_connected(const struct snapshot *s, int64_t wanted)
{
    return s->is_broker_connected == (wanted != 0);
}

static bool is_taking(const struct snapshot *s, int64_t wanted)
{
    return s->is_accepting == (wanted != 0);
}

static bool has_batches(const struct snapshot *s, int64_t wanted)
{
    return s->counters.batches >= wanted;
}

static bool has_batches_or_is_full(const struct snapshot *s, int64_t wanted)
{
    return s->counters.batches >= wanted || !s->is_accepting;
}

static bool has_unreadable(const struct snapshot *s, int64_t wanted)
{
    return s->counters.unreadable >= wanted;
}

static bool is_number(const struct snapshot *s, int64_t wanted)
{
    return s->number >= (uint64_t)wanted;
}

static void publish_as(struct scene *s, const char *gateway, int seq, const char *lines)
{
    char *topic = mem_printf("park/v1/gw/%s/up", gateway);
    char *text = mem_printf("#park1 epoch=00000000000000aa seq=%d first=1\n%s", seq, lines);
    broker_publish(&s->broker, topic, text, false);
    free(text);
    free(topic);
}

static void publish(struct scene *s, int seq, const char *lines)
{
    publish_as(s, "gw-a", seq, lines);
}

/* What arrives is shown soon. Of two snapshots the second is of a turn that began after now. */
static void wait_turn(struct scene *s, int seq)
{
    for (int i = 0; i < 2; i++) {
        const struct snapshot *now = snapshot_get(s->box);
        int64_t number = now != NULL ? (int64_t)now->number : 0;
        snapshot_put(now);
        publish(s, seq, "");
        wait_shown(s, is_number, number + 1);
    }
}

static void wait_rows(const struct scene *s, const char *sql, int64_t wanted)
{
    int64_t deadline = clock_system.mono_ms() + PATIENCE_MS;
    while (query(s, sql) != wanted)
        if (clock_system.mono_ms() >= deadline)
            fail_msg("%s: %lld", sql, (long long)query(s, sql));
}

static void test_an_acknowledged_batch_is_on_disk_and_the_mark_is_retained(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    wait_shown(&s, is_connected, true);
    struct listener acks = broker_listen(&s.broker, "park/v1/gw/+/ack");
    char before[96], expected[96] = "";
    for (int seq = 1; seq <= 5; seq++) {
        publish(&s, seq, "register,point=m value=1i 1764000000000\n");
        char line[256] = "";
        memcpy(before, expected, sizeof before);
        snprintf(expected, sizeof expected, ACK " epoch=00000000000000aa seq=%d\n", seq);
        /* The subscriber may come late: then it has the retained one. A mark may be told again. */
        do
            assert_non_null(fgets(line, sizeof line, acks.lines));
        while (seq > 1 && strcmp(line + 2, before) == 0);
        assert_string_equal(line + 2, expected);
        assert_int_equal(query(&s, "SELECT max(seq) FROM journal"), seq);
    }
    broker_unlisten(&acks);
    assert_string_equal(broker_retained(&s.broker, ACK), "1 epoch=00000000000000aa seq=5");
    scene_close(&s);
}

static void test_a_restarted_core_goes_on_where_the_disk_is_and_tells_every_mark_again(void **state)
{
    (void)state;
    struct scene s;
    struct error err = {""};
    scene_open(&s);
    wait_shown(&s, is_connected, true);
    publish(&s, 1, "");
    wait_shown(&s, has_batches, 1);
    assert_int_equal(core_down(&s, &err), ST_OK);
    broker_publish(&s.broker, ACK, "-", true);
    struct listener acks = broker_listen(&s.broker, ACK);
    char line[256];
    assert_non_null(fgets(line, sizeof line, acks.lines)); /* what is retained: it listens */
    core_up(&s);
    wait_shown(&s, is_connected, true);
    publish(&s, 1, "");
    while (strstr(line, " -\n") != NULL)
        assert_non_null(fgets(line, sizeof line, acks.lines));
    assert_non_null(strstr(line, "epoch=00000000000000aa seq=1 again=1\n"));
    broker_unlisten(&acks);
    assert_int_equal(query(&s, "SELECT count(*) FROM journal"), 1);
    scene_close(&s);
}

static void test_a_broker_that_lost_everything_gets_the_marks_again(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s);
    wait_shown(&s, is_connected, true);
    publish(&s, 1, "");
    wait_shown(&s, has_batches, 1);
    broker_stop(&s.broker);
    wait_shown(&s, is_connected, false);
    broker_again(&s.broker, s.files.folder, BROKER_OPEN); /* it keeps nothing */
    wait_shown(&s, is_connected, true);
    int64_t deadline = clock_system.mono_ms() + PATIENCE_MS;
    while (strcmp(broker_retained(&s.broker, ACK), "1 epoch=00000000000000aa seq=1 again=1") != 0)
        assert_true(clock_system.mono_ms() < deadline);
    scene_close(&s);
}

static void test_retained_messages_prove_nothing(void **state)
{
    (void)state;
    struct scene s;
    struct error err = {""};
    scene_open(&s);
    assert_int_equal(core_down(&s, &err), ST_OK);
    broker_publish(&s.broker, UP, "#park1 epoch=00000000000000aa seq=1 first=1\n", true);
    broker_publish(&s.broker, "park/v1/gw/gw-a/state", "{\"state\":\"online\"}", true);
    core_up(&s);
    wait_shown(&s, is_connected, true);
    broker_publish(&s.broker, "park/v1/gw/gw-b/up", "nonsense", false); /* comes after them */
    wait_shown(&s, has_unreadable, 1);
    assert_int_equal(query(&s, "SELECT count(*) FROM journal"), 0);
    const struct snapshot *now = snapshot_get(s.box);
    assert_string_equal(now->gateways[0].id, "gw-a");
    assert_int_equal(now->gateways[0].heard_ms, 0);
    assert_false(now->gateways[0].is_online);
    snapshot_put(now);
    scene_close(&s);
}

static void test_at_its_limit_nothing_is_acknowledged_until_there_is_room(void **state)
{
    (void)state;
    struct scene s;
    struct error err = {""};
    scene_open(&s);
    assert_int_equal(core_down(&s, &err), ST_OK);
    s.settings.database.limit_mib = 9; /* of which 8 are kept free */
    core_up(&s);
    wait_shown(&s, is_connected, true);
    char *filling = mem_alloc(200001);
    memset(filling, 'x', 200000);
    filling[0] = '#';
    filling[200000] = '\0';
    int seq = 0;
    while (seq < 10 && !is_shown(&s, is_taking, false)) {
        publish(&s, ++seq, filling);
        wait_shown(&s, has_batches_or_is_full, seq);
    }
    wait_shown(&s, is_taking, false);
    int64_t taken = query(&s, "SELECT count(*) FROM journal");
    assert_true(taken >= 3 && taken <= seq);
    const struct snapshot *now = snapshot_get(s.box);
    assert_string_equal(now->reason, "the database is at its limit");
    snapshot_put(now);
    /* Nothing is derived either: what is left belongs to what the store has to settle. */
    int64_t outbox = query(&s, "SELECT count(*) FROM outbox");
    ahead_ms = 120000;
    wait_turn(&s, (int)taken + 1);
    assert_int_equal(query(&s, "SELECT count(*) FROM outbox"), outbox);
    publish(&s, (int)taken + 1, "");
    assert_int_equal(core_down(&s, &err), ST_OK);
    assert_int_equal(query(&s, "SELECT count(*) FROM journal"), taken);

    s.settings.database.limit_mib = 64;
    core_up(&s);
    wait_shown(&s, is_connected, true);
    publish(&s, (int)taken + 1, "");
    wait_shown(&s, has_batches, 1);
    assert_true(is_shown(&s, is_taking, true));
    assert_int_equal(query(&s, "SELECT count(*) FROM journal"), taken + 1);
    ahead_ms = 240000;
    wait_rows(&s, "SELECT count(*) FROM outbox", outbox + 1);
    free(filling);
    scene_close(&s);
}

static void change(const struct scene *s, const char *sql)
{
    struct error err;
    struct db *db;
    if (db_open(s->files.path, &collector_schema, &db, &err) != ST_OK || db_exec(db, sql, &err) != ST_OK)
        fail_msg("%s", err.text);
    db_close(db);
}

static void test_an_outbox_at_its_limit_stops_acknowledging_until_there_is_room(void **state)
{
    (void)state;
    struct scene s;
    struct error err = {""};
    scene_open(&s);
    assert_int_equal(core_down(&s, &err), ST_OK);
    change(&s,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)"
        " INSERT INTO outbox(series, time_ms, line) SELECT 'x,y', i, printf('%.*c', 20000, 'x') FROM n");
    s.settings.store.outbox_limit_mib = 1;
    core_up(&s);
    wait_shown(&s, is_connected, true);
    wait_shown(&s, is_taking, false);
    const struct snapshot *now = snapshot_get(s.box);
    assert_string_equal(now->reason, "the outbox is at its limit");
    assert_int_equal(now->outbox_bytes, 100 * (20000 + 2 * 3 + 64));
    assert_int_equal(now->outbox_limit_bytes, 1 << 20);
    snapshot_put(now);
    publish(&s, 1, "register,point=m value=1i 1764000000000\n");
    wait_turn(&s, 1);
    assert_int_equal(query(&s, "SELECT count(*) FROM journal"), 0);
    assert_int_equal(core_down(&s, &err), ST_OK);

    change(&s, "DELETE FROM outbox WHERE time_ms > 40");
    core_up(&s);
    wait_shown(&s, is_connected, true);
    publish(&s, 1, "register,point=m value=1i 1764000000000\n");
    wait_shown(&s, has_batches, 1);
    assert_true(is_shown(&s, is_taking, true));
    scene_close(&s);
}

static int accept_all(int n, const char *body, const char **ret_error)
{
    (void)n, (void)body, (void)ret_error;
    return 204;
}

static void test_what_the_store_settles_is_pruned_without_a_restart(void **state)
{
    (void)state;
    struct scene s;
    struct error err = {""};
    struct fake_influx influx;
    scene_open(&s);
    assert_int_equal(core_down(&s, &err), ST_OK);
    fake_influx_start(&influx, accept_all);
    s.influx_port = influx.port;
    core_up(&s);
    wait_shown(&s, is_connected, true);
    publish(&s, 1, "register,point=m value=1i 1764000000000\n");
    wait_rows(&s, "SELECT position FROM cursor WHERE name = 'raw'", 1);
    assert_int_equal(query(&s, "SELECT count(*) FROM journal"), 1);
    ahead_ms = INT64_C(36) * 24 * 3600 * 1000;
    wait_rows(&s, "SELECT count(*) FROM journal", 0);
    assert_int_equal(core_down(&s, &err), ST_OK);
    fake_influx_stop(&influx);
    buf_release(&influx.accepted);
    buf_release(&influx.query);
    scene_close(&s);
}

static void test_an_io_error_ends_the_core_without_an_acknowledgement(void **state)
{
    (void)state;
    struct scene s;
    struct error err = {""};
    scene_open(&s);
    wait_shown(&s, is_connected, true);
    publish(&s, 1, "");
    wait_shown(&s, has_batches, 1);
    /* From now on no file of this process may grow: EFBIG. The core asks for the process's end by SIGTERM. */
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, none = {0, RLIM_INFINITY};
    getrlimit(RLIMIT_FSIZE, &before);
    none.rlim_max = before.rlim_max;
    char *text = mem_zalloc(100001);
    memset(text, 'x', 100000);
    text[0] = '#';
    char *payload = mem_printf("#park1 epoch=00000000000000aa seq=2 first=1\n%s", text);
    setrlimit(RLIMIT_FSIZE, &none);
    broker_publish(&s.broker, UP, payload, false);
    struct timespec patience = {PATIENCE_MS / 1000, 0};
    int got = sigtimedwait(&ends, NULL, &patience);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(got, SIGTERM);
    assert_int_equal(core_down(&s, &err), ST_STORAGE);
    assert_string_equal(broker_retained(&s.broker, ACK), "1 epoch=00000000000000aa seq=1");
    assert_int_equal(query(&s, "SELECT max(seq) FROM journal"), 1);
    free(text);
    free(payload);
    scene_close(&s);
}

/* ---- a version that there is no room for ---- */

#define WITH_AFM(name)                                                                                     \
    FAKE_PARK "categories = ({ id = \"c\"; name = \"x\"; name_en = \"x\"; });\n"                           \
              "instruments = ({ id = \"afm\"; name = \"" name "\"; name_en = \"x\"; building = \"b1\"; "   \
              "category = \"c\"; owner = \"o\"; owner_en = \"o\"; owner_code = \"OWN\"; contact = \"8\"; " \
              "session = \"gw-a/afm\"; });\n"

static struct model *model_of(const struct scene *s, const char *park)
{
    char *path = fake_park_file(&s->files, park);
    struct model *m = model_load((const char *const[MODEL_FILES]){path});
    model_print_problems(m, stderr);
    assert_int_equal(model_problem_count(m), 0);
    unlink(path);
    free(path);
    return m;
}

static void offer(const struct scene *s, const struct model *m)
{
    struct error err = {""};
    struct acceptance a;
    struct db *db;
    if (collector_open_reader(s->files.path, &db, &err) != ST_OK ||
        acceptance_judge(db, s->files.path, m, clock_system.wall_ms(), &a, &err) != ST_OK ||
        acceptance_refusal(&a, &err) != ST_OK)
        fail_msg("%s", err.text);
    db_close(db);
    core_offer(s->core, &a);
}

/* Another that waits too does not make it recorded: what instruments tell is folded by versions that have a row. */
static void test_nothing_is_taken_by_a_version_that_is_not_recorded(void **state)
{
    (void)state;
    struct scene s;
    struct error err = {""};
    scene_open(&s);
    assert_int_equal(core_down(&s, &err), ST_OK);
    change(&s, "CREATE TABLE ballast(x); CREATE TRIGGER no_room BEFORE INSERT ON model_version BEGIN"
               "  INSERT INTO ballast VALUES(zeroblob(20000000)); END");
    model_put(s.model);
    s.model = model_of(&s, WITH_AFM("a"));
    s.settings.database.limit_mib = 9;
    core_up(&s);
    wait_shown(&s, is_connected, true);
    publish(&s, 1, "state,point=afm value=\"open event=o1\" 1764000000000\n");
    wait_shown(&s, has_batches, 1);
    wait_turn(&s, 2);
    assert_int_equal(query(&s, "SELECT count(*) FROM instrument"), 0);
    struct model *other = model_of(&s, WITH_AFM("b"));
    offer(&s, other);
    model_put(other);
    wait_turn(&s, 3);
    wait_turn(&s, 4);
    assert_int_equal(query(&s, "SELECT count(*) FROM model_version"), 1);
    assert_int_equal(query(&s, "SELECT count(*) FROM instrument"), 0);
    assert_int_equal(core_down(&s, &err), ST_OK);
    change(&s, "DROP TRIGGER no_room");
    core_up(&s);
    wait_rows(&s, "SELECT count(*) FROM model_version", 2);
    wait_rows(&s, "SELECT count(*) FROM session", 1);
    scene_close(&s);
}

int main(void)
{
    clock_ahead = clock_trusted;
    clock_ahead.wall_ms = wall_ahead_ms;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_acknowledged_batch_is_on_disk_and_the_mark_is_retained),
        cmocka_unit_test(test_a_restarted_core_goes_on_where_the_disk_is_and_tells_every_mark_again),
        cmocka_unit_test(test_a_broker_that_lost_everything_gets_the_marks_again),
        cmocka_unit_test(test_retained_messages_prove_nothing),
        cmocka_unit_test(test_at_its_limit_nothing_is_acknowledged_until_there_is_room),
        cmocka_unit_test(test_an_outbox_at_its_limit_stops_acknowledging_until_there_is_room),
        cmocka_unit_test(test_what_the_store_settles_is_pruned_without_a_restart),
        cmocka_unit_test(test_nothing_is_taken_by_a_version_that_is_not_recorded),
        cmocka_unit_test(test_an_io_error_ends_the_core_without_an_acknowledgement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
