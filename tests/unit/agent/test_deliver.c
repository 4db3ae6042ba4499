/* agent/deliver/deliver against a real mosquitto, with this program as the collector. */
#include "agent/deliver/deliver.h"
#include "agent/deliver/window.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/mqtt.h"
#include "lib/thread.h"
#include "tests/unit/broker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#define PATIENCE_MS 30000
#define TRIES_MAX 5 /* to be quick: the machine may be slow now and then */
#define T0 INT64_C(1764000000000)
#define UP "park/v1/gw/gw-a/up"
#define ACK "park/v1/gw/gw-a/ack"
#define STATE "park/v1/gw/gw-a/state"

static char folder[] = "/tmp/parkmon-test-deliver-XXXXXX";

static struct broker broker;

static void restart_broker(const char *settings)
{
    broker_stop(&broker);
    broker_again(&broker, folder, settings);
}

/* ---- the collector ---- */

#define BATCHES_MAX 2000

static struct {
    struct mqtt *mqtt;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool acknowledges; /* each batch in turn, as it comes */
    int64_t mark;
    bool has_ack_due;
    struct ack ack;
    int batch_count;
    struct {
        struct batch_header header;
        char *body;
    } batches[BATCHES_MAX];
    int64_t lines;
    char state[2048];
    int offline_count;
} collector = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_message(void *user_data, const struct mqtt_message *message)
{
    (void)user_data;
    pthread_mutex_lock(&collector.lock);
    struct error err;
    struct span body, line;
    if (span_is(message->topic, STATE)) {
        snprintf(
            collector.state, sizeof collector.state, "%.*s", (int)message->payload.len, message->payload.at);
        collector.offline_count += strstr(collector.state, "offline") != NULL;
    } else if (collector.batch_count < BATCHES_MAX) {
        struct batch_header header;
        assert_int_equal(batch_read_header(message->payload, &header, &body, &err), ST_OK);
        collector.batches[collector.batch_count].header = header;
        collector.batches[collector.batch_count++].body = mem_strndup(body.at, body.len);
        if (collector.acknowledges && header.seq == collector.mark + 1) {
            collector.mark = header.seq;
            collector.ack = (struct ack){header.epoch, header.seq, false};
            collector.has_ack_due = true;
            while (batch_next_line(&body, &line))
                collector.lines++;
        }
    }
    pthread_cond_broadcast(&collector.changed);
    pthread_mutex_unlock(&collector.lock);
}

static void on_event(void *user_data)
{
    (void)user_data;
    pthread_mutex_lock(&collector.lock);
    pthread_cond_broadcast(&collector.changed);
    pthread_mutex_unlock(&collector.lock);
}

static void send_ack(struct ack ack, bool is_retained)
{
    char text[ACK_TEXT_SIZE];
    struct error err;
    ack_format(&ack, text);
    assert_int_equal(mqtt_publish(collector.mqtt, ACK, span_of(text), is_retained, 0, &err), ST_OK);
}

/* Two clients in one process share Paho's threads, which look at a second connection once a second unless the
 * first has traffic. */
static void nudge(void)
{
    if (mqtt_state(collector.mqtt) == MQTT_READY && mqtt_unconfirmed(collector.mqtt) == 0)
        mqtt_publish(collector.mqtt, "nudge", span_of("x"), false, 0, NULL);
}

/* Runs the collector until the condition holds. */
static bool await(bool (*condition)(int64_t), int64_t value, int64_t patience_ms)
{
    int64_t deadline = clock_system.mono_ms() + patience_ms;
    for (;;) {
        mqtt_tick(collector.mqtt, clock_system.mono_ms());
        nudge();
        pthread_mutex_lock(&collector.lock);
        struct ack ack = collector.ack;
        bool has_ack_due = collector.has_ack_due, is_met = condition(value);
        collector.has_ack_due = false;
        if (!is_met && !has_ack_due)
            thread_wait_until(&collector.changed, &collector.lock, clock_system.mono_ms() + 20);
        pthread_mutex_unlock(&collector.lock);
        if (has_ack_due)
            send_ack(ack, true);
        if (is_met || clock_system.mono_ms() >= deadline)
            return is_met;
    }
}

