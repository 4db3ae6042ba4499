/* lib/mqtt against a real mosquitto on a free loopback port. */
#include "lib/batch.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/mqtt.h"
#include "lib/thread.h"
#include "tests/unit/broker.h"

#define PATIENCE_MS 30000
#define RECEIVED_MAX 1024

static char folder[] = "/tmp/parkmon-test-mqtt-XXXXXX";

/* ---- a client and its owner's loop ---- */

struct received {
    char topic[64];
    char payload[64];
    bool is_retained;
};

struct owner {
    struct mqtt *mqtt;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool has_event;
    int64_t wait_ms; /* as the last mqtt_tick wanted it */
    int count;
    struct received received[RECEIVED_MAX];
};

static void on_event(void *user_data)
{
    struct owner *o = user_data;
    pthread_mutex_lock(&o->lock);
    o->has_event = true;
    pthread_cond_signal(&o->wake);
    pthread_mutex_unlock(&o->lock);
}

static void on_message(void *user_data, const struct mqtt_message *message)
{
    struct owner *o = user_data;
    pthread_mutex_lock(&o->lock);
    struct received *r = &o->received[o->count++ % RECEIVED_MAX];
    snprintf(r->topic, sizeof r->topic, "%.*s", (int)message->topic.len, message->topic.at);
    snprintf(r->payload, sizeof r->payload, "%.*s", (int)message->payload.len, message->payload.at);
    r->is_retained = message->is_retained;
    o->has_event = true;
    pthread_cond_signal(&o->wake);
    pthread_mutex_unlock(&o->lock);
}

static struct mqtt_options base_options(int port, const char *client_id, const char *const *subscriptions)
{
    return (struct mqtt_options){.host = "127.0.0.1",
        .port = port,
        .client_id = client_id,
        .keep_alive_s = 30,
        .subscriptions = subscriptions,
        .retry_min_ms = 20,
        .retry_max_ms = 200};
}

static struct owner *owner_create(struct mqtt_options options)
{
    struct owner *o = mem_zalloc(sizeof *o);
    pthread_mutex_init(&o->lock, NULL);
    thread_cond_init(&o->wake);
    options.user_data = o;
    options.on_event = on_event;
    options.on_message = on_message;
    o->mqtt = mqtt_create(&options);
    return o;
}

static void owner_destroy(struct owner *o)
{
    mqtt_destroy(o->mqtt);
    pthread_cond_destroy(&o->wake);
    pthread_mutex_destroy(&o->lock);
    free(o); /* a callback that still ran would now be seen by the address sanitizer */
}

typedef bool condition_fn(struct owner *o, int64_t argument);

static bool run_until(struct owner *o, condition_fn *is_true, int64_t argument)
{
    int64_t deadline = clock_system.mono_ms() + PATIENCE_MS;
    while (clock_system.mono_ms() < deadline) {
        int64_t now = clock_system.mono_ms();
        int64_t due = mqtt_tick(o->mqtt, now);
        o->wait_ms = due - now;
        if (is_true(o, argument))
            return true;
        if (due > deadline)
            due = deadline;
        pthread_mutex_lock(&o->lock);
        while (!o->has_event && clock_system.mono_ms() < due)
            thread_wait_until(&o->wake, &o->lock, due);
        o->has_event = false;
        pthread_mutex_unlock(&o->lock);
    }
    return false;
}

static bool is_ready(struct owner *o, int64_t session)
{
    return mqtt_state(o->mqtt) == MQTT_READY && mqtt_session(o->mqtt) >= (uint64_t)session;
}

static bool is_down(struct owner *o, int64_t unused)
{
    (void)unused;
    return mqtt_state(o->mqtt) == MQTT_DOWN;
}

static bool has_received(struct owner *o, int64_t count)
{
    pthread_mutex_lock(&o->lock);
    bool has = o->count >= count;
    pthread_mutex_unlock(&o->lock);
    return has;
}

