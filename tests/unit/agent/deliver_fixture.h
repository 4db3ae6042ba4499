/* agent/deliver/deliver against a real mosquitto, with the test as the collector. */
#pragma once

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

static inline void restart_broker(const char *settings)
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
    int64_t lines, dropped;
    char state[2048];
    int offline_count;
} collector = {.lock = PTHREAD_MUTEX_INITIALIZER};

static inline void on_message(void *user_data, const struct mqtt_message *message)
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
            collector.dropped += header.dropped;
            while (batch_next_line(&body, &line))
                collector.lines++;
        }
    }
    pthread_cond_broadcast(&collector.changed);
    pthread_mutex_unlock(&collector.lock);
}

static inline void on_event(void *user_data)
{
    (void)user_data;
    pthread_mutex_lock(&collector.lock);
    pthread_cond_broadcast(&collector.changed);
    pthread_mutex_unlock(&collector.lock);
}

static inline void send_ack(struct ack ack, bool is_retained)
{
    char text[ACK_TEXT_SIZE];
    struct error err;
    ack_format(&ack, text);
    assert_int_equal(mqtt_publish(collector.mqtt, ACK, span_of(text), is_retained, 0, &err), ST_OK);
}

/* Two clients in one process share Paho's threads, which look at a second connection once a second unless the
 * first has traffic. */
static inline void nudge(void)
{
    if (mqtt_state(collector.mqtt) == MQTT_READY && mqtt_unconfirmed(collector.mqtt) == 0)
        mqtt_publish(collector.mqtt, "nudge", span_of("x"), false, 0, NULL);
}

/* Runs the collector until the condition holds. */
static inline bool await(bool (*condition)(int64_t), int64_t value, int64_t patience_ms)
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

static inline bool has_batches(int64_t count)
{
    return collector.batch_count >= count;
}

static inline bool has_lines(int64_t count)
{
    return collector.lines >= count;
}

static inline bool has_lines_or_loss(int64_t count)
{
    return collector.lines + collector.dropped >= count;
}

static inline bool is_committed(int64_t agent)
{
    struct deliver_progress progress;
    deliver_progress((struct deliver *)(intptr_t)agent, &progress);
    return progress.waiting == 0;
}

/* It takes our acknowledgements to get there. */
static inline bool is_empty(int64_t agent)
{
    return deliver_wait_empty((struct deliver *)(intptr_t)agent, 0);
}

static inline bool is_ready(int64_t unused)
{
    (void)unused;
    return mqtt_state(collector.mqtt) == MQTT_READY;
}

static inline bool is_online(int64_t unused)
{
    (void)unused;
    return strstr(collector.state, "online") != NULL;
}

static inline bool is_offline(int64_t count)
{
    return collector.offline_count >= count;
}

static inline bool never(int64_t unused)
{
    (void)unused;
    return false;
}

/* Three of the lowest: it was sent and probed twice. */
static inline bool has_probes(int64_t unused)
{
    (void)unused;
    int count = 0;
    for (int i = 0; i < collector.batch_count; i++)
        count += collector.batches[i].header.seq == 1;
    return count >= 3;
}

/* From there on came 2, 3 and 4, whatever was sent again between them. */
static inline bool has_the_rest(int64_t from)
{
    int64_t seq = 2;
    for (int i = (int)from; seq <= 4 && i < collector.batch_count; i++)
        seq += collector.batches[i].header.seq == seq;
    return seq == 5;
}

static inline void start_collector(bool acknowledges)
{
    for (int i = 0; i < collector.batch_count; i++)
        free(collector.batches[i].body);
    collector.batch_count = 0;
    collector.mark = collector.lines = collector.dropped = collector.offline_count = 0;
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

static inline void stop_collector(void)
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

static inline void count_failure(void)
{
    failures++;
}

static inline void new_spool(int64_t limit_mib)
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

static inline int64_t agent_mono_ms(void)
{
    int64_t held = held_mono_ms;
    return held != 0 ? held : clock_system.mono_ms();
}

static inline struct deliver *start_agent(bool is_replay)
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

static inline void put(struct deliver *d, int64_t n)
{
    struct spool_reading r = {.point = 0, .kind = READING_REGISTER, .time_ms = T0 + n, .count = n};
    assert_true(deliver_put(d, &r, true));
}

static inline enum status end_agent(struct deliver *d, int64_t drain_ms, struct error *err)
{
    agent = NULL;
    enum status status = deliver_stop(d, drain_ms, err);
    deliver_destroy(d);
    return status;
}

static inline void stop_agent(struct deliver *d)
{
    struct error err;
    if (end_agent(d, 3000, &err) != ST_OK)
        fail_msg("%s", err.text);
}

static inline int64_t mono_ms(void)
{
    return clock_system.mono_ms();
}

/* ---- what the agent says ---- */

static int saved_stderr = -1;
static char log_path[64];

static inline void capture_log(void)
{
    snprintf(log_path, sizeof log_path, "%s/log", folder);
    fflush(stderr);
    saved_stderr = fcntl(2, F_DUPFD_CLOEXEC, 3);
    int fd = open(log_path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    dup2(fd, 2);
    close(fd);
}

static inline void release_log(void)
{
    if (saved_stderr < 0)
        return;
    fflush(stderr);
    dup2(saved_stderr, 2);
    close(saved_stderr);
    saved_stderr = -1;
}

static inline bool has_said(const char *part)
{
    FILE *f = fopen(log_path, "re");
    assert_non_null(f);
    char line[1024];
    bool is_found = false;
    while (!is_found && fgets(line, sizeof line, f) != NULL)
        is_found = strstr(line, part) != NULL;
    fclose(f);
    return is_found;
}

static inline int set_up(void **state)
{
    (void)state;
    thread_cond_init(&collector.changed);
    if (mkdtemp(folder) == NULL)
        return 1;
    broker = broker_start(folder, BROKER_OPEN);
    return 0;
}

static inline int forget_acks(void **state)
{
    (void)state;
    failures = 0;
    restart_broker(BROKER_OPEN); /* what it kept for the test before is gone */
    return 0;
}

/* One failure is one: nothing of a test that failed meets the next one. */
static inline int end_all(void **state)
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

static inline int tear_down(void **state)
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