#define AWAIT(condition, value) assert_true(await(condition, value, PATIENCE_MS))

static bool has_batches(int64_t count)
{
    return collector.batch_count >= count;
}

static bool has_lines(int64_t count)
{
    return collector.lines >= count;
}

static bool is_committed(int64_t agent)
{
    struct deliver_progress progress;
    deliver_progress((struct deliver *)(intptr_t)agent, &progress);
    return progress.waiting == 0;
}

/* It takes our acknowledgements to get there. */
static bool is_empty(int64_t agent)
{
    return deliver_wait_empty((struct deliver *)(intptr_t)agent, 0);
}

static bool is_ready(int64_t unused)
{
    (void)unused;
    return mqtt_state(collector.mqtt) == MQTT_READY;
}

static bool is_online(int64_t unused)
{
    (void)unused;
    return strstr(collector.state, "online") != NULL;
}

static bool is_offline(int64_t count)
{
    return collector.offline_count >= count;
}

static bool never(int64_t unused)
{
    (void)unused;
    return false;
}

/* Three of the lowest: it was sent and probed twice. */
static bool has_probes(int64_t unused)
{
    (void)unused;
    int count = 0;
    for (int i = 0; i < collector.batch_count; i++)
        count += collector.batches[i].header.seq == 1;
    return count >= 3;
}

/* From there on came 2, 3 and 4, whatever was sent again between them. */
static bool has_the_rest(int64_t from)
{
    int64_t seq = 2;
    for (int i = (int)from; seq <= 4 && i < collector.batch_count; i++)
        seq += collector.batches[i].header.seq == seq;
    return seq == 5;
}

static void start_collector(bool acknowledges)
{
    for (int i = 0; i < collector.batch_count; i++)
        free(collector.batches[i].body);
    collector.batch_count = 0;
    collector.mark = collector.lines = collector.offline_count = 0;
    collector.state[0] = '\0';
    collector.acknowledges = acknowledges;
    collector.has_ack_due = false;
    const char *subscriptions[] = {UP, STATE, NULL};
    struct mqtt_options options = {.host = "127.0.0.1",
        .port = broker.port,
        .client_id = "park-collector-test",
        .keep_alive_s = 30,
        .subscriptions = subscriptions,
        .retry_min_ms = 50,
        .on_message = on_message,
        .on_event = on_event};
    collector.mqtt = mqtt_create(&options);
    AWAIT(is_ready, 0);
}

static void stop_collector(void)
{
    mqtt_destroy(collector.mqtt);
    collector.mqtt = NULL;
}

/* ---- the agent ---- */

static const char *const points[] = {"b3.main", "lab2.session"};
static const int64_t periods_ms[] = {1000, 1000};
static char gateway[] = "gw-a", host[] = "127.0.0.1";
static struct agent_settings settings;
static struct deliver *agent; /* the one that runs */
static atomic_int failures;
static int spool_number;

static void count_failure(void)
{
    failures++;
}

static void new_spool(int64_t limit_mib)
{
    free(settings.spool.path);
    settings = (struct agent_settings){.gateway = gateway};
    settings.broker.host = host;
    settings.broker.port = broker.port;
    settings.broker.keep_alive_ms = 30000;
    settings.spool.path = mem_printf("%s/%d.spool", folder, ++spool_number);
    settings.spool.limit_mib = limit_mib;
    settings.spool.commit_ms = 100;
    settings.spool.probe_ms = 300;
}

/* The agent's clock stands still while the test holds it: what it waits for does not become due. */
static _Atomic int64_t held_mono_ms;

static int64_t agent_mono_ms(void)
{
    int64_t held = held_mono_ms;
    return held != 0 ? held : clock_system.mono_ms();
}