static bool is_confirmed(struct owner *o, int64_t unused)
{
    (void)unused;
    return mqtt_unconfirmed(o->mqtt) == 0;
}

/* ---- what the program said ---- */

static int saved_stderr;
static char log_path[64];

static int capture_log(void **state)
{
    (void)state;
    snprintf(log_path, sizeof log_path, "%s/log", folder);
    fflush(stderr);
    saved_stderr = dup(2);
    int fd = open(log_path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
    dup2(fd, 2);
    close(fd);
    return 0;
}

static int release_log(void **state)
{
    (void)state;
    fflush(stderr);
    dup2(saved_stderr, 2);
    close(saved_stderr);
    return 0;
}

/* How many of the log's lines contain the text. */
static int said(const char *text)
{
    FILE *f = fopen(log_path, "r");
    assert_non_null(f);
    char line[2048];
    int count = 0;
    while (fgets(line, sizeof line, f) != NULL)
        count += strstr(line, text) != NULL;
    fclose(f);
    return count;
}

static bool has_said(struct owner *o, int64_t text)
{
    (void)o;
    return said((const char *)(intptr_t)text) > 0;
}
#define SAID(text) (int64_t)(intptr_t)(text)

/* ---- tests ---- */

/* Runs one of mosquitto's own clients (an oracle that is not ours) and gives what it printed. */
static char *run_client(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *run_client(const char *format, ...)
{
    static char output[1024];
    char command[512];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    FILE *f = popen(command, "re");
    assert_non_null(f);
    size_t len = fread(output, 1, sizeof output - 1, f);
    output[len] = '\0';
    assert_int_equal(pclose(f), 0);
    return output;
}

static void test_a_message_arrives_and_a_stored_one_says_that_it_is_retained(void **state)
{
    (void)state;
    struct broker b = broker_start(folder, BROKER_OPEN);
    run_client("mosquitto_pub -V 5 -p %d -h 127.0.0.1 -t park/stored -q 1 -r -m before", b.port);
    static const char *const filters[] = {"park/live", "park/stored", NULL};
    struct owner *o = owner_create(base_options(b.port, "receiver", filters));
    assert_int_equal(mqtt_publish(o->mqtt, "park/live", SPAN("x"), false, 0, NULL), ST_UNREACHABLE);
    assert_true(run_until(o, has_received, 1));
    assert_true(run_until(o, is_ready, 1));
    assert_int_equal(mqtt_session(o->mqtt), 1);
    assert_string_equal(o->received[0].topic, "park/stored");
    assert_string_equal(o->received[0].payload, "before");
    assert_true(o->received[0].is_retained);

    run_client("mosquitto_pub -V 5 -p %d -h 127.0.0.1 -t park/live -q 1 -m now", b.port);
    assert_true(run_until(o, has_received, 2));
    assert_string_equal(o->received[1].topic, "park/live");
    assert_string_equal(o->received[1].payload, "now");
    assert_false(o->received[1].is_retained);

    assert_int_equal(mqtt_publish(o->mqtt, "park/ours", SPAN("kept"), true, 100, NULL), ST_OK);
    assert_true(run_until(o, is_confirmed, 0));
    const char *seen =
        run_client("mosquitto_sub -V 5 -p %d -h 127.0.0.1 -t park/ours -C 1 -W 30 -F '%%r %%E %%p'", b.port);
    int is_retained, expiry_s;
    char payload[16];
    assert_int_equal(sscanf(seen, "%d %d %15s", &is_retained, &expiry_s, payload), 3);
    assert_int_equal(is_retained, 1);
    assert_in_range(expiry_s, 80, 100);
    assert_string_equal(payload, "kept");
    owner_destroy(o);
    broker_stop(&b);
}

static void test_a_backlog_beyond_the_receive_maximum_arrives_whole_in_order_and_soon(void **state)
{
    (void)state;
    struct broker b = broker_start(folder, BROKER_OPEN);
    static const char *const filters[] = {"park/many", NULL};
    struct owner *o = owner_create(base_options(b.port, "both", filters));
    assert_true(run_until(o, is_ready, 1));
    int64_t start = clock_system.mono_ms();
    for (int i = 0; i < 600; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        assert_int_equal(mqtt_publish(o->mqtt, "park/many", span_of(text), false, 0, NULL), ST_OK);
    }
    assert_true(mqtt_unconfirmed(o->mqtt) > 0);
    assert_true(run_until(o, has_received, 600));
    assert_true(run_until(o, is_confirmed, 0));
    /* Handed to the library all at once they would take thirty seconds: twenty a second. */
    assert_in_range(clock_system.mono_ms() - start, 0, 15000);
    for (int i = 0; i < 600; i++)
        assert_int_equal(atoi(o->received[i].payload), i);
    owner_destroy(o);
    broker_stop(&b);
}

static void test_a_will_is_published_when_its_process_is_killed_and_not_when_it_ends(void **state)
{
    (void)state;
    struct broker b = broker_start(folder, BROKER_OPEN);
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct mqtt_options options = base_options(b.port, "mortal", NULL);
        options.will_topic = "park/state";
        options.will_payload = "offline";
        struct owner *o = owner_create(options);
        if (run_until(o, is_ready, 1) && write(ends[1], "r", 1) == 1)
            pause();
        _exit(1);
    }
    close(ends[1]);
    char ready;
    assert_int_equal(read(ends[0], &ready, 1), 1);
    close(ends[0]);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
#define WATCH "mosquitto_sub -V 5 -p %d -h 127.0.0.1 -t park/state -C 1 -W 30 -F %%p"
    assert_string_equal(run_client(WATCH, b.port), "offline\n");

    struct mqtt_options options = base_options(b.port, "orderly", NULL);
    options.will_topic = "park/state";
    options.will_payload = "must not be seen";
    struct owner *o = owner_create(options);
    assert_true(run_until(o, is_ready, 1));
    owner_destroy(o);
    assert_string_equal(run_client(WATCH, b.port), "offline\n");
    broker_stop(&b);
}

static void test_a_killed_broker_is_found_again_and_makes_a_new_session(void **state)
{
    (void)state;
    struct broker b = broker_start(folder, BROKER_OPEN);
    static const char *const filters[] = {"park/again", NULL};
    struct owner *o = owner_create(base_options(b.port, "faithful", filters));
    assert_true(run_until(o, is_ready, 1));
    kill(b.pid, SIGSTOP);
    assert_int_equal(mqtt_publish(o->mqtt, "park/again", SPAN("lost"), false, 0, NULL), ST_OK);
    assert_int_equal(mqtt_unconfirmed(o->mqtt), 1);
    broker_stop(&b);
    assert_true(run_until(o, is_down, 0));
    assert_int_equal(mqtt_unconfirmed(o->mqtt), 0);
    assert_int_equal(mqtt_publish(o->mqtt, "park/again", SPAN("x"), false, 0, NULL), ST_UNREACHABLE);
    assert_true(run_until(o, has_said, SAID("cannot be reached")));
    broker_again(&b, folder, BROKER_OPEN);
    assert_true(run_until(o, is_ready, 2));
    assert_int_equal(mqtt_session(o->mqtt), 2);
    assert_int_equal(mqtt_publish(o->mqtt, "park/again", SPAN("found"), false, 0, NULL), ST_OK);
    assert_true(run_until(o, has_received, 1));
    assert_string_equal(o->received[0].payload, "found");
    assert_int_equal(said("connected again"), 1);
    owner_destroy(o);
    broker_stop(&b);
}

static void test_a_denied_publish_names_the_topic(void **state)
{
    (void)state;
    char path[64], settings[128];
    snprintf(path, sizeof path, "%s/acl", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("topic readwrite park/allowed\n", f);
    fclose(f);
    snprintf(settings, sizeof settings, BROKER_OPEN "acl_file %s\n", path);
    struct broker b = broker_start(folder, settings);
    struct owner *o = owner_create(base_options(b.port, "curious", NULL));
    assert_true(run_until(o, is_ready, 1));
    assert_int_equal(mqtt_publish(o->mqtt, "park/allowed", SPAN("x"), false, 0, NULL), ST_OK);
    assert_int_equal(mqtt_publish(o->mqtt, "park/forbidden", SPAN("x"), false, 0, NULL), ST_OK);
    assert_true(run_until(o, has_said, SAID("to publish to park/forbidden")));
    assert_true(run_until(o, is_confirmed, 0));
    for (int i = 0; i < 5; i++)
        assert_int_equal(mqtt_publish(o->mqtt, "park/forbidden", SPAN("x"), false, 0, NULL), ST_OK);
    assert_true(run_until(o, is_confirmed, 0));
    assert_int_equal(said("to publish to"), 1);
    assert_true(mqtt_denies(o->mqtt, "park/forbidden"));
    assert_false(mqtt_denies(o->mqtt, "park/allowed"));
    assert_int_equal(mqtt_session(o->mqtt), 1);

    f = fopen(path, "w");
    assert_non_null(f);
    fputs("topic readwrite park/forbidden\n", f);
    fclose(f);
    kill(b.pid, SIGHUP);
    int64_t deadline = clock_system.mono_ms() + PATIENCE_MS;
    while (mqtt_denies(o->mqtt, "park/forbidden") && clock_system.mono_ms() < deadline) {
        assert_int_equal(mqtt_publish(o->mqtt, "park/forbidden", SPAN("x"), false, 0, NULL), ST_OK);
        assert_true(run_until(o, is_confirmed, 0));
    }
    assert_true(run_until(o, has_said, SAID("publish to park/forbidden again")));
    owner_destroy(o);
    broker_stop(&b);
}

static void test_a_refused_user_is_named_with_host_and_port(void **state)
{
    (void)state;
    struct broker b = broker_start(folder, "allow_anonymous false\n");
    struct mqtt_options options = base_options(b.port, "park-gw1", NULL);
    options.user = "gw1";
    options.password = "wr0ng-secret";
    struct owner *o = owner_create(options);
    char expected[64];
    snprintf(expected, sizeof expected, "127.0.0.1:%d refuses user gw1", b.port);
    assert_true(run_until(o, has_said, SAID(expected)));
    assert_int_equal(mqtt_state(o->mqtt), MQTT_DOWN);
    assert_int_equal(said("wr0ng-secret"), 0);
    owner_destroy(o);
    broker_stop(&b);
}

static int bind_loopback(int *ret_port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* A broker that accepts everyone, and at the first word of a session sends `farewell` and closes: for what
 * mosquitto 2.0.11 never says. */
struct rude_broker {
    pid_t pid;
    int port;
};

static struct rude_broker rude_broker_start(const char *farewell, size_t len)
{
    struct rude_broker b = {0};
    int listener = bind_loopback(&b.port);
    assert_int_equal(listen(listener, 5), 0);
    b.pid = fork();
    assert_true(b.pid >= 0);
    while (b.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        static const char connack[] = {0x20, 3, 0, 0, 0};
        char text[512];
        int fd = accept(listener, NULL, NULL);
        if (fd < 0 || read(fd, text, sizeof text) <= 0 || write(fd, connack, sizeof connack) < 0 ||
            read(fd, text, sizeof text) <= 0 || write(fd, farewell, len) < 0)
            _exit(1);
        shutdown(fd, SHUT_WR);
        while (read(fd, text, sizeof text) > 0)
            ;
        close(fd);
    }
    close(listener);
    return b;
}

static void rude_broker_stop(struct rude_broker *b)
{
    kill(b->pid, SIGKILL);
    waitpid(b->pid, NULL, 0);
}

/* The session is ready, not only begun, when the rude broker closes it. */
static void speak(struct owner *o, int64_t session)
{
    assert_true(run_until(o, is_ready, session));
    assert_int_equal(mqtt_publish(o->mqtt, "park/any", SPAN("x"), false, 0, NULL), ST_OK);
}

static void test_a_client_whose_id_is_taken_over_waits_longest_and_says_so(void **state)
{
    (void)state;
    static const char taken_over[] = {(char)0xe0, 2, (char)0x8e, 0};
    struct rude_broker b = rude_broker_start(taken_over, sizeof taken_over);
    struct mqtt_options options = base_options(b.port, "park-twin", NULL); /* in a hurry otherwise */
    struct owner *o = owner_create(options);
    speak(o, 1);
    assert_true(run_until(o, has_said,
        SAID("another client uses the id park-twin or the user (anonymous) and took the connection over "
             "(mosquitto needs use_username_as_clientid true")));
    assert_in_range(o->wait_ms, 60000, 90000);
    owner_destroy(o);
    rude_broker_stop(&b);
}

static void test_sessions_that_are_closed_early_again_and_again_raise_a_suspicion(void **state)
{
    (void)state;
    struct rude_broker b = rude_broker_start("", 0);
    struct mqtt_options options = base_options(b.port, "park-twin", NULL);
    options.retry_max_ms = 60000;
    struct owner *o = owner_create(options);
    for (int session = 1; session <= 3; session++)
        speak(o, session);
    assert_true(run_until(o, has_said,
        SAID("another client may use the id park-twin or the user (anonymous) (mosquitto needs "
             "use_username_as_clientid true")));
    assert_int_equal(mqtt_session(o->mqtt), 3);
    owner_destroy(o);
    rude_broker_stop(&b);
}

static bool is_away(struct owner *o, int64_t times)
{
    (void)o;
    return said("cannot be reached") >= times;
}

/* As a person who tries settings does it: three times within a minute. */
static void test_a_broker_that_is_restarted_a_few_times_raises_no_suspicion(void **state)
{
    (void)state;
    struct broker b = broker_start(folder, BROKER_OPEN);
    struct mqtt_options options = base_options(b.port, "park-gw1", NULL);
    options.retry_max_ms = 60000;
    struct owner *o = owner_create(options);
    for (int session = 1; session <= 3; session++) {
        assert_true(run_until(o, is_ready, session));
        broker_stop(&b);
        assert_true(run_until(o, is_away, session));
        broker_again(&b, folder, BROKER_OPEN);
    }
    assert_true(run_until(o, is_ready, 4));
    assert_int_equal(said("may use the id"), 0);
    assert_int_equal(said("connection lost"), 3);
    owner_destroy(o);
    broker_stop(&b);
}

static bool has_wait_of(struct owner *o, int64_t least_ms)
{
    return o->wait_ms > least_ms && o->wait_ms < 5000; /* beyond: it is connecting, not waiting */
}

static void test_an_unreachable_port_is_said_once_while_the_waits_grow(void **state)
{
    (void)state;
    int port;
    int bound = bind_loopback(&port); /* and nobody else can listen there */
    struct mqtt_options options = base_options(port, "lonely", NULL);
    options.retry_min_ms = 250;
    options.retry_max_ms = 60000;
    struct owner *o = owner_create(options);
    char expected[64];
    snprintf(expected, sizeof expected, "127.0.0.1:%d cannot be reached", port);
    assert_true(run_until(o, has_said, SAID(expected)));
    assert_in_range(o->wait_ms, 0, 250);
    assert_true(run_until(o, has_wait_of, 250)); /* only doubled waits are as long */
    assert_int_equal(said("cannot be reached"), 1);
    assert_int_equal(mqtt_session(o->mqtt), 0);
    owner_destroy(o);
    close(bound);
}

static void test_the_brokers_packet_limit_bounds_a_payload(void **state)
{
    (void)state;
    struct broker b = broker_start(folder, BROKER_OPEN "max_packet_size 20000\n");
    struct owner *o = owner_create(base_options(b.port, "bounded", NULL));
    assert_int_equal(mqtt_payload_max(o->mqtt), BATCH_BYTES_MAX);
    assert_true(run_until(o, is_ready, 1));
    assert_int_equal(mqtt_payload_max(o->mqtt), 20000 - 1024);
    static char payload[20000];
    struct span largest = {payload, 20000 - 1024}, larger = {payload, 20000 - 1023};
    assert_int_equal(mqtt_publish(o->mqtt, "park/large", larger, false, 0, NULL), ST_INVALID);
    assert_int_equal(mqtt_publish(o->mqtt, "park/large", largest, false, 0, NULL), ST_OK);
    assert_true(run_until(o, is_confirmed, 0));
    assert_int_equal(mqtt_session(o->mqtt), 1);
    owner_destroy(o);
    broker_stop(&b);

    b = broker_start(folder, BROKER_OPEN);
    o = owner_create(base_options(b.port, "unbounded", NULL));
    assert_true(run_until(o, is_ready, 1));
    assert_int_equal(mqtt_payload_max(o->mqtt), BATCH_BYTES_MAX);
    owner_destroy(o);
    broker_stop(&b);
}

static void test_no_callback_runs_after_the_end_in_any_phase(void **state)
{
    (void)state;
    struct broker b = broker_start(folder, BROKER_OPEN);
    static const char *const filters[] = {"park/flood", NULL};
    mqtt_destroy(NULL);
    struct owner *o = owner_create(base_options(b.port, "never", filters));
    owner_destroy(o);
    o = owner_create(base_options(b.port, "connecting", filters));
    mqtt_tick(o->mqtt, clock_system.mono_ms());
    owner_destroy(o);
    for (int i = 0; i < 2; i++) {
        o = owner_create(base_options(b.port, "flooded", filters));
        assert_true(run_until(o, is_ready, 1));
        for (int n = 0; n < 100; n++)
            assert_int_equal(mqtt_publish(o->mqtt, "park/flood", SPAN("x"), false, 0, NULL), ST_OK);
        assert_true(run_until(o, has_received, 1));
        owner_destroy(o);
    }
    int64_t quickest_ms = INT64_MAX; /* of a few: the machine may be slow now and then */
    for (int i = 0; i < 4 && quickest_ms > 4000; i++) {
        o = owner_create(base_options(b.port, "stopped", filters));
        assert_true(run_until(o, is_ready, 1));
        kill(b.pid, SIGSTOP);
        assert_int_equal(mqtt_publish(o->mqtt, "park/flood", SPAN("x"), false, 0, NULL), ST_OK);
        int64_t start = clock_system.mono_ms();
        owner_destroy(o);
        quickest_ms = clock_system.mono_ms() - start;
        kill(b.pid, SIGCONT);
    }
    assert_in_range(quickest_ms, 0, 4000);
    broker_stop(&b);
}

int main(void)
{
    if (mkdtemp(folder) == NULL)
        return 1;
    signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, capture_log, release_log)
    const struct CMUnitTest tests[] = {
        /* The first one: it forks, and the MQTT library must not have threads then. */
        TEST(test_a_will_is_published_when_its_process_is_killed_and_not_when_it_ends),
        TEST(test_a_message_arrives_and_a_stored_one_says_that_it_is_retained),
        TEST(test_a_backlog_beyond_the_receive_maximum_arrives_whole_in_order_and_soon),
        TEST(test_a_killed_broker_is_found_again_and_makes_a_new_session),
        TEST(test_a_denied_publish_names_the_topic),
        TEST(test_a_refused_user_is_named_with_host_and_port),
        TEST(test_a_client_whose_id_is_taken_over_waits_longest_and_says_so),
        TEST(test_sessions_that_are_closed_early_again_and_again_raise_a_suspicion),
        TEST(test_a_broker_that_is_restarted_a_few_times_raises_no_suspicion),
        TEST(test_an_unreachable_port_is_said_once_while_the_waits_grow),
        TEST(test_the_brokers_packet_limit_bounds_a_payload),
        TEST(test_no_callback_runs_after_the_end_in_any_phase),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    static const char *const names[] = {"acl", "log"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
    return failed;
}