static struct deliver *start_agent(bool is_replay)
{
    static struct clock clock;
    clock = clock_trusted;
    clock.mono_ms = agent_mono_ms;
    struct deliver_options options = {.settings = &settings,
        .version = "test",
        .clock = &clock,
        .points = points,
        .periods_ms = periods_ms,
        .point_count = 2,
        .is_replay = is_replay,
        .on_failure = count_failure};
    struct deliver *d;
    struct error err;
    if (deliver_create(&options, &d, &err) != ST_OK)
        fail_msg("%s", err.text);
    deliver_start(d);
    agent = d;
    return d;
}

static void put(struct deliver *d, int64_t n)
{
    struct spool_reading r = {.point = 0, .kind = READING_REGISTER, .time_ms = T0 + n, .count = n};
    assert_true(deliver_put(d, &r, true));
}

static enum status end_agent(struct deliver *d, int64_t drain_ms, struct error *err)
{
    agent = NULL;
    enum status status = deliver_stop(d, drain_ms, err);
    deliver_destroy(d);
    return status;
}

static void stop_agent(struct deliver *d)
{
    struct error err;
    if (end_agent(d, 3000, &err) != ST_OK)
        fail_msg("%s", err.text);
}

static int64_t mono_ms(void)
{
    return clock_system.mono_ms();
}

/* ---- what the agent says ---- */

static int saved_stderr = -1;
static char log_path[64];

static void capture_log(void)
{
    snprintf(log_path, sizeof log_path, "%s/log", folder);
    fflush(stderr);
    saved_stderr = fcntl(2, F_DUPFD_CLOEXEC, 3);
    int fd = open(log_path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    dup2(fd, 2);
    close(fd);
}

static void release_log(void)
{
    if (saved_stderr < 0)
        return;
    fflush(stderr);
    dup2(saved_stderr, 2);
    close(saved_stderr);
    saved_stderr = -1;
}

/* The spool has refused readings; of what waits now nothing will be committed. */
static bool has_said_full(void)
{
    FILE *f = fopen(log_path, "re");
    assert_non_null(f);
    char line[1024];
    bool has_said = false;
    while (!has_said && fgets(line, sizeof line, f) != NULL)
        has_said = strstr(line, "readings wait in memory") != NULL;
    fclose(f);
    return has_said;
}

/* ---- the tests ---- */

static void test_readings_arrive_in_order_and_the_end_is_quick(void **state)
{
    (void)state;
    new_spool(64);
    start_collector(true);
    struct deliver *d = start_agent(false);
    for (int64_t n = 1; n <= 5000; n++)
        put(d, n);
    AWAIT(has_lines, 5000);
    AWAIT(is_empty, (intptr_t)d);
    int64_t next = 1;
    for (int i = 0; i < collector.batch_count; i++) {
        assert_int_equal(collector.batches[i].header.seq, i + 1);
        struct span body = span_of(collector.batches[i].body), line;
        while (batch_next_line(&body, &line)) {
            struct reading r;
            assert_int_equal(batch_read_reading(line, &r, NULL), ST_OK);
            assert_int_equal(r.count, next);
            assert_int_equal(r.time_ms, T0 + next++);
        }
    }
    int64_t begun = mono_ms();
    stop_agent(d);
    int64_t took_ms = mono_ms() - begun;
    AWAIT(is_offline, 1);
    for (int i = 1; i < TRIES_MAX && took_ms >= 1000; i++) {
        d = start_agent(false);
        put(d, next);
        AWAIT(has_lines, next++);
        AWAIT(is_empty, (intptr_t)d);
        begun = mono_ms();
        stop_agent(d);
        took_ms = mono_ms() - begun;
    }
    assert_true(took_ms < 1000);
    stop_collector();
}

static void test_a_time_that_repeats_is_bumped_by_a_millisecond(void **state)
{
    (void)state;
    new_spool(64);
    start_collector(true);
    struct deliver *d = start_agent(false);
    int64_t times[] = {0, 0, 0, 5, 4, 5, 100, 20}, wanted[] = {0, 1, 2, 5, 6, 7, 100, 20};
    for (int i = 0; i < 8; i++)
        put(d, times[i]);
    AWAIT(has_lines, 8);
    int seen = 0;
    for (int i = 0; i < collector.batch_count; i++) {
        struct span body = span_of(collector.batches[i].body), line;
        for (struct reading r; batch_next_line(&body, &line); seen++) {
            assert_int_equal(batch_read_reading(line, &r, NULL), ST_OK);
            assert_int_equal(r.time_ms, T0 + wanted[seen]);
        }
    }
    assert_int_equal(seen, 8);
    stop_agent(d);
    stop_collector();
}

static void test_a_silent_collector_is_probed_with_the_lowest_alone(void **state)
{
    (void)state;
    new_spool(64);
    start_collector(false);
    struct deliver *d = start_agent(false);
    for (int64_t n = 1; n <= 3; n++) {
        put(d, n);
        AWAIT(has_batches, n);
    }
    AWAIT(has_probes, 0);
    put(d, 4); /* committed, but not sent while nobody answers */
    AWAIT(is_committed, (intptr_t)d);
    /* A slow machine may be silent, and probed, before all three are out. */
    int before = collector.batch_count, first = 0;
    while (first < 3 && collector.batches[first].header.seq == first + 1)
        first++;
    for (int i = first; i < before; i++) {
        assert_int_equal(collector.batches[i].header.seq, 1);
        assert_string_equal(collector.batches[i].body, collector.batches[0].body);
    }
    send_ack((struct ack){collector.batches[0].header.epoch, 1, false}, false);
    AWAIT(has_the_rest, before);
    send_ack((struct ack){collector.batches[0].header.epoch, 4, false}, false);
    AWAIT(is_empty, (intptr_t)d);
    stop_agent(d);
    stop_collector();
}

static void test_a_refusal_goes_back_and_a_stored_one_does_not(void **state)
{
    (void)state;
    new_spool(64);
    settings.spool.probe_ms = 60000;
    start_collector(true);
    struct deliver *d = start_agent(false);
    for (int64_t n = 1; n <= 5; n++) {
        put(d, n);
        AWAIT(has_batches, n);
    }
    AWAIT(is_empty, (intptr_t)d);
    collector.acknowledges = false;
    uint64_t epoch = collector.batches[0].header.epoch;
    send_ack((struct ack){epoch, 2, true}, true);
    AWAIT(has_batches, 8);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(collector.batches[5 + i].header.seq, 3 + i);
        assert_string_equal(collector.batches[5 + i].body, collector.batches[2 + i].body);
    }
    send_ack((struct ack){epoch, 5, false}, false);
    AWAIT(is_empty, (intptr_t)d);
    /* The broker keeps the refusal, and gives it to the next start. */
    stop_agent(d);
    int before = collector.batch_count;
    d = start_agent(false);
    put(d, 6);
    AWAIT(has_batches, before + 1);
    assert_int_equal(collector.batches[before].header.seq, 6);
    assert_true(
        collector.batches[before].header.has_prev && collector.batches[before].header.prev_epoch == epoch);
    assert_false(await(has_batches, before + 2, 300));
    collector.acknowledges = true;
    send_ack((struct ack){collector.batches[before].header.epoch, 6, false}, true);
    AWAIT(is_empty, (intptr_t)d);
    stop_agent(d);
    stop_collector();
}

static void test_no_more_than_the_window_is_out(void **state)
{
    (void)state;
    new_spool(64);
    settings.spool.probe_ms = 60000;
    start_collector(false);
    struct deliver *d = start_agent(false);
    for (int64_t n = 1; n <= 40; n++) {
        put(d, n);
        if (n <= 16)
            AWAIT(has_batches, n);
    }
    AWAIT(is_committed, (intptr_t)d);
    assert_false(await(has_batches, 17, 300));
    assert_int_equal(collector.batch_count, 16);
    struct deliver_progress progress;
    deliver_progress(d, &progress);
    assert_int_equal(progress.unacknowledged, 16);
    assert_int_equal(progress.committed, 40);
    collector.acknowledges = true;
    collector.mark = 16;
    send_ack((struct ack){collector.batches[0].header.epoch, 16, false}, true);
    AWAIT(has_lines, 24);
    AWAIT(is_empty, (intptr_t)d);
    stop_agent(d);
    stop_collector();
}

static void test_what_was_put_is_on_disk_after_the_end_and_sent_by_the_next_start(void **state)
{
    (void)state;
    new_spool(64);
    settings.spool.commit_ms = 60000;
    settings.broker.port = 1; /* nobody there */
    struct deliver *d = start_agent(false);
    struct spool_reading r = {.point = 0, .kind = READING_REGISTER, .time_ms = T0, .count = 7};
    assert_true(deliver_put(d, &r, false));
    assert_false(deliver_wait_empty(d, mono_ms() + 50));
    int64_t begun = mono_ms();
    stop_agent(d);
    int64_t took_ms = mono_ms() - begun;
    for (int i = 1; i < TRIES_MAX && took_ms >= 1000; i++) {
        d = start_agent(false);
        begun = mono_ms();
        stop_agent(d);
        took_ms = mono_ms() - begun;
    }
    assert_true(took_ms < 1000); /* without a broker nothing can be drained */
    settings.broker.port = broker.port;
    start_collector(true);
    d = start_agent(false);
    AWAIT(has_lines, 1);
    assert_string_equal(collector.batches[0].body, "register,point=b3.main value=7i 1764000000000\n");
    stop_agent(d);
    stop_collector();
}

static void test_the_end_waits_for_acknowledgements_as_long_as_told(void **state)
{
    (void)state;
    new_spool(64);
    start_collector(false);
    int64_t took_ms = INT64_MAX;
    for (int i = 0; i < TRIES_MAX && took_ms > 1500; i++) {
        struct deliver *d = start_agent(false);
        if (i == 0)
            put(d, 1);
        AWAIT(has_batches, collector.batch_count + 1);
        int64_t begun = mono_ms();
        struct error err;
        agent = NULL;
        assert_int_equal(deliver_stop(d, 400, &err), ST_OK);
        took_ms = mono_ms() - begun;
        deliver_destroy(d);
        assert_true(took_ms >= 390);
    }
    assert_true(took_ms <= 1500);
    stop_collector();
}

static void test_a_broker_that_restarts_gets_everything_from_behind_the_mark(void **state)
{
    (void)state;
    new_spool(64);
    settings.spool.probe_ms = 60000;
    start_collector(false);
    struct deliver *d = start_agent(false);
    for (int64_t n = 1; n <= 3; n++) {
        put(d, n);
        AWAIT(has_batches, n);
    }
    stop_collector();
    held_mono_ms = mono_ms(); /* so that the agent comes back after the collector has subscribed */
    broker_stop(&broker);
    put(d, 4);
    broker_again(&broker, folder, BROKER_OPEN);
    start_collector(true);
    held_mono_ms = 0;
    AWAIT(has_lines, 4);
    assert_int_equal(collector.batches[0].header.seq, 1);
    AWAIT(is_empty, (intptr_t)d);
    stop_agent(d);
    stop_collector();
}

static void test_batches_fit_a_broker_with_a_small_packet_limit(void **state)
{
    (void)state;
    restart_broker(BROKER_OPEN "max_packet_size 4000\n");
    new_spool(64);
    settings.broker.port = 1;
    struct deliver *d = start_agent(false); /* the readings are there before the broker is known */
    for (int64_t n = 1; n <= 500; n++)
        put(d, n);
    stop_agent(d);
    settings.broker.port = broker.port;
    start_collector(true);
    d = start_agent(false);
    AWAIT(has_lines, 500);
    assert_true(collector.batch_count > 5);
    stop_agent(d);
    stop_collector();
}

static void test_what_no_batch_for_this_broker_can_hold_is_kept_until_one_can(void **state)
{
    (void)state;
    restart_broker(BROKER_OPEN "max_packet_size 1000\n"); /* 500 bytes of payload */
    new_spool(64);
    start_collector(true);
    struct deliver *d = start_agent(false);
    AWAIT(is_online, 0);
    char *text = mem_alloc(251);
    memset(text, 'x', 250);
    text[250] = '\0';
    struct spool_reading r = {.point = 1, .kind = READING_STATE, .time_ms = T0, .text = text};
    assert_true(deliver_put(d, &r, true));
    free(text);
    AWAIT(is_committed, (int64_t)(intptr_t)d);
    assert_int_equal(collector.batch_count, 0);
    stop_agent(d);
    stop_collector();
    restart_broker(BROKER_OPEN);
    start_collector(true);
    d = start_agent(false);
    AWAIT(has_lines, 1);
    assert_non_null(strstr(collector.batches[0].body, "xxxxxxxxxx"));
    stop_agent(d);
    stop_collector();
}

static void test_a_full_spool_refuses_and_takes_again_when_there_is_room(void **state)
{
    (void)state;
    new_spool(2);
    settings.broker.port = 1;
    capture_log();
    struct deliver *d = start_agent(false);
    char text[STATE_TEXT_MAX + 1];
    memset(text, 'x', STATE_TEXT_MAX);
    text[STATE_TEXT_MAX] = '\0';
    int64_t taken = 0, deadline = mono_ms() + PATIENCE_MS;
    struct spool_reading r = {.point = 1, .kind = READING_STATE, .text = text};
    bool is_full = false, is_taken = true;
    while ((is_taken || !is_full) && mono_ms() < deadline) {
        r.time_ms = T0 + taken * 20;
        is_taken = deliver_put(d, &r, true);
        taken += is_taken;
        if (!is_taken && !is_full) {
            is_full = has_said_full();
            is_taken = true; /* it may have taken something since */
            deliver_wait_empty(d, mono_ms() + 20);
        }
    }
    struct deliver_progress progress;
    deliver_progress(d, &progress);
    assert_int_equal(progress.waiting, 16384);
    assert_false(deliver_put(d, &r, false));
    assert_true(taken > 16384);
    assert_int_equal(progress.committed + progress.waiting, taken);
    struct error err;
    assert_int_equal(end_agent(d, 0, &err), ST_FULL);
    assert_non_null(strstr(err.text, " readings could not be committed"));
    release_log();
    int64_t on_disk = taken - strtoll(err.text, NULL, 10);

    settings.broker.port = broker.port;
    start_collector(true);
    d = start_agent(false);
    AWAIT(has_lines, on_disk);
    r.time_ms = T0 + taken * 20;
    assert_true(deliver_put(d, &r, true));
    AWAIT(has_lines, on_disk + 1);
    stop_agent(d);
    stop_collector();
    assert_int_equal(collector.lines, on_disk + 1);
    assert_int_equal(failures, 0);
}

static void test_a_replay_waits_instead(void **state)
{
    (void)state;
    new_spool(2);
    settings.broker.port = 1;
    capture_log();
    struct deliver *d = start_agent(true);
    int64_t put_count = 0;
    struct spool_reading r = {.point = 0, .kind = READING_REGISTER};
    int64_t deadline = mono_ms() + PATIENCE_MS;
    bool is_full = false, is_taken = true;
    while ((is_taken || !is_full) && put_count < 200000 && mono_ms() < deadline) {
        r.time_ms = T0 + put_count;
        is_full = !is_taken && has_said_full();
        is_taken = deliver_put_patiently(d, &r, mono_ms() + 100);
        put_count += is_taken;
    }
    assert_true(is_full);
    assert_true(put_count > 4096 && put_count < 200000);
    struct deliver_progress progress;
    deliver_progress(d, &progress);
    assert_int_equal(progress.committed + progress.waiting, put_count);
    assert_true(progress.waiting <= 4096);
    struct error err;
    assert_int_equal(end_agent(d, 0, &err), ST_FULL);
}

/* In a child: its files may not grow from a certain moment on. */
static int write_until_the_disk_fails(void)
{
    struct deliver *d = start_agent(false);
    put(d, 1);
    if (!await(has_batches, 1, PATIENCE_MS))
        return 7;
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit nothing = {1, 1};
    if (setrlimit(RLIMIT_FSIZE, &nothing) != 0)
        return 2;
    put(d, 2);
    int64_t deadline = mono_ms() + PATIENCE_MS;
    struct error err, stop_err;
    while (!deliver_has_failed(d, &err) && mono_ms() < deadline)
        await(never, 0, 20);
    if (!deliver_has_failed(d, &err) || failures != 1)
        return 3;
    struct spool_reading r = {.point = 0, .kind = READING_REGISTER, .time_ms = T0 + 3};
    if (deliver_put(d, &r, true) || deliver_put_patiently(d, &r, mono_ms() + 5000))
        return 4;
    if (await(has_batches, 2, 700) && collector.batches[1].header.seq != 1)
        return 5; /* published what is not on disk */
    if (deliver_stop(d, 3000, &stop_err) != ST_STORAGE)
        return 6;
    return 0;
}

static void test_an_error_of_the_disk_ends_it_and_nothing_uncommitted_is_sent(void **state)
{
    (void)state;
    new_spool(64);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        start_collector(false);
        _exit(write_until_the_disk_fails());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_the_state_says_what_is_there(void **state)
{
    (void)state;
    new_spool(64);
    start_collector(false);
    struct deliver *d = start_agent(false);
    AWAIT(is_online, 0);
    assert_non_null(strstr(collector.state, "\"points\":{\"b3.main\":1000,\"lab2.session\":1000}"));
    stop_agent(d);
    AWAIT(is_offline, 1);
    stop_collector();
}

static int set_up(void **state)
{
    (void)state;
    thread_cond_init(&collector.changed);
    if (mkdtemp(folder) == NULL)
        return 1;
    broker = broker_start(folder, BROKER_OPEN);
    return 0;
}

static int forget_acks(void **state)
{
    (void)state;
    failures = 0;
    restart_broker(BROKER_OPEN); /* what it kept for the test before is gone */
    return 0;
}

/* One failure is one: nothing of a test that failed meets the next one. */
static int end_all(void **state)
{
    (void)state;
    struct error err;
    held_mono_ms = 0;
    if (agent != NULL)
        end_agent(agent, 0, &err);
    stop_collector();
    release_log();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    broker_stop(&broker);
    for (int i = 0; i < collector.batch_count; i++)
        free(collector.batches[i].body);
    free(settings.spool.path);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* The first one: it forks, and after the MQTT library has threads that is too late. */
        cmocka_unit_test(test_an_error_of_the_disk_ends_it_and_nothing_uncommitted_is_sent),
        cmocka_unit_test_setup_teardown(
            test_readings_arrive_in_order_and_the_end_is_quick, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_a_time_that_repeats_is_bumped_by_a_millisecond, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_a_silent_collector_is_probed_with_the_lowest_alone, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_a_refusal_goes_back_and_a_stored_one_does_not, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(test_no_more_than_the_window_is_out, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_what_was_put_is_on_disk_after_the_end_and_sent_by_the_next_start, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_the_end_waits_for_acknowledgements_as_long_as_told, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_a_broker_that_restarts_gets_everything_from_behind_the_mark, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_batches_fit_a_broker_with_a_small_packet_limit, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_what_no_batch_for_this_broker_can_hold_is_kept_until_one_can, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(
            test_a_full_spool_refuses_and_takes_again_when_there_is_room, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(test_a_replay_waits_instead, forget_acks, end_all),
        cmocka_unit_test_setup_teardown(test_the_state_says_what_is_there, forget_acks, end_all),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
